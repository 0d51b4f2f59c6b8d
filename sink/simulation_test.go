package sink

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// simulation runs two sinks over the partitions of one topic, a group that knows
// who owns them, and a warehouse, which fail before and after they act and let
// the other sink take over at any moment.
type simulation struct {
	t       testing.TB
	rng     *rand.Rand
	weather weather
	mutant  *mutant

	log       [partitions][]*kgo.Record
	group     [partitions]groupOffset
	warehouse *warehouse
	members   [2]*member
	nested    bool
	broken    error
	counts    map[string]int
}

const partitions = 3

// groupOffset is what the group knows of a partition.
type groupOffset struct {
	owner    *member
	at       int64
	metadata string
}

// weather says, in percent, how often things go wrong, and how many tokens
// ClickHouse remembers.
type weather struct{ fault, crash, zombie, deaf, window int }

// exact says whether each row must stand there once, not only under FINAL: it
// must, as long as tokens are remembered and announcements can be read.
func (w weather) exact() bool { return w.window == 0 && w.deaf == 0 }

// member is a sink with its view of the group.
type member struct {
	sim     *simulation
	sink    *Sink
	read    [partitions]int64 // where its consumer stands
	stale   bool              // another generation has begun without it
	crashed bool
}

var errCrashed = errors.New("crashed")

func newSimulation(t testing.TB, deps Deps, seed uint64, m *mutant) *simulation {
	rng := rand.New(rand.NewPCG(seed, 3))
	pick := func(rates ...int) int { return rates[rng.IntN(len(rates))] }
	s := &simulation{t: t, rng: rng, mutant: m, counts: map[string]int{}, weather: weather{
		fault: pick(0, 5, 15), crash: pick(0, 2, 5), zombie: pick(0, 5, 15), deaf: pick(0, 0, 0, 20), window: pick(0, 0, 0, 3),
	}}
	if m != nil {
		s.weather.deaf, s.weather.window = 0, 0
	}
	window := 1000
	if s.weather.window > 0 {
		window = s.weather.window
	}
	s.warehouse = newWarehouse(window)
	if m != nil {
		s.warehouse.rename = m.token
	}
	s.warehouse.weather(func(_ context.Context, conn Conn, insert func()) error {
		err := conn.(connOf).around("insert", func() error { insert(); return nil })
		if m != nil && m.inserted != nil {
			err = m.inserted(err)
		}
		return err
	})
	for id := range s.log {
		for offset := range int64(20 + rng.IntN(60)) {
			s.log[id] = append(s.log[id], &kgo.Record{
				Topic: "events", Partition: int32(id), Offset: offset, Value: fmt.Appendf(nil, "%d/%d", id, offset), Timestamp: time.UnixMilli(offset),
			})
		}
	}
	for i := range s.members {
		s.members[i] = s.newMember(deps)
	}
	s.deal()
	return s
}

// connOf is the connection of a member, which nobody uses.
type connOf struct {
	Conn
	*member
}

func (s *simulation) newMember(deps Deps) *member {
	m := &member{sim: s}
	deps.Conn = connOf{member: m}
	sink, err := New(Config{
		Database: "simulated", BatchRows: 1 + s.rng.IntN(20), Inserts: 1, RetryMax: 10 * time.Millisecond,
		FlushInterval: waitForAnnounced - time.Second, // on a clock that is made to jump, and does not otherwise
	}, deps)
	if err != nil {
		s.t.Fatal(err)
	}
	m.sink = s.warehouse.behind(sink)
	m.sink.work = context.Background()
	m.sink.commits = m.commit
	return m
}

func (s *simulation) failf(format string, args ...any) {
	if s.broken == nil {
		s.broken = fmt.Errorf(format, args...)
	}
}

func (s *simulation) chance(percent int) bool { return percent > 0 && s.rng.IntN(100) < percent }

func (s *simulation) other(m *member) *member {
	if m == s.members[0] {
		return s.members[1]
	}
	return s.members[0]
}

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
	if !s.nested && s.chance(s.weather.zombie) {
		// While this one is frozen, the other gets all it has and goes on with it.
		s.counts["zombie "+point]++
		s.nested = true
		other := s.other(m)
		for id := range s.group {
			if s.group[id].owner != other {
				s.give(id, other)
			}
		}
		m.stale = true
		for range 1 + s.rng.IntN(4) {
			other.step()
		}
		s.nested = false
	}
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

