package operators

import (
	"slices"

	"github.com/riskpipe/riskpipe/schemas"
)

// Levels are the bands of a person's risk score, for systems that enforce: the
// answer to Microsoft Purview's adaptive protection.
type Levels struct {
	Minor    Thousandths `yaml:"minor"`
	Moderate Thousandths `yaml:"moderate"`
	Elevated Thousandths `yaml:"elevated"`
	// Hysteresis is by how much a score must fall below a band to leave it.
	Hysteresis Thousandths `yaml:"hysteresis"`
	// Expires is after how many days without a further record a level lapses.
	Expires Days `yaml:"expires"`
}

// DefaultLevels are those of lists that say none.
var defaultLevels = Levels{Minor: 20_000, Moderate: 34_000, Elevated: 67_000, Hysteresis: 5_000, Expires: 7}

func (l *Lists) levels() Levels {
	if l.Levels != nil {
		return *l.Levels
	}
	return defaultLevels
}

var riskLevels = [...]schemas.Level{schemas.LevelNone, schemas.LevelMinor, schemas.LevelModerate, schemas.LevelElevated}

// of returns the level of a score for somebody on the level before: up at once,
// down when the score has left the band by the hysteresis.
func (l *Levels) of(score schemas.Points, before uint8) uint8 {
	bounds := [...]Thousandths{0, l.Minor, l.Moderate, l.Elevated}
	for level := uint8(3); level > 0; level-- {
		bound := schemas.Points(bounds[level])
		if level <= before {
			bound -= schemas.Points(l.Hysteresis)
		}
		if score >= max(bound, 1) {
			return level
		}
	}
	return 0
}

// userScale is the half scale of the user's own score: policies' evidence is
// brought to it, so that what scores 50 under a policy alone scores 50 here.
const userScale = 100_000

// extension is how much later an expiry must be to be worth a record.
const extension schemas.Time = millisPerDay

// risk writes a record when the person's score over all policies moved by a
// point, or their level changed or is extended. Each indicator counts once, by
// the policy under which it weighs most.
func (e *Engine) risk(s *State, a *arrival, out *Output, room *scratch) {
	var (
		terms = room.terms[:0]
		total int64
		top   *standing
	)
	for i := range room.standings {
		st := &room.standings[i]
		if top == nil || st.score > top.score {
			top = st
		}
		for j := range st.uses {
			ev := &st.evidence[j]
			if ev.base == 0 {
				continue
			}
			t := term{st.compiled, &st.uses[j], *ev, st.ground.since}
			k := slices.IndexFunc(terms, func(o term) bool { return o.use.Name == t.use.Name })
			switch {
			case k < 0:
				terms = append(terms, t)
			case userEvidence(&t) > userEvidence(&terms[k]):
				terms[k] = t
			}
		}
	}
	room.terms = terms
	for i := range terms {
		total += userEvidence(&terms[i])
	}
	score := scored(total, userScale)
	before := s.risk
	if s.clock >= before.expires {
		before.level = 0 // it has lapsed
	}
	level := e.levels.of(score, before.level)
	expires := schemas.Time(0)
	if level > 0 {
		expires = s.clock + schemas.Time(e.levels.Expires)*millisPerDay
	}
	moved := score - s.risk.score
	if level == s.risk.level && max(moved, -moved) < step && expires-s.risk.expires < extension {
		return
	}
	s.risk = riskState{level: level, score: score, expires: expires, sequence: before.sequence + 1}
	record := schemas.Risk{
		User: a.event.User, Time: s.clock, Score: score, Level: riskLevels[level], Cause: a.event.ID,
		Delta: moved, Late: a.day < s.today, Expires: expires, Sequence: s.risk.sequence,
	}
	if top != nil {
		record.Policy, record.PolicyVersion = top.Name, top.Version
	}
	l := ledger{state: s, terms: terms, halfScale: userScale, room: room}
	record.Contributions, record.Counterfactuals = l.lines(score), l.counterfactuals(score)
	out.Risks = append(out.Risks, record)
}

func userEvidence(t *term) int64 {
	return t.evidence.total * userScale / int64(t.policy.HalfScale)
}
