package operators

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/riskpipe/riskpipe/schemas"
)

// monday is 2 March 2026, 09:00 UTC.
const monday schemas.Time = 1772442000000

func engine(t testing.TB) *Engine {
	t.Helper()
	policies, err := Templates()
	if err != nil {
		t.Fatal(err)
	}
	e, err := NewEngine(policies...)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// person folds events of one person and keeps what came of them.
type person struct {
	t      testing.TB
	engine *Engine
	state  State
	out    Output
}

func newPerson(t testing.TB) *person { return &person{t: t, engine: engine(t)} }

func (p *person) fold(events ...schemas.Event) *person {
	for _, e := range events {
		p.engine.Score(&p.state, &e, &p.out)
	}
	return p
}

func (p *person) lastAlert() schemas.Alert {
	p.t.Helper()
	if len(p.out.Alerts) == 0 {
		p.t.Fatal("no alert")
	}
	return p.out.Alerts[len(p.out.Alerts)-1]
}

// score is the person's standing right now, written or not.
func (p *person) score() schemas.Points {
	var room scratch
	return p.engine.policies[0].assess(&p.state, &room).score
}

func event(activity string, at schemas.Time, id string) schemas.Event {
	return schemas.Event{
		ID: schemas.NewUUID("test", activity, id), Source: schemas.SourceFile, Activity: activity,
		Time: at, ObservedTime: at, User: schemas.Pseudonym{7}, ActorType: schemas.ActorPerson, Outcome: schemas.OutcomeSuccess,
	}
}

// copies are n copies of distinct files to removable media, a second apart.
func copies(n int, at schemas.Time) []schemas.Event {
	var list []schemas.Event
	for i := range n {
		e := event("file.copied_to_removable_media", at+schemas.Time(i)*1000, fmt.Sprint(at, i))
		e.File = &schemas.File{Name: schemas.Hash(int64(at) + int64(i) + 1)}
		list = append(list, e)
	}
	return list
}

func resignation(known, notice, last schemas.Time) schemas.Event {
	e := event("hr.resignation", known, fmt.Sprint(notice, last))
	e.Source, e.HR = schemas.SourceHR, &schemas.HR{Scenario: "resignation", Resigned: notice, LastDay: last}
	return e
}

func withdrawal(known schemas.Time) schemas.Event {
	e := event("hr.resignation_withdrawn", known, "")
	e.Source, e.HR = schemas.SourceHR, &schemas.HR{Scenario: "resignation", Withdrawn: true}
	return e
}

func days(n int) schemas.Time { return schemas.Time(n) * millisPerDay }

// A user who resigned and copies fifty files in the last working week gets one
// high alert which says why, to the point.
func TestScore_leaverWhoSteals(t *testing.T) {
	p := newPerson(t).fold(resignation(monday, monday, monday+days(14))).fold(copies(50, monday+days(10))...)
	a := p.lastAlert()
	if a.Severity != schemas.SeverityHigh || a.Score != 67_415 || a.Status != schemas.AlertOpen {
		t.Errorf("alert is %s %s %s", a.Status, a.Severity, a.Score)
	}
	for _, other := range p.out.Alerts {
		if other.ID != a.ID {
			t.Error("a second alert was opened instead of updating the first")
		}
	}
	if want := []string{"copy_to_removable_media", "resignation"}; !slices.Equal(names(a), want) {
		t.Errorf("contributions are %v, want %v", names(a), want)
	}
	if got := a.Counterfactuals[0]; got.Without != "resignation" || got.Score != 40_816 {
		t.Errorf("first counterfactual is %+v", got)
	}
	if len(a.EventIDs) != maxEvents {
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
			if p := newPerson(t).fold(events...); len(p.out.Alerts) != 0 {
				t.Errorf("alert: %+v", p.lastAlert())
			}
		})
	}
}

// The resignation arrives weeks after the copying and still finds it.
func TestScore_resignationIsRetroactive(t *testing.T) {
	p := newPerson(t).fold(copies(50, monday-days(20))...)
	if len(p.out.Alerts) != 0 {
		t.Fatal("alert before the resignation is known")
	}
	p.fold(resignation(monday, monday-days(5), monday+days(10)))
	if a := p.lastAlert(); a.UpdatedAt != monday || a.Version != 1 {
		t.Errorf("alert %+v", a)
	}
}

