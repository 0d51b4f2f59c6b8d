package vault

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/riskpipe/riskpipe/schemas"
)

// evidenceFormat is how evidence is sealed: a byte with this number, the nonce,
// and what AES-256-GCM makes of the evidence.
const evidenceFormat = 1

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
func appendEvidenceData(dst []byte, user schemas.Pseudonym, event schemas.UUID, keyID string) []byte {
	dst = append(append(dst, labelEvidence...), evidenceFormat)
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

// unwrap opens a data key.
func unwrap(ctx context.Context, opener Opener, key *schemas.EvidenceKey) (cipher.AEAD, error) {
	if key.Format != evidenceFormat {
		return nil, fmt.Errorf("unwrapping data key %.32q: format %d was written by a newer riskpipe", key.ID, key.Format)
	}
	dataKey, err := opener.Open(ctx, key.VaultKey, key.Wrapped, dataKeyData(key))
	if err != nil {
		return nil, fmt.Errorf("unwrapping data key %.32q: %w", key.ID, err)
	}
	defer clear(dataKey)
	if len(dataKey) != dataKeySize {
		return nil, fmt.Errorf("unwrapping data key %.32q: %w", key.ID, errors.Join(ErrNotAuthentic, fmt.Errorf("it has %d bytes", len(dataKey))))
	}
	return newAEAD(dataKey)
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