// commit is the group's: it refuses who is not of its generation.
func (m *member) commit(_ context.Context, blocks []block, metadata func(span) string) error {
	s := m.sim
	point, announce := "commit", metadata != nil
	if announce {
		point = "announcement"
	}
	if len(blocks) == 0 {
		return nil
	}
	if s.mutant != nil && s.mutant.skip != nil && s.mutant.skip(announce) {
		return nil
	}
	return m.around(point, func() error {
		if m.stale && (s.mutant == nil || !s.mutant.anybody) {
			s.counts["refused"]++
			return errors.New("stale generation")
		}
		for _, b := range blocks {
			g := &s.group[b.partition.id]
			g.at, g.metadata = b.span.last+1, ""
			if announce && (s.mutant == nil || !s.mutant.early) {
				g.at, g.metadata = b.span.first, metadata(b.span)
			}
			s.written(int(b.partition.id), g.at)
		}
		return nil
	})
}

// written checks that nothing is committed which is not in the warehouse.
func (s *simulation) written(id int, at int64) {
	for _, r := range s.log[id][:at] {
		if s.warehouse.table("events").copies[string(r.Value)] == 0 {
			s.failf("partition %d: offset %d is committed and %d was not written", id, at, r.Offset)
		}
	}
}

// give assigns a partition, as assigned does.
func (s *simulation) give(id int, to *member) {
	g := &s.group[id]
	p := &partition{topic: "events", id: int32(id), committed: -1}
	if !s.chance(s.weather.deaf) && (s.mutant == nil || !s.mutant.deaf) {
		p.continues(g.at, g.metadata)
	}
	g.owner = to
	to.sink.partitions[topicPartition{"events", int32(id)}] = p
	to.read[id] = g.at
}

// deal is a rebalance: each partition goes to anybody. Who is there and knows of
// it writes what it can first.
func (s *simulation) deal() {
	var to [partitions]*member
	for id := range s.group {
		to[id] = s.members[s.rng.IntN(2)]
	}
	for _, m := range s.members {
		if !m.stale && !m.crashed {
			m.sink.revoked(context.Background(), nil, map[string][]int32{"events": m.holds(func(id int32) bool { return to[id] != m })})
		}
	}
	// What was taken over meanwhile is lost to who had it.
	for _, m := range s.members {
		m.sink.lost(context.Background(), nil, map[string][]int32{"events": m.holds(func(id int32) bool { return m.stale || m.crashed || to[id] != m })})
		m.stale, m.crashed = false, false
	}
	for id := range s.group {
		if _, has := to[id].sink.partitions[topicPartition{"events", int32(id)}]; !has {
			s.give(id, to[id])
		}
	}
}

// holds lists partitions that the member believes to own.
func (m *member) holds(such func(id int32) bool) (ids []int32) {
	for id := range int32(partitions) {
		if _, has := m.sink.partitions[topicPartition{"events", id}]; has && such(id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// step lets a member read a little and write what is due.
func (m *member) step() {
	s := m.sim
	if m.crashed {
		return
	}
	now := time.Now()
	for id := range s.log {
		p := m.sink.partitions[topicPartition{"events", int32(id)}]
		if p == nil {
			continue
		}
		from := m.read[id]
		m.read[id] = min(from+s.rng.Int64N(15), int64(len(s.log[id])))
		for _, r := range s.log[id][from:m.read[id]] {
			p.add(r, now)
		}
	}
	if s.rng.IntN(3) > 0 {
		now = now.Add(m.sink.config.FlushInterval)
	}
	blocks := m.sink.due(now)
	slices.SortFunc(blocks, func(a, b block) int { return int(a.partition.id - b.partition.id) })
	_ = m.sink.write(context.Background(), blocks) // tried again at the next step
}

func (s *simulation) run() error {
	for range 40 {
		s.members[s.rng.IntN(2)].step()
		if s.rng.IntN(8) == 0 || s.members[0].crashed || s.members[1].crashed {
			s.deal()
		}
	}
	exact := s.weather.exact()
	s.weather = weather{}
	s.deal()
	for range 100 {
		s.members[0].step()
		s.members[1].step()
	}
	if s.broken != nil {
		return s.broken
	}
	want := map[string]bool{}
	for id, log := range s.log {
		if g := s.group[id]; g.at != int64(len(log)) || g.metadata != "" {
			return fmt.Errorf("partition %d: committed %d of %d, announced %q", id, g.at, len(log), g.metadata)
		}
		for _, r := range log {
			want[string(r.Value)] = true
		}
	}
	return s.warehouse.holds("events", want, exact)
}
