package operators

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/riskpipe/riskpipe/schemas"
)

// drawActivity makes some weeks of one person's mixed activity, all of which
// arrives within the horizon of duplicates.
func drawActivity(r *rapid.T) []schemas.Event {
	activities := []string{
		"file.copied_to_removable_media", "file.uploaded_to_cloud", "email.sent_external", "file.downloaded", "file.renamed",
		"file.printed", "file.archived", "file.deleted", "signin.succeeded", "signin.failed", "unheard.of",
	}
	countries := []string{"DE", "FR", "US", "JP"}
	list := make([]schemas.Event, rapid.IntRange(1, 60).Draw(r, "n"))
	for i := range list {
		at := monday + schemas.Time(rapid.Int64Range(0, 20*24).Draw(r, "hour"))*millisPerHour + schemas.Time(i)
		e := event(rapid.SampledFrom(activities).Draw(r, "activity"), at, fmt.Sprint(i))
		name := schemas.Hash(rapid.Int64Range(1, 12).Draw(r, "name"))
		e.ObservedTime = monday + days(21)
		e.File = &schemas.File{Name: name, Size: int64(name) << 20, SensitiveCount: int32(name % 3)}
		e.Email = &schemas.Email{Message: name}
		switch e.Activity {
		case "file.renamed", "file.archived":
			e.File.Previous = schemas.Hash(rapid.Int64Range(1, 12).Draw(r, "previous"))
		case "signin.succeeded":
			place := int32(name % 4)
			e.Source, e.SourceIP = schemas.SourceSignIn, &schemas.SourceIP{Country: countries[place], Latitude: 10 + place*9, Longitude: 30 * place}
		case "signin.failed":
			e.Source, e.Outcome = schemas.SourceSignIn, schemas.OutcomeFailure
		}
		list[i] = e
	}
	return list
}

// drawHR makes what the HR feed says of one person over some weeks.
func drawHR(r *rapid.T) []schemas.Event {
	list := make([]schemas.Event, rapid.IntRange(0, 8).Draw(r, "statements"))
	for i := range list {
		known := monday + schemas.Time(rapid.Int64Range(0, 20*24).Draw(r, "known"))*millisPerHour
		notice := monday + days(rapid.IntRange(-20, 20).Draw(r, "notice"))
		last := monday + days(rapid.IntRange(0, 60).Draw(r, "last"))
		switch rapid.IntRange(0, 5).Draw(r, "kind") {
		case 0, 1:
			list[i] = resignation(known, notice, last)
		case 2:
			list[i] = withdrawal(known)
		case 3:
			list[i] = termination(known, last)
		case 4:
			list[i] = hr("hr.performance_improvement_plan", known, schemas.HR{Effective: notice})
		default:
			list[i] = event("account.deleted", known, fmt.Sprint(i))
		}
		list[i].ObservedTime = monday + days(21)
	}
	return list
}

// factsOf are the bytes of what is known of a person, apart from what was said
// about them.
func factsOf(r interface{ Fatal(...any) }, s State) []byte {
	withoutOutput(&s)
	b, err := s.AppendBinary(nil)
	if err != nil {
		r.Fatal(err)
	}
	return b
}

// fold returns the state after the events, and everything that came of them.
func fold(e *Engine, events []schemas.Event) (s State, out Output) {
	for i := range events {
		e.Score(&s, &events[i], &out)
	}
	return s, out
}

// Whatever the order in which facts arrive, and however often, what is known is
// the same to the byte, and so is every score.
func TestProperty_orderAndRepetition(t *testing.T) {
	e := newSample(t)
	rapid.Check(t, func(r *rapid.T) {
		events := append(drawActivity(r), drawHR(r)...)
		want, _ := fold(e, events)
		order := make([]int, 0, 2*len(events))
		for i := range events {
			order = append(order, i)
			if rapid.Bool().Draw(r, "again") {
				order = append(order, i)
			}
		}
		var shuffled []schemas.Event
		for _, i := range rapid.Permutation(order).Draw(r, "order") {
			shuffled = append(shuffled, events[i])
		}
		got, _ := fold(e, shuffled)
		if a, b := factsOf(r, want), factsOf(r, got); !bytes.Equal(a, b) {
			withoutOutput(&want)
			withoutOutput(&got)
			r.Fatalf("facts differ: %s", firstDifference(fmt.Sprintf("%+v", want), fmt.Sprintf("%+v", got)))
		}
		for _, policy := range []string{"leaver", "leaks"} {
			if a, b := scoreNow(e, &want, policy), scoreNow(e, &got, policy); a != b {
				r.Fatalf("%s: score %s in order, %s in disorder", policy, a, b)
			}
		}
	})
}

