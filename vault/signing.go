package vault

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// SigningKey signs checkpoints of audit logs and policies with Ed25519. It has a
// name, which is part of every signature. It prints as its public half.
type SigningKey struct {
	signer note.Signer
	public *VerifyingKey
}

// VerifyingKey is the public half of a SigningKey. Its text form is
// <name>+<hash>+<base64>, as golang.org/x/mod/sumdb/note defines it.
type VerifyingKey struct {
	verifier note.Verifier
	text     string
}

// GenerateSigningKey draws a key from random, for which crypto/rand.Reader is
// meant, and returns it with its text form, which ParseSigningKey reads. The
// name has neither spaces nor plus signs.
func GenerateSigningKey(random io.Reader, name string) (*SigningKey, string, error) {
	if name == "" || strings.ContainsAny(name, "+ \t\r\n") {
		return nil, "", fmt.Errorf("a signing key named %q: want a name without spaces and plus signs", name)
	}
	text, _, err := note.GenerateKey(random, name)
	if err != nil {
		return nil, "", fmt.Errorf("drawing a signing key: %w", err)
	}
	key, err := ParseSigningKey(text)
	return key, text, err
}

// errSigningKey quotes nothing of what was given.
var errSigningKey = errors.New("want PRIVATE+KEY+<name>+<hash>+<base64>, as riskpipe audit key writes it")

// ParseSigningKey reads the text form. Blanks and line ends around it are ignored.
func ParseSigningKey(text string) (*SigningKey, error) {
	text = strings.TrimSpace(text)
	signer, err := note.NewSigner(text)
	if err != nil {
		return nil, errSigningKey
	}
	// NewSigner has read it before: the last part is a byte for the algorithm
	// and the seed, and base64 itself may have plus signs.
	encoded := strings.SplitN(text, "+", 5)[4]
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(raw) != 1+ed25519.SeedSize {
		return nil, errSigningKey
	}
	point, ok := ed25519.NewKeyFromSeed(raw[1:]).Public().(ed25519.PublicKey)
	if !ok {
		return nil, errSigningKey
	}
	public, err := note.NewEd25519VerifierKey(signer.Name(), point)
	if err != nil {
		return nil, errSigningKey
	}
	verifying, err := ParseVerifyingKey(public)
	if err != nil {
		return nil, err
	}
	return &SigningKey{signer: signer, public: verifying}, nil
}

// ReadSigningKeyFile reads a key from a file. It refuses files that the group or
// others may read, write or execute.
func ReadSigningKeyFile(path string) (*SigningKey, error) {
	return readSecretFile(path, ParseSigningKey)
}

// ParseVerifyingKey reads the text form. Blanks and line ends around it are
// ignored.
func ParseVerifyingKey(text string) (*VerifyingKey, error) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "PRIVATE+KEY+") {
		return nil, errors.New("this is a private key where a public one is wanted: draw a new one, this one has been shown")
	}
	verifier, err := note.NewVerifier(text)
	if err != nil {
		return nil, errors.New("want a public key <name>+<hash>+<base64>, as riskpipe audit key prints it")
	}
	return &VerifyingKey{verifier: verifier, text: text}, nil
}

// Public returns what verifies the key's signatures.
func (k *SigningKey) Public() *VerifyingKey { return k.public }

// Name is the name of the key.
func (k *SigningKey) Name() string { return k.signer.Name() }

// Name is the name of the key.
func (k *VerifyingKey) Name() string { return k.verifier.Name() }

// String returns the text form.
func (k *VerifyingKey) String() string { return k.text }

// sign returns the text, which ends with a line end, as a signed note.
func (k *SigningKey) sign(text string) ([]byte, error) {
	return note.Sign(&note.Note{Text: text}, k.signer)
}

// openNote returns the text of a note that one of the keys signed.
func openNote(signed []byte, keys []*VerifyingKey) (string, error) {
	verifiers := make([]note.Verifier, len(keys))
	for i, key := range keys {
		verifiers[i] = key.verifier
	}
	opened, err := note.Open(signed, note.VerifierList(verifiers...))
	if err != nil {
		return "", fmt.Errorf("the signature is of none of the given keys: %w", err)
	}
	// One signature in one spelling: base64 has several for the same bytes.
	if len(opened.Sigs) != 1 || len(opened.UnverifiedSigs) > 0 {
		return "", errors.New("it has more than the one signature")
	}
	if _, err := base64.StdEncoding.Strict().DecodeString(opened.Sigs[0].Base64); err != nil {
		return "", errors.New("its signature was changed")
	}
	return opened.Text, nil
}

// String shows the public half and nothing of the secret.
func (k *SigningKey) String() string {
	if k == nil {
		return "no signing key"
	}
	return "signing key " + k.public.text + " (secret withheld)"
}

// Format writes String for every verb.
func (k *SigningKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// LogValue logs String.
func (k *SigningKey) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalText writes String, which cannot be parsed back.
func (k *SigningKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }
