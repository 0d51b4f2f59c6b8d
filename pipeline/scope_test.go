package pipeline

import (
	"strings"
	"testing"
	"time"

	"github.com/riskpipe/riskpipe/schemas"
)

// scopeGroups are the groups of the people of these tests.
func scopeGroups() map[string][]string {
	return map[string][]string{
		"ada@contoso.com": {"emea", "works_council"},
		"ben@contoso.com": {"emea"},
		"cyd@contoso.com": {"apac"},
	}
}

func newScope(t testing.TB, config ScopeConfig) *Scope {
	t.Helper()
	if err := config.Validate([]string{"emea", "apac", "works_council"}); err != nil {
		t.Fatal(err)
	}
	return NewScope(config, testKey(t), scopeGroups())
}

// Exclusions win over inclusions, rules may be about some feeds and activities,
// machines are in no group, and of people who are not known the setting decides.
func TestScope(t *testing.T) {
	groups := func(names ...string) ScopeRule { return ScopeRule{Groups: names} }
	emea, council := groups("emea"), groups("works_council")
	email := []schemas.Source{schemas.SourceEmail}
	for name, test := range map[string]struct {
		config ScopeConfig
		want   string // of ada, ben, cyd, dan, somebody unknown, a service
		email  string // the same of email.sent, when it differs
	}{
		"no rules":          {ScopeConfig{}, "- - - - - -", ""},
		"exclude":           {ScopeConfig{Exclude: []ScopeRule{council}}, "excluded - - - unknown_person -", ""},
		"record unknown":    {ScopeConfig{Exclude: []ScopeRule{council}, RecordUnknown: true}, "excluded - - - - -", ""},
		"include":           {ScopeConfig{Include: []ScopeRule{emea}}, "- - not_included not_included unknown_person -", ""},
		"include, unknown":  {ScopeConfig{Include: []ScopeRule{emea}, RecordUnknown: true}, "- - not_included not_included - -", ""},
		"exclude wins":      {ScopeConfig{Include: []ScopeRule{emea}, Exclude: []ScopeRule{council}}, "excluded - not_included not_included unknown_person -", ""},
		"several inclusion": {ScopeConfig{Include: []ScopeRule{emea, groups("apac")}}, "- - - not_included unknown_person -", ""},
		"of a feed": {
			ScopeConfig{Exclude: []ScopeRule{{Groups: []string{"emea"}, Sources: email}}},
			"- - - - - -", "excluded excluded - - unknown_person -",
		},
		"included for a feed": {
			ScopeConfig{Include: []ScopeRule{{Groups: []string{"emea"}, Sources: email}, groups("apac")}},
			"not_included not_included - not_included unknown_person -", "- - - not_included unknown_person -",
		},
		"an activity":  {ScopeConfig{Exclude: []ScopeRule{{Activities: []string{"file.downloaded"}}}}, "excluded excluded excluded excluded excluded excluded", "- - - - - -"},
		"activities":   {ScopeConfig{Exclude: []ScopeRule{{Activities: []string{"email.*"}}}}, "- - - - - -", "excluded excluded excluded excluded excluded excluded"},
		"machines":     {ScopeConfig{Exclude: []ScopeRule{{Actors: []schemas.ActorType{schemas.ActorService}}}}, "- - - - - excluded", ""},
		"people alone": {ScopeConfig{Include: []ScopeRule{{Actors: []schemas.ActorType{schemas.ActorGuest}}}}, "not_included not_included not_included not_included not_included -", ""},
		"certain is stronger than unknown": {
			ScopeConfig{Exclude: []ScopeRule{council, {Sources: []schemas.Source{schemas.SourceFile}}}},
			"excluded excluded excluded excluded excluded excluded", "excluded - - - unknown_person -",
		},
	} {
		s := newScope(t, test.config)
		if test.email == "" {
			test.email = test.want
		}
		if got := scopeOfAll(t, s, schemas.SourceFile, "file.downloaded"); got != test.want {
			t.Errorf("%s, file: %s, want %s", name, got, test.want)
		}
		if got := scopeOfAll(t, s, schemas.SourceEmail, "email.sent"); got != test.email {
			t.Errorf("%s, email: %s, want %s", name, got, test.email)
		}
	}
}

