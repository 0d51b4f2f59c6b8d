package operators

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/riskpipe/riskpipe/schemas"
)

// A user who resigned and copies fifty files in the last working week gets one
// high alert which says why, to the point.
func TestScore_leaverWhoSteals(t *testing.T) {
	p := newStory(t).fold(resignation(monday, monday, monday+days(14))).fold(copies(50, monday+days(10))...)
	a := p.last("leaver")
	if a.Severity != schemas.SeverityHigh || a.Score != 67_415 || a.Status != schemas.AlertOpen {
		t.Errorf("alert is %s %s %s", a.Status, a.Severity, a.Score)
	}
	for _, other := range p.out.Alerts {
		if other.ID != a.ID {
			t.Error("a second alert was opened instead of updating the first")
		}
	}
	if want := []string{"copy_to_usb", "resignation"}; !slices.Equal(names(a), want) {
		t.Errorf("contributions are %v, want %v", names(a), want)
	}
	if got := a.Counterfactuals[0]; got.Without != "resignation" || got.Score != 40_816 {
		t.Errorf("first counterfactual is %+v", got)
	}
	if len(a.EventIDs) != citations("exfiltration") {
		t.Errorf("%d events are cited", len(a.EventIDs))
	}
}

func names(a schemas.Alert) []string {
	var list []string
	for _, c := range a.Contributions {
		list = append(list, c.Name)
	}
	return list
}

// Having resigned scores nothing, and neither does ordinary work around it.
func TestScore_noAlertWithoutEvidence(t *testing.T) {
	download := func(n int) (list []schemas.Event) {
		for i := range n {
			e := event("file.downloaded", monday+days(5)+schemas.Time(i)*1000, fmt.Sprint(i))
			e.File = &schemas.File{Object: schemas.Hash(i + 1)}
			list = append(list, e)
		}
		return list
	}
	leave := resignation(monday, monday, monday+days(14))
	blocked := copies(50, monday+days(10))
	for i := range blocked {
		blocked[i].Outcome = schemas.OutcomeFailure
	}
	machine := copies(50, monday+days(10))
	for i := range machine {
		machine[i].ActorType = schemas.ActorService
	}
	for name, events := range map[string][]schemas.Event{
		"hr fact alone":              {leave},
		"handover: downloads only":   append(download(1500), leave),
		"a few copies":               append(copies(2, monday+days(10)), leave),
		"copies that were blocked":   append(blocked, leave),
		"copies by a service":        append(machine, leave),
		"copies without resignation": copies(60, monday),
		"copies long after leaving":  append(copies(60, monday+days(14+91)), leave),
	} {
		t.Run(name, func(t *testing.T) {
			if p := newStory(t).fold(events...); len(p.out.Alerts) != 0 {
				t.Errorf("alert: %+v", p.last("leaver"))
			}
		})
	}
}

// The resignation arrives weeks after the copying and still finds it.
func TestScore_resignationIsRetroactive(t *testing.T) {
	p := newStory(t).fold(copies(50, monday-days(20))...)
	if len(p.out.Alerts) != 0 {
		t.Fatal("alert before the resignation is known")
	}
	p.fold(resignation(monday, monday-days(5), monday+days(10)))
	if a := p.last("leaver"); a.UpdatedAt != monday || a.Version != 1 {
		t.Errorf("alert %+v", a)
	}
}

// Withdrawing the resignation closes the alert and leaves exactly the score of
// somebody who never resigned; moving the date leaves exactly the score of
// somebody who gave the new date at once.
func TestScore_reversal(t *testing.T) {
	never := newStory(t).fold(copies(50, monday)...).fold(copies(1, monday+days(3))...)
	resigned := newStory(t).fold(copies(50, monday)...).
		fold(resignation(monday+days(1), monday, monday+days(7)), withdrawal(monday+days(2))).fold(copies(1, monday+days(3))...)
	if a := resigned.last("leaver"); a.Status != schemas.AlertClosed {
		t.Errorf("alert is %s after the withdrawal", a.Status)
	}
	if got, want := resigned.score("leaver"), never.score("leaver"); got != want {
		t.Errorf("score after withdrawal %s, without resignation %s", got, want)
	}
	at := monday + days(2)
	moved := newStory(t).fold(copies(50, monday)...).fold(resignation(monday+days(1), monday, monday+days(7)), resignation(at, monday, monday+days(60)))
	direct := newStory(t).fold(copies(50, monday)...).fold(resignation(at, monday, monday+days(60)))
	if got, want := moved.last("leaver"), direct.last("leaver"); got.Score != want.Score || got.ID != want.ID {
		t.Errorf("moved: %s, direct: %s", got.Score, want.Score)
	}
	if moved.last("leaver").Score >= moved.out.Alerts[0].Score {
		t.Error("moving the last day away did not lower the score")
	}
}

