package sink

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/schemas"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Every field of events, alerts and risk scores arrives in its column.
func TestSink_rows(t *testing.T) {
	w := newWorld(t)
	w.publishEvents(fullEvents()...)
	w.publish(w.config.Topics.Alerts(), somebody, encode(t, w.alerts, fullAlert(1)))
	w.publish(w.config.Topics.Alerts(), somebody, encode(t, w.alerts, fullAlert(2)))
	w.publish(w.config.Topics.Risk(), somebody, encode(t, w.risks, fullRisk(0)))
	w.publish(w.config.Topics.Risk(), somebody, encode(t, w.risks, fullRisk(1)))
	w.run(w.conn)
	db := w.config.Database
	w.waitFor(7, "SELECT count() FROM "+db+".soc_timeline")
	w.waitFor(2, "SELECT count() FROM "+db+".soc_alert_history")
	w.waitFor(1, "SELECT count() FROM "+db+".soc_alerts WHERE version = 2")
	w.waitFor(2, "SELECT count() FROM "+db+".soc_risk_history")
	for _, q := range []struct{ name, query string }{
		{"activity", "SELECT * EXCEPT inserted_at REPLACE (hex(evidence) AS evidence), user_short FROM " + db + ".activity ORDER BY time"},
		{"alerts", "SELECT * EXCEPT inserted_at, user_short FROM " + db + ".alerts FINAL"},
		{"alert_history", "SELECT * EXCEPT inserted_at FROM " + db + ".alert_history FINAL ORDER BY version"},
		{"risk", "SELECT * EXCEPT inserted_at, user_short FROM " + db + ".risk ORDER BY time"},
		{"soc_timeline", "SELECT * EXCEPT inserted_at FROM " + db + ".soc_timeline ORDER BY time"},
		{"soc_alerts", "SELECT * EXCEPT (inserted_at, state, held) FROM " + db + ".soc_alerts"},
		{"soc_alert_contributions", "SELECT * FROM " + db + ".soc_alert_contributions ORDER BY position"},
		{"soc_alert_history", "SELECT * EXCEPT inserted_at FROM " + db + ".soc_alert_history ORDER BY version"},
		{"soc_user_risk", "SELECT * EXCEPT (score_week_ago, change, trend, level_now) FROM " + db + ".soc_user_risk"},
		{"soc_risk_history", "SELECT * FROM " + db + ".soc_risk_history ORDER BY time"},
		{"soc_exclusions", "SELECT * FROM " + db + ".soc_exclusions ORDER BY mark"},
	} {
		golden(t, q.name, w.json(q.query))
	}
}

// A score that was corrected at the time of the one before it, by a late event, is the latest.
func TestSink_riskOfOneTime(t *testing.T) {
	w := newWorld(t)
	for i := range 6 {
		r := fullRisk(i)
		r.Time, r.Cause = noon, schemas.UUID{byte(i)}
		w.publish(w.config.Topics.Risk(), somebody, encode(t, w.risks, r))
	}
	w.run(w.conn)
	db := w.config.Database
	w.waitFor(6, "SELECT count() FROM "+db+".soc_risk_history")
	w.waitFor(60_005, "SELECT toUInt64(score * 1000) FROM "+db+".soc_user_risk")
}

// json returns the rows as JSON, one a line, with a column a line.
func (w *world) json(query string) string {
	w.tb.Helper()
	rows, err := w.conn.Query(w.tb.Context(), "SELECT formatRow('JSONEachRow', *) FROM ("+query+")")
	if err != nil {
		w.tb.Fatal(err)
	}
	defer rows.Close()
	var out strings.Builder
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			w.tb.Fatal(err)
		}
		out.WriteString(strings.ReplaceAll(line, `,"`, ",\n  \""))
	}
	if err := rows.Err(); err != nil {
		w.tb.Fatal(err)
	}
	return out.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// What is delivered twice is seen once, and the points of each alert sum to its score.
func TestSink_duplicates(t *testing.T) {
	w := newWorld(t)
	db := w.config.Database
	w.run(w.conn)
	for range 2 {
		w.publishEvents(manyEvents(50)...)
		w.publish(w.config.Topics.Alerts(), somebody, encode(t, w.alerts, fullAlert(2)))
		w.publish(w.config.Topics.Alerts(), somebody, encode(t, w.alerts, fullAlert(1))) // late, and older
		w.publish(w.config.Topics.Risk(), somebody, encode(t, w.risks, fullRisk(0)))
		w.waitForCommits()
	}
	w.waitFor(50, "SELECT count() FROM "+db+".soc_timeline")
	w.waitFor(1, "SELECT count() FROM "+db+".soc_alerts")
	w.waitFor(2, "SELECT version FROM (SELECT toUInt64(version) AS version FROM "+db+".soc_alerts)")
	w.waitFor(2, "SELECT count() FROM "+db+".soc_alert_history")
	w.waitFor(1, "SELECT count() FROM "+db+".soc_user_risk")
	w.waitFor(0, "SELECT count() FROM (SELECT alert_id, any(score) AS s, sum(points) AS p FROM "+db+".soc_alert_contributions GROUP BY alert_id) WHERE s != p")
}

