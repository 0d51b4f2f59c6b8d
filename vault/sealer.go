package vault

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/riskpipe/riskpipe/schemas"
)

// ErrNoDataKey means that Renew was not called before sealing, or asked for
// less than was sealed since.
var ErrNoDataKey = errors.New("no data key is left to seal with")

// Sealer seals evidence under data keys that the process draws itself and can itself not
// open again once they are replaced. A batch of events is sealed like this:
//
//	Renew(now, len(events))
//	write Key() to the topic evidence_keys, unless it is there already
//	AppendSealed for each event
//
// A Sealer is not safe for concurrent use: each worker has its own.
type Sealer struct {
	keys      *DataKeys
	key       *sealingKey // nil before the first Renew
	next, end uint64      // messages that are reserved
	nonce     [nonceSize]byte
	scratch   []byte // additional data
}

// NewSealer returns a sealer to the vault with data keys of its own.
func NewSealer(to *PublicKey) *Sealer { return NewDataKeys(to).Sealer() }

// Renew takes the data key of the hour of at, with room for so many messages from
// now on.
func (s *Sealer) Renew(at schemas.Time, messages int) error {
	key, first, err := s.keys.reserve(at, messages)
	if err != nil {
		return err
	}
	s.key, s.next, s.end = key, first, first+uint64(messages)
	copy(s.nonce[:], key.prefix[:])
	return nil
}

// Key is the data key in use, wrapped, and of no id before the first Renew. Its
// bytes must not be changed.
func (s *Sealer) Key() schemas.EvidenceKey {
	if s.key == nil {
		return schemas.EvidenceKey{}
	}
	return s.key.record
}

// AppendSealed seals evidence of one event of one user, appends it to dst and
// returns the extended slice. It opens only for the same user, event and key.
// The evidence must not lie in what dst has room for. It returns ErrNoDataKey
// when what Renew asked for is used up.
func (s *Sealer) AppendSealed(dst []byte, user schemas.Pseudonym, event schemas.UUID, evidence []byte) ([]byte, error) {
	if s.next == s.end {
		return nil, ErrNoDataKey
	}
	aead, err := s.key.of(user)
	if err != nil {
		return nil, fmt.Errorf("sealing evidence: %w", err)
	}
	// No two messages of a key share a nonce: the counter is never set back, and
	// another process has another key.
	binary.BigEndian.PutUint64(s.nonce[len(s.key.prefix):], s.next)
	s.next++
	s.scratch = appendEvidenceData(s.scratch[:0], evidenceFormat, user, event, s.key.record.ID)
	dst = append(append(dst, evidenceFormat), s.nonce[:]...)
	return aead.Seal(dst, s.nonce[:], evidence, s.scratch), nil
}
