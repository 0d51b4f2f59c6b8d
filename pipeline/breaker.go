package pipeline

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// BreakerConfig says when a stream of bad records is no longer bad luck but a
// change of schema upstream, or a bug here: then stopping loses nothing, and
// draining the topic into the dead letters would. Zero values take the
// defaults.
type BreakerConfig struct {
	// Window is the time over which records are counted. Default 1 minute.
	Window time.Duration
	// MinRecords is how many records the window must hold. Default 200.
	MinRecords int
	// Percent of them being bad stops the service. Default 50; 101 never stops.
	Percent int
}

// Validate reports every problem at once.
func (c BreakerConfig) Validate() error {
	var problems []error
	if c.Window < 0 {
		problems = append(problems, fmt.Errorf("breaker.window is %s: must not be negative", c.Window))
	}
	if c.MinRecords < 0 {
		problems = append(problems, fmt.Errorf("breaker.min_records is %d: must not be negative", c.MinRecords))
	}
	if c.Percent < 0 || c.Percent > 101 {
		problems = append(problems, fmt.Errorf("breaker.percent is %d: must be 1 to 101, or 0 for the default", c.Percent))
	}
	return errors.Join(problems...)
}

// breaker counts over a window of two halves, so that it forgets the older half
// at once and never all. It is safe for concurrent use.
type breaker struct {
	config BreakerConfig
	now    func() time.Time

	mu      sync.Mutex
	since   time.Time
	current breakerCount
	before  breakerCount
}

type breakerCount struct{ records, bad int }

func newBreaker(config BreakerConfig, now func() time.Time) *breaker {
	if config.Window == 0 {
		config.Window = time.Minute
	}
	if config.MinRecords == 0 {
		config.MinRecords = 200
	}
	if config.Percent == 0 {
		config.Percent = 50
	}
	return &breaker{config: config, now: now}
}

// count adds records and tells with an error that too many were bad. Call it
// before the bad ones become dead letters.
func (b *breaker) count(records, bad int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	switch half := b.config.Window / 2; {
	case now.Sub(b.since) >= b.config.Window:
		b.before, b.current, b.since = breakerCount{}, breakerCount{}, now
	case now.Sub(b.since) >= half:
		b.before, b.current, b.since = b.current, breakerCount{}, b.since.Add(half)
	}
	b.current.records += records
	b.current.bad += bad
	all := breakerCount{b.before.records + b.current.records, b.before.bad + b.current.bad}
	if all.records < b.config.MinRecords || 100*all.bad < b.config.Percent*all.records {
		return nil
	}
	return fatalError{fmt.Errorf("%d of the last %d records could not be processed: %w", all.bad, all.records, ErrSchemaBreak)}
}

// ErrSchemaBreak means that most records are bad, and that nothing more was
// read so that nothing is lost.
var ErrSchemaBreak = errors.New("this looks like a schema break; look at the newest dead letters (riskpipe dlq show), " +
	"mend the publisher or upgrade riskpipe, and start again: reading goes on where it stopped")
