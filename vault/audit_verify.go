package vault

import (
	"fmt"

	"github.com/riskpipe/riskpipe/schemas"
)

// Fault is what is wrong with a link of an audit chain.
type Fault string

// The faults.
const (
	FaultAltered      Fault = "altered"       // the record is not what was written
	FaultMissing      Fault = "missing"       // the record is not there, later ones are
	FaultReordered    Fault = "reordered"     // the record stands behind a later one
	FaultInserted     Fault = "inserted"      // another record stands in its place or beside it, which does not belong there
	FaultBadSignature Fault = "bad signature" // the checkpoint at the record was not signed with a given key, or was changed
	FaultTruncated    Fault = "truncated"     // the chain ends before the record, which a checkpoint pins
)

// BrokenLink is the first place where an audit chain is not what was written.
type BrokenLink struct {
	// Sequence is the position in the chain, from 1; 0 for a checkpoint that does
	// not even tell its position.
	Sequence int64
	Fault    Fault
	// Reason says it in words.
	Reason string
}

// Error names the sequence and the fault.
func (b *BrokenLink) Error() string {
	return fmt.Sprintf("record %d: %s: %s", b.Sequence, b.Fault, b.Reason)
}

// AuditReport is what a sound chain is.
type AuditReport struct {
	Writer  string
	Records int
	// Last is the sequence of the last record, 0 without any.
	Last int64
	// Pinned is the sequence of the last record that a checkpoint pins: those
	// behind it could have been cut off or rewritten by whoever can write the
	// store, and only they.
	Pinned int64
}

// VerifyAudit checks a whole chain, from its first record, and its checkpoints
// in the order in which they were written. It returns a *BrokenLink for the
// lowest sequence at which something is wrong. A chain that was cut off behind
// its last checkpoint looks sound; so keep the checkpoints where the writer of
// the records cannot change them.
func VerifyAudit(records []schemas.Audit, checkpoints [][]byte, keys ...*VerifyingKey) (AuditReport, error) {
	report := AuditReport{Records: len(records)}
	if len(records) > 0 {
		report.Writer = records[0].Writer
	}
	pins, broken := pinsOf(checkpoints, keys, report.Writer)
	var previous schemas.Digest
	for i := range records {
		at := int64(i) + 1
		if broken != nil && broken.Sequence < at {
			return report, broken
		}
		if link := brokenLink(records[i:], at, previous, report.Writer); link != nil {
			return report, link
		}
		previous = records[i].Hash
		if pin, pinned := pins[at]; pinned {
			if pin != previous {
				return report, &BrokenLink{at, FaultAltered, "it or one before it is not what the checkpoint here was signed for"}
			}
			report.Pinned = at
		}
		report.Last = at
	}
	if broken != nil {
		return report, broken
	}
	for at := range pins {
		if at > report.Last {
			return report, &BrokenLink{report.Last + 1, FaultTruncated, fmt.Sprintf("the chain ends at record %d, and a checkpoint pins record %d", report.Last, at)}
		}
	}
	return report, nil
}

// brokenLink looks at the first of the records, which should be the one of the
// sequence and follow the previous hash.
func brokenLink(records []schemas.Audit, sequence int64, previous schemas.Digest, writer string) *BrokenLink {
	record := &records[0]
	follows := func() bool { // one that belongs here stands further on
		for i := range records[1:] {
			r := &records[1+i]
			if r.Sequence == sequence && r.Previous == previous && r.Writer == writer && AuditHash(r) == r.Hash {
				return true
			}
		}
		return false
	}
	switch {
	case AuditHash(record) != record.Hash:
		return &BrokenLink{sequence, FaultAltered, "its hash is not that of its content"}
	case record.Writer != writer:
		return &BrokenLink{sequence, FaultInserted, fmt.Sprintf("a record of the chain of %q stands here", record.Writer)}
	case record.Sequence < sequence:
		return &BrokenLink{sequence, FaultInserted, fmt.Sprintf("record %d stands here a second time", record.Sequence)}
	case record.Sequence > sequence && follows():
		return &BrokenLink{sequence, FaultReordered, fmt.Sprintf("record %d stands before it", record.Sequence)}
	case record.Sequence > sequence:
		return &BrokenLink{sequence, FaultMissing, fmt.Sprintf("the next record is %d", record.Sequence)}
	case record.Previous != previous && follows():
		return &BrokenLink{sequence, FaultInserted, "it does not follow the record before, and one that does stands behind it"}
	case record.Previous != previous:
		return &BrokenLink{sequence, FaultAltered, "it does not follow the record before: one of the two was rewritten"}
	default:
		return nil
	}
}

// pinsOf maps sequences to the hashes that checkpoints pin them to, and returns
// the checkpoint of the lowest sequence that is not sound.
func pinsOf(checkpoints [][]byte, keys []*VerifyingKey, writer string) (map[int64]schemas.Digest, *BrokenLink) {
	pins := map[int64]schemas.Digest{}
	var broken *BrokenLink
	found := func(link *BrokenLink) {
		if broken == nil || link.Sequence < broken.Sequence {
			broken = link
		}
	}
	for _, signed := range checkpoints {
		c, err := openCheckpoint(signed, keys)
		before, known := pins[c.sequence]
		switch {
		case err != nil:
			found(&BrokenLink{c.sequence, FaultBadSignature, "its checkpoint: " + err.Error()})
		case writer != "" && c.writer != writer:
			found(&BrokenLink{c.sequence, FaultInserted, fmt.Sprintf("its checkpoint is one of the chain of %q", c.writer)})
		case known && before != c.hash:
			found(&BrokenLink{c.sequence, FaultAltered, "two checkpoints pin it to different hashes: the chain was written twice"})
		default:
			pins[c.sequence] = c.hash
		}
	}
	return pins, broken
}
