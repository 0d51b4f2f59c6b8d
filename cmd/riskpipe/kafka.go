package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// KafkaConfig is how to reach a Kafka cluster.
type KafkaConfig struct {
	Brokers []string   `mapstructure:"brokers"`
	TLS     TLSConfig  `mapstructure:"tls"`
	SASL    SASLConfig `mapstructure:"sasl"`
}

// TLSConfig is how to encrypt, and whom to trust.
type TLSConfig struct {
	Enabled            bool   `mapstructure:"enabled"`
	CAFile             string `mapstructure:"ca_file"`
	CertFile           string `mapstructure:"cert_file"`
	KeyFile            string `mapstructure:"key_file"`
	ServerName         string `mapstructure:"server_name"`
	InsecureSkipVerify bool   `mapstructure:"insecure_skip_verify"`
}

// SASLConfig is how to authenticate to Kafka.
type SASLConfig struct {
	Mechanism    string `mapstructure:"mechanism"`
	Username     string `mapstructure:"username"`
	Password     Secret `mapstructure:"password"`
	PasswordFile string `mapstructure:"password_file"`
	Token        Secret `mapstructure:"token"`
	TokenFile    string `mapstructure:"token_file"`
}

func (c KafkaConfig) problems(path string) []error {
	var problems []error
	for i, broker := range c.Brokers {
		if !strings.Contains(broker, ":") && !strings.Contains(broker, "@") {
			problems = append(problems, fmt.Errorf("%s.brokers[%d] is %q: want host:port", path, i, broker))
		}
	}
	problems = append(problems, c.TLS.problems(path+".tls")...)
	switch mechanism := strings.ToUpper(c.SASL.Mechanism); mechanism {
	case "":
		if c.SASL.Username != "" {
			problems = append(problems, fmt.Errorf("%s.sasl.username is set without %s.sasl.mechanism", path, path))
		}
	case "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512":
		if c.SASL.Username == "" || c.SASL.Password == "" {
			problems = append(problems, fmt.Errorf("%s.sasl: %s needs username and password", path, mechanism))
		}
	case "OAUTHBEARER":
		if c.SASL.Token == "" && c.SASL.TokenFile == "" {
			problems = append(problems, fmt.Errorf("%s.sasl: OAUTHBEARER needs token or token_file", path))
		}
	default:
		problems = append(problems, fmt.Errorf("%s.sasl.mechanism is %q: want PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER or nothing", path, c.SASL.Mechanism))
	}
	return problems
}

// options returns the client options for the cluster.
func (c KafkaConfig) options() ([]kgo.Opt, error) {
	opts := []kgo.Opt{kgo.SeedBrokers(c.Brokers...), kgo.ClientID("riskpipe"), kgo.SoftwareNameAndVersion("riskpipe", versionText())}
	if c.TLS.Enabled {
		config, err := c.TLS.config()
		if err != nil {
			return nil, fmt.Errorf("setting up TLS to Kafka: %w", err)
		}
		opts = append(opts, kgo.DialTLSConfig(config))
	}
	switch strings.ToUpper(c.SASL.Mechanism) {
	case "PLAIN":
		opts = append(opts, kgo.SASL(plain.Auth{User: c.SASL.Username, Pass: string(c.SASL.Password)}.AsMechanism()))
	case "SCRAM-SHA-256":
		opts = append(opts, kgo.SASL(scram.Auth{User: c.SASL.Username, Pass: string(c.SASL.Password)}.AsSha256Mechanism()))
	case "SCRAM-SHA-512":
		opts = append(opts, kgo.SASL(scram.Auth{User: c.SASL.Username, Pass: string(c.SASL.Password)}.AsSha512Mechanism()))
	case "OAUTHBEARER":
		opts = append(opts, kgo.SASL(oauth.Oauth(c.SASL.token)))
	}
	return opts, nil
}

// connect returns a client of the cluster, which connects on first use.
func (c KafkaConfig) connect(extra ...kgo.Opt) (*kgo.Client, error) {
	opts, err := c.options()
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(append(opts, extra...)...)
	if err != nil {
		return nil, fmt.Errorf("connecting to Kafka: %w", err)
	}
	return client, nil
}

// token returns the bearer token; a file is read each time, so that whoever
// renews it need not restart riskpipe.
func (c SASLConfig) token(context.Context) (oauth.Auth, error) {
	if c.TokenFile == "" {
		return oauth.Auth{Token: string(c.Token)}, nil
	}
	text, err := os.ReadFile(c.TokenFile)
	if err != nil {
		return oauth.Auth{}, fmt.Errorf("reading the OAUTHBEARER token: %w", err)
	}
	return oauth.Auth{Token: strings.TrimSpace(string(text))}, nil
}

func (c TLSConfig) problems(path string) []error {
	var problems []error
	if !c.Enabled && c != (TLSConfig{}) {
		problems = append(problems, fmt.Errorf("%s has settings but %s.enabled is false", path, path))
	}
	if (c.CertFile == "") != (c.KeyFile == "") {
		problems = append(problems, fmt.Errorf("%s: cert_file and key_file go together", path))
	}
	return problems
}

// config returns the client's TLS configuration; certificates are verified
// unless the configuration says otherwise in so many words.
func (c TLSConfig) config() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: c.ServerName, InsecureSkipVerify: c.InsecureSkipVerify}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("reading ca_file: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, errors.New("reading ca_file: no certificate in it")
		}
	}
	if c.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("reading cert_file and key_file: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}
