package pipeline

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/schemas"
)

func setTopicConfig(t testing.TB, reach []kgo.Opt, topic, name, value string) {
	t.Helper()
	admin := kadm.NewClient(newClient(t, reach))
	responses, err := admin.AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: name, Value: &value}}, topic)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range responses {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
}

// Missing topics are made, a dry run makes none, and a topic that differs is
// reported and left as it is.
func TestEnsureTopics(t *testing.T) {
	_, reach := newCluster(t)
	other := schemas.Topics{Prefix: "other."}
	plan := PlanTopics(other, TopicsConfig{Partitions: 3})
	// A client remembers for a moment which topics there were.
	fresh := func() *kadm.Client { return kadm.NewClient(newClient(t, reach)) }
	for _, dryRun := range []bool{true, false} {
		states, err := EnsureTopics(t.Context(), fresh(), plan, dryRun)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range states {
			if s.Exists || s.Created == dryRun {
				t.Errorf("dry run %t: %s exists %t, created %t", dryRun, s.Name, s.Exists, s.Created)
			}
		}
	}
	setTopicConfig(t, reach, "other.risk", "cleanup.policy", "delete")
	states, err := EnsureTopics(t.Context(), fresh(), PlanTopics(other, TopicsConfig{Partitions: 5}), false)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range states {
		differences := strings.Join(s.Differences, "; ")
		if !s.Exists || s.Created {
			t.Errorf("%s: exists %t, created %t", s.Name, s.Exists, s.Created)
		}
		switch s.Name {
		case "other.risk":
			if differences != "partitions is 3, planned 5; cleanup.policy is delete, planned compact" {
				t.Errorf("risk: %s", differences)
			}
		case "other.evidence_keys", "other.dlq.raw.hr", "other.audit", "other.dlq.audit", "other.dlq.events":
			if differences != "" {
				t.Errorf("%s: %s", s.Name, differences)
			}
		}
	}
	if topics, err := fresh().ListTopics(t.Context(), "other.events"); err != nil || len(topics["other.events"].Partitions) != 3 {
		t.Errorf("the topic was altered: %v, %v", topics, err)
	}
}
