package vault

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/hpke"
	"errors"
	"fmt"
)

// SharedSize is the length of what KeyAgreement.Agree returns, in bytes.
const SharedSize = 32

// KeyAgreement is the private half of a vault key, wherever it is kept. It does
// the one step of opening that needs the secret, and neither sees what is opened
// nor what it was sealed with: a key management service or a hardware module can
// do as much. PrivateKey is the one in memory; package keycommand asks a program.
//
// Implementations are safe for concurrent use.
type KeyAgreement interface {
	// Public returns the half that seals.
	Public() *PublicKey
	// Agree returns X25519 of the private key and the peer's public key, 32 bytes
	// each. It returns an error that wraps ErrNotAuthentic when the peer is no
	// public key, and any other when it could not find out.
	Agree(ctx context.Context, peer []byte) ([]byte, error)
}

// open decrypts what the key's public half sealed with the same additional data.
func open(ctx context.Context, key KeyAgreement, additional, sealed []byte) ([]byte, error) {
	plaintext, err := decapsulate(ctx, key, additional, sealed)
	if err != nil {
		return nil, fmt.Errorf("opening with vault key %s: %w", key.Public().ID(), err)
	}
	return plaintext, nil
}

func decapsulate(ctx context.Context, key KeyAgreement, additional, sealed []byte) ([]byte, error) {
	if len(sealed) < encapsulatedSize {
		return nil, ErrNotAuthentic
	}
	point, err := ecdh.X25519().NewPublicKey(key.Public().key.Bytes())
	if err != nil {
		return nil, fmt.Errorf("reading the public key: %w", err)
	}
	var failure error
	private, err := hpke.NewDHKEMPrivateKey(exchange{point, func(peer []byte) (shared []byte, err error) {
		if shared, failure = key.Agree(ctx, peer); failure == nil && !isShared(shared) {
			failure = errors.New("the key agreement gave no shared secret")
		}
		return shared, failure
	}})
	if err != nil {
		return nil, fmt.Errorf("preparing the key agreement: %w", err)
	}
	recipient, err := hpke.NewRecipient(bytes.Clone(sealed[:encapsulatedSize]), private, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(sealingInfo))
	if failure != nil {
		return nil, failure
	}
	if err != nil {
		return nil, ErrNotAuthentic // what HPKE says of the cause tells an operator nothing more
	}
	plaintext, err := recipient.Open(additional, sealed[encapsulatedSize:])
	if err != nil {
		return nil, ErrNotAuthentic
	}
	return plaintext, nil
}

// isShared tells a secret from what agreements with points of low order give.
func isShared(shared []byte) bool {
	return len(shared) == SharedSize && !bytes.Equal(shared, make([]byte, SharedSize))
}

// exchange is a KeyAgreement for one call, as HPKE wants it.
type exchange struct {
	public *ecdh.PublicKey
	agree  func(peer []byte) ([]byte, error)
}

func (e exchange) PublicKey() *ecdh.PublicKey { return e.public }
func (exchange) Curve() ecdh.Curve            { return ecdh.X25519() }

// ECDH implements ecdh.KeyExchanger.
func (e exchange) ECDH(peer *ecdh.PublicKey) ([]byte, error) { return e.agree(peer.Bytes()) }
