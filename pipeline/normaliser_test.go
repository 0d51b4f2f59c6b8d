package pipeline

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
)

// Every raw record comes out as its event, under its user's key, through a
// restart in the middle and refused writes.
func TestNormaliser_restart(t *testing.T) {
	cluster, reach := newCluster(t)
	names := NewMemoryNames()
	publish(t, reach, rows(0, 300)...)
	cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "events", Err: kerr.InvalidRecord, Count: 3})
	first := start(t, newTestNormaliser(t, reach, names, nil).Run)
	eventually(t, func() error {
		if n := len(readAll(t, reach, "events")); n < 100 {
			return fmt.Errorf("%d events", n)
		}
		return nil
	})
	first.end(t)
	publish(t, reach, rows(300, 100)...)
	n := newTestNormaliser(t, reach, names, nil)
	second := start(t, n.Run)
	eventually(t, func() error { return committedAll(t, reach, "riskpipe-normalise-file", "raw.file") })
	if err := n.Ready(); err != nil {
		t.Errorf("not ready: %v", err)
	}
	second.end(t)
	if err := n.Ready(); err == nil {
		t.Error("ready after it has ended")
	}
	events := eventsOf(t, readAll(t, reach, "events"))
	if len(events) != 400 {
		t.Errorf("%d different events, want 400", len(events))
	}
	if letters := readAll(t, reach, "dlq.raw.file"); len(letters) != 0 {
		t.Errorf("%d dead letters", len(letters))
	}
}

// silentNames do not answer the first lookups.
type silentNames struct {
	Names
	left atomic.Int32
}

func (n *silentNames) Lookup(ctx context.Context, keys []schemas.Pseudonym) ([][]byte, error) {
	if n.left.Add(-1) >= 0 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return n.Names.Lookup(ctx, keys)
}

// While every workspace waits for names, the other partitions give up in their own
// time, which is within that of the group, and all of it is done again.
func TestNormaliser_waiting(t *testing.T) {
	_, reach := newCluster(t)
	names := &silentNames{Names: NewMemoryNames()}
	publish(t, reach, rows(0, 400)...)
	n := newTestNormaliser(t, reach, names, func(c *NormaliserConfig) { c.BatchTimeout = 300 * time.Millisecond })
	names.left.Store(int32(cap(n.workspaces)))
	s := start(t, n.Run)
	eventually(t, func() error { return committedAll(t, reach, "riskpipe-normalise-file", "raw.file") })
	s.end(t)
	if len(n.workspaces) != cap(n.workspaces) {
		t.Errorf("%d of %d workspaces came back", len(n.workspaces), cap(n.workspaces))
	}
	if events := eventsOf(t, readAll(t, reach, "events")); len(events) != 400 {
		t.Errorf("%d different events, want 400", len(events))
	}
}

// A header of CSV is in force for the records behind it on its partition, whichever
// batch they are in, and for no other partition.
func TestNormaliser_headers(t *testing.T) {
	_, reach := newCluster(t)
	const people = 20
	orders := [testPartitions]string{"%[1]s,%[2]s,%[3]s", "%[3]s,%[1]s,%[2]s", "%[2]s,%[3]s,%[1]s", "%[1]s,%[3]s,%[2]s"}
	var records []string
	for _, order := range orders {
		records = append(records, fmt.Sprintf(order, "EmailAddress", "ResignationDate", "LastWorkingDate"))
	}
	for i := range people {
		for partition, order := range orders {
			records = append(records, fmt.Sprintf(order, fmt.Sprintf("user%d@contoso%d.com", i, partition), "2026-02-20", "2026-03-31"))
		}
	}
	publish(t, reach, records...)
	n, err := NewNormaliser(NormaliserConfig{Source: schemas.SourceHR, Topic: "raw.file", Group: "headers", BatchRecords: 2}, NormaliserDeps{
		Input: reach, Output: reach, Resolver: newResolver(t, NewMemoryNames(), nil), Events: newCodecs(t).events, Version: "test", Log: quiet,
		Mapper: func() Mapper { return normalise.New(normalise.Options{Hash: testKey(t).Hash}) },
	})
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, n.Run)
	eventually(t, func() error { return committedAll(t, reach, "headers", "raw.file") })
	s.end(t)
	users := map[schemas.Pseudonym]bool{}
	for _, e := range eventsOf(t, readAll(t, reach, "events")) {
		users[e.User] = true
		if e.HR == nil || e.HR.Resigned == 0 || e.HR.LastDay <= e.HR.Resigned {
			t.Errorf("%+v", e)
		}
	}
	if letters := readAll(t, reach, "dlq.raw.file"); len(users) != testPartitions*people || len(letters) != 0 {
		t.Errorf("%d people, %d dead letters", len(users), len(letters))
	}
}

