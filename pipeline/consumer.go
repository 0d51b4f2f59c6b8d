package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// partitionWorker does the work of one partition while it is assigned. It is
// used by one goroutine at a time.
type partitionWorker interface {
	// claim makes the partition this process's own and returns the offset to
	// read from, or earliest. Prove must succeed first unless it is nil: the
	// broker then has just assigned the partition.
	claim(ctx context.Context, prove func(next int64) error) (next int64, err error)

	// process handles records that follow one another and returns the offset
	// behind the last one that is done with, also when it fails. It stops
	// between batches when ctx ends, and never within one.
	process(ctx context.Context, records []*kgo.Record) (next int64, err error)

	// drop forgets all that is in memory: the partition has gone.
	drop()
}

// consumer polls a group and hands each partition's records to its worker. All
// of a poll is done with before the next, and no rebalance comes between: what
// a worker does it does as the owner, as far as the broker can tell. A partition
// that fails is paused, claimed and read again, and does not hold up others.
type consumer struct {
	client     *kgo.Client
	topic      string
	log        *slog.Logger
	metrics    *consumerMetrics
	perPoll    int // records polled for each assigned partition
	newWorker  func(client *kgo.Client, partition int32) partitionWorker
	strict     bool // a gap in the topic ends Run
	claimLimit time.Duration
	expected   int // partitions that the topic must have; 0 for any

	mu         sync.Mutex
	partitions map[int32]*assigned
	joined     bool
	running    bool
	problem    error // of the group or of fetching, until a poll is clean
	misfit     error // the topic has another number of partitions; ends Run
}

// assigned is a partition of this member.
type assigned struct {
	number   int32
	client   *kgo.Client // callbacks may run before newClient has returned it
	worker   partitionWorker
	failures int
	retryAt  time.Time // zero while it runs
	lastErr  error
	// untold is where reading began by the worker's claim, until Kafka was told;
	// earliest when there is nothing to tell.
	untold int64
}

// idlePoll bounds a poll that brings nothing, so that retries come in time.
const idlePoll = time.Second

// groupOptions are the options by which the client serves this consumer. With
// claims, reading starts where the worker says and not at Kafka's commit.
func (c *consumer) groupOptions(group string, claims bool) []kgo.Opt {
	opts := []kgo.Opt{
		kgo.ConsumerGroup(group),
		kgo.ConsumeTopics(c.topic),
		kgo.BlockRebalanceOnPoll(),
		kgo.AutoCommitMarks(),
		kgo.AutoCommitInterval(time.Second),
		kgo.OnPartitionsAssigned(c.assigned),
		kgo.OnPartitionsRevoked(c.revoked),
		kgo.OnPartitionsLost(c.lost),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()),
	}
	if claims {
		opts = append(opts, kgo.AdjustFetchOffsetsFn(c.startOffsets), kgo.ConsumeResetOffset(kgo.NoResetOffset()))
	}
	return opts
}

func (c *consumer) assigned(ctx context.Context, client *kgo.Client, added map[string][]int32) {
	misfit := c.compareCount(ctx, client)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.joined = true
	c.misfit = misfit
	for _, number := range added[c.topic] {
		c.partitions[number] = &assigned{number: number, client: client, worker: c.newWorker(client, number), untold: earliest}
	}
	// A pause outlives the assignment in which it was made.
	client.ResumeFetchPartitions(added)
	if len(added[c.topic]) > 0 {
		c.log.Info("partitions assigned", "partitions", added[c.topic])
	}
}

// compareCount looks at each rebalance, which is what more partitions lead to.
func (c *consumer) compareCount(ctx context.Context, client *kgo.Client) error {
	if c.expected == 0 {
		return nil
	}
	topics, err := kadm.NewClient(client).ListTopics(ctx, c.topic)
	if err = errors.Join(err, topics[c.topic].Err); err != nil {
		c.log.Warn("counting the topic's partitions", "error", err)
		return nil // where Kafka does not answer, it is for the group to say
	}
	if is := len(topics[c.topic].Partitions); is != c.expected {
		return fatalError{fmt.Errorf("%s has %d partitions instead of %d (topics.partitions), so that people's events are elsewhere than their states; "+
			"see \"Another number of partitions\" in pipeline/DESIGN.md", c.topic, is, c.expected)}
	}
	return nil
}

// revoked runs when no poll is being worked on; the batches are done.
func (c *consumer) revoked(ctx context.Context, client *kgo.Client, gone map[string][]int32) {
	if err := client.CommitMarkedOffsets(ctx); err != nil {
		c.log.Warn("committing offsets on revocation; their next owner may repeat some records", "error", err)
	}
	c.lost(ctx, client, gone)
}

