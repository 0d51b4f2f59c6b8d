package pipeline

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

const (
	// maxAliases bounds the other names of one person, so that a shared account
	// which comes with a new one each time is not written for each event.
	maxAliases = 16
	// maxIdentityText bounds each fact, in bytes. What is longer is none, and a
	// record of it would be refused by the topic, again and again.
	maxIdentityText = 1024
	// toldAgain is after how long the vault is told again what a directory still
	// says of a person: another process may have told it something else since.
	toldAgain = schemas.Time(24 * time.Hour / time.Millisecond)
)

// escrow hands the identities behind pseudonyms to the vault, fact by fact, each
// once for each process and again when it changed. A fact is a record of its own
// under a key of its own, <pseudonym>/<feed>/<fact>: the topic is compacted, no
// process knows all that was told of a person before, and none can read it. So
// what one record says never takes away what another one said.
//
// It is safe for concurrent use by the workers of one source.
type escrow struct {
	topic   string
	source  schemas.Source
	sealing Sealing
	key     Pseudonymiser
	sealer  *vault.IdentitySealer
	turn    chan struct{} // held by the worker that tells

	mu   sync.Mutex
	told *lru[schemas.Pseudonym, told]
}

func newEscrow(topics schemas.Topics, source schemas.Source, sealing *Sealing, key Pseudonymiser) *escrow {
	e := &escrow{
		topic: topics.Identities(), source: source, sealing: *sealing, key: key, sealer: vault.NewIdentitySealer(sealing.Vault),
		turn: make(chan struct{}, 1), told: newLRU[schemas.Pseudonym, told](),
	}
	if e.sealing.CachedIdentities == 0 {
		e.sealing.CachedIdentities = 50_000
	}
	return e
}

// tell writes what the batch tells that was not told before, and returns how many
// facts that were. Workers take turns: at the start all of them meet the same people,
// and each fact is sealed and written once.
func (e *escrow) tell(ctx context.Context, out *Batch, produce func(context.Context, []*kgo.Record) error) (int, error) {
	if len(e.collect(out).facts) == 0 {
		return 0, nil
	}
	select {
	case e.turn <- struct{}{}:
		defer func() { <-e.turn }()
	case <-ctx.Done():
		return 0, fmt.Errorf("waiting for another partition's identities to be told: %w", ctx.Err())
	}
	n := e.collect(out) // others may have told some of it
	records, err := e.seal(n)
	if err != nil {
		return 0, err
	}
	if err := produce(ctx, records); err != nil {
		return 0, err
	}
	e.confirm(n)
	return len(records), nil
}

// news is what a batch tells of people that the vault may not know yet.
type news struct {
	facts []fact // in the order of the batch
	told  map[schemas.Pseudonym]told
}

// fact is one thing about a person.
type fact struct {
	user     schemas.Pseudonym
	name     string         // of the fact, the last part of its key
	says     vault.Identity // the fact alone
	observed schemas.Time
}

// collect finds out what the batch tells that was not told before.
func (e *escrow) collect(out *Batch) news {
	n := news{told: map[schemas.Pseudonym]told{}}
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range out.Links {
		link := &out.Links[i]
		e.add(&n, link.User, &link.Actor, "", link.Observed)
	}
	for i, event := range out.Events {
		actor := out.made[i].actor
		if actor == nil {
			continue
		}
		display := ""
		// Elsewhere the display name may be that of an owner or a sender, and
		// that of the HR feed is in the profile.
		if event.Source == schemas.SourceSignIn {
			display = event.Clear.DisplayName
		}
		told := toldAs{event.User, display}
		if told == actor.told && event.Actor.Profile == nil {
			continue
		}
		e.add(&n, event.User, &event.Actor, display, event.ObservedTime)
		if _, open := n.told[event.User]; !open { // nothing of them waits for Kafka
			actor.told = toldAs{event.User, strings.Clone(display)}
		}
	}
	return n
}

// add adds to the news what an actor's names and profile tell of the user.
func (e *escrow) add(n *news, user schemas.Pseudonym, actor *normalise.Actor, display string, observed schemas.Time) {
	if user == (schemas.Pseudonym{}) || !isHuman(actor.Type) || !actor.IsNamed() {
		return
	}
	known, earlier := n.told[user]
	if !earlier {
		known, _ = e.told.get(user)
	}
	before := len(n.facts)
	t := telling{escrow: e, user: user, observed: observed, told: &known, facts: &n.facts}
	t.names(actor)
	if actor.Profile != nil {
		t.profile(actor.Profile)
	}
	t.once("display_name", &known.DisplayName, display, vault.Identity{DisplayName: display})
	if len(n.facts) > before {
		n.told[user] = known
	}
}

// seal makes Kafka records of the news.
func (e *escrow) seal(n news) ([]*kgo.Record, error) {
	records := make([]*kgo.Record, 0, len(n.facts))
	for i := range n.facts {
		f := &n.facts[i]
		sealed, err := e.sealer.Seal(f.user, e.key.Version(), f.observed, f.says)
		if err != nil {
			return nil, err
		}
		value, err := e.sealing.Identities.Append(nil, &sealed)
		if err != nil {
			return nil, err
		}
		records = append(records, &kgo.Record{Topic: e.topic, Key: fmt.Appendf(nil, "%s/%s/%s", f.user, e.source, f.name), Value: value})
	}
	return records, nil
}

// confirm tells that Kafka has the news.
func (e *escrow) confirm(n news) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for user := range n.told {
		e.told.put(user, n.told[user])
	}
	e.told.trim(e.sealing.CachedIdentities)
}

// aliasFact names the fact that somebody has an alias, which only who has the
// pseudonym key can tell from any other.
func (e *escrow) aliasFact(alias string) string {
	keyed := e.key.Pseudonym("alias:" + alias)
	return "alias-" + hex.EncodeToString(keyed[:8])
}

// isFact tells what can be one: a text of reasonable length.
func isFact(text string) bool {
	return len(text) <= maxIdentityText && strings.TrimSpace(text) != ""
}
