package pipeline

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
)

// scopedResolver is a resolver with works_council, which Ada is in, out of scope.
func scopedResolver(t testing.TB, names Names, change func(*ScopeConfig), named map[schemas.Pseudonym]string) *Resolver {
	t.Helper()
	config := ScopeConfig{Exclude: []ScopeRule{{Groups: []string{"works_council"}}}}
	if change != nil {
		change(&config)
	}
	return newResolver(t, names, func(d *ResolverDeps) {
		d.Scope, d.Activity = newScope(t, config), normalise.DetectionActivity
		if named != nil {
			d.Named = func(user schemas.Pseudonym, name string) { named[user] = name }
		}
	})
}

// Of people who are out of scope there is no event, no name and no pseudonym, by
// whichever name they come, and they do not count as unresolved; all others are as
// ever.
func TestResolver_scope(t *testing.T) {
	names := NewMemoryNames()
	named := map[schemas.Pseudonym]string{}
	r := scopedResolver(t, names, nil, named)
	var out Batch
	got := people(
		t, r, &out,
		normalise.Actor{UPN: "ada@contoso.com", ObjectID: adaID, EmployeeID: "E1"},
		normalise.Actor{ObjectID: adaID},
		normalise.Actor{UPN: "ben@contoso.com", ObjectID: benID},
		normalise.Actor{ObjectID: benID},
		normalise.Actor{Mail: "ada@contoso.com"},
		normalise.Actor{Type: schemas.ActorService, App: "backup"},
		normalise.Actor{Type: schemas.ActorAnonymous},
		normalise.Actor{Type: schemas.ActorUnknown}, // nobody: perhaps Ada
	)
	if d := cmp.Diff([]string{"upn:ben@contoso.com", "upn:ben@contoso.com", "app:backup", "nobody"}, got); d != "" {
		t.Errorf("users (-want +got):\n%s", d)
	}
	if d := cmp.Diff(map[ScopeReason]int{ScopeExcluded: 3, ScopeUnknown: 1}, out.OutOfScope); d != "" {
		t.Errorf("out of scope (-want +got):\n%s", d)
	}
	if out.Unresolved != 0 {
		t.Errorf("%d unresolved", out.Unresolved)
	}
	key := testKey(t)
	ada, kept := key.Pseudonym("upn:ada@contoso.com"), 0
	for name, user := range names.names {
		if kept++; name == ada || schemas.Pseudonym(user) == ada {
			t.Errorf("%s leads to %x", whose(t, name), user)
		}
	}
	if kept != 4 { // two each
		t.Errorf("%d names are kept", kept)
	}
	if len(named) != 2 || named[key.Pseudonym("upn:ben@contoso.com")] == "" || named[key.Pseudonym("app:backup")] == "" {
		t.Errorf("named %v", named)
	}
	if people(t, r, &out, normalise.Actor{UPN: "cyd@contoso.com"}); len(out.OutOfScope) != 0 {
		t.Errorf("counts stay: %v", out.OutOfScope)
	}
}

// Where unknown people are recorded, those out of scope are until a record has told
// who they are.
func TestResolver_scopeRecordsUnknown(t *testing.T) {
	names := NewMemoryNames()
	r := scopedResolver(t, names, func(c *ScopeConfig) { c.RecordUnknown = true }, nil)
	var out Batch
	got := people(
		t, r, &out,
		normalise.Actor{EmployeeID: "E1"},
		normalise.Actor{UPN: "ada@contoso.com", ObjectID: adaID, EmployeeID: "E1"},
		normalise.Actor{ObjectID: adaID, SID: "S-1-5-21-1"},
		normalise.Actor{SID: "S-1-5-21-1"},
	)
	if d := cmp.Diff([]string{"eid:E1"}, got); d != "" || out.OutOfScope[ScopeExcluded] != 3 || out.Unresolved != 1 || len(names.names) != 3 {
		t.Errorf("%d unresolved, out of scope %v, %d names, users (-want +got):\n%s", out.Unresolved, out.OutOfScope, len(names.names), d)
	}
}

