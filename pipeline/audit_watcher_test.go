package pipeline

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

// watching is a watcher that runs, and what it watches with.
type watching struct {
	*service
	watch *vault.AuditWatch
	said  *syncText
}

func startWatcher(t testing.TB, log auditLog, reach []kgo.Opt, metrics prometheus.Registerer) watching {
	t.Helper()
	watch, err := vault.WatchAudit(log.AuditChain, func() schemas.Time { return auditTime })
	if err != nil {
		t.Fatal(err)
	}
	said := &syncText{}
	w, err := NewAuditWatcher(AuditWatcherDeps{Watch: watch, Cluster: reach, Log: slog.New(slog.NewTextHandler(said, nil)), Metrics: metrics})
	if err != nil {
		t.Fatal(err)
	}
	return watching{start(t, w.Run), watch, said}
}

// adopt writes n records of another service to the topic, and returns its writer.
func adopt(t testing.TB, reach []kgo.Opt, topics schemas.Topics, n int) string {
	t.Helper()
	log, err := OpenAuditTopic(reach, topics, "score")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	for range n {
		if err := log.Append(t.Context(), vault.AuditEntry{Time: auditTime, Action: "policy.adopted"}); err != nil {
			t.Fatal(err)
		}
	}
	return log.Writer()
}

// pinned counts the checkpoints of others in the log.
func (l auditLog) pinned(t testing.TB) (n int) {
	t.Helper()
	for _, r := range l.records(t) {
		if r.Action == vault.ActionPinned {
			n++
		}
	}
	return n
}

// eventuallyPinned waits until the log has n checkpoints of others.
func (l auditLog) eventuallyPinned(t testing.TB, n int) {
	t.Helper()
	eventually(t, func() error {
		if got := l.pinned(t); got != n {
			return fmt.Errorf("%d checkpoints of others, want %d", got, n)
		}
		return nil
	})
}

// onTopic says what is wrong with each chain on the topic, by the log and its
// checkpoints; it is empty when all is sound.
func (l auditLog) onTopic(t testing.TB, reach []kgo.Opt) string {
	t.Helper()
	var c vault.AuditCopy
	if err := ReadAudit(t.Context(), reach, schemas.Topics{}, &c); err != nil {
		t.Fatal(err)
	}
	last, _ := l.Last()
	c.Expect("vault", l.records(t), last)
	var broken []string
	for _, report := range c.Verify(nil, l.key.Public()) {
		if report.Broken != nil {
			broken = append(broken, fmt.Sprintf("%.5s %d %s", report.Writer, report.Broken.Sequence, report.Broken.Fault))
		}
	}
	return strings.Join(broken, ", ")
}

// Chains of other services are pinned at the start of a watcher, and watched from
// then on; a restart continues from what is pinned already. What was pinned and is
// cut off or written anew, by whoever makes the topic anew, is found by the next
// watcher and by the verification.
func TestAuditWatcher(t *testing.T) {
	_, reach := newCluster(t)
	dir := t.TempDir()
	log := openAuditLog(t, dir, nil)
	first := adopt(t, reach, schemas.Topics{}, 3)
	w := startWatcher(t, log, reach, nil)
	log.eventuallyPinned(t, 1)
	second := adopt(t, reach, schemas.Topics{}, 2)
	eventually(t, func() error {
		if n := w.watch.UnpinnedRecords(); n != 2 {
			return fmt.Errorf("%d unpinned", n)
		}
		return nil
	})
	if n := log.pinned(t); n != 1 {
		t.Errorf("%d checkpoints of others before they are due", n)
	}
	w.end(t)
	// Whoever was not there when it was due pins it at the next start, once.
	for range 2 {
		w = startWatcher(t, log, reach, nil)
		log.eventuallyPinned(t, 2)
		w.end(t)
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
		log = openAuditLog(t, dir, log.key)
	}
	if n := log.pinned(t); n != 2 {
		t.Errorf("%d checkpoints of others, want 2", n)
	}
	p := startPublisher(t, log.AuditChain, reach, quiet, nil)
	eventually(t, func() error { return log.published(t, reach) })
	p.end(t)
	if broken := log.onTopic(t, reach); broken != "" {
		t.Errorf("broken: %s", broken)
	}

	original := readAll(t, reach, "audit")
	of := func(writer string) (records []*kgo.Record) {
		for _, r := range original {
			if string(r.Key) == writer {
				records = append(records, &kgo.Record{Topic: "audit", Key: r.Key, Value: r.Value})
			}
		}
		return records
	}
	codec, err := newAuditCodec()
	if err != nil {
		t.Fatal(err)
	}
	rewritten := func(writer string) (records []*kgo.Record) {
		var last schemas.Audit
		for range of(writer) {
			next, err := vault.NextAudit(writer, &last, vault.AuditEntry{Time: auditTime, Action: "policy.adopted", Actor: "token:mallory"})
			if err != nil {
				t.Fatal(err)
			}
			value, err := codec.Append(nil, &next)
			if err != nil {
				t.Fatal(err)
			}
			records, last = append(records, &kgo.Record{Topic: "audit", Key: []byte(writer), Value: value}), next
		}
		return records
	}
	for _, tt := range []struct {
		name   string
		chains [][]*kgo.Record
		want   string
		writer string
	}{
		{"cut off", [][]*kgo.Record{of(first)[:2], of(second), of("vault")}, "score 3 truncated", first},
		{"gone", [][]*kgo.Record{of(first), of("vault")}, "score 1 truncated", second},
		{"written anew", [][]*kgo.Record{rewritten(first), of(second), of("vault")}, "score 3 altered", first},
	} {
		_, anew := newCluster(t)
		client := newClient(t, anew)
		for _, chain := range tt.chains {
			if err := client.ProduceSync(t.Context(), chain...).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
		if broken := log.onTopic(t, anew); broken != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, broken, tt.want)
		}
		registry := prometheus.NewRegistry()
		w := startWatcher(t, log, anew, registry)
		eventually(t, func() error {
			if !strings.Contains(w.said.String(), "is broken") {
				return errors.New("nothing is said")
			}
			return nil
		})
		if adopt(t, anew, schemas.Topics{}, 1); !strings.Contains(w.said.String(), tt.writer) || strings.Count(w.said.String(), "\n") != 1 {
			t.Errorf("%s: said %s", tt.name, w.said.String())
		}
		if n := metricOf(t, registry, "riskpipe_audit_broken_chains"); n != 1 {
			t.Errorf("%s: %v broken chains", tt.name, n)
		}
		w.end(t)
		if n := log.pinned(t); n != 2 {
			t.Errorf("%s: %d checkpoints of others, want those of before", tt.name, n)
		}
	}
}

