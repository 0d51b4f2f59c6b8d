package pipeline

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/schemas"
)

// emptiable are the Redis servers of a test in which everything is lost at once.
// On the real one it has a database to itself.
func emptiable(t *testing.T, f func(t *testing.T, r *Redis, empty func())) {
	t.Run("miniredis", func(t *testing.T) {
		r := openRedis(t, miniredis.RunT(t).Addr())
		// Its FLUSHALL does not tell those who WATCH, which Redis does.
		const script = "for _, key in ipairs(redis.call('KEYS', '*')) do redis.call('DEL', key) end"
		f(t, r, func() {
			if err := r.client.Eval(t.Context(), script, nil).Err(); err != nil && !errors.Is(err, redis.Nil) {
				t.Fatal(err)
			}
		})
	})
	t.Run("redis", func(t *testing.T) {
		r, err := NewRedis(RedisConfig{Addresses: []string{realRedis(t)}, Database: 15, Prefix: "a[b]*:"})
		if err != nil {
			t.Fatal(err)
		}
		empty := func() {
			if err := r.client.FlushDB(context.WithoutCancel(t.Context())).Err(); err != nil {
				t.Fatal(err)
			}
		}
		t.Cleanup(func() {
			empty()
			r.Close()
		})
		empty()
		f(t, r, empty)
	})
}

func rebuildAll(t testing.TB, reach []kgo.Opt, states StateStore) error {
	t.Helper()
	c := newCodecs(t)
	var last []RebuildProgress
	err := Rebuild(t.Context(), ScorerConfig{BatchRecords: 40, CachedUsers: 5}, ScorerDeps{
		Cluster: reach, Engine: tinyEngine{}, States: states, Events: c.events, Alerts: c.alerts, Risks: c.risks, Version: "test", Log: quiet,
	}, func(all []RebuildProgress) { last = all })
	for _, p := range last {
		if err == nil && !p.Done() {
			t.Errorf("it ended with %+v", p)
		}
	}
	return err
}

func verifyAll(t testing.TB, reach []kgo.Opt, states *RedisStates, change func(*VerifyDeps)) []PartitionProof {
	t.Helper()
	c := newCodecs(t)
	deps := VerifyDeps{Cluster: reach, Engine: tinyEngine{}, States: states, Events: c.events, Alerts: c.alerts, Risks: c.risks, Log: quiet}
	if change != nil {
		change(&deps)
	}
	proofs, err := Verify(t.Context(), deps)
	if err != nil {
		t.Fatal(err)
	}
	return proofs
}

// provedEqual complains unless all states are proved to be those of the log, and
// returns how many records that took.
func provedEqual(t testing.TB, proofs []PartitionProof) (records int64) {
	t.Helper()
	if len(proofs) != testPartitions {
		t.Errorf("%d partitions", len(proofs))
	}
	for _, p := range proofs {
		if p.Verdict != StatesEqual || p.Stored != p.Folded || p.Differences != 0 || p.Reason != "" {
			t.Errorf("%+v", p)
		}
		if p.Records != p.To-p.From {
			t.Errorf("partition %d: %d records folded of [%d, %d)", p.Partition, p.Records, p.From, p.To)
		}
		records += p.Records
	}
	return records
}

// traffic publishes events until it is stopped.
func traffic(t *testing.T, reach []kgo.Opt, from int) *service {
	return start(t, func(ctx context.Context) error {
		rng := rand.New(rand.NewPCG(7, 7))
		for i := from; ctx.Err() == nil; i += 20 {
			produceEvents(t, reach, rng, i, 20)
		}
		return nil
	})
}

