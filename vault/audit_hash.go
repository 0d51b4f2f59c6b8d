package vault

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/riskpipe/riskpipe/schemas"
)

// labelAudit begins what is hashed, so that no hash of the chain is one of
// something else.
const labelAudit = "riskpipe audit v1\x00"

// AuditHash is SHA-256 over the record's previous hash, then a label, the
// sequence and the time in 8 bytes, big-endian, and the texts in the order of
// the schema, each behind its length as an unsigned varint. No two records share
// that encoding.
func AuditHash(record *schemas.Audit) schemas.Digest {
	b := make([]byte, 0, 512)
	b = append(b, record.Previous[:]...)
	b = append(b, labelAudit...)
	b = binary.BigEndian.AppendUint64(b, uint64(record.Sequence))
	b = binary.BigEndian.AppendUint64(b, uint64(record.Time))
	for _, text := range []string{record.Writer, record.Actor, record.Action, record.Subject, record.Case, record.Detail} {
		b = binary.AppendUvarint(b, uint64(len(text)))
		b = append(b, text...)
	}
	return sha256.Sum256(b)
}
