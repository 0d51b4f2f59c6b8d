package operators

import (
	"slices"

	"github.com/riskpipe/riskpipe/schemas"
)

// assessment is a person's standing under one policy today.
type assessment struct {
	ground   ground
	evidence []evidence // by use
	base     int64      // evidence by itself
	total    int64      // with boosters and modifiers
	score    schemas.Points
}

// scored maps evidence to 0..100000 thousandths: 100·x/(x+K). It is bounded,
// monotone, and 50 at x = K.
func scored(x, halfScale int64) schemas.Points {
	if x <= 0 {
		return 0
	}
	return schemas.Points(100_000 * x / (x + halfScale))
}

// assess weighs the person's evidence since the ground allows. The assessment's
// evidence lies in the room until the next event.
func (c *compiled) assess(s *State, g ground, room *scratch) assessment {
	from := len(room.evidence)
	room.evidence = slices.Grow(room.evidence, len(c.uses))[:from+len(c.uses)]
	a := assessment{ground: g, evidence: room.evidence[from:]}
	for i := range c.modifiers {
		room.resolved[i] = c.modifiers[i].resolve(s)
	}
	for i := range c.uses {
		e := c.evaluate(s, &c.uses[i], g.since, room)
		a.evidence[i] = e
		a.base += e.base
		a.total += e.total
	}
	a.score = scored(a.total, int64(c.HalfScale))
	return a
}

// opening is a compiled condition of opening.
type opening struct {
	OpeningCondition
}

func compileOpening(o OpeningCondition) opening {
	if len(o.Categories) == 0 {
		o.Categories = []string{"exfiltration"}
	}
	return opening{o}
}

// warrants tells whether the standing warrants an alert.
func (c *compiled) warrants(a *assessment) bool {
	return slices.ContainsFunc(c.opening, func(o opening) bool { return o.holds(c, a) })
}

func (o *opening) holds(c *compiled, a *assessment) bool {
	if a.score < schemas.Points(o.Score) {
		return false
	}
	var brought int64
	ways := 0
	for i := range c.uses {
		u, e := &c.uses[i], &a.evidence[i]
		if o.Indicator != "" {
			if u.Name == o.Indicator {
				brought = e.base
			}
			continue
		}
		if slices.Contains(o.Categories, u.Category) {
			brought += e.base
			if e.recent >= int64(u.Points.Low) && u.Measure.matches() {
				ways++
			}
		}
	}
	return brought > 0 && brought >= int64(o.Evidence) && ways >= o.Diversity
}

// band returns the severity of a score as an index: low, medium, high; 0 for no
// score.
func (c *compiled) band(score schemas.Points) uint8 {
	switch {
	case score >= schemas.Points(c.Severity.High):
		return 3
	case score >= schemas.Points(c.Severity.Medium):
		return 2
	case score > 0:
		return 1
	default:
		return 0
	}
}

// evaluate assesses the person under every policy whose trigger holds, and writes
// what alerts and risk records follow. It asks all of them, whatever the event has
// touched: a trigger may hold since another policy's alert, and which ones were
// asked before is not part of the state.
func (e *Engine) evaluate(s *State, a *arrival, out *Output) {
	room := out.scratch()
	room.evidence, room.standings = room.evidence[:0], room.standings[:0]
	for i := range e.policies {
		c := &e.policies[i]
		g, in := c.triggered(s, room)
		if !in {
			c.withdraw(e, s, a, out)
			continue
		}
		standing := standing{c, c.assess(s, g, room)}
		c.alert(e, s, &standing.assessment, a, out, room)
		room.standings = append(room.standings, standing)
	}
	e.risk(s, a, out, room)
}

// standing is an assessment and the policy it is by.
type standing struct {
	*compiled
	assessment
}
