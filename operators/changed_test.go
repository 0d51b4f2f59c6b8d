package operators

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"github.com/riskpipe/riskpipe/schemas"
)

// What Changed does not tell is not stored: a state that altered without it would
// depend on how long its owner lives.
func TestProperty_changedTellsEveryChange(t *testing.T) {
	e := newSample(t)
	rapid.Check(t, func(r *rapid.T) {
		events := append(drawActivity(r), drawHR(r)...)
		for range rapid.IntRange(0, 5).Draw(r, "profiles") {
			known := monday + schemas.Time(rapid.Int64Range(0, 20*24).Draw(r, "known"))*millisPerHour
			name := schemas.Hash(rapid.Int64Range(0, 3).Draw(r, "family name"))
			events = append(events, hr("hr.employee_profile", known, schemas.HR{FamilyName: name}))
		}
		for i := range events {
			if rapid.IntRange(0, 9).Draw(r, "group") == 0 {
				events[i].Groups = []string{"priority"}
			}
		}
		var s State
		var out Output
		before, err := s.AppendBinary(nil)
		if err != nil {
			r.Fatal(err)
		}
		for i, at := range rapid.Permutation(indexes(events)).Draw(r, "order") {
			e.Score(&s, &events[at], &out)
			after, err := s.AppendBinary(nil)
			if err != nil {
				r.Fatal(err)
			}
			if !s.Changed() && !bytes.Equal(before, after) {
				r.Fatalf("event %d, %s, altered the state, and Changed does not tell", i, events[at].Activity)
			}
			before = after
		}
	})
}

func indexes(events []schemas.Event) []int {
	all := make([]int, len(events))
	for i := range all {
		all[i] = i
	}
	return all
}
