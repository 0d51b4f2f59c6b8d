package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/viper"

	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
)

// defaults is the reference of all settings.
//
//go:embed config.yaml
var defaults []byte

const envPrefix = "RISKPIPE"

// Config is all of riskpipe's configuration; config.yaml documents it.
type Config struct {
	Log        LogConfig        `mapstructure:"log"`
	Admin      AdminConfig      `mapstructure:"admin"`
	Topics     TopicsConfig     `mapstructure:"topics"`
	Kafka      KafkaConfig      `mapstructure:"kafka"`
	RawKafka   KafkaConfig      `mapstructure:"raw_kafka"`
	Registry   RegistryConfig   `mapstructure:"registry"`
	Redis      RedisConfig      `mapstructure:"redis"`
	ClickHouse ClickHouseConfig `mapstructure:"clickhouse"`
	Pseudonym  PseudonymConfig  `mapstructure:"pseudonym"`
	Normalise  NormaliseConfig  `mapstructure:"normalise"`
	Score      ScoreConfig      `mapstructure:"score"`
	Sink       SinkConfig       `mapstructure:"sink"`
}

// LogConfig is how riskpipe talks on standard error.
type LogConfig struct {
	Level  string `mapstructure:"level"`
	Format string `mapstructure:"format"`
}

// AdminConfig is the endpoint for metrics and health.
type AdminConfig struct {
	Listen string `mapstructure:"listen"`
}

// TopicsConfig names and sizes riskpipe's topics.
type TopicsConfig struct {
	Prefix         string `mapstructure:"prefix"`
	Partitions     int    `mapstructure:"partitions"`
	Replication    int    `mapstructure:"replication"`
	DeadLetterDays int    `mapstructure:"dead_letter_days"`
}

func (c TopicsConfig) names() schemas.Topics { return schemas.Topics{Prefix: c.Prefix} }

// group names the consumer group of a service. The prefix keeps installations
// on one cluster apart.
func (c TopicsConfig) group(service string) string { return c.Prefix + "riskpipe-" + service }

// normaliserGroups are the consumer groups of all normalisers.
func (c TopicsConfig) normaliserGroups() []string {
	var groups []string
	for _, source := range schemas.Sources() {
		groups = append(groups, c.group("normalise-"+string(source)))
	}
	return groups
}

// RegistryConfig is how to reach the schema registry.
type RegistryConfig struct {
	URL          string    `mapstructure:"url"`
	Username     string    `mapstructure:"username"`
	Password     Secret    `mapstructure:"password"`
	PasswordFile string    `mapstructure:"password_file"`
	TLS          TLSConfig `mapstructure:"tls"`
}

// RedisConfig is how to reach Redis.
type RedisConfig struct {
	Addresses    []string  `mapstructure:"addresses"`
	Cluster      bool      `mapstructure:"cluster"`
	Username     string    `mapstructure:"username"`
	Password     Secret    `mapstructure:"password"`
	PasswordFile string    `mapstructure:"password_file"`
	Database     int       `mapstructure:"database"`
	Prefix       string    `mapstructure:"prefix"`
	TLS          TLSConfig `mapstructure:"tls"`
}

// ClickHouseConfig is how to reach ClickHouse.
type ClickHouseConfig struct {
	Addresses    []string  `mapstructure:"addresses"`
	Protocol     string    `mapstructure:"protocol"`
	Database     string    `mapstructure:"database"`
	Username     string    `mapstructure:"username"`
	Password     Secret    `mapstructure:"password"`
	PasswordFile string    `mapstructure:"password_file"`
	Compression  string    `mapstructure:"compression"`
	TLS          TLSConfig `mapstructure:"tls"`
}

// PseudonymConfig is the key that pseudonyms are made with.
type PseudonymConfig struct {
	Key     Secret `mapstructure:"key"`
	KeyFile string `mapstructure:"key_file"`
}

// NormaliseConfig is how raw records are read.
type NormaliseConfig struct {
	MaxRecordBytes  int           `mapstructure:"max_record_bytes"`
	PoisonPercent   int           `mapstructure:"poison_percent"`
	PoisonRecords   int           `mapstructure:"poison_records"`
	InternalDomains []string      `mapstructure:"internal_domains"`
	Domains         []DomainClass `mapstructure:"domains"`
	HR              HRConfig      `mapstructure:"hr"`
}

