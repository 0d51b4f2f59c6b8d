package operators

import (
	"encoding/binary"
	"fmt"

	"github.com/riskpipe/riskpipe/schemas"
)

// UnmarshalBinary reads what AppendBinary wrote and replaces the state. It
// never trusts its input: damaged bytes give an error that wraps ErrState.
func (s *State) UnmarshalBinary(b []byte) error {
	r := stateReader{b: b}
	format := r.byte()
	if format != StateFormat && format != uncountedRisks {
		return fmt.Errorf("%w: format %d, this riskpipe reads %d", ErrState, format, StateFormat)
	}
	*s = State{clock: r.time(), today: day(r.varint())}
	s.first = r.day(s.today)
	for i := range s.observed {
		s.observed[i] = r.day(s.today)
	}
	s.person.read(&r)
	s.hr.read(&r)
	s.habit = make([]workday, r.length(4))
	previous := s.today
	for i := range s.habit {
		d := r.day(previous)
		h := r.take(3)
		s.habit[i] = workday{d, uint32(h[0]) | uint32(h[1])<<8 | uint32(h[2])<<16}
		previous = d
	}
	s.sightings = make([]sighting, r.length(6))
	for i := range s.sightings {
		d := r.day(s.today)
		s.sightings[i] = sighting{d, r.day(d), int32(r.varint()), int32(r.varint()), int32(r.varint()), int32(r.varint())}
	}
	s.recent = make([]recentDay, r.length(3))
	for i := range s.recent {
		d := r.day(s.today)
		s.recent[i] = recentDay{d, r.day(d), make([]uint32, r.length(4))}
		for j := range s.recent[i].ids {
			s.recent[i].ids[j] = r.uint32()
		}
	}
	s.measures = make([]measure, r.length(8))
	for i := range s.measures {
		s.measures[i].read(&r, s.today)
	}
	s.links = make([]link, r.length(10))
	for i := range s.links {
		newer, older, d := r.uint32(), r.uint32(), r.day(s.today)
		s.links[i] = link{newer, older, d, r.day(d)}
	}
	s.alerts = make([]alertState, r.length(11))
	for i := range s.alerts {
		s.alerts[i].read(&r)
	}
	s.risk = riskState{level: r.byte(), score: schemas.Points(r.uvarint()), expires: r.time()}
	if format > uncountedRisks {
		s.risk.sequence = int64(r.uvarint())
	}
	r.check(len(r.b) == 0)
	if r.bad {
		*s = State{}
		return fmt.Errorf("%w: %d bytes are cut short or damaged", ErrState, len(b))
	}
	s.leave = s.hr.departure()
	s.pruned = s.newest()
	return nil
}

func (p *person) read(r *stateReader) {
	for range r.length(1) {
		p.groups = append(p.groups, string(r.take(r.length(1))))
	}
	p.grouped = r.time()
	p.profiled = r.time()
	if p.profiled != 0 {
		p.profile = profile{schemas.Hash(r.uint64()), schemas.Hash(r.uint64()), schemas.Hash(r.uint64())}
	}
}

func (j *journal) read(r *stateReader) {
	n := r.length(5)
	if n == 0 {
		return
	}
	*j = make(journal, n)
	for i := range *j {
		flags := r.byte()
		r.check(hrFact(flags>>1) > factNone && hrFact(flags>>1) < facts)
		(*j)[i] = statement{hrFact(flags >> 1), flags&1 == 1, r.time(), r.time(), r.time(), r.time()}
	}
}

func (m *measure) read(r *stateReader, today day) {
	m.key = r.uint32()
	m.days = r.amounts(today)
	m.live = make([]live, r.length(5))
	for i := range m.live {
		l := &m.live[i]
		l.day = r.day(today)
		l.observed = r.day(l.day)
		l.seen, l.trail = r.seen(), r.seen()
		if n := r.length(2); n > 0 {
			l.hours = make([]hourly, n)
		}
		for j := range l.hours {
			l.hours[j] = hourly{r.byte(), int64(r.uvarint())}
		}
	}
	m.values = make([]value, r.length(6))
	for i := range m.values {
		m.values[i] = value{r.uint32(), r.day(today), r.cited(today)}
	}
	m.cited = make([]cited, r.length(1))
	for i := range m.cited {
		m.cited[i] = r.cited(today)
	}
}

