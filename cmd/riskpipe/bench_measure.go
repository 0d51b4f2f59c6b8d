package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"time"
)

// benchStage is what one stage took.
type benchStage struct {
	Name   string `json:"name"`
	Events int64  `json:"events"`
	// Bytes are those of the raw records, where the stage reads them.
	Bytes int64 `json:"bytes,omitempty"`

	Seconds         float64 `json:"seconds"`
	EventsPerSecond float64 `json:"events_per_second"`
	// CPUNanoseconds an event are this process's, user and system; servers are others.
	CPUNanoseconds      float64 `json:"cpu_ns_per_event"`
	EventsPerCoreSecond float64 `json:"events_per_second_per_core"`
	Allocations         float64 `json:"allocations_per_event"`
	AllocatedBytes      float64 `json:"allocated_bytes_per_event"`
	// CeilingNanoseconds is the CPU time an event of the primitives that the stage
	// cannot do without, and Ratio how close the stage comes to them; 0 when they
	// were not measured.
	CeilingNanoseconds float64 `json:"ceiling_ns_per_event,omitempty"`
	Ratio              float64 `json:"ratio_to_ceiling,omitempty"`
}

// ceiling sets the stage's ceiling. It does nothing on a stage that was not run.
func (s *benchStage) ceiling(nanoseconds float64) {
	if s == nil || nanoseconds == 0 {
		return
	}
	s.CeilingNanoseconds, s.Ratio = nanoseconds, nanoseconds/s.CPUNanoseconds
}

// measure runs a stage, which returns how many events it worked through, and adds
// it to the report.
func (b *bench) measure(ctx context.Context, name string, run func(context.Context) (int64, error)) (*benchStage, error) {
	fmt.Fprintf(b.talk, "measuring %s\n", name)
	stop, err := b.profile(name)
	if err != nil {
		return nil, err
	}
	defer stop()
	runtime.GC() // of what the stage before has left
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu, err := cpuTime()
	if err != nil {
		return nil, err
	}
	start := time.Now()
	events, err := run(ctx)
	if err != nil {
		return nil, fmt.Errorf("measuring %s: %w", name, err)
	}
	wall := time.Since(start)
	end, err := cpuTime()
	if err != nil {
		return nil, err
	}
	runtime.ReadMemStats(&after)
	if events == 0 {
		return nil, fmt.Errorf("measuring %s: there was nothing to do", name)
	}
	n := float64(events)
	s := &benchStage{
		Name: name, Events: events,
		Seconds: wall.Seconds(), EventsPerSecond: n / wall.Seconds(),
		CPUNanoseconds: float64((end - cpu).Nanoseconds()) / n, EventsPerCoreSecond: n / (end - cpu).Seconds(),
		Allocations: float64(after.Mallocs-before.Mallocs) / n, AllocatedBytes: float64(after.TotalAlloc-before.TotalAlloc) / n,
	}
	b.report.Stages = append(b.report.Stages, s)
	return s, nil
}

// profile writes a CPU profile until it is stopped, if profiles were asked for.
func (b *bench) profile(name string) (stop func(), err error) {
	if b.options.profiles == "" {
		return func() {}, nil
	}
	if err := os.MkdirAll(b.options.profiles, 0o755); err != nil {
		return nil, fmt.Errorf("making the folder of profiles: %w", err)
	}
	file, err := os.Create(filepath.Join(b.options.profiles, name+".pprof"))
	if err != nil {
		return nil, fmt.Errorf("making the profile: %w", err)
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		file.Close()
		return nil, fmt.Errorf("profiling %s: %w", name, err)
	}
	return func() {
		pprof.StopCPUProfile()
		file.Close()
	}, nil
}