// A bad record is one dead letter with the original bytes; its neighbours, in
// the envelope and in the topic, go on.
func TestNormaliser_deadLetters(t *testing.T) {
	_, reach := newCluster(t)
	publish(t, reach,
		`{"id":1,"upn":"ada@contoso.com"}`, "not JSON \x00\xff",
		`[{"id":2,"upn":"ada@contoso.com"},{"bad":true},{"id":3,"upn":"ben@contoso.com"},{"bad":true},{}]`, `{"id":4,"upn":"ben@contoso.com"}`)
	s := start(t, newTestNormaliser(t, reach, NewMemoryNames(), nil).Run)
	eventually(t, func() error { return committedAll(t, reach, "riskpipe-normalise-file", "raw.file") })
	s.end(t)
	if events := eventsOf(t, readAll(t, reach, "events")); len(events) != 4 {
		t.Errorf("%d events, want 4", len(events))
	}
	letters := readAll(t, reach, "dlq.raw.file")
	if len(letters) != 2 {
		t.Fatalf("%d dead letters, want 2", len(letters))
	}
	for _, letter := range letters {
		want := map[string]string{
			HeaderTopic: "raw.file", HeaderOffset: "0", HeaderStage: "normalise", HeaderComponent: "riskpipe-normalise-file", HeaderVersion: "test",
		}
		switch header(letter, HeaderPartition) {
		case "1":
			want[HeaderReason], want[HeaderIndex], want[HeaderError] = "not_json", "0", "no valid JSON"
			if string(letter.Value) != "not JSON \x00\xff" || string(letter.Key) != "key 1" {
				t.Errorf("key %q, value %q", letter.Key, letter.Value)
			}
		case "2":
			want[HeaderReason], want[HeaderIndex], want[HeaderError] = "missing_time", "1,3", "no time"
		default:
			t.Errorf("dead letter of partition %s", header(letter, HeaderPartition))
		}
		for key, value := range want {
			if got := header(letter, key); got != value {
				t.Errorf("%s is %q, want %q", key, got, value)
			}
		}
		if at, err := time.Parse(time.RFC3339, header(letter, HeaderTimestamp)); err != nil || at.IsZero() {
			t.Errorf("timestamp: %v", err)
		}
	}
}

// A record of 10 MB is a dead letter, whole where the broker takes it and else
// its beginning with size and digest, and never stops the partition.
func TestNormaliser_largeRecord(t *testing.T) {
	large := `{"id":0,"upn":"` + strings.Repeat("x", 10<<20)
	for _, test := range []struct {
		name  string
		limit string // of the broker, for dead letters
		whole bool
	}{
		{"taken", "33554432", true},
		{"refused", "1048588", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			cluster, reach := newCluster(t)
			limit := test.limit
			setTopicConfig(t, reach, "raw.file", "max.message.bytes", "33554432")
			setTopicConfig(t, reach, "dlq.raw.file", "max.message.bytes", limit)
			if !test.whole {
				cluster.Fault(kfake.Fault{
					Keys: []kmsg.Key{kmsg.Produce}, Topic: "dlq.raw.file", Err: kerr.MessageTooLarge, Count: -1,
					When: func(r kmsg.Request) bool { return len(r.AppendTo(nil)) > 1<<20 },
				})
			}
			publish(t, reach, append([]string{large + uncompressible(), "", "", ""}, rows(1, 8)...)...)
			s := start(t, newTestNormaliser(t, reach, NewMemoryNames(), nil).Run)
			eventually(t, func() error { return committedAll(t, reach, "riskpipe-normalise-file", "raw.file") })
			s.end(t)
			if events := eventsOf(t, readAll(t, reach, "events")); len(events) != 8 {
				t.Errorf("%d events, want 8", len(events))
			}
			sum := sha256.Sum256([]byte(large + uncompressible()))
			letters := readAll(t, reach, "dlq.raw.file")
			if len(letters) != 1 {
				t.Fatalf("%d dead letters, want 1", len(letters))
			}
			letter := letters[0]
			if test.whole {
				if sha256.Sum256(letter.Value) != sum || header(letter, HeaderTruncated) != "" {
					t.Errorf("%d bytes, truncated %q", len(letter.Value), header(letter, HeaderTruncated))
				}
				return
			}
			if header(letter, HeaderTruncated) != "true" || header(letter, HeaderSHA256) != hex.EncodeToString(sum[:]) ||
				header(letter, HeaderSize) != fmt.Sprint(len(large+uncompressible())) || header(letter, HeaderReason) != "too_large" ||
				!bytes.HasPrefix([]byte(large), letter.Value[:1000]) {
				t.Errorf("headers %v", letter.Headers)
			}
		})
	}
}

