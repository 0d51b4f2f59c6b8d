package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/deploy/tenant"
)

// scenarioEnv chooses scenarios of TestOverload by name, separated by commas.
const scenarioEnv = "RISKPIPE_CHAOS_SCENARIO"

// overload is an installation under more, or worse, than it was made for.
type overload struct {
	*installation
	publisher *publisher
	dice      *rand.Rand
	over      time.Duration // of one scenario's load
	sent      []*kgo.Record
}

// Too much, too lopsided, too bad and too slow: memory stays within its bound,
// those who are not concerned go on, everything is read in the end and nothing is
// lost or counted twice.
func TestOverload(t *testing.T) {
	s := readSettings(t, 20*time.Second)
	company, err := tenant.New(tenant.Options{Seed: s.seed, Users: 110, Days: 28, Domain: domain, Density: 0.5})
	if err != nil {
		t.Fatal(err)
	}
	in := install(t, s, company)
	in.startServices(t)
	dice := rand.New(rand.NewPCG(s.seed, 3))
	l := newLoad(company, in.topics, dice, 0)
	o := &overload{installation: in, publisher: newPublisher(t, in.kafka), dice: dice, over: s.duration}
	directory := in.publishDirectory(t, o.publisher, l)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go in.watch(ctx)

	scenarios := []struct {
		name string
		run  func(*overload, context.Context, *testing.T, []*kgo.Record)
	}{
		{"burst", (*overload).burst},
		{"hot_user", (*overload).hotUser},
		{"stuck_partition", (*overload).stuckPartition},
		{"poison", (*overload).poison},
		{"slow_clickhouse", (*overload).slowClickHouse},
	}
	chosen := os.Getenv(scenarioEnv)
	share := len(l.rest) / len(scenarios)
	for i, scenario := range scenarios {
		if chosen != "" && !strings.Contains(","+chosen+",", ","+scenario.name+",") {
			continue
		}
		t.Run(scenario.name, func(t *testing.T) { scenario.run(o, ctx, t, l.rest[i*share:(i+1)*share]) })
		if err := in.drain(ctx, 4*time.Minute); err != nil {
			t.Fatalf("after %s: %v", scenario.name, err)
		}
	}
	in.look(ctx)
	l.rest = o.sent
	in.account(t)
	in.withinMemory(t)
	in.prove(t, l, directory, nil)
}

// send publishes and keeps what was published.
func (o *overload) send(ctx context.Context, records []*kgo.Record, over time.Duration) error {
	o.sent = append(o.sent, records...)
	return o.publisher.publish(ctx, records, over)
}

// burst comes ten times as fast as what was before it.
func (o *overload) burst(ctx context.Context, t *testing.T, records []*kgo.Record) {
	calm := records[:len(records)/11]
	if err := o.send(ctx, calm, o.over); err != nil {
		t.Fatal(err)
	}
	before, err := o.backlog(ctx)
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if err := o.send(ctx, records[len(calm):], o.over); err != nil {
		t.Fatal(err)
	}
	most, err := o.backlog(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.drain(ctx, 4*time.Minute); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d records over %s, then %d over the same time; backlog before the burst: %s; at its end: %s; read %s after its beginning",
		len(calm), o.over, len(records)-len(calm), before, most, time.Since(begin).Round(time.Second))
}

