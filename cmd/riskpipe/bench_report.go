package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"text/tabwriter"
	"time"
)

// benchReport is what a run measured.
type benchReport struct {
	Version    string            `json:"version"`
	Go         string            `json:"go"`
	Platform   string            `json:"platform"`
	Cores      int               `json:"cores"`
	Servers    map[string]string `json:"servers"`
	Events     int               `json:"events"`
	Users      []benchUsers      `json:"users,omitempty"`
	Partitions int               `json:"partitions"`
	Stages     []*benchStage     `json:"stages"`
	Primitives []benchPrimitive  `json:"primitives,omitempty"`
	// StateBytes is the mean size of a person's state in Redis, keys excluded.
	StateBytes float64 `json:"state_bytes,omitempty"`
	States     int64   `json:"states,omitempty"`
	// Rate is how many events a second were published while latencies were measured.
	Rate      float64        `json:"rate,omitempty"`
	Latencies []benchLatency `json:"latencies,omitempty"`
}

// benchPrimitive is the CPU time of one unit of a bare primitive.
type benchPrimitive struct {
	Name        string  `json:"name"`
	Unit        string  `json:"unit"`
	Nanoseconds float64 `json:"cpu_ns"`
	PerCore     float64 `json:"per_second_per_core"`
}

// benchLatency is a distribution in seconds.
type benchLatency struct {
	Name  string  `json:"name"`
	Count int64   `json:"count"`
	P50   float64 `json:"p50_seconds"`
	P99   float64 `json:"p99_seconds"`
	P999  float64 `json:"p999_seconds"`
	Most  float64 `json:"max_seconds"`
}

// benchUsers is what a number of people takes in Redis.
type benchUsers struct {
	Stage      string  `json:"stage"`
	Users      int64   `json:"users"`
	StateBytes float64 `json:"state_bytes_per_user"`
}

func newBenchReport(s *benchServers, o benchOptions) *benchReport {
	return &benchReport{
		Version: versionText(), Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Cores: runtime.GOMAXPROCS(0),
		Servers: s.kinds, Events: o.events, Partitions: o.partitions,
	}
}

func (r *benchReport) print(out io.Writer, format string) error {
	if format == "json" {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	}
	fmt.Fprintf(out, "riskpipe %s, %s, %s, %d cores; Kafka %s, Redis %s, ClickHouse %s\n\n",
		r.Version, r.Go, r.Platform, r.Cores, r.Servers["kafka"], r.Servers["redis"], r.Servers["clickhouse"])
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	if len(r.Stages) > 0 {
		fmt.Fprintln(w, "STAGE\tEVENTS\tSECONDS\tEVENTS/S\tCPU NS/EVENT\tEVENTS/S/CORE\tCEILING NS\tRATIO\tALLOCS/EVENT\tBYTES/EVENT\t")
		for _, s := range r.Stages {
			ceiling, ratio := "", ""
			if s.Ratio > 0 {
				ceiling, ratio = fmt.Sprintf("%.0f", s.CeilingNanoseconds), fmt.Sprintf("%.0f %%", 100*s.Ratio)
			}
			fmt.Fprintf(w, "%s\t%d\t%.1f\t%.0f\t%.0f\t%.0f\t%s\t%s\t%.1f\t%.0f\t\n", s.Name, s.Events, s.Seconds, s.EventsPerSecond,
				s.CPUNanoseconds, s.EventsPerCoreSecond, ceiling, ratio, s.Allocations, s.AllocatedBytes)
		}
		fmt.Fprintln(w)
	}
	if len(r.Primitives) > 0 {
		fmt.Fprintln(w, "PRIMITIVE\tCPU NS\tPER\tA SECOND AND CORE\t")
		for _, p := range r.Primitives {
			fmt.Fprintf(w, "%s\t%.0f\t%s\t%.0f\t\n", p.Name, p.Nanoseconds, p.Unit, p.PerCore)
		}
		fmt.Fprintln(w)
	}
	if len(r.Latencies) > 0 {
		fmt.Fprintf(w, "LATENCY AT %.0f EVENTS/S\tCOUNT\tP50\tP99\tP99.9\tMAX\t\n", r.Rate)
		for _, l := range r.Latencies {
			fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t\n", l.Name, l.Count, milliseconds(l.P50), milliseconds(l.P99), milliseconds(l.P999), milliseconds(l.Most))
		}
		fmt.Fprintln(w)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if r.States > 0 {
		fmt.Fprintf(out, "Redis: %d states of %.0f bytes\n", r.States, r.StateBytes)
	}
	for _, u := range r.Users {
		fmt.Fprintf(out, "%s: %d states of %.0f bytes in Redis\n", u.Stage, u.Users, u.StateBytes)
	}
	for _, s := range r.Stages {
		if s.Bytes > 0 {
			fmt.Fprintf(out, "%s: %.0f bytes of raw records an event\n", s.Name, float64(s.Bytes)/float64(s.Events))
		}
	}
	return nil
}

func milliseconds(seconds float64) string {
	return time.Duration(seconds * float64(time.Second)).Round(time.Millisecond).String()
}