// After a FLUSHALL in the middle of live scoring, the rebuilt states are those of
// the log, and that is proved while records keep coming.
func TestRebuild_live(t *testing.T) {
	emptiable(t, func(t *testing.T, r *Redis, empty func()) {
		_, reach := newCluster(t)
		states := r.States("1")
		produceEvents(t, reach, rand.New(rand.NewPCG(1, 2)), 0, 3000)
		first, second := start(t, newTestScorer(t, reach, states).Run), start(t, newTestScorer(t, reach, states).Run)
		records := traffic(t, reach, 3000)
		eventually(t, func() error {
			if stored, _, err := states.Load(t.Context(), 0, nil); err != nil || stored == "" {
				return fmt.Errorf("no fence: %w", err)
			}
			return nil
		})
		empty()
		if err := rebuildAll(t, reach, states); err != nil {
			t.Fatal(err)
		}
		proved := provedEqual(t, verifyAll(t, reach, states, nil))
		empty()
		first.end(t)
		if err := rebuildAll(t, reach, states); err != nil {
			t.Fatal(err)
		}
		if again := provedEqual(t, verifyAll(t, reach, states, nil)); again <= proved {
			t.Errorf("%d records, %d before: nothing has come meanwhile", again, proved)
		}
		records.end(t)
		eventually(t, func() error { return scoredAll(t, reach, states) })
		provedEqual(t, verifyAll(t, reach, states, nil))
		second.end(t)
		checkAlerts(t, reach)
	})
}

// Without any scorer the command does all the work, and the digests are those of
// before; a second run finds nothing to do.
func TestRebuild_alone(t *testing.T) {
	emptiable(t, func(t *testing.T, r *Redis, empty func()) {
		_, reach := newCluster(t)
		states := r.States("1")
		for _, p := range verifyAll(t, reach, states, nil) {
			if p.Verdict != StatesEqual || p.Users != 0 {
				t.Errorf("of an empty topic: %+v", p)
			}
		}
		produceEvents(t, reach, rand.New(rand.NewPCG(2, 2)), 0, 1000)
		for _, p := range verifyAll(t, reach, states, nil) {
			if p.Verdict != StatesUnproven || !strings.Contains(p.Reason, "nothing was scored yet") {
				t.Errorf("before any scoring: %+v", p)
			}
		}
		s := start(t, newTestScorer(t, reach, states).Run)
		eventually(t, func() error { return scoredAll(t, reach, states) })
		s.end(t)
		before := verifyAll(t, reach, states, nil)
		empty()
		for range 2 {
			if err := rebuildAll(t, reach, states); err != nil {
				t.Fatal(err)
			}
		}
		after := verifyAll(t, reach, states, nil)
		provedEqual(t, after)
		for i := range after {
			if after[i].Stored != before[i].Stored || after[i].Users == 0 {
				t.Errorf("before %+v\nafter %+v", before[i], after[i])
			}
		}
		checkAlerts(t, reach)
	})
}

// Scorers to whom no record comes do not notice that Redis is empty. The command
// does their work, and they go on from there.
func TestRebuild_idleScorer(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	_, reach := newCluster(t)
	states := openRedis(t, server.Addr()).States("1")
	produceEvents(t, reach, rand.New(rand.NewPCG(3, 2)), 0, 500)
	s := start(t, newTestScorer(t, reach, states).Run)
	eventually(t, func() error { return scoredAll(t, reach, states) })
	server.FlushAll()
	if err := rebuildAll(t, reach, states); err != nil {
		t.Fatal(err)
	}
	provedEqual(t, verifyAll(t, reach, states, nil))
	produceEvents(t, reach, rand.New(rand.NewPCG(3, 3)), 500, 500)
	eventually(t, func() error { return scoredAll(t, reach, states) })
	provedEqual(t, verifyAll(t, reach, states, nil))
	s.end(t)
	checkAlerts(t, reach)
}