// lost commits nothing: the partitions have a new owner already.
func (c *consumer) lost(_ context.Context, _ *kgo.Client, gone map[string][]int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, number := range gone[c.topic] {
		if p := c.partitions[number]; p != nil {
			p.worker.drop()
			delete(c.partitions, number)
		}
		label := strconv.Itoa(int(number))
		c.metrics.lag.DeleteLabelValues(label)
		c.metrics.behind.DeleteLabelValues(label)
	}
	if len(gone[c.topic]) > 0 {
		c.log.Info("partitions revoked", "partitions", gone[c.topic])
	}
}

// startOffsets claims newly assigned partitions. It runs between assignment and
// the first fetch. What cannot be claimed now is paused and retried by run.
func (c *consumer) startOffsets(ctx context.Context, offsets map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	c.mu.Lock()
	if c.misfit != nil {
		c.mu.Unlock()
		return nil, c.misfit // before anything is claimed; run ends by it
	}
	var todo []*assigned
	for number := range offsets[c.topic] {
		if p := c.partitions[number]; p != nil {
			todo = append(todo, p)
		}
	}
	c.mu.Unlock()
	limited, cancel := context.WithTimeout(ctx, c.claimLimit)
	defer cancel()
	starts := make([]int64, len(todo))
	failures := make([]error, len(todo))
	var wg sync.WaitGroup
	for i, p := range todo {
		wg.Go(func() { starts[i], failures[i] = p.worker.claim(limited, nil) })
	}
	wg.Wait()
	if ctx.Err() != nil {
		return nil, ctx.Err() // revoked meanwhile
	}
	for i, p := range todo {
		switch err := failures[i]; {
		case err != nil:
			// Where to start is set by run; until then it is paused. Not before a
			// second has passed: the client must know of the partition by then.
			c.suspend(p, err, time.Second)
			offsets[c.topic][p.number] = kgo.NewOffset().At(0).WithEpoch(-1)
		case starts[i] == earliest:
			offsets[c.topic][p.number] = kgo.NewOffset().AtStart().WithEpoch(-1)
		default:
			c.mu.Lock()
			p.untold = starts[i]
			c.mu.Unlock()
			offsets[c.topic][p.number] = kgo.NewOffset().At(starts[i]).WithEpoch(-1)
		}
	}
	return offsets, nil
}

// suspend pauses a partition until it is tried again.
func (c *consumer) suspend(p *assigned, err error, atLeast time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p.failures++
	p.lastErr = err
	wait := max(backoff(p.failures), atLeast)
	p.retryAt = time.Now().Add(wait)
	p.client.PauseFetchPartitions(map[string][]int32{c.topic: {p.number}})
	c.metrics.failures.WithLabelValues(strconv.Itoa(int(p.number))).Inc()
	c.log.Warn("partition put back", "partition", p.number, "failures", p.failures, "retry_in", wait, "error", err)
}

// run polls until ctx ends or going on would be wrong.
func (c *consumer) run(ctx context.Context) error {
	c.setRunning(true)
	defer c.setRunning(false)
	for ctx.Err() == nil {
		limit, wait := c.pollBounds()
		pollCtx, cancel := context.WithTimeout(ctx, wait)
		fetches := c.client.PollRecords(pollCtx, limit)
		cancel()
		err := c.handle(ctx, fetches)
		c.client.AllowRebalance()
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *consumer) setRunning(running bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running = running
}

// pollBounds returns how many records to take and how long to wait for them.
func (c *consumer) pollBounds() (limit int, wait time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	wait = idlePoll
	for _, p := range c.partitions {
		if !p.retryAt.IsZero() {
			wait = min(wait, max(time.Until(p.retryAt), time.Millisecond))
		}
	}
	return c.perPoll * max(len(c.partitions), 1), wait
}

// commitSync commits one offset and tells whether the broker takes it: it does
// from the partition's owner only.
func (c *consumer) commitSync(ctx context.Context, partition int32, next int64) error {
	var refused error
	c.client.CommitOffsetsSync(ctx, map[string]map[int32]kgo.EpochOffset{c.topic: {partition: {Epoch: -1, Offset: next}}},
		func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error) {
			refused = commitError(resp, err)
		})
	return refused
}

// ready is nil when the member is in its group and no partition stands still.
func (c *consumer) ready() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var problems []error
	switch {
	case !c.running:
		problems = append(problems, errors.New("not running"))
	case !c.joined:
		problems = append(problems, errors.New("has not joined its consumer group yet"))
	}
	problems = append(problems, c.problem)
	for _, number := range slices.Sorted(maps.Keys(c.partitions)) {
		if p := c.partitions[number]; !p.retryAt.IsZero() {
			problems = append(problems, fmt.Errorf("partition %d of %s stands still: %w", number, c.topic, p.lastErr))
		}
	}
	return errors.Join(problems...)
}
