package pipeline

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// work is what a poll means for one partition: records to process, or, without
// records, another try to claim.
type work struct {
	p       *assigned
	records []*kgo.Record
	high    int64 // the partition's high watermark
	next    int64
	err     error
	took    time.Duration
}

// handle does all the work of one poll. An error ends run.
func (c *consumer) handle(ctx context.Context, fetches kgo.Fetches) error {
	if err := c.fetchErrors(fetches); err != nil {
		return err
	}
	if err := c.fits(); err != nil {
		return err
	}
	c.tellStarts(ctx)
	todo := c.workOf(fetches)
	var wg sync.WaitGroup
	for _, w := range todo {
		wg.Go(func() {
			start := time.Now()
			if len(w.records) > 0 {
				w.next, w.err = w.p.worker.process(ctx, w.records)
			} else {
				w.next, w.err = c.reclaim(ctx, w.p)
			}
			w.took = time.Since(start)
		})
	}
	wg.Wait()
	for _, w := range todo {
		if err := c.conclude(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

func (c *consumer) fits() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.misfit
}

// workOf sorts a poll's records by partition and adds the partitions whose time
// to be tried again has come.
func (c *consumer) workOf(fetches kgo.Fetches) []*work {
	c.mu.Lock()
	defer c.mu.Unlock()
	var todo []*work
	byPartition := map[int32]*work{}
	fetches.EachPartition(func(f kgo.FetchTopicPartition) {
		p := c.partitions[f.Partition]
		// A partition that is put back is read again from where it failed.
		if p == nil || !p.retryAt.IsZero() || len(f.Records) == 0 {
			return
		}
		w := byPartition[f.Partition]
		if w == nil {
			w = &work{p: p}
			byPartition[f.Partition] = w
			todo = append(todo, w)
		}
		w.records = append(w.records, f.Records...)
		w.high = max(w.high, f.HighWatermark)
	})
	now := time.Now()
	for _, p := range c.partitions {
		if !p.retryAt.IsZero() && !now.Before(p.retryAt) {
			todo = append(todo, &work{p: p})
		}
	}
	return todo
}

// reclaim takes a partition up again after a failure, if it is still ours: one
// who was thrown out of the group and does not know would otherwise fence its
// successor.
func (c *consumer) reclaim(ctx context.Context, p *assigned) (int64, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.claimLimit)
	defer cancel()
	next, err := p.worker.claim(ctx, func(next int64) error { return c.commitSync(ctx, p.number, next) })
	if err != nil || next != earliest {
		return next, err
	}
	// The client can be set to an offset, but not to the start.
	starts, err := kadm.NewClient(c.client).ListStartOffsets(ctx, c.topic)
	if err != nil {
		return 0, fmt.Errorf("finding the first record of partition %d: %w", p.number, err)
	}
	start, found := starts.Lookup(c.topic, p.number)
	if !found || start.Err != nil {
		return 0, fmt.Errorf("finding the first record of partition %d: %w", p.number, errors.Join(errUnclaimed, start.Err))
	}
	return start.Offset, nil
}

// tellStarts commits the positions that were claimed on assignment, for those who
// look at lag: the client takes where it starts for committed, and an owner that
// was killed before it committed would leave a lag behind on a partition that
// has no more records.
func (c *consumer) tellStarts(ctx context.Context) {
	untold := map[*assigned]int64{}
	c.mu.Lock()
	for _, p := range c.partitions {
		if p.untold != earliest && p.retryAt.IsZero() {
			untold[p] = p.untold
		}
	}
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, idlePoll)
	defer cancel()
	for p, next := range untold {
		if err := c.commitSync(ctx, p.number, next); err != nil {
			c.log.Debug("committing where reading began", "partition", p.number, "error", err)
			continue // with the next poll
		}
		c.told(p)
	}
}

// told notes that Kafka knows of the partition's position, or will.
func (c *consumer) told(p *assigned) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p.untold = earliest
}

