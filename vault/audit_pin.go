package vault

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/riskpipe/riskpipe/schemas"
)

// ActionPinned is the action of a record that holds a checkpoint of another
// writer's chain, which has no key to sign with. Its subject is that writer, its
// detail {"checkpoint": <signed note>}. So the checkpoint is wherever the chain of
// its signer is, and nobody takes it away without breaking that chain.
const ActionPinned = "audit.pinned"

// pinDetail is the detail of such a record.
type pinDetail struct {
	Checkpoint string `json:"checkpoint"`
}

// pinOther records a checkpoint of another writer's chain.
func (c *AuditChain) pinOther(at schemas.Time, other checkpoint) error {
	signed, err := signCheckpoint(c.options.Key, other)
	if err != nil {
		return fmt.Errorf("signing the chain of %q at record %d: %w", other.writer, other.sequence, err)
	}
	detail, err := json.Marshal(pinDetail{string(signed)})
	if err != nil {
		return fmt.Errorf("recording a checkpoint of %q: %w", other.writer, err)
	}
	return c.append(AuditEntry{Time: at, Action: ActionPinned, Subject: other.writer, Detail: string(detail)})
}

// pinIn returns the signed note that a record holds, if its action says so.
func pinIn(record *schemas.Audit) (signed []byte, holds bool) {
	if record.Action != ActionPinned {
		return nil, false
	}
	var detail pinDetail
	if err := json.Unmarshal([]byte(record.Detail), &detail); err != nil {
		return nil, true // which no key has signed
	}
	return []byte(detail.Checkpoint), true
}

// openPin reads the checkpoint that a record holds, which one of the keys signed.
func openPin(record *schemas.Audit, signed []byte, keys []*VerifyingKey) (checkpoint, error) {
	pin, err := openCheckpoint(signed, keys)
	if err == nil && pin.writer != record.Subject {
		err = errors.New("it is of another chain than the record says")
	}
	return pin, err
}
