package vault

import (
	"context"
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// privatePrefix begins the text form of a private key and tells its version.
const privatePrefix = "rpvsecret1:"

// encapsulatedSize is the length of what HPKE puts before the sealed bytes: an
// X25519 public key.
const encapsulatedSize = 32

// ErrNotAuthentic means that sealed bytes were changed, or moved here from
// another user, event or key. Nothing of them is opened.
var ErrNotAuthentic = errors.New("the sealed bytes were changed or belong elsewhere")

// PrivateKey is the half of a vault key pair that opens. Whoever has it can read
// every name and all evidence sealed to its public half.
//
// A PrivateKey is safe for concurrent use. It prints as its id alone.
type PrivateKey struct {
	key    *hidden
	public *PublicKey
}

// hidden keeps fmt, which follows one pointer where a verb does not fit, from the
// secret.
type hidden struct{ *ecdh.PrivateKey }

// GeneratePrivateKey draws a key pair and returns it with its text form, which
// ParsePrivateKey reads.
func GeneratePrivateKey() (*PrivateKey, string, error) {
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, "", fmt.Errorf("drawing a vault key: %w", err)
	}
	private, err := newPrivateKey(key.Bytes())
	if err != nil {
		return nil, "", fmt.Errorf("drawing a vault key: %w", err)
	}
	return private, privateText(key.Bytes()), nil
}

func privateText(raw []byte) string { return privatePrefix + base64.StdEncoding.EncodeToString(raw) }

func newPrivateKey(raw []byte) (*PrivateKey, error) {
	key, err := ecdh.X25519().NewPrivateKey(raw)
	if err != nil {
		return nil, err
	}
	public, err := hpke.NewDHKEMPublicKey(key.PublicKey())
	if err != nil {
		return nil, err
	}
	return &PrivateKey{key: &hidden{key}, public: newPublicKey(public)}, nil
}

// errPrivateText says what is wanted and quotes nothing of what was given.
var errPrivateText = errors.New("want rpvsecret1:<base64 of 32 bytes>, as `riskpipe vault init` writes it")

// ParsePrivateKey reads the text form, rpvsecret1:<base64 of 32 bytes>. Blanks
// and line ends around it are ignored.
func ParsePrivateKey(text string) (*PrivateKey, error) {
	encoded, found := strings.CutPrefix(strings.TrimSpace(text), privatePrefix)
	if !found {
		return nil, fmt.Errorf("reading the vault's private key: %w", errPrivateText)
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return nil, fmt.Errorf("reading the vault's private key: %w", errPrivateText)
	}
	key, err := newPrivateKey(raw)
	if err != nil {
		return nil, fmt.Errorf("reading the vault's private key: %w", errPrivateText)
	}
	return key, nil
}

// ReadPrivateKeyFile reads a private key from a file in the form of
// ParsePrivateKey. It refuses files that the group or others may read, write or
// execute.
func ReadPrivateKeyFile(path string) (*PrivateKey, error) {
	return readSecretFile(path, ParsePrivateKey)
}

// Public returns the half that seals.
func (k *PrivateKey) Public() *PublicKey { return k.public }

// ID is that of the public key.
func (k *PrivateKey) ID() string { return k.public.id }

// Open decrypts what PublicKey.Seal sealed with the same additional data. It
// returns ErrNotAuthentic when one of them is not the same.
func (k *PrivateKey) Open(additional, sealed []byte) ([]byte, error) {
	return open(context.Background(), k, additional, sealed)
}

// Agree implements KeyAgreement.
func (k *PrivateKey) Agree(_ context.Context, peer []byte) ([]byte, error) {
	point, err := ecdh.X25519().NewPublicKey(peer)
	if err != nil {
		return nil, ErrNotAuthentic
	}
	shared, err := k.key.ECDH(point)
	if err != nil { // a point of low order
		return nil, ErrNotAuthentic
	}
	return shared, nil
}
