package operators

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"time"

	"github.com/riskpipe/riskpipe/schemas"
)

// Options say what scoring depends on beside the policies.
type Options struct {
	// Location is the time zone of calendar days and working hours, UTC when
	// nil. HR dates are dates, whatever the zone.
	Location *time.Location
}

// Engine scores events by a set of policies. It is immutable and safe for
// concurrent use; the states it is given are not shared.
type Engine struct {
	calendar     calendar
	counters     []counter          // what counts single events
	byActivity   map[string][]int32 // of counters
	journeys     *counter           // nil when no policy asks where people are
	sequences    []sequence
	policies     []compiled
	asksWork     bool // whether a policy asks when people work
	exclusions   []exclusion
	suppressions []Suppression
	levels       Levels
	hash         schemas.Hash
}

// maxPolicies is how many policies one engine runs: whose alerts a measure can open
// again is kept in a machine word.
const maxPolicies = 64

var errTooManyPolicies = errors.New("more than 64 policies are on: switch some off")

// Hash identifies the logic of the policy set, and the time zone.
func (e *Engine) Hash() schemas.Hash { return e.hash }

// keyOf is the name of a policy or measure in stored states.
func keyOf(name string) uint32 {
	sum := sha256.Sum256([]byte(name))
	return binary.BigEndian.Uint32(sum[:4])
}

// Disposition says what became of an event.
type Disposition uint8

// The dispositions.
const (
	// Ignored events matter to no policy, or are not a person's.
	Ignored Disposition = iota
	// Scored events moved a measure or a fact that scores.
	Scored
	// Duplicate events were counted before, or say what is known already.
	Duplicate
	// Late events are older than the history.
	Late
	// Excluded events would have counted but for an exclusion.
	Excluded
)

// Output collects what events gave. It is reused: Score appends.
type Output struct {
	Alerts []schemas.Alert
	Risks  []schemas.Risk
	// Exclusions are the names of the exclusions that kept events from counting.
	Exclusions []string
	// Disposition is that of the last event.
	Disposition Disposition

	room *scratch // of the engine that writes here, kept from event to event
}

// Reset empties the output for reuse.
func (o *Output) Reset() {
	clear(o.Alerts)
	clear(o.Risks)
	clear(o.Exclusions)
	*o = Output{Alerts: o.Alerts[:0], Risks: o.Risks[:0], Exclusions: o.Exclusions[:0], room: o.room}
}

// scratch returns the room for an evaluation.
func (o *Output) scratch() *scratch {
	if o.room == nil {
		o.room = &scratch{}
	}
	return o.room
}

// Score folds one event of one person into their state and appends the alerts
// and risk changes that follow. The same events in the same order give the same
// states and output. It is total: no event makes it fail.
func (e *Engine) Score(s *State, ev *schemas.Event, out *Output) {
	s.changed = false
	out.Disposition = Ignored
	if ev.ActorType != schemas.ActorPerson && ev.ActorType != schemas.ActorGuest || ev.User == (schemas.Pseudonym{}) {
		return
	}
	at := ev.Time
	if ev.ObservedTime != 0 {
		at = min(at, ev.ObservedTime+clockSkew)
	}
	room := out.scratch()
	a := &room.arrival
	*a = arrival{event: ev, at: at, room: room}
	a.day, a.minute = e.calendar.at(at)
	a.observed = a.day
	if ev.ObservedTime != 0 {
		a.observed = dayOf(ev.ObservedTime)
	}
	s.subject = subject{event: ev, person: &s.person}
	e.apply(s, a, out)
	s.subject = subject{}
	if !a.touched {
		return
	}
	out.Disposition = Scored
	s.clock = max(s.clock, at)
	e.evaluate(s, a, out)
}

// arrival is an event on its way into the state.
type arrival struct {
	event    *schemas.Event
	at       schemas.Time
	day      day
	minute   int32
	observed day
	touched  bool   // whether it changed the evidence or ground of a policy
	renewing uint64 // policies whose alerts it can open again
	room     *scratch
}

// touch notes that the event moved what a counter or sequence measures.
func (a *arrival) touch(renews uint64) {
	a.touched = true
	a.renewing |= renews
}
