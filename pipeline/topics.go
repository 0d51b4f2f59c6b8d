package pipeline

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/riskpipe/riskpipe/schemas"
)

// TopicsConfig says how topics are made. Zero values take the defaults.
type TopicsConfig struct {
	// Partitions of events, alerts and risk. Default 12. Changing it later means
	// a new generation: users move to other partitions, and states with them.
	Partitions int32
	// Replication is the number of copies; 0 is the broker's default.
	Replication int16
	// EventsRetention is how far back a lost state can be rebuilt. Default 100
	// days: the longest window and some time to notice.
	EventsRetention time.Duration
	// DeadLetterRetention is how long there is time to mend and replay. Default
	// 30 days.
	DeadLetterRetention time.Duration
	// DeadLetterBytes is the largest dead letter. Default 16 MiB.
	DeadLetterBytes int32
}

// Validate reports every problem at once.
func (c TopicsConfig) Validate() error {
	var problems []error
	for _, bound := range []struct {
		name  string
		value int64
	}{
		{"topics.partitions", int64(c.Partitions)},
		{"topics.replication", int64(c.Replication)},
		{"topics.events_retention", int64(c.EventsRetention)},
		{"topics.dead_letter_retention", int64(c.DeadLetterRetention)},
		{"topics.dead_letter_bytes", int64(c.DeadLetterBytes)},
	} {
		if bound.value < 0 {
			problems = append(problems, fmt.Errorf("%s is %d: must not be negative", bound.name, bound.value))
		}
	}
	return errors.Join(problems...)
}

// Topic is a topic as it should be.
type Topic struct {
	Name        string
	Partitions  int32
	Replication int16 // 0 is the broker's default
	Configs     map[string]string
}