// Whoever goes by another's name stays excluded by their own.
func TestResolver_scopeOtherName(t *testing.T) {
	for effect, change := range map[string]func(*ScopeConfig){
		"rule": nil,
		"temporary": func(c *ScopeConfig) {
			c.Exclude = nil
			c.Temporary = []TemporaryScope{
				{Name: "a", Effect: ScopeExclude, Users: []string{"ada@contoso.com"}, From: 1, Until: 1 << 50},
				{Name: "b", Effect: ScopeInclude, Users: []string{"ben@contoso.com"}, From: 1, Until: 1 << 50},
			}
		},
	} {
		r := scopedResolver(t, NewMemoryNames(), change, nil)
		var out Batch
		got := people(t, r, &out, normalise.Actor{UPN: "ben@contoso.com", Mail: "ada@contoso.com"}, normalise.Actor{UPN: "ada@contoso.com"}, normalise.Actor{UPN: "ben@contoso.com"})
		if d := cmp.Diff([]string{"upn:ben@contoso.com", "upn:ben@contoso.com"}, got); d != "" {
			t.Errorf("%s: users (-want +got):\n%s", effect, d)
		}
	}
}

// Names that were learned of somebody out of scope lead to them once they have come
// into scope: at once where a temporary scope names them, else with the first
// record that has their UPN. What another claims stays theirs.
func TestResolver_scopeComesIntoScope(t *testing.T) {
	ada, byID := normalise.Actor{UPN: "ada@contoso.com", ObjectID: adaID, EmployeeID: "E1"}, normalise.Actor{ObjectID: adaID}
	for name, test := range map[string]struct {
		change func(*ScopeConfig)
		want   []string
	}{
		"temporary scope": {func(c *ScopeConfig) {
			c.Temporary = []TemporaryScope{{Name: "a", Effect: ScopeInclude, Users: []string{"ada@contoso.com"}, From: 1, Until: 1 << 50}}
		}, []string{"upn:ada@contoso.com", "upn:ben@contoso.com", "upn:ada@contoso.com", "upn:ada@contoso.com", "upn:ada@contoso.com"}},
		"no scope any more": {func(c *ScopeConfig) { *c = ScopeConfig{} }, []string{
			outOfScope(testKey(t), testKey(t).Pseudonym("upn:ada@contoso.com")).String(), "upn:ben@contoso.com",
			"upn:ada@contoso.com", "upn:ada@contoso.com", "upn:ada@contoso.com",
		}},
	} {
		names := NewMemoryNames()
		var out Batch
		if people(t, scopedResolver(t, names, nil, nil), &out, ada, byID); len(out.Events) != 0 {
			t.Fatalf("%d events", len(out.Events))
		}
		ben := normalise.Actor{UPN: "ben@contoso.com", EmployeeID: "E1"} // which is Ada's
		got := people(t, scopedResolver(t, names, test.change, nil), &out, byID, ben, ada, byID, normalise.Actor{EmployeeID: "E1"})
		if d := cmp.Diff(test.want, got); d != "" || out.Conflicts != 1 {
			t.Errorf("%s: %d conflicts, users (-want +got):\n%s", name, out.Conflicts, d)
		}
		if got := people(t, newResolver(t, names, nil), &out, byID); got[0] != "upn:ada@contoso.com" {
			t.Errorf("%s: another process sees %s", name, got[0])
		}
	}
}

// A link of somebody of whom no event can be in scope tells nobody; of somebody who
// is out of scope for one feed it does.
func TestResolver_scopeLinks(t *testing.T) {
	link := scripted{"": {Links: []normalise.Actor{{Type: schemas.ActorPerson, UPN: "ada@contoso.com", ObjectID: adaID}}}}
	for _, test := range []struct {
		name         string
		change       func(*ScopeConfig)
		links, names int
	}{
		{"out of scope", nil, 0, 1},
		{"out of scope, unknown people recorded", func(c *ScopeConfig) { c.RecordUnknown = true }, 0, 1},
		{"out of scope for a feed", func(c *ScopeConfig) { c.Exclude[0].Sources = []schemas.Source{schemas.SourceEmail} }, 1, 2},
		{"included for an activity", func(c *ScopeConfig) {
			*c = ScopeConfig{Include: []ScopeRule{{Groups: []string{"emea"}, Activities: []string{"file.*"}}}}
		}, 1, 2},
		{"not included", func(c *ScopeConfig) { *c = ScopeConfig{Include: []ScopeRule{{Groups: []string{"apac"}}}} }, 0, 1},
	} {
		names, named := NewMemoryNames(), map[schemas.Pseudonym]string{}
		r := scopedResolver(t, names, test.change, named)
		var out Batch
		if err := NewBatchNormaliser(link, r).Process(t.Context(), schemas.SourceDefender, []normalise.Raw{{Time: 5}}, &out); err != nil {
			t.Fatal(err)
		}
		if len(out.Links) != test.links || len(named) != test.links || len(names.names) != test.names || len(out.OutOfScope) != 0 {
			t.Errorf("%s: %d links, %d named, %d names, %v", test.name, len(out.Links), len(named), len(names.names), out.OutOfScope)
		}
	}
}

