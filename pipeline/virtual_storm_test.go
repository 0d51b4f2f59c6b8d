//go:build synctests

package pipeline

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// storm is half an hour in which processes come, go, die and freeze, while Kafka
// and the store fail in all the ways they have.
type storm struct {
	*era
	running []*process
	gone    []*process // which have to end yet
}

// Whatever comes together in half an hour, three minutes after it all is scored,
// as the plain fold would have.
func TestVirtual_storm(t *testing.T) {
	from, to := simulationSeeds(t, 5)
	for seed := from; seed < to; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &storm{era: newEra(t, seed)}
				s.running = append(s.running, s.start())
				for range 60 {
					s.publish(s.rng.IntN(20))
					s.happen()
					time.Sleep(time.Duration(s.rng.IntN(60)) * time.Second)
				}
				s.clear()
				s.publish(100) // a rollback is noticed with the partition's next batch
				claims := s.states.claimCount()
				s.settles(3 * time.Minute)
				if more := s.states.claimCount() - claims; more > 6*testPartitions {
					t.Errorf("%d claims after the storm", more)
				}
				s.check()
				for _, p := range s.running {
					p.end(t)
				}
			})
		})
	}
}

func (s *storm) happen() {
	p := s.running[s.rng.IntN(len(s.running))]
	forAWhile := time.Duration(1+s.rng.IntN(120)) * time.Second
	later := func(f func()) { time.AfterFunc(forAWhile, f) }
	switch s.rng.IntN(11) {
	case 0:
		if len(s.running) < 3 {
			s.running = append(s.running, s.start())
		}
	case 1: // asked to end
		s.leave(p)
	case 2: // killed: it neither finishes nor says so
		p.cable.Pull()
		p.states.set(true, nil)
		s.leave(p)
	case 3:
		p.cable.Pull()
		later(p.cable.Plug)
	case 4:
		p.cable.Slow(time.Duration(s.rng.IntN(3000)) * time.Millisecond)
		later(func() { p.cable.Slow(time.Millisecond) })
	case 5: // frozen, and often longer than its session
		p.cable.Pull()
		p.states.set(false, func(string) { time.Sleep(forAWhile) })
		later(func() {
			p.states.set(false, nil)
			p.cable.Plug()
		})
	case 6:
		s.states.set(true, nil)
		later(func() { s.states.set(false, nil) })
	case 7:
		s.states.rollBack(int32(s.rng.IntN(testPartitions)), s.rng.IntN(5))
	case 8:
		s.cluster.RehashCoordinators()
	case 9:
		s.cluster.ShufflePartitionLeaders()
	case 10:
		// The second is an answer to what was done nevertheless.
		s.cluster.Fault(
			kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "alerts", Err: kerr.InvalidRecord, Count: 1},
			kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "alerts", Err: kerr.NotEnoughReplicasAfterAppend, Count: 2},
			kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: kerr.RequestTimedOut, Count: 2},
		)
	}
}

// leave takes a process out; another follows it when it was the last.
func (s *storm) leave(p *process) {
	p.stop()
	s.gone = append(s.gone, p)
	for i := range s.running {
		if s.running[i] == p {
			s.running = append(s.running[:i:i], s.running[i+1:]...)
			break
		}
	}
	if len(s.running) == 0 {
		s.running = append(s.running, s.start())
	}
}

// clear ends the storm, and what it has left half dead.
func (s *storm) clear() {
	time.Sleep(2 * time.Minute) // whatever was for a while is over
	s.states.set(false, nil)
	for _, p := range slices.Concat(s.running, s.gone) {
		p.cable.Plug()
		p.states.set(false, nil)
	}
	for _, p := range s.gone {
		if err := p.wait(s.t); err != nil {
			s.t.Errorf("Run returned %v", err)
		}
	}
}
