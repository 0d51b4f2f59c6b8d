package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// certificate makes a server certificate for 127.0.0.1 that signs itself, and
// the file of its authority.
func certificate(t *testing.T) (server *tls.Config, caFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	caFile = filepath.Join(t.TempDir(), "ca.pem")
	write(t, caFile, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, caFile
}

// ping asks the cluster for anything at all.
func ping(t *testing.T, c KafkaConfig) error {
	t.Helper()
	opts, err := c.options()
	if err != nil {
		return err
	}
	client, err := kgo.NewClient(append(opts, kgo.RetryTimeout(time.Second), kgo.RequestRetries(0))...)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	return client.Ping(ctx)
}

// Every SASL mechanism logs in over TLS with the right password and with no
// other, and a broker whose certificate nobody vouches for is not trusted.
func TestKafkaConfig_secure(t *testing.T) {
	server, caFile := certificate(t)
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.TLS(server), kfake.EnableSASL(),
		kfake.Superuser("PLAIN", "$ConnectionString", "secret"),
		kfake.Superuser("SCRAM-SHA-256", "ada", "secret"), kfake.Superuser("SCRAM-SHA-512", "bob", "secret"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	trusted := TLSConfig{Enabled: true, CAFile: caFile}
	for mechanism, user := range map[string]string{"PLAIN": "$ConnectionString", "SCRAM-SHA-256": "ada", "SCRAM-SHA-512": "bob"} {
		c := KafkaConfig{Brokers: cluster.ListenAddrs(), TLS: trusted, SASL: SASLConfig{Mechanism: mechanism, Username: user, Password: "secret"}}
		if err := ping(t, c); err != nil {
			t.Errorf("%s: %v", mechanism, err)
		}
		c.SASL.Password = "wrong"
		if err := ping(t, c); err == nil {
			t.Errorf("%s: a wrong password is let in", mechanism)
		} else if strings.Contains(err.Error(), "wrong") {
			t.Errorf("%s: the password is in the error: %v", mechanism, err)
		}
	}
	stranger := KafkaConfig{Brokers: cluster.ListenAddrs(), TLS: TLSConfig{Enabled: true}, SASL: SASLConfig{Mechanism: "PLAIN", Username: "$ConnectionString", Password: "secret"}}
	if err := ping(t, stranger); err == nil {
		t.Error("a certificate that nobody vouches for is trusted")
	}
}

// A bearer token is read from its file at each login, so that it can be renewed.
func TestSASLConfig_token(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	c := SASLConfig{Mechanism: "OAUTHBEARER", TokenFile: file}
	for _, token := range []string{"first", "second"} {
		write(t, file, token+"\n")
		auth, err := c.token(t.Context())
		if err != nil || auth.Token != token {
			t.Errorf("token is %q (%v), want %q", auth.Token, err, token)
		}
	}
}

// Redis is reached over TLS as an ACL user, and not with another password.
func TestRedisConfig_secure(t *testing.T) {
	server, caFile := certificate(t)
	fake, err := miniredis.RunTLS(server)
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Close()
	fake.RequireUserAuth("riskpipe", "secret")
	for password, want := range map[Secret]bool{"secret": true, "wrong": false} {
		c := RedisConfig{Addresses: []string{fake.Addr()}, Username: "riskpipe", Password: password, TLS: TLSConfig{Enabled: true, CAFile: caFile}}
		redis, err := c.open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := redis.Facts(t.Context()); (err == nil) != want {
			t.Errorf("password %q: %v", string(password), err)
		}
		if err := redis.Close(); err != nil {
			t.Error(err)
		}
	}
}