// Evidence of people out of scope neither waits for its alert nor is completed,
// and what waited when they went out of scope is dropped, from the store too.
func TestResolver_scopeFindings(t *testing.T) {
	process := func(r *Resolver, values ...string) (Batch, string) {
		t.Helper()
		var raws []normalise.Raw
		for i, value := range values {
			raws = append(raws, normalise.Raw{Topic: "raw.defender", Offset: int64(i), Time: 1, Value: []byte(value)})
		}
		var out Batch
		if err := NewBatchNormaliser(evidenceAndInfo(), r).Process(t.Context(), schemas.SourceDefender, raws, &out); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range out.Events {
			got = append(got, describe(t, e.Event))
		}
		return out, strings.Join(got, ",")
	}
	waits := func(names *MemoryNames, name string) bool {
		t.Helper()
		value, _ := names.expiring.get(testKey(t).Pseudonym("waiting:alert-1"))
		user := testKey(t).Pseudonym("upn:" + name + "@contoso.com")
		return strings.Contains(string(value), string(user[:]))
	}
	const benOnly = "ben detection.alert medium,ben detection.ransomware medium completed"

	names := NewMemoryNames()
	r := scopedResolver(t, names, nil, nil)
	if out, got := process(r, "evidence ada", "evidence ben", "info"); got != benOnly || out.OutOfScope[ScopeExcluded] != 1 || waits(names, "ada") || !waits(names, "ben") {
		t.Errorf("in one batch: %s, %v", got, out.OutOfScope)
	}
	if out, got := process(r, "info", "evidence ada"); got != "ben detection.ransomware medium completed" || out.OutOfScope[ScopeExcluded] != 1 {
		t.Errorf("the alert first: %s, %v", got, out.OutOfScope)
	}

	names = NewMemoryNames()
	if _, got := process(newResolver(t, names, nil), "evidence ada", "evidence ben"); !waits(names, "ada") || !waits(names, "ben") {
		t.Fatalf("without a scope: %s", got)
	}
	r = scopedResolver(t, names, nil, nil)
	if out, got := process(r, "info"); got != "ben detection.ransomware medium completed" || out.OutOfScope[ScopeExcluded] != 1 {
		t.Errorf("after a change of scope: %s, %v", got, out.OutOfScope)
	}
	if waits(names, "ada") || !waits(names, "ben") {
		t.Error("the store was not told of the change")
	}

	// What the alert turns out to be can be out of scope by itself.
	byActivity := func(c *ScopeConfig) { c.Exclude = []ScopeRule{{Activities: []string{"detection.ransomware"}}} }
	for order, want := range map[string]string{"evidence ada,info": "ada detection.alert medium", "info,evidence ada": ""} {
		if out, got := process(scopedResolver(t, NewMemoryNames(), byActivity, nil), strings.Split(order, ",")...); got != want || out.OutOfScope[ScopeExcluded] != 1 {
			t.Errorf("%s, by activity: %s, %v", order, got, out.OutOfScope)
		}
	}
}

// Evidence of an unknown person, whose groups nobody can tell, waits as such.
func TestResolver_scopeUnknownFinding(t *testing.T) {
	e := tinyEvent(0, 1)
	e.Source, e.Activity, e.Detection = schemas.SourceDefender, "detection.alert", &schemas.Detection{Finding: 77, Severity: "medium"}
	mapper := evidenceAndInfo()
	mapper["evidence"] = normalise.Result{Events: []*normalise.Event{{
		Event: e, Finding: "alert-1", Actor: normalise.Actor{Type: schemas.ActorPerson, ObjectID: adaID},
	}}}
	for _, record := range []bool{false, true} {
		names := NewMemoryNames()
		run := func(r *Resolver, value string) Batch {
			var out Batch
			if err := NewBatchNormaliser(mapper, r).Process(t.Context(), schemas.SourceDefender, []normalise.Raw{{Value: []byte(value)}}, &out); err != nil {
				t.Fatal(err)
			}
			return out
		}
		if out := run(newResolver(t, names, nil), "evidence"); len(out.Events) != 1 {
			t.Fatalf("%d events", len(out.Events))
		}
		r := scopedResolver(t, names, func(c *ScopeConfig) {
			*c = ScopeConfig{Include: []ScopeRule{{Groups: []string{"emea"}}}, RecordUnknown: record}
		}, nil)
		out := run(r, "info")
		if recorded := len(out.Events) == 1; recorded != record || (out.OutOfScope[ScopeUnknown] == 1) == record {
			t.Errorf("record unknown people %t: %d events, %v", record, len(out.Events), out.OutOfScope)
		}
	}
}
