package chaos

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/deploy/tenant"
	"github.com/riskpipe/riskpipe/schemas"
)

// calibration is how many records, of some five activities each, are published at once
// to find the maximum rate: after a tenth of them, with which everybody has joined
// and filled its caches.
const calibration = 400_000

// A soak at half of what the machine can do: no service and no store grows with
// time.
func TestSoak(t *testing.T) {
	s := readSettings(t, 30*time.Minute)
	company, err := tenant.New(tenant.Options{
		Seed: s.seed, Users: 1000, Start: time.Date(2020, time.January, 6, 0, 0, 0, 0, time.UTC), Days: 2400, Domain: domain,
	})
	if err != nil {
		t.Fatal(err)
	}
	in := install(t, s, company)
	in.forget(t)
	in.startServices(t)
	feed := newFeed(t, in, company)
	defer feed.stop()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go in.watch(ctx)

	var took time.Duration
	for _, count := range []int{calibration / 10, calibration} {
		begin := time.Now()
		if err := feed.publish(ctx, count, 0); err != nil {
			t.Fatal(err)
		}
		if err := in.drain(ctx, 10*time.Minute); err != nil {
			t.Fatal(err)
		}
		took = in.quietSince.Sub(begin)
	}
	highest := calibration / took.Seconds()
	rate := highest / 2
	t.Logf("%d records at once were read in %s: %.0f a second; the soak has %.0f a second for %s",
		calibration, took.Round(time.Second/10), highest, rate, s.duration)

	published := make(chan error, 1)
	soaked := time.Now()
	go func() { published <- feed.publish(ctx, int(rate*s.duration.Seconds()), s.duration) }()
	series := newSeries()
	interval := min(time.Minute, s.duration/24)
	for next := soaked.Add(interval); time.Since(soaked) < s.duration; next = next.Add(interval) {
		pause(ctx, time.Until(next))
		if err := in.failed(); err != nil {
			t.Fatal(err)
		}
		if err := in.measure(ctx, series, time.Since(soaked)); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-published; err != nil {
		t.Fatal(err)
	}
	if err := in.drain(ctx, 5*time.Minute); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + table(series.rows()))
	series.judge(t)
	in.withinMemory(t)
}

