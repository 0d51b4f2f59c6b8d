package sink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/schemas"
)

// Deps are what the sink works with.
type Deps struct {
	Logger *slog.Logger
	Conn   Conn
	// Kafka says how to reach the cluster: seeds, TLS, SASL. Group, topics and offsets are the
	// sink's own matter.
	Kafka  []kgo.Opt
	Events *schemas.Codec[schemas.Event]
	Alerts *schemas.Codec[schemas.Alert]
	Risks  *schemas.Codec[schemas.Risk]
	// What only the vault opens.
	Identities   *schemas.Codec[schemas.Identity]
	EvidenceKeys *schemas.Codec[schemas.EvidenceKey]
	Audits       *schemas.Codec[schemas.Audit]
	// Registerer takes the metrics; nil does without.
	Registerer prometheus.Registerer
}

// Sink writes events, alerts, risk scores, sealed identities and the audit trail to ClickHouse. Everything but the metrics belongs
// to the goroutine of Run, and to kgo's callbacks, which kgo runs only while that one waits.
type Sink struct {
	config  Config
	log     *slog.Logger
	conn    Conn
	kafka   []kgo.Opt
	metrics *metrics
	pools   map[string]*rowsPool // by topic

	client     *kgo.Client
	commits    func(ctx context.Context, blocks []block, metadata func(span) string) error // commit, but for simulations
	work       context.Context                                                             //nolint:containedctx // for kgo's callbacks: Run's context without its end, so that what began is finished
	partitions map[topicPartition]*partition
}

// New returns a sink that is not running yet.
func New(config Config, deps Deps) (*Sink, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	if deps.Logger == nil || deps.Conn == nil || deps.Events == nil || deps.Alerts == nil || deps.Risks == nil || deps.Identities == nil || deps.EvidenceKeys == nil || deps.Audits == nil {
		return nil, errors.New("making the sink: Logger, Conn and all codecs are needed")
	}
	m, err := newMetrics(deps.Registerer)
	if err != nil {
		return nil, err
	}
	config = config.withDefaults()
	pool := func(fresh func() rows) *rowsPool { return newRowsPool(config.Inserts, fresh) }
	s := &Sink{
		config:  config,
		log:     deps.Logger,
		conn:    deps.Conn,
		kafka:   deps.Kafka,
		metrics: m,
		pools: map[string]*rowsPool{
			config.Topics.Events():       pool(func() rows { return newActivityRows(deps.Events, config.Database) }),
			config.Topics.Alerts():       pool(func() rows { return newAlertRows(deps.Alerts, config.Database) }),
			config.Topics.Risk():         pool(func() rows { return newRiskRows(deps.Risks, config.Database) }),
			config.Topics.Identities():   pool(func() rows { return newIdentityRows(deps.Identities, config.IdentityDatabase) }),
			config.Topics.EvidenceKeys(): pool(func() rows { return newEvidenceKeyRows(deps.EvidenceKeys, config.IdentityDatabase) }),
			config.Topics.Audit():        pool(func() rows { return newAuditRows(deps.Audits, config.Database) }),
		},
		partitions: map[topicPartition]*partition{},
	}
	s.commits = s.commit
	return s, nil
}

// forgetting says whether a record without a value on the topic tells to forget its user.
func (s *Sink) forgetting(topic string) bool {
	topics := s.config.Topics
	return topic == topics.Events() || topic == topics.Alerts() || topic == topics.Risk()
}

// Run writes until ctx ends, and then what is complete. It returns an error only when people have
// to mend something: wrong credentials, missing tables, records of which most are malformed.
// Call it once.
func (s *Sink) Run(ctx context.Context) error {
	s.work = context.WithoutCancel(ctx)
	client, err := kgo.NewClient(append(slices.Clip(s.kafka),
		kgo.ConsumerGroup(s.config.Group),
		kgo.ConsumeTopics(slices.Collect(maps.Keys(s.pools))...),
		// Where a position is gone, reading again is harmless and leaving out is not.
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsAssigned(s.assigned),
		kgo.OnPartitionsRevoked(s.revoked),
		kgo.OnPartitionsLost(s.lost),
	)...)
	if err != nil {
		return fmt.Errorf("opening Kafka: %w", err)
	}
	s.client = client
	s.log.Info("sink running", "group", s.config.Group, "database", s.config.Database)
	err = s.loop(ctx)
	client.CloseAllowingRebalance() // leaving the group revokes all partitions, which writes the rest
	s.log.Info("sink stopped")
	return err
}

