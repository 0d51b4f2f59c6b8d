package operators

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

var sourceSlots = [sources]schemas.Source{
	schemas.SourceUnknown, schemas.SourceSignIn, schemas.SourceEmail, schemas.SourceFile, schemas.SourceDefender, schemas.SourceHR,
}

// apply takes the event into the state: who the person is, what the HR feed
// says, what they did. It notes whether that touches a policy and, when not, why.
func (e *Engine) apply(s *State, a *arrival, out *Output) {
	ev := a.event
	regrouped, profiled := s.person.learn(ev)
	if regrouped {
		a.touched = true
	}
	s.changed = regrouped || profiled
	if statement, says := statementOf(ev); says {
		// One bad clock must not silence what is said later.
		statement.firstKnown, statement.lastKnown = a.at, a.at
		e.hear(s, a, statement, out)
		return
	}
	if ev.Source == schemas.SourceHR {
		return
	}
	slot := max(slices.Index(sourceSlots[:], ev.Source), 0)
	if a.day < s.today-historyDays || a.observed < s.observed[slot]-duplicateDays {
		if len(e.byActivity[ev.Activity]) > 0 {
			out.Disposition = Late
		}
		return
	}
	if s.first == 0 || a.day < s.first {
		s.first, s.changed = a.day, true
		for i := range s.measures {
			s.measures[i].usual = nil
		}
	}
	noted := e.note(s, a)
	matched := e.count(s, a, out)
	if noted || matched {
		s.mark(slot, a)
	}
	if matched && !a.touched {
		out.Disposition = Duplicate
	}
}

// mark notes that the feed has come this far, and forgets what is too old then.
func (s *State) mark(slot int, a *arrival) {
	if s.observed[slot] < a.observed {
		s.observed[slot], s.changed = a.observed, true
	}
	if newest := s.newest(); s.tick(a.day) || newest != s.pruned || newest-a.observed > duplicateDays {
		s.prune()
	}
}

// tick moves the person's calendar on; true when another day has begun.
func (s *State) tick(d day) bool {
	if d <= s.today {
		return false
	}
	s.today, s.changed = d, true
	return true
}

// hear takes in what the HR feed, or the directory, says of the person.
func (e *Engine) hear(s *State, a *arrival, statement statement, out *Output) {
	if !s.hr.learn(statement) {
		out.Disposition = Duplicate
		return
	}
	s.changed = true
	if s.tick(a.day) {
		s.prune()
	}
	before := s.leave
	s.leave = s.hr.departure()
	if !statement.fact.departure() || s.leave != before {
		a.touched = true
		return
	}
	out.Disposition = Duplicate // the daily file says it again
}

// note takes down when the person works and where they are; false when the event
// says neither.
func (e *Engine) note(s *State, a *arrival) (noted bool) {
	ev := a.event
	if ev.Outcome == schemas.OutcomeFailure {
		return false
	}
	if e.asksWork && isWork(ev.Activity) {
		noted = true
		if s.work(a.day, a.minute) {
			s.changed = true
			a.touched = true
		}
	}
	if e.journeys == nil || ev.Activity != "signin.succeeded" || ev.SourceIP == nil || ev.SourceIP.Latitude == 0 && ev.SourceIP.Longitude == 0 {
		return noted
	}
	if s.sight(a.day, a.observed, a.minute, ev.SourceIP.Latitude, ev.SourceIP.Longitude) {
		s.changed = true
		e.travelled(s, a, e.journeys)
	}
	return true
}

// travelled counts the journeys of the days that a new sighting is about.
func (e *Engine) travelled(s *State, a *arrival, c *counter) {
	for d := a.day; d <= a.day+1; d++ {
		if n := s.journeys(d); n != s.find(c.key).amountOn(d) {
			m := s.measureOf(c.key)
			m.set(m.index(d), n)
			a.touch(c.renews)
		}
	}
}

// count adds the event to every counter that wants it; true when any did.
func (e *Engine) count(s *State, a *arrival, out *Output) (matched bool) {
	ev := a.event
	known := unknownYet
	for _, index := range e.byActivity[ev.Activity] {
		c := &e.counters[index]
		if !c.wants(&s.subject) {
			continue
		}
		if name := e.excluded(s, c); name != "" {
			out.Exclusions = append(out.Exclusions, name)
			out.Disposition = Excluded
			continue
		}
		matched = true
		touched := false
		switch c.kind {
		case measureEvents, measureSum:
			if known == unknownYet {
				known = counted
				isNew, changed := s.counted(a.day, a.observed, binary.BigEndian.Uint32(ev.ID[:4]))
				if isNew {
					known = fresh
				}
				s.changed = s.changed || changed
			}
			touched = known == fresh && c.add(s, a)
		case measureValues:
			touched = c.addValues(s, a)
		case measureFirstSeen:
			touched = c.meet(s, a)
		}
		if touched {
			s.changed = true
			a.touch(c.renews)
		}
		if c.objects != nil {
			e.follow(s, a, c)
		}
	}
	return matched
}

// Whether an event's id was counted is asked once for all counters.
const (
	unknownYet = iota
	fresh
	counted
)

// learn notes the person's groups and profile, of the newest event that says
// them, and tells which of them are others than before. A profile is facts to
// compare with: nothing scores by it alone.
func (p *person) learn(ev *schemas.Event) (regrouped, profiled bool) {
	if ev.Time >= p.grouped && !slices.Equal(ev.Groups, p.groups) {
		p.groups = make([]string, len(ev.Groups))
		for i, group := range ev.Groups {
			p.groups[i] = strings.Clone(group) // or the event's whole record would stay in memory
		}
		p.grouped, regrouped = ev.Time, true
	}
	if hr := ev.HR; hr != nil && ev.Time >= p.profiled {
		if next := (profile{hr.FamilyName, hr.Address, hr.Street}); next != (profile{}) && next != p.profile {
			p.profile, p.profiled = next, ev.Time
			profiled = true
		}
	}
	return regrouped, profiled
}
