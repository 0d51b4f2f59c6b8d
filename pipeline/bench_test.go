package pipeline

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
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

// Eight partitions, each with a worker of its own, as a poll hands them out: with
// -cpu 1,2 what a second core brings.
func BenchmarkScoreWorkers(b *testing.B) {
	const partitions, perBatch = 8, 5000
	c := newCodecs(b)
	var logs [partitions][]*kgo.Record
	var workers [partitions]*scoreWorker
	rng := rand.New(rand.NewPCG(1, 1))
	for p := range partitions {
		w := tinyWorker(b, c, NewMemoryStates(), func(context.Context, []*kgo.Record) error { return nil })
		w.batchSize, w.cacheSize = perBatch, 10_000
		if _, err := w.claim(b.Context(), nil); err != nil {
			b.Fatal(err)
		}
		workers[p] = w
		for i := range int64(perBatch) {
			e := tinyEvent(0, i)
			e.User = schemas.Pseudonym{1, byte(rng.IntN(100))}
			value, err := c.events.Append(nil, &e)
			if err != nil {
				b.Fatal(err)
			}
			logs[p] = append(logs[p], &kgo.Record{Topic: "events", Value: value})
		}
	}
	for offset := int64(0); b.Loop(); offset += perBatch {
		var wg sync.WaitGroup
		for p := range partitions {
			wg.Go(func() {
				for i, r := range logs[p] {
					r.Offset = offset + int64(i)
				}
				if _, err := workers[p].process(b.Context(), logs[p]); err != nil {
					b.Error(err)
				}
			})
		}
		wg.Wait()
	}
	b.ReportMetric(float64(b.N*partitions*perBatch)/b.Elapsed().Seconds(), "events/s")
}

// One batch of 1,000 raw records through mapping by a trivial mapper and
// identity resolution: what the shell costs an event. A scope decides by rules about
// half of the people, none of whom it keeps out.
func BenchmarkBatchNormaliser(b *testing.B) {
	b.Run("everybody", func(b *testing.B) { benchmarkBatchNormaliser(b, nil) })
	groups := map[string][]string{}
	for i := range 50 {
		groups[fmt.Sprintf("user%d@contoso.com", i)] = []string{"emea"}
	}
	rules := []ScopeRule{{Groups: []string{"emea"}, Sources: []schemas.Source{schemas.SourceEmail}}, {Groups: []string{"apac"}}}
	b.Run("scope", func(b *testing.B) {
		benchmarkBatchNormaliser(b, NewScope(ScopeConfig{Exclude: rules}, testKey(b), groups))
	})
}

func benchmarkBatchNormaliser(b *testing.B, scope *Scope) {
	normaliser := NewBatchNormaliser(plain{}, newResolver(b, NewMemoryNames(), func(d *ResolverDeps) { d.Scope = scope }))
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

// One decision about an event of somebody whom a rule is about, and without rules.
func BenchmarkScope(b *testing.B) {
	user := testKey(b).Pseudonym("upn:ben@contoso.com")
	e := schemas.Event{Source: schemas.SourceFile, Activity: "file.downloaded", Time: 1_700_000_000_000}
	for name, scope := range map[string]*Scope{
		"everybody": nil,
		"rules": newScope(b, ScopeConfig{
			Include: []ScopeRule{{Groups: []string{"emea"}}},
			Exclude: []ScopeRule{{Groups: []string{"works_council"}}, {Groups: []string{"emea"}, Sources: []schemas.Source{schemas.SourceEmail}}},
		}),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if scope.event(scope.of(user, user, schemas.ActorPerson, true), &e) != InScope {
					b.Fatal("out of scope")
				}
			}
		})
	}
}