// forget lets the topics drop what was read long ago, and Redis rewrite its log, which
// storms need as it was written: a soak is not to fill the disk.
func (in *installation) forget(t *testing.T) {
	t.Helper()
	for _, topic := range append(in.rawTopics(), in.topics.Events(), in.topics.Alerts()) {
		err := in.kafka.setTopic(t.Context(), topic, map[string]string{"retention.bytes": "134217728", "segment.bytes": "33554432"})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, server := range in.redis.servers {
		if err := server.client.ConfigSet(t.Context(), "auto-aof-rewrite-percentage", "100").Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// feed publishes one company's work, which does not end.
type feed struct {
	topics    schemas.Topics
	publisher *publisher
	dice      *rand.Rand
	next      func() (tenant.Record, bool)
	stop      func()
}

func newFeed(t *testing.T, in *installation, company *tenant.Tenant) *feed {
	t.Helper()
	f := &feed{topics: in.topics, publisher: newPublisher(t, in.kafka), dice: rand.New(rand.NewPCG(in.settings.seed, 4))}
	f.next, f.stop = iter.Pull(company.Records())
	return f
}

// publish publishes so many records, spread over the time. Records carry the company's
// time: by the days of arrival, people's states let go of what is old.
func (f *feed) publish(ctx context.Context, count int, over time.Duration) error {
	const slice = 2000
	begin := time.Now()
	for done := 0; done < count; done += slice {
		pause(ctx, time.Until(begin.Add(time.Duration(float64(over)*float64(done)/float64(count)))))
		var records []*kgo.Record
		for range min(slice, count-done) {
			r, more := f.next()
			if !more {
				return errors.New("the company's days are over: give it more")
			}
			records = append(records, &kgo.Record{Topic: f.topics.Raw(r.Source), Partition: f.dice.Int32N(rawPartitions), Value: r.Value, Timestamp: r.Time.UTC()})
		}
		if err := f.publisher.publish(ctx, records, 0); err != nil {
			return err
		}
	}
	return nil
}

// series are measured values over time.
type series struct {
	names  []string // of columns, in their order
	at     []time.Duration
	values map[string][]float64
	bounds map[string]bound
}

// bound is how much a value may grow, as a share of its median and in itself.
type bound struct{ share, plus float64 }

func newSeries() *series { return &series{values: map[string][]float64{}, bounds: map[string]bound{}} }

func (s *series) add(name string, value float64, b bound) {
	if _, known := s.values[name]; !known {
		s.names = append(s.names, name)
		s.bounds[name] = b
	}
	s.values[name] = append(s.values[name], value)
}

const mebibyte = 1 << 20

// free is the bound of what is printed and not judged.
const free = -1

// measure takes one sample. Sizes are in MiB.
func (in *installation) measure(ctx context.Context, s *series, at time.Duration) error {
	s.at = append(s.at, at)
	for _, kind := range []string{"normalise", "score", "sink"} {
		var resident, heap, goroutines float64
		for _, service := range in.of(kind) {
			now, _ := service.memory()
			resident += float64(now)
			heap += service.meter.gauge("go_memstats_heap_inuse_bytes")
			goroutines += service.meter.gauge("go_goroutines")
		}
		s.add(kind+" RSS", resident/mebibyte, bound{0.10, 16})
		s.add(kind+" heap", heap/mebibyte, bound{0.10, 16})
		s.add(kind+" goroutines", goroutines, bound{0.02, 4})
	}
	memory, err := in.redisMemory(ctx)
	if err != nil {
		return err
	}
	s.add("Redis used", memory.used/mebibyte, bound{share: free})
	s.add("Redis states", memory.states/mebibyte, bound{share: free})
	s.add("users", memory.users, bound{share: free})
	s.add("names", memory.names, bound{0.02, 10})
	s.add("keys that expire", memory.expiring, bound{share: free})
	s.add("Redis other", (memory.used-memory.states-memory.waiting)/mebibyte, bound{0.10, 4})
	b, err := in.backlog(ctx)
	if err != nil {
		return err
	}
	s.add("backlog", float64(b.normalise+b.scoring()+b.sink), bound{share: free})
	return nil
}

// redisMemory is what takes room in Redis.
type redisMemory struct {
	used                   float64 // bytes, all of it
	states                 float64 // bytes of users' states with their keys
	waiting                float64 // bytes of alerts that wait for their other half, which expire
	users, names, expiring float64 // keys
}

// sizes adds up what keys take, as Redis sees it.
const sizes = `
local function of(pattern)
	local count, bytes, expiring, waiting = 0, 0, 0, 0
	local cursor = '0'
	repeat
		local page = redis.call('SCAN', cursor, 'MATCH', pattern, 'COUNT', 1000)
		cursor = page[1]
		for _, key in ipairs(page[2]) do
			local size = redis.call('MEMORY', 'USAGE', key) or 0
			if redis.call('PTTL', key) >= 0 then
				expiring = expiring + 1
				waiting = waiting + size
			else
				count = count + 1
				bytes = bytes + size
			end
		end
	until cursor == '0'
	return {count, bytes, expiring, waiting}
end
return {of(ARGV[1]), of(ARGV[2])}`

func (in *installation) redisMemory(ctx context.Context) (redisMemory, error) {
	var m redisMemory
	client := in.redis.writer().client
	text, err := client.Info(ctx, "memory").Result()
	if err != nil {
		return m, fmt.Errorf("asking Redis for its memory: %w", err)
	}
	// Buffers of clients and of the replication are Redis' own matter.
	_, rest, _ := strings.Cut(text, "used_memory_dataset:")
	if _, err := fmt.Sscanf(rest, "%g", &m.used); err != nil {
		return m, fmt.Errorf("asking Redis for its memory: %w", err)
	}
	answer, err := client.Eval(ctx, sizes, nil, "{"+redisPrefix+"events:*}:u:*", redisPrefix+"name:*").Slice()
	if err != nil {
		return m, fmt.Errorf("asking Redis for the size of its keys: %w", err)
	}
	var numbers [2][4]float64
	for i, list := range answer {
		for j, n := range list.([]any) {
			numbers[i][j] = float64(n.(int64))
		}
	}
	m.users, m.states = numbers[0][0], numbers[0][1]
	m.names, m.expiring, m.waiting = numbers[1][0], numbers[1][2], numbers[1][3]
	return m, nil
}

// warm are the samples after the warm-up, the first third.
func (s *series) warm(name string) []float64 { return s.values[name][len(s.at)/3:] }

// rows are the samples as a table, at most thirty of them, and what was judged.
func (s *series) rows() [][]string {
	rows := [][]string{append([]string{"time"}, s.names...)}
	for i, at := range s.at {
		row := []string{at.Round(time.Second).String()}
		for _, name := range s.names {
			row = append(row, fmt.Sprintf("%.4g", s.values[name][i]))
		}
		rows = append(rows, row)
	}
	grown, allowed := []string{"growth"}, []string{"allowed"}
	for _, name := range s.names {
		grown = append(grown, fmt.Sprintf("%.3g", growth(s.warm(name))))
		if s.bounds[name].share == free {
			allowed = append(allowed, "-")
			continue
		}
		allowed = append(allowed, fmt.Sprintf("%.3g", s.allowed(name)))
	}
	return append(rows, grown, allowed)
}

func (s *series) allowed(name string) float64 {
	b := s.bounds[name]
	return b.share*median(s.warm(name)) + b.plus
}

// judge fails the test for every value that grew more than it may.
func (s *series) judge(t *testing.T) {
	t.Helper()
	for _, name := range s.names {
		if s.bounds[name].share == free {
			continue
		}
		if g := growth(s.warm(name)); g > s.allowed(name) {
			t.Errorf("%s grew by %.3g after the warm-up: the bound is %.3g", name, g, s.allowed(name))
		}
	}
}