// A state that is stored and read again after every event gives the same
// output as one that stays in memory: caches are only that.
func TestProperty_storedOrNot(t *testing.T) {
	e := newSample(t)
	rapid.Check(t, func(r *rapid.T) {
		events := rapid.Permutation(append(drawActivity(r), drawHR(r)...)).Draw(r, "order")
		kept, want := fold(e, events)
		var got Output
		var stored []byte
		for i := range events {
			var s State
			if stored != nil {
				if err := s.UnmarshalBinary(stored); err != nil {
					r.Fatal(err)
				}
			}
			e.Score(&s, &events[i], &got)
			b, err := s.AppendBinary(nil)
			if err != nil {
				r.Fatal(err)
			}
			if stored != nil && !s.Changed() && !bytes.Equal(b, stored) {
				r.Fatalf("event %d changed the state and did not say so: %s", i, events[i].Activity)
			}
			stored = b
		}
		if b, _ := kept.AppendBinary(nil); !bytes.Equal(b, stored) {
			r.Fatal("states differ")
		}
		if fmt.Sprint(want.Alerts) != fmt.Sprint(got.Alerts) || fmt.Sprint(want.Risks) != fmt.Sprint(got.Risks) {
			r.Fatalf("outputs differ:\n%+v\n%+v", want, got)
		}
	})
}

// Ledgers sum to their scores, scores lie within 0 and 100, and versions of an
// alert count up by one.
func TestProperty_ledgers(t *testing.T) {
	e := newSample(t)
	rapid.Check(t, func(r *rapid.T) {
		events := rapid.Permutation(append(drawActivity(r), drawHR(r)...)).Draw(r, "order")
		_, out := fold(e, events)
		versions := map[schemas.UUID]int32{}
		for _, a := range out.Alerts {
			if a.Score < 0 || a.Score > 100_000 || sum(a.Contributions) != a.Score {
				r.Fatalf("score %s, ledger %s: %+v", a.Score, sum(a.Contributions), a.Contributions)
			}
			if versions[a.ID]++; versions[a.ID] != a.Version {
				r.Fatalf("version %d follows %d", a.Version, versions[a.ID]-1)
			}
			for _, c := range a.Counterfactuals {
				if c.Score < 0 || c.Score > 100_000 {
					r.Fatalf("counterfactual %+v", c)
				}
			}
		}
		var last schemas.Points
		for _, k := range out.Risks {
			if k.Score < 0 || k.Score > 100_000 || sum(k.Contributions) != k.Score || k.Score-last != k.Delta {
				r.Fatalf("score %s by %s, ledger %s", k.Score, k.Delta, sum(k.Contributions))
			}
			last = k.Score
		}
	})
}

func sum(lines []schemas.Contribution) (total schemas.Points) {
	for _, c := range lines {
		total += c.Points
	}
	return total
}

// Facts of the HR feed alone never alert, whatever they are.
func TestProperty_factsAloneNeverAlert(t *testing.T) {
	e := newSample(t)
	rapid.Check(t, func(r *rapid.T) {
		events := drawHR(r)
		for i := range events {
			events[i].Groups = []string{"priority"}
		}
		if _, out := fold(e, events); len(out.Alerts) > 0 {
			r.Fatalf("alert %+v", out.Alerts[0])
		}
	})
}

// A resignation that was taken back leaves exactly the measures and scores of a
// world without it.
func TestProperty_withdrawal(t *testing.T) {
	e := newSample(t)
	rapid.Check(t, func(r *rapid.T) {
		activity := drawActivity(r)
		taken := []schemas.Event{resignation(monday+days(3), monday, monday+days(14)), withdrawal(monday + days(9))}
		with, _ := fold(e, rapid.Permutation(append(slices.Clone(activity), taken...)).Draw(r, "order"))
		// The day on which it was taken back is known in both worlds.
		never, _ := fold(e, append(activity, withdrawal(monday+days(9))))
		for _, policy := range []string{"leaver", "leaks"} {
			if a, b := scoreNow(e, &with, policy), scoreNow(e, &never, policy); a != b {
				r.Fatalf("%s: score %s after the withdrawal, %s without a resignation", policy, a, b)
			}
		}
		with.hr, never.hr = nil, nil // the journal remembers what was said
		if a, b := factsOf(r, with), factsOf(r, never); !bytes.Equal(a, b) {
			withoutOutput(&with)
			withoutOutput(&never)
			r.Fatalf("measures differ: %s", firstDifference(fmt.Sprintf("%+v", with), fmt.Sprintf("%+v", never)))
		}
	})
}

// More of anything on the newest day never lowers a score.
func TestProperty_monotone(t *testing.T) {
	e := newSample(t)
	rapid.Check(t, func(r *rapid.T) {
		events := append(drawActivity(r), resignation(monday, monday, monday+days(14)))
		s, _ := fold(e, events)
		at := schemas.Time(int64(s.today)*millisPerDay) + 23*millisPerHour
		for i := range 12 {
			more := drawActivity(r)[0]
			more.ID, more.Time, more.ObservedTime = schemas.NewUUID("more", fmt.Sprint(i)), at+schemas.Time(i)*1000, monday+days(21)
			more.File.Name += schemas.Hash(1000 + i)
			before := [2]schemas.Points{scoreNow(e, &s, "leaver"), scoreNow(e, &s, "leaks")}
			var out Output
			e.Score(&s, &more, &out)
			if after := [2]schemas.Points{scoreNow(e, &s, "leaver"), scoreNow(e, &s, "leaks")}; after[0] < before[0] || after[1] < before[1] {
				r.Fatalf("%s: scores fell from %v to %v", more.Activity, before, after)
			}
		}
	})
}

