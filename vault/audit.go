package vault

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"unicode/utf8"

	"github.com/riskpipe/riskpipe/schemas"
)

// AuditEntry is what is to be recorded: who did what to whose data and why.
type AuditEntry struct {
	Time    schemas.Time // when it was done, before the year 10000
	Actor   string       // account that did it, empty for the writer itself
	Action  string       // object.verb, never empty
	Subject string       // a pseudonym in full, the name of a policy, or empty
	Case    string       // case it was done for, or empty
	Detail  string       // more about it, as a JSON object, or empty; no personal data of those who are watched
}

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

// maxAuditText bounds the texts of an entry together, in bytes.
const maxAuditText = 16 << 10

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

	mu       sync.Mutex
	sequence int64          // of the last record
	hash     schemas.Digest // of the last record
	pinned   int64          // sequence of the last checkpoint
	refuses  error          // why no entry is taken any more
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
	chain := &AuditChain{store: store, options: options}
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
	c.sequence, c.pinned, c.hash = report.Last, report.Pinned, records[len(records)-1].Hash
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
	if err := errors.Join(c.refuses, entry.validate()); err != nil {
		return fmt.Errorf("recording %s: %w", entry.Action, err)
	}
	record := schemas.Audit{
		Writer: c.options.Writer, Sequence: c.sequence + 1, Time: entry.Time, Actor: entry.Actor, Action: entry.Action,
		Subject: entry.Subject, Case: entry.Case, Detail: entry.Detail, Previous: c.hash,
	}
	record.Hash = AuditHash(&record)
	if err := c.store.Append(&record); err != nil {
		c.refuses = ErrAuditBroken
		return fmt.Errorf("recording %s: %w", entry.Action, err)
	}
	c.sequence, c.hash = record.Sequence, record.Hash
	if c.sequence-c.pinned >= c.options.Every {
		return c.checkpoint()
	}
	return nil
}

// checkpoint signs the end of the chain.
func (c *AuditChain) checkpoint() error {
	signed, err := signCheckpoint(c.options.Key, checkpoint{writer: c.options.Writer, sequence: c.sequence, hash: c.hash})
	if err == nil {
		err = c.store.AppendCheckpoint(signed)
	}
	if err != nil {
		c.refuses = ErrAuditBroken
		return fmt.Errorf("signing the audit log at record %d: %w", c.sequence, err)
	}
	c.pinned = c.sequence
	return nil
}

// Records returns at most limit records, in order, from the one behind the
// sequence after; 0 is before the first.
func (c *AuditChain) Records(after int64, limit int) ([]schemas.Audit, error) {
	return c.store.Records(after, limit)
}

// Close signs what no checkpoint pins yet, and closes the store.
func (c *AuditChain) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if errors.Is(c.refuses, ErrAuditClosed) {
		return nil
	}
	var err error
	if c.refuses == nil && c.sequence > c.pinned {
		err = c.checkpoint()
	}
	c.refuses = ErrAuditClosed
	return errors.Join(err, c.store.Close())
}

// latestTime is the last instant with a year of four digits, which is all that
// RFC 3339 can write.
const latestTime = schemas.Time(253402300799999)

// validate reports what keeps the entry from being read back as it was written.
func (e AuditEntry) validate() error {
	length := 0
	for _, text := range []string{e.Actor, e.Action, e.Subject, e.Case, e.Detail} {
		if !utf8.ValidString(text) {
			return errors.New("its text is not UTF-8")
		}
		length += len(text)
	}
	switch {
	case e.Action == "":
		return errors.New("it has no action")
	case e.Time <= 0 || e.Time > latestTime:
		return errors.New("its time is not between 1970 and 9999")
	case length > maxAuditText:
		return fmt.Errorf("it has %d bytes of text: at most %d are kept", length, maxAuditText)
	default:
		return nil
	}
}
