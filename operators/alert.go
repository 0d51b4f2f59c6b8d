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

// alert moves the person's alert under the policy on by one event.
func (c *compiled) alert(e *Engine, s *State, a *assessment, by *arrival, out *Output, room *scratch) {
	st := s.findAlert(c.key)
	warranted := c.warrants(a)
	if !warranted && (st == nil || !st.open) {
		return
	}
	if st == nil {
		st = s.alertOf(c.key)
	}
	v := version{c, e, s, st, a, by, out, room}
	quiet := st.updated + schemas.Time(c.Quiet)*millisPerDay
	if st.open && s.clock > quiet {
		last := st.updated
		v.write(schemas.AlertClosed, schemas.ChangeClosed, quiet)
		st.updated = last // its quiet time is over: whatever comes is another episode
	}
	severity := c.band(a.score)
	switch {
	case !st.open && (!warranted || st.episode > 0 && !c.renews(by)):
	case !st.open:
		change := schemas.ChangeReopened
		if st.episode == 0 || s.clock > quiet+schemas.Time(c.Reopen)*millisPerDay {
			change = schemas.ChangeOpened
			v.begin()
		}
		v.write(schemas.AlertOpen, change, s.clock)
	case severity > st.severity:
		v.write(schemas.AlertOpen, schemas.ChangeEscalated, s.clock)
	case severity < st.severity:
		v.write(schemas.AlertOpen, schemas.ChangeDeescalated, s.clock)
	case a.score != st.score:
		v.write(schemas.AlertOpen, schemas.ChangeUpdated, s.clock)
	}
}

// withdraw closes the alert of somebody who is not in the policy any more: its
// ground was taken back, or has run out.
func (c *compiled) withdraw(e *Engine, s *State, by *arrival, out *Output) {
	if st := s.findAlert(c.key); st != nil && st.open {
		a := assessment{evidence: make([]evidence, len(c.uses))}
		v := version{c, e, s, st, &a, by, out, out.scratch()}
		v.write(schemas.AlertClosed, schemas.ChangeClosed, min(s.clock, st.updated+schemas.Time(c.Quiet)*millisPerDay))
	}
}

// renews tells whether the event can open an alert again that was closed: new
// evidence of what opens alerts can, and so can an HR fact, but not other work,
// upon evidence that an earlier version has told of.
func (c *compiled) renews(by *arrival) bool {
	return by.event.Source == schemas.SourceHR || by.renewing&(1<<c.index) != 0
}

// version is what writing a version of an alert takes.
type version struct {
	policy   *compiled
	engine   *Engine
	state    *State
	alert    *alertState
	standing *assessment
	by       *arrival
	out      *Output
	room     *scratch
}

// begin starts another episode, which is held when too many opened lately.
func (v *version) begin() {
	c, st, now := v.policy, v.alert, v.state.clock
	st.episode++
	st.version, st.opened, st.held = 0, now, false
	t := c.Throttle
	if t == nil {
		return
	}
	if len(st.openings) >= t.Alerts {
		if oldest := st.openings[len(st.openings)-t.Alerts]; now < oldest+schemas.Time(t.Per)*millisPerDay {
			st.held = true
			return
		}
		st.openings = st.openings[1:]
	}
	st.openings = append(st.openings, now)
}

// write appends the alert's next version.
func (v *version) write(status schemas.AlertStatus, change string, at schemas.Time) {
	c, st, a := v.policy, v.alert, v.standing
	st.version++
	st.open = status == schemas.AlertOpen
	st.severity, st.score, st.updated = c.band(a.score), a.score, at
	user := v.by.event.User
	alert := schemas.Alert{
		ID:      schemas.NewUUID("alert", string(user[:]), c.Name, strconv.Itoa(int(st.episode))),
		Version: st.version, User: user,
		Policy: c.Name, PolicyVersion: c.Version, PolicyHash: c.hash,
		Status: status, Severity: severities[max(st.severity, 1)], Score: a.score,
		OpenedAt: st.opened, UpdatedAt: at, ObservedTime: v.by.event.ObservedTime,
		Change: change, Trigger: a.ground.text(c, v.state), EventIDs: c.cite(v.state, a),
	}
	if st.open {
		alert.QuietAt = at + schemas.Time(c.Quiet)*millisPerDay
	}
	l := ledger{state: v.state, terms: c.terms(a), halfScale: int64(c.HalfScale), room: v.room}
	alert.Contributions, alert.Counterfactuals = l.lines(a.score), l.counterfactuals(a.score)
	v.hold(&alert)
	v.out.Alerts = append(v.out.Alerts, alert)
}

// hold marks an alert of which nobody is to be told now. It is written all the
// same.
func (v *version) hold(alert *schemas.Alert) {
	now := v.state.clock
	for i := range v.engine.suppressions {
		if x := &v.engine.suppressions[i]; x.covers(alert, now) {
			alert.Hold, alert.HoldReason, alert.HoldUntil = schemas.HoldSuppressed, x.Reason, schemas.Time(x.Until)
			return
		}
	}
	st, t := v.alert, v.policy.Throttle
	if !st.held || t == nil || len(st.openings) == 0 {
		return
	}
	if until := st.openings[0] + schemas.Time(t.Per)*millisPerDay; now < until {
		alert.Hold, alert.HoldUntil = schemas.HoldThrottled, until
		alert.HoldReason = "more than " + strconv.Itoa(t.Alerts) + " new alerts in " + t.Per.String()
	}
}

// covers tells whether the suppression is for the alert, now.
func (x *Suppression) covers(alert *schemas.Alert, now schemas.Time) bool {
	return (x.User == "" || x.User == alert.User.String()) && (x.Policy == "" || x.Policy == alert.Policy) &&
		now >= schemas.Time(x.From) && now < schemas.Time(x.Until)
}

// cite lists the newest events of every indicator with evidence, each event
// once.
func (c *compiled) cite(s *State, a *assessment) []schemas.UUID {
	ids := []schemas.UUID{}
	seen := map[schemas.UUID]bool{}
	add := func(id schemas.UUID) {
		if !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	for i := range c.uses {
		u := &c.uses[i]
		if a.evidence[i].days == 0 {
			continue
		}
		for _, key := range slices.Concat([]uint32{u.key}, u.of, u.steps) {
			m := s.find(key)
			if m == nil {
				continue
			}
			for _, event := range m.cited {
				add(event.id)
			}
			for _, v := range m.values {
				if v.first.id != (schemas.UUID{}) {
					add(v.first.id)
				}
			}
		}
	}
	return ids
}
