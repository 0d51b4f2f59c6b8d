package pipeline

import (
	"slices"
	"strings"

	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
)

// take lets one step take effect.
func (s *resolution) take(st *step) {
	switch {
	case st.link != nil:
		s.link(st)
	case st.finding != nil:
		s.finding(st)
	default:
		s.event(st)
	}
}

// link learns names that came without an event. Of somebody of whom no event
// could be in scope, nobody is told.
func (s *resolution) link(st *step) {
	user, resolved := s.user(st.link, st.names)
	scope := s.resolver.deps.Scope
	who := scope.of(user, st.names.self, st.link.Type, resolved)
	inScope := scope.person(who, st.raw.Time) == InScope
	if inScope || scope.learns(who, st.raw.Time) {
		s.learnNames(st.link, st.names, user)
	}
	if !inScope {
		return
	}
	s.name(st.names, user)
	s.out.Links = append(s.out.Links, Link{User: user, Actor: *st.link, Observed: st.raw.Time})
}

// event gives an event its user and adds it to the batch, if it is in scope.
func (s *resolution) event(st *step) {
	e := st.event
	user, resolved := s.user(&e.Actor, st.names)
	scope := s.resolver.deps.Scope
	who := scope.of(user, st.names.self, e.ActorType, resolved)
	reason := scope.event(who, &e.Event)
	if reason == InScope || scope.learns(who, e.Time) {
		s.learnNames(&e.Actor, st.names, user)
	}
	if s.drop(reason) {
		return
	}
	e.User, e.KeyVersion = user, s.resolver.deps.Key.Version()
	e.Groups = s.resolver.deps.Groups.Of(user)
	if e.Finding != "" {
		s.evidence(e, who)
		if s.drop(scope.event(who, &e.Event)) {
			return // by the activity that the alert's facts have told
		}
	}
	s.name(st.names, user)
	if !resolved && e.ActorType == schemas.ActorPerson {
		s.out.Unresolved++
	}
	s.emit(*e)
}

// drop counts what is out of scope, and tells whether it is.
func (s *resolution) drop(reason ScopeReason) bool {
	if reason == InScope {
		return false
	}
	s.out.OutOfScope[reason]++
	return true
}

func (s *resolution) emit(e normalise.Event) {
	s.out.Events = append(s.out.Events, e.Event)
	s.out.Clear = append(s.out.Clear, e)
}

// user finds whose the names are. Resolved is false for people whose UPN is not
// known.
func (s *resolution) user(a *normalise.Actor, n actorNames) (user schemas.Pseudonym, resolved bool) {
	switch {
	case n.key == "":
		return schemas.Pseudonym{}, true
	case !isHuman(a.Type):
		return n.self, true
	case a.UPN != "":
		// The UPN may be another address of somebody who is known by a UPN already.
		if user = s.known[n.self]; user == (schemas.Pseudonym{}) {
			user = n.self
		}
		return user, true
	}
	// The most trustworthy name that is known says who they are.
	for _, alias := range n.aliases {
		if user = s.known[alias]; user != (schemas.Pseudonym{}) {
			return user, true
		}
	}
	// A mail address is the UPN of most people; it needs no learning to be so.
	return n.self, strings.HasPrefix(n.key, upnPrefix)
}

// name tells whoever may know it which name the user's pseudonym is made of.
func (s *resolution) name(n actorNames, user schemas.Pseudonym) {
	if s.resolver.deps.Named != nil && n.key != "" && user == n.self {
		s.resolver.deps.Named(user, nameInClear(n.key))
	}
}

// learnNames learns that the names are the user's, which user has found. Without a
// UPN and when none of the names is known, nothing is learned: the actor stays
// apart until a record joins the names.
func (s *resolution) learnNames(a *normalise.Actor, n actorNames, user schemas.Pseudonym) {
	isKnown := func(key schemas.Pseudonym) bool { return s.known[key] != (schemas.Pseudonym{}) }
	switch {
	case n.key == "" || !isHuman(a.Type):
		return
	case a.UPN != "":
		if a.ObjectID != "" && !isKnown(n.self) {
			// An account of its own: no row that gives this address as somebody
			// else's mail may take it over.
			s.learn(n.self, user)
		}
	case !slices.ContainsFunc(n.aliases, isKnown):
		return
	}
	for _, alias := range n.aliases {
		s.teach(alias, user)
	}
}

// teach says that a name is the user's, unless it is known to be another's.
func (s *resolution) teach(alias, user schemas.Pseudonym) {
	switch s.known[alias] {
	case user:
	case schemas.Pseudonym{}:
		if alias == user {
			return // the user's own UPN given as mail: true without being stored
		}
		s.learn(alias, user)
	default:
		s.out.Conflicts++
	}
}

func (s *resolution) learn(key, user schemas.Pseudonym) {
	s.known[key] = user
	s.learned = append(s.learned, Name{Key: key, Value: user[:]})
}
