package vault

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"strconv"
	"strings"
	"sync"

	"github.com/riskpipe/riskpipe/schemas"
)

// secretSize is the least length of a key's secret in bytes, and the length of
// generated ones: as long as what HMAC-SHA-256 puts out (RFC 2104, section 3).
const secretSize = sha256.Size

// The purposes, which precede what is hashed so that no pseudonym is ever a
// hash of something else.
const (
	purposePseudonym = "pseudonym\x00"
	purposeHash      = "hash\x00"
)

// keptBuffer bounds the buffers that are kept for the next call, in bytes.
const keptBuffer = 4 << 10

// Key turns identities into pseudonyms and personal values into hashes. Whoever
// holds it can test guesses, so it stays in the process that normalises.
// Replacing it makes strangers of all known people: it has a version, which
// travels in every event.
//
// A Key is safe for concurrent use. It prints as its version alone.
type Key struct {
	version int32
	macs    *sync.Pool  // of *mac; behind a pointer, fmt shows its address at most
	newMAC  func() *mac // keyed with the secret, of which fmt shows nothing
}

type mac struct {
	hmac   hash.Hash
	buffer []byte
}

// NewKey returns the key of a secret of 32 bytes or more, drawn at random, and
// of a version of 1 or more. The secret is copied.
func NewKey(version int32, secret []byte) (*Key, error) {
	var problems []error
	if version < 1 {
		problems = append(problems, fmt.Errorf("key version %d: versions count from 1", version))
	}
	if len(secret) < secretSize {
		problems = append(problems, fmt.Errorf("key secret of %d bytes: %d or more are needed", len(secret), secretSize))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	secret = append([]byte(nil), secret...)
	return &Key{version: version, macs: &sync.Pool{}, newMAC: func() *mac {
		return &mac{hmac: hmac.New(sha256.New, secret), buffer: make([]byte, 0, 256)}
	}}, nil
}

// mac takes one that is idle, or a new one.
func (k *Key) mac() *mac {
	if m, ok := k.macs.Get().(*mac); ok {
		return m
	}
	return k.newMAC()
}

// GenerateKey draws a key and returns it with its text form, which ParseKey
// reads.
func GenerateKey(version int32) (*Key, string, error) {
	secret := make([]byte, secretSize)
	if _, err := rand.Read(secret); err != nil {
		return nil, "", fmt.Errorf("drawing a key: %w", err)
	}
	key, err := NewKey(version, secret)
	if err != nil {
		return nil, "", err
	}
	return key, "v" + strconv.Itoa(int(version)) + ":" + base64.StdEncoding.EncodeToString(secret), nil
}

// errKeyText says what is wanted and quotes nothing of what was given.
var errKeyText = errors.New("want v1:<base64 of 32 random bytes>; one comes from: echo v1:$(head -c 32 /dev/urandom | base64)")

// ParseKey reads the text form, v1:<base64 of 32 bytes>. Blanks and line ends
// around it are ignored.
func ParseKey(text string) (*Key, error) {
	label, encoded, found := strings.Cut(strings.TrimSpace(text), ":")
	digits, versioned := strings.CutPrefix(label, "v")
	if !found || !versioned {
		return nil, fmt.Errorf("reading the key: %w", errKeyText)
	}
	version, err := strconv.ParseInt(digits, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("reading the key's version: %w", errKeyText)
	}
	// Strict: two texts of one key would make two keys look different.
	secret, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return nil, fmt.Errorf("reading the key's secret: %w", errKeyText)
	}
	key, err := NewKey(int32(version), secret)
	if err != nil {
		return nil, fmt.Errorf("reading the key: %w", err)
	}
	return key, nil
}

// Version is what events carry as key_version, 1 and up.
func (k *Key) Version() int32 { return k.version }

// Pseudonym returns the first 128 bits of HMAC-SHA-256 over the identity, which
// is used as it is: fold its case before. It is never the zero Pseudonym, which
// stands for nobody.
func (k *Key) Pseudonym(identity string) schemas.Pseudonym {
	m := k.mac()
	m.buffer = append(append(m.buffer[:0], purposePseudonym...), identity...)
	p := schemas.Pseudonym(m.sum()[:16])
	k.macs.Put(m)
	if p == (schemas.Pseudonym{}) {
		p[len(p)-1] = 1
	}
	return p
}

// Hash returns the first 64 bits of HMAC-SHA-256 over a value of the given kind
// ("ip", "file_name"): equal values of one kind have equal hashes, and hashes of
// different kinds cannot be compared. It is 0, "not known", for the empty value
// and for no other.
func (k *Key) Hash(kind, value string) schemas.Hash {
	if value == "" {
		return 0
	}
	m := k.mac()
	m.buffer = append(m.buffer[:0], purposeHash...)
	m.buffer = binary.AppendUvarint(m.buffer, uint64(len(kind)))
	m.buffer = append(append(m.buffer, kind...), value...)
	h := schemas.Hash(binary.BigEndian.Uint64(m.sum()))
	k.macs.Put(m)
	if h == 0 {
		h = 1
	}
	return h
}

// sum returns the code of the buffer's content, valid until the next call.
func (m *mac) sum() []byte {
	m.hmac.Reset()
	m.hmac.Write(m.buffer)
	if cap(m.buffer) > keptBuffer {
		m.buffer = make([]byte, 0, 256)
	}
	m.buffer = m.hmac.Sum(m.buffer[:0])
	return m.buffer
}