// waitForCommits returns when the group is at the end of all partitions.
func (w *world) waitForCommits() {
	w.tb.Helper()
	admin := kadm.NewClient(w.client)
	topics := []string{w.config.Topics.Events(), w.config.Topics.Alerts(), w.config.Topics.Risk(), w.config.Topics.Identities(), w.config.Topics.EvidenceKeys(), w.config.Topics.Audit()}
	eventually(w.tb, func() bool {
		ends, err := admin.ListEndOffsets(w.tb.Context(), topics...)
		if err != nil {
			return false
		}
		commits, err := admin.FetchOffsetsForTopics(w.tb.Context(), w.config.Group, topics...)
		if err != nil {
			return false
		}
		behind := false
		ends.Each(func(end kadm.ListedOffset) {
			at, ok := commits.Lookup(end.Topic, end.Partition)
			behind = behind || end.Offset > 0 && (!ok || at.At < end.Offset || strings.Contains(at.Metadata, "pending"))
		})
		return !behind
	}, func() string { return "the group does not reach the end" })
}

// A sink that is stopped and started writes nothing twice; one that crashed after the insert and
// before the commit forms the same blocks again, which ClickHouse leaves out.
func TestSink_restart(t *testing.T) {
	w := newWorld(t)
	db := w.config.Database
	w.publishEvents(manyEvents(300)...)
	stop := w.run(w.conn)
	w.waitFor(300, "SELECT count() FROM "+db+".activity")
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	stop = w.run(w.conn)
	w.publishEvents(manyEvents(301)[300:]...)
	w.waitFor(301, "SELECT count() FROM "+db+".activity")
	if err := stop(); err != nil {
		t.Fatal(err)
	}

	// The crash: new records, written in one go, and commits as they were before that, announcing it.
	admin := kadm.NewClient(w.client)
	before, err := admin.FetchOffsetsForTopics(t.Context(), w.config.Group, w.config.Topics.Events())
	if err != nil {
		t.Fatal(err)
	}
	w.publishEvents(manyEvents(700)[301:]...)
	w.config.FlushInterval = 2 * time.Second // all of them, in one block a partition
	stop = w.run(w.conn)
	w.waitFor(700, "SELECT count() FROM "+db+".activity")
	w.waitForCommits()
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	after, err := admin.FetchOffsetsForTopics(t.Context(), w.config.Group, w.config.Topics.Events())
	if err != nil {
		t.Fatal(err)
	}
	crashed := kadm.Offsets{}
	before.Each(func(at kadm.OffsetResponse) {
		end, _ := after.Lookup(at.Topic, at.Partition)
		if at.At >= 0 && end.At > at.At {
			crashed.Add(kadm.Offset{
				Topic: at.Topic, Partition: at.Partition, At: at.At, LeaderEpoch: -1,
				Metadata: span{first: at.At, last: end.At - 1}.metadata(),
			})
		}
	})
	if len(crashed) == 0 {
		t.Fatal("nothing was committed before the crash")
	}
	if err := admin.CommitAllOffsets(t.Context(), w.config.Group, crashed); err != nil {
		t.Fatal(err)
	}
	w.config.FlushInterval = 10 * time.Millisecond // other blocks would be formed now, were they not announced
	w.publishEvents(manyEvents(701)[700:]...)
	w.run(w.conn)
	w.waitFor(701, "SELECT count() FROM "+db+".soc_timeline")
	w.waitForCommits()
	w.waitFor(701, "SELECT count() FROM "+db+".activity")
}