// A row whose clock is a year ahead does not silence the correction after it.
func TestScore_badClockOfHR(t *testing.T) {
	ahead := resignation(monday+days(365), monday, monday+days(14))
	ahead.ObservedTime = monday
	p := newStory(t).fold(ahead, resignation(monday+days(3), monday, monday+days(30)))
	if _, last := p.state.leave.dates(30); last != dayOf(monday)+30 {
		t.Errorf("last day is %s", last)
	}
}

// The daily file says the same again: nothing changes.
func TestScore_resentResignation(t *testing.T) {
	p := newStory(t).fold(resignation(monday, monday, monday+days(14)))
	for i := 1; i < 10; i++ {
		p.fold(resignation(monday+days(i), monday, monday+days(14)))
		if p.out.Disposition != Duplicate || len(p.out.Risks)+len(p.out.Alerts) != 0 {
			t.Fatalf("day %d: disposition %d, output %+v", i, p.out.Disposition, p.out)
		}
	}
}

// Two files tell of one departure every day, each its own: after the first day
// nothing changes, the nearer last day counts, and which file comes first does
// not matter.
func TestScore_resignationAndTermination(t *testing.T) {
	for name, tc := range map[string]struct{ resigned, terminated, want schemas.Time }{
		"the termination is nearer":                {monday + days(14), monday + days(9), monday + days(9)},
		"the resignation is nearer":                {monday + days(14), monday + days(30), monday + days(14)},
		"only the termination says a last day":     {0, monday + days(9), monday + days(9)},
		"only the resignation says a last day":     {monday + days(14), 0, monday + days(14)},
		"a termination from an earlier employment": {monday + days(14), monday - days(700), monday + days(14)},
	} {
		t.Run(name, func(t *testing.T) {
			var scores []schemas.Points
			for range 2 {
				p := newStory(t).fold(copies(50, monday+days(1))...)
				daily := func(at schemas.Time) []schemas.Event {
					return []schemas.Event{resignation(at, monday, tc.resigned), termination(at+1000, tc.terminated)}
				}
				if len(scores) > 0 {
					p.fold(termination(monday+days(2)-1000, tc.terminated))
				}
				p.fold(daily(monday + days(2))...)
				versions := len(p.out.Alerts)
				for i := 3; i < 9; i++ {
					p.fold(daily(monday + days(i))...)
				}
				if len(p.out.Alerts) != versions {
					t.Errorf("%d versions for files that say the same again", len(p.out.Alerts)-versions)
				}
				if _, last := p.state.leave.dates(30); last != dayOf(tc.want) {
					t.Errorf("last day is %s, want %s", last, dayOf(tc.want))
				}
				scores = append(scores, p.score("leaver"))
			}
			if scores[0] != scores[1] {
				t.Errorf("scores %v by which file came first", scores)
			}
		})
	}
}

// A file that still holds the departure from an earlier employment does not
// take back the present one.
func TestScore_earlierEmployment(t *testing.T) {
	p := newStory(t).fold(resignation(monday, monday-days(900), monday-days(870)), resignation(monday, monday, monday+days(14)))
	for i := 1; i < 4; i++ {
		before := p.state.leave
		p.fold(resignation(monday+days(i), monday-days(900), monday-days(870)))
		if p.state.leave != before {
			t.Fatalf("day %d: the earlier departure is back", i)
		}
	}
	before := p.state.leave
	if p.fold(resignation(monday+days(5), monday, monday-1000)); p.state.leave == before {
		t.Error("a last day moved to the day of the notice is not heard")
	}
}

// A ledger's parts sum to their total even where rounding leaves no weight.
func TestScore_apportion(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		total := rapid.Int64Range(0, 100_000).Draw(r, "total")
		var got int64
		for _, part := range apportion(total, rapid.SliceOfN(rapid.Int64Range(0, 1000), 1, 8).Draw(r, "weights")) {
			if part < 0 {
				r.Fatalf("part %d", part)
			}
			got += part
		}
		if got != total {
			r.Fatalf("parts sum to %d, want %d", got, total)
		}
	})
}

