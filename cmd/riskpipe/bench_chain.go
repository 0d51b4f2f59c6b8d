package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/deploy/tenant"
	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/sink"
)

// all returns all services, as one process.
func (r *benchRoom) all(ctx context.Context, metrics prometheus.Registerer) ([]runner, error) {
	services, err := r.normalisers(ctx, metrics)
	if err != nil {
		return nil, err
	}
	scorer, err := newScorer(ctx, r.config, r.servers.log, metrics, r.redis)
	if err != nil {
		return nil, err
	}
	writer, err := newSink(ctx, r.config, r.servers.log, metrics, r.conn)
	if err != nil {
		return nil, err
	}
	return append(services, scorer, writer), nil
}

// drained is what is left of so many raw records and of all that came of them, at the
// first service that has something left.
func (r *benchRoom) drained(metrics *prometheus.Registry, raw int64) backlog {
	names := r.config.Topics.names()
	return func(ctx context.Context) (int64, error) {
		for _, stage := range []struct {
			counter string
			topics  []string
		}{
			{"riskpipe_normalise_records_consumed_total", nil},
			{"riskpipe_score_records_consumed_total", []string{names.Events()}},
			{"riskpipe_sink_rows_total", []string{names.Events(), names.Alerts(), names.Risk(), names.Identities(), names.EvidenceKeys()}},
		} {
			total := raw
			if stage.topics != nil {
				var err error
				if total, err = r.records(ctx, stage.topics...); err != nil {
					return 0, err
				}
			}
			if left, err := until(metrics, stage.counter, total)(ctx); left > 0 || err != nil {
				return left, err
			}
		}
		return 0, nil
	}
}

// chain lets all services work through a backlog together.
func (b *bench) chain(ctx context.Context) error {
	room, load, err := b.loaded(ctx, b.options.partitions)
	if err != nil {
		return err
	}
	defer room.close()
	stage, err := b.measure(ctx, stageChain, func(ctx context.Context) (int64, error) {
		metrics := prometheus.NewRegistry()
		services, err := room.all(ctx, metrics)
		if err != nil {
			return 0, err
		}
		if err := room.services(ctx, room.drained(metrics, load.records).wait, services...); err != nil {
			return 0, err
		}
		return room.records(ctx, room.config.Topics.names().Events())
	})
	if err == nil {
		stage.Bytes = load.bytes
	}
	return err
}

// latency publishes at a steady rate, after a backlog that gives people a history.
func (b *bench) latency(ctx context.Context) error {
	room, err := b.servers.room(ctx, b.options.partitions)
	if err != nil {
		return err
	}
	defer room.close()
	live := int(float64(b.options.rate) * b.options.duration.Seconds())
	company, err := b.options.company(b.options.events + 2*live)
	if err != nil {
		return err
	}
	room.config.Normalise.InternalDomains = []string{company.Domain()}
	metrics := prometheus.NewRegistry()
	services, err := room.all(ctx, metrics)
	if err != nil {
		return err
	}
	return room.services(ctx, func(ctx context.Context) error { return b.live(ctx, room, metrics, company) }, services...)
}

