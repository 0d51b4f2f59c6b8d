package vault

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/riskpipe/riskpipe/schemas"
)

// AuditCopy is what a topic or a table keeps of the chains of all writers. Its
// rules are those of VerifyAudit, but for two things that copying explains: chains
// may be mixed with each other, and a record may be there more than once as long as
// each is what was written. Its zero value is ready for use. It is not safe for
// concurrent use.
type AuditCopy struct {
	chains map[string]*copiedChain
}

// copiedChain is the chain of one writer.
type copiedChain struct {
	records []schemas.Audit // in the order of the copy, each once
	at      map[int64]int   // index of the record of a sequence
	highest int64           // sequence
	broken  *BrokenLink     // what was found while it was read

	authority *[]schemas.Audit // the log that it is a copy of; nil when unknown
	least     int64            // sequence that it must reach
}

func (c *AuditCopy) chain(writer string) *copiedChain {
	if c.chains == nil {
		c.chains = map[string]*copiedChain{}
	}
	chain := c.chains[writer]
	if chain == nil {
		chain = &copiedChain{at: map[int64]int{}}
		c.chains[writer] = chain
	}
	return chain
}

// Add takes the next record of the copy, in the order in which it keeps those of a
// writer.
func (c *AuditCopy) Add(record schemas.Audit) {
	chain := c.chain(record.Writer)
	i, known := chain.at[record.Sequence]
	switch {
	case !known:
		chain.at[record.Sequence] = len(chain.records)
		chain.records = append(chain.records, record)
		chain.highest = max(chain.highest, record.Sequence)
	case chain.records[i] != record:
		chain.found(&BrokenLink{record.Sequence, FaultInserted, "two different records stand here: the chain forks, or one of them was forged"})
	}
}

// AddUnreadable takes what stands in the copy as a record of the writer and cannot
// be read, for the reason in words. Sequence 0 stands for the one behind the last
// record.
func (c *AuditCopy) AddUnreadable(writer string, sequence int64, reason string) {
	chain := c.chain(writer)
	if sequence == 0 {
		sequence = chain.highest + 1
	}
	chain.found(&BrokenLink{sequence, FaultAltered, reason})
}

// Expect says which log the writer's chain is a copy of, as it was read and
// verified after the copy, and up to which sequence the copy must reach.
func (c *AuditCopy) Expect(writer string, records []schemas.Audit, least int64) {
	chain := c.chain(writer)
	chain.authority, chain.least = &records, least
}

// CopyReport is what was found of one writer's chain.
type CopyReport struct {
	AuditReport
	// Broken is the lowest sequence at which something is wrong; nil when the chain
	// is sound.
	Broken *BrokenLink
}

// Verify checks each chain, with those of the checkpoints that pin it, and returns
// a report for each writer, in the order of their names. With a key, checkpoints in
// records (ActionPinned) count, too, in those of the copy and of the logs that it is
// a copy of. Without a checkpoint and without the log itself, a chain that was cut
// off at its end looks sound.
func (c *AuditCopy) Verify(checkpoints [][]byte, keys ...*VerifyingKey) []CopyReport {
	pins := map[string][][]byte{}
	for _, signed := range checkpoints {
		claimed, _ := parseCheckpoint(string(signed)) // whose signature is checked with the chain
		c.chain(claimed.writer)
		pins[claimed.writer] = append(pins[claimed.writer], signed)
	}
	if len(keys) > 0 {
		for _, holder := range slices.Collect(maps.Values(c.chains)) {
			holder.recorded(keys, func(writer string, signed []byte) {
				c.chain(writer)
				pins[writer] = append(pins[writer], signed)
			})
		}
	}
	reports := make([]CopyReport, 0, len(c.chains))
	for _, writer := range slices.Sorted(maps.Keys(c.chains)) {
		report := c.chains[writer].verify(pins[writer], keys)
		report.Writer = writer
		reports = append(reports, report)
	}
	return reports
}

func (c *copiedChain) verify(checkpoints [][]byte, keys []*VerifyingKey) CopyReport {
	report, err := VerifyAudit(c.records, checkpoints, keys...)
	broken, _ := errors.AsType[*BrokenLink](err)
	return CopyReport{AuditReport: report, Broken: lowest(c.broken, lowest(broken, c.compare()))}
}

// recorded visits the checkpoints that the chain's records hold. One that none of
// the keys signed breaks the chain in which it stands.
func (c *copiedChain) recorded(keys []*VerifyingKey, visit func(writer string, signed []byte)) {
	for i := range c.records {
		record := &c.records[i]
		signed, holds := pinIn(record)
		if !holds {
			continue
		}
		pin, err := openPin(record, signed, keys)
		if err != nil {
			c.found(&BrokenLink{record.Sequence, FaultBadSignature, "the checkpoint in it: " + err.Error()})
			continue
		}
		visit(pin.writer, signed)
	}
	if c.authority == nil {
		return
	}
	for i := range *c.authority {
		record := &(*c.authority)[i]
		if record.Sequence > c.least {
			return // what came while the copy was read may pin what it did not hold yet
		}
		if signed, holds := pinIn(record); holds {
			if pin, err := openPin(record, signed, keys); err == nil {
				visit(pin.writer, signed)
			}
		}
	}
}

// compare looks for the first difference from the log.
func (c *copiedChain) compare() (broken *BrokenLink) {
	if c.authority == nil {
		return nil
	}
	log := *c.authority
	for i := range c.records {
		record := &c.records[i]
		switch at := record.Sequence; {
		case at < 1:
			// which no record has: the chain's own rules say so
		case at > int64(len(log)):
			broken = lowest(broken, &BrokenLink{at, FaultInserted, fmt.Sprintf("the log ends at record %d", len(log))})
		case *record != log[at-1]:
			broken = lowest(broken, &BrokenLink{at, FaultAltered, "it is not the record of the log"})
		}
	}
	if c.highest < c.least {
		broken = lowest(broken, &BrokenLink{c.highest + 1, FaultTruncated, fmt.Sprintf("the copy ends at record %d, and the log at record %d", c.highest, c.least)})
	}
	return broken
}

func (c *copiedChain) found(link *BrokenLink) { c.broken = lowest(c.broken, link) }

// lowest is the link of the lower sequence, the first of two at the same; either
// may be nil.
func lowest(a, b *BrokenLink) *BrokenLink {
	if a == nil || b != nil && b.Sequence < a.Sequence {
		return b
	}
	return a
}
