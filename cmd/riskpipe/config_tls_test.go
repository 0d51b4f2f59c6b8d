package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// connectionNames are all connections that may be encrypted.
func connectionNames() []string {
	var names []string
	for _, key := range keysOf(reflect.TypeFor[Config](), reflect.TypeFor[TLSConfig](), "") {
		names = append(names, strings.TrimSuffix(key, ".tls"))
	}
	return names
}

// A connection whose certificates are not verified is warned of at the start, by
// its name and once; none is when all are verified.
func TestWarnUnverified(t *testing.T) {
	names := connectionNames()
	if want := []string{"kafka", "raw_kafka", "registry", "redis", "clickhouse", "reveal"}; !slices.Equal(names, want) {
		t.Errorf("connections are %v, want %v", names, want)
	}
	warned := func() []string {
		t.Helper()
		config, err := LoadConfig("")
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		warnUnverified(newLogger(&out, config.Log), config)
		return slices.DeleteFunc(strings.Split(out.String(), "\n"), func(line string) bool { return line == "" })
	}
	if lines := warned(); len(lines) != 0 {
		t.Errorf("by default it warns: %v", lines)
	}
	for i, name := range names {
		variable := envPrefix + "_" + strings.ToUpper(name) + "_TLS_"
		t.Setenv(variable+"ENABLED", "true")
		if lines := warned(); len(lines) != i {
			t.Errorf("%s: TLS alone is warned of: %v", name, lines)
		}
		t.Setenv(variable+"INSECURE_SKIP_VERIFY", "true")
		lines := warned()
		if len(lines) != i+1 || !strings.Contains(lines[i], "level=WARN") || !strings.Contains(lines[i], "CERTIFICATES ARE NOT VERIFIED") || !strings.Contains(lines[i], "connection="+name+" ") {
			t.Errorf("%s: %v", name, lines)
		}
	}
}

// Without a word in the configuration a certificate that nobody vouches for is
// refused; only the setting with the loud name takes it.
func TestTLSConfig_verifies(t *testing.T) {
	server, caFile := certificate(t)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", server)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func(conn net.Conn) {
				if secure, is := conn.(*tls.Conn); is {
					_ = secure.Handshake()
				}
				_ = conn.Close()
			}(conn)
		}
	}()
	for name, test := range map[string]struct {
		settings TLSConfig
		trusts   bool
	}{
		"default":    {TLSConfig{Enabled: true}, false},
		"authority":  {TLSConfig{Enabled: true, CAFile: caFile}, true},
		"other name": {TLSConfig{Enabled: true, CAFile: caFile, ServerName: "kafka.example"}, false},
		"insecure":   {TLSConfig{Enabled: true, InsecureSkipVerify: true}, true},
	} {
		config, err := test.settings.config()
		if err != nil {
			t.Fatal(err)
		}
		conn, err := tls.Dial("tcp", listener.Addr().String(), config)
		if err == nil {
			conn.Close()
		}
		var refused *tls.CertificateVerificationError
		if (err == nil) != test.trusts || err != nil && !errors.As(err, &refused) {
			t.Errorf("%s: %v", name, err)
		}
		var unknown x509.UnknownAuthorityError
		if name == "default" && !errors.As(err, &unknown) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
