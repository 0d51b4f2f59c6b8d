package pipeline

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

// scripted maps a record to the result that a test has written for its value.
type scripted map[string]normalise.Result

func (s scripted) Map(_ schemas.Source, raw normalise.Raw, out *normalise.Result) {
	*out = s[string(raw.Value)]
	out.Events = slices.Clone(out.Events)
	for i, e := range out.Events { // they are the caller's
		event := *e
		out.Events[i] = &event
	}
	out.Records = max(out.Records, 1)
}

func testKey(t testing.TB) *vault.Key {
	t.Helper()
	key, err := vault.NewKey(1, []byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newResolver(t testing.TB, names Names, change func(*ResolverDeps)) *Resolver {
	t.Helper()
	deps := ResolverDeps{Key: testKey(t), Names: names, Events: newCodecs(t).events}
	if change != nil {
		change(&deps)
	}
	r, err := NewResolver(ResolverConfig{}, deps)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const (
	adaID = "11111111-2222-3333-4444-555555555555"
	benID = "66666666-7777-8888-9999-000000000001"
)

// people resolves one event an actor, all in one batch, and returns for each
// the UPN or name which its user is the pseudonym of.
func people(t *testing.T, r *Resolver, out *Batch, actors ...normalise.Actor) []string {
	t.Helper()
	var result normalise.Result
	for i, actor := range actors {
		if actor.Type == "" {
			actor.Type = schemas.ActorPerson
		}
		e := tinyEvent(0, int64(i))
		e.User, e.ActorType = schemas.Pseudonym{}, actor.Type
		result.Events = append(result.Events, &normalise.Event{Event: e, Actor: actor})
	}
	b := NewBatchNormaliser(scripted{"x": result}, r)
	if err := b.Process(t.Context(), schemas.SourceFile, []normalise.Raw{{Value: []byte("x")}}, out); err != nil {
		t.Fatal(err)
	}
	var users []string
	for _, e := range out.Events {
		users = append(users, whose(t, e.User))
	}
	return users
}

// whose finds the identity that a pseudonym is made of.
func whose(t *testing.T, user schemas.Pseudonym) string {
	for _, name := range []string{
		"upn:ada@contoso.com", "upn:ada.king@contoso.com", "upn:ben@contoso.com", "upn:shared@contoso.com", "oid:" + adaID, "oid:" + benID,
		"eid:E1", "sid:S-1-5-21-1", `account:contoso\ada`, "app:backup",
	} {
		if testKey(t).Pseudonym(name) == user {
			return name
		}
	}
	if user == (schemas.Pseudonym{}) {
		return "nobody"
	}
	return user.String()
}

// Whose an event is follows from what records before it have taught.
func TestResolver(t *testing.T) {
	ada := normalise.Actor{UPN: "ada@contoso.com"}
	for _, test := range []struct {
		name                  string
		actors                []normalise.Actor
		want                  []string
		unresolved, conflicts int
	}{
		{
			"a UPN is its own user", []normalise.Actor{ada}, []string{"upn:ada@contoso.com"}, 0, 0,
		},
		{
			"names that came with the UPN lead to it from then on",
			[]normalise.Actor{
				{ObjectID: adaID},
				{UPN: "ada@contoso.com", ObjectID: adaID, EmployeeID: "E1", SID: "S-1-5-21-1", Mail: "ada.king@contoso.com", Account: `contoso\ada`},
				{ObjectID: adaID},
				{EmployeeID: "E1"},
				{SID: "S-1-5-21-1"},
				{Account: `contoso\ada`},
				{Mail: "ada.king@contoso.com"},
				{UPN: "ada.king@contoso.com"},
			},
			[]string{
				"oid:" + adaID, "upn:ada@contoso.com", "upn:ada@contoso.com", "upn:ada@contoso.com", "upn:ada@contoso.com",
				"upn:ada@contoso.com", "upn:ada@contoso.com", "upn:ada@contoso.com",
			},
			1, 0,
		},
		{
			"a known name teaches the others",
			[]normalise.Actor{
				{UPN: "ada@contoso.com", ObjectID: adaID},
				{ObjectID: adaID, SID: "S-1-5-21-1"},
				{SID: "S-1-5-21-1"},
			},
			[]string{"upn:ada@contoso.com", "upn:ada@contoso.com", "upn:ada@contoso.com"},
			0, 0,
		},
		{
			"a name that nobody has explained stays apart and teaches nothing",
			[]normalise.Actor{
				{ObjectID: adaID, SID: "S-1-5-21-1"},
				{SID: "S-1-5-21-1"},
				{UPN: "ada@contoso.com", SID: "S-1-5-21-1"},
				{ObjectID: adaID, SID: "S-1-5-21-1"},
			},
			[]string{"oid:" + adaID, "sid:S-1-5-21-1", "upn:ada@contoso.com", "upn:ada@contoso.com"},
			2, 0,
		},
		{
			"a name of two people stays with the first",
			[]normalise.Actor{
				{UPN: "ada@contoso.com", EmployeeID: "E1"},
				{UPN: "ben@contoso.com", EmployeeID: "E1"},
				{EmployeeID: "E1"},
				{UPN: "ben@contoso.com"},
			},
			[]string{"upn:ada@contoso.com", "upn:ben@contoso.com", "upn:ada@contoso.com", "upn:ben@contoso.com"},
			0, 1,
		},
		{
			"an account of its own is taken over by nobody's mail address",
			[]normalise.Actor{
				{UPN: "ben@contoso.com", ObjectID: benID},
				{UPN: "ada@contoso.com", Mail: "ben@contoso.com"},
				{UPN: "ben@contoso.com"},
			},
			[]string{"upn:ben@contoso.com", "upn:ada@contoso.com", "upn:ben@contoso.com"},
			0, 1,
		},
		{
			"a mail address alone is a UPN until something else is known",
			[]normalise.Actor{{Mail: "ada@contoso.com"}, ada},
			[]string{"upn:ada@contoso.com", "upn:ada@contoso.com"},
			0, 0,
		},
		{
			"object id before mail",
			[]normalise.Actor{
				{UPN: "ada@contoso.com", ObjectID: adaID},
				{UPN: "ben@contoso.com", Mail: "shared@contoso.com"},
				{ObjectID: adaID, Mail: "shared@contoso.com"},
			},
			[]string{"upn:ada@contoso.com", "upn:ben@contoso.com", "upn:ada@contoso.com"},
			0, 1,
		},
		{
			"machines have names of their own, which nobody learns",
			[]normalise.Actor{
				{Type: schemas.ActorService, App: "backup", ObjectID: ""},
				{Type: schemas.ActorService, UPN: "shared@contoso.com", ObjectID: adaID},
				{UPN: "ada@contoso.com", ObjectID: adaID},
				{Type: schemas.ActorAnonymous},
			},
			[]string{"app:backup", "upn:shared@contoso.com", "upn:ada@contoso.com", "nobody"},
			0, 0,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out Batch
			got := people(t, newResolver(t, NewMemoryNames(), nil), &out, test.actors...)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("users (-want +got):\n%s", diff)
			}
			if out.Unresolved != test.unresolved || out.Conflicts != test.conflicts {
				t.Errorf("%d unresolved, %d conflicts, want %d and %d", out.Unresolved, out.Conflicts, test.unresolved, test.conflicts)
			}
			// One batch a record, each with a resolver that has just started.
			names := NewMemoryNames()
			var one []string
			for _, actor := range test.actors {
				one = append(one, people(t, newResolver(t, names, nil), &out, actor)...)
			}
			if diff := cmp.Diff(test.want, one); diff != "" {
				t.Errorf("users, one batch a record (-want +got):\n%s", diff)
			}
		})
	}
}

// A link of a record without events teaches before the events of its batch.
func TestResolver_links(t *testing.T) {
	e := tinyEvent(0, 1)
	mapper := scripted{
		"link":  {Links: []normalise.Actor{{Type: schemas.ActorPerson, UPN: "ada@contoso.com", ObjectID: adaID}}},
		"event": {Events: []*normalise.Event{{Event: e, Actor: normalise.Actor{Type: schemas.ActorPerson, ObjectID: adaID}}}},
	}
	named := map[schemas.Pseudonym]string{}
	r := newResolver(t, NewMemoryNames(), func(d *ResolverDeps) {
		d.Named = func(user schemas.Pseudonym, name string) { named[user] = name }
	})
	var out Batch
	b := NewBatchNormaliser(mapper, r)
	if err := b.Process(t.Context(), schemas.SourceDefender, []normalise.Raw{{Value: []byte("link")}, {Value: []byte("event")}}, &out); err != nil {
		t.Fatal(err)
	}
	if len(out.Events) != 1 || whose(t, out.Events[0].User) != "upn:ada@contoso.com" || out.Events[0].KeyVersion != 1 {
		t.Errorf("events %+v", out.Events)
	}
	if named[out.Events[0].User] != "ada@contoso.com" {
		t.Errorf("named %v", named)
	}
}
