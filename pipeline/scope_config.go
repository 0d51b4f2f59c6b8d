package pipeline

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// ScopeConfig is what users write about the scope.
type ScopeConfig struct {
	// Include are the rules of which one must be about an event; without any,
	// everything is included.
	Include []ScopeRule
	// Exclude are the rules of which none may be about an event. They win over
	// those of Include.
	Exclude []ScopeRule
	// RecordUnknown has rules by group let people through whose UPN no record has
	// told, instead of keeping them out.
	RecordUnknown bool
	// Temporary are the temporary scopes that are signed. They win over the rules.
	Temporary []TemporaryScope
	// Unsigned says of each temporary scope that is not applied why. It names no
	// people.
	Unsigned []string
}

// ScopeRule is about the events that match each of its lists, of which an empty
// one matches all. A rule has at least one.
type ScopeRule struct {
	// Groups are the organisation's groups. Machines are in none.
	Groups []string
	// Actors are kinds of actor; who may be a person counts as one.
	Actors []schemas.ActorType
	// Sources are the feeds which events belong to by their content.
	Sources []schemas.Source
	// Activities are dotted verbs, such as file.downloaded, and beginnings of
	// them, such as file.*.
	Activities []string
}

// maxScopeRules is how many rules have a bit in a membership.
const maxScopeRules = 64

// Validate reports every problem at once. Groups are the names of the groups that
// there are.
func (c ScopeConfig) Validate(groups []string) error {
	var problems []error
	for _, list := range []struct {
		name  string
		rules []ScopeRule
	}{{ScopeInclude, c.Include}, {ScopeExclude, c.Exclude}} {
		if len(list.rules) > maxScopeRules {
			problems = append(problems, fmt.Errorf("normalise.scope.%s has %d rules: want at most %d; a rule may name many groups", list.name, len(list.rules), maxScopeRules))
		}
		for i, r := range list.rules {
			for _, err := range r.problems(groups) {
				problems = append(problems, fmt.Errorf("normalise.scope.%s[%d]: %w", list.name, i, err))
			}
		}
	}
	return errors.Join(problems...)
}

func (r ScopeRule) problems(groups []string) []error {
	var problems []error
	bad := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	bad(len(r.Groups)+len(r.Actors)+len(r.Sources)+len(r.Activities) > 0, "it is about everything: name groups, actors, sources or activities")
	for _, name := range r.Groups {
		bad(slices.Contains(groups, name), "group %q is not among normalise.groups", name)
	}
	for _, actor := range r.Actors {
		bad(slices.Contains(scopeActors(), actor), "actor %q: want one of %v", actor, scopeActors())
	}
	for _, source := range r.Sources {
		bad(slices.Contains(schemas.Sources(), source), "source %q: want one of %v", source, schemas.Sources())
	}
	for _, activity := range r.Activities {
		object, verb, found := strings.Cut(activity, ".")
		bad(found && object != "" && verb != "" && !strings.ContainsAny(object, " *") && (verb == "*" || !strings.ContainsAny(verb, " *")),
			"activity %q: want one such as file.downloaded, or file.*", activity)
	}
	return problems
}

// scopeActors are the kinds of actor that rules may name.
func scopeActors() []schemas.ActorType {
	return []schemas.ActorType{
		schemas.ActorPerson, schemas.ActorGuest, schemas.ActorService, schemas.ActorSystem, schemas.ActorAnonymous,
	}
}