func scopeOfAll(t *testing.T, s *Scope, source schemas.Source, activity string) string {
	t.Helper()
	key := testKey(t)
	e := schemas.Event{Source: source, Activity: activity, Time: 1_700_000_000_000}
	var got []string
	decide := func(who scoped) {
		reason := s.event(who, &e)
		if reason == InScope {
			reason = "-"
		}
		got = append(got, string(reason))
	}
	for _, name := range []string{"ada", "ben", "cyd", "dan"} {
		user := key.Pseudonym("upn:" + name + "@contoso.com")
		decide(s.of(user, user, schemas.ActorPerson, true))
	}
	id := key.Pseudonym("oid:" + adaID)
	decide(s.of(id, id, schemas.ActorUnknown, false))
	app := key.Pseudonym("app:backup")
	decide(s.of(app, app, schemas.ActorService, true))
	return strings.Join(got, " ")
}

// A temporary scope holds from its beginning until before its end, for events of
// that time, over the rules; among temporary ones exclude wins.
func TestScope_temporary(t *testing.T) {
	pseudonym := testKey(t).Pseudonym("upn:ben@contoso.com").String()
	s := newScope(t, ScopeConfig{
		Include: []ScopeRule{{Groups: []string{"apac"}}},
		Exclude: []ScopeRule{{Groups: []string{"works_council"}}},
		Temporary: []TemporaryScope{
			{Name: "case_17", Effect: ScopeInclude, Users: []string{"Ada@contoso.com", pseudonym}, From: 1000, Until: 2000, Case: "17", Reason: "r"},
			{Name: "leave", Effect: ScopeExclude, Groups: []string{"works_council", "apac"}, From: 1500, Until: 1600, Case: "18", Reason: "r"},
		},
	})
	ada, ben, cyd := "upn:ada@contoso.com", "upn:ben@contoso.com", "upn:cyd@contoso.com"
	for _, test := range []struct {
		at   schemas.Time
		who  string
		want ScopeReason
	}{
		{999, ada, ScopeExcluded},
		{1000, ada, InScope},
		{1500, ada, ScopeTemporarilyExcluded},
		{1600, ada, InScope},
		{1999, ada, InScope},
		{2000, ada, ScopeExcluded},
		{999, ben, ScopeNotIncluded},
		{1500, ben, InScope},
		{2000, ben, ScopeNotIncluded},
		{1499, "", ScopeUnknown},
		{1500, "", ScopeUnknown},
		{1499, cyd, InScope},
		{1599, cyd, ScopeTemporarilyExcluded},
		{1600, cyd, InScope},
	} {
		user := testKey(t).Pseudonym(test.who)
		if got := s.event(s.of(user, user, schemas.ActorPerson, test.who != ""), &schemas.Event{Time: test.at}); got != test.want {
			t.Errorf("%s at %d: %q, want %q", test.who, test.at, got, test.want)
		}
	}
}

// What is written wrong is said all at once, with its place, and names nobody.
func TestScopeConfig_Validate(t *testing.T) {
	err := ScopeConfig{
		Include: []ScopeRule{{}, {Groups: []string{"emea", "nobody"}}},
		Exclude: []ScopeRule{{Actors: []schemas.ActorType{"robot"}, Sources: []schemas.Source{"fax"}, Activities: []string{"file", "*.sent", "file.*ed"}}},
	}.Validate([]string{"emea"})
	for _, problem := range []string{
		"normalise.scope.include[0]: it is about everything", `normalise.scope.include[1]: group "nobody" is not among normalise.groups`,
		`normalise.scope.exclude[0]: actor "robot"`, `source "fax"`, `activity "file"`, `activity "*.sent"`, `activity "file.*ed"`,
	} {
		if err == nil || !strings.Contains(err.Error(), problem) {
			t.Errorf("%v\ndoes not say: %s", err, problem)
		}
	}
	if err := (ScopeConfig{Exclude: make([]ScopeRule, 65)}).Validate(nil); err == nil || !strings.Contains(err.Error(), "has 65 rules: want at most 64") {
		t.Errorf("65 rules: %v", err)
	}
	bad := TemporaryScope{Name: "Case 17", Effect: "add", Users: []string{"ada@contoso.com", "ada lovelace"}, Groups: []string{"ada"}, From: 1, Until: schemas.Time(400 * 24 * time.Hour / time.Millisecond)}
	err = bad.Validate(nil)
	for _, problem := range []string{"no name", "no effect", "users[1] is neither", "groups[0] is not among", "at most 366 days", "no case", "no reason"} {
		if err == nil || !strings.Contains(err.Error(), problem) {
			t.Errorf("%v\ndoes not say: %s", err, problem)
		}
	}
	if strings.Contains(err.Error(), "ada") || strings.Contains(err.Error(), "Case 17") {
		t.Errorf("the error names somebody: %v", err)
	}
	if err := (TemporaryScope{}).Validate(nil); err == nil || !strings.Contains(err.Error(), "about nobody") {
		t.Errorf("an empty one: %v", err)
	}
}

