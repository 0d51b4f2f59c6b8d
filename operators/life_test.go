package operators

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

// changes are what the versions of the policy's alerts were.
func (p *story) changes(policy string) (list []string) {
	for _, a := range p.of(policy) {
		if n := len(list); n == 0 || list[n-1] != a.Change {
			list = append(list, a.Change)
		}
	}
	return list
}

// An alert opens, is updated, escalates, closes when it is quiet, opens again
// soon after, and is another one later.
func TestAlert_life(t *testing.T) {
	leave := resignation(monday, monday, monday+days(200))
	p := newStory(t, func(l *Library) { l.Policies[0].Reopen = 14 }).fold(leave)
	first := p.fold(copies(30, monday)...).fold(copies(40, monday+days(1))...).last("leaver")
	if want := []string{"opened", "updated", "escalated", "updated"}; !slices.Equal(p.changes("leaver"), want) {
		t.Errorf("changes are %v, want %v", p.changes("leaver"), want)
	}
	if first.QuietAt != first.UpdatedAt+days(30) || first.Trigger != "resignation with notice on 2026-03-02 and last working day 2026-09-18" {
		t.Errorf("quiet at %s, trigger %q", first.QuietAt, first.Trigger)
	}
	again := p.fold(copies(20, monday+days(40))...).last("leaver")
	if again.ID != first.ID || !slices.Contains(p.changes("leaver"), "reopened") || again.OpenedAt != first.OpenedAt {
		t.Errorf("nine days after the closing: %v, the same alert %v", p.changes("leaver"), again.ID == first.ID)
	}
	other := p.fold(copies(20, monday+days(100))...).last("leaver")
	if other.ID == first.ID || other.Change == "reopened" {
		t.Errorf("a month after the closing: %s, the same alert %v", other.Change, other.ID == first.ID)
	}
}

// Alerts above the limit are recorded as held, until the limit allows.
func TestAlert_throttle(t *testing.T) {
	p := newStory(t, func(l *Library) {
		l.Policies[0].Quiet, l.Policies[0].Throttle = 1, &Throttle{Alerts: 2, Per: 20}
	}).fold(resignation(monday, monday, monday+days(200)))
	held := map[schemas.UUID]string{}
	var order []schemas.UUID
	for _, at := range []int{0, 4, 8, 25} {
		p.fold(copies(30, monday+days(at))...)
		a := p.last("leaver")
		held[a.ID] = a.Hold
		order = append(order, a.ID)
		if a.Hold != "" && (a.HoldUntil != p.of("leaver")[0].OpenedAt+days(20) || a.HoldReason != "more than 2 new alerts in 20d") {
			t.Errorf("held until %s: %s", a.HoldUntil, a.HoldReason)
		}
	}
	if want := []string{"", "", "throttled", ""}; len(held) != 4 || !slices.Equal([]string{held[order[0]], held[order[1]], held[order[2]], held[order[3]]}, want) {
		t.Errorf("holds are %v in the order %v", held, order)
	}
}

// A suppression holds alerts for a time, and says why.
func TestAlert_suppressed(t *testing.T) {
	user := schemas.Pseudonym{7}
	for name, c := range map[string]struct {
		suppression Suppression
		held        bool
	}{
		"this person":      {Suppression{User: user.String(), Until: Date(monday + days(9)), Reason: "agreed handover", By: "hr"}, true},
		"this policy":      {Suppression{Policy: "leaver", Until: Date(monday + days(9)), Reason: "agreed handover", By: "hr"}, true},
		"another person":   {Suppression{User: schemas.Pseudonym{8}.String(), Until: Date(monday + days(9)), Reason: "x", By: "hr"}, false},
		"another policy":   {Suppression{Policy: "leaks", Until: Date(monday + days(9)), Reason: "x", By: "hr"}, false},
		"it is over":       {Suppression{User: user.String(), Until: Date(monday - days(1)), Reason: "x", By: "hr"}, false},
		"it has not begun": {Suppression{User: user.String(), From: Date(monday + days(1)), Until: Date(monday + days(9)), Reason: "x", By: "hr"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := newStory(t, func(l *Library) { l.Lists.Suppressions = []Suppression{c.suppression} })
			a := p.fold(resignation(monday, monday, monday+days(14))).fold(copies(50, monday)...).last("leaver")
			if held := a.Hold == "suppressed"; held != c.held || held && (a.HoldReason != "agreed handover" || a.HoldUntil != monday+days(9)) {
				t.Errorf("hold %q until %s because %q", a.Hold, a.HoldUntil, a.HoldReason)
			}
		})
	}
}

// Each lane counts apart, and the one that gives most points counts.
func TestLanes(t *testing.T) {
	leave := resignation(monday, monday, monday+days(14))
	sensitive := copies(4, monday)
	for i := range sensitive {
		sensitive[i].File.SensitiveCount = 1
	}
	plain := newStory(t).fold(leave).fold(copies(4, monday)...).score("leaver")
	marked := newStory(t).fold(leave).fold(sensitive...)
	if got := marked.score("leaver"); got <= plain {
		t.Errorf("sensitive files score %s, others %s", got, plain)
	}
	if line := marked.last("leaver").Contributions[0]; line.Name != "copy_to_usb" || line.Detail != "4 of sensitive content on 2026-03-02, the most on a day (low from 1, medium 4, high 10); on 1 day of the last 90" {
		t.Errorf("line is %+v", line)
	}
}

