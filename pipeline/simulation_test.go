package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/schemas"
)

// simulation runs two workers which both believe that they own the one
// partition, over a store and an outbox that fail before and after they act,
// lose their newest writes, and let the other worker in at any moment.
type simulation struct {
	rng     *rand.Rand
	log     []*kgo.Record
	oracle  fold
	store   *MemoryStates
	outbox  *outbox
	workers []*scoreWorker
	next    []int64 // where each worker's consumer stands

	faults  bool
	active  int // the worker that is not interrupting
	depth   int
	history []memoryPartition // earlier contents of the store, oldest first
	mutant  string
	broken  error // the first invariant that did not hold
	counts  map[string]int
}

var errInjected = errors.New("injected fault")

func newSimulation(t testing.TB, c codecs, seed uint64, mutant string) *simulation {
	rng := rand.New(rand.NewPCG(seed, 1))
	s := &simulation{rng: rng, store: NewMemoryStates(), outbox: newOutbox(c), mutant: mutant, faults: true, counts: map[string]int{}}
	s.log = tinyLog(t, c, rng, 40+rng.IntN(80), 6)
	for range rng.IntN(4) {
		erasure := ErasureRecord(schemas.Topics{}, schemas.Pseudonym{byte(rng.IntN(6) + 1)})
		at := rng.IntN(len(s.log))
		erasure.Offset, erasure.Timestamp = s.log[at].Offset, s.log[at].Timestamp
		s.log[at] = erasure
		s.counts["erasure"]++
	}
	s.oracle = foldLog(t, c, s.log)
	for range 2 {
		w := tinyWorker(t, c, s, s.produce)
		w.batchSize = 1 + rng.IntN(20)
		w.nonce = func() string { return strconv.FormatUint(rng.Uint64(), 36) }
		s.workers = append(s.workers, w)
		s.next = append(s.next, 0)
	}
	return s
}

// around is what may happen before and after any effect.
func (s *simulation) around(point string, effect func() error) error {
	if err := s.mishap("before " + point); err != nil {
		return err
	}
	if err := effect(); err != nil {
		return err
	}
	return s.mishap("after " + point)
}

func (s *simulation) mishap(point string) error {
	if !s.faults {
		return nil
	}
	switch n := s.rng.IntN(100); {
	case n < 6:
		s.counts["fault "+point]++
		return errInjected
	case n < 16 && s.depth == 0:
		s.depth++
		s.counts["zombie "+point]++
		for range 1 + s.rng.IntN(3) {
			s.step(1 - s.active) // the other worker's turn, while this one is frozen
		}
		s.depth--
	case n < 18:
		s.rollback()
	}
	return nil
}

// rollback loses the newest writes, fence and states together.
func (s *simulation) rollback() {
	if len(s.history) == 0 {
		return
	}
	s.counts["rollback"]++
	at := max(0, len(s.history)-1-s.rng.IntN(4))
	old := s.history[at]
	s.store.partitions[0] = &memoryPartition{fence: old.fence, states: maps.Clone(old.states)}
	s.history = s.history[:at]
}

// written checks, after every write, that the states are those of the fence.
func (s *simulation) written() {
	p := s.store.of(0)
	s.history = append(s.history, memoryPartition{fence: p.fence, states: maps.Clone(p.states)})
	fence, err := ParseFence(p.fence)
	if err != nil {
		s.fail(err)
		return
	}
	want := s.oracle.states[max(fence.Next, 0)]
	for user, state := range p.states {
		if !bytes.Equal(state, want[user]) {
			s.fail(fmt.Errorf("the state of %s is not that of offset %d", user.Short(), fence.Next))
		}
	}
	for user := range want {
		if _, found := p.states[user]; !found {
			s.fail(fmt.Errorf("the state of %s is missing at offset %d", user.Short(), fence.Next))
		}
	}
}

func (s *simulation) fail(err error) {
	if s.broken == nil {
		s.broken = err
	}
}

