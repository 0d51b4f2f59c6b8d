package vault

import (
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"

	"github.com/riskpipe/riskpipe/schemas"
)

// maxMessages is how much one data key seals. Nonces are counted and could not
// meet before 2^64; the bound keeps what one key protects, and GCM's advantage
// to a forger, small (RFC 9771, NIST SP 800-38D).
const maxMessages = 1 << 32

// ErrNoDataKey means that Renew was not called before sealing, or asked for
// less than was sealed since.
var ErrNoDataKey = errors.New("no data key is left to seal with")

// Sealer seals evidence under data keys that it draws itself and can itself not
// open again once they are replaced. A batch of events is sealed like this:
//
//	Renew(now, len(events))
//	write Key() to the topic evidence_keys, unless it is there already
//	AppendSealed for each event
//
// A Sealer is not safe for concurrent use: each worker has its own.
type Sealer struct {
	to      *PublicKey
	limit   uint64
	key     schemas.EvidenceKey
	mac     hash.Hash // under the data key, nil without one: makes people's keys
	people  map[schemas.Pseudonym]cipher.AEAD
	person  [dataKeySize]byte // key of the person in hand
	used    uint64
	nonce   [nonceSize]byte
	scratch []byte // additional data
}

// NewSealer returns a sealer to the vault.
func NewSealer(to *PublicKey) *Sealer { return &Sealer{to: to, limit: maxMessages} }

// Renew draws a data key when there is none that was drawn in the hour of at and
// has room for so many messages.
func (s *Sealer) Renew(at schemas.Time, messages int) error {
	if s.mac != nil && hourOf(at) == s.key.Hour && uint64(max(messages, 1)) <= s.limit-s.used {
		return nil
	}
	var drawn [dataKeySize + nonceSize + 4]byte
	if _, err := rand.Read(drawn[:]); err != nil {
		return fmt.Errorf("drawing a data key: %w", err)
	}
	defer clear(drawn[:])
	secret, id, prefix := drawn[:dataKeySize], drawn[dataKeySize:dataKeySize+nonceSize], drawn[dataKeySize+nonceSize:]
	key := schemas.EvidenceKey{ID: hex.EncodeToString(id), Hour: hourOf(at), Format: evidenceFormat}
	if err := wrap(s.to, secret, &key); err != nil {
		return err
	}
	s.mac, s.people = hmac.New(sha256.New, secret), map[schemas.Pseudonym]cipher.AEAD{}
	s.key, s.used, s.nonce = key, 0, [nonceSize]byte(append(prefix, make([]byte, 8)...))
	return nil
}

// Key is the data key in use, wrapped, and of no id before the first Renew. Its
// bytes must not be changed.
func (s *Sealer) Key() schemas.EvidenceKey { return s.key }

// AppendSealed seals evidence of one event of one user, appends it to dst and
// returns the extended slice. It opens only for the same user, event and key.
// The evidence must not lie in what dst has room for. It returns ErrNoDataKey
// when the key is used up.
func (s *Sealer) AppendSealed(dst []byte, user schemas.Pseudonym, event schemas.UUID, evidence []byte) ([]byte, error) {
	if s.mac == nil || s.used >= s.limit {
		return nil, ErrNoDataKey
	}
	aead, err := s.of(user)
	if err != nil {
		return nil, fmt.Errorf("sealing evidence: %w", err)
	}
	// No two messages of a key share a nonce: the counter is never set back, and
	// another process has another key.
	binary.BigEndian.PutUint64(s.nonce[4:], s.used)
	s.used++
	s.scratch = appendEvidenceData(s.scratch[:0], evidenceFormat, user, event, s.key.ID)
	dst = append(append(dst, evidenceFormat), s.nonce[:]...)
	return aead.Seal(dst, s.nonce[:], evidence, s.scratch), nil
}

// cachedPeople bounds the people whose keys are at hand: some 10 MB.
const cachedPeople = 10_000

// of returns what seals for the user, so that the vault can let go of one person's
// evidence and keep the others'.
func (s *Sealer) of(user schemas.Pseudonym) (cipher.AEAD, error) {
	if aead, found := s.people[user]; found {
		return aead, nil
	}
	aead, err := newAEAD(appendPersonKey(s.person[:0], s.mac, user))
	if err != nil {
		return nil, err
	}
	if len(s.people) >= cachedPeople {
		clear(s.people)
	}
	s.people[user] = aead
	return aead, nil
}
