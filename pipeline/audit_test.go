package pipeline

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

const auditTime = schemas.Time(1772442000123)

// auditLog is an audit log in files of the folder, and what verifies it.
type auditLog struct {
	*vault.AuditChain
	key *vault.SigningKey
}

func openAuditLog(t testing.TB, dir string, key *vault.SigningKey) auditLog {
	t.Helper()
	if key == nil {
		var err error
		if key, _, err = vault.GenerateSigningKey(rand.Reader, "audit"); err != nil {
			t.Fatal(err)
		}
	}
	chain, err := vault.OpenAuditFile(filepath.Join(dir, "audit"), filepath.Join(dir, "checkpoints"), auditTime, vault.AuditOptions{Writer: "vault", Key: key, Every: 3})
	if err != nil {
		t.Fatal(err)
	}
	return auditLog{chain, key}
}

// record adds n records.
func (l auditLog) record(t testing.TB, n int) {
	t.Helper()
	for range n {
		last, _ := l.Last()
		if err := l.Append(t.Context(), vault.AuditEntry{Time: auditTime, Actor: "token:iris", Action: "reveal.opened", Subject: fmt.Sprint("s", last)}); err != nil {
			t.Fatal(err)
		}
	}
}

func (l auditLog) records(t testing.TB) []schemas.Audit {
	t.Helper()
	records, err := l.Records(0, math.MaxInt)
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// published is an error until the topic holds all of the log, and what it holds
// verifies.
func (l auditLog) published(t testing.TB, reach []kgo.Opt) error {
	t.Helper()
	var c vault.AuditCopy
	if err := ReadAudit(t.Context(), reach, schemas.Topics{}, &c); err != nil {
		return err
	}
	records := l.records(t)
	c.Expect("vault", records, int64(len(records)))
	for _, report := range c.Verify(nil) {
		if report.Broken != nil {
			return report.Broken
		}
	}
	return nil
}

func startPublisher(t testing.TB, chain *vault.AuditChain, reach []kgo.Opt, log *slog.Logger, metrics prometheus.Registerer) *service {
	t.Helper()
	p, err := NewAuditPublisher(AuditPublisherDeps{Chain: chain, Cluster: reach, Log: log, Metrics: metrics})
	if err != nil {
		t.Fatal(err)
	}
	return start(t, func(ctx context.Context) error {
		p.Run(ctx)
		return nil
	})
}

// metricOf is the sum of a metric.
func metricOf(t testing.TB, registry *prometheus.Registry, name string) (sum float64) {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == name {
			for _, m := range family.GetMetric() {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
			return sum
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}

// What was recorded before, while and after a publisher runs is on the topic, in
// order, each record once, keyed by its writer; a restart goes on where it was.
func TestAuditPublisher(t *testing.T) {
	_, reach := newCluster(t)
	dir := t.TempDir()
	log := openAuditLog(t, dir, nil)
	log.record(t, 4)
	for round := range 3 {
		registry := prometheus.NewRegistry()
		s := startPublisher(t, log.AuditChain, reach, quiet, registry)
		eventually(t, func() error { return log.published(t, reach) })
		log.record(t, 2)
		eventually(t, func() error { return log.published(t, reach) })
		log.record(t, 5)
		s.end(t) // publishes what is left
		if err := log.published(t, reach); err != nil {
			t.Errorf("after the stop: %v", err)
		}
		want := 7.0
		if round == 0 {
			want += 4
		}
		if got := metricOf(t, registry, "riskpipe_audit_records_published_total"); got != want {
			t.Errorf("round %d: %v records published, want %v", round, got, want)
		}
		if got := metricOf(t, registry, "riskpipe_audit_unpublished_records"); got != 0 {
			t.Errorf("%v records unpublished", got)
		}
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
		log = openAuditLog(t, dir, log.key)
	}
	raw := readAll(t, reach, "audit")
	if len(raw) != len(log.records(t)) {
		t.Errorf("%d records on the topic, %d in the log", len(raw), len(log.records(t)))
	}
	for _, r := range raw {
		if string(r.Key) != "vault" {
			t.Errorf("key %q", r.Key)
		}
	}
}

// syncText is a log that is written while it is read.
type syncText struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *syncText) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *syncText) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// While Kafka refuses, entries are kept, the log and the metrics say so, and all of
// it follows once Kafka is back.
func TestAuditPublisher_outage(t *testing.T) {
	cluster, reach := newCluster(t)
	log := openAuditLog(t, t.TempDir(), nil)
	log.record(t, 2)
	var refusing sync.Mutex
	refused := true
	cluster.ControlKey(int16(kmsg.Produce), func(request kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		refusing.Lock()
		defer refusing.Unlock()
		if !refused {
			return nil, nil, false
		}
		produce := request.(*kmsg.ProduceRequest)
		response := produce.ResponseKind().(*kmsg.ProduceResponse)
		for _, topic := range produce.Topics {
			answer := kmsg.ProduceResponseTopic{Topic: topic.Topic, TopicID: topic.TopicID}
			for _, p := range topic.Partitions {
				answer.Partitions = append(answer.Partitions, kmsg.ProduceResponseTopicPartition{Partition: p.Partition, ErrorCode: kerr.TopicAuthorizationFailed.Code})
			}
			response.Topics = append(response.Topics, answer)
		}
		return response, nil, true
	})
	var said syncText
	registry := prometheus.NewRegistry()
	s := startPublisher(t, log.AuditChain, reach, slog.New(slog.NewTextHandler(&said, nil)), registry)
	eventually(t, func() error {
		if strings.Count(said.String(), "kept, but not published") < 2 {
			return errors.New("nothing is said")
		}
		return nil
	})
	log.record(t, 3) // nobody waits
	if behind, failures := metricOf(t, registry, "riskpipe_audit_unpublished_records"), metricOf(t, registry, "riskpipe_audit_publish_failures_total"); behind != 5 || failures < 2 {
		t.Errorf("%v unpublished, %v failures", behind, failures)
	}
	refusing.Lock()
	refused = false
	refusing.Unlock()
	eventually(t, func() error { return log.published(t, reach) })
	s.end(t)
}

// Records of a crashed publisher that arrive late are there twice, and the topic
// verifies.
func TestAuditPublisher_twice(t *testing.T) {
	_, reach := newCluster(t)
	log := openAuditLog(t, t.TempDir(), nil)
	log.record(t, 4)
	producer, err := newAuditProducer(reach, "audit")
	if err != nil {
		t.Fatal(err)
	}
	defer producer.client.Close()
	for _, records := range [][]schemas.Audit{log.records(t)[:3], log.records(t)[1:3]} {
		if err := producer.write(t.Context(), records...); err != nil {
			t.Fatal(err)
		}
	}
	s := startPublisher(t, log.AuditChain, reach, quiet, nil)
	eventually(t, func() error { return log.published(t, reach) })
	if err := producer.write(t.Context(), log.records(t)[2:]...); err != nil {
		t.Fatal(err)
	}
	log.record(t, 3)
	s.end(t)
	if err := log.published(t, reach); err != nil {
		t.Error(err)
	}
	if n := len(readAll(t, reach, "audit")); n != 3+2+1+2+3 {
		t.Errorf("%d records on the topic, want 11", n)
	}
}

// A stop in the middle of an outage does not wait for Kafka for long, and loses
// nothing.
func TestAuditPublisher_stopsWithoutKafka(t *testing.T) {
	dir := t.TempDir()
	log := openAuditLog(t, dir, nil)
	log.record(t, 2)
	var said syncText
	s := startPublisher(t, log.AuditChain, []kgo.Opt{kgo.SeedBrokers("127.0.0.1:1")}, slog.New(slog.NewTextHandler(&said, nil)), nil)
	log.record(t, 2)
	s.end(t)
	if !strings.Contains(said.String(), "it follows at the next start") {
		t.Errorf("said %q", said.String())
	}
	_, reach := newCluster(t)
	s = startPublisher(t, log.AuditChain, reach, quiet, nil)
	eventually(t, func() error { return log.published(t, reach) })
	s.end(t)
}

// Records that somebody else wrote in the chain's name hold nothing back, and are
// said.
func TestAuditPublisher_foreign(t *testing.T) {
	_, reach := newCluster(t)
	log := openAuditLog(t, t.TempDir(), nil)
	log.record(t, 3)
	forged := log.records(t)[2]
	forged.Sequence, forged.Actor = 1_000_000, "token:mallory"
	forged.Hash = vault.AuditHash(&forged)
	producer, err := newAuditProducer(reach, "audit")
	if err != nil {
		t.Fatal(err)
	}
	defer producer.client.Close()
	err = producer.write(t.Context(), log.records(t)[0], forged)
	garbage := &kgo.Record{Topic: "audit", Key: []byte("vault"), Value: []byte("nonsense")}
	if err := errors.Join(err, producer.client.ProduceSync(t.Context(), garbage).FirstErr()); err != nil {
		t.Fatal(err)
	}
	var said syncText
	registry := prometheus.NewRegistry()
	s := startPublisher(t, log.AuditChain, reach, slog.New(slog.NewTextHandler(&said, nil)), registry)
	eventually(t, func() error {
		if n := len(readAll(t, reach, "audit")); n != 5 {
			return fmt.Errorf("%d records, want 5", n)
		}
		return nil
	})
	s.end(t)
	if got := metricOf(t, registry, "riskpipe_audit_foreign_records"); got != 2 || !strings.Contains(said.String(), "never wrote") {
		t.Errorf("%v foreign records, said %s", got, said.String())
	}
	if err := log.published(t, reach); err == nil {
		t.Error("the topic verifies")
	}
}

// A publisher needs a chain.
func TestNewAuditPublisher_problems(t *testing.T) {
	if _, err := NewAuditPublisher(AuditPublisherDeps{Log: quiet}); err == nil {
		t.Error("no chain, no error")
	}
}

// A service's chain is on the topic when Append returns, begins with 1, and each
// instance has one of its own.
func TestAuditTopic(t *testing.T) {
	_, reach := newCluster(t)
	ctx := t.Context()
	var writers []string
	for range 2 {
		log, err := OpenAuditTopic(reach, schemas.Topics{}, "score")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(log.Close)
		if !strings.HasPrefix(log.Writer(), "score/") || slices.Contains(writers, log.Writer()) {
			t.Errorf("writer %q after %q", log.Writer(), writers)
		}
		writers = append(writers, log.Writer())
		for n := range 3 {
			if err := log.Append(ctx, vault.AuditEntry{Time: auditTime, Action: "policy.adopted", Subject: fmt.Sprint(n)}); err != nil {
				t.Fatal(err)
			}
			last, err := LastAudit(ctx, reach, schemas.Topics{}, "policy.adopted")
			if err != nil || last == nil || last.Writer != log.Writer() || last.Sequence != int64(n)+1 || last.Subject != fmt.Sprint(n) {
				t.Errorf("%+v, %v", last, err)
			}
		}
		if err := log.Append(ctx, vault.AuditEntry{Time: auditTime}); err == nil {
			t.Error("an entry without an action was kept")
		}
	}
	if last, err := LastAudit(ctx, reach, schemas.Topics{}, "scope.changed"); last != nil || err != nil {
		t.Errorf("%+v, %v", last, err)
	}
	var c vault.AuditCopy
	if err := ReadAudit(ctx, reach, schemas.Topics{}, &c); err != nil {
		t.Fatal(err)
	}
	for _, report := range c.Verify(nil) {
		if report.Broken != nil || report.Records != 3 || !slices.Contains(writers, report.Writer) {
			t.Errorf("%+v", report)
		}
	}
}

// Without Kafka or the topic nothing is on record, and the chain takes no more.
func TestAuditTopic_fails(t *testing.T) {
	_, reach := newCluster(t)
	for name, tt := range map[string]struct {
		within time.Duration
		reach  []kgo.Opt
		topics schemas.Topics
		want   string
	}{
		"no topic": {auditPatience, reach, schemas.Topics{Prefix: "none."}, "riskpipe topics --apply"},
		"no Kafka": {100 * time.Millisecond, []kgo.Opt{kgo.SeedBrokers("127.0.0.1:1")}, schemas.Topics{}, "without which it is not done"},
	} {
		log, err := OpenAuditTopic(tt.reach, tt.topics, "score")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(log.Close)
		entry := vault.AuditEntry{Time: auditTime, Action: "policy.adopted"}
		ctx, cancel := context.WithTimeout(t.Context(), tt.within)
		t.Cleanup(cancel)
		if err := log.Append(ctx, entry); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
		if err := log.Append(t.Context(), entry); !errors.Is(err, vault.ErrAuditBroken) {
			t.Errorf("%s, then: %v", name, err)
		}
	}
}

// Whatever byte of a record on the topic is changed, it is found; so is a record
// that is dropped, doubled with a change, or swapped.
func TestReadAudit_tampering(t *testing.T) {
	codec, err := newAuditCodec()
	if err != nil {
		t.Fatal(err)
	}
	var raw []*kgo.Record
	var last schemas.Audit
	var log []schemas.Audit
	for n := range 4 {
		record, err := vault.NextAudit("vault", &last, vault.AuditEntry{Time: auditTime, Actor: "token:iris", Action: "reveal.opened", Subject: fmt.Sprint("s", n), Case: "C-1", Detail: `{"n":1}`})
		if err != nil {
			t.Fatal(err)
		}
		value, err := codec.Append(nil, &record)
		if err != nil {
			t.Fatal(err)
		}
		raw, log, last = append(raw, &kgo.Record{Key: []byte("vault"), Value: value}), append(log, record), record
	}
	broken := func(raw ...*kgo.Record) int64 {
		var c vault.AuditCopy
		c.Expect("vault", log, 4)
		add := addTo(&c)
		for _, r := range raw {
			var record schemas.Audit
			add(r, &record, decodeAudit(codec, r, &record))
		}
		lowest := int64(0)
		for _, report := range c.Verify(nil) {
			if report.Broken != nil && report.Writer == "vault" {
				lowest = report.Broken.Sequence
			}
		}
		return lowest
	}
	if at := broken(raw...); at != 0 {
		t.Fatalf("the chain is broken at %d", at)
	}
	change := func(b []byte, at int, mask byte) []byte {
		changed := bytes.Clone(b)
		changed[at] ^= mask
		return changed
	}
	for i := range raw {
		with := func(key, value []byte) int64 {
			changed := slices.Clone(raw)
			changed[i] = &kgo.Record{Key: key, Value: value}
			return broken(changed...)
		}
		want := int64(i) + 1
		for at := range raw[i].Value {
			for _, mask := range []byte{1, 2, 0x20, 0x80, 0xff} {
				if got := with(raw[i].Key, change(raw[i].Value, at, mask)); got == 0 || got > want {
					t.Errorf("byte %d of record %d changed by %x: broken at %d", at, want, mask, got)
				}
			}
			if got := with(raw[i].Key, slices.Delete(bytes.Clone(raw[i].Value), at, at+1)); got != want {
				t.Errorf("byte %d of record %d dropped: broken at %d", at, want, got)
			}
			if got := with(raw[i].Key, slices.Insert(bytes.Clone(raw[i].Value), at, 0)); got != want {
				t.Errorf("a byte added before byte %d of record %d: broken at %d", at, want, got)
			}
		}
		for at := range raw[i].Key {
			if got := with(change(raw[i].Key, at, 1), raw[i].Value); got != want {
				t.Errorf("byte %d of the key of record %d changed: broken at %d", at, want, got)
			}
		}
		if got := with(raw[i].Key, nil); got != want {
			t.Errorf("record %d emptied: broken at %d", want, got)
		}
		if got := broken(slices.Delete(slices.Clone(raw), i, i+1)...); got != want {
			t.Errorf("record %d dropped: broken at %d", want, got)
		}
		if i > 0 {
			swapped := slices.Clone(raw)
			swapped[i-1], swapped[i] = raw[i], raw[i-1]
			if got := broken(swapped...); got != want-1 {
				t.Errorf("record %d swapped with the one before: broken at %d", want, got)
			}
		}
	}
}
