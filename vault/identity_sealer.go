package vault

import (
	"context"
	"crypto/cipher"
	"crypto/rand"
	"fmt"
	"sync"

	"github.com/riskpipe/riskpipe/schemas"
)

// wrappedKeySize is what a data key takes sealed to the vault, in bytes.
const wrappedKeySize = encapsulatedSize + dataKeySize + tagSize

// maxIdentities is how many identities one data key seals. Nonces are random; after
// so many, two are equal with a chance of 2^-57.
const maxIdentities = 1 << 20

// IdentitySealer seals identities to the vault, each under a data key which goes
// with it, itself sealed to the vault. A key serves for an hour of the identities'
// own time at most: to agree on one with the vault takes as long as a hundred
// identities take to seal.
//
// An IdentitySealer is safe for concurrent use.
type IdentitySealer struct {
	to *PublicKey

	mu      sync.Mutex
	hour    schemas.Time
	used    int
	wrapped []byte
	aead    cipher.AEAD
}

// NewIdentitySealer returns a sealer to the vault.
func NewIdentitySealer(to *PublicKey) *IdentitySealer { return &IdentitySealer{to: to} }

// Seal seals the identity of a pseudonym as learned at the given time. It opens for
// no other pseudonym and key version.
func (s *IdentitySealer) Seal(user schemas.Pseudonym, keyVersion int32, at schemas.Time, identity Identity) (schemas.Identity, error) {
	padded, err := padIdentity(identity)
	if err != nil {
		return schemas.Identity{}, fmt.Errorf("sealing the identity of %s: %w", user.Short(), err)
	}
	sealed, err := s.seal(at, padded, identityData(user, keyVersion))
	if err != nil {
		return schemas.Identity{}, fmt.Errorf("sealing the identity of %s: %w", user.Short(), err)
	}
	return schemas.Identity{User: user, KeyVersion: keyVersion, UpdatedTime: at, Sealed: sealed, SealingKey: s.to.ID()}, nil
}

func (s *IdentitySealer) seal(at schemas.Time, padded, additional []byte) ([]byte, error) {
	wrapped, aead, err := s.key(at)
	if err != nil {
		return nil, err
	}
	sealed := make([]byte, wrappedKeySize+nonceSize, wrappedKeySize+nonceSize+len(padded)+tagSize)
	copy(sealed, wrapped)
	nonce := sealed[wrappedKeySize:]
	if _, err := rand.Read(nonce); err != nil {
		return nil, fmt.Errorf("drawing a nonce: %w", err)
	}
	return aead.Seal(sealed, nonce, padded, additional), nil
}

// key returns the data key to use, and draws one when it is time to.
func (s *IdentitySealer) key(at schemas.Time) ([]byte, cipher.AEAD, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.aead != nil && hourOf(at) <= s.hour && s.used < maxIdentities {
		s.used++
		return s.wrapped, s.aead, nil
	}
	secret := make([]byte, dataKeySize)
	defer clear(secret)
	if _, err := rand.Read(secret); err != nil {
		return nil, nil, fmt.Errorf("drawing a data key: %w", err)
	}
	wrapped, err := s.to.Seal([]byte(labelIdentity), secret)
	if err != nil {
		return nil, nil, err
	}
	aead, err := newAEAD(secret)
	if err != nil {
		return nil, nil, fmt.Errorf("drawing a data key: %w", err)
	}
	s.hour, s.used, s.wrapped, s.aead = max(s.hour, hourOf(at)), 1, wrapped, aead
	return wrapped, aead, nil
}

// openSealedIdentity opens what an IdentitySealer made, padding included.
func openSealedIdentity(ctx context.Context, opener Opener, sealed *schemas.Identity) ([]byte, error) {
	if len(sealed.Sealed) < wrappedKeySize+nonceSize+tagSize {
		return nil, ErrNotAuthentic
	}
	wrapped, rest := sealed.Sealed[:wrappedKeySize], sealed.Sealed[wrappedKeySize:]
	secret, err := opener.Open(ctx, sealed.SealingKey, wrapped, []byte(labelIdentity))
	if err != nil {
		return nil, err
	}
	defer clear(secret)
	aead, err := newAEAD(secret)
	if err != nil {
		return nil, ErrNotAuthentic // whoever has the public key can wrap anything
	}
	padded, err := aead.Open(nil, rest[:nonceSize], rest[nonceSize:], identityData(sealed.User, sealed.KeyVersion))
	if err != nil {
		return nil, ErrNotAuthentic
	}
	return padded, nil
}