func (a *alertState) read(r *stateReader) {
	*a = alertState{policy: r.uint32(), episode: int32(r.uvarint()), version: int32(r.uvarint())}
	flags := r.byte()
	a.open, a.held, a.severity = flags&1 == 1, flags&2 == 2, flags>>2
	a.score, a.opened, a.updated = schemas.Points(r.uvarint()), r.time(), r.time()
	if n := r.length(1); n > 0 {
		a.openings = make([]schemas.Time, n)
	}
	for i := range a.openings {
		a.openings[i] = r.time()
	}
}

// stateReader takes values off the front of b and remembers whether one was
// missing.
type stateReader struct {
	b   []byte
	bad bool
}

func (r *stateReader) check(ok bool) { r.bad = r.bad || !ok }

func (r *stateReader) take(n int) []byte {
	if len(r.b) < n {
		r.bad, r.b = true, nil
		return make([]byte, n)
	}
	head := r.b[:n]
	r.b = r.b[n:]
	return head
}

func (r *stateReader) byte() byte         { return r.take(1)[0] }
func (r *stateReader) uint32() uint32     { return binary.LittleEndian.Uint32(r.take(4)) }
func (r *stateReader) uint64() uint64     { return binary.LittleEndian.Uint64(r.take(8)) }
func (r *stateReader) time() schemas.Time { return schemas.Time(r.varint()) }

// day reads a difference from another day; a state speaks of no others than a
// calendar has.
func (r *stateReader) day(from day) day {
	d := int64(from) + r.varint()
	r.check(d > -1<<24 && d < 1<<24)
	return day(d)
}

func (r *stateReader) cited(today day) (c cited) {
	at := r.varint()
	c.at = schemas.Time(at>>1 + int64(today)*millisPerDay)
	if at&1 == 1 {
		copy(c.id[:], r.take(len(c.id)))
	}
	return c
}

func (r *stateReader) amounts(today day) []amount {
	days := make([]amount, r.length(1))
	previous := today - historyDays - 1
	for i := range days {
		first := r.byte()
		if first == wideDay {
			days[i].day = r.day(previous)
			days[i].n = int64(r.uvarint())
		} else {
			days[i] = amount{previous + day(first>>6) + 1, int64(first & (1<<6 - 1))}
		}
		r.check(days[i].n >= 0 && days[i].n <= maxAmount && (i == 0 || days[i].day > previous))
		previous = days[i].day
	}
	return days
}

func (r *stateReader) seen() []seen {
	header := r.uvarint()
	n, timed := header>>1, header&1 == 1
	if n == 0 {
		return nil
	}
	if n > uint64(len(r.b)/4) {
		r.bad = true
		return nil
	}
	list := make([]seen, n)
	for i := range list {
		head := r.uint32()
		var first, last uint64
		if timed {
			first = uint64(head>>1&1)<<8 | uint64(r.byte())
			last = first
			if head&1 == 1 {
				last += r.uvarint()
			}
		}
		r.check(last < 1<<slotBits)
		list[i] = seen(head>>2)<<(2*slotBits) | seen(first)<<slotBits | seen(last)
		r.check(i == 0 || list[i] > list[i-1])
	}
	return list
}

func (r *stateReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	r.take(max(n, 0))
	r.check(n > 0)
	return v
}

func (r *stateReader) varint() int64 {
	v, n := binary.Varint(r.b)
	r.take(max(n, 0))
	r.check(n > 0)
	return v
}

// length reads a count of items of at least size bytes each; more than the rest
// can hold is damage, and must not make anybody allocate.
func (r *stateReader) length(size int) int {
	n := r.uvarint()
	if n > uint64(len(r.b)/size) {
		r.bad = true
		return 0
	}
	return int(n)
}
