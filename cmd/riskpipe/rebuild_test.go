package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/deploy/embedded"
	"github.com/riskpipe/riskpipe/pipeline"
	"github.com/riskpipe/riskpipe/schemas"
)

// rebuildRun runs riskpipe rebuild and returns what it prints and its exit code.
func rebuildRun(t *testing.T, args ...string) (stdout, problem string, code int) {
	t.Helper()
	root := newRootCommand()
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&bytes.Buffer{})
	root.SetArgs(append([]string{"rebuild"}, args...))
	err := root.ExecuteContext(t.Context())
	var coded *exitError
	switch {
	case err == nil:
		return out.String(), "", exitOK
	case errors.As(err, &coded):
		return out.String(), coded.Error(), coded.code
	default:
		return out.String(), err.Error(), exitFailure
	}
}

// States are rebuilt and proved; what is wrong with them is found, named, and
// mended by discarding.
func TestRebuild(t *testing.T) {
	kafka, err := embedded.StartKafka(embedded.KafkaOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kafka.Close() })
	redis := miniredis.RunT(t)
	dir := t.TempDir()
	configFile := func(name, zone string) string {
		file := filepath.Join(dir, name)
		write(t, file, fmt.Sprintf("log: {level: error}\nkafka: {brokers: [%q]}\nredis: {addresses: [%q]}\ntopics: {partitions: 3, replication: 1}\nscore: {time_zone: %q}\n",
			kafka.Addrs()[0], redis.Addr(), zone))
		return file
	}
	file := configFile("riskpipe.yaml", "UTC")
	config, err := LoadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ensureTopics(t.Context(), config, false, false); err != nil {
		t.Fatal(err)
	}
	publishEvents(t, config, 600)
	ada, mail := schemas.Pseudonym{1}, schemas.Pseudonym{2}
	publishName(t, config, mail, ada)

	if _, problem, code := rebuildRun(t, "--config", file); code != exitConfig || !strings.Contains(problem, "--allow-unsigned") {
		t.Errorf("unsigned: %d, %s", code, problem)
	}
	if out, problem, code := rebuildRun(t, "--config", file, "--verify-only"); code != exitFailure || !strings.Contains(out, "nothing was scored yet") {
		t.Errorf("before: %d, %s\n%s", code, problem, out)
	}
	out, problem, code := rebuildRun(t, "--config", file, "--allow-unsigned", "--verify", "-o", "json")
	var report rebuildReport
	if err := json.Unmarshal([]byte(out), &report); err != nil || code != exitOK || len(report.Rebuilt) != 3 || len(report.Proofs) != 3 {
		t.Fatalf("%d, %s, %v\n%s", code, problem, err, out)
	}
	if stored, err := redis.Get("riskpipe:name:" + string(mail[:])); err != nil || stored != string(ada[:]) || *report.Names != (pipeline.RestoredNames{Logged: 1, Missing: 1}) {
		t.Errorf("the name leads to %x, %v; %+v", stored, err, report.Names)
	}
	users := 0
	for _, p := range report.Proofs {
		users += p.Users
	}
	if users != 20 {
		t.Errorf("%d users", users)
	}
	if out, problem, code := rebuildRun(t, "--config", file, "--verify-only"); code != exitOK || strings.Count(out, " equal") != 3 {
		t.Errorf("proving: %d, %s\n%s", code, problem, out)
	}

	// Of the users one is lost and another's state has another last byte.
	planted := 0
	for _, key := range redis.Keys() {
		if !strings.Contains(key, ":u:") || planted == 2 {
			continue
		}
		if planted++; planted == 1 {
			redis.Del(key)
			continue
		}
		state, err := redis.Get(key)
		if err != nil {
			t.Fatal(err)
		}
		if err := redis.Set(key, state[:len(state)-1]+"\xff"); err != nil {
			t.Fatal(err)
		}
	}
	out, problem, code = rebuildRun(t, "--config", file, "--verify-only")
	if code != exitFailure || !strings.Contains(problem, "are not what the log makes of them") ||
		strings.Count(out, ": lost: ") != 1 || strings.Count(out, ": altered: ") != 1 || !strings.Contains(out, "ANON-") {
		t.Errorf("planted: %d, %s\n%s", code, problem, out)
	}
	out, problem, code = rebuildRun(t, "--config", file, "--discard", "--verify", "--allow-unsigned")
	if code != exitOK || !strings.Contains(out, "3 partitions are scored to where they ended: 600 records") || !strings.Contains(out, "1 names are known, of which 0 were missing") {
		t.Errorf("discarding: %d, %s\n%s", code, problem, out)
	}
	other := configFile("other.yaml", "Europe/Berlin")
	if out, problem, code := rebuildRun(t, "--config", other, "--verify-only"); code != exitFailure ||
		!strings.Contains(problem, "3 of 3 partitions could not be proved") || !strings.Contains(out, "the policies that the scorers have") {
		t.Errorf("other rules: %d, %s\n%s", code, problem, out)
	}

	forgetFirst(t, config)
	if _, problem, code := rebuildRun(t, "--config", file, "--discard", "--allow-unsigned"); code != exitFailure || !strings.Contains(problem, "--force") {
		t.Errorf("after retention: %d, %s", code, problem)
	}
	if out, problem, code := rebuildRun(t, "--config", file, "--discard", "--force", "--allow-unsigned", "--verify"); code != exitOK {
		t.Errorf("forced: %d, %s\n%s", code, problem, out)
	}
}

