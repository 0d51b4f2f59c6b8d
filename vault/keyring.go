package vault

import (
	"context"
	"errors"
	"fmt"
)

// ErrUnknownVaultKey means that a record is sealed to a vault key that is not
// at hand: an older one, after a rotation.
var ErrUnknownVaultKey = errors.New("the vault key is not loaded")

// Opener opens what was sealed to a vault key. Keyring is the one.
//
// Implementations are safe for concurrent use. Open returns an error that wraps
// ErrUnknownVaultKey when it has no key of that id, ErrNotAuthentic when the
// sealed bytes or the additional data are not the ones that were sealed, and any
// other error when it could not find out; no error quotes what was sealed.
type Opener interface {
	Open(ctx context.Context, keyID string, sealed, additional []byte) ([]byte, error)
}

// Keyring holds private keys, in memory or where they never leave: the current
// one and those before it, for as long as anything sealed to them is kept.
//
// A Keyring is safe for concurrent use.
type Keyring struct{ keys map[string]KeyAgreement }

// NewKeyring returns a keyring of one key or more.
func NewKeyring(keys ...KeyAgreement) (*Keyring, error) {
	if len(keys) == 0 {
		return nil, errors.New("making a keyring: at least one private key is needed")
	}
	ring := &Keyring{keys: map[string]KeyAgreement{}}
	for _, key := range keys {
		id := key.Public().ID()
		if _, twice := ring.keys[id]; twice {
			return nil, fmt.Errorf("making a keyring: vault key %s is given twice", id)
		}
		ring.keys[id] = key
	}
	return ring, nil
}

// Open implements Opener.
func (r *Keyring) Open(ctx context.Context, keyID string, sealed, additional []byte) ([]byte, error) {
	key, found := r.keys[keyID]
	if !found {
		// The id comes from the record, which anybody may have written.
		return nil, fmt.Errorf("opening with vault key %.32q: %w; add it to vault.private_key_file", keyID, ErrUnknownVaultKey)
	}
	return open(ctx, key, additional, sealed)
}
