package sink

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Conn is a pool of connections to ClickHouse.
type Conn = driver.Conn

// ClickHouseConfig is how to reach ClickHouse.
type ClickHouseConfig struct {
	// Addresses are host:port, tried in order: 9000 and 9440 (TLS) are the usual ports of the
	// native protocol, 8123 and 8443 those of HTTP.
	Addresses []string
	// Protocol is native or http; "" is native.
	Protocol string
	// Database is where unqualified names are looked up. It must exist, so leave it empty to
	// migrate; everything in this package qualifies its names.
	Database string
	Username string
	Password string
	// Compression is lz4, zstd or none; "" is lz4.
	Compression string
	TLS         TLSConfig

	// DialTimeout bounds making a connection (10 s), ReadTimeout each wait for an answer (60 s).
	DialTimeout time.Duration
	ReadTimeout time.Duration
	// MaxConnections limits the pool; 10.
	MaxConnections int
}

// TLSConfig is how to encrypt, and whom to trust.
type TLSConfig struct {
	Enabled    bool
	CAFile     string // PEM; the system's certificates when empty
	CertFile   string // client certificate, PEM, with KeyFile
	KeyFile    string
	ServerName string // the address's host when empty
	// InsecureSkipVerify trusts whoever answers. It is refused together with CAFile or ServerName,
	// which say that somebody in particular is meant.
	InsecureSkipVerify bool
}

// Validate reports everything that is wrong with c, joined. Files are read by Open.
func (c ClickHouseConfig) Validate() error {
	var problems []error
	wrong := func(field string, value any, want string) {
		problems = append(problems, fmt.Errorf("clickhouse.%s is %q: want %s", field, value, want))
	}
	if len(c.Addresses) == 0 {
		problems = append(problems, errors.New("clickhouse.addresses is empty: want at least one host:port"))
	}
	for i, address := range c.Addresses {
		if host, port, err := net.SplitHostPort(address); err != nil || host == "" || port == "" {
			wrong(fmt.Sprintf("addresses[%d]", i), address, "host:port")
		}
	}
	if _, ok := protocols[c.Protocol]; !ok {
		wrong("protocol", c.Protocol, "native or http")
	}
	if _, ok := compressions[c.Compression]; !ok {
		wrong("compression", c.Compression, "lz4, zstd or none")
	}
	if c.Database != "" {
		if err := validDatabase(c.Database); err != nil {
			problems = append(problems, err)
		}
	}
	if c.DialTimeout < 0 {
		wrong("dial_timeout", c.DialTimeout.String(), "a positive duration")
	}
	if c.ReadTimeout < 0 {
		wrong("read_timeout", c.ReadTimeout.String(), "a positive duration")
	}
	if c.MaxConnections < 0 {
		wrong("max_connections", fmt.Sprint(c.MaxConnections), "a positive number")
	}
	return errors.Join(append(problems, c.TLS.problems()...)...)
}

func (t TLSConfig) problems() []error {
	var problems []error
	if (t.CertFile == "") != (t.KeyFile == "") {
		problems = append(problems, errors.New("clickhouse.tls.cert_file and clickhouse.tls.key_file belong together: one is missing"))
	}
	if t.InsecureSkipVerify && (t.CAFile != "" || t.ServerName != "") {
		problems = append(problems, errors.New("clickhouse.tls.insecure_skip_verify makes ca_file and server_name void: remove it, or them"))
	}
	if !t.Enabled && t != (TLSConfig{}) {
		problems = append(problems, errors.New("clickhouse.tls is configured and not enabled: set clickhouse.tls.enabled, or remove the rest"))
	}
	return problems
}

var protocols = map[string]clickhouse.Protocol{"": clickhouse.Native, "native": clickhouse.Native, "http": clickhouse.HTTP}

var compressions = map[string]clickhouse.CompressionMethod{
	"": clickhouse.CompressionLZ4, "lz4": clickhouse.CompressionLZ4, "zstd": clickhouse.CompressionZSTD, "none": clickhouse.CompressionNone,
}

// Open connects to ClickHouse and asks for an answer, so that an error here is one of address,
// trust or password.
func Open(ctx context.Context, c ClickHouseConfig) (Conn, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	tlsConfig, err := c.TLS.load()
	if err != nil {
		return nil, err
	}
	conn, err := clickhouse.Open(&clickhouse.Options{
		Protocol:      protocols[c.Protocol],
		Addr:          c.Addresses,
		Auth:          clickhouse.Auth{Database: c.Database, Username: c.Username, Password: c.Password},
		TLS:           tlsConfig,
		Compression:   &clickhouse.Compression{Method: compressions[c.Compression]},
		DialTimeout:   orDefault(c.DialTimeout, 10*time.Second),
		ReadTimeout:   orDefault(c.ReadTimeout, 60*time.Second),
		MaxOpenConns:  orDefault(c.MaxConnections, 10),
		MaxIdleConns:  orDefault(c.MaxConnections, 10),
		TransportFunc: func(t *http.Transport) (http.RoundTripper, error) { return framed{t}, nil },
		ClientInfo: clickhouse.ClientInfo{Products: []struct{ Name, Version string }{
			{Name: "riskpipe", Version: "1"},
		}},
	})
	if err != nil {
		return nil, fmt.Errorf("opening ClickHouse at %v: %w", c.Addresses, err)
	}
	if err := conn.Ping(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("reaching ClickHouse at %v over %s: %w; check clickhouse.addresses, protocol and tls",
			c.Addresses, protocols[c.Protocol], err), conn.Close())
	}
	if protocols[c.Protocol] == clickhouse.HTTP {
		return newHTTPConn(conn, compressions[c.Compression]), nil
	}
	return conn, nil
}

func (t TLSConfig) load() (*tls.Config, error) {
	if !t.Enabled {
		return nil, nil
	}
	config := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         t.ServerName,
		InsecureSkipVerify: t.InsecureSkipVerify, // asked for in so many words
	}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("reading clickhouse.tls.ca_file: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("reading clickhouse.tls.ca_file: no PEM certificate in %s", t.CAFile)
		}
	}
	if t.CertFile != "" {
		cert, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("reading clickhouse.tls.cert_file and key_file: %w", err)
		}
		config.Certificates = []tls.Certificate{cert}
	}
	return config, nil
}