// What is excluded does not count, and is named.
func TestExclusions(t *testing.T) {
	exclude := func(l *Library) {
		l.Lists.Exclusions = []Exclusion{{Name: "backups", Reason: "they are", Select: Selection{"marks": {"backup"}}}}
	}
	events := copies(50, monday)
	for i := range events {
		events[i].Marks = []string{"backup"}
	}
	p := newStory(t, exclude).fold(resignation(monday, monday, monday+days(14))).fold(events...)
	if len(p.out.Alerts) > 0 || p.out.Disposition != Excluded || len(p.out.Exclusions) != 50 || p.out.Exclusions[0] != "backups" {
		t.Errorf("%d alerts, disposition %d, exclusions %v", len(p.out.Alerts), p.out.Disposition, p.out.Exclusions)
	}
}

// Groups say whom a policy is for, and multiply evidence.
func TestGroups(t *testing.T) {
	member := func(groups ...string) *story {
		p := newStory(t, func(l *Library) { l.Policies[0].Scope = Scope{Exclude: []string{"board"}} })
		leave := resignation(monday, monday, monday+days(14))
		leave.Groups = groups
		p.fold(leave)
		for _, e := range copies(20, monday) {
			e.Groups = groups
			p.fold(e)
		}
		return p
	}
	if plain, priority := member().score("leaver"), member("priority").score("leaver"); priority <= plain {
		t.Errorf("priority user %s, others %s", priority, plain)
	}
	if out := member("board").out; len(out.Alerts) > 0 {
		t.Error("alert on somebody who is out of scope")
	}
}

// A level is reached at once, left with hysteresis, extended by evidence, and
// lapses by itself.
func TestRisk_level(t *testing.T) {
	l := defaultLevels
	for _, c := range []struct {
		score  schemas.Points
		before uint8
		want   uint8
	}{
		{19_999, 0, 0}, {20_000, 0, 1}, {67_000, 0, 3}, {66_000, 3, 3}, {62_000, 3, 3}, {61_999, 3, 2}, {28_999, 2, 1}, {14_999, 1, 0}, {0, 3, 0},
	} {
		if got := l.of(c.score, c.before); got != c.want {
			t.Errorf("%s after level %d: %d, want %d", c.score, c.before, got, c.want)
		}
	}
	p := newStory(t).fold(resignation(monday, monday, monday+days(14))).fold(copies(50, monday)...)
	first := p.out.Risks[len(p.out.Risks)-1]
	if first.Level != schemas.LevelModerate || first.Expires <= monday+days(6) || first.Late {
		t.Errorf("risk is %+v", first)
	}
	p.fold(copies(1, monday+days(2))...)
	if second := p.out.Risks[len(p.out.Risks)-1]; second.Expires < first.Expires+days(1) {
		t.Errorf("expires %s, before %s", second.Expires, first.Expires)
	}
	p.fold(copies(30, monday-days(1))...)
	if late := p.out.Risks[len(p.out.Risks)-1]; !late.Late || late.Delta == 0 {
		t.Errorf("a late event gives %+v", late)
	}
}

// A state from before risk changes were counted is read, and counting begins with
// the next change; all else goes on as if it had always been counted.
func TestRisk_uncounted(t *testing.T) {
	p := newStory(t).fold(resignation(monday, monday, monday+days(14))).fold(copies(50, monday)...)
	stored, err := p.state.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	if changes := len(p.out.Risks); changes < 2 || stored[len(stored)-1] != byte(changes) {
		t.Fatalf("%d changes, and the state ends with %d", changes, stored[len(stored)-1])
	}
	stored[0] = uncountedRisks
	var s State
	if err := s.UnmarshalBinary(stored[:len(stored)-1]); err != nil {
		t.Fatal(err)
	}
	if err := new(State).UnmarshalBinary(stored); !errors.Is(err, ErrState) {
		t.Errorf("a count in a state of the format without one: %v", err)
	}
	uncounted := &story{t: t, engine: p.engine, state: s}
	p.out.Reset()
	for i, e := range copies(30, monday-days(1)) {
		p.fold(e)
		uncounted.fold(e)
		if len(p.out.Risks) != len(uncounted.out.Risks) {
			t.Fatalf("event %d: %d changes, and %d of the state from before", i, len(p.out.Risks), len(uncounted.out.Risks))
		}
	}
	if len(p.out.Risks) == 0 {
		t.Fatal("nothing changed")
	}
	for i := range p.out.Risks {
		want := p.out.Risks[i]
		want.Sequence = int64(i) + 1
		if got := uncounted.out.Risks[i]; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

// A piece of evidence that several policies see counts once for the person.
func TestRisk_once(t *testing.T) {
	leave := resignation(monday, monday, monday+days(14))
	alone := newStory(t).fold(leave).fold(copies(20, monday)...)
	twice := newStory(t, func(l *Library) {
		again := l.Policies[0]
		again.Name = "leaver_again"
		l.Policies = append(l.Policies, again)
	}).fold(leave).fold(copies(20, monday)...)
	last := func(p *story) schemas.Points { return p.out.Risks[len(p.out.Risks)-1].Score }
	if last(alone) != last(twice) || len(twice.of("leaver_again")) == 0 {
		t.Errorf("risk %s by one policy, %s by two that are alike", last(alone), last(twice))
	}
}

// Failed sign-ins count in a burst, in whatever hours it falls.
func TestWindow_hours(t *testing.T) {
	p := newStory(t)
	for i, minutes := range []int{0, 50, 70, 90, 125, 300, 301, 302, 303} {
		e := event("signin.failed", monday+schemas.Time(minutes)*60_000, string(rune('a'+i)))
		e.Source, e.Outcome = schemas.SourceSignIn, schemas.OutcomeFailure
		p.fold(e, e)
	}
	if got := p.things("failed_sign_in"); got != 4 {
		t.Errorf("the largest hour has %d, want 4", got)
	}
}
