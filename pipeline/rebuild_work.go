package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"
)

// takeUp starts work on partitions that nobody moves, as far as there is room.
func (r *rebuild) takeUp(ctx context.Context, work *errgroup.Group) {
	for _, p := range r.partitions {
		switch {
		case p.outcome != nil:
			select {
			case err := <-p.outcome:
				r.conclude(p, err)
			default: // at work
			}
		case !p.progress.Done() && time.Since(p.moved) >= p.patience:
			outcome := make(chan error, 1)
			progress := p.progress
			if work.TryGo(func() error { return r.work(ctx, progress, outcome) }) {
				p.outcome, p.progress.Here = outcome, true
			}
		}
	}
}

// work scores a partition and says what came of it; only what ends the rebuild
// is returned, too.
func (r *rebuild) work(ctx context.Context, p RebuildProgress, outcome chan<- error) error {
	err := r.score(ctx, p)
	outcome <- err
	if isFatal(err) {
		return fmt.Errorf("rebuilding partition %d: %w", p.Partition, err)
	}
	return nil
}

// conclude lets a partition wait after its work has ended early.
func (r *rebuild) conclude(p *rebuilding, err error) {
	p.outcome, p.progress.Here = nil, false
	p.moved = time.Now()
	log := r.scorer.deps.Log.With("partition", p.progress.Partition)
	switch {
	case errors.Is(err, ErrFenced):
		p.patience *= 2
		log.Info("another scorer has taken the partition and goes on with it")
	case err != nil:
		log.Warn("partition put back", "retry_in", p.patience, "error", err)
	}
}

// score claims the partition and scores it to the end, as a member of the group
// would, until it is done, ctx ends or somebody claims it.
func (r *rebuild) score(ctx context.Context, p RebuildProgress) error {
	topic := r.scorer.deps.Topics.Events()
	client, err := r.scorer.connect(kgo.ConsumeResetOffset(kgo.NoResetOffset()))
	if err != nil {
		return err
	}
	defer client.Close()
	w := r.scorer.worker(client, p.Partition)
	defer w.drop()
	// Nobody to ask: no group has given the partition to this process. If its
	// owner is awake it will claim it back.
	next, err := w.claim(ctx, nil)
	if err != nil {
		return err
	}
	from := kgo.NewOffset().AtStart()
	if next != earliest {
		from = kgo.NewOffset().At(next)
	}
	client.AddConsumePartitions(map[string]map[int32]kgo.Offset{topic: {p.Partition: from}})
	for next < p.End {
		fetches := client.PollRecords(ctx, r.scorer.config.BatchRecords)
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := fetches.Err(); err != nil {
			return rebuildReadError(topic, p.Partition, err)
		}
		records := fetches.Records()
		if len(records) == 0 {
			continue
		}
		if next, err = w.process(ctx, records); err != nil {
			return err
		}
	}
	return nil
}

func rebuildReadError(topic string, partition int32, err error) error {
	if isDataLoss(err) {
		return fatalError{fmt.Errorf("partition %d of %s: records that were never scored are gone, since retention is shorter than the outage "+
			"or the topic was made anew; riskpipe rebuild --discard makes states of what is left: %w", partition, topic, err)}
	}
	return fmt.Errorf("reading partition %d of %s: %w", partition, topic, err)
}
