package server

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// certificate writes a certificate for this machine, which is its own authority.
func certificate(t *testing.T) (certFile, keyFile string, pair tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if pair, err = tls.LoadX509KeyPair(certFile, keyFile); err != nil {
		t.Fatal(err)
	}
	return certFile, keyFile, pair
}

// serve listens until the test ends, which must then be without an error.
func serve(t *testing.T, l Listen) string {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	address, ended := make(chan string, 1), make(chan error, 1)
	handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	go func() {
		ended <- l.Serve(ctx, handler, slog.New(slog.DiscardHandler), func(a net.Addr) { address <- a.String() })
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	select {
	case a := <-address:
		return a
	case err := <-ended:
		ended <- nil
		t.Fatal(err)
		return ""
	}
}

// On this machine it may do without TLS; with a certificate it speaks TLS 1.3,
// and asks for one of the caller's when told to.
func TestListen_Serve(t *testing.T) {
	get := func(url string, config *tls.Config) error {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
		response, err := client.Get(url)
		if err == nil {
			err = response.Body.Close()
		}
		return err
	}
	if err := get("http://"+serve(t, Listen{Address: "127.0.0.1:0"}), nil); err != nil {
		t.Error(err)
	}
	cert, key, pair := certificate(t)
	roots := x509.NewCertPool()
	text, err := os.ReadFile(cert)
	if err != nil || !roots.AppendCertsFromPEM(text) {
		t.Fatal(err)
	}
	address := serve(t, Listen{Address: "127.0.0.1:0", CertFile: cert, KeyFile: key})
	if err := get("https://"+address, &tls.Config{RootCAs: roots}); err != nil {
		t.Error(err)
	}
	if err := get("https://"+address, &tls.Config{RootCAs: roots, MaxVersion: tls.VersionTLS12}); err == nil {
		t.Error("TLS 1.2 is spoken")
	}
	mutual := serve(t, Listen{Address: "127.0.0.1:0", CertFile: cert, KeyFile: key, ClientCAFile: cert})
	if err := get("https://"+mutual, &tls.Config{RootCAs: roots}); err == nil {
		t.Error("a caller without a certificate was served")
	}
	if err := get("https://"+mutual, &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}}); err != nil {
		t.Error(err)
	}
}

// It does not listen to the network without TLS, nor with half a certificate.
func TestListen_problems(t *testing.T) {
	cert, key, _ := certificate(t)
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		listen Listen
		want   string
	}{
		{Listen{Address: "0.0.0.0:0"}, "this machine alone"},
		{Listen{Address: ":0"}, "this machine alone"},
		{Listen{Address: "vault.example:0"}, "this machine alone"},
		{Listen{Address: "[::]:0"}, "this machine alone"},
		{Listen{Address: "127.0.0.1"}, "host:port"},
		{Listen{Address: "127.0.0.1:0", KeyFile: key}, "go together"},
		{Listen{Address: "127.0.0.1:0", ClientCAFile: cert}, "of the vault's own"},
		{Listen{Address: "127.0.0.1:0", CertFile: key, KeyFile: cert}, "reading the vault's certificate"},
		{Listen{Address: "127.0.0.1:0", CertFile: cert, KeyFile: key, ClientCAFile: empty}, "no certificate"},
		{Listen{Address: "127.0.0.1:0", CertFile: cert, KeyFile: key, ClientCAFile: empty + "x"}, "authorities"},
		{Listen{Address: "127.0.0.1:99999"}, "listening"},
	} {
		err := tt.listen.Serve(t.Context(), http.NotFoundHandler(), slog.New(slog.DiscardHandler), func(net.Addr) { t.Errorf("%+v listens", tt.listen) })
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v, want %q", tt.listen, err, tt.want)
		}
	}
}
