package pipeline

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/schemas"
)

// Raw records come out as alerts through both services, each restarted on the
// way, on the Kafka that RISKPIPE_TEST_KAFKA names or on a fake one.
func TestChain(t *testing.T) {
	t.Parallel()
	brokers := strings.Split(os.Getenv("RISKPIPE_TEST_KAFKA"), ",")
	if brokers[0] == "" {
		if os.Getenv("RISKPIPE_REQUIRE_REAL") != "" {
			t.Fatal("RISKPIPE_REQUIRE_REAL is set and RISKPIPE_TEST_KAFKA is not")
		}
		cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(cluster.Close)
		brokers = cluster.ListenAddrs()
	}
	c := &chain{
		reach:  []kgo.Opt{kgo.SeedBrokers(brokers...)},
		topics: schemas.Topics{Prefix: "t" + strings.ToLower(rand.Text()[:8]) + "."},
		names:  NewMemoryNames(), states: NewMemoryStates(), registry: prometheus.NewRegistry(),
	}
	plan := append(PlanTopics(c.topics, TopicsConfig{Partitions: 3}), Topic{Name: c.topics.Raw(schemas.SourceFile), Partitions: 2})
	if _, err := EnsureTopics(t.Context(), kadm.NewClient(newClient(t, c.reach)), plan, false); err != nil {
		t.Fatal(err)
	}
	publishTo := func(from, n int) {
		client := newClient(t, c.reach)
		for _, row := range rows(from, n) {
			r := &kgo.Record{Topic: c.topics.Raw(schemas.SourceFile), Value: []byte(row)}
			client.Produce(t.Context(), r, func(_ *kgo.Record, err error) {
				if err != nil {
					t.Errorf("publishing: %v", err)
				}
			})
		}
		if err := client.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	normaliser, scorer := start(t, c.normaliser(t, nil).Run), start(t, c.scorer(t, nil).Run)
	publishTo(0, 700)
	time.Sleep(500 * time.Millisecond)
	normaliser.end(t)
	scorer.end(t)
	publishTo(700, 700)
	normaliser, scorer = start(t, c.normaliser(t, c.registry).Run), start(t, c.scorer(t, c.registry).Run)
	// Every third of a user's events is an alert: 7 users, 200 events each.
	const want = 7 * (200 / 3)
	eventually(t, func() error {
		if got := len(c.alerts(t)); got != want {
			return fmt.Errorf("%d alert versions, want %d", got, want)
		}
		return committedAll(t, c.reach, c.topics.Prefix+"normalise", c.topics.Raw(schemas.SourceFile))
	})
	normaliser.end(t)
	scorer.end(t)
	if err := committedAll(t, c.reach, c.topics.Prefix+"score", c.topics.Events()); err != nil {
		t.Error(err)
	}
	families, err := c.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, family := range families {
		seen[family.GetName()] = true
	}
	for _, name := range []string{
		"riskpipe_normalise_events_produced_total", "riskpipe_normalise_records_consumed_total", "riskpipe_score_alert_latency_seconds",
		"riskpipe_score_records_consumed_total", "riskpipe_score_redis_seconds", "riskpipe_score_events_total",
	} {
		if !seen[name] {
			t.Errorf("no metric %s", name)
		}
	}
}

// chain is one installation under a prefix of its own.
type chain struct {
	reach    []kgo.Opt
	topics   schemas.Topics
	names    Names
	states   StateStore
	registry *prometheus.Registry
}

func (c *chain) normaliser(t *testing.T, registerer prometheus.Registerer) *Normaliser {
	n, err := NewNormaliser(NormaliserConfig{Source: schemas.SourceFile, Group: c.topics.Prefix + "normalise"}, NormaliserDeps{
		Input: c.reach, Output: c.reach, Topics: c.topics, Mapper: func() Mapper { return plain{} },
		Resolver: newResolver(t, c.names, nil), Events: newCodecs(t).events, Log: quiet, Metrics: registerer,
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (c *chain) scorer(t *testing.T, registerer prometheus.Registerer) *Scorer {
	codecs := newCodecs(t)
	s, err := NewScorer(ScorerConfig{Group: c.topics.Prefix + "score"}, ScorerDeps{
		Cluster: c.reach, Topics: c.topics, Engine: tinyEngine{}, States: c.states,
		Events: codecs.events, Alerts: codecs.alerts, Risks: codecs.risks, Log: quiet, Metrics: registerer,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// alerts are the different versions on the alerts topic.
func (c *chain) alerts(t *testing.T) map[alertKey]bool {
	t.Helper()
	codec := newCodecs(t).alerts
	versions := map[alertKey]bool{}
	for _, r := range readAll(t, c.reach, c.topics.Alerts()) {
		var a schemas.Alert
		if err := codec.Decode(r.Value, &a); err != nil {
			t.Fatal(errors.Join(errors.New("an alert cannot be read"), err))
		}
		versions[alertKey{a.ID, a.Version}] = true
	}
	return versions
}
