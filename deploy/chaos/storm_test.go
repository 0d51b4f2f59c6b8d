package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/riskpipe/riskpipe/deploy/tenant"
)

// Whatever is killed, frozen, cut off or forgotten while records come in, what is
// left behind when it is over is what would be without.
func TestStorm(t *testing.T) {
	s := readSettings(t, 5*time.Minute)
	company, err := tenant.New(tenant.Options{Seed: s.seed, Users: 110, Days: 28, Domain: domain, Density: max(0.25, s.duration.Minutes()/3)})
	if err != nil {
		t.Fatal(err)
	}
	in := install(t, s, company)
	in.startServices(t)
	l := newLoad(company, in.topics, rand.New(rand.NewPCG(s.seed, 2)), 10)
	l.rest = withNewcomers(l.rest, in.topics, rand.New(rand.NewPCG(s.seed, 4)), 30)
	publisher := newPublisher(t, in.kafka)
	directory := in.publishDirectory(t, publisher, l)

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go in.watch(ctx)
	var samples sampler
	sampled := make(chan struct{})
	sampling, enough := context.WithCancel(ctx)
	go func() { defer close(sampled); samples.run(sampling, in) }()
	published := make(chan error, 1)
	go func() { published <- publisher.publish(ctx, l.rest, s.duration) }()

	begin := time.Now()
	faults := schedule(s.seed, s.duration)
	t.Logf("seed %d: %d records over %s, %d of them unreadable, %d faults", s.seed, len(l.rest), s.duration, l.poison, len(faults))
	weather := newStorm(in, func(format string, args ...any) {
		t.Logf("%5.1f s: "+format, append([]any{time.Since(begin).Seconds()}, args...)...)
	})
	if err := weather.rage(ctx, faults); err != nil {
		t.Fatalf("breaking things: %v", err)
	}
	if err := <-published; err != nil {
		t.Fatal(err)
	}
	raged := time.Since(begin)
	if err := in.drain(ctx, 4*time.Minute); err != nil {
		t.Fatalf("after the storm of %s: %v", raged.Round(time.Second), err)
	}
	enough()
	<-sampled
	in.look(ctx)
	t.Logf("the storm took %s, and everything was read %s after it", raged.Round(time.Second), time.Since(begin.Add(raged)).Round(time.Second))
	t.Log("\n" + table(append([][]string{{"injected", "times", ""}}, weather.table()...)))
	t.Log("\n" + table(in.noticed()))
	// Metrics and doctor tell the lag by what scorers commit to Kafka.
	if err := eventually(ctx, "scorers have committed what they scored", time.Minute, func(ctx context.Context) error {
		n, err := in.uncommitted(ctx, "riskpipe-score", in.topics.Events())
		if err == nil && n > 0 {
			err = fmt.Errorf("%d records seem to wait", n)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
	if err := in.failed(); err != nil {
		t.Error(err)
	}
	in.forgot = weather.amounts[tearRedis]+weather.amounts[failOverRedis] > 0
	in.prove(t, l, directory, samples.samples)
}

// publishDirectory publishes who is who, waits until it is read by everybody,
// and returns how many records of each partition that was.
func (in *installation) publishDirectory(t *testing.T, p *publisher, l load) map[string]map[int32]int64 {
	t.Helper()
	ctx := t.Context()
	if err := p.publish(ctx, l.directory, 0); err != nil {
		t.Fatal(err)
	}
	if err := in.drain(ctx, 2*time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := in.redis.caughtUp(ctx); err != nil {
		t.Fatal(err)
	}
	directory := map[string]map[int32]int64{}
	for _, topic := range in.rawTopics() {
		ends, err := in.kafka.ends(ctx, topic)
		if err != nil {
			t.Fatal(err)
		}
		directory[topic] = ends
	}
	return directory
}

// noticed is what the services themselves say that they met.
func (in *installation) noticed() [][]string {
	rows := [][]string{{"noticed by the services", "times"}}
	for _, m := range []struct{ metric, what string }{
		{"riskpipe_score_fenced_total", "batches given up: another owner had claimed the partition"},
		{"riskpipe_score_commits_in_doubt_total", "commits whose outcome was read back"},
		{"riskpipe_score_rewinds_total", "claims that went back: Redis had lost writes"},
		{"riskpipe_score_partition_failures_total", "partitions put back by scorers"},
		{"riskpipe_normalise_partition_failures_total", "partitions put back by normalisers"},
		{"riskpipe_sink_errors_total", "attempts of sinks that failed"},
	} {
		rows = append(rows, []string{m.what, fmt.Sprint(in.counted(m.metric))})
	}
	starts, retries := 0, 0
	for _, s := range in.services {
		starts += s.starts
		retries += s.retries
	}
	rows = append(rows, []string{"starts of services", fmt.Sprint(starts)}, []string{"of them after a server was down at the start", fmt.Sprint(retries)})
	for _, kind := range []string{"normalise", "score", "sink"} {
		bytes, name := in.peak(kind)
		rows = append(rows, []string{"largest resident size of a " + kind + " process, " + name, fmt.Sprintf("%d MiB", bytes>>20)})
	}
	return rows
}