// uncompressible is 2 MB which no compression makes small.
func uncompressible() string {
	var b strings.Builder
	sum := sha256.Sum256([]byte("seed"))
	for b.Len() < 2<<20 {
		sum = sha256.Sum256(sum[:])
		b.WriteString(hex.EncodeToString(sum[:]))
	}
	return b.String()
}

// When most records are bad, the service stops before it has moved the topic
// into the dead letters.
func TestNormaliser_breaker(t *testing.T) {
	_, reach := newCluster(t)
	var values []string
	for i := range 1000 {
		if i < 600 {
			values = append(values, "broken")
		} else {
			values = append(values, fmt.Sprintf(`{"id":%d,"upn":"ada@contoso.com"}`, i))
		}
	}
	publish(t, reach, values...)
	s := start(t, newTestNormaliser(t, reach, NewMemoryNames(), nil).Run)
	if err := s.wait(t); !errors.Is(err, ErrSchemaBreak) {
		t.Fatalf("Run returned %v", err)
	}
	if letters := len(readAll(t, reach, "dlq.raw.file")); letters > 200 {
		t.Errorf("%d dead letters of 600 bad records", letters)
	}
}

// The breaker looks at its window only, and not at a handful of records.
func TestBreaker(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	b := newBreaker(BreakerConfig{}, func() time.Time { return now })
	if err := b.count(199, 199); err != nil {
		t.Errorf("199 records: %v", err)
	}
	now = now.Add(2 * time.Minute)
	if err := b.count(1000, 499); err != nil {
		t.Errorf("499 of 1000: %v", err)
	}
	now = now.Add(31 * time.Second)
	if err := b.count(100, 100); !errors.Is(err, ErrSchemaBreak) || !isFatal(err) {
		t.Errorf("599 of 1100: %v", err)
	}
	never := newBreaker(BreakerConfig{Percent: 101}, time.Now)
	if err := never.count(1000, 1000); err != nil {
		t.Errorf("switched off: %v", err)
	}
}

// Normalisers of all sources share a registry, and one source twice is refused.
func TestNormaliserMetrics(t *testing.T) {
	r := prometheus.NewRegistry()
	for _, source := range schemas.Sources() {
		if _, err := newNormaliserMetrics(r, string(source)); err != nil {
			t.Errorf("%s: %v", source, err)
		}
	}
	if _, err := newScorerMetrics(r); err != nil {
		t.Error(err)
	}
	if _, err := newNormaliserMetrics(r, "file"); err == nil {
		t.Error("file was registered twice")
	}
}

// What is written wrong in the configuration is said all at once.
func TestNormaliserConfig_Validate(t *testing.T) {
	err := NormaliserConfig{Source: "fax", BatchRecords: -1, BatchTimeout: time.Hour, Breaker: BreakerConfig{Percent: 200}}.Validate()
	for _, problem := range []string{`normalise.source is "fax"`, "normalise.batch_records is -1", "normalise.batch_timeout is 1h0m0s", "breaker.percent is 200"} {
		if err == nil || !contains(err.Error(), problem) {
			t.Errorf("%v\ndoes not say: %s", err, problem)
		}
	}
}
