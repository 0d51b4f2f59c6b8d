package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"github.com/riskpipe/riskpipe/pipeline"
	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/sink"
	"github.com/riskpipe/riskpipe/vault"
)

// benchRoom is a set of topics, keys and tables of its own, in which the services run.
type benchRoom struct {
	servers *benchServers
	config  Config
	admin   *kadm.Client
	redis   *pipeline.Redis
	conn    sink.Conn
}

// room makes a fresh one: evidence is sealed, and everything is removed by close.
func (s *benchServers) room(ctx context.Context, partitions int) (_ *benchRoom, err error) {
	name := "bench_" + strings.ToLower(rand.Text()[:10])
	config := s.config
	config.Topics = TopicsConfig{Prefix: name + ".", Partitions: partitions, Replication: 1, DeadLetterDays: 1}
	config.Redis.Prefix = name + ":"
	config.ClickHouse.Database, config.ClickHouse.IdentityDatabase = name, name+"_identities"
	_, key, err := vault.GenerateKey(1)
	if err != nil {
		return nil, err
	}
	config.Pseudonym = PseudonymConfig{Key: Secret(key)}
	private, _, err := vault.GeneratePrivateKey()
	if err != nil {
		return nil, err
	}
	config.Vault = VaultConfig{}
	if s.sealed {
		config.Vault.PublicKey = private.Public().String()
	}
	r := &benchRoom{servers: s, config: config}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	client, err := config.Kafka.connect()
	if err != nil {
		return nil, err
	}
	r.admin = kadm.NewClient(client)
	if r.redis, err = config.Redis.open(); err != nil {
		return nil, err
	}
	if err := r.prepare(ctx); err != nil {
		return nil, err
	}
	return r, nil
}

// prepare makes topics and tables.
func (r *benchRoom) prepare(ctx context.Context) error {
	if _, err := ensureTopics(ctx, r.config, false, false); err != nil {
		return err
	}
	plan := r.config.Topics.rawPlan()
	for i := range plan {
		plan[i].Partitions = int32(r.config.Topics.Partitions)
		plan[i].Configs = map[string]string{"retention.ms": "-1"} // the company's days may be years past
	}
	if _, err := ensureOn(ctx, r.config.Kafka, plan, false); err != nil {
		return err
	}
	var err error
	r.conn, err = r.config.migrated(ctx)
	return err
}

// close removes everything. What cannot be removed is said, and is no failure of the
// measurement.
func (r *benchRoom) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var problems []error
	if r.conn != nil {
		problems = append(problems, r.conn.Close(), r.dropDatabases(ctx))
	}
	if r.redis != nil {
		problems = append(problems, r.redis.Clear(ctx), r.redis.Close())
	}
	if r.admin != nil {
		problems = append(problems, r.removeTopics(ctx))
		r.admin.Close()
	}
	if err := errors.Join(problems...); err != nil {
		r.servers.log.Error("not everything that the bench made could be removed", "name", r.config.ClickHouse.Database, "error", err)
	}
}

func (r *benchRoom) dropDatabases(ctx context.Context) error {
	conn, err := r.config.ClickHouse.open(ctx, "")
	if err != nil {
		return err
	}
	defer conn.Close()
	return errors.Join(
		conn.Exec(ctx, "DROP DATABASE IF EXISTS "+r.config.ClickHouse.Database),
		conn.Exec(ctx, "DROP DATABASE IF EXISTS "+r.config.ClickHouse.IdentityDatabase))
}

func (r *benchRoom) removeTopics(ctx context.Context) error {
	topics, err := r.admin.ListTopics(ctx)
	if err != nil {
		return err
	}
	var names []string
	for _, name := range topics.Names() {
		if strings.HasPrefix(name, r.config.Topics.Prefix) {
			names = append(names, name)
		}
	}
	groups := append(r.config.Topics.normaliserGroups(), r.config.Topics.group("score"), r.config.Topics.group("sink"))
	_, groupsErr := r.admin.DeleteGroups(ctx, groups...)
	_, topicsErr := r.admin.DeleteTopics(ctx, names...)
	return errors.Join(groupsErr, topicsErr)
}

// runner is a service.
type runner interface {
	Run(ctx context.Context) error
}

