package pipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
)

const testPartitions = 4

// newCluster starts a fake cluster with the topics of the plan and raw.file.
func newCluster(t testing.TB, opts ...kfake.Opt) (*kfake.Cluster, []kgo.Opt) {
	t.Helper()
	cluster, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1), kfake.SeedTopics(testPartitions, "raw.file")}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	reach := []kgo.Opt{kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.ProducerLinger(0), kgo.FetchMaxWait(50 * time.Millisecond)}
	plan := PlanTopics(schemas.Topics{}, TopicsConfig{Partitions: testPartitions})
	if _, err := EnsureTopics(t.Context(), kadm.NewClient(newClient(t, reach)), plan, false); err != nil {
		t.Fatal(err)
	}
	return cluster, reach
}

func newClient(t testing.TB, reach []kgo.Opt, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append(append([]kgo.Opt(nil), reach...), opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// service is a service of a test, running.
type service struct {
	stop context.CancelFunc
	done chan error
}

func start(t testing.TB, run func(context.Context) error) *service {
	ctx, cancel := context.WithCancel(context.Background())
	s := &service{stop: cancel, done: make(chan error, 1)}
	go func() { s.done <- run(ctx) }()
	t.Cleanup(cancel)
	return s
}

// end stops the service and waits until it has left its group.
func (s *service) end(t testing.TB) {
	t.Helper()
	s.stop()
	if err := s.wait(t); err != nil {
		t.Errorf("Run returned %v", err)
	}
}

func (s *service) wait(t testing.TB) error {
	t.Helper()
	select {
	case err := <-s.done:
		return err
	case <-time.After(30 * time.Second):
		t.Fatal("Run does not return")
		return nil
	}
}

// eventually waits until holds is nil.
func eventually(t testing.TB, holds func() error) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		err := holds()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after 30 s: %v", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// readAll returns what a topic holds.
func readAll(t testing.TB, reach []kgo.Opt, topic string) []*kgo.Record {
	t.Helper()
	client, err := kgo.NewClient(append(append([]kgo.Opt(nil), reach...), kgo.ConsumeTopics(topic), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()))...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ends, err := kadm.NewClient(client).ListEndOffsets(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	want := int64(0)
	ends.Each(func(o kadm.ListedOffset) { want += o.Offset })
	var records []*kgo.Record
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for int64(len(records)) < want && ctx.Err() == nil {
		records = append(records, client.PollFetches(ctx).Records()...)
	}
	if int64(len(records)) < want { // more may have come
		t.Fatalf("read %d of %d records of %s", len(records), want, topic)
	}
	return records
}

// committedAll tells whether a group has committed all of a topic.
func committedAll(t testing.TB, reach []kgo.Opt, group, topic string) error {
	client, err := kgo.NewClient(reach...)
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	ends, err := admin.ListEndOffsets(t.Context(), topic)
	if err != nil {
		return err
	}
	commits, err := admin.FetchOffsets(t.Context(), group)
	if err != nil {
		return err
	}
	var problems []error
	ends.Each(func(end kadm.ListedOffset) {
		commit, _ := commits.Lookup(topic, end.Partition)
		if commit.At < end.Offset {
			problems = append(problems, fmt.Errorf("%s: partition %d of %s is committed to %d of %d", group, end.Partition, topic, commit.At, end.Offset))
		}
	})
	return errors.Join(problems...)
}

// plain is the raw format of these tests: {"id":1,"upn":"ada@contoso.com"}, or
// an array of such; anything else is rejected.
type plain struct{}

func (plain) Map(_ schemas.Source, raw normalise.Raw, out *normalise.Result) {
	*out = normalise.Result{Records: 1}
	if len(raw.Value) > normalise.DefaultMaxBytes {
		out.Rejects = []normalise.Reject{{Reason: normalise.ReasonTooLarge}}
		return
	}
	value := raw.Value
	if !bytes.HasPrefix(value, []byte("[")) {
		value = append(append([]byte("["), value...), ']')
	}
	var rows []struct {
		ID  int64
		UPN string
		Bad bool
	}
	if err := json.Unmarshal(value, &rows); err != nil {
		out.Rejects = []normalise.Reject{{Reason: normalise.ReasonNotJSON, Detail: "no valid JSON"}}
		return
	}
	out.Records = len(rows)
	for i, row := range rows {
		switch {
		case row.Bad:
			out.Rejects = append(out.Rejects, normalise.Reject{Index: i, Reason: normalise.ReasonMissingTime, Detail: "no time"})
		case row.UPN == "":
			out.Skips = append(out.Skips, normalise.Skip{Index: i, Reason: normalise.SkipNull})
		default:
			e := tinyEvent(0, row.ID)
			e.User, e.ObservedTime = schemas.Pseudonym{}, raw.Time
			e.Origin = schemas.Origin{Topic: raw.Topic, Partition: raw.Partition, Offset: raw.Offset, Index: int32(i)}
			out.Events = append(out.Events, &normalise.Event{Event: e, Actor: normalise.Actor{Type: schemas.ActorPerson, UPN: row.UPN}})
		}
	}
}

func newTestNormaliser(t testing.TB, reach []kgo.Opt, names Names, change func(*NormaliserConfig)) *Normaliser {
	t.Helper()
	config := NormaliserConfig{Source: schemas.SourceFile, BatchRecords: 50}
	if change != nil {
		change(&config)
	}
	n, err := NewNormaliser(config, NormaliserDeps{
		Input: reach, Output: reach, Mapper: func() Mapper { return plain{} }, Resolver: newResolver(t, names, nil),
		Events: newCodecs(t).events, Version: "test", Log: quiet,
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func newTestScorer(t testing.TB, reach []kgo.Opt, states StateStore) *Scorer {
	t.Helper()
	c := newCodecs(t)
	s, err := NewScorer(ScorerConfig{BatchRecords: 40, CachedUsers: 5}, ScorerDeps{
		Cluster: append([]kgo.Opt{kgo.HeartbeatInterval(100 * time.Millisecond)}, reach...), Engine: tinyEngine{}, States: states,
		Events: c.events, Alerts: c.alerts, Risks: c.risks, Version: "test", Log: quiet,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// publish writes values to raw.file, spread over its partitions.
func publish(t testing.TB, reach []kgo.Opt, values ...string) {
	t.Helper()
	client, err := kgo.NewClient(append(append([]kgo.Opt(nil), reach...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchMaxBytes(24<<20))...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for i, value := range values {
		r := &kgo.Record{Topic: "raw.file", Partition: int32(i % testPartitions), Key: fmt.Append(nil, "key ", i), Value: []byte(value)}
		if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

// rows are n plain raw values of a few users.
func rows(from, n int) []string {
	var values []string
	for i := from; i < from+n; i++ {
		values = append(values, fmt.Sprintf(`{"id":%d,"upn":"user%d@contoso.com"}`, i, i%7))
	}
	return values
}

// eventsOf decodes a topic of events, by id.
func eventsOf(t testing.TB, records []*kgo.Record) map[schemas.UUID]schemas.Event {
	t.Helper()
	c := newCodecs(t)
	events := map[schemas.UUID]schemas.Event{}
	for _, r := range records {
		var e schemas.Event
		if err := c.events.Decode(r.Value, &e); err != nil {
			t.Fatal(err)
		}
		if string(r.Key) != e.User.String() || !strings.HasPrefix(string(r.Key), "ANON-") {
			t.Errorf("key %q of an event of %s", r.Key, e.User)
		}
		events[e.ID] = e
	}
	return events
}