// Interrupted, it keeps what it has; the next run goes on.
func TestRebuild_interrupted(t *testing.T) {
	t.Parallel()
	_, reach := newCluster(t)
	states := openRedis(t, miniredis.RunT(t).Addr()).States("1")
	produceEvents(t, reach, rand.New(rand.NewPCG(4, 2)), 0, 2000)
	ctx, cancel := context.WithCancel(t.Context())
	c := newCodecs(t)
	err := Rebuild(ctx, ScorerConfig{BatchRecords: 10}, ScorerDeps{
		Cluster: reach, Engine: tinyEngine{}, States: states, Events: c.events, Alerts: c.alerts, Risks: c.risks, Version: "test", Log: quiet,
	}, func(all []RebuildProgress) {
		for _, p := range all {
			if p.Here {
				cancel()
			}
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("it returned %v", err)
	}
	if err := rebuildAll(t, reach, states); err != nil {
		t.Fatal(err)
	}
	provedEqual(t, verifyAll(t, reach, states, nil))
	checkAlerts(t, reach)
}

// What is gone by retention ends it with advice, and discarding goes on with
// what is left, under the eyes of a scorer.
func TestRebuild_retention(t *testing.T) {
	t.Parallel()
	_, reach := newCluster(t)
	states := openRedis(t, miniredis.RunT(t).Addr()).States("1")
	produceEvents(t, reach, rand.New(rand.NewPCG(5, 2)), 0, 400)
	s := start(t, newTestScorer(t, reach, states).Run)
	eventually(t, func() error { return scoredAll(t, reach, states) })
	s.end(t)
	produceEvents(t, reach, rand.New(rand.NewPCG(5, 3)), 400, 400)
	admin := kadm.NewClient(newClient(t, reach))
	ends, err := admin.ListEndOffsets(t.Context(), "events")
	if err != nil {
		t.Fatal(err)
	}
	offsets := ends.Offsets()
	offsets.Each(func(o kadm.Offset) {
		o.At -= 20
		offsets[o.Topic][o.Partition] = o
	})
	if _, err := admin.DeleteRecords(t.Context(), offsets); err != nil {
		t.Fatal(err)
	}
	if err := rebuildAll(t, reach, states); err == nil || !strings.Contains(err.Error(), "--discard") {
		t.Errorf("it returned %v", err)
	}
	for _, p := range verifyAll(t, reach, states, nil) {
		if p.Verdict != StatesUnproven || !strings.Contains(p.Reason, "gone by retention") {
			t.Errorf("%+v", p)
		}
	}
	for partition := range int32(testPartitions) {
		if err := states.Discard(t.Context(), partition, "test"); err != nil {
			t.Fatal(err)
		}
	}
	s = start(t, newTestScorer(t, reach, states).Run)
	if err := rebuildAll(t, reach, states); err != nil {
		t.Fatal(err)
	}
	s.end(t)
	for _, p := range verifyAll(t, reach, states, nil) {
		if p.Verdict != StatesEqual || p.From == 0 || p.Users == 0 {
			t.Errorf("%+v", p)
		}
	}
}

// While states are thrown away nobody claims the partition, also when that was
// interrupted; scorers go on by themselves when it is done.
func TestDiscard(t *testing.T) {
	emptiable(t, func(t *testing.T, r *Redis, _ func()) {
		_, reach := newCluster(t)
		states := r.States("1")
		other := r.States("10")
		produceEvents(t, reach, rand.New(rand.NewPCG(6, 2)), 0, 400)
		scorer := newTestScorer(t, reach, states)
		s := start(t, scorer.Run)
		eventually(t, func() error { return scoredAll(t, reach, states) })
		if err := other.Commit(t.Context(), 1, "", "1|n|2|3|4|1|-1", []UserState{{schemas.Pseudonym{1}, []byte("kept")}}); err != nil {
			t.Fatal(err)
		}
		// An interrupted call leaves its fence behind.
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := states.Discard(ctx, 1, "nobody"); err == nil {
			t.Error("discarding with an ended context succeeded")
		}
		if _, err := states.Claim(t.Context(), 1, func(f Fence, _ bool) (Fence, error) {
			f.Next, f.Format, f.Nonce = earliest, formatDiscarding, "interrupted"
			return f, nil
		}); err != nil {
			t.Fatal(err)
		}
		produceEvents(t, reach, rand.New(rand.NewPCG(6, 3)), 400, 400)
		eventually(t, func() error {
			if err := scorer.Ready(); err == nil || !strings.Contains(err.Error(), "being thrown away") {
				return fmt.Errorf("ready says %w", err)
			}
			return nil
		})
		if p := verifyAll(t, reach, states, nil)[1]; p.Verdict != StatesUnproven || !strings.Contains(p.Reason, "being thrown away") {
			t.Errorf("%+v", p)
		}
		if err := states.Discard(t.Context(), 1, "again"); err != nil {
			t.Fatal(err)
		}
		eventually(t, func() error { return scoredAll(t, reach, states) })
		provedEqual(t, verifyAll(t, reach, states, nil))
		if _, left, err := other.Load(t.Context(), 1, []schemas.Pseudonym{{1}}); err != nil || string(left[0]) != "kept" {
			t.Errorf("of another generation %q is left, %v", left, err)
		}
		s.end(t)
		checkAlerts(t, reach)
	})
}
