package operators

import (
	"slices"
	"strconv"

	"github.com/riskpipe/riskpipe/schemas"
)

// step is by how much a score must move to be worth a risk record: one point.
// An alert has a new version whenever its score changes: what analysts see is
// the score, and the same however the feeds were interleaved.
const step schemas.Points = 1000

var severities = [...]schemas.Severity{schemas.SeverityNone, schemas.SeverityLow, schemas.SeverityMedium, schemas.SeverityHigh}

var levels = [...]schemas.Level{schemas.LevelNone, schemas.LevelMinor, schemas.LevelModerate, schemas.LevelElevated}

// band returns the severity of a score as an index: 0 below the opening score,
// then low, medium, high.
func (c *compiled) band(score schemas.Points) uint8 {
	switch {
	case score >= schemas.Points(c.Severity.High):
		return 3
	case score >= schemas.Points(c.Severity.Medium):
		return 2
	case score >= schemas.Points(c.Open.Score):
		return 1
	default:
		return 0
	}
}

// triggered tells whether the person is in the policy at the state's clock.
func (c *compiled) triggered(s *State) bool {
	if !c.triggers[s.leave.kind] && (s.leave.terminated == 0 || !c.triggers[departureTermination]) {
		return false
	}
	notice := Days(historyDays)
	if len(c.Modifiers) > 0 {
		notice = c.Modifiers[0].Curve.Notice
	}
	_, last := s.leave.dates(notice)
	return dayOf(s.clock) <= last+day(c.Trigger.ActivateFor)
}

// evaluate assesses the person under every policy after ev changed the state,
// and writes what alerts and risk records follow.
func (e *Engine) evaluate(s *State, ev *schemas.Event, out *Output) {
	var (
		room  scratch
		top   *compiled
		worst assessment
	)
	for i := range e.policies {
		c := &e.policies[i]
		a := c.assess(s, &room)
		c.alert(s, &a, ev, out)
		if top == nil || a.score > worst.score {
			top, worst = c, a
		}
	}
	if top != nil {
		top.risk(s, &worst, ev, out)
	}
}

// alert moves the person's alert under the policy on by one event.
func (c *compiled) alert(s *State, a *assessment, ev *schemas.Event, out *Output) {
	warranted := c.triggered(s) && a.score >= schemas.Points(c.Open.Score) && a.exfiltration >= int64(c.Open.Exfiltration)
	if !warranted && (len(s.alerts) == 0 || !s.alertOf(c.key).open) {
		return
	}
	st := s.alertOf(c.key)
	quiet := st.updated + schemas.Time(c.Quiet)*millisPerDay
	if st.open && s.clock > quiet {
		last := st.updated
		c.write(s, st, a, ev, out, schemas.AlertClosed, quiet)
		st.updated = last // its quiet time is over: whatever comes is another episode
	}
	severity := c.band(a.score)
	switch {
	case !st.open && (!warranted || st.episode > 0 && !c.renews(ev)):
	case !st.open:
		if st.episode == 0 || s.clock > quiet {
			*st = alertState{policy: c.key, episode: st.episode + 1, opened: s.clock}
		}
		c.write(s, st, a, ev, out, schemas.AlertOpen, s.clock)
	case s.leave.kind == departureNone:
		// The ground of the alert was withdrawn.
		c.write(s, st, a, ev, out, schemas.AlertClosed, s.clock)
	case severity != st.severity || a.score != st.score:
		c.write(s, st, a, ev, out, schemas.AlertOpen, s.clock)
	}
}

// renews tells whether ev can open an alert again that was closed: exfiltration
// can, and so can a departure, but not other work, upon evidence that an
// earlier version has told of.
func (c *compiled) renews(ev *schemas.Event) bool {
	counted := false
	for i := range c.indicators {
		if ind := &c.indicators[i]; ind.wants(ev) {
			if ind.Category == "exfiltration" {
				return true
			}
			counted = true
		}
	}
	return !counted
}

func apart(a, b schemas.Points) schemas.Points { return max(a-b, b-a) }

// write appends the alert's next version.
func (c *compiled) write(s *State, st *alertState, a *assessment, ev *schemas.Event, out *Output, status schemas.AlertStatus, at schemas.Time) {
	st.version++
	st.open = status == schemas.AlertOpen
	st.severity, st.score, st.updated = c.band(a.score), a.score, at
	severity := severities[max(st.severity, 1)]
	out.Alerts = append(out.Alerts, schemas.Alert{
		ID:      schemas.NewUUID("alert", string(ev.User[:]), c.Name, strconv.Itoa(int(st.episode))),
		Version: st.version, User: ev.User,
		Policy: c.Name, PolicyVersion: c.Version, PolicyHash: c.hash,
		Status: status, Severity: severity, Score: a.score,
		OpenedAt: st.opened, UpdatedAt: at, ObservedTime: ev.ObservedTime,
		Contributions: c.ledger(s, a), Counterfactuals: c.counterfactuals(a), EventIDs: c.cite(s),
	})
}

// cite lists the newest events of every indicator, each event once.
func (c *compiled) cite(s *State) []schemas.UUID {
	ids := []schemas.UUID{}
	seen := map[schemas.UUID]bool{}
	for i := range c.indicators {
		m := s.find(c.indicators[i].key)
		if m == nil {
			continue
		}
		for _, id := range slices.Backward(m.events) {
			if !seen[id] {
				seen[id] = true
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// risk writes a record when the level changed or the score moved by a point.
func (c *compiled) risk(s *State, a *assessment, ev *schemas.Event, out *Output) {
	level := c.band(a.score)
	if level == s.risk.level && apart(a.score, s.risk.score) < step {
		return
	}
	s.risk = riskState{level: level, score: a.score}
	out.Risks = append(out.Risks, schemas.Risk{
		User: ev.User, Time: s.clock, Score: a.score, Level: levels[level],
		Policy: c.Name, PolicyVersion: c.Version, Cause: ev.ID, Contributions: c.ledger(s, a),
	})
}
