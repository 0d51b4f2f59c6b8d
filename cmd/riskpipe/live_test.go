package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"github.com/riskpipe/riskpipe/deploy/embedded/servertest"
	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

// live is an installation of its own on the servers that the test was given.
type live struct {
	*demoServers
	t     *testing.T
	vault *vault.PrivateKey
	// vaultText is the private key as its file has it.
	vaultText string
	// sameHour is whether an erasure comes in the hour in which it was sealed.
	sameHour bool
}

func newLive(t *testing.T) *live {
	t.Helper()
	config, err := LoadConfig("")
	if err != nil {
		t.Fatal(err)
	}
	name := servertest.Unique(t)
	_, key, err := vault.GenerateKey(1)
	if err != nil {
		t.Fatal(err)
	}
	private, secret, err := vault.GeneratePrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	address, database := servertest.Database(t)
	config.Topics = TopicsConfig{Prefix: name + ".", Partitions: 3, Replication: 1, DeadLetterDays: 1}
	config.Kafka.Brokers = servertest.TestKafka(t)
	config.Redis.Addresses, config.Redis.Prefix = []string{servertest.TestRedis(t)}, name+":"
	config.ClickHouse.Addresses, config.ClickHouse.Protocol, config.ClickHouse.Database = []string{address}, "http", database
	config.Pseudonym.Key = Secret(key)
	config.Vault.PublicKey = private.Public().String()
	config.Normalise.InternalDomains = []string{"contoso.example"}
	for _, days := range []*int{&config.Sink.ActivityDays, &config.Sink.AlertDays, &config.Sink.RiskDays, &config.Sink.IdentityDays} {
		*days = 3650 // stories have fixed dates
	}
	opts, err := config.Kafka.options()
	if err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(opts...)
	if err != nil {
		t.Fatal(err)
	}
	redis, err := config.Redis.open()
	if err != nil {
		t.Fatal(err)
	}
	l := &live{t: t, vault: private, vaultText: secret, demoServers: &demoServers{
		config: config, admin: kadm.NewClient(client), redis: redis, log: slog.New(slog.DiscardHandler),
		stop: func() {}, services: &errgroup.Group{},
	}}
	t.Cleanup(func() {
		if err := l.close(); err != nil {
			t.Errorf("a service failed: %v", err)
		}
	})
	if err := l.prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l
}

// waitUntilRead waits until every service has read everything.
func (l *live) waitUntilRead() {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), 2*time.Minute)
	defer cancel()
	if err := l.drain(ctx, io.Discard); err != nil {
		l.t.Fatal(err)
	}
}

// read returns the values of a topic from its beginning.
func (l *live) read(topic string) (records []*kgo.Record) {
	l.t.Helper()
	left, err := recordsLeft(l.t.Context(), l.admin, topic)
	if err != nil {
		l.t.Fatal(err)
	}
	opts, err := l.config.Kafka.options()
	if err != nil {
		l.t.Fatal(err)
	}
	client, err := kgo.NewClient(append(opts, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
	if err != nil {
		l.t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(l.t.Context(), time.Minute)
	defer cancel()
	for left.any() {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			l.t.Fatalf("topic %s: still waiting for %v", topic, left)
		}
		for _, r := range fetches.Records() {
			left.took(r)
			records = append(records, r)
		}
	}
	return records
}

// The services on real servers and replay over the same records give the same
// alerts, byte for byte, and ClickHouse shows them with a ledger that sums up.
func TestLive_equalsReplay(t *testing.T) {
	l := newLive(t)
	l.startServices(t.Context())
	publisher, err := newPublisher(l.config)
	if err != nil {
		t.Fatal(err)
	}
	defer publisher.close()
	var recording bytes.Buffer
	encoder := json.NewEncoder(&recording)
	for _, chapter := range leaverStory() {
		for _, r := range chapter {
			if err := publisher.publish(t.Context(), r, r.Time.UTC()); err != nil {
				t.Fatal(err)
			}
			line := map[string]any{"topic": l.config.Topics.names().Raw(r.Source), "ts": int64(r.Time), "payload": string(r.Value)}
			if err := encoder.Encode(line); err != nil {
				t.Fatal(err)
			}
		}
		if err := publisher.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		l.waitUntilRead() // so that feeds follow each other as the story tells
	}

	dir := t.TempDir()
	r, err := newReplay(l.config, &bytes.Buffer{}, replayOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.run(t.Context(), []string{"-"}, &recording, dir, false); err != nil {
		t.Fatal(err)
	}
	topics := l.config.Topics.names()
	compareLines(t, "alerts", linesOf[schemas.Alert](t, schemas.AlertSchema, l.read(topics.Alerts())), fileLines(t, dir, "alerts.ndjson"))
	compareLines(t, "risk", linesOf[schemas.Risk](t, schemas.RiskSchema, l.read(topics.Risk())), fileLines(t, dir, "risk.ndjson"))

	dead := l.read(topics.DeadLetter(topics.Raw(schemas.SourceEmail)))
	if len(dead) != 1 || string(dead[0].Value) != "not json" {
		t.Errorf("%d dead letters", len(dead))
	}
	var rows []struct {
		Policy   string `ch:"policy"`
		Severity string `ch:"severity"`
		Exact    bool   `ch:"exact"`
	}
	const ledger = `SELECT a.policy AS policy, any(a.severity) AS severity, sum(c.points) = any(a.score) AS exact
		FROM soc_alerts AS a INNER JOIN soc_alert_contributions AS c USING (alert_id) GROUP BY policy, alert_id ORDER BY policy`
	if err := l.conn.Select(t.Context(), &rows, ledger); err != nil {
		t.Fatal(err)
	}
	if len(rows) != 2 || rows[0].Policy != "data_leaks" || rows[1].Policy != "data_theft_departing_user" || rows[1].Severity != "high" ||
		!rows[0].Exact || !rows[1].Exact {
		t.Errorf("soc_alerts has %+v, want a leak, and a high alert of a departure, whose ledgers sum to their scores", rows)
	}
	var activities uint64
	// 3 sign-ins, 150 downloads, 30 copies, 4 mails, 20 uploads, and 2 HR facts that were sent twice.
	if err := l.conn.QueryRow(t.Context(), "SELECT count() FROM soc_timeline").Scan(&activities); err != nil || activities != 209 {
		t.Errorf("soc_timeline has %d rows (%v)", activities, err)
	}
}

func linesOf[T schemas.Record](t *testing.T, schema string, records []*kgo.Record) (lines []string) {
	t.Helper()
	codec, err := schemas.NewCodec[T](schema)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		var v T
		if err := codec.Decode(r.Value, &v); err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(named[T]{v, string(r.Key)})
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(b))
	}
	return lines
}

func fileLines(t *testing.T, dir, name string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

func compareLines(t *testing.T, what string, got, want []string) {
	t.Helper()
	slices.Sort(got)
	slices.Sort(want)
	if len(want) < 2 {
		t.Fatalf("%s: replay has only %d lines", what, len(want))
	}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("%s: live has %d lines, replay %d; the first that differ:\n%s\n%s", what, len(got), len(want), at(got, i), at(want, i))
		}
	}
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(none)"
}
