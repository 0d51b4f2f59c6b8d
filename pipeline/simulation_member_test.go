package pipeline

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/schemas"
)

// member is a worker with the store, the broker and the outbox as it sees them.
type member struct {
	sim      *simulation
	worker   *scoreWorker
	accounts *prometheus.Registry
	next     int64 // where its consumer stands
	marked   int64 // offset to be committed to Kafka, 0 for none
	assigned bool  // the broker has just given it the partition
	crashed  bool  // nothing it does has an effect any more
	disowned bool  // the broker knows that the partition is another's
	fenced   int
	held     []*kgo.Record // by a mutant
}

var (
	errInjected = errors.New("injected fault")
	errCrashed  = errors.New("crashed")
)

func newMember(t testing.TB, c codecs, s *simulation) *member {
	metrics, err := newScorerMetrics(nil)
	if err != nil {
		t.Fatal(err)
	}
	m := &member{sim: s, assigned: true, accounts: prometheus.NewRegistry()}
	m.accounts.MustRegister(metrics.events)
	c.metrics = metrics
	w := tinyWorker(t, c, m, m.produce)
	w.batchSize = 1 + s.rng.IntN(20)
	w.nonce = func() string { return strconv.FormatUint(s.rng.Uint64(), 36) }
	w.sleep = func(context.Context, time.Duration) error {
		if m.crashed {
			return errCrashed
		}
		return nil
	}
	m.worker = w
	return m
}

// restart is what is left of a process that was killed: nothing.
func (m *member) restart() {
	m.worker.drop()
	m.worker.fence, m.worker.stored, m.worker.poison = Fence{}, "", nil
	m.crashed, m.assigned, m.marked, m.held = false, true, 0, nil
}

// around surrounds an effect with what may happen before and after it.
func (m *member) around(point string, effect func() error) error {
	if err := m.mishap("before " + point); err != nil {
		return err
	}
	if err := effect(); err != nil {
		return err
	}
	return m.mishap("after " + point)
}

func (m *member) mishap(point string) error {
	s := m.sim
	if m.crashed {
		return errCrashed
	}
	s.somethingElse(point)
	switch {
	case s.chance(s.weather.crash):
		s.counts["crash "+point]++
		m.crashed = true
		return errCrashed
	case s.chance(s.weather.fault):
		s.counts["fault "+point]++
		return errInjected
	default:
		return nil
	}
}

// Claim implements StateStore.
func (m *member) Claim(ctx context.Context, partition int32, next func(Fence, bool) (Fence, error)) (claimed Fence, err error) {
	err = m.around("claim", func() error {
		before := m.sim.store.of(partition).fence
		claimed, err = m.sim.store.Claim(ctx, partition, next)
		if err == nil {
			m.sim.claimedBy(before, claimed)
		}
		return err
	})
	if mutant := m.sim.mutant; err == nil && mutant != nil && mutant.claim != nil {
		claimed = mutant.claim(m, claimed)
	}
	return claimed, err
}

// Load implements StateStore.
func (m *member) Load(ctx context.Context, partition int32, users []schemas.Pseudonym) (fence string, states [][]byte, err error) {
	err = m.around("load", func() error {
		if mutant := m.sim.mutant; mutant != nil && mutant.load != nil {
			fence, states, err = mutant.load(m, users)
			return err
		}
		fence, states, err = m.sim.store.Load(ctx, partition, users)
		return err
	})
	return fence, states, err
}

// Commit implements StateStore.
func (m *member) Commit(_ context.Context, _ int32, from, to string, states []UserState) error {
	s := m.sim
	if s.chance(s.weather.late) && !m.crashed && s.mutant == nil {
		// Sent, and not heard of. Its WATCH sees whatever is written before it
		// arrives.
		s.counts["late commit"]++
		writes := s.writes
		s.late = append(s.late, func() {
			if s.writes == writes {
				s.counts["late commit applied"]++
				_ = s.commit(from, to, states) // nobody waits for the answer
			}
		})
		return errInjected
	}
	err := m.around("commit", func() error {
		if s.mutant != nil && s.mutant.commit != nil {
			return s.mutant.commit(m, from, to, states)
		}
		return s.commit(from, to, states)
	})
	if err == nil && s.chance(s.weather.lostAnswers) {
		s.counts["answer lost"]++
		err = errInjected
	}
	if s.mutant != nil && s.mutant.committed != nil {
		err = s.mutant.committed(m, err)
	}
	return err
}

func (m *member) produce(_ context.Context, records []*kgo.Record) error {
	if mutant := m.sim.mutant; mutant != nil && mutant.produce != nil {
		return mutant.produce(m, records)
	}
	return m.deliver(records)
}

// deliver writes records, or some of them, now or later, and tells or not.
func (m *member) deliver(records []*kgo.Record) error {
	s := m.sim
	if s.chance(s.weather.late) && !m.crashed {
		s.counts["late produce"]++
		s.late = append(s.late, func() { s.arrived(records) })
		return errInjected
	}
	return m.around("produce", func() error {
		for i := range records {
			s.arrived(records[i : i+1])
			if s.chance(s.weather.fault / 2) {
				return errInjected // some records are there and some are not
			}
		}
		return nil
	})
}

// prove asks the broker, which is wrong in a storm: both are owners to it.
func (m *member) prove(next int64) error {
	if mutant := m.sim.mutant; mutant != nil && mutant.unproven {
		return nil
	}
	if m.disowned {
		return errNotOwner
	}
	if err := m.mishap("before proof"); err != nil {
		return err
	}
	m.sim.committed(next)
	return m.mishap("after proof")
}

// step lets the member do one thing.
func (m *member) step() {
	s, w, ctx := m.sim, m.worker, context.Background()
	defer func() {
		if m.crashed {
			m.restart()
		}
	}()
	if m.marked > 0 && !m.disowned && s.rng.IntN(3) == 0 {
		s.committed(m.marked)
		m.marked = 0
	}
	if !w.claimed {
		prove := m.prove
		if m.assigned && !m.disowned {
			prove = nil
		}
		next, err := w.claim(ctx, prove)
		if err != nil {
			return
		}
		m.assigned, m.next = false, max(next, 0)
	}
	from := m.next
	if s.chance(s.weather.redelivery) {
		from = max(from-s.rng.Int64N(10), 0)
	}
	to := min(from+1+s.rng.Int64N(15), int64(len(s.log)))
	if from >= to {
		return
	}
	next, err := m.process(ctx, s.log[from:to])
	if next > from {
		m.marked = next
	}
	switch {
	case err == nil:
		m.next = w.fence.Next
	case errors.Is(err, ErrFenced):
		m.fenced++
	}
}

// process is the worker's, with a look at its accounts: each event that the
// fence passes is counted once.
func (m *member) process(ctx context.Context, records []*kgo.Record) (int64, error) {
	w := m.worker
	if !m.sim.audited {
		return w.process(ctx, records)
	}
	before, counted := max(w.fence.Next, 0), m.counted()
	next, err := w.process(ctx, records)
	if got := m.counted() - counted; got != max(w.fence.Next, 0)-before {
		m.sim.failf("%d events are accounted for between offsets %d and %d", got, before, w.fence.Next)
	}
	return next, err
}

// counted is how many events the worker's metrics say it has done with.
func (m *member) counted() int64 {
	families, err := m.accounts.Gather()
	if err != nil {
		m.sim.failf("%w", err)
	}
	total := 0.0
	for _, family := range families {
		for _, disposition := range family.GetMetric() {
			total += disposition.GetCounter().GetValue()
		}
	}
	return int64(total)
}