// What is broken on the topic is said once and pinned up to the break; what is not
// a record is said, too.
func TestAuditWatcher_broken(t *testing.T) {
	_, reach := newCluster(t)
	log := openAuditLog(t, t.TempDir(), nil)
	registry := prometheus.NewRegistry()
	adopt(t, reach, schemas.Topics{}, 1)
	w := startWatcher(t, log, reach, registry)
	log.eventuallyPinned(t, 1) // it has caught up, and what comes now is not pinned at once
	client := newClient(t, reach)
	garbage := func(key string) {
		t.Helper()
		if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: "audit", Key: []byte(key), Value: []byte("nonsense")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	writer := adopt(t, reach, schemas.Topics{}, 2)
	for range 3 {
		garbage(writer)
		garbage("vault") // of the log, which its publisher looks at
	}
	adopt(t, reach, schemas.Topics{}, 1)
	eventually(t, func() error {
		if n := metricOf(t, registry, "riskpipe_audit_unpinned_records"); n != 3 {
			return fmt.Errorf("%v unpinned", n)
		}
		return nil
	})
	if got := strings.Count(w.said.String(), "is broken"); got != 1 || !strings.Contains(w.said.String(), writer+" record=3 fault=altered") {
		t.Errorf("said %s", w.said.String())
	}
	if n := metricOf(t, registry, "riskpipe_audit_broken_chains"); n != 1 {
		t.Errorf("%v broken chains", n)
	}
	if err := w.watch.Pin(); err != nil {
		t.Fatal(err)
	}
	log.eventuallyPinned(t, 3)
	if broken := log.onTopic(t, reach); !strings.Contains(broken, "score 3 altered") {
		t.Errorf("broken: %s", broken)
	}
	w.end(t)
}

// Without Kafka, or without the topic, a watcher says so once and waits; a stop does
// not.
func TestAuditWatcher_away(t *testing.T) {
	_, reach := newCluster(t)
	for name, tt := range map[string]struct {
		reach  []kgo.Opt
		topics schemas.Topics
	}{
		"no Kafka": {[]kgo.Opt{kgo.SeedBrokers("127.0.0.1:1")}, schemas.Topics{}},
		"no topic": {reach, schemas.Topics{Prefix: "late."}},
	} {
		log := openAuditLog(t, t.TempDir(), nil)
		watch, err := vault.WatchAudit(log.AuditChain, func() schemas.Time { return auditTime })
		if err != nil {
			t.Fatal(err)
		}
		var said syncText
		w, err := NewAuditWatcher(AuditWatcherDeps{Watch: watch, Cluster: tt.reach, Topics: tt.topics, Log: slog.New(slog.NewTextHandler(&said, nil))})
		if err != nil {
			t.Fatal(err)
		}
		s := start(t, w.Run)
		eventually(t, func() error {
			if !strings.Contains(said.String(), "cannot be read") {
				return errors.New("nothing is said")
			}
			return nil
		})
		if tt.topics.Prefix != "" {
			if _, err := EnsureTopics(t.Context(), kadm.NewClient(newClient(t, reach)), PlanTopics(tt.topics, TopicsConfig{}), false); err != nil {
				t.Fatal(err)
			}
			adopt(t, reach, tt.topics, 1)
			eventually(t, func() error {
				if watch.UnpinnedRecords() == 0 && log.pinned(t) == 0 {
					return errors.New("nothing is read")
				}
				return nil
			})
		}
		s.end(t)
		if strings.Count(said.String(), "\n") != 1 {
			t.Errorf("%s: said %s", name, said.String())
		}
	}
	if _, err := NewAuditWatcher(AuditWatcherDeps{Log: quiet}); err == nil {
		t.Error("no watch, no error")
	}
}
