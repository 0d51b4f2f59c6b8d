package operators

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/riskpipe/riskpipe/schemas"
)

// What holds of a person is what was learned last and is still said, whatever
// the order in which statements come.
func TestJournal(t *testing.T) {
	d := func(n int) schemas.Time { return monday + days(n) }
	for name, c := range map[string]struct {
		events []schemas.Event
		fact   hrFact
		last   schemas.Time
	}{
		"nothing said":                           {nil, factNone, 0},
		"resigned":                               {[]schemas.Event{resignation(d(0), d(0), d(30))}, factResignation, d(30)},
		"said again every day":                   {[]schemas.Event{resignation(d(0), d(0), d(30)), resignation(d(1), d(0), d(30)), resignation(d(2), d(0), d(30))}, factResignation, d(30)},
		"moved":                                  {[]schemas.Event{resignation(d(0), d(0), d(30)), resignation(d(9), d(0), d(45))}, factResignation, d(45)},
		"moved, and back by a feed of changes":   {[]schemas.Event{resignation(d(0), d(0), d(30)), resignation(d(9), d(0), d(45)), resignation(d(20), d(0), d(30))}, factResignation, d(30)},
		"moved, while a stale file says the old": {[]schemas.Event{resignation(d(0), d(0), d(30)), resignation(d(9), d(0), d(45)), resignation(d(9)+1000, d(0), d(30))}, factResignation, d(45)},
		"two rows that contradict, every day": {[]schemas.Event{
			resignation(d(0), d(0), d(30)), resignation(d(0), d(0), d(45)), resignation(d(1), d(0), d(30)), resignation(d(1), d(0), d(45)), resignation(d(2), d(0), d(30)),
		}, factResignation, d(45)},
		"withdrawn":                          {[]schemas.Event{resignation(d(0), d(0), d(30)), withdrawal(d(5))}, factNone, 0},
		"withdrawn, and an older file later": {[]schemas.Event{withdrawal(d(5)), resignation(d(0), d(0), d(30))}, factNone, 0},
		"withdrawn, and resigned again":      {[]schemas.Event{resignation(d(0), d(0), d(30)), withdrawal(d(5)), resignation(d(9), d(9), d(40))}, factResignation, d(40)},
		"terminated":                         {[]schemas.Event{termination(d(0), d(3))}, factTermination, d(3)},
		"deleted account":                    {[]schemas.Event{event("account.deleted", d(4), "")}, factAccountDeletion, d(4)},
		"resigned and deleted":               {[]schemas.Event{event("account.deleted", d(40), ""), resignation(d(0), d(0), d(30))}, factResignation, d(30)},
		"deleted by mistake":                 {[]schemas.Event{event("account.deleted", d(4), ""), event("account.enabled", d(5), "")}, factNone, 0},
		"an earlier employment":              {[]schemas.Event{resignation(d(0), d(-900), d(-870)), resignation(d(0), d(0), d(30)), resignation(d(3), d(-900), d(-870))}, factResignation, d(30)},
	} {
		t.Run(name, func(t *testing.T) {
			for _, events := range [][]schemas.Event{c.events, reversed(c.events)} {
				var j journal
				for i := range events {
					s, says := statementOf(&events[i])
					if !says {
						t.Fatalf("%s says nothing", events[i].Activity)
					}
					j.learn(s)
				}
				if leave := j.departure(); leave.fact != c.fact || leave.lastSaid() != c.last {
					t.Errorf("%s, last day %s; want %s, %s", factText(leave.fact), leave.lastSaid(), factText(c.fact), c.last)
				}
			}
		})
	}
}

// Other facts have an effect from their day on, however early they are known.
func TestJournal_effect(t *testing.T) {
	p := newStory(t).fold(hr("hr.performance_improvement_plan", monday, schemas.HR{Effective: monday + days(20)}))
	if _, found := p.state.hr.since(factPerformancePlan, dayOf(monday)+19); found {
		t.Error("in force on the day before")
	}
	if since, found := p.state.hr.since(factPerformancePlan, dayOf(monday)+25); !found || since != dayOf(monday)+20 {
		t.Errorf("in force since %s (%v)", since, found)
	}
	review := func(direction string) hrFact {
		e := hr("hr.performance_review", monday, schemas.HR{Effective: monday, Direction: direction})
		s, _ := statementOf(&e)
		return s.fact
	}
	if review("down") != factPoorReview || review("up") != factNone || review("") != factNone {
		t.Error("only a poor review says something")
	}
	effect := HREffect{Factor: 1500, Before: 10, Hold: 20, Fade: 10}
	for at, want := range map[day]int64{89: 1000, 90: 1000, 95: 1250, 100: 1500, 120: 1500, 125: 1250, 130: 1000, 200: 1000} {
		if got := effect.at(at, 100); got != want {
			t.Errorf("day %d: %d, want %d", at, got, want)
		}
	}
}

// However much the feed says, the journal stays short and holds what is newest.
func TestJournal_bounded(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var j journal
		for i := range rapid.IntRange(1, 60).Draw(r, "statements") {
			e := resignation(monday+days(i), monday+days(i), monday+days(i+rapid.IntRange(0, 60).Draw(r, "notice")))
			e.ID = schemas.NewUUID(fmt.Sprint(i))
			s, _ := statementOf(&e)
			j.learn(s)
			if len(j) > maxStatements {
				r.Fatalf("%d statements", len(j))
			}
			if best, found := j.inForce(factResignation); !found || best.lastKnown != e.Time {
				r.Fatalf("after %d statements the one of %s is in force", i+1, best.lastKnown)
			}
		}
	})
}