// An interrupt is told as such, whatever was being waited for.
func TestRebuild_interrupted(t *testing.T) {
	config, err := LoadConfig("")
	if err != nil {
		t.Fatal(err)
	}
	config.Kafka.Brokers = []string{"127.0.0.1:1"}
	redis, err := config.Redis.open()
	if err != nil {
		t.Fatal(err)
	}
	defer redis.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = runRebuild(ctx, config, rebuildOptions{}, redis, slog.New(slog.DiscardHandler), io.Discard)
	var coded *exitError
	if !errors.Is(err, context.Canceled) || errors.As(err, &coded) {
		t.Errorf("it returned %v", err)
	}
}

// publishEvents writes events of twenty users to the topic events.
func publishEvents(t *testing.T, config Config, n int) {
	t.Helper()
	codecs, err := config.codecs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	client := kafkaClient(t, config)
	for i := range n {
		e := schemas.Event{
			ID: schemas.NewUUID("event", fmt.Sprint(i)), Source: schemas.SourceFile, Activity: "file.downloaded",
			Time: schemas.Time(1_770_000_000_000 + int64(i)*60_000), ObservedTime: schemas.Time(1_770_000_001_000 + int64(i)*60_000),
			User: schemas.Pseudonym{byte(i%20 + 1)}, KeyVersion: 1, ActorType: schemas.ActorPerson, Outcome: schemas.OutcomeSuccess,
		}
		value, err := codecs.events.Append(nil, &e)
		if err != nil {
			t.Fatal(err)
		}
		client.Produce(t.Context(), &kgo.Record{Topic: config.Topics.names().Events(), Key: []byte(e.User.String()), Value: value},
			func(_ *kgo.Record, err error) {
				if err != nil {
					t.Errorf("producing: %v", err)
				}
			})
	}
	if err := client.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// publishName writes what a normaliser has learned to the topic names.
func publishName(t *testing.T, config Config, name, user schemas.Pseudonym) {
	t.Helper()
	record := &kgo.Record{Topic: config.Topics.names().Names(), Key: name[:], Value: user[:]}
	if err := kafkaClient(t, config).ProduceSync(t.Context(), record).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// forgetFirst takes the first records off the topic events, as retention does.
func forgetFirst(t *testing.T, config Config) {
	t.Helper()
	admin := kadm.NewClient(kafkaClient(t, config))
	ends, err := admin.ListEndOffsets(t.Context(), config.Topics.names().Events())
	if err != nil {
		t.Fatal(err)
	}
	offsets := ends.Offsets()
	for _, partitions := range offsets {
		for partition, o := range partitions {
			o.At /= 2
			partitions[partition] = o
		}
	}
	if _, err := admin.DeleteRecords(t.Context(), offsets); err != nil {
		t.Fatal(err)
	}
}

func kafkaClient(t *testing.T, config Config) *kgo.Client {
	t.Helper()
	opts, err := config.Kafka.options()
	if err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// Bars say how far each partition is and when it will be done, the first sixteen
// of them; without a terminal it is one line for all.
func TestPartitionBars(t *testing.T) {
	now := time.Unix(0, 0)
	var out bytes.Buffer
	show := func(b *partitionBars) string {
		b.now, b.told, now = func() time.Time { return now }, now, now.Add(time.Minute)
		bars := []partitionBar{{partition: 0, done: 5, total: 5}, {partition: 1, done: 0, total: 100, note: "by a scorer"}}
		for i := range int32(17) {
			bars = append(bars, partitionBar{partition: 2 + i, total: 10})
		}
		b.show(bars)
		now = now.Add(30 * time.Second)
		bars[1].done = 25
		out.Reset()
		b.show(bars)
		b.done()
		return out.String()
	}
	got := show(&partitionBars{w: &out, name: "rebuilding", terminal: true, began: map[int32]barStart{}})
	for _, want := range []string{
		"\x1b[17A\x1b[J", "rebuilding partition 1    [######                  ]  25%  25 of 100  ETA 1m30s by a scorer\n", "and 2 more partitions\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in %q", want, got)
		}
	}
	if strings.Contains(got, "partition 0 ") || !strings.HasSuffix(got, "\x1b[17A\x1b[J") {
		t.Errorf("drawn %q", got)
	}
	got = show(&partitionBars{w: &out, name: "rebuilding", began: map[int32]barStart{}})
	if want := "rebuilding: 30 of 275 records, 1 of 19 partitions are done ETA 4m54s\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