// PlanTopics returns the topics of the internal cluster. Raw topics belong to
// their publishers.
func PlanTopics(names schemas.Topics, c TopicsConfig) []Topic {
	if c.Partitions == 0 {
		c.Partitions = 12
	}
	if c.EventsRetention == 0 {
		c.EventsRetention = 100 * 24 * time.Hour
	}
	if c.DeadLetterRetention == 0 {
		c.DeadLetterRetention = 30 * 24 * time.Hour
	}
	if c.DeadLetterBytes == 0 {
		c.DeadLetterBytes = defaultLetterSize
	}
	kept := func(d time.Duration) map[string]string {
		return map[string]string{"cleanup.policy": "delete", "retention.ms": strconv.FormatInt(d.Milliseconds(), 10)}
	}
	// What was deleted must not lie on disks for long: identities and scores of
	// somebody who was erased, and data keys, since what they sealed is to be
	// unreadable once they are gone.
	shreddable := map[string]string{"cleanup.policy": "compact", "max.compaction.lag.ms": strconv.FormatInt((24 * time.Hour).Milliseconds(), 10)}
	letters := kept(c.DeadLetterRetention)
	letters["max.message.bytes"] = strconv.Itoa(int(c.DeadLetterBytes))
	forGood := map[string]string{"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
	plan := []Topic{
		{Name: names.Events(), Partitions: c.Partitions, Configs: kept(c.EventsRetention)},
		{Name: names.Alerts(), Partitions: c.Partitions, Configs: kept(c.EventsRetention)},
		{Name: names.Risk(), Partitions: c.Partitions, Configs: shreddable},
		{Name: names.Identities(), Partitions: c.Partitions, Configs: shreddable},
		{Name: names.Names(), Partitions: c.Partitions, Configs: shreddable},
		{Name: names.EvidenceKeys(), Partitions: 1, Configs: shreddable}, // small, and read as a whole
		{Name: names.Audit(), Partitions: 1, Configs: forGood},           // a chain has one order
		{Name: names.DeadLetter(names.Events()), Partitions: 1, Configs: letters},
		{Name: names.DeadLetter(names.Audit()), Partitions: 1, Configs: letters}, // of the sink: what stands there is no audit record
	}
	for _, source := range schemas.Sources() {
		plan = append(plan, Topic{Name: names.DeadLetter(names.Raw(source)), Partitions: 1, Configs: letters})
	}
	for i := range plan {
		plan[i].Replication = c.Replication
	}
	return plan
}

// TopicState is what a topic is compared with what it should be.
type TopicState struct {
	Topic
	// Exists says whether it was there before.
	Exists bool
	// Created says whether it was made now.
	Created bool
	// Differences say in words where an existing topic is not as planned. It is
	// left as it is: changing partitions moves users, and the rest is for its
	// operators to decide.
	Differences []string
}

// EnsureTopics makes the topics that are missing, unless dryRun, and reports how
// the others differ. It never alters a topic.
func EnsureTopics(ctx context.Context, admin *kadm.Client, plan []Topic, dryRun bool) ([]TopicState, error) {
	names := make([]string, len(plan))
	for i, topic := range plan {
		names[i] = topic.Name
	}
	existing, err := admin.ListTopics(ctx, names...)
	if err != nil {
		return nil, fmt.Errorf("listing topics: %w", err)
	}
	states := make([]TopicState, len(plan))
	var problems []error
	var compare []string
	for i, topic := range plan {
		states[i].Topic = topic
		detail := existing[topic.Name]
		switch {
		case detail.Err == nil && existing.Has(topic.Name):
			states[i].Exists = true
			compare = append(compare, topic.Name)
			states[i].differ("partitions", strconv.Itoa(len(detail.Partitions)), strconv.Itoa(int(topic.Partitions)))
			if topic.Replication > 0 {
				states[i].differ("replication", strconv.Itoa(detail.Partitions.NumReplicas()), strconv.Itoa(int(topic.Replication)))
			}
		case detail.Err != nil && !errors.Is(detail.Err, kerr.UnknownTopicOrPartition):
			problems = append(problems, fmt.Errorf("describing topic %s: %w", topic.Name, detail.Err))
		case !dryRun:
			switch err := createTopic(ctx, admin, topic); {
			case err == nil:
				states[i].Created = true
			case errors.Is(err, kerr.TopicAlreadyExists):
				states[i].Exists = true // somebody else was faster
			default:
				problems = append(problems, err)
			}
		}
	}
	problems = append(problems, compareConfigs(ctx, admin, compare, states))
	return states, errors.Join(problems...)
}

func (s *TopicState) differ(what, is, should string) {
	if is != should {
		s.Differences = append(s.Differences, fmt.Sprintf("%s is %s, planned %s", what, is, should))
	}
}

func createTopic(ctx context.Context, admin *kadm.Client, topic Topic) error {
	replication := topic.Replication
	if replication == 0 {
		replication = -1
	}
	configs := map[string]*string{}
	for name, value := range topic.Configs {
		configs[name] = &value
	}
	if _, err := admin.CreateTopic(ctx, topic.Partitions, replication, configs, topic.Name); err != nil {
		return fmt.Errorf("creating topic %s: %w", topic.Name, err)
	}
	return nil
}

func compareConfigs(ctx context.Context, admin *kadm.Client, names []string, states []TopicState) error {
	if len(names) == 0 {
		return nil
	}
	described, err := admin.DescribeTopicConfigs(ctx, names...)
	if err != nil {
		return fmt.Errorf("describing topics: %w", err)
	}
	for _, topic := range described {
		at := slices.IndexFunc(states, func(s TopicState) bool { return s.Name == topic.Name })
		if at < 0 || topic.Err != nil {
			continue // whoever may not describe configs can do without the comparison
		}
		for _, name := range slices.Sorted(maps.Keys(states[at].Configs)) {
			for _, config := range topic.Configs {
				if config.Key == name {
					states[at].differ(name, config.MaybeValue(), states[at].Configs[name])
				}
			}
		}
	}
	return nil
}
