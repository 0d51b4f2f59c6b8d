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
	// duplicateDays is how long after its first delivery a fact is still
	// recognised when it is delivered again. Office 365 serves the same content
	// for 7 days.
	duplicateDays = 7
	// clockSkew is how far an event may lie ahead of its arrival; one bad clock
	// must not age everybody's evidence.
	clockSkew schemas.Time = 5 * 60 * 1000
)

// sources is the number of feeds whose progress a state keeps.
const sources = 6

// State is everything kept of one person. What is known of them (all but alerts
// and risk) is a function of the set of facts, not of their order; alerts and
// risk are what was said about them. The zero State is a person never seen.
type State struct {
	clock     schemas.Time // newest time of an event that scored
	today     day          // newest day of an event that is remembered
	first     day          // day of the first event, of whatever kind
	observed  [sources]day // newest arrival by source
	person    person
	hr        journal
	habit     []workday
	sightings []sighting
	recent    []recentDay
	measures  []measure // by key
	links     []link
	alerts    []alertState
	risk      riskState

	// What follows is not stored: it is derived or for one event only.

	subject  subject
	changed  bool
	pruned   day // newest arrival at the last pruning
	offHours []amount
	leave    departure
}

// amount is what an indicator measured on a day.
type amount struct {
	day day
	n   int64
}

// alertState is where the alert of one policy stands.
type alertState struct {
	policy   uint32
	episode  int32
	version  int32
	open     bool
	held     bool // the episode opened above the limit of new alerts
	severity uint8
	score    schemas.Points
	opened   schemas.Time
	updated  schemas.Time
	openings []schemas.Time // the latest that were not held, as many as the throttle counts
}

// riskState is the last risk record written.
type riskState struct {
	level    uint8
	score    schemas.Points
	expires  schemas.Time
	sequence int64 // how many there were
}

// Changed tells whether the last Score altered the state, so that it must be
// stored.
func (s *State) Changed() bool { return s.changed }

// newest returns the day of the newest arrival of any source.
func (s *State) newest() day {
	newest := s.observed[0]
	for _, d := range s.observed[1:] {
		newest = max(newest, d)
	}
	return newest
}

// find returns the measure of the key, or nil.
func (s *State) find(key uint32) *measure {
	for i := range s.measures {
		if s.measures[i].key >= key {
			if s.measures[i].key == key {
				return &s.measures[i]
			}
			return nil
		}
	}
	return nil
}

// measureOf returns the measure of the key, made when it is new.
func (s *State) measureOf(key uint32) *measure {
	i := 0
	for i < len(s.measures) && s.measures[i].key < key {
		i++
	}
	if i == len(s.measures) || s.measures[i].key != key {
		s.measures = slices.Insert(s.measures, i, measure{key: key})
	}
	return &s.measures[i]
}

// alertOf returns the alert of the policy, made when it is new.
func (s *State) alertOf(policy uint32) *alertState {
	if a := s.findAlert(policy); a != nil {
		return a
	}
	i := 0
	for i < len(s.alerts) && s.alerts[i].policy < policy {
		i++
	}
	s.alerts = slices.Insert(s.alerts, i, alertState{policy: policy})
	return &s.alerts[i]
}

func (s *State) findAlert(policy uint32) *alertState {
	for i := range s.alerts {
		if s.alerts[i].policy == policy {
			return &s.alerts[i]
		}
	}
	return nil
}

// prune forgets what is older than the history, and what only served to
// recognise duplicates that can no longer come. It runs when a new day has
// begun for either, and gives the same however often it runs.
func (s *State) prune() {
	newest := s.newest()
	oldest := s.today - historyDays
	s.recent = slices.DeleteFunc(s.recent, func(r recentDay) bool { return newest-r.observed > duplicateDays })
	for i := range s.measures {
		s.measures[i].prune(oldest, newest)
	}
	s.measures = slices.DeleteFunc(s.measures, func(m measure) bool { return len(m.days)+len(m.live)+len(m.values) == 0 })
	s.habit = slices.DeleteFunc(s.habit, func(w workday) bool { return w.day < s.today-habitDays })
	s.sightings = slices.DeleteFunc(s.sightings, func(g sighting) bool { return newest-g.observed > duplicateDays })
	s.links = slices.DeleteFunc(s.links, func(l link) bool { return newest-l.observed > duplicateDays })
	s.offHours = nil
	s.pruned = newest
}
