//go:build synctests

package sink

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// When inserts are so slow that an attempt ends before all blocks are written,
// those that were are committed: the sink gets on, slowly.
func TestVirtual_slowInserts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEra(t, 1)
		p := e.start()
		p.takes.Store(int64(8 * time.Second))
		e.publish(100)
		e.settles(30 * time.Minute)
		e.check(true)
		p.end(t)
	})
}

// ClickHouse is away for four hours, and then loses its answers for half of one.
func TestVirtual_clickHouseAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEra(t, 2)
		a, b := e.start(), e.start()
		e.publish(100)
		e.settles(time.Minute)
		for _, p := range []*process{a, b} {
			p.away.Store(true)
		}
		for range 8 {
			e.publish(100)
			time.Sleep(30 * time.Minute)
		}
		for _, p := range []*process{a, b} {
			p.away.Store(false)
			p.lost.Store(true)
		}
		time.Sleep(30 * time.Minute)
		for _, p := range []*process{a, b} {
			p.lost.Store(false)
		}
		e.settles(2 * time.Minute)
		e.check(true)
		a.end(t)
		b.end(t)
	})
}

// A block that ClickHouse refuses holds up its own partition, whoever has it, and no other; once it is
// taken, its partition goes on, also with a sink that had it before.
func TestVirtual_refusedBlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEra(t, 4)
		a := e.start()
		e.publish(100)
		e.settles(time.Minute)
		heldUp := func(minutes int) {
			t.Helper()
			for range minutes {
				e.publish(100)
				time.Sleep(time.Minute)
			}
			if err := e.settled(); err == nil || strings.Contains(err.Error(), "\n") {
				t.Errorf("want one partition held up: %v", err)
			}
		}
		e.warehouse.refuses("events 150")
		heldUp(20)
		b := e.start()
		heldUp(20)
		a.end(t)
		heldUp(20)
		c := e.start()
		b.end(t)
		e.warehouse.refuses("")
		e.settles(2 * time.Minute)
		e.publish(100)
		e.settles(time.Minute)
		e.check(true)
		c.end(t)
	})
}

// A partition that a sink does not read because its block is refused, and that it gives up and gets back, is read again.
func TestVirtual_refusedAndBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEra(t, 5)
		a := e.start()
		e.publish(100)
		e.settles(time.Minute)
		for topic := range e.wrote {
			e.warehouse.refuses(topic + " 150")
			e.publish(100)
			time.Sleep(time.Minute)
			b := e.start()
			time.Sleep(2 * time.Minute)
			e.warehouse.refuses("")
			e.settles(2 * time.Minute)
			b.end(t)
			e.publish(100)
			e.settles(2 * time.Minute)
		}
		e.check(true)
		a.end(t)
	})
}

// polled counts the bytes that sinks took from their clients.
type polled struct{ bytes atomic.Int64 }

// OnFetchRecordUnbuffered implements kgo.HookFetchRecordUnbuffered.
func (p *polled) OnFetchRecordUnbuffered(r *kgo.Record, taken bool) {
	if taken {
		p.bytes.Add(int64(size(r)))
	}
}

// While ClickHouse is away, a sink reads until what failed has the size of two blocks, whichever partitions it is of.
func TestVirtual_memoryWhileAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEra(t, 6)
		taken := &polled{}
		e.config.BatchBytes = 1 << 10
		e.deps.Kafka = []kgo.Opt{kgo.WithHooks(taken)}
		p := e.start()
		e.publish(100)
		e.settles(time.Minute)
		p.away.Store(true)
		before := taken.bytes.Load()
		for range 60 {
			e.publish(5)
			time.Sleep(time.Minute)
		}
		const onePoll = 2 * 5 * 225
		if grown, blocks := taken.bytes.Load()-before, int64(2*e.config.BatchBytes); grown < blocks || grown > blocks+onePoll {
			t.Errorf("%d bytes were read, where two blocks have %d", grown, blocks)
		}
		p.away.Store(false)
		e.settles(2 * time.Minute)
		e.check(true)
		p.end(t)
	})
}

// A sink is frozen within an insert for longer than its session. When it wakes
// up, the block has been written by its partition's new owner.
func TestVirtual_zombie(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEra(t, 3)
		a := e.start()
		e.publish(100)
		e.settles(time.Minute)
		a.takes.Store(int64(25 * time.Second))
		e.publish(100)
		time.Sleep(time.Second)
		a.cable.Pull()
		b := e.start()
		e.settles(5 * time.Minute)
		a.takes.Store(0)
		a.cable.Plug()
		e.publish(100)
		e.settles(5 * time.Minute)
		e.check(true)
		a.end(t)
		b.end(t)
	})
}

// Whatever comes together in half an hour, every row is there.
func TestVirtual_storm(t *testing.T) {
	from, to := simulationSeeds(t, 5)
	for seed := from; seed < to; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newEra(t, seed)
				running := []*process{e.start()}
				var gone []*process
				for range 60 {
					e.publish(e.rng.IntN(30))
					at := e.rng.IntN(len(running))
					p := running[at]
					forAWhile := time.Duration(1+e.rng.IntN(120)) * time.Second
					later := func(f func()) { time.AfterFunc(forAWhile, f) }
					switch e.rng.IntN(8) {
					case 0:
						if len(running) < 3 {
							running = append(running, e.start())
						}
					case 1: // killed, or asked to end; not all at once, since kfake waits longer with each that joins
						if e.rng.IntN(2) == 0 {
							p.cable.Pull()
						}
						p.stop()
						gone = append(gone, p)
						if running = append(running[:at:at], running[at+1:]...); len(running) == 0 {
							running = append(running, e.start())
						}
					case 2:
						p.away.Store(true)
						later(func() { p.away.Store(false) })
					case 3:
						p.lost.Store(true)
						later(func() { p.lost.Store(false) })
					case 4:
						p.takes.Store(int64(time.Duration(e.rng.IntN(10_000)) * time.Millisecond))
						later(func() { p.takes.Store(0) })
					case 5:
						p.cable.Pull()
						later(p.cable.Plug)
					case 6:
						e.cluster.RehashCoordinators()
						e.cluster.ShufflePartitionLeaders()
					case 7:
						e.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: kerr.RequestTimedOut, Count: 3})
					}
					time.Sleep(time.Duration(e.rng.IntN(60)) * time.Second)
				}
				time.Sleep(2 * time.Minute)
				for _, p := range gone {
					p.cable.Plug()
					p.end(t)
				}
				e.settles(5 * time.Minute)
				e.check(false)
				for _, p := range running {
					p.end(t)
				}
			})
		})
	}
}
