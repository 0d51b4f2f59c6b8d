//go:build unix

package sink

import (
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/schemas"
)

// BenchmarkSink writes blocks of 50,000 events, of five kinds and 37 users.
//
//	decode   Avro into structs, which the rest includes
//	fill     decoding, and filling the columns
//	insert   all of it, up to ClickHouse's answer
//	send     encoding and sending columns that are full, up to ClickHouse's answer
//
// ns/row is wall time, the engine's included; cpu-ns/row is the CPU time of the sink alone.
func BenchmarkSink(b *testing.B) {
	const n = 50_000
	events := codec[schemas.Event](b, schemas.EventSchema)
	records := make([]*kgo.Record, n)
	for i, e := range manyEvents(n) {
		e.Time = noon + schemas.Time(i) // as live records come: nearly in order, and in one month
		records[i] = &kgo.Record{Value: encode(b, events, e), Offset: int64(i)}
	}
	// The engine is another process, so this process's CPU time is the client's.
	perRow := func(b *testing.B) func() {
		start := cpuTime(b)
		return func() {
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/row")
			b.ReportMetric(float64((cpuTime(b)-start).Nanoseconds())/float64(b.N)/n, "cpu-ns/row")
		}
	}
	fill := func(b *testing.B, into rows) {
		into.reset()
		for _, r := range records {
			if err := into.add(r); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		defer perRow(b)()
		var e schemas.Event
		for b.Loop() {
			for _, r := range records {
				if err := events.Decode(r.Value, &e); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("fill", func(b *testing.B) {
		b.ReportAllocs()
		defer perRow(b)()
		into := newActivityRows(events, "riskpipe")
		for b.Loop() {
			fill(b, into)
		}
	})
	conn, database := openMigrated(b)
	into := newActivityRows(events, database)
	token := func() string { return strconv.FormatInt(time.Now().UnixNano(), 10) }
	b.Run("insert", func(b *testing.B) {
		b.ReportAllocs()
		defer perRow(b)()
		for b.Loop() {
			fill(b, into)
			if err := into.insert(b.Context(), conn, token()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("send", func(b *testing.B) {
		b.ReportAllocs()
		fill(b, into)
		defer perRow(b)()
		for b.Loop() {
			if err := into.insert(b.Context(), conn, token()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
