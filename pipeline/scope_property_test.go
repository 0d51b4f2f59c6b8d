package pipeline

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
)

// scopeCase is a random scope and random records of a few people.
type scopeCase struct {
	config    ScopeConfig
	groups    map[string][]string
	raws      []normalise.Raw
	mapper    scripted
	noAddress map[schemas.UUID]bool // events that come with neither a UPN nor a mail address
}

// The people of the property; each has the other names of their number.
func scopePerson(i int) normalise.Actor {
	return normalise.Actor{
		Type: schemas.ActorPerson, UPN: fmt.Sprintf("p%d@contoso.com", i), ObjectID: fmt.Sprintf("00000000-0000-0000-0000-00000000000%d", i),
		EmployeeID: fmt.Sprintf("E%d", i), Mail: fmt.Sprintf("m%d@contoso.com", i),
	}
}

func drawScopeCase(t *rapid.T) scopeCase {
	c := scopeCase{groups: map[string][]string{}, mapper: scripted{}, noAddress: map[schemas.UUID]bool{}}
	groupNames := []string{"a", "b", "c"}
	some := func(list []string, label string) []string {
		return slices.DeleteFunc(slices.Clone(list), func(string) bool { return rapid.IntRange(0, 2).Draw(t, label) > 0 })
	}
	for i := range 5 {
		c.groups[scopePerson(i).UPN] = some(groupNames, "groups of a person")
	}
	rule := func() ScopeRule {
		r := ScopeRule{Groups: some(groupNames, "groups"), Activities: some([]string{"file.*", "email.sent", "file.downloaded"}, "activities")}
		for _, source := range some([]string{"file", "email"}, "sources") {
			r.Sources = append(r.Sources, schemas.Source(source))
		}
		return r
	}
	for range rapid.IntRange(0, 2).Draw(t, "include") {
		c.config.Include = append(c.config.Include, rule())
	}
	for range rapid.IntRange(0, 2).Draw(t, "exclude") {
		c.config.Exclude = append(c.config.Exclude, rule())
	}
	c.config.RecordUnknown = rapid.Bool().Draw(t, "record unknown")
	for i := range rapid.IntRange(0, 2).Draw(t, "temporary") {
		from := schemas.Time(1_700_000_000_000 + rapid.Int64Range(0, 20).Draw(t, "from")*1000)
		c.config.Temporary = append(c.config.Temporary, TemporaryScope{
			Name: fmt.Sprint("t", i), Effect: rapid.SampledFrom([]string{ScopeInclude, ScopeExclude}).Draw(t, "effect"),
			Users:  []string{scopePerson(rapid.IntRange(0, 4).Draw(t, "user")).UPN},
			Groups: some(groupNames, "groups for a time"), From: from, Until: from + 10_000,
		})
	}
	for i := range rapid.IntRange(1, 40).Draw(t, "records") {
		value := fmt.Sprint(i)
		person := scopePerson(rapid.IntRange(0, 4).Draw(t, "person"))
		actor := person
		switch rapid.IntRange(0, 6).Draw(t, "names") {
		case 0:
			c.mapper[value] = normalise.Result{Links: []normalise.Actor{person}}
		case 1:
			actor = normalise.Actor{Type: schemas.ActorPerson, ObjectID: person.ObjectID}
		case 2:
			actor = normalise.Actor{Type: schemas.ActorPerson, EmployeeID: person.EmployeeID, Mail: person.Mail}
		case 3:
			actor = normalise.Actor{Type: schemas.ActorPerson, UPN: person.UPN}
		case 4:
			actor = normalise.Actor{Type: schemas.ActorPerson, UPN: person.Mail}
		case 5:
			actor = normalise.Actor{Type: schemas.ActorService, App: "backup"}
		}
		if c.mapper[value].Links == nil {
			e := tinyEvent(0, int64(i))
			e.ActorType = actor.Type
			e.Activity = rapid.SampledFrom([]string{"file.downloaded", "file.deleted", "email.sent"}).Draw(t, "activity")
			if strings.HasPrefix(e.Activity, "email") {
				e.Source = schemas.SourceEmail
			}
			c.noAddress[e.ID] = actor.UPN == "" && actor.Mail == "" && actor.App == ""
			c.mapper[value] = normalise.Result{Events: []*normalise.Event{{Event: e, Actor: actor}}}
		}
		c.raws = append(c.raws, normalise.Raw{Topic: "raw.file", Offset: int64(i), Time: c.time(i), Value: []byte(value)})
	}
	return c
}

