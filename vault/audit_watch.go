package vault

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/riskpipe/riskpipe/schemas"
)

// AuditWatch verifies the chains of other writers, record by record as they come
// from a copy, and pins them by records of its own log (ActionPinned), since those
// writers have no key. What it was not given any more, or given otherwise, after it
// was pinned is found, whatever happened between two runs: the log says what was.
//
// A chain that breaks is said to be broken once, and is not pinned from there on.
// An AuditWatch is safe for concurrent use.
type AuditWatch struct {
	log *AuditChain
	now func() schemas.Time

	mu     sync.Mutex
	chains map[string]*watchedChain
	grown  chan struct{} // closed with the next record that is not pinned
}

// watchedChain is the chain of one writer.
type watchedChain struct {
	hashes []schemas.Digest         // of the sound records from the first on
	pins   map[int64]schemas.Digest // what the log pins, by sequence
	pinned int64                    // the highest of these sequences
	broken *BrokenLink
}

// maxWriter bounds the name of a chain that is pinned, in bytes. It is recorded.
const maxWriter = 256

// WatchAudit continues from what the log has pinned. now is the clock of the
// records that pin.
func WatchAudit(log *AuditChain, now func() schemas.Time) (*AuditWatch, error) {
	if log == nil || now == nil {
		return nil, errors.New("watching audit chains: a log and a clock are needed")
	}
	w := &AuditWatch{log: log, now: now, chains: map[string]*watchedChain{}, grown: make(chan struct{})}
	records, err := log.Records(0, math.MaxInt)
	if err != nil {
		return nil, fmt.Errorf("reading which audit chains are pinned: %w", err)
	}
	for i := range records {
		signed, holds := pinIn(&records[i])
		if !holds {
			continue
		}
		pin, err := parseCheckpoint(string(signed)) // the log is verified
		if err != nil {
			return nil, fmt.Errorf("reading which audit chains are pinned, record %d: %w", records[i].Sequence, err)
		}
		chain := w.chain(pin.writer)
		chain.pins[pin.sequence] = pin.hash
		chain.pinned = max(chain.pinned, pin.sequence)
	}
	return w, nil
}

func (w *AuditWatch) chain(writer string) *watchedChain {
	chain := w.chains[writer]
	if chain == nil {
		chain = &watchedChain{pins: map[int64]schemas.Digest{}}
		w.chains[writer] = chain
	}
	return chain
}

// Add takes the next record of the copy, in the order in which it keeps those of a
// writer. It returns where the chain is broken if this record shows it first, else
// nil. The records of the log's own writer are not its business.
func (w *AuditWatch) Add(record schemas.Audit) *BrokenLink {
	return w.add(record.Writer, func(c *watchedChain) *BrokenLink { return c.next(&record) })
}

// AddUnreadable takes what stands in the copy as a record of the writer and cannot
// be read, for the reason in words. It returns what Add does.
func (w *AuditWatch) AddUnreadable(writer, reason string) *BrokenLink {
	return w.add(writer, func(c *watchedChain) *BrokenLink { return &BrokenLink{c.last() + 1, FaultAltered, reason} })
}

func (w *AuditWatch) add(writer string, next func(*watchedChain) *BrokenLink) *BrokenLink {
	w.mu.Lock()
	defer w.mu.Unlock()
	if writer == w.log.Writer() {
		return nil
	}
	chain := w.chain(writer)
	if chain.broken != nil {
		return nil
	}
	if writer == "" || len(writer) > maxWriter || !utf8.ValidString(writer) {
		return chain.breaks(&BrokenLink{1, FaultInserted, fmt.Sprintf("no service writes a chain of this name, of %d bytes", len(writer))})
	}
	if link := next(chain); link != nil {
		return chain.breaks(link)
	}
	if chain.last() > chain.pinned {
		close(w.grown)
		w.grown = make(chan struct{})
	}
	return nil
}

// next takes the record that should follow the last, or be equal to an earlier one.
func (c *watchedChain) next(record *schemas.Audit) *BrokenLink {
	at := c.last() + 1
	if s := record.Sequence; s >= 1 && s < at {
		if record.Hash == c.hashes[s-1] && AuditHash(record) == record.Hash {
			return nil
		}
		return &BrokenLink{s, FaultInserted, "two different records stand here: the chain forks, or one of them was forged"}
	}
	var previous schemas.Digest
	if at > 1 {
		previous = c.hashes[at-2]
	}
	if link := brokenLink([]schemas.Audit{*record}, at, previous, record.Writer); link != nil {
		return link
	}
	if pin, pinned := c.pins[at]; pinned && pin != record.Hash {
		return &BrokenLink{at, FaultAltered, "it or one before it is not what was pinned here"}
	}
	c.hashes = append(c.hashes, record.Hash)
	return nil
}

// last is the sequence of the last sound record.
func (c *watchedChain) last() int64 { return int64(len(c.hashes)) }

// breaks keeps the records before the link alone for pinning.
func (c *watchedChain) breaks(link *BrokenLink) *BrokenLink {
	c.broken = link
	c.hashes = c.hashes[:min(len(c.hashes), max(0, int(link.Sequence)-1))]
	return link
}

// CaughtUp says that all was added that the copy held when the watch began. It
// returns the chains, in the order of their names, that end before what is pinned
// of them, which are broken.
func (w *AuditWatch) CaughtUp() []CopyReport {
	w.mu.Lock()
	defer w.mu.Unlock()
	var truncated []CopyReport
	for _, writer := range slices.Sorted(maps.Keys(w.chains)) {
		chain := w.chains[writer]
		if last := chain.last(); chain.broken == nil && last < chain.pinned {
			link := chain.breaks(&BrokenLink{last + 1, FaultTruncated, fmt.Sprintf("the chain ends at record %d, and record %d is pinned", last, chain.pinned)})
			truncated = append(truncated, CopyReport{AuditReport{writer, int(last), last, chain.pinned}, link})
		}
	}
	return truncated
}

// Grown returns a channel that is closed with the next record that is not pinned.
func (w *AuditWatch) Grown() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.grown
}

// Unpinned tells whether there is a record that no checkpoint pins, and that one can.
func (w *AuditWatch) Unpinned() bool { return w.UnpinnedRecords() > 0 }

// UnpinnedRecords is how many sound records no checkpoint pins.
func (w *AuditWatch) UnpinnedRecords() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	var n int64
	for _, chain := range w.chains {
		n += max(0, chain.last()-chain.pinned)
	}
	return n
}

// BrokenChains is how many chains were found broken.
func (w *AuditWatch) BrokenChains() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, chain := range w.chains {
		if chain.broken != nil {
			n++
		}
	}
	return n
}

// Pin records a checkpoint of each chain that has records without one, and then
// signs the end of the log, so that those checkpoints are pinned, too. Errors are
// those of the log, which takes no more entries after one.
func (w *AuditWatch) Pin() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	wrote := false
	for _, writer := range slices.Sorted(maps.Keys(w.chains)) {
		chain := w.chains[writer]
		last := chain.last()
		if last <= chain.pinned {
			continue
		}
		hash := chain.hashes[last-1]
		if err := w.log.pinOther(w.now(), checkpoint{writer: writer, sequence: last, hash: hash}); err != nil {
			return err
		}
		chain.pins[last], chain.pinned, wrote = hash, last, true
	}
	if !wrote {
		return nil
	}
	return w.log.Pin()
}
