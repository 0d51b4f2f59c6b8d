//go:build synctests

package pipeline

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/deploy/embedded/virtual"
	"github.com/riskpipe/riskpipe/schemas"
)

// era is a cluster, a store and scorers in virtual time. Call it inside of a
// synctest bubble.
type era struct {
	t       *testing.T
	cluster *virtual.Cluster
	states  *weatheredStates
	desk    []kgo.Opt // of clients that nothing happens to
	client  *kgo.Client
	codecs  codecs
	rng     *rand.Rand
	wrote   int // events
	began   time.Time
}

func newEra(t *testing.T, seed uint64, opts ...kfake.Opt) *era {
	t.Helper()
	cluster := virtual.NewCluster(t, append([]kfake.Opt{kfake.SeedTopics(testPartitions, "events", "alerts", "risk", "dlq.events")}, opts...)...)
	desk := cluster.Cable().Options()
	return &era{
		t: t, cluster: cluster, states: newWeatheredStates(), desk: desk, client: newClient(t, desk), codecs: newCodecs(t),
		rng: rand.New(rand.NewPCG(seed, 7)), began: time.Now(),
	}
}

// publish writes events of a few users, some twice.
func (e *era) publish(n int) {
	e.t.Helper()
	var records []*kgo.Record
	for range n {
		event := tinyEvent(e.rng.IntN(23), int64(e.wrote))
		e.wrote++
		value, err := e.codecs.events.Append(nil, &event)
		if err != nil {
			e.t.Fatal(err)
		}
		for range 1 + max(e.rng.IntN(20)-18, 0) {
			records = append(records, &kgo.Record{Topic: "events", Key: []byte(event.User.String()), Value: value})
		}
	}
	if err := e.client.ProduceSync(e.t.Context(), records...).FirstErr(); err != nil {
		e.t.Fatal(err)
	}
}

// process is a scoring process with a cable and a view of the store of its own.
type process struct {
	*service
	scorer *Scorer
	cable  *virtual.Cable
	states *weatheredStates
}

func (e *era) start() *process {
	e.t.Helper()
	p := &process{cable: e.cluster.Cable(), states: &weatheredStates{MemoryStates: e.states.MemoryStates, shared: e.states}}
	c := e.codecs
	var err error
	p.scorer, err = NewScorer(ScorerConfig{BatchRecords: 40, CachedUsers: 5, Partitions: testPartitions}, ScorerDeps{
		Cluster: p.cable.Options(), Engine: tinyEngine{}, States: p.states, Events: c.events, Alerts: c.alerts, Risks: c.risks, Version: "test", Log: quiet,
	})
	if err != nil {
		e.t.Fatal(err)
	}
	p.service = start(e.t, p.scorer.Run)
	return p
}

// settles waits until all is scored, as it must be after so long, and tells how
// long it took.
func (e *era) settles(within time.Duration) {
	e.t.Helper()
	began := time.Now()
	for {
		err := scoredAll(e.t, e.desk, e.states.MemoryStates)
		if err == nil {
			e.t.Logf("settled after %s; %s have passed", time.Since(began).Round(time.Second), time.Since(e.began).Round(time.Second))
			return
		}
		if time.Since(began) > within {
			e.t.Fatalf("after %s: %v", within, err)
		}
		time.Sleep(time.Second)
	}
}

// check compares all that was ever stored, and the alerts, with the plain fold,
// and Kafka's commits with the end.
func (e *era) check() {
	e.t.Helper()
	checkAlerts(e.t, e.desk)
	time.Sleep(5 * time.Second)
	if err := committedAll(e.t, e.desk, "riskpipe-score", "events"); err != nil {
		e.t.Error(err)
	}
	logs := map[int32][]*kgo.Record{}
	for _, r := range readAll(e.t, e.desk, "events") {
		logs[r.Partition] = append(logs[r.Partition], r)
	}
	for partition, log := range logs {
		slices.SortFunc(log, func(a, b *kgo.Record) int { return int(a.Offset - b.Offset) })
		oracle := foldLog(e.t, e.codecs, log)
		for _, then := range e.states.past[partition] {
			fence, err := ParseFence(then.fence)
			if err != nil {
				e.t.Fatal(err)
			}
			if !maps.EqualFunc(then.states, oracle.states[max(fence.Next, 0)], func(a, b []byte) bool { return string(a) == string(b) }) {
				e.t.Fatalf("partition %d: the states at fence %s were not those of the fold", partition, fence)
			}
		}
	}
}

