package operators

import (
	"bytes"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/riskpipe/riskpipe/schemas"
)

// Whatever came before an erasure, and however often it is ordered, what follows
// is scored as for a person never seen, to the byte. What was open is closed by
// it, with nothing left of the score.
func TestProperty_forget(t *testing.T) {
	e := newSample(t)
	rapid.Check(t, func(r *rapid.T) {
		before, after := append(drawActivity(r), drawHR(r)...), append(drawActivity(r), drawHR(r)...)
		again := rapid.Bool().Draw(r, "again")
		s, said := fold(e, before)
		user := before[0].User
		var out Output
		e.Forget(&s, user, monday+days(30), &out)
		if stored, _ := s.AppendBinary(nil); !bytes.Equal(stored, emptyState(r)) || !s.Changed() {
			r.Fatal("something is left in the state")
		}
		open := openAlerts(said.Alerts)
		for _, a := range out.Alerts {
			if last, ok := open[a.ID]; !ok || a.Version != last.Version+1 || a.Status != schemas.AlertClosed || a.Score != 0 ||
				len(a.Contributions)+len(a.EventIDs) > 0 || a.User != user || a.ObservedTime != monday+days(30) {
				r.Fatalf("%+v closes %+v", a, last)
			}
			delete(open, a.ID)
		}
		if len(open) > 0 || len(out.Risks) > 0 {
			r.Fatalf("left open: %+v; risks %+v", open, out.Risks)
		}
		if again {
			if e.Forget(&s, user, monday+days(31), &out); len(out.Alerts) != len(openAlerts(said.Alerts)) {
				r.Fatal("forgetting again said more")
			}
		}
		want, wanted := fold(e, after)
		var got Output
		for i := range after {
			e.Score(&s, &after[i], &got)
		}
		a, _ := want.AppendBinary(nil)
		if b, _ := s.AppendBinary(nil); !bytes.Equal(a, b) || fmt.Sprint(wanted.Alerts, wanted.Risks) != fmt.Sprint(got.Alerts, got.Risks) {
			r.Fatal("what was forgotten changed the result")
		}
	})
}

func emptyState(r interface{ Fatal(...any) }) []byte {
	b, err := new(State).AppendBinary(nil)
	if err != nil {
		r.Fatal(err)
	}
	return b
}

// openAlerts are the last versions of those alerts that are open.
func openAlerts(said []schemas.Alert) map[schemas.UUID]schemas.Alert {
	last := map[schemas.UUID]schemas.Alert{}
	for _, a := range said {
		last[a.ID] = a
	}
	for id, a := range last {
		if a.Status != schemas.AlertOpen {
			delete(last, id)
		}
	}
	return last
}
