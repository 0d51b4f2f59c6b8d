package pipeline

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
)

// evidenceAndInfo maps "evidence <user>" and "info" to the two halves of one
// alert.
func evidenceAndInfo() scripted {
	s := scripted{"info": {Findings: []normalise.Finding{{
		ID: "alert-1", Time: 5, Title: "Ransomware", Detection: schemas.Detection{Finding: 77, Category: "ransomware", Severity: "high", Techniques: []string{"T1486"}},
	}}}}
	for i, user := range []string{"ada", "ben"} {
		e := tinyEvent(0, int64(i))
		e.Source, e.Activity, e.Evidence = schemas.SourceDefender, "detection.alert", []byte("sealed")
		e.Detection = &schemas.Detection{Finding: 77, Severity: "medium"}
		s["evidence "+user] = normalise.Result{Events: []*normalise.Event{{
			Event: e, Finding: "alert-1", Actor: normalise.Actor{Type: schemas.ActorPerson, UPN: user + "@contoso.com"},
		}}}
	}
	return s
}

// Both halves of an alert give the same events, whichever comes first and
// however they fall into batches.
func TestResolver_findings(t *testing.T) {
	// user, activity, severity; each event once. The evidence's own word holds.
	before := []string{
		"ada detection.alert medium", "ben detection.alert medium",
		"ada detection.ransomware medium completed", "ben detection.ransomware medium completed",
	}
	after := []string{"ada detection.ransomware medium", "ben detection.ransomware medium"}
	for _, test := range []struct {
		order string
		want  []string
	}{
		{"evidence ada,evidence ben,info", before},
		{"info,evidence ada,evidence ben", after},
		{"evidence ada,info,evidence ben", []string{before[0], before[2], after[1]}},
		{"evidence ada,evidence ada,info,info", []string{before[0], before[0], before[2], before[2]}},
	} {
		for _, perBatch := range []int{1, 2, 9} {
			t.Run(fmt.Sprintf("%s by %d", test.order, perBatch), func(t *testing.T) {
				names := NewMemoryNames()
				var got []string
				ids := map[schemas.UUID]bool{}
				var raws []normalise.Raw
				for i, value := range strings.Split(test.order, ",") {
					raws = append(raws, normalise.Raw{Topic: "raw.defender", Offset: int64(100 + i), Time: schemas.Time(9000 + i), Value: []byte(value)})
				}
				for len(raws) > 0 {
					n := min(perBatch, len(raws))
					out := processFindings(t, names, raws[:n])
					for _, e := range out.Events {
						got = append(got, describe(t, e.Event))
						ids[e.ID] = true
					}
					raws = raws[n:]
				}
				// Within one batch a repeated completion is left out.
				if perBatch == 1 || !strings.Contains(test.order, "info,info") {
					if strings.Join(got, "\n") != strings.Join(test.want, "\n") {
						t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
					}
				}
				distinct := map[string]bool{}
				for _, text := range test.want {
					distinct[text] = true
				}
				if len(ids) != len(distinct) {
					t.Errorf("%d ids for %d different events", len(ids), len(distinct))
				}
			})
		}
	}
}

func processFindings(t *testing.T, names Names, raws []normalise.Raw) Batch {
	t.Helper()
	r := newResolver(t, names, func(d *ResolverDeps) { d.Activity = normalise.DetectionActivity })
	var out Batch
	if err := NewBatchNormaliser(evidenceAndInfo(), r).Process(t.Context(), schemas.SourceDefender, raws, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func describe(t *testing.T, e schemas.Event) string {
	user := strings.TrimSuffix(strings.TrimPrefix(whose(t, e.User), "upn:"), "@contoso.com")
	text := user + " " + e.Activity + " " + e.Detection.Severity
	if e.Detection.Finding != 77 {
		t.Errorf("finding %d, want 77", e.Detection.Finding)
	}
	if e.Evidence == nil {
		text += " completed"
	}
	return text
}

// racing answers lookups as they were before the other process stored its half.
type racing struct {
	*MemoryNames
	other func()
}

func (r *racing) Lookup(ctx context.Context, keys []schemas.Pseudonym) ([][]byte, error) {
	values, err := r.MemoryNames.Lookup(ctx, keys)
	if r.other != nil {
		other := r.other
		r.other = nil
		other()
	}
	return values, err
}

// Two processes with a half each, reading before either has stored, still come
// to the whole.
func TestResolver_findingsRace(t *testing.T) {
	for _, halves := range [][2]string{{"evidence ada", "info"}, {"info", "evidence ada"}} {
		t.Run(halves[0]+" first", func(t *testing.T) {
			names := NewMemoryNames()
			var all []string
			collect := func(b Batch) {
				for _, e := range b.Events {
					all = append(all, describe(t, e.Event))
				}
			}
			slow := &racing{MemoryNames: names}
			slow.other = func() { collect(processFindings(t, names, []normalise.Raw{{Value: []byte(halves[1]), Time: 1}})) }
			collect(processFindings(t, slow, []normalise.Raw{{Value: []byte(halves[0]), Time: 1}}))
			if text := strings.Join(all, "\n"); !strings.Contains(text, "ada detection.ransomware medium") {
				t.Errorf("the alert was never joined:\n%s", text)
			}
		})
	}
}

// What the store holds and nobody can read counts as not there.
func TestResolver_unreadableFinding(t *testing.T) {
	names := NewMemoryNames()
	key := testKey(t)
	if _, err := names.Learn(t.Context(), []Name{
		{Key: key.Pseudonym("finding:alert-1"), Value: []byte("rubbish"), For: 1},
		{Key: key.Pseudonym("waiting:alert-1"), Value: []byte{200, 1, 'x'}, For: 1},
	}); err != nil {
		t.Fatal(err)
	}
	out := processFindings(t, names, []normalise.Raw{{Value: []byte("evidence ada")}})
	if len(out.Events) != 1 || out.Events[0].Detection.Category != "" {
		t.Errorf("events %+v", out.Events)
	}
}
