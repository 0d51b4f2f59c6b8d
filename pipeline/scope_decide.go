package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// scopeRule is a ScopeRule, ready to decide by.
type scopeRule struct {
	members    bool // about the members of its groups alone
	actors     []schemas.ActorType
	sources    []schemas.Source
	activities []string
	text       string
}

func scopeRules(rules []ScopeRule) []scopeRule {
	var ready []scopeRule
	for _, r := range rules {
		var parts []string
		add := func(word, list string) {
			if list != "[]" {
				parts = append(parts, word+" "+list)
			}
		}
		add("groups", fmt.Sprint(r.Groups))
		add("actors", fmt.Sprint(r.Actors))
		add("sources", fmt.Sprint(r.Sources))
		add("activities", fmt.Sprint(r.Activities))
		ready = append(ready, scopeRule{
			members: len(r.Groups) > 0, actors: r.Actors, sources: r.Sources, activities: r.Activities, text: strings.Join(parts, " "),
		})
	}
	return ready
}

// scoped is whom something is about, as far as rules care.
type scoped struct {
	user    schemas.Pseudonym
	member  membership
	actor   schemas.ActorType
	unknown bool // a person whose UPN no record has told, so that nobody can tell their groups
}

// of looks up what the rules say of a user, whom a name of theirs may tell as out
// of scope only. Self is the pseudonym of the name that
// the record itself gives: who goes by another's name stays excluded by their own.
func (s *Scope) of(user, self schemas.Pseudonym, actor schemas.ActorType, resolved bool) scoped {
	if actor == schemas.ActorUnknown || actor == "" {
		actor = schemas.ActorPerson
	}
	who := scoped{user: user, actor: actor, unknown: isHuman(actor) && (!resolved || user == (schemas.Pseudonym{}))}
	if !s.active() || !isHuman(actor) {
		return who
	}
	m, found := s.people[user]
	if found {
		who.user = m.user
	}
	if self != who.user {
		other := s.people[self]
		m.exclude |= other.exclude
		for _, i := range other.temporary {
			if s.temporary[i].exclude {
				m.temporary = append(slices.Clip(m.temporary), i)
			}
		}
	}
	who.member = m
	return who
}

// event decides about an event.
func (s *Scope) event(who scoped, e *schemas.Event) ScopeReason {
	if !s.active() {
		return InScope
	}
	return s.decide(who, e.Time, func(r *scopeRule, _ bool) bool { return r.covers(e.Source, e.Activity) })
}

// person decides whether anything of a person may be in scope at a time.
func (s *Scope) person(who scoped, at schemas.Time) ScopeReason {
	if !s.active() {
		return InScope
	}
	return s.decide(who, at, func(r *scopeRule, include bool) bool {
		return include || len(r.sources) == 0 && len(r.activities) == 0
	})
}

// decide goes through temporary scopes, exclusions and inclusions. Covers tells
// whether what a rule says of feeds and activities is met.
func (s *Scope) decide(who scoped, at schemas.Time, covers func(r *scopeRule, include bool) bool) ScopeReason {
	if reason, decided := s.temporarily(who, at); decided {
		return reason
	}
	unknown := false
	for i := range s.exclude {
		r := &s.exclude[i]
		switch {
		case !r.isAbout(who.actor) || !covers(r, false):
		case !r.members || who.member.exclude&(1<<i) != 0:
			return ScopeExcluded
		case who.unknown:
			unknown = true
		}
	}
	if unknown && !s.recordUnknown {
		return ScopeUnknown
	}
	if len(s.include) == 0 || !isHuman(who.actor) {
		return InScope
	}
	unknown = false
	for i := range s.include {
		r := &s.include[i]
		switch {
		case !r.isAbout(who.actor) || !covers(r, true):
		case !r.members || who.member.include&(1<<i) != 0:
			return InScope
		case who.unknown:
			unknown = true
		}
	}
	switch {
	case !unknown:
		return ScopeNotIncluded
	case s.recordUnknown:
		return InScope
	default:
		return ScopeUnknown
	}
}

// temporarily decides by the temporary scopes that hold at a time.
func (s *Scope) temporarily(who scoped, at schemas.Time) (reason ScopeReason, decided bool) {
	for _, i := range who.member.temporary {
		switch t := &s.temporary[i]; {
		case at < t.from || at >= t.until:
		case t.exclude:
			return ScopeTemporarilyExcluded, true
		default:
			decided = true
		}
	}
	if who.unknown && !s.recordUnknown && slices.ContainsFunc(s.temporary, func(t temporaryRule) bool { return t.exclude && at >= t.from && at < t.until }) {
		return ScopeUnknown, true
	}
	return InScope, decided
}

func (r *scopeRule) isAbout(actor schemas.ActorType) bool {
	return len(r.actors) == 0 || slices.Contains(r.actors, actor)
}

func (r *scopeRule) covers(source schemas.Source, activity string) bool {
	if len(r.sources) > 0 && !slices.Contains(r.sources, source) {
		return false
	}
	return len(r.activities) == 0 || slices.ContainsFunc(r.activities, func(pattern string) bool {
		object, all := strings.CutSuffix(pattern, "*")
		return activity == pattern || all && strings.HasPrefix(activity, object)
	})
}