// A record that is none becomes a dead letter with its bytes as they were, and those around it are
// written.
func TestSink_malformed(t *testing.T) {
	w := newWorld(t)
	events := fullEvents()
	topic := w.config.Topics.Events()
	bad := events[1]
	bad.Time = -1
	alert := fullAlert(1)
	alert.Contributions = alert.Contributions[:1]
	good := encode(t, w.events, events[0])
	w.publish(topic, somebody, good)
	sent := map[string]*kgo.Record{}
	for _, r := range []*kgo.Record{
		w.publish(topic, somebody, []byte("no avro")),
		w.publish(topic, somebody, []byte{}),
		w.publish(topic, somebody, good[:len(good)-3]),
		w.publish(topic, somebody, encode(t, w.events, bad)),
		w.publish(w.config.Topics.Alerts(), somebody, encode(t, w.alerts, alert)),
	} {
		sent[string(r.Value)] = r
	}
	w.publish(w.config.Topics.Risk(), somebody, nil) // a tombstone is no letter
	w.publish(topic, somebody, encode(t, w.events, events[2]))
	w.run(w.conn)
	w.waitFor(2, "SELECT count() FROM "+w.config.Database+".soc_timeline")

	reader, err := kgo.NewClient(kgo.SeedBrokers(w.seeds...), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.ConsumeTopics(w.config.Topics.DeadLetter(topic), w.config.Topics.DeadLetter(w.config.Topics.Alerts())))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	reasons := map[string]int{}
	for n := 0; n < len(sent); {
		fetches := reader.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("only %d of %d letters came", n, len(sent))
		}
		fetches.EachRecord(func(r *kgo.Record) {
			n++
			original := sent[string(r.Value)]
			if original == nil {
				t.Errorf("unknown letter %q", r.Value)
				return
			}
			got := map[string]string{}
			for _, h := range r.Headers {
				got[h.Key] = string(h.Value)
			}
			want := map[string]string{
				"dlq.topic": original.Topic, "dlq.partition": itoa(uint64(original.Partition)), "dlq.offset": itoa(uint64(original.Offset)),
				"dlq.timestamp": itoa(uint64(original.Timestamp.UnixMilli())), "dlq.stage": "sink",
				"dlq.reason": got["dlq.reason"], "dlq.error": got["dlq.error"],
			}
			if diff := cmp.Diff(want, got); diff != "" || got["dlq.error"] == "" || string(r.Key) != somebody.String() {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
			reasons[got["dlq.reason"]]++
		})
	}
	if reasons["decode"] != 3 || reasons["validate"] != 2 {
		t.Errorf("reasons %v", reasons)
	}
	w.waitForCommits()
}

// Whatever ClickHouse does in between, every record is written, and none twice.
func TestSink_clickHouseFails(t *testing.T) {
	w := newWorld(t)
	var between flaky
	w.run(between.open(t))
	events := manyEvents(600)
	for i, mode := range []int32{passing, refusing, passing, droppingDone, passing, refusing} {
		between.mode.Store(mode)
		hits := between.hits.Load()
		w.publishEvents(events[i*100 : (i+1)*100]...)
		if mode == passing {
			w.waitFor(uint64(i+1)*100, "SELECT count() FROM "+w.config.Database+".soc_timeline")
			continue
		}
		eventually(t, func() bool { return between.hits.Load() > hits+3 }, func() string { return "no insert failed" })
	}
	between.mode.Store(passing)
	w.waitFor(600, "SELECT count() FROM "+w.config.Database+".soc_timeline")
	w.waitForCommits()
	w.waitFor(600, "SELECT count() FROM "+w.config.Database+".activity")
}

// Two sinks share the partitions; handing them over loses nothing and doubles nothing.
func TestSink_rebalance(t *testing.T) {
	w := newWorld(t)
	events := manyEvents(1000)
	stop := w.run(w.conn)
	w.publishEvents(events[:200]...)
	w.waitFor(200, "SELECT count() FROM "+w.config.Database+".soc_timeline")
	other := w.run(w.conn)
	for i := 200; i < 600; i += 20 {
		w.publishEvents(events[i : i+20]...)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	w.publishEvents(events[600:]...)
	w.waitFor(1000, "SELECT count() FROM "+w.config.Database+".soc_timeline")
	w.waitForCommits()
	w.waitFor(1000, "SELECT count() FROM "+w.config.Database+".activity")
	if err := other(); err != nil {
		t.Error(err)
	}
}

// Without tables, Run says what to do.
func TestSink_notMigrated(t *testing.T) {
	w := newWorld(t)
	if err := w.conn.Exec(t.Context(), "DROP TABLE "+w.config.Database+".activity"); err != nil {
		t.Fatal(err)
	}
	w.publishEvents(fullEvents()...)
	err := w.sink(w.conn).Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "riskpipe migrate") {
		t.Errorf("got %v", err)
	}
}

// A topic full of malformed records stops the sink, which commits none of them.
func TestSink_poisoned(t *testing.T) {
	w := newWorld(t)
	records := make([]*kgo.Record, 200)
	for i := range records {
		records[i] = &kgo.Record{Topic: w.config.Topics.Events(), Key: []byte("same"), Value: []byte("another schema")}
	}
	if err := w.client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	err := w.sink(w.conn).Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "200 of 200 records are malformed") {
		t.Errorf("got %v", err)
	}
}

// A sink is made only of a sound configuration.
func TestNew_refuses(t *testing.T) {
	if _, err := New(Config{Database: "riskpipe"}, Deps{}); err == nil {
		t.Error("no dependencies, no error")
	}
	err := Config{Database: "1; DROP", BatchRows: -1, BatchBytes: 1, FlushInterval: 1, Inserts: 100, InsertTimeout: time.Hour, RetryMax: -1, PoisonPercent: 101}.Validate()
	if err == nil || strings.Count(err.Error(), "\n") != 7 {
		t.Errorf("want eight problems, got %v", err)
	}
	if err := (Config{Database: "riskpipe", Topics: schemas.Topics{}}).Validate(); err != nil {
		t.Error(err)
	}
}
