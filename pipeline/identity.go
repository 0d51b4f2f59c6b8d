package pipeline

import (
	"strings"

	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
)

// take lets one step take effect.
func (s *resolution) take(st *step) error {
	switch {
	case st.link != nil:
		user, _ := s.user(st.link, st.names)
		s.out.Links = append(s.out.Links, Link{User: user, Actor: *st.link, Observed: st.raw.Time})
		return nil
	case st.finding != nil:
		return s.finding(st)
	default:
		return s.event(st)
	}
}

// event gives an event its user and adds it to the batch.
func (s *resolution) event(st *step) error {
	e := st.event
	user, resolved := s.user(&e.Actor, st.names)
	e.User, e.KeyVersion = user, s.resolver.deps.Key.Version()
	e.Groups = s.resolver.deps.Groups.Of(user)
	if !resolved && e.ActorType == schemas.ActorPerson {
		s.out.Unresolved++
	}
	if e.Finding != "" {
		if err := s.evidence(e); err != nil {
			return err
		}
	}
	s.emit(*e)
	return nil
}

func (s *resolution) emit(e normalise.Event) {
	s.out.Events = append(s.out.Events, e.Event)
	s.out.Clear = append(s.out.Clear, e)
}

// user finds whose the names are and learns them. Resolved is false for people
// whose UPN is not known.
func (s *resolution) user(a *normalise.Actor, n actorNames) (user schemas.Pseudonym, resolved bool) {
	switch {
	case n.key == "":
		return schemas.Pseudonym{}, true
	case !isHuman(a.Type):
		user, resolved = n.self, true
	case a.UPN != "":
		user, resolved = s.byUPN(a, n), true
	default:
		user, resolved = s.byAlias(n)
	}
	if s.resolver.deps.Named != nil && user == n.self {
		s.resolver.deps.Named(user, nameInClear(n.key))
	}
	return user, resolved
}

// byUPN is for actors who come with their UPN. The UPN may be another address
// of somebody who is known by a UPN already.
func (s *resolution) byUPN(a *normalise.Actor, n actorNames) schemas.Pseudonym {
	user := s.known[n.self]
	if user == (schemas.Pseudonym{}) {
		user = n.self
		if a.ObjectID != "" {
			// An account of its own: no row that gives this address as somebody
			// else's mail may take it over.
			s.learn(n.self, user)
		}
	}
	for _, alias := range n.aliases {
		s.teach(alias, user)
	}
	return user
}

// byAlias is for actors without a UPN: the most trustworthy name that is known
// says who they are, and then the others are theirs too. When none is known,
// nothing is learned: the actor stays apart until a record joins the names.
func (s *resolution) byAlias(n actorNames) (user schemas.Pseudonym, resolved bool) {
	for _, alias := range n.aliases {
		if user = s.known[alias]; user != (schemas.Pseudonym{}) {
			for _, other := range n.aliases {
				s.teach(other, user)
			}
			return user, true
		}
	}
	// A mail address is the UPN of most people; it needs no learning to be so.
	return n.self, strings.HasPrefix(n.key, upnPrefix)
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