// The digest changes with whatever may change who is in scope, and with nothing
// else; the description names nobody.
func TestScope_Digest(t *testing.T) {
	temporary := TemporaryScope{Name: "case_17", Effect: ScopeInclude, Users: []string{"ada@contoso.com", "ben@contoso.com"}, Groups: []string{"apac"}, From: 1, Until: 86_400_000, Case: "17", Reason: "Ada sold it"}
	config := ScopeConfig{
		Include: []ScopeRule{{Groups: []string{"emea"}, Sources: []schemas.Source{schemas.SourceEmail}}},
		Exclude: []ScopeRule{{Groups: []string{"works_council"}}}, Temporary: []TemporaryScope{temporary},
	}
	base := newScope(t, config)
	seen := map[schemas.Digest]string{base.Digest(): "base"}
	differs := func(name string, s *Scope) {
		t.Helper()
		if other, found := seen[s.Digest()]; found {
			t.Errorf("%s has the digest of %s", name, other)
		}
		seen[s.Digest()] = name
	}
	different := func(name string, change func(*ScopeConfig)) {
		t.Helper()
		changed := config
		changed.Temporary = []TemporaryScope{temporary}
		change(&changed)
		differs(name, newScope(t, changed))
	}
	different("no exclusion", func(c *ScopeConfig) { c.Exclude = nil })
	different("rule the other way", func(c *ScopeConfig) { c.Include, c.Exclude = c.Exclude, c.Include })
	different("unknown people", func(c *ScopeConfig) { c.RecordUnknown = true })
	different("no temporary", func(c *ScopeConfig) { c.Temporary = nil })
	different("longer", func(c *ScopeConfig) { c.Temporary[0].Until++ })
	different("later", func(c *ScopeConfig) { c.Temporary[0].From++ })
	different("other effect", func(c *ScopeConfig) { c.Temporary[0].Effect = ScopeExclude })
	different("other people", func(c *ScopeConfig) { c.Temporary[0].Users = []string{"cyd@contoso.com"} })
	different("other groups", func(c *ScopeConfig) { c.Temporary[0].Groups = nil })
	different("other case", func(c *ScopeConfig) { c.Temporary[0].Case = "18" })
	different("other reason", func(c *ScopeConfig) { c.Temporary[0].Reason = "Ben sold it" })
	members := scopeGroups()
	members["dan@contoso.com"] = []string{"works_council"}
	differs("another member", NewScope(config, testKey(t), members))
	differs("everybody", nil)

	same := config
	turned := temporary
	turned.Users = []string{"BEN@contoso.com", "ada@contoso.com", "ada@contoso.com"}
	same.Temporary = []TemporaryScope{turned}
	if got := newScope(t, same); got.Digest() != base.Digest() {
		t.Error("the order of users changes the digest")
	}
	if newScope(t, ScopeConfig{}).Digest() != (*Scope)(nil).Digest() || newScope(t, ScopeConfig{}).Description() != "everybody" {
		t.Error("a scope without rules is not everybody")
	}
	want := "include groups [emea] sources [email]; exclude groups [works_council]; exclude unknown people; " +
		"temporarily include from 1970-01-01T00:00:00.001Z until 1970-01-02T00:00:00.000Z by " + temporary.Digest().String()[:8]
	if got := base.Description(); got != want {
		t.Errorf("described as %q, want %q", got, want)
	}
	same.RecordUnknown, turned.Effect = true, ScopeExclude
	same.Temporary = []TemporaryScope{turned}
	if got := newScope(t, same).Description(); !strings.Contains(got, "include unknown people; temporarily exclude") {
		t.Errorf("described as %q", got)
	}
}
