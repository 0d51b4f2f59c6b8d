//go:build synctests

package sink

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/deploy/embedded/virtual"
)

// era is a Kafka, a warehouse and sinks in virtual time. Call it inside of a
// synctest bubble.
type era struct {
	t         *testing.T
	cluster   *virtual.Cluster
	warehouse *warehouse
	client    *kgo.Client
	config    Config // of sinks to come, as are deps
	deps      Deps
	wrote     map[string]map[string]bool // rows, by topic
	rng       *rand.Rand
}

const virtualPartitions = 12

func newEra(t *testing.T, seed uint64) *era {
	t.Helper()
	cluster := virtual.NewCluster(t, kfake.SeedTopics(virtualPartitions, "events", "alerts", "risk", "identities", "evidence_keys"))
	client, err := kgo.NewClient(append(cluster.Cable().Options(), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &era{
		t: t, cluster: cluster, warehouse: newWarehouse(1000), client: client,
		config: Config{Database: "virtual", BatchRows: 50}, deps: simulatedDeps(t),
		wrote: map[string]map[string]bool{"events": {}, "alerts": {}}, rng: rand.New(rand.NewPCG(seed, 9)),
	}
}

func (e *era) publish(n int) {
	e.t.Helper()
	for topic, rows := range e.wrote {
		var records []*kgo.Record
		for range n {
			row := fmt.Sprint(topic, " ", len(rows))
			rows[row] = true
			records = append(records, &kgo.Record{Topic: topic, Value: []byte(row)})
		}
		if err := e.client.ProduceSync(e.t.Context(), records...).FirstErr(); err != nil {
			e.t.Fatal(err)
		}
	}
}

// process is a sink process with a cable and a connection of its own.
type process struct {
	cable *virtual.Cable
	away  atomic.Bool  // ClickHouse cannot be reached
	lost  atomic.Bool  // ClickHouse's answers are lost
	takes atomic.Int64 // what an insert takes, in nanoseconds
	stop  context.CancelFunc
	done  chan error
}

var errAway = errors.New("the warehouse is away")

// connOfProcess is the connection of a process, which nobody uses.
type connOfProcess struct {
	Conn
	*process
}

func (e *era) start() *process {
	e.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	p := &process{cable: e.cluster.Cable(), stop: cancel, done: make(chan error, 1)}
	deps := e.deps
	deps.Kafka, deps.Conn = append(p.cable.Options(), e.deps.Kafka...), connOfProcess{process: p}
	e.warehouse.weather(func(ctx context.Context, conn Conn, insert func()) error {
		return conn.(connOfProcess).insert(ctx, insert)
	})
	sink, err := New(e.config, deps)
	if err != nil {
		e.t.Fatal(err)
	}
	e.warehouse.behind(sink)
	go func() { p.done <- sink.Run(ctx) }()
	e.t.Cleanup(cancel)
	return p
}

func (p *process) insert(ctx context.Context, insert func()) error {
	select {
	case <-time.After(time.Duration(p.takes.Load())):
	case <-ctx.Done():
		return ctx.Err()
	}
	if p.away.Load() {
		return errAway
	}
	insert()
	if p.lost.Load() {
		return errAway
	}
	return nil
}

func (p *process) end(t *testing.T) {
	t.Helper()
	p.stop()
	select {
	case err := <-p.done:
		if err != nil {
			t.Errorf("Run returned %v", err)
		}
	case <-time.After(10 * time.Minute):
		t.Fatal("Run does not return")
	}
}

// settles waits until all is written and committed, as it must be after so long,
// and nothing is announced any more.
func (e *era) settles(within time.Duration) {
	e.t.Helper()
	began := time.Now()
	for {
		err := e.settled()
		if err == nil {
			e.t.Logf("settled after %s", time.Since(began).Round(time.Second))
			return
		}
		if time.Since(began) > within {
			e.t.Fatalf("after %s: %v", within, err)
		}
		time.Sleep(time.Second)
	}
}

func (e *era) settled() error {
	admin := kadm.NewClient(e.client)
	ends, err := admin.ListEndOffsets(e.t.Context(), "events", "alerts")
	if err != nil {
		return err
	}
	commits, err := admin.FetchOffsets(e.t.Context(), "riskpipe-sink")
	if err != nil {
		return err
	}
	var problems []error
	ends.Each(func(end kadm.ListedOffset) {
		at, found := commits.Lookup(end.Topic, end.Partition)
		if end.Offset > 0 && (!found || at.At != end.Offset || strings.Contains(at.Metadata, "pending")) {
			problems = append(problems, fmt.Errorf("%s %d is committed to %d of %d, %q", end.Topic, end.Partition, at.At, end.Offset, at.Metadata))
		}
	})
	return errors.Join(problems...)
}

func (e *era) check(once bool) {
	e.t.Helper()
	for topic, rows := range e.wrote {
		if err := e.warehouse.holds(topic, rows, once); err != nil {
			e.t.Error(err)
		}
	}
}
