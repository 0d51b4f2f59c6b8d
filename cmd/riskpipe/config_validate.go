package main

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/riskpipe/riskpipe/pipeline/normalise"
)

// Validate reports every problem of the configuration, each with its key, its
// value and what is wanted.
func (c Config) Validate() error {
	var problems []error
	bad := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	switch strings.ToLower(c.Log.Level) {
	case "debug", "info", "warn", "error":
	default:
		bad(false, "log.level is %q: want debug, info, warn or error", c.Log.Level)
	}
	bad(c.Log.Format == "text" || c.Log.Format == "json", "log.format is %q: want text or json", c.Log.Format)
	bad(c.Topics.Partitions >= 1 && c.Topics.Partitions <= 10_000, "topics.partitions is %d: want 1 to 10000", c.Topics.Partitions)
	bad(c.Topics.Replication >= 1 && c.Topics.Replication <= 15, "topics.replication is %d: want 1 to 15", c.Topics.Replication)
	bad(c.Topics.DeadLetterDays >= 1, "topics.dead_letter_days is %d: want 1 or more", c.Topics.DeadLetterDays)
	bad(len(c.Kafka.Brokers) > 0, "kafka.brokers is empty: name at least one host:port")
	problems = append(problems, c.Kafka.problems("kafka")...)
	problems = append(problems, c.RawKafka.problems("raw_kafka")...)
	problems = append(problems, c.addressProblems()...)
	if c.Registry.URL != "" {
		u, err := url.Parse(c.Registry.URL)
		bad(err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "", "registry.url is %q: want http://… or https://…", plainURL(c.Registry.URL))
	}
	problems = append(problems, c.Registry.TLS.problems("registry.tls")...)
	bad(len(c.Redis.Addresses) > 0, "redis.addresses is empty: name at least one host:port")
	bad(c.Redis.Cluster || len(c.Redis.Addresses) <= 1, "redis.addresses has %d entries: more than one needs redis.cluster", len(c.Redis.Addresses))
	bad(!c.Redis.Cluster || c.Redis.Database == 0, "redis.database is %d: a cluster has only database 0", c.Redis.Database)
	bad(c.Redis.Database >= 0, "redis.database is %d: want 0 or more", c.Redis.Database)
	problems = append(problems, c.Redis.TLS.problems("redis.tls")...)
	bad(len(c.ClickHouse.Addresses) > 0, "clickhouse.addresses is empty: name at least one host:port")
	bad(c.ClickHouse.Protocol == "native" || c.ClickHouse.Protocol == "http", "clickhouse.protocol is %q: want native or http", c.ClickHouse.Protocol)
	bad(c.ClickHouse.Database != "", "clickhouse.database is empty")
	bad(c.ClickHouse.IdentityDatabase != c.ClickHouse.Database, "clickhouse.identity_database is %q, as clickhouse.database: want another, which nobody but the vault reads", c.ClickHouse.IdentityDatabase)
	switch c.ClickHouse.Compression {
	case "lz4", "zstd", "none":
	default:
		bad(false, "clickhouse.compression is %q: want lz4, zstd or none", c.ClickHouse.Compression)
	}
	problems = append(problems, c.ClickHouse.TLS.problems("clickhouse.tls")...)
	bad(c.Pseudonym.Key == "" || c.Pseudonym.KeyFile == "", "pseudonym.key and pseudonym.key_file are both set: give one")
	problems = append(problems, c.Vault.problems()...)
	problems = append(problems, c.Vault.Serve.problems()...)
	problems = append(problems, c.Reveal.problems()...)
	problems = append(problems, c.Policies.problems()...)
	bad(c.Normalise.PoisonPercent >= 1 && c.Normalise.PoisonPercent <= 100, "normalise.poison_percent is %d: want 1 to 100", c.Normalise.PoisonPercent)
	bad(c.Normalise.PoisonRecords >= 1, "normalise.poison_records is %d: want 1 or more", c.Normalise.PoisonRecords)
	for i, list := range c.Normalise.Domains {
		switch list.Class {
		case normalise.ClassPartner, normalise.ClassPersonalMail, normalise.ClassPersonalCloud, normalise.ClassAI, normalise.ClassUnallowed:
		default:
			bad(false, "normalise.domains[%d].class is %q: want personal_mail, personal_cloud, ai, partner or unallowed", i, list.Class)
		}
	}
	problems = append(problems, c.Normalise.problems()...)
	if err := c.Normalise.mapping().Validate(); err != nil {
		problems = append(problems, fmt.Errorf("normalise.hr: %w", err))
	}
	bad(c.Score.BatchRecords >= 1 && c.Score.BatchRecords <= 100_000, "score.batch_records is %d: want 1 to 100000", c.Score.BatchRecords)
	bad(c.Score.CachedUsers >= 1, "score.cached_users is %d: want 1 or more", c.Score.CachedUsers)
	bad(c.Sink.BatchRows >= 1 && c.Sink.BatchRows <= 1_000_000, "sink.batch_rows is %d: want 1 to 1000000", c.Sink.BatchRows)
	bad(c.Sink.FlushInterval >= 10*time.Millisecond && c.Sink.FlushInterval <= time.Minute, "sink.flush_interval is %s: want 10ms to 1m", c.Sink.FlushInterval)
	bad(c.Sink.ActivityDays >= 1 && c.Sink.AlertDays >= 1 && c.Sink.RiskDays >= 1 && c.Sink.IdentityDays >= 1 && c.Sink.EvidenceDays >= 1,
		"sink: activity_days, alert_days, risk_days, identity_days and evidence_days are 1 or more")
	return errors.Join(problems...)
}

// addressProblems reports URLs where hosts belong, and users and passwords in URLs,
// which would show wherever the URL does.
func (c Config) addressProblems() []error {
	var problems []error
	for key, addresses := range map[string][]string{
		"kafka.brokers": c.Kafka.Brokers, "raw_kafka.brokers": c.RawKafka.Brokers, "redis.addresses": c.Redis.Addresses, "clickhouse.addresses": c.ClickHouse.Addresses,
	} {
		for i, address := range addresses {
			if strings.Contains(address, "://") || strings.Contains(address, "@") {
				problems = append(problems, fmt.Errorf("%s[%d] is a URL, or has a user in it: want host:port", key, i))
			}
		}
	}
	for key, text := range map[string]string{"registry.url": c.Registry.URL, "reveal.url": c.Reveal.URL, "vault.serve.oidc.issuer": c.Vault.Serve.OIDC.Issuer} {
		if plainURL(text) != text {
			problems = append(problems, fmt.Errorf("%s has a user or password in it: give them by settings of their own, or not at all", key))
		}
	}
	return problems
}
