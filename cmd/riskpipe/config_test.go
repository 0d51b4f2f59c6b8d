package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The defaults are valid, and every setting of the structure is documented in
// them: what is not could not be reached from the environment.
func TestLoadConfig_defaults(t *testing.T) {
	c, err := LoadConfig("")
	if err != nil {
		t.Fatal(err)
	}
	if c.Kafka.Brokers[0] != "127.0.0.1:9092" || c.Sink.FlushInterval.String() != "500ms" {
		t.Errorf("defaults are %+v", c)
	}
}

// A file, then the environment, override the defaults; secrets come from files.
func TestLoadConfig_layers(t *testing.T) {
	dir := t.TempDir()
	password := filepath.Join(dir, "password")
	file := filepath.Join(dir, "riskpipe.yaml")
	write(t, password, "hunter2\n")
	write(t, file, "kafka:\n  brokers: [a:1, b:2]\nredis:\n  password_file: "+password+"\ntopics:\n  prefix: eu.\n")
	t.Setenv("RISKPIPE_TOPICS_PREFIX", "us.")
	t.Setenv("RISKPIPE_NORMALISE_INTERNAL_DOMAINS", "contoso.example, fabrikam.example")
	t.Setenv("RISKPIPE_NORMALISE_HR_COLUMNS", `[{"field":"email","column":"Work Mail"}]`)
	t.Setenv("RISKPIPE_KAFKA_TLS_ENABLED", "true")
	t.Setenv("RISKPIPE_ADMIN_LISTEN", "")
	c, err := LoadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Kafka.Brokers) != 2 || c.Topics.Prefix != "us." || !c.Kafka.TLS.Enabled || string(c.Redis.Password) != "hunter2" {
		t.Errorf("config is %+v", c)
	}
	if c.Admin.Listen != "" {
		t.Errorf("an empty variable is not honoured: %q", c.Admin.Listen)
	}
	if len(c.Normalise.InternalDomains) != 2 || c.Normalise.HR.Columns[0].Column != "Work Mail" {
		t.Errorf("lists from the environment: %+v", c.Normalise)
	}
}

// All that is wrong is said at once, each with its key.
func TestLoadConfig_problems(t *testing.T) {
	file := filepath.Join(t.TempDir(), "riskpipe.yaml")
	write(t, file, `
kafka: {brokers: [broker], sasl: {mechanism: GSSAPI}}
redis: {addresses: []}
clickhouse: {protocol: tcp}
log: {level: loud}
normalise: {domains: [{class: friends, domains: [a.example]}]}
`)
	_, err := LoadConfig(file)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"kafka.brokers[0]", "GSSAPI", "redis.addresses", "clickhouse.protocol", "log.level", "normalise.domains[0].class"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not speak of %s:\n%v", want, err)
		}
	}
	write(t, file, "kafka: {brokerz: [a:1]}\n")
	if _, err := LoadConfig(file); err == nil || !strings.Contains(err.Error(), "brokerz") {
		t.Errorf("an unknown key: %v", err)
	}
}

// A secret shows nowhere, whatever prints it.
func TestSecret(t *testing.T) {
	s := Secret("hunter2")
	b, err := json.Marshal(map[string]any{"s": s})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprint(s), fmt.Sprintf("%q %+v %#v %x %s", s, s, s, s, s), fmt.Sprintf("%+v", struct{ S Secret }{s}), string(b), s.LogValue().String()} {
		if strings.Contains(text, "hunter") || strings.Contains(text, "68756e") {
			t.Errorf("the secret shows in %s", text)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