// Withdrawing the resignation closes the alert and leaves exactly the score of
// somebody who never resigned; moving the date leaves exactly the score of
// somebody who gave the new date at once.
func TestScore_reversal(t *testing.T) {
	never := newPerson(t).fold(copies(50, monday)...).fold(copies(1, monday+days(3))...)
	resigned := newPerson(t).fold(copies(50, monday)...).
		fold(resignation(monday+days(1), monday, monday+days(7)), withdrawal(monday+days(2))).fold(copies(1, monday+days(3))...)
	if a := resigned.lastAlert(); a.Status != schemas.AlertClosed {
		t.Errorf("alert is %s after the withdrawal", a.Status)
	}
	if got, want := resigned.score(), never.score(); got != want {
		t.Errorf("score after withdrawal %s, without resignation %s", got, want)
	}
	at := monday + days(2)
	moved := newPerson(t).fold(copies(50, monday)...).fold(resignation(monday+days(1), monday, monday+days(7)), resignation(at, monday, monday+days(60)))
	direct := newPerson(t).fold(copies(50, monday)...).fold(resignation(at, monday, monday+days(60)))
	if got, want := moved.lastAlert(), direct.lastAlert(); got.Score != want.Score || got.ID != want.ID {
		t.Errorf("moved: %s, direct: %s", got.Score, want.Score)
	}
	if moved.lastAlert().Score >= moved.out.Alerts[0].Score {
		t.Error("moving the last day away did not lower the score")
	}
}

// The daily file says the same again: nothing changes.
func TestScore_resentResignation(t *testing.T) {
	p := newPerson(t).fold(resignation(monday, monday, monday+days(14)))
	for i := 1; i < 10; i++ {
		p.fold(resignation(monday+days(i), monday, monday+days(14)))
		if p.out.Disposition != Duplicate || p.state.Changed() {
			t.Fatalf("day %d: disposition %d, changed %v", i, p.out.Disposition, p.state.Changed())
		}
	}
}

