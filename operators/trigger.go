package operators

import "strconv"

// trigger is a compiled event that brings a person into a policy.
type trigger struct {
	TriggerEvent
	fact hrFact
	use  use // of Indicator, as the catalogue has it
}

func (c *compiler) trigger(p *compiled, t TriggerEvent, exclusions []int32) trigger {
	out := trigger{TriggerEvent: t, fact: factNamed(t.HR)}
	if t.Indicator == "" {
		return out
	}
	for _, u := range p.uses {
		if u.Name == t.Indicator {
			out.use = u // with the policy's own thresholds
			return out
		}
	}
	if ind := c.library.indicator(t.Indicator); ind != nil {
		out.use = c.use(p, ind, exclusions)
	}
	return out
}

// ground is what brought a person into a policy.
type ground struct {
	trigger *trigger
	on      day // of the trigger
	since   day // evidence counts from then on
}

// triggered tells whether the person is in the policy today, and since when
// evidence counts. Several grounds reach back as far as the farthest; the first
// of the policy's list is named.
func (c *compiled) triggered(s *State, room *scratch) (g ground, in bool) {
	if !c.inScope(&s.person) {
		return ground{}, false
	}
	for i := range c.triggers {
		t := &c.triggers[i]
		on, holds := t.holds(c, s, room)
		if !holds {
			continue
		}
		since := on - day(c.Trigger.LookBack)
		if !in {
			g, in = ground{t, on, since}, true
		}
		g.since = min(g.since, since)
	}
	return g, in
}

func (c *compiled) inScope(p *person) bool {
	return (len(c.Scope.Include) == 0 || p.in(c.Scope.Include)) && !p.in(c.Scope.Exclude)
}

// holds tells whether the trigger brings the person in today, and on which day
// it happened.
func (t *trigger) holds(c *compiled, s *State, room *scratch) (on day, holds bool) {
	active := day(c.Trigger.ActivateFor)
	switch {
	case t.Always:
		return s.today, true
	case t.fact.departure():
		if !s.leave.facts[t.fact] {
			return 0, false
		}
		notice, last := s.leave.dates(c.notice())
		return min(notice, s.today), s.today <= last+active
	case t.fact != factNone:
		on, found := s.hr.since(t.fact, s.today)
		return on, found && s.today <= on+active
	case t.Diversity > 0:
		return c.diverse(s, t.Diversity, s.today-active, room)
	default:
		return t.reached(s, s.today-active, room)
	}
}

// notice is the notice period to assume while only one date is known.
func (c *compiled) notice() Days {
	for i := range c.modifiers {
		if c.modifiers[i].Curve != nil {
			return c.modifiers[i].Curve.Notice
		}
	}
	return defaultNotice
}

// reached tells whether the indicator reached its level since oldest, and on
// which day first.
func (t *trigger) reached(s *State, oldest day, room *scratch) (on day, holds bool) {
	u := &t.use
	if u.Indicator == nil {
		return 0, false
	}
	m, series := u.series(s, room)
	threshold, key := u.Thresholds.at(t.Level), uint32(0)
	if t.Lane != "" {
		for i := range u.lanes {
			if u.lanes[i].name == t.Lane {
				threshold, key = u.lanes[i].Thresholds.at(t.Level), u.lanes[i].key
			}
		}
		if key == 0 {
			return 0, false
		}
	}
	lane := (*measure)(nil)
	if key != 0 {
		lane = s.find(key)
	}
	for i, a := range series {
		n := a.n
		if key != 0 {
			n = lane.amountOn(a.day)
		}
		if n < threshold || a.day < oldest {
			continue
		}
		if t.Unusual && m != nil {
			if habit := m.usualOn(i, s.first, int64(u.Thresholds.Low)); !habit.known || habit.distance(a.n) < 3000 {
				continue
			}
		}
		return a.day, true
	}
	return 0, false
}

// diverse tells whether, within a week since oldest, so many different
// exfiltration indicators of the policy reached low, and on which day the first
// such week ended.
func (c *compiled) diverse(s *State, channels int, oldest day, room *scratch) (on day, holds bool) {
	for i := range c.uses {
		u := &c.uses[i]
		if !u.channel() {
			continue
		}
		_, series := u.series(s, room)
		for _, end := range series {
			if end.day < oldest || end.n < int64(u.Thresholds.Low) || holds && end.day >= on {
				continue
			}
			n := 0
			for j := range c.uses {
				if c.uses[j].channel() && c.uses[j].lowWithin(s, end.day-6, end.day) {
					n++
				}
			}
			if n >= channels {
				on, holds = end.day, true
			}
		}
	}
	return on, holds
}

// channel tells ways by which data leaves.
func (u *use) channel() bool {
	return u.Category == "exfiltration" && u.Measure.matches()
}

// lowWithin tells whether the indicator reached low between the days.
func (u *use) lowWithin(s *State, from, to day) bool {
	m := s.find(u.key)
	if m == nil {
		return false
	}
	for _, a := range m.days {
		if a.day >= from && a.day <= to && a.n >= int64(u.Thresholds.Low) {
			return true
		}
	}
	return false
}

// text says what brought the person in.
func (g ground) text(c *compiled, s *State) string {
	t := g.trigger
	switch {
	case t == nil:
		return ""
	case t.Always:
		return "everybody in scope"
	case t.fact.departure():
		return s.leave.text(c.notice())
	case t.fact != factNone:
		return factText(t.fact) + " of " + g.on.String()
	case t.Diversity > 0:
		return strconv.Itoa(t.Diversity) + " ways of exfiltration in the week up to " + g.on.String()
	default:
		what := t.use.Title + " reached " + t.Level
		if t.Lane != "" {
			what += " (" + t.Lane + " content)"
		}
		return what + " on " + g.on.String()
	}
}
