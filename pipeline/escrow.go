package pipeline

import (
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

// maxAliases bounds the other names of one person, so that a shared account
// which comes with a new one each time is not written for each event.
const maxAliases = 16

// escrow hands the identities behind pseudonyms to the vault: each once for
// each process, and again when more of it is known. It is safe for concurrent
// use by the workers of one source.
type escrow struct {
	topic   string
	suffix  string // of the records' keys
	sealing Sealing
	key     Pseudonymiser

	mu   sync.Mutex
	told *lru[schemas.Pseudonym, vault.Identity]
}

func newEscrow(topics schemas.Topics, source schemas.Source, sealing *Sealing, key Pseudonymiser) *escrow {
	e := &escrow{
		// Feeds know different parts of an identity, and compaction would keep
		// what the last one knows.
		topic: topics.Identities(), suffix: "/" + string(source),
		sealing: *sealing, key: key, told: newLRU[schemas.Pseudonym, vault.Identity](),
	}
	if e.sealing.CachedIdentities == 0 {
		e.sealing.CachedIdentities = 50_000
	}
	return e
}

// news is what a batch tells of people that the vault may not know yet.
type news struct {
	users      []schemas.Pseudonym // in the order of the batch
	identities map[schemas.Pseudonym]vault.Identity
	observed   map[schemas.Pseudonym]schemas.Time
}

// collect finds out what the batch tells that was not told before.
func (e *escrow) collect(out *Batch) news {
	n := news{identities: map[schemas.Pseudonym]vault.Identity{}, observed: map[schemas.Pseudonym]schemas.Time{}}
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range out.Links {
		link := &out.Links[i]
		e.tell(&n, link.User, &link.Actor, "", link.Observed)
	}
	for i := range out.Clear {
		event := &out.Clear[i]
		display := ""
		// Elsewhere the display name may be that of an owner or a sender.
		if event.Source == schemas.SourceSignIn || event.Source == schemas.SourceHR {
			display = event.Clear.DisplayName
		}
		e.tell(&n, out.Events[i].User, &event.Actor, display, out.Events[i].ObservedTime)
	}
	return n
}

// tell adds to the news what an actor's names tell of the user.
func (e *escrow) tell(n *news, user schemas.Pseudonym, actor *normalise.Actor, display string, observed schemas.Time) {
	if user == (schemas.Pseudonym{}) || !isHuman(actor.Type) || actor.Key() == "" {
		return
	}
	identity, known := n.identities[user]
	if !known {
		identity, _ = e.told.get(user)
	}
	if !e.merge(&identity, user, actor, display) {
		return
	}
	if !known {
		n.users = append(n.users, user)
	}
	n.identities[user] = identity
	n.observed[user] = max(n.observed[user], observed)
}

// merge adds an actor's names to the identity and reports whether one is new. What is known is never replaced, so that two feeds which spell a
// name differently come to rest; the other spelling is an alias.
func (e *escrow) merge(identity *vault.Identity, user schemas.Pseudonym, a *normalise.Actor, display string) bool {
	changed := false
	alias := func(name string) {
		if name == "" || name == identity.UPN || name == identity.ObjectID || name == identity.EmployeeID || name == identity.DisplayName ||
			len(identity.Aliases) >= maxAliases || slices.Contains(identity.Aliases, name) {
			return
		}
		// Clipped, since what was told before shares the array.
		identity.Aliases = append(slices.Clip(identity.Aliases), name)
		changed = true
	}
	first := func(field *string, value string) {
		if value != "" && *field == "" {
			*field, changed = value, true
		}
		alias(value)
	}
	for _, name := range []string{a.UPN, a.Mail} {
		// Another address of somebody who is known by a UPN is no UPN.
		if identity.UPN == "" && name != "" && e.key.Pseudonym(upnPrefix+name) == user {
			identity.UPN, changed = name, true
			if e.sealing.Previous != nil {
				identity.Previous = []vault.LinkRecord{vault.Link(e.sealing.Previous, upnPrefix+name)}
			}
		}
		alias(name)
	}
	first(&identity.ObjectID, a.ObjectID)
	first(&identity.EmployeeID, a.EmployeeID)
	alias(a.WorkerID)
	alias(a.SID)
	alias(a.Account)
	first(&identity.DisplayName, display)
	return changed
}

// seal makes Kafka records of the news.
func (e *escrow) seal(n news) ([]*kgo.Record, error) {
	records := make([]*kgo.Record, 0, len(n.users))
	for _, user := range n.users {
		sealed, err := vault.SealIdentity(e.sealing.Vault, user, e.key.Version(), n.observed[user], n.identities[user])
		if err != nil {
			return nil, err
		}
		value, err := e.sealing.Identities.Append(nil, &sealed)
		if err != nil {
			return nil, err
		}
		records = append(records, &kgo.Record{Topic: e.topic, Key: []byte(user.String() + e.suffix), Value: value})
	}
	return records, nil
}

// confirm tells that Kafka has the news. When two workers learned of a person at
// once, what is forgotten here is learned again.
func (e *escrow) confirm(n news) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, user := range n.users {
		e.told.put(user, n.identities[user])
	}
	e.told.trim(e.sealing.CachedIdentities)
}
