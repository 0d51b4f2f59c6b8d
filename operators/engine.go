package operators

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/riskpipe/riskpipe/schemas"
)

// Engine scores events by a set of policies. It is immutable and safe for
// concurrent use; the states it is given are not shared.
type Engine struct {
	policies []compiled
	hash     schemas.Hash
}

// compiled is a policy ready to run.
type compiled struct {
	Policy
	key        uint32
	hash       schemas.Hash
	indicators []compiledIndicator
	triggers   [departureResignation + 1]bool
}

type compiledIndicator struct {
	Indicator
	key        uint32
	conditions []condition
	field      func(*schemas.Event) int64 // nil for event_count
	sum        bool
}

// NewEngine compiles the policies. It reports every problem at once.
func NewEngine(policies ...Policy) (*Engine, error) {
	e := &Engine{}
	sum := sha256.New()
	for _, p := range policies {
		if err := p.Validate(); err != nil {
			return nil, fmt.Errorf("policy %s: %w", p.Name, err)
		}
		if p.Mode == "off" {
			continue
		}
		c := compiled{Policy: p, key: keyOf(p.Name), hash: p.Hash()}
		for _, name := range p.Trigger.AnyOf {
			c.triggers[triggerKind(name)] = true
		}
		for _, ind := range p.Indicators {
			conditions, err := ind.Select.compile()
			if err != nil {
				return nil, fmt.Errorf("policy %s: indicator %s: %w", p.Name, ind.Name, err)
			}
			c.indicators = append(c.indicators, compiledIndicator{
				Indicator: ind, key: keyOf(p.Name + "/" + ind.Name), conditions: conditions,
				field: fields[ind.Measure.Field].number, sum: ind.Measure.Type == "value_sum",
			})
		}
		e.policies = append(e.policies, c)
		_ = binary.Write(sum, binary.BigEndian, int64(c.hash)) // a hash.Hash never fails
	}
	e.hash = schemas.Hash(binary.BigEndian.Uint64(sum.Sum(nil)))
	return e, nil
}

// Hash identifies the logic of the whole policy set.
func (e *Engine) Hash() schemas.Hash { return e.hash }

// keyOf is the name of a policy or indicator in stored states.
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
	// Scored events changed the state.
	Scored
	// Duplicate events were counted before, or say what is known already.
	Duplicate
	// Late events are older than the history.
	Late
)

// Output collects what events gave. It is reused: Score appends.
type Output struct {
	Alerts []schemas.Alert
	Risks  []schemas.Risk
	// Disposition is that of the last event.
	Disposition Disposition
}

// Reset empties the output for reuse.
func (o *Output) Reset() {
	clear(o.Alerts)
	clear(o.Risks)
	*o = Output{Alerts: o.Alerts[:0], Risks: o.Risks[:0]}
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
	if !e.apply(s, ev, at, out) {
		return
	}
	out.Disposition = Scored
	s.changed = true
	s.clock = max(s.clock, at)
	s.prune()
	e.evaluate(s, ev, out)
}

// apply takes the event into the state and tells whether it changed it; when
// not, it says why in the output.
func (e *Engine) apply(s *State, ev *schemas.Event, at schemas.Time, out *Output) bool {
	if s.leave.learn(ev) {
		return true
	}
	if ev.Source == schemas.SourceHR {
		out.Disposition = Duplicate
		return false
	}
	changed, wanted := false, false
	slot := slices.Index(sourceSlots[:], ev.Source)
	for i := range e.policies {
		for j := range e.policies[i].indicators {
			ind := &e.policies[i].indicators[j]
			if !ind.wants(ev) {
				continue
			}
			wanted = true
			if dayOf(at) < dayOf(s.clock)-historyDays || ev.ObservedTime != 0 && ev.ObservedTime < s.observed[slot]-duplicateHorizon {
				out.Disposition = Late
				continue
			}
			fingerprint, value := ind.value(ev)
			if s.measureOf(ind.key).add(dayOf(at), fingerprint, value, ev) {
				changed = true
			}
		}
	}
	if changed {
		s.observed[slot] = max(s.observed[slot], ev.ObservedTime)
	} else if wanted && out.Disposition != Late {
		out.Disposition = Duplicate
	}
	return changed
}

var sourceSlots = [sources]schemas.Source{
	schemas.SourceUnknown, schemas.SourceSignIn, schemas.SourceEmail, schemas.SourceFile, schemas.SourceDefender, schemas.SourceHR,
}

// wants tells whether the indicator counts the event. What was refused to the
// actor did not happen.
func (ind *compiledIndicator) wants(ev *schemas.Event) bool {
	if !slices.Contains(ind.Activities, ev.Activity) || ev.Outcome == schemas.OutcomeFailure {
		return false
	}
	for _, holds := range ind.conditions {
		if !holds(ev) {
			return false
		}
	}
	return true
}

// value returns what the event counts for and by what it is known: the event's
// id, or, for distinct values, the value.
func (ind *compiledIndicator) value(ev *schemas.Event) (fingerprint uint32, value int64) {
	fingerprint = binary.BigEndian.Uint32(ev.ID[:4])
	switch {
	case ind.field == nil:
		return fingerprint, 1
	case ind.sum:
		return fingerprint, max(ind.field(ev), 0)
	}
	if distinct := ind.field(ev); distinct != 0 {
		// Fibonacci hashing: numbers that are no hashes spread as well.
		fingerprint = uint32(uint64(distinct) * 0x9E3779B97F4A7C15 >> 32)
	}
	return fingerprint, 1
}
