package vault

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"time"

	"github.com/riskpipe/riskpipe/schemas"
)

// How evidence is sealed: a byte with the number, the nonce, and what
// AES-256-GCM makes of the evidence, under the data key itself in the first
// format, and since then under a key of the person's own that is derived from it.
// Data keys have the numbers, too, and one more: a punctured key is no data key
// any more, but the keys of those people whose evidence can still be opened.
const (
	wholeFormat     = 1
	evidenceFormat  = 2
	puncturedFormat = 3
)

const (
	dataKeySize = 32 // bytes: AES-256
	nonceSize   = 12
	tagSize     = 16
)

// EvidenceOverhead is by how many bytes sealed evidence is longer than the
// evidence.
const EvidenceOverhead = 1 + nonceSize + tagSize

// The labels that begin additional data, so that nothing sealed for one purpose
// opens for another.
const (
	labelEvidence = "riskpipe evidence\x00"
	labelPerson   = "riskpipe person\x00"
	labelDataKey  = "riskpipe data key\x00"
	labelIdentity = "riskpipe identity\x00"
)

// hourMillis is one hour of schemas.Time.
const hourMillis = schemas.Time(time.Hour / time.Millisecond)

// hourOf is the beginning of the hour.
func hourOf(at schemas.Time) schemas.Time {
	into := at % hourMillis
	if into < 0 {
		into += hourMillis
	}
	return at - into
}

func newAEAD(dataKey []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(dataKey)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// appendEvidenceData appends what evidence is bound to. Every part has a fixed
// length, but for the key id, which is preceded by its own.
func appendEvidenceData(dst []byte, format byte, user schemas.Pseudonym, event schemas.UUID, keyID string) []byte {
	dst = append(append(dst, labelEvidence...), format)
	dst = append(append(dst, user[:]...), event[:]...)
	dst = binary.AppendUvarint(dst, uint64(len(keyID)))
	return append(dst, keyID...)
}

// dataKeyData is what a wrapped data key is bound to.
func dataKeyData(key *schemas.EvidenceKey) []byte {
	data := binary.BigEndian.AppendUint32([]byte(labelDataKey), uint32(key.Format))
	data = binary.BigEndian.AppendUint64(data, uint64(key.Hour))
	return append(data, key.ID...)
}

// wrap seals the data key to the vault and fills in where it can be opened.
func wrap(to *PublicKey, dataKey []byte, key *schemas.EvidenceKey) error {
	key.VaultKey = to.ID()
	wrapped, err := to.Seal(dataKeyData(key), dataKey)
	if err != nil {
		return fmt.Errorf("wrapping data key %s: %w", key.ID, err)
	}
	key.Wrapped = wrapped
	return nil
}

// personKey is the key that seals the evidence of one user under a data key.
// Whoever has it can tell neither the data key nor another user's key.
func personKey(dataKey []byte, user schemas.Pseudonym) []byte {
	return appendPersonKey(nil, hmac.New(sha256.New, dataKey), user)
}

// appendPersonKey makes the key with an HMAC-SHA-256 under the data key, which
// may have been used before.
func appendPersonKey(dst []byte, mac hash.Hash, user schemas.Pseudonym) []byte {
	mac.Reset()
	mac.Write([]byte(labelPerson))
	mac.Write(user[:])
	return mac.Sum(dst)
}

// dataKey is an unwrapped data key of any format.
type dataKey struct {
	format int32
	secret []byte                       // not of a punctured one
	people map[schemas.Pseudonym][]byte // of a punctured one
}

// aead returns what opens evidence of the user that was sealed in the format.
func (k *dataKey) aead(format byte, user schemas.Pseudonym) (cipher.AEAD, error) {
	switch {
	case k.format == wholeFormat && format == wholeFormat:
		return newAEAD(k.secret)
	case k.format == evidenceFormat && format == evidenceFormat:
		return newAEAD(personKey(k.secret, user))
	case k.format == puncturedFormat && format == evidenceFormat && k.people[user] != nil:
		return newAEAD(k.people[user])
	case k.format == puncturedFormat && format == evidenceFormat:
		return nil, ErrShredded
	default:
		return nil, ErrNotAuthentic
	}
}

// unwrap opens a data key.
func unwrap(ctx context.Context, opener Opener, key *schemas.EvidenceKey) (*dataKey, error) {
	if key.Format < wholeFormat || key.Format > puncturedFormat {
		return nil, fmt.Errorf("unwrapping data key %.32q: format %d was written by a newer riskpipe", key.ID, key.Format)
	}
	secret, err := opener.Open(ctx, key.VaultKey, key.Wrapped, dataKeyData(key))
	if err != nil {
		return nil, fmt.Errorf("unwrapping data key %.32q: %w", key.ID, err)
	}
	if key.Format == puncturedFormat {
		people, err := readPeople(secret)
		if err != nil {
			return nil, fmt.Errorf("unwrapping data key %.32q: %w", key.ID, err)
		}
		return &dataKey{format: key.Format, people: people}, nil
	}
	if len(secret) != dataKeySize {
		return nil, fmt.Errorf("unwrapping data key %.32q: %w", key.ID, errors.Join(ErrNotAuthentic, fmt.Errorf("it has %d bytes", len(secret))))
	}
	return &dataKey{format: key.Format, secret: secret}, nil
}

// ShredBefore returns the ids of the data keys whose hour had ended by then.
// Writing a record without a value under each id to the topic evidence_keys, and
// deleting the rows that were made of the topic, makes everything unreadable that
// was sealed in those hours, in every copy and backup that holds events alone.
// Evidence lasts as long as its key: an event that is normalised again later is
// sealed under the key of that later hour.
func ShredBefore(keys []schemas.EvidenceKey, before schemas.Time) []string {
	var ids []string
	for i := range keys {
		if keys[i].Hour+hourMillis <= before {
			ids = append(ids, keys[i].ID)
		}
	}
	return ids
}
