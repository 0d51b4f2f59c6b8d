package pipeline

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"
)

// RebuildProgress says how far a partition is.
type RebuildProgress struct {
	Partition int32 `json:"partition"`
	// Start and End are the bounds of the log when the rebuild began, Next is
	// what the states contain.
	Start int64 `json:"start_offset"`
	Next  int64 `json:"next_offset"`
	End   int64 `json:"end_offset"`
	// Here says that this process scores the partition, and not another.
	Here bool `json:"here"`
}

// Done tells whether the states contain all that the log had.
func (p RebuildProgress) Done() bool { return p.Next >= p.End }

const (
	// rebuildLook is how often the fences are looked at.
	rebuildLook = 200 * time.Millisecond
	// rebuildPatience is how long a fence may stand still before the partition
	// is taken up. It doubles with every time that somebody takes it back.
	rebuildPatience = 3 * time.Second
	// rebuildTolerance is how long the store or Kafka may be away.
	rebuildTolerance = time.Minute
)

// Rebuild scores every partition up to the end that the topic has as it begins.
// It looks at the fences. A partition of which the fence moves is being scored by
// somebody, and is left to them; one that has none or stands still is claimed and
// scored here, outside the group, with the order and the fences that scorers
// have. So scorers may run, come and go; whoever wakes up takes their partition
// back. Told, if not nil, hears about all partitions several times a second.
//
// When ctx ends, the batches in work are finished and its error is returned;
// what was scored stays, and another Rebuild goes on from there.
func Rebuild(ctx context.Context, config ScorerConfig, deps ScorerDeps, told func([]RebuildProgress)) error {
	scorer, err := unassignedScorer(config, deps)
	if err != nil {
		return err
	}
	client, err := kgo.NewClient(deps.Cluster...)
	if err != nil {
		return fmt.Errorf("opening the internal cluster: %w", err)
	}
	defer client.Close()
	logs, err := logBounds(ctx, kadm.NewClient(client), deps.Topics.Events())
	if err != nil {
		return err
	}
	r := &rebuild{scorer: scorer, told: told}
	for _, number := range slices.Sorted(maps.Keys(logs)) {
		r.partitions = append(r.partitions, &rebuilding{
			progress: RebuildProgress{Partition: number, Start: logs[number].start, Next: logs[number].start, End: logs[number].end},
			patience: rebuildPatience,
		})
	}
	return r.run(ctx)
}

// rebuild watches the partitions; only its run touches them.
type rebuild struct {
	scorer     *Scorer
	told       func([]RebuildProgress)
	partitions []*rebuilding
}

// rebuilding is a partition on its way.
type rebuilding struct {
	progress RebuildProgress
	fence    string    // as it was seen last
	moved    time.Time // when it was seen to change
	patience time.Duration
	outcome  chan error // of the work here, nil when there is none
}

func (r *rebuild) run(ctx context.Context) error {
	work, ctx := errgroup.WithContext(ctx)
	// Of the cores one is left to whoever else scores.
	work.SetLimit(max(runtime.GOMAXPROCS(0)-1, 1))
	err := r.watch(ctx, work)
	if failed := work.Wait(); failed != nil {
		return failed
	}
	return err
}

// watch returns when all partitions are done, ctx ends or the store stays away.
func (r *rebuild) watch(ctx context.Context, work *errgroup.Group) error {
	steady := time.Now()
	for {
		left, err := r.look(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil && left == 0:
			return nil
		case err == nil:
			steady = time.Now()
			r.takeUp(ctx, work)
		case time.Since(steady) > rebuildTolerance:
			return err
		default:
			r.scorer.deps.Log.Warn("looking how far the partitions are", "error", err)
		}
		if err := sleep(ctx, rebuildLook); err != nil {
			return err
		}
	}
}

// look reads the fences and returns how many partitions are not done.
func (r *rebuild) look(ctx context.Context) (left int, err error) {
	all := make([]RebuildProgress, len(r.partitions))
	for i, p := range r.partitions {
		stored, _, err := r.scorer.deps.States.Load(ctx, p.progress.Partition, nil)
		if err != nil {
			return 0, err
		}
		if err := p.see(stored); err != nil {
			return 0, err
		}
		if !p.progress.Done() {
			left++
		}
		all[i] = p.progress
	}
	if r.told != nil {
		r.told(all)
	}
	return left, nil
}

// see notes a fence.
func (p *rebuilding) see(stored string) error {
	p.progress.Next = p.progress.Start
	if stored != "" {
		fence, err := ParseFence(stored)
		if err != nil {
			return err
		}
		if fence.Format == formatDiscarding {
			return errDiscarding
		}
		if fence.Next != earliest {
			p.progress.Next = fence.Next // before Start when records are gone unscored
		}
	}
	if stored != p.fence {
		p.fence, p.moved = stored, time.Now()
	}
	return nil
}