// DomainClass is a class and the domains in it.
type DomainClass struct {
	Class   string   `mapstructure:"class" json:"class"`
	Domains []string `mapstructure:"domains" json:"domains"`
}

// HRConfig names the columns of the HR feed.
type HRConfig struct {
	Columns   []normalise.HRColumn   `mapstructure:"columns"`
	Header    []string               `mapstructure:"header"`
	Scenario  string                 `mapstructure:"scenario"`
	Scenarios []normalise.HRScenario `mapstructure:"scenarios"`
	DayFirst  bool                   `mapstructure:"day_first"`
}

// ScoreConfig is how events are scored.
type ScoreConfig struct {
	Policies     string `mapstructure:"policies"`
	BatchRecords int    `mapstructure:"batch_records"`
	CachedUsers  int    `mapstructure:"cached_users"`
}

// SinkConfig is how rows are written.
type SinkConfig struct {
	BatchRows     int           `mapstructure:"batch_rows"`
	FlushInterval time.Duration `mapstructure:"flush_interval"`
	ActivityDays  int           `mapstructure:"activity_days"`
	AlertDays     int           `mapstructure:"alert_days"`
	RiskDays      int           `mapstructure:"risk_days"`
}

// LoadConfig reads the configuration: the defaults, the file when one is named,
// then the environment. It reports every problem at once.
func LoadConfig(path string) (Config, error) {
	v, err := readSettings(path)
	if err != nil {
		return Config{}, err
	}
	var c Config
	decode := mapstructure.ComposeDecodeHookFunc(
		mapstructure.StringToTimeDurationHookFunc(), entriesFromJSON, wordsFromText)
	if err := v.UnmarshalExact(&c, viper.DecodeHook(decode)); err != nil {
		return Config{}, fmt.Errorf("reading the configuration: %w", err)
	}
	if err := errors.Join(c.readSecrets(), c.Validate()); err != nil {
		return Config{}, fmt.Errorf("the configuration is not valid:\n%w", err)
	}
	return c, nil
}

// readSettings layers the defaults, the file and the environment.
func readSettings(path string) (*viper.Viper, error) {
	v := viper.New()
	v.SetConfigType("yaml")
	if err := v.ReadConfig(bytes.NewReader(defaults)); err != nil {
		return nil, fmt.Errorf("reading the built-in configuration: %w", err)
	}
	if path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("reading the configuration: %w", err)
		}
		if err := v.MergeConfig(bytes.NewReader(text)); err != nil {
			return nil, fmt.Errorf("reading the configuration %s: %w", path, err)
		}
	}
	v.SetEnvPrefix(envPrefix)
	v.SetEnvKeyReplacer(strings.NewReplacer(".", "_"))
	v.AutomaticEnv()
	return v, nil
}

// entriesFromJSON lets the environment give a list of entries as JSON.
func entriesFromJSON(from, to reflect.Type, data any) (any, error) {
	if from.Kind() != reflect.String || to.Kind() != reflect.Slice || to.Elem().Kind() != reflect.Struct {
		return data, nil
	}
	list := reflect.New(to)
	text, _ := data.(string) // of kind string, as asked above
	if err := json.Unmarshal([]byte(text), list.Interface()); err != nil {
		return nil, fmt.Errorf("reading a list of entries as JSON: %w", err)
	}
	return list.Elem().Interface(), nil
}

// wordsFromText lets the environment give a list of words with commas.
func wordsFromText(from, to reflect.Type, data any) (any, error) {
	if from.Kind() != reflect.String || to != reflect.TypeFor[[]string]() {
		return data, nil
	}
	words := []string{}
	text, _ := data.(string) // of kind string, as asked above
	for word := range strings.SplitSeq(text, ",") {
		if word = strings.TrimSpace(word); word != "" {
			words = append(words, word)
		}
	}
	return words, nil
}

