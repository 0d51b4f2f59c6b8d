package operators

import (
	"slices"

	"github.com/riskpipe/riskpipe/schemas"
)

// maxModifiers is how many modifiers a policy may have.
const maxModifiers = 16

// resolved is a modifier for one person as of today.
type resolved struct {
	neutral  bool
	constant int64
	curve    *Curve
	notice   day
	last     day
	effect   *HREffect
	since    day
	reached  *measure
	source   *modifier
}

// modifier is a compiled modifier.
type modifier struct {
	Modifier
	fact  hrFact // of HR
	key   uint32 // measure of Indicator
	level int64  // threshold of Indicator
}

// resolve looks up what the modifier is for the person.
func (m *modifier) resolve(s *State) resolved {
	r := resolved{constant: 1000, source: m}
	switch {
	case m.Curve != nil:
		if r.neutral = s.leave.fact == factNone; !r.neutral {
			r.curve = m.Curve
			r.notice, r.last = s.leave.dates(m.Curve.Notice)
		}
	case m.HR != nil:
		since, found := s.hr.since(m.fact, s.today)
		if r.neutral = !found; found {
			r.effect, r.since = m.HR, since
		}
	case m.Group != nil:
		r.constant = int64(m.Group.Factor)
		r.neutral = !s.person.in(m.Group.AnyOf)
	case m.Indicator != nil:
		r.reached = s.find(m.key)
		r.neutral = r.reached == nil
	}
	return r
}

// at returns the multiplier of evidence of the day in thousandths.
func (r *resolved) at(d day) int64 {
	switch {
	case r.curve != nil:
		return r.curve.between(d, r.notice, r.last)
	case r.effect != nil:
		return r.effect.at(d, r.since)
	case r.reached != nil:
		for _, a := range slices.Backward(r.reached.days) {
			if a.day <= d && a.n >= r.source.level {
				if d < a.day+day(r.source.Indicator.Within) {
					return int64(r.source.Indicator.Factor)
				}
				break
			}
		}
		return 1000
	default:
		return r.constant
	}
}

// in tells whether the person is in any of the groups.
func (p *person) in(groups []string) bool {
	return slices.ContainsFunc(groups, func(g string) bool { return slices.Contains(p.groups, g) })
}

// detail says the numbers behind a modifier's line.
func (r *resolved) detail(s *State) string {
	m := r.source
	today := ", and counts evidence of " + s.today.String() + " " + schemas.Points(r.at(s.today)).String() + "-fold"
	switch {
	case m.Curve != nil:
		return s.leave.text(m.Curve.Notice) + today
	case m.HR != nil:
		return factText(m.fact) + " of " + r.since.String() + today
	case m.Group != nil:
		return "member of a group that counts " + m.Group.Factor.String() + "-fold"
	default:
		return m.Indicator.Name + " within " + m.Indicator.Within.String() + " counts " + m.Indicator.Factor.String() + "-fold"
	}
}