const (
	// pollRecords bounds the work between two looks at the clock.
	pollRecords = 20_000
	// idle is how long to wait for records when none wait to be written.
	idle = time.Second
)

func (s *Sink) loop(ctx context.Context) error {
	failures := 0 // to read, one after the other
	due, full := idle, false
	for ctx.Err() == nil {
		unread := s.read(ctx, due, full)
		err := errors.Join(unread, s.write(s.work, s.due(time.Now())))
		s.holdUp()
		// From AllowRebalance to the next poll, the partitions belong to kgo's callbacks.
		due, full = s.nextDue(time.Now()), s.full()
		s.metrics.lag.set(s.partitions)
		s.client.AllowRebalance()
		wait := time.Duration(0)
		switch {
		case isFatal(err):
			return err
		case unread != nil:
			wait = backoff(failures, s.config.RetryMax)
			failures++
		default:
			failures = 0
			if full {
				wait = due
			}
		}
		if err != nil {
			s.log.Warn("trying again", "wait", max(wait, due), "error", err)
		}
		pause(ctx, wait)
	}
	return nil
}

// read reads until a block is due at the latest, and nothing at all while the sink is full. Either way,
// polling holds rebalances off until AllowRebalance.
func (s *Sink) read(ctx context.Context, due time.Duration, full bool) error {
	until, cancel := context.WithTimeout(ctx, due)
	defer cancel()
	if full {
		cancel()
	}
	return s.take(s.client.PollRecords(until, pollRecords))
}

// full says whether blocks that failed hold so much memory that the others must wait as well: two
// blocks, so that a single one never holds anybody up.
func (s *Sink) full() bool {
	bytes := 0
	for _, p := range s.partitions {
		if p.failures > 0 {
			bytes += p.bytes
		}
	}
	return bytes >= 2*s.config.BatchBytes
}

// holdUp stops reading partitions whose block failed, and goes on with those whose block was written.
func (s *Sink) holdUp() {
	held := s.client.PauseFetchPartitions(nil)
	for at, p := range s.partitions {
		one := map[string][]int32{at.topic: {at.id}}
		switch was := slices.Contains(held[at.topic], at.id); {
		case p.failures > 0 && !was:
			s.client.PauseFetchPartitions(one)
		case p.failures == 0 && was:
			s.client.ResumeFetchPartitions(one)
		}
	}
}

// take queues what was fetched.
func (s *Sink) take(fetches kgo.Fetches) error {
	if fetches.IsClientClosed() {
		return fatalError{errors.New("reading from Kafka: the client is closed")}
	}
	now := time.Now()
	var problems []error
	fetches.EachPartition(func(f kgo.FetchTopicPartition) {
		if f.Err != nil && !ended(f.Err) {
			err := classifyKafka(fmt.Errorf("reading %s partition %d: %w", f.Topic, f.Partition, f.Err))
			s.metrics.failed(stagePoll, err)
			problems = append(problems, err)
		}
		p := s.partitions[topicPartition{f.Topic, f.Partition}]
		if p == nil {
			return
		}
		p.end = max(p.end, f.HighWatermark)
		for _, r := range f.Records {
			p.add(r, now)
		}
	})
	return errors.Join(problems...)
}

// nextDue is how long to wait for records before a block is due anyway.
func (s *Sink) nextDue(now time.Time) time.Duration {
	wait := idle
	for _, p := range s.partitions {
		if d := p.dueIn(&s.config, now); d >= 0 {
			wait = min(wait, d)
		}
	}
	return wait
}

// due cuts the blocks that are to be written now, at most one a partition.
func (s *Sink) due(now time.Time) []block {
	bytes := 0
	for _, p := range s.partitions {
		if p.failures == 0 {
			bytes += p.bytes
		}
	}
	var blocks []block
	for _, p := range s.partitions {
		wait := p.dueIn(&s.config, now)
		if wait == 0 || wait > 0 && bytes >= s.config.BatchBytes && !p.announced.set && p.failures == 0 {
			blocks = append(blocks, p.next(&s.config))
		}
	}
	return blocks
}

// backoff doubles from 100 ms, and spreads over the second half of the wait, so that many sinks do
// not try again together.
func backoff(failures int, longest time.Duration) time.Duration {
	wait := min(longest, 100*time.Millisecond<<min(failures, 20))
	return wait/2 + rand.N(wait/2+1)
}

func pause(ctx context.Context, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
