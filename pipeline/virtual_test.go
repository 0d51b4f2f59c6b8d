//go:build synctests

package pipeline

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// The store is away for four hours, and nobody gives up or makes a noise about it:
// half a minute after it is back all is scored.
func TestVirtual_storeAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEra(t, 1)
		e.publish(200)
		a, b := e.start(), e.start()
		e.settles(time.Minute)
		e.states.set(true, nil)
		for range 8 {
			e.publish(50)
			time.Sleep(30 * time.Minute)
		}
		if err := a.scorer.Ready(); err == nil || !strings.Contains(err.Error(), "stands still") {
			t.Errorf("while the store is away, ready says %v", err)
		}
		claims := e.states.claimCount()
		e.states.set(false, nil)
		e.settles(30 * time.Second)
		a.isReady(t)
		if more := e.states.claimCount() - claims; more > 2*testPartitions {
			t.Errorf("%d claims", more)
		}
		e.check()
		a.end(t)
		b.end(t)
	})
}

// Kafka is away for one, and then for hours for all.
func TestVirtual_kafkaAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEra(t, 2)
		e.publish(200)
		a, b := e.start(), e.start()
		e.settles(time.Minute)
		a.cable.Pull()
		e.publish(200)
		e.settles(3 * time.Minute) // b takes over, when a's session has ended
		b.cable.Pull()
		e.publish(200)
		time.Sleep(4 * time.Hour)
		claims := e.states.claimCount()
		a.cable.Plug()
		b.cable.Plug()
		e.settles(3 * time.Minute)
		if more := e.states.claimCount() - claims; more > 4*testPartitions {
			t.Errorf("%d claims", more)
		}
		e.check()
		a.end(t)
		b.end(t)
	})
}

// The coordinator moves all the time, and answers that it is somebody else.
func TestVirtual_coordinatorLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEra(t, 3)
		a, b := e.start(), e.start()
		for i := range 30 {
			e.publish(20)
			e.cluster.RehashCoordinators()
			e.cluster.ShufflePartitionLeaders()
			if i%3 == 0 {
				e.cluster.Fault(
					kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat, kmsg.OffsetCommit}, Err: kerr.NotCoordinator, Count: 5},
					kfake.Fault{Keys: []kmsg.Key{kmsg.JoinGroup, kmsg.SyncGroup}, Err: kerr.CoordinatorLoadInProgress, Count: 2},
				)
			}
			time.Sleep(time.Minute)
		}
		e.settles(3 * time.Minute)
		e.check()
		a.end(t)
		b.end(t)
	})
}

// Each answer of Kafka takes seconds, and work goes on, slowly.
func TestVirtual_slowBroker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEra(t, 4)
		a, b := e.start(), e.start()
		a.cable.Slow(2 * time.Second)
		b.cable.Slow(500 * time.Millisecond)
		for range 20 {
			e.publish(40)
			time.Sleep(3 * time.Minute)
		}
		e.settles(3 * time.Minute)
		if n := e.states.claimCount(); n > 4*testPartitions {
			t.Errorf("%d claims", n)
		}
		e.check()
		a.end(t)
		b.end(t)
	})
}

// A process is frozen within a batch, between alerts and states, for longer than
// its session. Its partitions have a new owner when it wakes up, whose work it
// must neither undo nor fight over.
func TestVirtual_zombie(t *testing.T) {
	for _, point := range []string{"load", "commit"} {
		t.Run(point, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newEra(t, 5)
				e.publish(100)
				a := e.start()
				e.settles(time.Minute)
				frozen, thaw := make(chan struct{}, testPartitions), make(chan struct{})
				a.states.set(false, func(at string) {
					if at == point {
						frozen <- struct{}{}
						<-thaw
					}
				})
				e.publish(200)
				<-frozen
				a.cable.Pull()
				b := e.start()
				e.settles(10 * time.Minute)
				e.publish(200)
				e.settles(time.Minute)
				claims := e.states.claimCount()
				a.states.set(false, nil)
				close(thaw)
				e.publish(200)
				time.Sleep(2 * time.Minute)
				// Without the broker it cannot know whether the partitions are its own.
				if more := e.states.claimCount() - claims; more > 0 {
					t.Errorf("%d claims by one who is cut off", more)
				}
				a.cable.Plug()
				time.Sleep(10 * time.Minute)
				e.publish(200)
				e.settles(3 * time.Minute)
				if more := e.states.claimCount() - claims; more > 3*testPartitions {
					t.Errorf("%d claims after the zombie woke up", more)
				}
				e.check()
				a.end(t)
				b.end(t)
			})
		})
	}
}

// A partition that was paused here, went elsewhere, and came back is read: a
// pause outlives its assignment in the client.
func TestVirtual_pauseOutlivesAssignment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEra(t, 6)
		e.publish(200)
		a := e.start()
		e.settles(time.Minute)
		a.states.set(true, nil)
		e.publish(200)
		time.Sleep(time.Minute) // all of a's partitions are paused
		if err := a.scorer.Ready(); err == nil {
			t.Error("a is ready without its store")
		}
		b := e.start()
		time.Sleep(2 * time.Minute) // half of them are b's
		c := e.start()
		time.Sleep(2 * time.Minute)
		a.states.set(false, nil)
		b.end(t)
		c.end(t)
		e.publish(200)
		e.settles(time.Minute)
		a.isReady(t)
		e.check()
		a.end(t)
	})
}

// A topic that has got more partitions sends users to other partitions than
// their states are in: every scorer stops and says so, and scores nothing there.
func TestVirtual_morePartitions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEra(t, 8)
		e.publish(200)
		a, b := e.start(), e.start()
		e.settles(time.Minute)
		if _, err := kadm.NewClient(e.client).CreatePartitions(t.Context(), 2, "events"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Minute)
		for _, p := range []*process{a, b, e.start()} {
			if err := p.wait(t); err == nil || !strings.Contains(err.Error(), "has 6 partitions instead of 4") {
				t.Errorf("Run returned %v", err)
			}
		}
		for number := int32(testPartitions); number < 6; number++ {
			if fence, _, err := e.states.Load(t.Context(), number, nil); err != nil || fence != "" {
				t.Errorf("partition %d was claimed: %s, %v", number, fence, err)
			}
		}
	})
}