// weatheredStates is a memory store which can be away, slow, or forgetful.
type weatheredStates struct {
	*MemoryStates
	shared *weatheredStates // of all processes; nil when this is it

	mu      sync.Mutex
	away    bool
	stall   func(point string) // called before each operation
	claims  int
	commits int
	history map[int32][]*memoryPartition // what a failover may go back to
	past    map[int32][]*memoryPartition // all that was ever stored
}

func newWeatheredStates() *weatheredStates {
	return &weatheredStates{MemoryStates: NewMemoryStates(), history: map[int32][]*memoryPartition{}, past: map[int32][]*memoryPartition{}}
}

var errAway = errors.New("the store is away")

// set changes the weather.
func (w *weatheredStates) set(away bool, stall func(point string)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.away, w.stall = away, stall
}

func (w *weatheredStates) suffer(point string) error {
	w.mu.Lock()
	away, stall := w.away, w.stall
	w.mu.Unlock()
	if stall != nil {
		stall(point)
	}
	if away {
		return errAway
	}
	if w.shared != nil {
		return w.shared.suffer(point)
	}
	return nil
}

// remember keeps what is stored after a write.
func (w *weatheredStates) remember(partition int32, claim bool) {
	s := w.shared
	s.mu.Lock()
	defer s.mu.Unlock()
	if claim {
		s.claims++
	} else {
		s.commits++
	}
	s.MemoryStates.mu.Lock()
	defer s.MemoryStates.mu.Unlock()
	now := s.of(partition).clone()
	s.history[partition] = append(s.history[partition], now)
	s.past[partition] = append(s.past[partition], now)
}

// rollBack loses so many of a partition's newest writes.
func (w *weatheredStates) rollBack(partition int32, writes int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.MemoryStates.mu.Lock()
	defer w.MemoryStates.mu.Unlock()
	history := w.history[partition]
	at := len(history) - 1 - writes
	if at < 0 {
		return
	}
	w.partitions[partition] = history[at].clone()
	w.history[partition] = history[:at+1]
}

func (w *weatheredStates) claimCount() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.claims
}

// Claim implements StateStore.
func (w *weatheredStates) Claim(ctx context.Context, partition int32, next func(Fence, bool) (Fence, error)) (Fence, error) {
	if err := w.suffer("claim"); err != nil {
		return Fence{}, err
	}
	fence, err := w.MemoryStates.Claim(ctx, partition, next)
	if err == nil {
		w.remember(partition, true)
	}
	return fence, err
}

// Load implements StateStore.
func (w *weatheredStates) Load(ctx context.Context, partition int32, users []schemas.Pseudonym) (string, [][]byte, error) {
	if err := w.suffer("load"); err != nil {
		return "", nil, err
	}
	return w.MemoryStates.Load(ctx, partition, users)
}

// Commit implements StateStore.
func (w *weatheredStates) Commit(ctx context.Context, partition int32, from, to string, states []UserState) error {
	if err := w.suffer("commit"); err != nil {
		return err
	}
	if err := w.MemoryStates.Commit(ctx, partition, from, to, states); err != nil {
		return err
	}
	w.remember(partition, false)
	return nil
}

// isReady checks that a process says it is well.
func (p *process) isReady(t testing.TB) {
	t.Helper()
	if err := p.scorer.Ready(); err != nil {
		t.Errorf("not ready: %v", err)
	}
}
