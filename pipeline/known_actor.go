package pipeline

import (
	"strings"

	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
)

// knownActor is what is known of an actor by the names of a record alone: most of a
// batch's actors were met in an earlier one under the same names. It never changes
// but for what others keep in it.
type knownActor struct {
	key     string              // the actor's own, as normalise sees it; empty for nobody
	self    schemas.Pseudonym   // of key
	aliases []schemas.Pseudonym // most trustworthy first; none for machines

	wantedBy uint64 // the batch that wanted its names last; guarded by the resolver's mutex
	told     toldAs
}

// toldAs tells as whose the vault was told all of an actor's names, and with which
// display name. Guarded by the escrow's mutex.
type toldAs struct {
	user    schemas.Pseudonym
	display string
}

// newKnownActor computes the keys of an actor's names.
func newKnownActor(key Pseudonymiser, a *normalise.Actor) *knownActor {
	known := &knownActor{key: a.Key()}
	if known.key == "" {
		return known
	}
	known.self = key.Pseudonym(known.key)
	if !isHuman(a.Type) {
		return known
	}
	for _, alias := range a.Aliases() {
		known.aliases = append(known.aliases, key.Pseudonym(alias))
	}
	return known
}

// isHuman tells actors whose names may be learned. Unknown actors may be people;
// services, systems and anonymous users share names as a rule.
func isHuman(t schemas.ActorType) bool {
	return t == schemas.ActorPerson || t == schemas.ActorGuest || t == schemas.ActorUnknown || t == ""
}

// nameInClear is what people call the owner of a key.
func nameInClear(key string) string {
	_, name, _ := strings.Cut(key, ":")
	return name
}

// knownActors are the actors that were met last. It is not safe for concurrent use.
type knownActors struct {
	limit int
	met   *lru[normalise.Actor, *knownActor] // without profiles
}

func newKnownActors(limit int) *knownActors {
	return &knownActors{limit: limit, met: newLRU[normalise.Actor, *knownActor]()}
}

// of returns what is known of an actor, whatever its profile.
func (k *knownActors) of(key Pseudonymiser, a *normalise.Actor) *knownActor {
	names := *a
	names.Profile = nil
	if known, met := k.met.get(names); met {
		return known
	}
	known := newKnownActor(key, a)
	k.met.put(names.Clone(), known) // its texts are parts of a Kafka record, which would stay in memory with them
	k.met.trim(k.limit)
	return known
}
