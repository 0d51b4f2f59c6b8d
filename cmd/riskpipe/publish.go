package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/deploy/tenant"
)

// publishTenant publishes the records to the raw topics, with their own times.
func publishTenant(ctx context.Context, config Config, records iter.Seq[tenant.Record], p *progress) error {
	publisher, err := newPublisher(config)
	if err != nil {
		return err
	}
	defer publisher.close()
	for r := range records {
		if err := publisher.publish(ctx, r, r.Time.UTC()); err != nil {
			return err
		}
		p.add(1)
	}
	return publisher.flush(ctx)
}

// publisher writes upstream records to the raw topics. The first failure stops
// it: a hole in a published history would be worse than no history.
type publisher struct {
	client *kgo.Client
	config Config

	mu  sync.Mutex
	err error
}

func newPublisher(config Config) (*publisher, error) {
	client, err := config.rawKafka().connect(
		kgo.ProducerBatchCompression(kgo.SnappyCompression()), kgo.ProducerLinger(5*time.Millisecond), kgo.UnknownTopicRetries(20))
	if err != nil {
		return nil, err
	}
	return &publisher{client: client, config: config}, nil
}

// publish hands one record over; it waits while too many are under way.
func (p *publisher) publish(ctx context.Context, r tenant.Record, at time.Time) error {
	return p.produce(ctx, &kgo.Record{Topic: p.config.Topics.names().Raw(r.Source), Value: r.Value, Timestamp: at})
}

func (p *publisher) produce(ctx context.Context, record *kgo.Record) error {
	if err := p.failure(); err != nil {
		return err
	}
	p.client.Produce(ctx, record, func(_ *kgo.Record, err error) {
		if err != nil {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.err = errors.Join(p.err, err)
		}
	})
	return ctx.Err()
}

func (p *publisher) flush(ctx context.Context) error {
	if err := p.client.Flush(ctx); err != nil {
		return fmt.Errorf("publishing: %w", err)
	}
	return p.failure()
}

func (p *publisher) failure() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return fmt.Errorf("publishing (the raw topics can be made with riskpipe topics --apply --raw): %w", p.err)
	}
	return nil
}

func (p *publisher) close() { p.client.Close() }
