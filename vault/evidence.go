package vault

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"github.com/riskpipe/riskpipe/schemas"
)

// cachedDataKeys is how many unwrapped data keys are kept: a month of one
// worker's, and some 2 MB.
const cachedDataKeys = 720

// EvidenceOpener opens evidence with whatever holds the vault's private keys.
// Data keys stay unwrapped in memory for the next event; since the caller gives
// the wrapped key each time, one that was deleted opens nothing any more.
//
// An EvidenceOpener is safe for concurrent use.
type EvidenceOpener struct {
	opener Opener

	mu   sync.Mutex
	keys map[string]unwrappedKey // by id
}

type unwrappedKey struct {
	wrapped schemas.EvidenceKey
	key     *dataKey
}

// NewEvidenceOpener returns an opener of evidence with nothing unwrapped.
func NewEvidenceOpener(opener Opener) *EvidenceOpener {
	return &EvidenceOpener{opener: opener, keys: map[string]unwrappedKey{}}
}

// Open returns the evidence that a Sealer sealed for the user and the event
// under the data key. It returns ErrNotAuthentic when any of the three is
// another one, or anything was changed, ErrShredded when the user was erased from
// the data key, and what the Opener says when the data key cannot be unwrapped.
func (o *EvidenceOpener) Open(ctx context.Context, key *schemas.EvidenceKey, user schemas.Pseudonym, event schemas.UUID, sealed []byte) ([]byte, error) {
	if len(sealed) < EvidenceOverhead || (sealed[0] != wholeFormat && sealed[0] != evidenceFormat) {
		return nil, fmt.Errorf("opening evidence of event %s: %w", event, ErrNotAuthentic)
	}
	unwrapped, err := o.unwrapped(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("opening evidence of event %s: %w", event, err)
	}
	aead, err := unwrapped.aead(sealed[0], user)
	if err != nil {
		return nil, fmt.Errorf("opening evidence of event %s: %w", event, err)
	}
	evidence, err := aead.Open(nil, sealed[1:1+nonceSize], sealed[1+nonceSize:], appendEvidenceData(nil, sealed[0], user, event, key.ID))
	if err != nil {
		return nil, fmt.Errorf("opening evidence of event %s: %w", event, ErrNotAuthentic)
	}
	return evidence, nil
}

// unwrapped returns the data key from the cache or from the vault.
func (o *EvidenceOpener) unwrapped(ctx context.Context, key *schemas.EvidenceKey) (*dataKey, error) {
	o.mu.Lock()
	cached, found := o.keys[key.ID]
	o.mu.Unlock()
	if found && sameKey(&cached.wrapped, key) {
		return cached.key, nil
	}
	unwrapped, err := unwrap(ctx, o.opener, key)
	if err != nil {
		return nil, err
	}
	kept := *key
	kept.Wrapped = bytes.Clone(key.Wrapped)
	o.mu.Lock()
	defer o.mu.Unlock()
	for id := range o.keys {
		if len(o.keys) < cachedDataKeys {
			break
		}
		delete(o.keys, id) // any one: it can be unwrapped again
	}
	o.keys[key.ID] = unwrappedKey{kept, unwrapped}
	return unwrapped, nil
}

func sameKey(a, b *schemas.EvidenceKey) bool {
	return a.VaultKey == b.VaultKey && a.Hour == b.Hour && a.Format == b.Format && bytes.Equal(a.Wrapped, b.Wrapped)
}
