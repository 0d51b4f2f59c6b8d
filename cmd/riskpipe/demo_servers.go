package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"golang.org/x/sync/errgroup"

	"github.com/riskpipe/riskpipe/deploy/embedded"
	"github.com/riskpipe/riskpipe/deploy/tenant"
	"github.com/riskpipe/riskpipe/pipeline"
	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/sink"
	"github.com/riskpipe/riskpipe/vault"
)

// demoServers are the embedded servers with all services on them.
type demoServers struct {
	stack    *embedded.Stack
	config   Config
	key      *vault.Key
	vault    *demoVault // nil in tests
	redis    *pipeline.Redis
	conn     sink.Conn
	admin    *kadm.Client
	log      *slog.Logger
	stop     context.CancelFunc
	services *errgroup.Group
}

func startDemoServers(ctx context.Context, o demoOptions, domain string, talk io.Writer) (_ *demoServers, err error) {
	config, err := LoadConfig("")
	if err != nil {
		return nil, err
	}
	log := newLogger(talk, LogConfig{Level: "warn", Format: "text"})
	options := embedded.Options{EngineCommand: []string{"engine"}, Data: o.data, Progress: talk, Log: log}
	if o.keep {
		options.KafkaAddr, options.RedisAddr, options.ClickHouseAddr = o.kafka, o.redis, o.clickhouse
	}
	s := &demoServers{log: log, services: &errgroup.Group{}, stop: func() {}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.stack, err = embedded.Start(ctx, options); err != nil {
		return nil, fmt.Errorf("starting the embedded servers: %w", err)
	}
	key, text, err := vault.GenerateKey(1)
	if err != nil {
		return nil, err
	}
	s.key = key
	public := ""
	if s.vault, public, err = newDemoVault(); err != nil {
		return nil, err
	}
	config.Kafka = KafkaConfig{Brokers: s.stack.Kafka.Addrs()}
	config.RawKafka = KafkaConfig{}
	config.Registry = RegistryConfig{}
	config.Redis = RedisConfig{Addresses: []string{s.stack.Redis.Addr()}, Prefix: "riskpipe:"}
	config.ClickHouse = ClickHouseConfig{Addresses: []string{s.stack.Engine.Addr()}, Protocol: "http", Database: "riskpipe", Username: "default", Compression: "none"}
	config.Pseudonym = PseudonymConfig{Key: Secret(text)}
	config.Vault = VaultConfig{PublicKey: public, PrivateKeyTimeout: config.Vault.PrivateKeyTimeout, Serve: config.Vault.Serve}
	config.Topics = TopicsConfig{Partitions: 4, Replication: 1, DeadLetterDays: 30}
	config.Normalise.InternalDomains = []string{domain}
	s.config = config
	client, err := config.Kafka.connect()
	if err != nil {
		return nil, err
	}
	s.admin = kadm.NewClient(client)
	s.redis, err = config.Redis.open()
	return s, err
}

// prepare makes topics, tables and views.
func (s *demoServers) prepare(ctx context.Context) error {
	if _, err := ensureTopics(ctx, s.config, true, false); err != nil {
		return err
	}
	var err error
	s.conn, err = s.config.migrated(ctx)
	return err
}

// startServices runs the seven services until the returned context ends, which
// it does when one of them fails.
func (s *demoServers) startServices(ctx context.Context) context.Context {
	ctx, s.stop = context.WithCancel(ctx)
	s.services, ctx = errgroup.WithContext(ctx)
	for _, source := range schemas.Sources() {
		s.services.Go(func() error {
			n, err := newNormaliser(ctx, s.config, s.log, nil, source, s.redis)
			if err != nil {
				return err
			}
			return n.Run(ctx)
		})
	}
	s.services.Go(func() error {
		scorer, err := newScorer(ctx, s.config, s.log, nil, s.redis)
		if err != nil {
			return err
		}
		return scorer.Run(ctx)
	})
	s.services.Go(func() error {
		w, err := newSink(ctx, s.config, s.log, nil, s.conn)
		if err != nil {
			return err
		}
		return w.Run(ctx)
	})
	return ctx
}

// failure stops the services and returns why one failed, if one did.
func (s *demoServers) failure() error {
	s.stop()
	return s.services.Wait()
}

func (s *demoServers) close() error {
	err := s.failure()
	if s.conn != nil {
		err = errors.Join(err, s.conn.Close())
	}
	if s.redis != nil {
		err = errors.Join(err, s.redis.Close())
	}
	if s.admin != nil {
		s.admin.Close()
	}
	if s.stack != nil {
		err = errors.Join(err, s.stack.Close())
	}
	return errors.Join(err, s.vault.close())
}

// publish publishes the company's history but for the last few records, which
// it returns.
func (s *demoServers) publish(ctx context.Context, company *tenant.Tenant, talk io.Writer) (published int, last []tenant.Record, err error) {
	p, err := newPublisher(s.config)
	if err != nil {
		return 0, nil, err
	}
	defer p.close()
	bar := newProgress(talk, "publishing", "days", int64(company.Days()))
	defer bar.done()
	if published, err = s.publishDirectory(ctx, company, p); err != nil {
		return published, nil, err
	}
	var first, days int64
	queue := make([]tenant.Record, 0, heldBack+1)
	for r := range company.Records() {
		if first == 0 {
			first = int64(r.Time)
		}
		if day := min((int64(r.Time)-first)/(24*time.Hour).Milliseconds(), int64(company.Days())); day > days {
			bar.add(day - days)
			days = day
		}
		if inDirectory(r, schemas.Time(first)) {
			continue
		}
		if queue = append(queue, r); len(queue) <= heldBack {
			continue
		}
		if err := p.publish(ctx, queue[0], queue[0].Time.UTC()); err != nil {
			return published, nil, err
		}
		published++
		copy(queue, queue[1:])
		queue = queue[:heldBack]
	}
	return published, queue, p.flush(ctx)
}

// publishDirectory publishes what Defender says on the first day, who is who
// among it, and waits until it is known. Six weeks are published in seconds here,
// and feeds are read side by side; elsewhere the directory is known for long
// when the first day of work begins.
func (s *demoServers) publishDirectory(ctx context.Context, company *tenant.Tenant, p *publisher) (published int, err error) {
	first := schemas.Time(0)
	for r := range company.Records() {
		if first == 0 {
			first = r.Time
		}
		if r.Time > first+oneDay {
			break
		}
		if inDirectory(r, first) {
			if err := p.publish(ctx, r, r.Time.UTC()); err != nil {
				return published, err
			}
			published++
		}
	}
	if err := p.flush(ctx); err != nil {
		return published, err
	}
	return published, s.drain(ctx, io.Discard)
}

const oneDay = schemas.Time(24 * 60 * 60 * 1000)

func inDirectory(r tenant.Record, first schemas.Time) bool {
	return r.Source == schemas.SourceDefender && r.Time <= first+oneDay
}

// publishLive publishes records one by one as if they happened now, and returns
// when it began.
func (s *demoServers) publishLive(ctx context.Context, records []tenant.Record, talk io.Writer) (since time.Time, err error) {
	p, err := newPublisher(s.config)
	if err != nil {
		return since, err
	}
	defer p.close()
	bar := newProgress(talk, "publishing live", "records", int64(len(records)))
	defer bar.done()
	since = time.Now()
	ticker := time.NewTicker(pace)
	defer ticker.Stop()
	for _, r := range records {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return since, ctx.Err()
		}
		if err := p.publish(ctx, r, time.Now()); err != nil {
			return since, err
		}
		bar.add(1)
	}
	return since, p.flush(ctx)
}

