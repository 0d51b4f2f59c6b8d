package vault

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/riskpipe/riskpipe/schemas"
)

// ReadAudit reads records as AuditFile writes them. Of what it cannot read it
// returns the records before, with a *BrokenLink: JSON can be spelled in many
// ways, and only the one that was written counts.
func ReadAudit(r io.Reader) ([]schemas.Audit, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("reading the audit log: %w", err)
	}
	var records []schemas.Audit
	for len(text) > 0 {
		line, rest, whole := bytes.Cut(text, []byte{'\n'})
		at := int64(len(records)) + 1
		if !whole {
			return records, &BrokenLink{at, FaultAltered, "its line is not finished"}
		}
		var record schemas.Audit
		if err := json.Unmarshal(line, &record); err != nil {
			return records, &BrokenLink{at, FaultAltered, "its line is not a record"}
		}
		if again, err := json.Marshal(&record); err != nil || !bytes.Equal(again, line) {
			return records, &BrokenLink{at, FaultAltered, "its line is not as it was written"}
		}
		records, text = append(records, record), rest
	}
	return records, nil
}

// ReadCheckpoints reads signed notes as AuditFile writes them. It looks at no
// signature.
func ReadCheckpoints(r io.Reader) ([][]byte, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("reading the checkpoints: %w", err)
	}
	var checkpoints [][]byte
	for len(text) > 0 {
		line, rest, whole := bytes.Cut(text, []byte{'\n'})
		var signed string
		if err := json.Unmarshal(line, &signed); err != nil || !whole {
			return checkpoints, &BrokenLink{0, FaultBadSignature, fmt.Sprintf("line %d of the checkpoints cannot be read", len(checkpoints)+1)}
		}
		checkpoints, text = append(checkpoints, []byte(signed)), rest
	}
	return checkpoints, nil
}

// VerifyAuditFiles checks a log and its checkpoints as AuditFile writes them,
// like VerifyAudit.
func VerifyAuditFiles(log, checkpoints io.Reader, keys ...*VerifyingKey) (AuditReport, error) {
	signed, err := ReadCheckpoints(checkpoints)
	if err != nil {
		return AuditReport{}, err
	}
	records, unreadable := ReadAudit(log)
	report, err := VerifyAudit(records, signed, keys...)
	if unreadable == nil {
		return report, err
	}
	// What can be read may be broken further up, and seem to end too early.
	var here, there *BrokenLink
	if errors.As(err, &here) && errors.As(unreadable, &there) && here.Sequence < there.Sequence {
		return report, err
	}
	return report, unreadable
}