// After the quiet time an alert is closed, and new evidence opens another.
func TestScore_quietCloseAndNewEpisode(t *testing.T) {
	p := newStory(t).fold(resignation(monday, monday, monday+days(60))).fold(copies(50, monday)...)
	first := p.last("leaver")
	p.fold(copies(50, monday+days(40))...)
	last := p.last("leaver")
	if last.ID == first.ID || last.OpenedAt < monday+days(40) || last.Status != schemas.AlertOpen {
		t.Errorf("second episode: %+v", last)
	}
	closed := 0
	for _, a := range p.out.Alerts {
		if a.Status == schemas.AlertClosed {
			closed++
			if a.ID != first.ID || a.UpdatedAt != first.UpdatedAt+days(30) {
				t.Errorf("closing version: %+v", a)
			}
		}
	}
	if closed != 1 {
		t.Errorf("closed %d times", closed)
	}
}

// Ordinary work after the quiet time closes the alert and does not open another
// upon the evidence of the first.
func TestScore_quietCloseByOrdinaryWork(t *testing.T) {
	p := newStory(t).fold(resignation(monday, monday, monday+days(60))).fold(copies(50, monday)...)
	first := p.last("leaver")
	for i := range 3 {
		download := event("file.downloaded", monday+days(40+i), "d")
		download.File = &schemas.File{Object: schemas.Hash(i + 1)}
		p.fold(download)
	}
	if last := p.last("leaver"); last.ID != first.ID || last.Status != schemas.AlertClosed {
		t.Errorf("after ordinary work: %s, the same alert: %v", last.Status, last.ID == first.ID)
	}
	p.fold(copies(5, monday+days(44))...)
	if last := p.last("leaver"); last.ID == first.ID || last.Status != schemas.AlertOpen {
		t.Error("new exfiltration opened no other alert")
	}
}

// An event whose clock is a year ahead does not age anybody's evidence.
func TestScore_badClock(t *testing.T) {
	p := newStory(t).fold(copies(20, monday)...)
	e := copies(1, monday)[0]
	e.ID, e.File.Name, e.Time = schemas.NewUUID("ahead"), 99, monday+days(365)
	p.fold(e)
	if p.state.clock > monday+clockSkew {
		t.Errorf("clock is %s", p.state.clock)
	}
}

// More evidence never lowers a score.
func TestScore_monotone(t *testing.T) {
	leave := resignation(monday, monday, monday+days(14))
	previous := schemas.Points(0)
	p := newStory(t).fold(leave)
	for _, e := range copies(80, monday+days(10)) {
		p.fold(e)
		if p.score("leaver") < previous {
			t.Fatalf("score fell from %s to %s", previous, p.score("leaver"))
		}
		previous = p.score("leaver")
	}
}

// Damaged or hostile bytes give an error, never a panic or a huge allocation.
func FuzzState(f *testing.F) {
	p := newStory(f).fold(resignation(monday, monday, monday+days(14))).fold(copies(50, monday+days(10))...)
	b, _ := p.state.AppendBinary(nil)
	f.Add(b)
	f.Add([]byte{StateFormat})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		var s State
		if s.UnmarshalBinary(b) != nil {
			return
		}
		e := copies(1, monday)[0]
		var out Output
		newSample(t).Score(&s, &e, &out)
	})
}

func BenchmarkScore(b *testing.B) {
	e := newSample(b)
	download := event("file.downloaded", monday, "x")
	download.File = &schemas.File{Object: 1}
	signin := event("signin.succeeded", monday, "y")
	for name, ev := range map[string]schemas.Event{"evidence": download, "ignored": signin} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var s State
			var out Output
			n := int64(0)
			for b.Loop() {
				n++
				ev.File = &schemas.File{Object: schemas.Hash(n * 0x9E3779B97F4A7C1)}
				ev.Time = monday + schemas.Time(n*60_000)
				ev.ObservedTime = ev.Time
				out.Reset()
				e.Score(&s, &ev, &out)
			}
		})
	}
}

// However activity of one day is interleaved, the alert ends at the same score
// with the same ledger.
func TestScore_alertIsCurrent(t *testing.T) {
	leave := resignation(monday, monday, monday+days(14))
	events := append(copies(30, monday+days(10)), copies(10, monday+days(11))...)
	events = append(events, copies(25, monday+days(12))...)
	for i := range events {
		events[i].ObservedTime = monday + days(13)
	}
	want := newStory(t).fold(leave).fold(events...).last("leaver")
	rapid.Check(t, func(r *rapid.T) {
		got := newStory(t).fold(leave).fold(rapid.Permutation(events).Draw(r, "order")...).last("leaver")
		if got.Score != want.Score || got.ID != want.ID || !slices.Equal(got.Contributions, want.Contributions) {
			r.Fatalf("%s %+v, in order %s %+v", got.Score, got.Contributions, want.Score, want.Contributions)
		}
	})
}