func termination(known, last schemas.Time) schemas.Event {
	e := event("hr.termination", known, fmt.Sprint("termination", last))
	e.Source, e.HR = schemas.SourceHR, &schemas.HR{Scenario: "worker", LastDay: last}
	return e
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
				p := newPerson(t).fold(copies(50, monday+days(1))...)
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
				scores = append(scores, p.score())
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
	p := newPerson(t).fold(resignation(monday, monday-days(900), monday-days(870)), resignation(monday, monday, monday+days(14)))
	for i := 1; i < 4; i++ {
		p.fold(resignation(monday+days(i), monday-days(900), monday-days(870)))
		if p.state.Changed() {
			t.Fatalf("day %d: the earlier departure is back", i)
		}
	}
	if p.fold(resignation(monday+days(5), monday, monday-1000)); !p.state.Changed() {
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
	p := newPerson(t).fold(resignation(monday, monday, monday+days(60))).fold(copies(50, monday)...)
	first := p.lastAlert()
	p.fold(copies(50, monday+days(40))...)
	last := p.lastAlert()
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
	p := newPerson(t).fold(resignation(monday, monday, monday+days(60))).fold(copies(50, monday)...)
	first := p.lastAlert()
	for i := range 3 {
		download := event("file.downloaded", monday+days(40+i), "d")
		download.File = &schemas.File{Object: schemas.Hash(i + 1)}
		p.fold(download)
	}
	if last := p.lastAlert(); last.ID != first.ID || last.Status != schemas.AlertClosed {
		t.Errorf("after ordinary work: %s, the same alert: %v", last.Status, last.ID == first.ID)
	}
	p.fold(copies(5, monday+days(44))...)
	if last := p.lastAlert(); last.ID == first.ID || last.Status != schemas.AlertOpen {
		t.Error("new exfiltration opened no other alert")
	}
}

// An event whose clock is a year ahead does not age anybody's evidence.
func TestScore_badClock(t *testing.T) {
	p := newPerson(t).fold(copies(20, monday)...)
	e := copies(1, monday)[0]
	e.ID, e.File.Name, e.Time = schemas.NewUUID("ahead"), 99, monday+days(365)
	p.fold(e)
	if p.state.clock > monday+clockSkew {
		t.Errorf("clock is %s", p.state.clock)
	}
}

// drawEvents makes a month of mixed activity of one person.
func drawEvents(r *rapid.T) []schemas.Event {
	n := rapid.IntRange(1, 60).Draw(r, "n")
	list := make([]schemas.Event, n)
	activities := []string{
		"file.copied_to_removable_media", "file.uploaded_to_cloud", "email.sent_external", "file.downloaded",
		"file.shared_external", "file.printed", "file.archived", "signin.succeeded", "hr.resignation",
	}
	for i := range list {
		at := monday + schemas.Time(rapid.Int64Range(0, 30*millisPerDay).Draw(r, "at"))
		e := event(rapid.SampledFrom(activities).Draw(r, "activity"), at, fmt.Sprint(i))
		object := schemas.Hash(rapid.Int64Range(1, 40).Draw(r, "object"))
		e.File = &schemas.File{Object: object, Name: object}
		e.Email = &schemas.Email{Message: object, Attachments: 1}
		e.Destination = &schemas.Destination{Class: "personal_mail", External: true}
		if e.Activity == "hr.resignation" {
			last := monday + days(rapid.IntRange(0, 60).Draw(r, "last"))
			e = resignation(at, monday+days(rapid.IntRange(-30, 30).Draw(r, "notice")), last)
		}
		list[i] = e
	}
	return list
}

// Whatever happens, ledgers sum to their scores, scores stay within 0..100 and
// the state survives its binary form.
func TestScore_properties(t *testing.T) {
	e := engine(t)
	rapid.Check(t, func(r *rapid.T) {
		var (
			s, again State
			out      Output
			bytes1   []byte
		)
		for _, ev := range drawEvents(r) {
			e.Score(&s, &ev, &out)
			b, err := s.AppendBinary(nil)
			if err != nil {
				r.Fatal(err)
			}
			if err := again.UnmarshalBinary(b); err != nil {
				r.Fatal(err)
			}
			if bytes1, err = again.AppendBinary(bytes1[:0]); err != nil || !bytes.Equal(b, bytes1) {
				r.Fatalf("state changed on its way through bytes: %v", err)
			}
		}
		for _, a := range out.Alerts {
			if a.Score < 0 || a.Score > 100_000 || sum(a.Contributions) != a.Score {
				r.Fatalf("score %s, ledger %s", a.Score, sum(a.Contributions))
			}
		}
		for _, k := range out.Risks {
			if sum(k.Contributions) != k.Score {
				r.Fatalf("score %s, ledger %s", k.Score, sum(k.Contributions))
			}
		}
	})
}

func sum(lines []schemas.Contribution) (total schemas.Points) {
	for _, c := range lines {
		total += c.Points
	}
	return total
}

// Delivering every event again, in any order, changes nothing; and activity
// gives the same score in whatever order it arrives.
func TestScore_duplicatesAndDisorder(t *testing.T) {
	e := engine(t)
	rapid.Check(t, func(r *rapid.T) {
		events := slices.DeleteFunc(drawEvents(r), func(ev schemas.Event) bool { return ev.Source == schemas.SourceHR })
		for i := range events {
			events[i].ObservedTime = monday + days(31) // all arrive within the horizon of duplicates
		}
		var s, shuffled State
		var out Output
		for _, ev := range events {
			e.Score(&s, &ev, &out)
		}
		want, _ := s.AppendBinary(nil)
		order := rapid.Permutation(events).Draw(r, "order")
		for _, ev := range order {
			e.Score(&s, &ev, &out)
			if out.Disposition == Scored {
				r.Fatal("a second delivery was scored")
			}
			e.Score(&shuffled, &ev, &out)
		}
		if got, _ := s.AppendBinary(nil); !bytes.Equal(got, want) {
			r.Fatal("a second delivery changed the state")
		}
		var room scratch
		c := &e.policies[0]
		if a, b := c.assess(&s, &room), c.assess(&shuffled, &room); a.score != b.score {
			r.Fatalf("score %s in one order, %s in another", a.score, b.score)
		}
	})
}

// More evidence never lowers a score.
func TestScore_monotone(t *testing.T) {
	leave := resignation(monday, monday, monday+days(14))
	previous := schemas.Points(0)
	p := newPerson(t).fold(leave)
	for _, e := range copies(80, monday+days(10)) {
		p.fold(e)
		if p.score() < previous {
			t.Fatalf("score fell from %s to %s", previous, p.score())
		}
		previous = p.score()
	}
}

// Damaged or hostile bytes give an error, never a panic or a huge allocation.
func FuzzState(f *testing.F) {
	p := newPerson(f).fold(resignation(monday, monday, monday+days(14))).fold(copies(50, monday+days(10))...)
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
		engine(t).Score(&s, &e, &out)
	})
}

func BenchmarkScore(b *testing.B) {
	e := engine(b)
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
	want := newPerson(t).fold(leave).fold(events...).lastAlert()
	rapid.Check(t, func(r *rapid.T) {
		got := newPerson(t).fold(leave).fold(rapid.Permutation(events).Draw(r, "order")...).lastAlert()
		if got.Score != want.Score || got.ID != want.ID || !slices.Equal(got.Contributions, want.Contributions) {
			r.Fatalf("%s %+v, in order %s %+v", got.Score, got.Contributions, want.Score, want.Contributions)
		}
	})
}