// services run until work returns.
func (r *benchRoom) services(ctx context.Context, work func(context.Context) error, services ...runner) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	group, ctx := errgroup.WithContext(ctx)
	for _, s := range services {
		group.Go(func() error { return s.Run(ctx) })
	}
	group.Go(func() error {
		defer stop()
		return work(ctx)
	})
	return group.Wait()
}

// backlog tells how many records are yet to be worked through.
type backlog func(context.Context) (int64, error)

// stalled is after how long without a record worked through the bench gives up.
const stalled = 2 * time.Minute

// wait asks every now and then until nothing is left.
func (b backlog) wait(ctx context.Context) error {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	last, since := int64(-1), time.Now()
	for {
		n, err := b(ctx)
		switch {
		case err != nil || n <= 0:
			return err
		case n != last:
			last, since = n, time.Now()
		case time.Since(since) > stalled:
			return fmt.Errorf("nothing was worked through for %s, and %d records are left", stalled, n)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// until is what the counters of that name lack to reach total.
func until(metrics *prometheus.Registry, name string, total int64) backlog {
	return func(context.Context) (int64, error) {
		families, err := metrics.Gather()
		if err != nil {
			return 0, fmt.Errorf("reading the metrics: %w", err)
		}
		var sum float64
		for _, family := range families {
			if family.GetName() != name {
				continue
			}
			for _, m := range family.GetMetric() {
				sum += m.GetCounter().GetValue()
			}
		}
		return total - int64(sum), nil
	}
}

func (r *benchRoom) normalisers(ctx context.Context, metrics prometheus.Registerer) ([]runner, error) {
	var all []runner
	for _, source := range schemas.Sources() {
		n, err := newNormaliser(ctx, r.config, r.servers.log, metrics, source, r.redis)
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, nil
}

// normalise normalises so many raw records and returns how many events they were.
func (r *benchRoom) normalise(ctx context.Context, records int64) (int64, error) {
	metrics := prometheus.NewRegistry()
	services, err := r.normalisers(ctx, metrics)
	if err != nil {
		return 0, err
	}
	if err := r.services(ctx, until(metrics, "riskpipe_normalise_records_consumed_total", records).wait, services...); err != nil {
		return 0, err
	}
	return r.records(ctx, r.config.Topics.names().Events())
}

// score scores all events.
func (r *benchRoom) score(ctx context.Context) (int64, error) {
	events, err := r.records(ctx, r.config.Topics.names().Events())
	if err != nil {
		return 0, err
	}
	metrics := prometheus.NewRegistry()
	scorer, err := newScorer(ctx, r.config, r.servers.log, metrics, r.redis)
	if err != nil {
		return 0, err
	}
	return events, r.services(ctx, until(metrics, "riskpipe_score_records_consumed_total", events).wait, scorer)
}

// sink writes all there is and returns how many rows that is, duplicates included.
func (r *benchRoom) sink(ctx context.Context) (int64, error) {
	names := r.config.Topics.names()
	rows, err := r.records(ctx, names.Events(), names.Alerts(), names.Risk(), names.Identities(), names.EvidenceKeys())
	if err != nil {
		return 0, err
	}
	metrics := prometheus.NewRegistry()
	s, err := newSink(ctx, r.config, r.servers.log, metrics, r.conn)
	if err != nil {
		return 0, err
	}
	return rows, r.services(ctx, until(metrics, "riskpipe_sink_rows_total", rows).wait, s)
}

// records is how many records the topics have.
func (r *benchRoom) records(ctx context.Context, topics ...string) (int64, error) {
	ends, err := r.admin.ListEndOffsets(ctx, topics...)
	if err != nil {
		return 0, fmt.Errorf("asking Kafka how many records there are: %w", err)
	}
	if err := ends.Error(); err != nil {
		return 0, fmt.Errorf("asking Kafka how many records there are: %w", err)
	}
	var total int64
	ends.Each(func(o kadm.ListedOffset) { total += o.Offset })
	return total, nil
}

// read hands over so many records from the start of the topics.
func (r *benchRoom) read(ctx context.Context, total int64, each func(*kgo.Record) error, topics ...string) error {
	client, err := r.config.Kafka.connect(kgo.ConsumeTopics(topics...))
	if err != nil {
		return err
	}
	defer client.Close()
	for total > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("reading %v: %w", topics, err)
		}
		for _, record := range fetches.Records() {
			if err := each(record); err != nil {
				return err
			}
			total--
		}
	}
	return nil
}
