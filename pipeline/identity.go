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
	named, resolved := s.user(st.link, st.actor)
	scope := s.resolver.deps.Scope
	who := scope.of(named, st.actor.self, st.link.Type, resolved)
	inScope := scope.person(who, st.raw.Time) == InScope
	s.learnNames(st.link, st.actor, s.owner(who.user, named, st.actor, inScope))
	if !inScope {
		return
	}
	s.name(st.actor, who.user)
	s.out.Links = append(s.out.Links, Link{User: who.user, Actor: *st.link, Observed: st.raw.Time})
}

// event gives an event its user and adds it to the batch, if it is in scope.
func (s *resolution) event(st *step) {
	e := st.event
	named, resolved := s.user(&e.Actor, st.actor)
	scope := s.resolver.deps.Scope
	who := scope.of(named, st.actor.self, e.ActorType, resolved)
	reason := scope.event(who, &e.Event)
	inScope := reason == InScope || scope.person(who, e.Time) == InScope
	s.learnNames(&e.Actor, st.actor, s.owner(who.user, named, st.actor, inScope))
	if s.drop(reason) {
		return
	}
	e.User, e.KeyVersion = who.user, s.resolver.deps.Key.Version()
	e.Groups = s.resolver.deps.Groups.Of(who.user)
	if e.Finding != "" {
		s.evidence(e, who)
		if s.drop(scope.event(who, &e.Event)) {
			return // by the activity that the alert's facts have told
		}
	}
	s.name(st.actor, who.user)
	if !resolved && e.ActorType == schemas.ActorPerson {
		s.out.Unresolved++
	}
	s.out.add(e, st.provenance)
}

// drop counts what is out of scope, and tells whether it is.
func (s *resolution) drop(reason ScopeReason) bool {
	if reason == InScope {
		return false
	}
	s.out.OutOfScope[reason]++
	return true
}

// user finds whose the names are, as names have been learned. Resolved is false for people whose UPN is not
// known.
func (s *resolution) user(a *normalise.Actor, n *knownActor) (user schemas.Pseudonym, resolved bool) {
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
func (s *resolution) name(n *knownActor, user schemas.Pseudonym) {
	if s.resolver.deps.Named != nil && n.key != "" && user == n.self {
		s.resolver.deps.Named(user, nameInClear(n.key))
	}
}

// owner is whom names are learned for.
type owner struct {
	user    schemas.Pseudonym
	learned schemas.Pseudonym // what the names lead to
	inScope bool              // of whom something may be recorded
}

// owner returns whom names are learned for, whose user they were found to be
// as named. The store never meets the pseudonym of somebody who is out of scope;
// that their names are known keeps records with another one from being recorded as
// somebody else's.
func (s *resolution) owner(user, named schemas.Pseudonym, n *knownActor, inScope bool) owner {
	o := owner{user: user, learned: user, inScope: inScope}
	if !inScope {
		if o.learned = named; named == n.self && len(n.aliases) > 0 {
			o.learned = outOfScope(s.resolver.deps.Key, n.self)
		}
	}
	return o
}

// learnNames learns that the names are their owner's. Without a UPN and when none
// of the names is known, nothing is learned: the actor stays apart until a record
// joins the names.
func (s *resolution) learnNames(a *normalise.Actor, n *knownActor, o owner) {
	isKnown := func(key schemas.Pseudonym) bool { return s.known[key] != (schemas.Pseudonym{}) }
	switch {
	case n.key == "" || !isHuman(a.Type):
		return
	case a.UPN != "":
		if a.ObjectID != "" && o.inScope && !isKnown(n.self) {
			// An account of its own: no row that gives this address as somebody
			// else's mail may take it over.
			s.learn(n.self, o.user, false)
		}
	case !slices.ContainsFunc(n.aliases, isKnown):
		return
	}
	for _, alias := range n.aliases {
		s.teach(alias, o)
	}
}

// teach says that a name is its owner's, unless it is known to be another's.
func (s *resolution) teach(alias schemas.Pseudonym, o owner) {
	switch known := s.known[alias]; {
	case known == o.user || known == o.learned:
	case known == (schemas.Pseudonym{}):
		if alias != o.user { // else the user's own UPN given as mail: true without being stored
			s.learn(alias, o.learned, false)
		}
	case o.inScope && known == outOfScope(s.resolver.deps.Key, o.user):
		s.learn(alias, o.user, true) // they have come into scope
	default:
		s.out.Conflicts++
	}
}

func (s *resolution) learn(key, user schemas.Pseudonym, replace bool) {
	s.known[key] = user
	s.learned = append(s.learned, Name{Key: key, Value: user[:], Replace: replace})
}
