package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

const (
	// auditBatch is how many records are written at once while catching up.
	auditBatch = 500
	// auditFarewell is how long a stop waits for what is not published yet.
	auditFarewell = 5 * time.Second
)

// AuditPublisherDeps are what the publisher works with; all but Metrics are needed.
type AuditPublisherDeps struct {
	Chain   *vault.AuditChain
	Cluster []kgo.Opt
	Topics  schemas.Topics
	Log     *slog.Logger
	Metrics prometheus.Registerer // nil does without
}

// AuditPublisher publishes the records of an audit chain to the topic audit, in
// order and with nothing left out. The chain stays the authority: an entry counts
// once its store has it, whether or not Kafka answers, and what Kafka missed
// follows when it is back.
//
// A record may be published twice, after a crash or a lost answer. Both copies are
// equal, hash included, and readers count them as one.
type AuditPublisher struct {
	deps      AuditPublisherDeps
	published atomic.Int64 // sequence of the last record that the topic is known to have
	written   prometheus.Counter
	failures  prometheus.Counter
	foreign   prometheus.Gauge
}

// NewAuditPublisher returns a publisher that is not running yet.
func NewAuditPublisher(deps AuditPublisherDeps) (*AuditPublisher, error) {
	if deps.Chain == nil || deps.Log == nil {
		return nil, errors.New("making the audit publisher: Chain and Log are needed")
	}
	c := &collectors{prefix: "riskpipe_audit_"}
	p := &AuditPublisher{
		deps:     deps,
		written:  c.counter("records_published_total", "Records of the audit log written to its topic; ones written twice count again."),
		failures: c.counter("publish_failures_total", "Times that the audit log could not be published and was tried again."),
		foreign:  prometheus.NewGauge(prometheus.GaugeOpts{Name: c.prefix + "foreign_records", Help: "Records on the topic, when it was last read, that claim to be of this audit log and are not."}),
	}
	c.all = append(c.all, p.foreign, prometheus.NewGaugeFunc(
		prometheus.GaugeOpts{Name: c.prefix + "unpublished_records", Help: "Records of the audit log that the topic is not known to have."},
		func() float64 {
			last, _ := deps.Chain.Last()
			return float64(max(0, last-p.published.Load()))
		}))
	return p, c.register(deps.Metrics)
}

// Run publishes until ctx ends, and then what is left, for 5 s at most. While Kafka
// is away it waits and tries again, for as long as that takes. Call it once, and
// close the chain after it.
func (p *AuditPublisher) Run(ctx context.Context) {
	for failures := 1; ; failures++ {
		before := p.published.Load()
		err := p.publish(ctx)
		if p.published.Load() > before {
			failures = 1
		}
		if err == nil || !p.waitAfter(ctx, err, backoff(failures)) {
			return
		}
	}
}

// waitAfter says what keeps the log from being published, and waits, unless it is
// time to stop.
func (p *AuditPublisher) waitAfter(ctx context.Context, err error, wait time.Duration) (again bool) {
	p.failures.Inc()
	last, _ := p.deps.Chain.Last()
	behind := last - p.published.Load()
	if ctx.Err() != nil {
		p.deps.Log.Warn("stopping with an audit log that is not all published; it follows at the next start", "records", behind, "error", err)
		return false
	}
	p.deps.Log.Warn("the audit log is kept, but not published", "records", behind, "next_attempt", wait, "error", err)
	select {
	case <-time.After(wait):
	case <-ctx.Done():
	}
	return true
}

// publish finds out what the topic has and publishes what follows, until ctx ends
// or Kafka fails.
func (p *AuditPublisher) publish(ctx context.Context) error {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(auditFarewell, cancel) })()
	if err := p.catchUp(work); err != nil {
		return err
	}
	producer, err := newAuditProducer(p.deps.Cluster, p.deps.Topics.Audit())
	if err != nil {
		return err
	}
	defer producer.client.Close()
	for ending := false; ; {
		grown := p.deps.Chain.Grown()
		if err := p.follow(work, producer); err != nil || ending {
			return err
		}
		select {
		case <-grown:
		case <-ctx.Done():
			ending = true
		}
	}
}

// catchUp reads which record of the chain is the last on the topic. Only what is
// equal to a record of the chain counts: a forged one must not hold others back.
func (p *AuditPublisher) catchUp(ctx context.Context) error {
	records, err := p.deps.Chain.Records(0, math.MaxInt)
	if err != nil {
		return fmt.Errorf("reading the audit log: %w", err)
	}
	var last, foreign int64
	writer := p.deps.Chain.Writer()
	err = readAudit(ctx, p.deps.Cluster, p.deps.Topics.Audit(), func(raw *kgo.Record, record *schemas.Audit, err error) {
		switch at := record.Sequence; {
		case string(raw.Key) != writer && record.Writer != writer:
		case err == nil && at >= 1 && at <= int64(len(records)) && records[at-1] == *record:
			last = max(last, at)
		default:
			foreign++
		}
	})
	if err != nil {
		return err
	}
	p.foreign.Set(float64(foreign))
	if foreign > 0 {
		p.deps.Log.Error("the topic holds records of this audit log that it never wrote; see riskpipe audit verify --kafka", "topic", p.deps.Topics.Audit(), "records", foreign)
	}
	p.published.Store(last)
	return nil
}

// follow writes all that the topic does not have yet.
func (p *AuditPublisher) follow(ctx context.Context, producer *auditProducer) error {
	for {
		last, _ := p.deps.Chain.Last()
		sent := p.published.Load()
		if sent >= last {
			return nil
		}
		records, err := p.deps.Chain.Records(sent, auditBatch)
		if err != nil {
			return fmt.Errorf("reading the audit log: %w", err)
		}
		if err := producer.write(ctx, records...); err != nil {
			return err
		}
		p.published.Add(int64(len(records)))
		p.written.Add(float64(len(records)))
	}
}