func (s *simulation) Claim(ctx context.Context, partition int32, next func(Fence, bool) (Fence, error)) (claimed Fence, err error) {
	err = s.around("claim", func() error {
		claimed, err = s.store.Claim(ctx, partition, next)
		s.written()
		return err
	})
	return claimed, err
}

func (s *simulation) Load(ctx context.Context, partition int32, users []schemas.Pseudonym) (fence string, states [][]byte, err error) {
	err = s.around("load", func() error {
		fence, states, err = s.store.Load(ctx, partition, users)
		if s.mutant == "states read apart from the fence" && len(users) > 0 {
			if err := s.mishap("within load"); err != nil {
				return err
			}
			_, states, err = s.store.Load(ctx, partition, users)
		}
		return err
	})
	return fence, states, err
}

func (s *simulation) Commit(ctx context.Context, partition int32, from, to string, states []UserState) error {
	return s.around("commit", func() error {
		switch s.mutant {
		case "fence not compared":
			from = s.store.of(partition).fence
		case "states and fence not in one transaction":
			if s.store.of(partition).fence != from {
				return ErrFenced
			}
			if err := s.store.Commit(ctx, partition, from, from, states); err != nil {
				return err
			}
			s.written()
			if err := s.mishap("within commit"); err != nil {
				return err
			}
			states = nil
		}
		if err := s.store.Commit(ctx, partition, from, to, states); err != nil {
			return err
		}
		s.written()
		return nil
	})
}

func (s *simulation) produce(_ context.Context, records []*kgo.Record) error {
	err := s.around("produce", func() error {
		for _, r := range records {
			if err := s.outbox.add(r); err != nil {
				s.fail(err)
			}
			if s.faults && s.rng.IntN(50) == 0 {
				return errInjected // some records are there and some are not
			}
		}
		return nil
	})
	if s.mutant == "acknowledgements not awaited" {
		return nil
	}
	return err
}

// step lets a worker do one thing.
func (s *simulation) step(i int) {
	w, ctx := s.workers[i], context.Background()
	if s.faults && s.rng.IntN(50) == 0 {
		s.counts["crash"]++
		w.drop()
		w.fence = Fence{}
	}
	if !w.claimed {
		// The first claims as by assignment, the other also proves, to anybody.
		next, err := w.claim(ctx, func(int64) error { return nil })
		if err != nil {
			return
		}
		s.next[i] = max(next, 0)
	}
	from := s.next[i]
	if s.faults && s.rng.IntN(10) == 0 {
		from = max(from-s.rng.Int64N(10), 0) // delivered again
	}
	to := min(from+1+s.rng.Int64N(30), int64(len(s.log)))
	if from >= to {
		return
	}
	if _, err := w.process(ctx, s.log[from:to]); err == nil {
		s.next[i] = w.fence.Next
	}
}

func (s *simulation) run() error {
	for range 30 {
		s.active = s.rng.IntN(2)
		s.step(s.active)
	}
	// A restart: an idle worker learns of a rollback with its next batch only.
	s.faults, s.active = false, 0
	s.workers[0].drop()
	for range 3 * len(s.log) {
		s.step(0)
		if w := s.workers[0]; w.claimed && w.fence.Next == int64(len(s.log)) && w.stored == s.store.of(0).fence {
			break
		}
	}
	if s.broken != nil {
		return s.broken
	}
	fence, err := ParseFence(s.store.of(0).fence)
	if err != nil {
		return err
	}
	if fence.Next != int64(len(s.log)) {
		return fmt.Errorf("came to offset %d of %d", fence.Next, len(s.log))
	}
	for topicAndKey := range s.oracle.erased {
		if s.outbox.erased[topicAndKey] == 0 {
			return fmt.Errorf("%s was not told to forget", topicAndKey)
		}
	}
	if len(s.outbox.erased) != len(s.oracle.erased) {
		return fmt.Errorf("%v were told to forget, want %v", s.outbox.erased, s.oracle.erased)
	}
	return sameAlerts(s.outbox.alerts, s.oracle.alerts)
}