func (b *bench) live(ctx context.Context, room *benchRoom, metrics *prometheus.Registry, company *tenant.Tenant) error {
	p, err := newPublisher(room.config)
	if err != nil {
		return err
	}
	defer p.close()
	count := room.eventCounter()
	var published int64
	events := 0
	var since time.Time
	watch := &alertWatch{}
	defer func() { _, _ = watch.stop() }() // it was stopped before, or its outcome does not matter any more
	records := func(yield func(tenant.Record) bool) {
		for r := range company.Records() {
			if events >= b.options.events {
				if !yield(r) {
					return
				}
				continue
			}
			events += count(r)
			published++
			if err = p.publish(ctx, r, r.Time.UTC()); err != nil {
				return
			}
			if events < b.options.events {
				continue
			}
			// The history is complete: let it go through, then begin to measure.
			if err = p.flush(ctx); err == nil {
				err = room.drained(metrics, published).wait(ctx)
			}
			if err == nil {
				err = watch.start(ctx, room)
			}
			if err != nil {
				return
			}
			since = time.Now()
			fmt.Fprintf(b.talk, "measuring latency at %d events a second for %s\n", b.options.rate, b.options.duration)
		}
	}
	liveEvents := 0
	for r := range paced(ctx, records, func(r tenant.Record) int { n := count(r); liveEvents += n; return n }, b.options.rate, b.options.duration) {
		if err := p.publish(ctx, r, time.Now()); err != nil {
			return err
		}
		published++
	}
	if err != nil || ctx.Err() != nil {
		return errors.Join(err, ctx.Err())
	}
	took := time.Since(since)
	if err := errors.Join(p.flush(ctx), room.drained(metrics, published).wait(ctx)); err != nil {
		return err
	}
	return b.latencies(ctx, room, watch, since, float64(liveEvents)/took.Seconds())
}

func (b *bench) latencies(ctx context.Context, room *benchRoom, watch *alertWatch, since time.Time, rate float64) error {
	var written uint64
	var quantiles []float64
	ctx = sink.WithParameters(ctx, map[string]string{"since": fmt.Sprint(since.UnixMilli())})
	if err := room.conn.QueryRow(ctx, query("bench_latency")).Scan(&written, &quantiles); err != nil {
		return fmt.Errorf("reading the latencies: %w", err)
	}
	alerts, err := watch.stop()
	if err != nil {
		return err
	}
	b.report.Rate = rate
	b.report.Latencies = append(b.report.Latencies,
		latencyOf("publication to alert on Kafka", alerts),
		benchLatency{Name: "publication to row in ClickHouse", Count: int64(written), P50: quantiles[0], P99: quantiles[1], P999: quantiles[2], Most: quantiles[3]})
	return nil
}

// alertWatch measures how old the newest cause of each alert is when a reader of
// Kafka sees the alert.
type alertWatch struct {
	cancel context.CancelFunc
	done   sync.WaitGroup
	ages   []time.Duration
	err    error
}

func (w *alertWatch) start(ctx context.Context, room *benchRoom) error {
	codecs, err := room.config.codecs(ctx)
	if err != nil {
		return err
	}
	client, err := room.config.Kafka.connect(kgo.ConsumeTopics(room.config.Topics.names().Alerts()),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtEnd()), kgo.FetchMaxWait(100*time.Millisecond))
	if err != nil {
		return err
	}
	begin := schemas.TimeOf(time.Now())
	ctx, w.cancel = context.WithCancel(ctx)
	w.done.Go(func() {
		defer client.Close()
		for {
			fetches := client.PollFetches(ctx)
			if ctx.Err() != nil {
				return
			}
			now := time.Now()
			fetches.EachRecord(func(r *kgo.Record) {
				var alert schemas.Alert
				if err := codecs.alerts.Decode(r.Value, &alert); err != nil {
					w.err = err
				} else if alert.ObservedTime >= begin {
					w.ages = append(w.ages, now.Sub(alert.ObservedTime.UTC()))
				}
			})
		}
	})
	return nil
}

// stop ends the watch and returns what it saw. It may be called again.
func (w *alertWatch) stop() ([]time.Duration, error) {
	if w.cancel != nil {
		w.cancel()
	}
	w.done.Wait()
	return w.ages, w.err
}

func latencyOf(name string, ages []time.Duration) benchLatency {
	l := benchLatency{Name: name, Count: int64(len(ages))}
	if len(ages) == 0 {
		return l
	}
	slices.Sort(ages)
	at := func(q float64) float64 { return ages[min(int(q*float64(len(ages))), len(ages)-1)].Seconds() }
	l.P50, l.P99, l.P999, l.Most = at(.5), at(.99), at(.999), at(1)
	return l
}
