package sink

import (
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

// identity is a row of the table of identities.
type identity struct {
	schemas.Identity
	source  string
	deleted bool
}

// flattenIdentity takes the feed from the record's key, which alone tells it.
func flattenIdentity(v *schemas.Identity, r *kgo.Record) (identity, error) {
	user, source, err := identityKey(r.Key)
	if err != nil {
		return identity{}, err
	}
	if user != v.User {
		return identity{}, fmt.Errorf("the record's key is of another user than its value: %w", schemas.ErrMalformed)
	}
	if v.KeyVersion < 1 {
		return identity{}, fmt.Errorf("key version %d is negative or zero: %w", v.KeyVersion, schemas.ErrMalformed)
	}
	return identity{Identity: *v, source: source}, validTime("updated_time", v.UpdatedTime)
}

// deletedIdentity is the row of a record without a value.
func deletedIdentity(r *kgo.Record) (identity, error) {
	user, source, err := identityKey(r.Key)
	if err != nil {
		return identity{}, err
	}
	at := schemas.TimeOf(r.Timestamp)
	return identity{Identity: schemas.Identity{User: user, UpdatedTime: at}, source: source, deleted: true}, validTime("the record's time", at)
}

// identityKey reads "pseudonym/feed".
func identityKey(key []byte) (schemas.Pseudonym, string, error) {
	var user schemas.Pseudonym
	text, source, _ := strings.Cut(string(key), "/")
	if err := user.UnmarshalText([]byte(text)); err != nil || source == "" {
		// The key is left out: a name that got there by mistake must not get into a log.
		return user, "", fmt.Errorf("the record's key is not a pseudonym, a slash and a feed: %w", schemas.ErrMalformed)
	}
	return user, source, nil
}

func identityColumns() []column[identity] {
	return []column[identity]{
		{"user", "String", from(func(v *identity) schemas.Pseudonym { return v.User })},
		{"source", categoryType, from(func(v *identity) string { return v.source })},
		{"key_version", "UInt32", from(func(v *identity) uint32 { return uint32(v.KeyVersion) })},
		{"updated_time", timeType, from(func(v *identity) int64 { return int64(v.UpdatedTime) })},
		{"sealed", "String", from(func(v *identity) []byte { return v.Sealed })},
		{"sealing_key", "String", from(func(v *identity) string { return v.SealingKey })},
		{"deleted", "UInt8", from(func(v *identity) uint8 { return bit(v.deleted) })},
	}
}

// evidenceKey is a row of the table of evidence keys.
type evidenceKey struct {
	schemas.EvidenceKey
	deletedTime schemas.Time
	deleted     bool
}

func flattenEvidenceKey(k *schemas.EvidenceKey, r *kgo.Record) (evidenceKey, error) {
	if k.ID == "" || k.Format < 1 {
		return evidenceKey{}, fmt.Errorf("an evidence key without an id or a format: %w", schemas.ErrMalformed)
	}
	row := evidenceKey{EvidenceKey: *k}
	if vault.Punctured(k) {
		// A part of the key was deleted: the row is newer than that of the whole key.
		row.deletedTime = schemas.TimeOf(r.Timestamp)
	}
	return row, errors.Join(validTime("hour", k.Hour), validTime("the record's time", row.deletedTime))
}

// deletedEvidenceKey is the row of a record without a value. Its hour is later than the key's own,
// so that retention never takes it before what it deletes.
func deletedEvidenceKey(r *kgo.Record) (evidenceKey, error) {
	if len(r.Key) == 0 {
		return evidenceKey{}, fmt.Errorf("a record without value and key: %w", schemas.ErrMalformed)
	}
	at := schemas.TimeOf(r.Timestamp)
	return evidenceKey{EvidenceKey: schemas.EvidenceKey{ID: string(r.Key), Hour: at}, deletedTime: at, deleted: true}, validTime("the record's time", at)
}

func evidenceKeyColumns() []column[evidenceKey] {
	return []column[evidenceKey]{
		{"key_id", "String", from(func(k *evidenceKey) string { return k.ID })},
		{"vault_key", categoryType, from(func(k *evidenceKey) string { return k.VaultKey })},
		{"hour", timeType, from(func(k *evidenceKey) int64 { return int64(k.Hour) })},
		{"format", "UInt32", from(func(k *evidenceKey) uint32 { return uint32(k.Format) })},
		{"wrapped", "String", from(func(k *evidenceKey) []byte { return k.Wrapped })},
		{"deleted_time", timeType, from(func(k *evidenceKey) int64 { return int64(k.deletedTime) })},
		{"deleted", "UInt8", from(func(k *evidenceKey) uint8 { return bit(k.deleted) })},
	}
}

func bit(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

func newIdentityRows(codec *schemas.Codec[schemas.Identity], database string) rows {
	return &typed[schemas.Identity, identity]{
		codec: codec, flatten: flattenIdentity, deleted: deletedIdentity, columns: newColumns(identityColumns()),
		tables: []string{database + ".identities"}, observed: func(_ *schemas.Identity, r *kgo.Record) schemas.Time { return schemas.TimeOf(r.Timestamp) },
	}
}

func newEvidenceKeyRows(codec *schemas.Codec[schemas.EvidenceKey], database string) rows {
	return &typed[schemas.EvidenceKey, evidenceKey]{
		codec: codec, flatten: flattenEvidenceKey, deleted: deletedEvidenceKey, columns: newColumns(evidenceKeyColumns()),
		tables: []string{database + ".evidence_keys"}, observed: func(_ *schemas.EvidenceKey, r *kgo.Record) schemas.Time { return schemas.TimeOf(r.Timestamp) },
	}
}