// What others do changes nothing: two people's events interleaved give what each
// gives alone.
func TestProperty_others(t *testing.T) {
	e := newSample(t)
	rapid.Check(t, func(r *rapid.T) {
		first, second := append(drawActivity(r), drawHR(r)...), append(drawActivity(r), drawHR(r)...)
		alone, want := fold(e, first)
		var one, other State
		var out, noise Output
		for len(first)+len(second) > 0 {
			if len(second) == 0 || len(first) > 0 && rapid.Bool().Draw(r, "which") {
				e.Score(&one, &first[0], &out)
				first = first[1:]
			} else {
				e.Score(&other, &second[0], &noise)
				second = second[1:]
			}
		}
		a, _ := alone.AppendBinary(nil)
		if b, _ := one.AppendBinary(nil); !bytes.Equal(a, b) || fmt.Sprint(want.Alerts, want.Risks) != fmt.Sprint(out.Alerts, out.Risks) {
			r.Fatal("somebody else's events changed the result")
		}
	})
}

// The changes of a person's risk are counted from 1 without a gap, and each is newer
// than the one before it, whatever the order of the facts and wherever the state
// was stored and read back meanwhile.
func TestProperty_riskSequence(t *testing.T) {
	e := newSample(t)
	rapid.Check(t, func(r *rapid.T) {
		events := rapid.Permutation(append(drawActivity(r), drawHR(r)...)).Draw(r, "events")
		var s State
		var out Output
		for i := range events {
			e.Score(&s, &events[i], &out)
			if rapid.Bool().Draw(r, "stored") {
				b, err := s.AppendBinary(nil)
				if err == nil {
					err = s.UnmarshalBinary(b)
				}
				if err != nil {
					r.Fatal(err)
				}
			}
		}
		for i := range out.Risks {
			if out.Risks[i].Sequence != int64(i)+1 {
				r.Fatalf("change %d has sequence %d", i+1, out.Risks[i].Sequence)
			}
			if i > 0 && (!out.Risks[i].Newer(&out.Risks[i-1]) || out.Risks[i-1].Newer(&out.Risks[i])) {
				r.Fatalf("%+v is not newer than %+v", out.Risks[i], out.Risks[i-1])
			}
		}
	})
}

// withoutOutput strips what was said about a person, and the events that are
// kept to be named: which of a day's events those are is a matter of order.
func withoutOutput(s *State) {
	s.clock, s.alerts, s.risk = 0, nil, riskState{}
	s.measures = slices.Clone(s.measures)
	for i := range s.measures {
		m := &s.measures[i]
		m.cited, m.values = nil, slices.Clone(m.values)
		for j := range m.values {
			m.values[j].first.id = schemas.UUID{}
		}
	}
}

// firstDifference shows where two texts part.
func firstDifference(a, b string) string {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	from := max(i-80, 0)
	return fmt.Sprintf("%q and %q", a[from:min(i+80, len(a))], b[from:min(i+80, len(b))])
}

// The same bytes on every machine: states and output of a fixed story hash to a
// value that was computed on amd64. `make test-386` runs this test on another
// architecture, with words of another size.
func TestSameBytesEverywhere(t *testing.T) {
	const want = "2cbb6418a7f7eb317251b130b3add0661132fe1a6d9586034404d8adede29f2d"
	e := newSample(t)
	dice := rand.New(rand.NewPCG(7, 7))
	activities := []string{
		"file.copied_to_removable_media", "file.uploaded_to_cloud", "email.sent_external", "file.downloaded", "file.renamed",
		"file.printed", "file.archived", "file.deleted", "signin.succeeded", "signin.failed",
	}
	sum := sha256.New()
	var s State
	var out Output
	for i := range 8000 {
		at := monday + schemas.Time(i)*20*60_000 - schemas.Time(dice.Int64N(3*millisPerDay))
		ev := event(activities[dice.IntN(len(activities))], at, fmt.Sprint(i))
		name := schemas.Hash(dice.Int64N(60) + 1)
		ev.ObservedTime = monday + schemas.Time(i)*20*60_000
		ev.File = &schemas.File{Name: name, Previous: schemas.Hash(dice.Int64N(60)), Size: dice.Int64N(1 << 33), SensitiveCount: int32(dice.IntN(3))}
		ev.Email = &schemas.Email{Message: name}
		ev.SourceIP = &schemas.SourceIP{Country: []string{"DE", "FR", "US"}[dice.IntN(3)], Latitude: int32(dice.IntN(120) - 60), Longitude: int32(dice.IntN(360) - 180)}
		if i%400 == 399 {
			ev = resignation(ev.ObservedTime, ev.ObservedTime, ev.ObservedTime+days(dice.IntN(60)))
		}
		out.Reset()
		e.Score(&s, &ev, &out)
		fmt.Fprintf(sum, "%v %v", out.Alerts, out.Risks)
	}
	b, err := s.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	sum.Write(b)
	if got := hex.EncodeToString(sum.Sum(nil)); got != want {
		t.Errorf("hash %s, want %s", got, want)
	}
}
