package operators

import (
	"slices"

	"github.com/riskpipe/riskpipe/schemas"
)

// Bounds of one person's state.
const (
	// historyDays is how far back evidence is kept.
	historyDays = 90
	// maxDistinct bounds what one indicator counts in one day; thresholds lie
	// below it. What is counted is remembered, so that nothing counts twice.
	maxDistinct = 2048
	// maxEvents bounds the event ids kept per indicator for alerts to cite.
	maxEvents = 8
	// duplicateHorizon is how long after its first delivery a fact is still
	// recognised when it is delivered again. Office 365 serves the same content
	// for 7 days.
	duplicateHorizon schemas.Time = 7 * millisPerDay
	// clockSkew is how far an event may lie ahead of its arrival; one bad clock
	// must not age everybody's evidence.
	clockSkew schemas.Time = 5 * 60 * 1000
)

// sources is the number of feeds whose progress a state keeps.
const sources = 6

// State is everything kept of one person: sparse daily measures, what is known
// of their leaving, and where their alerts stand. The zero State is a person
// never seen.
type State struct {
	clock    schemas.Time          // newest event time that mattered
	observed [sources]schemas.Time // newest arrival by source
	leave    departure
	measures []measure // by key
	alerts   []alertState
	risk     riskState

	changed bool
}

// measure is the history of one indicator.
type measure struct {
	key    uint32
	days   []daily // by day
	events []schemas.UUID
}

// daily is one day of one indicator. Seen holds 32-bit fingerprints of what was
// counted, sorted, until the duplicate horizon has passed.
type daily struct {
	day      day
	amount   int64
	observed schemas.Time
	seen     []uint32
}

// alertState is where the alert of one policy stands.
type alertState struct {
	policy   uint32
	episode  int32
	version  int32
	open     bool
	severity uint8
	score    schemas.Points
	opened   schemas.Time
	updated  schemas.Time
}

// riskState is the last risk record written.
type riskState struct {
	level uint8
	score schemas.Points
}

// Changed tells whether the last Score altered the state, so that it must be
// stored.
func (s *State) Changed() bool { return s.changed }

// measureOf returns the measure of the key, made when it is new.
func (s *State) measureOf(key uint32) *measure {
	i, found := slices.BinarySearchFunc(s.measures, key, func(m measure, key uint32) int {
		return int(int64(m.key) - int64(key))
	})
	if !found {
		s.measures = slices.Insert(s.measures, i, measure{key: key})
	}
	return &s.measures[i]
}

// find returns the measure of the key, or nil.
func (s *State) find(key uint32) *measure {
	for i := range s.measures {
		if s.measures[i].key == key {
			return &s.measures[i]
		}
	}
	return nil
}

// alertOf returns the alert of the policy, made when it is new.
func (s *State) alertOf(policy uint32) *alertState {
	for i := range s.alerts {
		if s.alerts[i].policy == policy {
			return &s.alerts[i]
		}
	}
	s.alerts = append(s.alerts, alertState{policy: policy})
	return &s.alerts[len(s.alerts)-1]
}

// add counts value, known by its fingerprint, on the day; false when it was
// counted before or the day is full. The newest events are kept to be cited.
func (m *measure) add(on day, fingerprint uint32, value int64, e *schemas.Event) bool {
	i, found := slices.BinarySearchFunc(m.days, on, func(d daily, on day) int { return int(d.day - on) })
	if !found {
		m.days = slices.Insert(m.days, i, daily{day: on})
	}
	d := &m.days[i]
	j, duplicate := slices.BinarySearch(d.seen, fingerprint)
	if duplicate || len(d.seen) >= maxDistinct {
		return false
	}
	d.seen = slices.Insert(d.seen, j, fingerprint)
	d.amount = min(d.amount+value, maxAmount)
	d.observed = max(d.observed, e.ObservedTime)
	if len(m.events) == maxEvents {
		m.events = slices.Delete(m.events, 0, 1)
	}
	m.events = append(m.events, e.ID)
	return true
}

// maxAmount keeps sums of bytes far from overflow.
const maxAmount = 1 << 52

// prune forgets days older than the history, and the fingerprints of days whose
// duplicates can no longer come.
func (s *State) prune() {
	newest := max(s.observed[0], s.observed[1], s.observed[2], s.observed[3], s.observed[4], s.observed[5])
	oldest := dayOf(s.clock) - historyDays
	for i := range s.measures {
		m := &s.measures[i]
		m.days = slices.DeleteFunc(m.days, func(d daily) bool { return d.day < oldest })
		for j := range m.days {
			if newest-m.days[j].observed > duplicateHorizon {
				m.days[j].seen = nil
			}
		}
	}
	s.measures = slices.DeleteFunc(s.measures, func(m measure) bool { return len(m.days) == 0 })
}