// conclude draws the consequences of one partition's work.
func (c *consumer) conclude(ctx context.Context, w *work) error {
	label := strconv.Itoa(int(w.p.number))
	if len(w.records) > 0 && w.next > w.records[0].Offset {
		c.client.MarkCommitOffsets(map[string]map[int32]kgo.EpochOffset{c.topic: {w.p.number: {Epoch: -1, Offset: w.next}}})
		c.told(w.p)
		c.count(label, w)
	}
	switch {
	case isFatal(w.err):
		return fmt.Errorf("processing partition %d of %s: %w", w.p.number, c.topic, w.err)
	case w.err == nil:
		c.goOn(w)
	default:
		c.putBack(ctx, w)
	}
	return nil
}

// putBack lets a partition that failed wait for its next try.
func (c *consumer) putBack(ctx context.Context, w *work) {
	switch {
	case errors.Is(w.err, errNotOwner):
		// The group will say so too; until then the partition is left alone.
		c.suspend(w.p, w.err, idlePoll)
	case ctx.Err() != nil:
		c.log.Warn("batch given up at shutdown; it is done again after the start", "partition", w.p.number, "error", w.err)
	default:
		c.suspend(w.p, w.err, 0)
	}
}

// goOn lets a partition run, from where its worker says if it stood still.
func (c *consumer) goOn(w *work) {
	c.mu.Lock()
	resumed := !w.p.retryAt.IsZero()
	w.p.retryAt, w.p.lastErr = time.Time{}, nil
	if !resumed {
		w.p.failures = 0
	}
	c.mu.Unlock()
	if resumed {
		c.client.SetOffsets(map[string]map[int32]kgo.EpochOffset{c.topic: {w.p.number: {Epoch: -1, Offset: w.next}}})
		c.client.ResumeFetchPartitions(map[string][]int32{c.topic: {w.p.number}})
		c.log.Info("partition taken up again", "partition", w.p.number, "offset", w.next)
	}
}

func (c *consumer) count(label string, w *work) {
	done := 0
	newest := w.records[0]
	for _, r := range w.records {
		if r.Offset >= w.next {
			break
		}
		done++
		newest = r
	}
	c.metrics.records.WithLabelValues(label).Add(float64(done))
	c.metrics.batch.Observe(w.took.Seconds())
	lag := max(w.high-w.next, 0)
	c.metrics.lag.WithLabelValues(label).Set(float64(lag))
	behind := 0.0
	if lag > 0 {
		behind = max(time.Since(newest.Timestamp).Seconds(), 0)
	}
	c.metrics.behind.WithLabelValues(label).Set(behind)
}

// fetchErrors sorts what a poll says is wrong: the client tries most of it again
// by itself, and the rest ends run.
func (c *consumer) fetchErrors(fetches kgo.Fetches) error {
	var problem, fatal error
	fetches.EachError(func(topic string, partition int32, err error) {
		switch {
		case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		case errors.Is(err, kgo.ErrClientClosed):
			fatal = fatalError{err}
		case isDataLoss(err) && c.strict:
			fatal = fatalError{fmt.Errorf("partition %d of %s: records that were never scored are gone, since retention is shorter than "+
				"the outage or the topic was made anew; riskpipe rebuild --discard scores again what is left: %w", partition, topic, err)}
		case isDataLoss(err):
			problem = err
			c.log.Error("records were lost before they were read", "topic", topic, "partition", partition, "error", err)
		case isForbidden(err):
			fatal = fatalError{fmt.Errorf("reading %s as this user is not allowed; grant it READ on the topic and the group: %w", c.topic, err)}
		default:
			problem = err
			c.log.Warn("reading", "topic", topic, "partition", partition, "error", err)
		}
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.problem = problem
	return fatal
}

// commitError is the outcome of committing one partition.
func commitError(resp *kmsg.OffsetCommitResponse, err error) error {
	if err == nil {
		for _, topic := range resp.Topics {
			for _, partition := range topic.Partitions {
				err = errors.Join(err, kerr.ErrorForCode(partition.ErrorCode))
			}
		}
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, kerr.IllegalGeneration), errors.Is(err, kerr.UnknownMemberID), errors.Is(err, kerr.FencedInstanceID),
		errors.Is(err, kerr.FencedMemberEpoch), errors.Is(err, kerr.StaleMemberEpoch):
		return fmt.Errorf("%w: %w", errNotOwner, err)
	default:
		return fmt.Errorf("proving that the partition is ours: %w", err)
	}
}