// drain waits until every group has read everything. A stage is looked at only
// when the one before has nothing left, since it makes the next one's records.
func (s *demoServers) drain(ctx context.Context, talk io.Writer) error {
	for _, stage := range []struct {
		name   string
		groups []string
	}{
		{"normalising", s.config.Topics.normaliserGroups()},
		{"scoring", []string{s.config.Topics.group("score")}},
		{"writing", []string{s.config.Topics.group("sink")}},
	} {
		var bar *progress
		var most int64
		for {
			behind, err := recordsBehind(ctx, s.admin, stage.groups)
			if err != nil {
				return err
			}
			if bar == nil && behind > 0 {
				most = behind
				bar = newProgress(talk, stage.name, "records", most)
			}
			if bar != nil {
				bar.set(most - behind)
			}
			if behind == 0 {
				break
			}
			select {
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if bar != nil {
			bar.done()
		}
	}
	return nil
}

// recordsBehind is how many records the groups have still to read.
func recordsBehind(ctx context.Context, admin *kadm.Client, groups []string) (int64, error) {
	lags, err := admin.Lag(ctx, groups...)
	if err != nil {
		return 0, fmt.Errorf("asking Kafka how far the services are: %w", err)
	}
	var total int64
	for _, group := range groups {
		lag := lags[group]
		switch err := lag.Error(); {
		case errors.Is(err, kerr.GroupIDNotFound), kerr.IsRetriable(err), err == nil && len(lag.Lag) == 0:
			total++ // it has not joined yet, or its coordinator is not ready
		case err != nil:
			return 0, fmt.Errorf("asking Kafka how far group %s is: %w", group, err)
		default:
			total += lag.Lag.Total()
		}
	}
	return total, nil
}
