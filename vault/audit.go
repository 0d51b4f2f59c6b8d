package vault

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"unicode/utf8"

	"github.com/riskpipe/riskpipe/schemas"
)

// AuditLog records what is done, before it is done: Append returns once the
// entry is kept for good, and whoever gets an error from it must not do what the
// entry says. There is no AuditLog that forgets.
//
// Implementations are safe for concurrent use.
type AuditLog interface {
	Append(ctx context.Context, entry AuditEntry) error
}

// AuditStore keeps the records and checkpoints of one chain in order. A chain
// calls Append, AppendCheckpoint and Close one at a time; Records may be called
// at any time.
type AuditStore interface {
	// Append returns once the record would survive a loss of power.
	Append(record *schemas.Audit) error
	// AppendCheckpoint does the same for a signed note.
	AppendCheckpoint(signed []byte) error
	// Records returns at most limit records, in order, from the one behind the
	// sequence after.
	Records(after int64, limit int) ([]schemas.Audit, error)
	// Checkpoints returns all signed notes, in order.
	Checkpoints() ([][]byte, error)
	Close() error
}

// The errors of a chain that takes no more entries.
var (
	// ErrAuditClosed means that the chain was closed.
	ErrAuditClosed = errors.New("the audit log is closed")
	// ErrAuditBroken means that an earlier entry could not be kept for certain,
	// so that nobody knows where the chain ends: start again to find out.
	ErrAuditBroken = errors.New("the audit log takes no entries since one could not be kept; mend the cause and start again")
)

// AuditOptions say whose chain it is.
type AuditOptions struct {
	// Writer names the chain; no two processes may write one.
	Writer string
	// Key signs the checkpoints.
	Key *SigningKey
	// Earlier are the keys that signed the checkpoints before it.
	Earlier []*VerifyingKey
	// Every is after how many records a checkpoint is due; 100 when 0.
	Every int64
}

// defaultEvery is a bit more than what a busy day of reveals writes.
const defaultEvery = 100

// AuditChain is the AuditLog of one writer: each record holds the hash of the
// one before, and signed checkpoints pin the chain, so that VerifyAudit finds
// whatever was changed behind one.
//
// An AuditChain is safe for concurrent use.
type AuditChain struct {
	store   AuditStore
	options AuditOptions

	mu      sync.Mutex
	last    schemas.Audit // the last record, zero without any
	pinned  int64         // sequence of the last checkpoint
	refuses error         // why no entry is taken any more
	grown   chan struct{} // closed with the next record
}

// NewAuditChain continues the chain that is in the store, or begins one. It
// fails with a *BrokenLink when the chain does not verify. There is no chain
// without a store, a name and a key.
func NewAuditChain(store AuditStore, options AuditOptions) (*AuditChain, error) {
	var problems []error
	if store == nil {
		problems = append(problems, errors.New("an audit log needs a store: it cannot be switched off"))
	}
	if options.Writer == "" || !utf8.ValidString(options.Writer) {
		problems = append(problems, errors.New("an audit log needs the name of its writer"))
	}
	if options.Key == nil {
		problems = append(problems, errors.New("an audit log needs a key to sign checkpoints with; riskpipe audit key draws one"))
	}
	if options.Every < 0 {
		problems = append(problems, fmt.Errorf("a checkpoint every %d records: want 1 or more", options.Every))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	if options.Every == 0 {
		options.Every = defaultEvery
	}
	chain := &AuditChain{store: store, options: options, grown: make(chan struct{})}
	if err := chain.resume(); err != nil {
		return nil, err
	}
	return chain, nil
}

// resume verifies what the store holds and takes the end of it over.
func (c *AuditChain) resume() error {
	records, err := c.store.Records(0, int(^uint(0)>>1))
	if err != nil {
		return fmt.Errorf("reading the audit log: %w", err)
	}
	checkpoints, err := c.store.Checkpoints()
	if err != nil {
		return fmt.Errorf("reading the checkpoints of the audit log: %w", err)
	}
	keys := append([]*VerifyingKey{c.options.Key.Public()}, c.options.Earlier...)
	report, err := VerifyAudit(records, checkpoints, keys...)
	if err != nil {
		return fmt.Errorf("continuing the audit log: %w", err)
	}
	if report.Records == 0 {
		return nil
	}
	if report.Writer != c.options.Writer {
		return fmt.Errorf("continuing the audit log: it is the chain of %q, not of %q", report.Writer, c.options.Writer)
	}
	c.last, c.pinned = records[len(records)-1], report.Pinned
	return nil
}

// Append implements AuditLog. Beside what the store says it returns
// ErrAuditClosed, ErrAuditBroken, or what is wrong with the entry. An entry that
// has begun to be written is not given up when ctx ends.
func (c *AuditChain) Append(ctx context.Context, entry AuditEntry) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("recording %s: %w", entry.Action, err)
	}
	return c.append(entry)
}

func (c *AuditChain) append(entry AuditEntry) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	record, err := NextAudit(c.options.Writer, &c.last, entry)
	if err := errors.Join(c.refuses, err); err != nil {
		return fmt.Errorf("recording %s: %w", entry.Action, err)
	}
	if err := c.store.Append(&record); err != nil {
		c.refuses = ErrAuditBroken
		return fmt.Errorf("recording %s: %w", entry.Action, err)
	}
	c.last = record
	close(c.grown)
	c.grown = make(chan struct{})
	if c.last.Sequence-c.pinned >= c.options.Every {
		return c.checkpoint()
	}
	return nil
}

// checkpoint signs the end of the chain.
func (c *AuditChain) checkpoint() error {
	signed, err := signCheckpoint(c.options.Key, checkpoint{writer: c.options.Writer, sequence: c.last.Sequence, hash: c.last.Hash})
	if err == nil {
		err = c.store.AppendCheckpoint(signed)
	}
	if err != nil {
		c.refuses = ErrAuditBroken
		return fmt.Errorf("signing the audit log at record %d: %w", c.last.Sequence, err)
	}
	c.pinned = c.last.Sequence
	return nil
}

// Records returns at most limit records, in order, from the one behind the
// sequence after; 0 is before the first.
func (c *AuditChain) Records(after int64, limit int) ([]schemas.Audit, error) {
	return c.store.Records(after, limit)
}

// Writer is the name of the chain.
func (c *AuditChain) Writer() string { return c.options.Writer }

// Grown returns a channel that is closed once the chain has a record more than now.
func (c *AuditChain) Grown() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.grown
}

// Last returns the sequence of the last record, and of the last that a checkpoint
// pins; 0 for none.
func (c *AuditChain) Last() (sequence, pinned int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last.Sequence, c.pinned
}

// Unpinned tells whether there is a record that no checkpoint pins.
func (c *AuditChain) Unpinned() bool {
	last, pinned := c.Last()
	return last > pinned
}

// Pin signs the end of the chain, unless a checkpoint pins it already.
func (c *AuditChain) Pin() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refuses != nil {
		return c.refuses
	}
	if c.last.Sequence == c.pinned {
		return nil
	}
	return c.checkpoint()
}

// Close signs what no checkpoint pins yet, and closes the store.
func (c *AuditChain) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if errors.Is(c.refuses, ErrAuditClosed) {
		return nil
	}
	var err error
	if c.refuses == nil && c.last.Sequence > c.pinned {
		err = c.checkpoint()
	}
	c.refuses = ErrAuditClosed
	return errors.Join(err, c.store.Close())
}
