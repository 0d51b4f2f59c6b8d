package vault

import (
	"context"
	"errors"
	"fmt"
)

// ErrUnknownVaultKey means that a record is sealed to a vault key that is not
// at hand: an older one, after a rotation.
var ErrUnknownVaultKey = errors.New("the vault key is not loaded")

// Opener opens what was sealed to a vault key. Keyring is the one with key
// files; a key management service whose keys never leave it fits as well.
//
// Implementations are safe for concurrent use. Open returns an error that wraps
// ErrUnknownVaultKey when it has no key of that id, ErrNotAuthentic when the
// sealed bytes or the additional data are not the ones that were sealed, and any
// other error when it could not find out; no error quotes what was sealed.
type Opener interface {
	Open(ctx context.Context, keyID string, sealed, additional []byte) ([]byte, error)
}

// Keyring holds private keys in memory: the current one and those before it,
// for as long as anything sealed to them is kept.
//
// A Keyring is safe for concurrent use.
type Keyring struct{ keys map[string]*PrivateKey }

// NewKeyring returns a keyring of one key or more.
func NewKeyring(keys ...*PrivateKey) (*Keyring, error) {
	if len(keys) == 0 {
		return nil, errors.New("making a keyring: at least one private key is needed")
	}
	ring := &Keyring{keys: map[string]*PrivateKey{}}
	for _, key := range keys {
		if _, twice := ring.keys[key.ID()]; twice {
			return nil, fmt.Errorf("making a keyring: vault key %s is given twice", key.ID())
		}
		ring.keys[key.ID()] = key
	}
	return ring, nil
}

// ReadKeyring reads private key files as ReadPrivateKeyFile does.
func ReadKeyring(paths ...string) (*Keyring, error) {
	keys := make([]*PrivateKey, len(paths))
	for i, path := range paths {
		key, err := ReadPrivateKeyFile(path)
		if err != nil {
			return nil, err
		}
		keys[i] = key
	}
	return NewKeyring(keys...)
}

// Open implements Opener.
func (r *Keyring) Open(_ context.Context, keyID string, sealed, additional []byte) ([]byte, error) {
	key, found := r.keys[keyID]
	if !found {
		// The id comes from the record, which anybody may have written.
		return nil, fmt.Errorf("opening with vault key %.32q: %w; add its file to vault.private_key_file", keyID, ErrUnknownVaultKey)
	}
	return key.Open(additional, sealed)
}