// hotUser gives one person half of all activities, all at once; the partitions
// of others must come to their end no later than theirs.
func (o *overload) hotUser(ctx context.Context, t *testing.T, records []*kgo.Record) {
	begin := time.Now()
	mixed := withHotUser(records, o.topics, o.dice)
	if err := o.send(ctx, mixed, 0); err != nil {
		t.Fatal(err)
	}
	done := map[int32]time.Duration{}
	if err := eventually(ctx, "all partitions are scored", 4*time.Minute, func(ctx context.Context) error {
		b, err := o.backlog(ctx)
		if err != nil {
			return err
		}
		for partition, n := range b.score {
			switch _, noted := done[partition]; {
			case n > 0:
				delete(done, partition)
			case !noted:
				done[partition] = time.Since(begin)
			}
		}
		if b.normalise+b.scoring() > 0 {
			return fmt.Errorf("there are %s", b)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	fences := ""
	for partition := range int32(eventPartitions) {
		fences += fmt.Sprintf(" %d: %.1f s", partition, done[partition].Seconds())
	}
	t.Logf("%d records, half of them one person's, at once; partitions were scored to their end after%s", len(mixed), fences)
}

// stuckPartition makes one partition's fence unreadable: what the scorer meets
// there is a key of another type. Others go on; when it is put right, the
// partition does, too.
func (o *overload) stuckPartition(ctx context.Context, t *testing.T, records []*kgo.Record) {
	const stuck = 2
	fence, aside := partitionTag(stuck)+":fence", partitionTag(stuck)+"-aside"
	redis := o.redis.writer().client
	pipe := redis.TxPipeline()
	pipe.Rename(ctx, fence, aside)
	pipe.HSet(ctx, fence, "broken", "on purpose")
	if _, err := pipe.Exec(ctx); err != nil {
		t.Fatal(err)
	}
	if err := o.send(ctx, records, o.over); err != nil {
		t.Fatal(err)
	}
	if err := eventually(ctx, "the other partitions are scored", 2*time.Minute, func(ctx context.Context) error {
		b, err := o.backlog(ctx)
		if err != nil {
			return err
		}
		delete(b.score, stuck) // without its fence, nobody knows how far it is
		if b.normalise+b.scoring() > 0 {
			return fmt.Errorf("there are %s", b)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	said := ""
	if err := eventually(ctx, "a scorer says what stands still", time.Minute, func(ctx context.Context) error {
		for _, s := range o.of("score") {
			if _, err := get(ctx, "http://"+s.admin+"/readyz"); err != nil && strings.Contains(err.Error(), fmt.Sprintf("partition %d of", stuck)) {
				said = err.Error()
				return nil
			}
		}
		return errors.New("all are ready")
	}); err != nil {
		t.Fatal(err)
	}
	pipe = redis.TxPipeline()
	pipe.Del(ctx, fence)
	pipe.Rename(ctx, aside, fence)
	if _, err := pipe.Exec(ctx); err != nil {
		t.Fatal(err)
	}
	waiting, err := o.backlog(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if waiting.score[stuck] == 0 {
		t.Error("the partition was not stuck: nothing waits in it")
	}
	t.Logf("%d events waited in the stuck partition and %d in the others, when it was put right; a scorer had said: %s",
		waiting.score[stuck], waiting.scoring()-waiting.score[stuck], shortened(strings.TrimSpace(said), 300))
}

// poison is a feed of which every eleventh record is unreadable.
func (o *overload) poison(ctx context.Context, t *testing.T, records []*kgo.Record) {
	bad := withPoison(records, o.dice, 100)
	if err := o.send(ctx, bad, o.over); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d records, %d of them unreadable", len(bad), len(bad)-len(records))
}

// slowClickHouse narrows the link to ClickHouse: rows wait, scoring does not.
func (o *overload) slowClickHouse(ctx context.Context, t *testing.T, records []*kgo.Record) {
	narrow := make(chan error, 1)
	go func() { narrow <- o.clickHouse.link.narrow(ctx, 4, 2*o.over) }()
	if err := o.send(ctx, records, o.over/2); err != nil {
		t.Fatal(err)
	}
	var at backlog
	if err := eventually(ctx, "everything is scored", 2*time.Minute, func(ctx context.Context) (err error) {
		if at, err = o.backlog(ctx); err == nil && at.normalise+at.scoring() > 0 {
			err = fmt.Errorf("there are %s", at)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := <-narrow; err != nil {
		t.Fatal(err)
	}
	if at.sink == 0 {
		t.Error("ClickHouse was not slow: nothing waited for it when everything was scored")
	}
	t.Logf("when everything was scored, %d records waited for ClickHouse", at.sink)
}

// withinMemory fails for a service that was ever larger than the bound.
func (in *installation) withinMemory(t *testing.T) {
	t.Helper()
	rows := [][]string{{"resident size", "largest", "process", "bound", "GOMEMLIMIT"}}
	for _, kind := range []string{"normalise", "score", "sink"} {
		bytes, name := in.peak(kind)
		rows = append(rows, []string{kind, fmt.Sprintf("%d MiB", bytes>>20), name, fmt.Sprintf("%d MiB", memoryBound>>20), memoryLimit})
		if bytes > memoryBound {
			t.Errorf("%s grew to %d MiB: the bound is %d MiB", name, bytes>>20, memoryBound>>20)
		}
	}
	t.Log("\n" + table(rows))
}

// account holds what the services counted against what lies in the topics:
// consumed is scored, duplicate, late, ignored, excluded, nobody's or dead, and
// nothing else. It is exact as long as no service was restarted.
func (in *installation) account(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	lying := func(topics ...string) (total int64) {
		for _, topic := range topics {
			ends, err := in.kafka.ends(ctx, topic)
			if err != nil {
				t.Fatal(err)
			}
			for _, end := range ends {
				total += end
			}
		}
		return total
	}
	var letters []string
	for _, topic := range in.rawTopics() {
		letters = append(letters, in.topics.DeadLetter(topic))
	}
	rows := [][]string{{"counted by the services", "", "lies in the topics", ""}}
	for _, line := range []struct {
		what    string
		counted int64
		where   string
		lying   int64
	}{
		{"raw records normalised", in.counted("riskpipe_normalise_records_consumed_total"), "raw records", lying(in.rawTopics()...)},
		{"events written", in.counted("riskpipe_normalise_events_produced_total"), "events", lying(in.topics.Events())},
		{"dead letters written", in.counted("riskpipe_normalise_dead_letters_total"), "dead letters", lying(letters...)},
		{"events read by scorers, by fate", in.counted("riskpipe_score_events_total"), "events", lying(in.topics.Events())},
		{"alert versions written", in.counted("riskpipe_score_alerts_produced_total"), "alert versions", lying(in.topics.Alerts())},
		{"rows written", in.counted("riskpipe_sink_rows_total"), "records of all topics that become rows", lying(in.sinkTopics()...)},
	} {
		rows = append(rows, []string{line.what, fmt.Sprint(line.counted), line.where, fmt.Sprint(line.lying)})
		if line.counted != line.lying {
			t.Errorf("%s: %d, but there are %d %s", line.what, line.counted, line.lying, line.where)
		}
	}
	for _, fate := range []string{"scored", "duplicate", "late", "ignored", "excluded", "nobody", "dead_letter"} {
		rows = append(rows, []string{"  " + fate, fmt.Sprint(in.counted(fmt.Sprintf("riskpipe_score_events_total{disposition=%q}", fate)))})
	}
	t.Log("\n" + table(rows))
}
