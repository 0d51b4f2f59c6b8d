package vault

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

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
	aead    cipher.AEAD
	used    uint64
	nonce   [nonceSize]byte
	scratch []byte // additional data
}

// NewSealer returns a sealer to the vault.
func NewSealer(to *PublicKey) *Sealer { return &Sealer{to: to, limit: maxMessages} }

// Renew draws a data key when there is none that was drawn in the hour of at and
// has room for so many messages.
func (s *Sealer) Renew(at schemas.Time, messages int) error {
	if s.aead != nil && hourOf(at) == s.key.Hour && uint64(max(messages, 1)) <= s.limit-s.used {
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
	aead, err := newAEAD(secret)
	if err != nil {
		return fmt.Errorf("drawing a data key: %w", err)
	}
	s.key, s.aead, s.used, s.nonce = key, aead, 0, [nonceSize]byte(append(prefix, make([]byte, 8)...))
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
	if s.aead == nil || s.used >= s.limit {
		return nil, ErrNoDataKey
	}
	// No two messages of a key share a nonce: the counter is never set back, and
	// another process has another key.
	binary.BigEndian.PutUint64(s.nonce[4:], s.used)
	s.used++
	s.scratch = appendEvidenceData(s.scratch[:0], user, event, s.key.ID)
	dst = append(append(dst, evidenceFormat), s.nonce[:]...)
	return s.aead.Seal(dst, s.nonce[:], evidence, s.scratch), nil
}
