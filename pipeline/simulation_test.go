package pipeline

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/schemas"
)

// simulation runs two members which both believe that they own the one
// partition, over a store and an outbox that fail before and after they act, act
// late, lose their newest writes, and let the other member in at any moment.
type simulation struct {
	rng     *rand.Rand
	weather weather
	mutant  *mutant // nil for the code as it is

	log     []*kgo.Record
	poison  map[int64]bool
	oracle  fold
	store   *MemoryStates
	outbox  *outbox
	members [2]*member

	active  *member // the one that is not interrupting
	nested  bool
	late    []func()          // what was sent, given up, and may still arrive
	history []memoryPartition // contents of the store, oldest first
	writes  int               // to the store
	nonces  map[string]bool   // that have claimed
	highest int64             // position that was ever stored
	kafka   int64             // the group's committed offset
	broken  error             // the first invariant that did not hold
	counts  map[string]int
	audited bool // whether the metrics are added up, which takes its time
}

// weather says, in percent, how often things go wrong. Each seed has its own:
// faults hide one another when all are frequent.
type weather struct{ fault, crash, zombie, rollback, late, redelivery, lostAnswers int }

// lostAnswers is the weather of one who is alone and does not always hear that
// its commits were made. Nothing has to be done or claimed twice in it.
var lostAnswers = weather{lostAnswers: 20}

func newWeather(rng *rand.Rand) weather {
	if rng.IntN(12) == 0 {
		return lostAnswers
	}
	pick := func(rates ...int) int { return rates[rng.IntN(len(rates))] }
	return weather{
		fault: pick(0, 3, 8), crash: pick(0, 1, 3), zombie: pick(0, 4, 12), rollback: pick(0, 0, 1, 3), late: pick(0, 0, 5), redelivery: pick(0, 10),
	}
}

func newSimulation(t testing.TB, c codecs, seed uint64, mutant *mutant) *simulation {
	rng := rand.New(rand.NewPCG(seed, 1))
	s := &simulation{
		rng: rng, weather: newWeather(rng), mutant: mutant,
		store: NewMemoryStates(), outbox: newOutbox(c), nonces: map[string]bool{}, counts: map[string]int{}, audited: mutant == nil && seed%4 == 0,
	}
	if mutant != nil && mutant.weather != nil {
		s.weather = *mutant.weather
	}
	s.log, s.poison = stormyLog(t, c, rng, 40+rng.IntN(80), 6)
	s.oracle = foldLog(t, c, s.log)
	for i := range s.members {
		s.members[i] = newMember(t, c, s)
	}
	s.active = s.members[0]
	return s
}

// stormyLog is a log as upstream makes it on a bad day: some events twice, some
// in another order, some that cannot be read or scored; and some users are erased.
// It returns the offsets of those that cannot be scored.
func stormyLog(t testing.TB, c codecs, rng *rand.Rand, n, users int) ([]*kgo.Record, map[int64]bool) {
	t.Helper()
	log := tinyLog(t, c, rng, n, users)
	poison := map[int64]bool{}
	for i, r := range log {
		switch near := max(i-rng.IntN(5), 0); rng.IntN(25) {
		case 0:
			r.Value, log[near].Value = log[near].Value, r.Value
		case 1:
			r.Value = []byte("no event")
		case 2:
			e := tinyEvent(rng.IntN(users), int64(1000+i))
			e.Activity = "bug"
			var err error
			if r.Value, err = c.events.Append(nil, &e); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range rng.IntN(4) {
		erasure := ErasureRecord(schemas.Topics{}, schemas.Pseudonym{byte(rng.IntN(users) + 1)})
		at := rng.IntN(len(log))
		erasure.Offset, erasure.Timestamp = log[at].Offset, log[at].Timestamp
		log[at] = erasure
	}
	for _, r := range log {
		if r.Value == nil {
			continue
		}
		var e schemas.Event
		if err := c.events.Decode(r.Value, &e); err != nil || e.Activity == "bug" {
			poison[r.Offset] = true
		}
	}
	return log, poison
}

// chance is true in so many of a hundred cases.
func (s *simulation) chance(percent int) bool { return percent > 0 && s.rng.IntN(100) < percent }

// somethingElse lets happen what does not need this member to fail.
func (s *simulation) somethingElse(point string) {
	if len(s.late) > 0 && s.rng.IntN(4) == 0 {
		s.counts["late arrival"]++
		at := s.rng.IntN(len(s.late))
		arrive := s.late[at]
		s.late = append(s.late[:at:at], s.late[at+1:]...)
		arrive()
	}
	if s.chance(s.weather.rollback) {
		s.rollback()
	}
	if !s.nested && s.chance(s.weather.zombie) {
		s.nested = true
		s.counts["zombie "+point]++
		other := s.members[0]
		if s.active == other {
			other = s.members[1]
		}
		for range 1 + s.rng.IntN(3) {
			other.step() // the other's turn, while this one is frozen
		}
		s.nested = false
	}
}

// rollback loses the newest writes, fence and states together. What was on its
// way to the old primary is lost with it.
func (s *simulation) rollback() {
	if len(s.history) == 0 {
		return
	}
	s.counts["rollback"]++
	at := max(0, len(s.history)-1-s.rng.IntN(4))
	s.store.partitions[0] = s.history[at].clone()
	s.history = s.history[:at]
	s.writes++
}

func (s *simulation) run() error {
	alone := s.weather == lostAnswers
	for range 40 {
		if !alone {
			s.active = s.members[s.rng.IntN(2)]
		}
		s.active.step()
	}
	if alone && (s.outbox.repeats > 0 || s.active.fenced > 0) {
		return fmt.Errorf("because answers were lost, %d alerts were written twice and %d batches given up", s.outbox.repeats, s.active.fenced)
	}
	// The weather clears, and the broker knows one owner. The other goes on to
	// believe until it asks. A restart, since an idle worker learns of a rollback
	// with its next batch only.
	s.weather = weather{}
	for _, arrive := range s.late {
		arrive()
	}
	owner, ghost := s.members[0], s.members[1]
	ghost.disowned = true
	owner.restart()
	steps, fenced := 0, owner.fenced+ghost.fenced
	for ; !s.finished(owner) && steps <= len(s.log)+10; steps++ {
		owner.step()
		ghost.step()
	}
	if s.broken != nil {
		return s.broken
	}
	if !s.finished(owner) {
		return fmt.Errorf("came to %q of %d in %d steps", s.store.of(0).fence, len(s.log), steps)
	}
	// Each can be met once by what the other did before it was told.
	if now := owner.fenced + ghost.fenced - fenced; now > 3 {
		return fmt.Errorf("fenced %d times in fair weather", now)
	}
	return s.complete()
}

func (s *simulation) finished(m *member) bool {
	return m.worker.claimed && m.worker.fence.Next == int64(len(s.log)) && m.worker.stored == s.store.of(0).fence
}
