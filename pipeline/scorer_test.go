package pipeline

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// produceEvents writes events of a few users to the events topic, some twice.
func produceEvents(t testing.TB, reach []kgo.Opt, rng *rand.Rand, from, n int) {
	t.Helper()
	c := newCodecs(t)
	client, err := kgo.NewClient(reach...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for i := from; i < from+n; i++ {
		e := tinyEvent(rng.IntN(23), int64(i))
		value, err := c.events.Append(nil, &e)
		if err != nil {
			t.Fatal(err)
		}
		for range 1 + max(rng.IntN(20)-18, 0) {
			r := &kgo.Record{Topic: "events", Key: []byte(e.User.String()), Value: value}
			client.Produce(t.Context(), r, func(_ *kgo.Record, err error) {
				if err != nil {
					t.Errorf("producing: %v", err)
				}
			})
		}
	}
	if err := client.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// scoredAll tells whether a store's fences stand at the ends of the topic.
func scoredAll(t testing.TB, reach []kgo.Opt, states StateStore) error {
	client, err := kgo.NewClient(reach...)
	if err != nil {
		return err
	}
	defer client.Close()
	ends, err := kadm.NewClient(client).ListEndOffsets(t.Context(), "events")
	if err != nil {
		return err
	}
	var problems []error
	ends.Each(func(end kadm.ListedOffset) {
		stored, _, err := states.Load(t.Context(), end.Partition, nil)
		fence, err2 := ParseFence(stored)
		if err := errors.Join(err, err2); err != nil {
			problems = append(problems, err)
		} else if max(fence.Next, 0) != end.Offset {
			problems = append(problems, fmt.Errorf("partition %d is scored to %d of %d", end.Partition, fence.Next, end.Offset))
		}
	})
	return errors.Join(problems...)
}

// checkAlerts compares the alerts topic with the plain fold over the events.
func checkAlerts(t testing.TB, reach []kgo.Opt) {
	t.Helper()
	c := newCodecs(t)
	log := readAll(t, reach, "events")
	slices.SortStableFunc(log, func(a, b *kgo.Record) int {
		if a.Partition != b.Partition {
			return int(a.Partition - b.Partition)
		}
		return int(a.Offset - b.Offset)
	})
	got := newOutbox(c)
	for _, r := range readAll(t, reach, "alerts") {
		if err := got.add(r); err != nil {
			t.Error(err)
		}
	}
	want := foldLog(t, c, log)
	if err := sameAlerts(got.alerts, want.alerts); err != nil {
		t.Error(err)
	}
	t.Logf("%d events, %d alert versions, %d repeated", len(log), len(want.alerts), got.repeats)
}

// Nothing is lost or doubled when scorers come, go and share, and when Kafka
// refuses some writes.
func TestScorer_sharing(t *testing.T) {
	t.Parallel()
	cluster, reach := newCluster(t)
	server := miniredis.RunT(t)
	states := openRedis(t, server.Addr()).States("1")
	rng := rand.New(rand.NewPCG(1, 2))
	produceEvents(t, reach, rng, 0, 500)
	first := start(t, newTestScorer(t, reach, states).Run)
	produceEvents(t, reach, rng, 500, 500)
	cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "alerts", Err: kerr.InvalidRecord, Count: 3})
	second := start(t, newTestScorer(t, reach, states).Run)
	produceEvents(t, reach, rng, 1000, 500)
	time.Sleep(300 * time.Millisecond)
	first.end(t)
	produceEvents(t, reach, rng, 1500, 500)
	third := start(t, newTestScorer(t, reach, states).Run)
	produceEvents(t, reach, rng, 2000, 500)
	eventually(t, func() error { return scoredAll(t, reach, states) })
	second.end(t)
	third.end(t)
	checkAlerts(t, reach)
	if err := committedAll(t, reach, "riskpipe-score", "events"); err != nil {
		t.Error(err)
	}
}

// A partition whose fence was taken by somebody else is claimed back by the
// member that Kafka gave it to, and goes on from where the store says.
func TestScorer_fencedAndRolledBack(t *testing.T) {
	t.Parallel()
	_, reach := newCluster(t)
	states := NewMemoryStates()
	rng := rand.New(rand.NewPCG(3, 4))
	produceEvents(t, reach, rng, 0, 400)
	s := start(t, newTestScorer(t, reach, states).Run)
	eventually(t, func() error { return scoredAll(t, reach, states) })
	// The store forgets everything it has learned since the claim but for one
	// partition, which a stranger takes.
	states.mu.Lock()
	for number, p := range states.partitions {
		fence, err := ParseFence(p.fence)
		if err != nil {
			t.Error(err)
		}
		if number > 0 {
			fence.Next = earliest
			clear(p.states)
		}
		fence.Nonce = "stranger"
		p.fence = fence.String()
	}
	states.mu.Unlock()
	produceEvents(t, reach, rng, 400, 400)
	eventually(t, func() error { return scoredAll(t, reach, states) })
	s.end(t)
	checkAlerts(t, reach)
}

// While Redis cannot be reached the scorer waits and says so, and goes on when
// it is back, also when it could not even claim.
func TestScorer_redisDown(t *testing.T) {
	t.Parallel()
	_, reach := newCluster(t)
	server := miniredis.RunT(t)
	states := openRedis(t, server.Addr()).States("1")
	rng := rand.New(rand.NewPCG(5, 6))
	produceEvents(t, reach, rng, 0, 200)
	server.SetError("LOADING Redis is loading the dataset in memory")
	scorer := newTestScorer(t, reach, states)
	s := start(t, scorer.Run)
	eventually(t, func() error {
		if err := scorer.Ready(); err == nil || !strings.Contains(err.Error(), "stands still") {
			return fmt.Errorf("ready says %w", err)
		}
		return nil
	})
	server.SetError("")
	eventually(t, func() error { return scoredAll(t, reach, states) })
	server.SetError("READONLY You can't write against a read only replica.")
	produceEvents(t, reach, rng, 200, 200)
	time.Sleep(200 * time.Millisecond)
	server.SetError("")
	eventually(t, func() error { return scoredAll(t, reach, states) })
	eventually(t, scorer.Ready)
	s.end(t)
	checkAlerts(t, reach)
}

// Events that are gone before they were scored end the service with advice.
func TestScorer_retentionTooShort(t *testing.T) {
	t.Parallel()
	_, reach := newCluster(t)
	states := NewMemoryStates()
	produceEvents(t, reach, rand.New(rand.NewPCG(9, 9)), 0, 200)
	client := newClient(t, reach)
	ends, err := kadm.NewClient(client).ListEndOffsets(t.Context(), "events")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kadm.NewClient(client).DeleteRecords(t.Context(), ends.Offsets()); err != nil {
		t.Fatal(err)
	}
	for partition := range int32(testPartitions) {
		if _, err := states.Claim(t.Context(), partition, func(f Fence, _ bool) (Fence, error) {
			f.Next, f.Nonce = 1, "before"
			return f, nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	err = start(t, newTestScorer(t, reach, states).Run).wait(t)
	if err == nil || !strings.Contains(err.Error(), "riskpipe rebuild") {
		t.Errorf("Run returned %v", err)
	}
}
