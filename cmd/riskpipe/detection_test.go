package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/riskpipe/riskpipe/schemas"
)

// Recall, false alarms and rates are counted by users, alerts that are held or
// older than the story aside.
func TestObserver_detection(t *testing.T) {
	const hour, day = schemas.Time(3_600_000), schemas.Time(86_400_000)
	user := func(n byte) schemas.Pseudonym { return schemas.Pseudonym{n} }
	o := newObserver([]label{
		{User: "thief@x", Kind: "theft", Scenario: "leaver", Story: "fast", From: 5 * day},
		{User: "early@x", Kind: "misuse", Scenario: "ai", From: 5 * day},
		{User: "held@x", Kind: "theft", Scenario: "leaver", Story: "slow"},
		{User: "quiet@x", Kind: "benign"},
		{User: "loud@x", Kind: "benign"},
		{User: "nobody@x", Kind: "theft", Scenario: "leaver", Story: "slow"},
	})
	names := []string{"thief@x", "early@x", "held@x", "quiet@x", "loud@x", "other@x", "bystander@x"}
	for i, name := range names {
		o.names[user(byte(i+1))] = strings.ToUpper(name)
		o.event(&schemas.Event{User: user(byte(i + 1)), ActorType: schemas.ActorPerson, Source: schemas.SourceFile, Time: day + schemas.Time(i)*day})
	}
	o.event(&schemas.Event{User: user(1), ActorType: schemas.ActorPerson, Source: schemas.SourceHR, Time: 300 * day})
	o.event(&schemas.Event{User: user(99), ActorType: "service", Time: 300 * day})
	alert := func(u byte, id byte, at schemas.Time, hold string) {
		o.alert(&schemas.Alert{ID: schemas.UUID{id}, User: user(u), Status: schemas.AlertOpen, UpdatedAt: at, Hold: hold})
	}
	alert(1, 1, 6*day, "")
	alert(1, 1, 6*day+hour, "")
	alert(2, 2, 4*day, "")
	alert(3, 3, 6*day, "throttled")
	alert(5, 4, 6*day, "")
	alert(6, 5, 6*day, "")
	alert(6, 6, 7*day, "")

	d := o.detection()
	want := &detection{
		found:      found{4, 1, 250},
		ByScenario: map[string]*found{"leaver": {3, 1, 333}, "ai": {1, 0, 0}},
		ByStory:    map[string]*found{"fast": {1, 1, 1000}, "slow": {2, 0, 0}, "unnamed": {1, 0, 0}},
		Benign:     2, BenignAlerted: 1, BenignNotAlerted: 1,
		Others: 2, OthersAlerted: 1, OthersAlerts: 2, Missing: 1,
		Users: 7, Days: 7, Alerts: 5, Rate: 102_040,
	}
	if diff := cmp.Diff(want, d, cmp.AllowUnexported(detection{})); diff != "" {
		t.Error(diff)
	}
	var out bytes.Buffer
	d.tell(&out)
	for _, line := range []string{"1 of 4 found, recall 25%", "scenario ai: 0 of 1 found", "2 others: 1 with alerts (2 alerts)", "102.04 alerts per 1,000 users per day (5 alerts, 7 users, 7 days)"} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("%q is missing in:\n%s", line, out.String())
		}
	}
}