// readSecrets fills the secrets that are given as files.
func (c *Config) readSecrets() error {
	return errors.Join(
		c.Kafka.SASL.Password.fromFile("kafka.sasl.password", c.Kafka.SASL.PasswordFile),
		c.RawKafka.SASL.Password.fromFile("raw_kafka.sasl.password", c.RawKafka.SASL.PasswordFile),
		c.Registry.Password.fromFile("registry.password", c.Registry.PasswordFile),
		c.Redis.Password.fromFile("redis.password", c.Redis.PasswordFile),
		c.ClickHouse.Password.fromFile("clickhouse.password", c.ClickHouse.PasswordFile),
	)
}

// rawKafka is the cluster that holds the raw topics.
func (c Config) rawKafka() KafkaConfig {
	if len(c.RawKafka.Brokers) > 0 {
		return c.RawKafka
	}
	return c.Kafka
}

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
	if c.Registry.URL != "" {
		u, err := url.Parse(c.Registry.URL)
		bad(err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "", "registry.url is %q: want http://… or https://…", c.Registry.URL)
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
	switch c.ClickHouse.Compression {
	case "lz4", "zstd", "none":
	default:
		bad(false, "clickhouse.compression is %q: want lz4, zstd or none", c.ClickHouse.Compression)
	}
	problems = append(problems, c.ClickHouse.TLS.problems("clickhouse.tls")...)
	bad(c.Pseudonym.Key == "" || c.Pseudonym.KeyFile == "", "pseudonym.key and pseudonym.key_file are both set: give one")
	bad(c.Normalise.MaxRecordBytes >= 1024, "normalise.max_record_bytes is %d: want 1024 or more", c.Normalise.MaxRecordBytes)
	bad(c.Normalise.PoisonPercent >= 1 && c.Normalise.PoisonPercent <= 100, "normalise.poison_percent is %d: want 1 to 100", c.Normalise.PoisonPercent)
	bad(c.Normalise.PoisonRecords >= 1, "normalise.poison_records is %d: want 1 or more", c.Normalise.PoisonRecords)
	for i, list := range c.Normalise.Domains {
		switch list.Class {
		case normalise.ClassPartner, normalise.ClassPersonalMail, normalise.ClassPersonalCloud, normalise.ClassAI, normalise.ClassUnallowed:
		default:
			bad(false, "normalise.domains[%d].class is %q: want personal_mail, personal_cloud, ai, partner or unallowed", i, list.Class)
		}
	}
	if err := c.Normalise.mapping().Validate(); err != nil {
		problems = append(problems, fmt.Errorf("normalise.hr: %w", err))
	}
	bad(c.Score.BatchRecords >= 1 && c.Score.BatchRecords <= 100_000, "score.batch_records is %d: want 1 to 100000", c.Score.BatchRecords)
	bad(c.Score.CachedUsers >= 1, "score.cached_users is %d: want 1 or more", c.Score.CachedUsers)
	bad(c.Sink.BatchRows >= 1 && c.Sink.BatchRows <= 1_000_000, "sink.batch_rows is %d: want 1 to 1000000", c.Sink.BatchRows)
	bad(c.Sink.FlushInterval >= 10*time.Millisecond && c.Sink.FlushInterval <= time.Minute, "sink.flush_interval is %s: want 10ms to 1m", c.Sink.FlushInterval)
	bad(c.Sink.ActivityDays >= 1 && c.Sink.AlertDays >= 1 && c.Sink.RiskDays >= 1, "sink: activity_days, alert_days and risk_days are 1 or more")
	return errors.Join(problems...)
}

func (c NormaliseConfig) mapping() normalise.HRMapping {
	return normalise.HRMapping{
		Columns: c.HR.Columns, Header: c.HR.Header, Scenario: c.HR.Scenario, Scenarios: c.HR.Scenarios, DayFirst: c.HR.DayFirst,
	}
}

// options are the mapper's options.
func (c NormaliseConfig) options(hash func(kind, value string) schemas.Hash) normalise.Options {
	lists := map[string][]string{normalise.ClassInternal: c.InternalDomains}
	for _, list := range c.Domains {
		lists[list.Class] = append(lists[list.Class], list.Domains...)
	}
	return normalise.Options{Hash: hash, Domains: normalise.NewDomains(lists), HR: c.mapping(), MaxBytes: c.MaxRecordBytes}
}