// time is when record i reaches Kafka: at once.
func (scopeCase) time(i int) schemas.Time { return tinyEvent(0, int64(i)).Time }

// run processes the records in batches of the size.
func (c scopeCase) run(t *rapid.T, outer *testing.T, scope *Scope, size int) (events []schemas.Event, dropped int) {
	key := testKey(outer)
	r, err := NewResolver(ResolverConfig{}, ResolverDeps{Key: key, Names: NewMemoryNames(), Scope: scope, Groups: NewGroups(key, c.groups)})
	if err != nil {
		t.Fatal(err)
	}
	b := NewBatchNormaliser(c.mapper, r)
	for raws := range slices.Chunk(c.raws, size) {
		var out Batch
		if err := b.Process(outer.Context(), schemas.SourceFile, raws, &out); err != nil {
			t.Fatal(err)
		}
		for _, e := range out.Events {
			events = append(events, e.Event)
		}
		for _, count := range out.OutOfScope {
			dropped += count
		}
	}
	return events, dropped
}

// recorded says what the scope means for an event, in the plainest words.
func (c scopeCase) recorded(e schemas.Event, upn string) bool {
	matches := func(r ScopeRule, groups []string) bool {
		in := func(pattern string) bool {
			return pattern == e.Activity || strings.HasSuffix(pattern, "*") && strings.HasPrefix(e.Activity, strings.TrimSuffix(pattern, "*"))
		}
		return (len(r.Groups) == 0 || anyIn(r.Groups, groups)) && (len(r.Sources) == 0 || slices.Contains(r.Sources, e.Source)) &&
			(len(r.Activities) == 0 || slices.ContainsFunc(r.Activities, in))
	}
	included := false
	for _, t := range c.config.Temporary {
		unknown := upn == "" && c.noAddress[e.ID]
		perhaps := unknown && t.Effect == ScopeExclude && !c.config.RecordUnknown
		if e.Time < t.From || e.Time >= t.Until || !perhaps && !slices.Contains(t.Users, upn) && !anyIn(t.Groups, c.groups[upn]) {
			continue
		}
		if t.Effect == ScopeExclude {
			return false
		}
		included = true
	}
	if included {
		return true
	}
	mayBeIn, mustBeIn := c.groups[upn], c.groups[upn] // groups for exclusion, and for inclusion
	if upn == "" && c.noAddress[e.ID] {
		everyGroup := []string{"a", "b", "c"}
		if c.config.RecordUnknown {
			mustBeIn = everyGroup
		} else {
			mayBeIn = everyGroup
		}
	}
	if slices.ContainsFunc(c.config.Exclude, func(r ScopeRule) bool { return matches(r, mayBeIn) }) {
		return false
	}
	return len(c.config.Include) == 0 || e.ActorType != schemas.ActorPerson ||
		slices.ContainsFunc(c.config.Include, func(r ScopeRule) bool { return matches(r, mustBeIn) })
}

// What comes out under a scope is what comes out without one, less the events
// that are out of scope: the scope changes nothing for anybody else, and every
// event is either recorded or counted.
func TestResolver_scopeProperty(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		c := drawScopeCase(r)
		key := testKey(t)
		upns := map[schemas.Pseudonym]string{}
		for upn := range c.groups {
			upns[key.Pseudonym("upn:"+upn)] = upn
		}
		all, none := c.run(r, t, nil, 40)
		if none != 0 {
			r.Fatalf("%d events are out of no scope", none)
		}
		var want []schemas.Event
		for _, e := range all {
			if c.recorded(e, upns[e.User]) {
				want = append(want, e)
			}
		}
		got, dropped := c.run(r, t, NewScope(c.config, key, c.groups), rapid.IntRange(1, 40).Draw(r, "batch"))
		if len(got)+dropped != len(all) {
			r.Fatalf("%d recorded and %d counted of %d", len(got), dropped, len(all))
		}
		if d := cmp.Diff(want, got); d != "" {
			r.Fatalf("with scope (-filtered +got):\n%s", d)
		}
	})
}
