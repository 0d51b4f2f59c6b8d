package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/viper"

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
	Vault      VaultConfig      `mapstructure:"vault"`
	Reveal     RevealConfig     `mapstructure:"reveal"`
	Policies   PoliciesConfig   `mapstructure:"policies"`
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
	Addresses        []string  `mapstructure:"addresses"`
	Protocol         string    `mapstructure:"protocol"`
	Database         string    `mapstructure:"database"`
	IdentityDatabase string    `mapstructure:"identity_database"`
	Username         string    `mapstructure:"username"`
	Password         Secret    `mapstructure:"password"`
	PasswordFile     string    `mapstructure:"password_file"`
	Compression      string    `mapstructure:"compression"`
	TLS              TLSConfig `mapstructure:"tls"`
}

// PseudonymConfig is the key that pseudonyms are made with.
type PseudonymConfig struct {
	Key     Secret `mapstructure:"key"`
	KeyFile string `mapstructure:"key_file"`
	// PreviousKeyFile is the key before, after a rotation.
	PreviousKeyFile string `mapstructure:"previous_key_file"`
}

// VaultConfig is the key pair that names and evidence are sealed with.
type VaultConfig struct {
	PublicKey     string `mapstructure:"public_key"`
	PublicKeyFile string `mapstructure:"public_key_file"`
	// PrivateKey holds private keys separated by blanks, PrivateKeys files with one
	// each, PrivateKeyCommand a program that holds some, with its arguments.
	PrivateKey        Secret        `mapstructure:"private_key"`
	PrivateKeys       []string      `mapstructure:"private_key_file"`
	PrivateKeyCommand []string      `mapstructure:"private_key_command"`
	PrivateKeyTimeout time.Duration `mapstructure:"private_key_timeout"`
	// Serve is how `riskpipe vault serve` works.
	Serve VaultServeConfig `mapstructure:"serve"`
}

// ScoreConfig is how events are scored.
type ScoreConfig struct {
	Policies     string `mapstructure:"policies"`
	TimeZone     string `mapstructure:"time_zone"`
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
	IdentityDays  int           `mapstructure:"identity_days"`
	EvidenceDays  int           `mapstructure:"evidence_days"`
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
		mapstructure.StringToTimeDurationHookFunc(), secretFromText, entriesFromJSON, wordsFromText)
	if err := v.UnmarshalExact(&c, viper.DecodeHook(decode)); err != nil {
		return Config{}, fmt.Errorf("reading the configuration: %w", err)
	}
	if err := c.keysAsFiles(); err != nil {
		return Config{}, fmt.Errorf("the configuration is not valid:\n%w", err)
	}
	if err := errors.Join(c.readSecrets(), c.Normalise.readGroups(), c.Validate()); err != nil {
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
			return nil, fmt.Errorf("reading the configuration %s: %w", path, withoutQuotes(err))
		}
	}
	v.SetEnvPrefix(envPrefix)
	v.SetEnvKeyReplacer(strings.NewReplacer(".", "_"))
	v.AllowEmptyEnv(true) // an empty value is how the environment says "none"
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
		c.Reveal.Token.fromFile("reveal.token", c.Reveal.TokenFile),
	)
}

// rawKafka is the cluster that holds the raw topics.
func (c Config) rawKafka() KafkaConfig {
	if len(c.RawKafka.Brokers) > 0 {
		return c.RawKafka
	}
	return c.Kafka
}
