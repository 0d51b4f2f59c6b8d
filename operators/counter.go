package operators

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/riskpipe/riskpipe/schemas"
)

// counter counts single events into one measure: an indicator's, or one lane of
// it.
type counter struct {
	name       string
	key        uint32
	kind       string
	outcome    string
	conditions []condition
	exclusions []int32 // of the engine's, those of the policies that share the measure
	number     func(*subject) int64
	values     func(*subject, []uint32) []uint32 // fingerprints, none for what is not known
	objects    func(*subject, []uint32) []uint32 // nil when no sequence may ask
	trail      bool                              // objects are not the values counted
	window     int                               // hours, 0 for the calendar day
	cited      int                               // events of a day that are kept for alerts to name,
	notable    int64                             // once the day has so much
	sequences  []int32                           // of the engine's, in which it is a step
	renews     uint64                            // policies whose alerts it can open
}

// wants tells whether the counter counts the event. What was refused to the
// actor did not happen, unless refusals are what is counted.
func (c *counter) wants(s *subject) bool {
	switch c.outcome {
	case "any":
	case "failure":
		if s.event.Outcome != schemas.OutcomeFailure {
			return false
		}
	default:
		if s.event.Outcome == schemas.OutcomeFailure {
			return false
		}
	}
	for _, holds := range c.conditions {
		if !holds(s) {
			return false
		}
	}
	return true
}

// add counts the event itself, or sums a field of it.
func (c *counter) add(s *State, a *arrival) bool {
	n := int64(1)
	if c.kind == measureSum {
		if n = c.number(&s.subject); n <= 0 {
			return false
		}
	}
	m := s.measureOf(c.key)
	if c.window > 0 {
		l, _ := m.on(a.day, a.observed)
		m.raise(a.day, l.count(uint8(a.minute/60), n, c.window))
	} else {
		m.add(a.day, n)
	}
	c.cite(m, a)
	return true
}

// cite keeps the event for alerts to name, if its day is notable: what everybody
// does all day is not worth the room.
func (c *counter) cite(m *measure, a *arrival) bool {
	return m.amountOn(a.day) >= c.notable && m.cite(cited{a.at, a.event.ID}, c.cited)
}

// addValues counts the values of the event that the day has not had. An event
// that does not tell its value counts for itself.
func (c *counter) addValues(s *State, a *arrival) bool {
	values := c.values(&s.subject, a.room.values[:0])
	if len(values) == 0 {
		values = append(values, fingerprint(binary.LittleEndian.Uint64(a.event.ID[8:])))
	}
	m := s.measureOf(c.key)
	l, changed := m.on(a.day, a.observed)
	grew := false
	for _, v := range values {
		var moved, added bool
		l.seen, moved, added = remember(l.seen, newSeen(v, c.when(a)))
		if added {
			m.add(a.day, 1)
			grew = true
		}
		changed = changed || moved
	}
	s.changed = c.cite(m, a) || changed || s.changed
	return grew
}

// when returns the minute to remember a value with: none where no sequence asks.
func (c *counter) when(a *arrival) int32 {
	if c.objects == nil {
		return 0
	}
	return a.minute
}

// maxValues bounds the values that a first_seen measure knows of a person.
const maxValues = 64

// meet notes the values of the event as seen, and tells whether that moved the
// day on which one of them was new.
func (c *counter) meet(s *State, a *arrival) bool {
	moved := false
	by := cited{at: a.at}
	if a.day >= s.first+noveltyWarm {
		by.id = a.event.ID
	}
	for _, v := range c.values(&s.subject, a.room.values[:0]) {
		m := s.measureOf(c.key)
		i, known := slices.BinarySearchFunc(m.values, v, func(o value, v uint32) int { return cmp.Compare(o.fingerprint, v) })
		if !known {
			if len(m.values) >= maxValues {
				oldest := m.oldestValue()
				m.values = slices.Delete(m.values, oldest, oldest+1)
				if oldest < i {
					i--
				}
			}
			m.values = slices.Insert(m.values, i, value{fingerprint: v, first: by, last: a.day})
			moved = true
			continue
		}
		o := &m.values[i]
		if by.before(o.first) {
			o.first, moved = by, true
		}
		if a.day > o.last {
			o.last = a.day
			s.changed = true
		}
	}
	return moved
}

// oldestValue returns where the value stands that was not seen for longest.
func (m *measure) oldestValue() int {
	oldest := 0
	for i := range m.values {
		if m.values[i].last < m.values[oldest].last {
			oldest = i
		}
	}
	return oldest
}

// follow notes which things the event was about, and looks whether one of them
// has now gone through a sequence.
func (e *Engine) follow(s *State, a *arrival, c *counter) {
	things := c.objects(&s.subject, a.room.things[:0])
	if c.trail && len(things) > 0 {
		l, changed := s.measureOf(c.key).on(a.day, a.observed)
		for _, thing := range things {
			var moved bool
			l.trail, moved, _ = remember(l.trail, newSeen(thing, a.minute))
			changed = changed || moved
		}
		s.changed = s.changed || changed
	}
	for _, index := range c.sequences {
		for _, thing := range things {
			e.advance(s, a, &e.sequences[index], thing)
		}
	}
	f := a.event.File
	if f == nil || f.Previous == 0 || f.Name == 0 || f.Previous == f.Name {
		return
	}
	l := link{newer: fingerprint(uint64(f.Name)), older: fingerprint(uint64(f.Previous)), day: a.day, observed: a.observed}
	if s.rename(l) {
		s.changed = true
		// What two names went through is now one thing's way.
		for i := range e.sequences {
			e.advance(s, a, &e.sequences[i], l.newer)
		}
	}
}

func (e *Engine) advance(s *State, a *arrival, q *sequence, thing uint32) {
	if q.advance(s, thing, a.observed) {
		s.changed = true
		a.touch(q.renews)
	}
}

// fingerprint makes 30 bits of a value: Fibonacci hashing, so that numbers that
// are no hashes spread as well.
func fingerprint(v uint64) uint32 { return uint32(v * 0x9E3779B97F4A7C15 >> 34) }
