package vault

import (
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// publicPrefix begins the text form of a public key and tells its version.
const publicPrefix = "rpv1:"

// sealingInfo keeps what is sealed here apart from any other use of the key.
const sealingInfo = "riskpipe vault v1"

// PublicKey is the half of a vault key pair that seals. It opens nothing, so
// services may have it.
//
// A PublicKey is safe for concurrent use.
type PublicKey struct {
	key hpke.PublicKey
	id  string
}

func newPublicKey(key hpke.PublicKey) *PublicKey {
	sum := sha256.Sum256(key.Bytes())
	return &PublicKey{key: key, id: hex.EncodeToString(sum[:8])}
}

// ParsePublicKey reads the text form, rpv1:<base64 of 32 bytes>. Blanks and line
// ends around it are ignored.
func ParsePublicKey(text string) (*PublicKey, error) {
	encoded, found := strings.CutPrefix(strings.TrimSpace(text), publicPrefix)
	if !found {
		if strings.HasPrefix(strings.TrimSpace(text), privatePrefix) {
			return nil, errors.New("reading the vault's public key: this is the private key, which belongs to the vault alone; `riskpipe vault public` prints its public half")
		}
		return nil, errors.New("reading the vault's public key: want rpv1:<base64 of 32 bytes>, as `riskpipe vault init` writes it")
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return nil, fmt.Errorf("reading the vault's public key: %w", err)
	}
	key, err := kem().NewPublicKey(raw)
	if err != nil {
		return nil, fmt.Errorf("reading the vault's public key: %w", err)
	}
	public := newPublicKey(key)
	// Points of low order are found out only by using them.
	if _, err := public.Seal(nil, nil); err != nil {
		return nil, fmt.Errorf("reading the vault's public key: %w", err)
	}
	return public, nil
}

// ReadPublicKeyFile reads a public key from a file in the form of
// ParsePublicKey. Anybody may read the file.
func ReadPublicKeyFile(path string) (*PublicKey, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening the vault's public key: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxKeyFile))
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("reading the vault's public key: %w", err)
	}
	key, err := ParsePublicKey(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

// ID is the first 8 bytes of the key's SHA-256 in hexadecimal digits. It says in
// every sealed record which private key opens it.
func (k *PublicKey) ID() string { return k.id }

// String is the text form, which ParsePublicKey reads.
func (k *PublicKey) String() string {
	return publicPrefix + base64.StdEncoding.EncodeToString(k.key.Bytes())
}

// Seal encrypts the plaintext so that only the private key opens it, together
// with the same additional data. The result is 48 bytes longer.
func (k *PublicKey) Seal(additional, plaintext []byte) ([]byte, error) {
	encapsulated, sender, err := hpke.NewSender(k.key, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(sealingInfo))
	if err != nil {
		return nil, fmt.Errorf("sealing to vault key %s: %w", k.id, err)
	}
	sealed, err := sender.Seal(additional, plaintext)
	if err != nil {
		return nil, fmt.Errorf("sealing to vault key %s: %w", k.id, err)
	}
	return append(encapsulated, sealed...), nil
}

func kem() hpke.KEM { return hpke.DHKEM(ecdh.X25519()) }
