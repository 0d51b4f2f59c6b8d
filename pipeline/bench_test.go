package pipeline

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
)

// One batch of 5,000 events of 100 users through the scoring worker, with the
// tiny engine: what the shell costs an event.
func BenchmarkScoreWorker(b *testing.B) {
	c := newCodecs(b)
	for _, store := range []string{"memory", "miniredis"} {
		b.Run(store, func(b *testing.B) {
			var states StateStore = NewMemoryStates()
			if store == "miniredis" {
				states = openRedis(b, miniredis.RunT(b).Addr()).States("1")
			}
			w := tinyWorker(b, c, states, func(context.Context, []*kgo.Record) error { return nil })
			w.batchSize, w.cacheSize = 5000, 10_000
			if _, err := w.claim(b.Context(), nil); err != nil {
				b.Fatal(err)
			}
			rng := rand.New(rand.NewPCG(1, 1))
			var log []*kgo.Record
			for i := range int64(5000) {
				e := tinyEvent(0, i)
				e.User = schemas.Pseudonym{1, byte(rng.IntN(100))} // 50 events each: more than the engine remembers
				value, err := c.events.Append(nil, &e)
				if err != nil {
					b.Fatal(err)
				}
				log = append(log, &kgo.Record{Topic: "events", Value: value})
			}
			b.ReportAllocs()
			for offset := int64(0); b.Loop(); {
				for _, r := range log {
					r.Offset = offset
					offset++
				}
				if _, err := w.process(b.Context(), log); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(log)), "ns/event")
		})
	}
}

// One batch of 1,000 raw records through mapping by a trivial mapper and
// identity resolution: what the shell costs an event.
func BenchmarkBatchNormaliser(b *testing.B) {
	normaliser := NewBatchNormaliser(plain{}, newResolver(b, NewMemoryNames(), nil))
	var raws []normalise.Raw
	for i := range 1000 {
		raws = append(raws, normalise.Raw{Topic: "raw.file", Offset: int64(i), Time: 1, Value: fmt.Appendf(nil, `{"id":%d,"upn":"user%d@contoso.com"}`, i, i%100)})
	}
	var out Batch
	b.ReportAllocs()
	for b.Loop() {
		if err := normaliser.Process(b.Context(), schemas.SourceFile, raws, &out); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(raws)), "ns/event")
}
