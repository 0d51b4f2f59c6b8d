package sink

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// All that is wrong with the connection's configuration is said at once.
func TestClickHouseConfig_validate(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config ClickHouseConfig
		want   []string
	}{
		{"defaults", ClickHouseConfig{Addresses: []string{"localhost:9000"}}, nil},
		{"all set", ClickHouseConfig{
			Addresses: []string{"a:9440", "[::1]:9440"}, Protocol: "native", Database: "riskpipe", Compression: "zstd",
			TLS: TLSConfig{Enabled: true, CAFile: "ca.pem", CertFile: "c.pem", KeyFile: "k.pem", ServerName: "a"},
		}, nil},
		{"trust in whoever answers", ClickHouseConfig{Addresses: []string{"a:1"}, TLS: TLSConfig{Enabled: true, InsecureSkipVerify: true}}, nil},
		{"empty", ClickHouseConfig{}, []string{"addresses is empty"}},
		{"much", ClickHouseConfig{
			Addresses: []string{"localhost", "http://a:1", ":9000"}, Protocol: "tcp", Compression: "gzip", Database: "a-b",
			DialTimeout: -1, ReadTimeout: -1, MaxConnections: -1,
			TLS: TLSConfig{CertFile: "c.pem", InsecureSkipVerify: true, ServerName: "a"},
		}, []string{
			"addresses[0]", "addresses[1]", "addresses[2]", "protocol", "compression", "database", "dial_timeout", "read_timeout",
			"max_connections", "belong together", "insecure_skip_verify", "not enabled",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.config.Validate()
			if (err == nil) != (len(tt.want) == 0) {
				t.Fatalf("got %v", err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is missing in %v", want, err)
				}
			}
			if err != nil && strings.Count(err.Error(), "\n")+1 != len(tt.want) {
				t.Errorf("want %d problems, got %v", len(tt.want), err)
			}
		})
	}
}

// Files that cannot be used and servers that do not answer are errors that say where to look, and
// never repeat the password.
func TestOpen_errors(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		config ClickHouseConfig
		want   string
	}{
		"no file":     {ClickHouseConfig{TLS: TLSConfig{Enabled: true, CAFile: "/nonexistent"}}, "ca_file"},
		"no PEM":      {ClickHouseConfig{TLS: TLSConfig{Enabled: true, CAFile: empty}}, "no PEM certificate"},
		"no key":      {ClickHouseConfig{TLS: TLSConfig{Enabled: true, CertFile: empty, KeyFile: empty}}, "cert_file"},
		"native":      {ClickHouseConfig{}, "check clickhouse.addresses"},
		"http":        {ClickHouseConfig{Protocol: "http"}, "check clickhouse.addresses"},
		"http, TLS":   {ClickHouseConfig{Protocol: "http", TLS: TLSConfig{Enabled: true}}, "check clickhouse.addresses"},
		"native, TLS": {ClickHouseConfig{TLS: TLSConfig{Enabled: true, InsecureSkipVerify: true}}, "check clickhouse.addresses"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			tt.config.Addresses = []string{"127.0.0.1:1"}
			tt.config.Password = "correct-horse"
			_, err := Open(ctx, tt.config)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), tt.config.Password) {
				t.Errorf("got %v", err)
			}
		})
	}
}
