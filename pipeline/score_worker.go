package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/operators"
	"github.com/riskpipe/riskpipe/schemas"
)

// scoreWorker scores one partition of the events topic. What it holds in memory
// is the store's content as of its fence, or nothing.
type scoreWorker struct {
	partition int32
	batchSize int
	timeout   time.Duration
	cacheSize int

	topics     schemas.Topics
	engine     Engine
	store      StateStore
	events     *schemas.Codec[schemas.Event]
	alerts     *schemas.Codec[schemas.Alert]
	risks      *schemas.Codec[schemas.Risk]
	produce    func(context.Context, []*kgo.Record) error
	letters    *deadLetters
	breaker    *breaker
	metrics    *scorerMetrics
	log        *slog.Logger
	now        func() time.Time
	sleep      func(context.Context, time.Duration) error
	nonce      func() string
	generation func() int32 // of the consumer group

	out     operators.Output // reused from batch to batch
	decoded []scoreEvent     // likewise
	claimed bool
	fence   Fence
	stored  string // the fence as stored
	cache   *lru[schemas.Pseudonym, *cachedState]
	poison  map[int64]string // stacks of events that made the engine panic
}

// cachedState is a user's state. Dirty says that it is ahead of the store,
// erased that the store is to have none.
type cachedState struct {
	state  State
	dirty  bool
	erased bool
}

// claim writes a fence of this worker's own over the stored one, so that no
// predecessor can write any more, and returns the position found there.
func (w *scoreWorker) claim(ctx context.Context, prove func(int64) error) (int64, error) {
	w.drop()
	if prove != nil {
		if err := w.prove(ctx, prove); err != nil {
			return 0, err
		}
	}
	start := time.Now()
	fence, err := w.store.Claim(ctx, w.partition, w.successor)
	w.metrics.redis.WithLabelValues("claim").Observe(time.Since(start).Seconds())
	if err != nil {
		return 0, err
	}
	if w.fence.Nonce != "" && fence.Next < w.fence.Next {
		w.metrics.rewinds.Inc()
		w.log.Warn("the store has lost its last writes; scoring them again", "from_offset", fence.Next, "to_offset", w.fence.Next)
	}
	w.fence, w.stored, w.claimed = fence, fence.String(), true
	w.log.Info("partition claimed", "next_offset", fence.Next, "epoch", fence.Epoch)
	return fence.Next, nil
}

// prove asks the broker whether the partition is ours, by committing the offset
// that the store has. Without a fence nobody has anything to lose.
func (w *scoreWorker) prove(ctx context.Context, prove func(int64) error) error {
	stored, _, err := w.store.Load(ctx, w.partition, nil)
	if err != nil || stored == "" {
		return err
	}
	current, err := ParseFence(stored)
	if err != nil {
		return fatalError{err}
	}
	if current.Next == earliest {
		return nil
	}
	return prove(current.Next)
}

// successor is the fence of a new claim.
func (w *scoreWorker) successor(current Fence, found bool) (Fence, error) {
	next := Fence{
		Epoch: max(current.Epoch+1, int64(w.generation())), Nonce: w.nonce(), Next: earliest,
		Policy: w.engine.Hash(), Format: w.engine.StateFormat(), Since: earliest,
	}
	if !found {
		w.log.Info("no fence in the store: scoring from the topic's first record")
		return next, nil
	}
	if current.Format == formatDiscarding {
		return Fence{}, errDiscarding
	}
	if current.Format > next.Format {
		return Fence{}, fatalError{fmt.Errorf("the states of partition %d have format %d and this riskpipe knows %d: start the newer one, or make them anew with riskpipe rebuild --discard",
			w.partition, current.Format, next.Format)}
	}
	if current.Policy != next.Policy {
		w.log.Info("the policy set changes", "from_offset", current.Next, "from_policy", current.Policy, "to_policy", next.Policy)
		current.Since = current.Next
	}
	next.Next, next.Watermark, next.Since = current.Next, current.Watermark, current.Since
	return next, nil
}

// drop forgets all that is in memory.
func (w *scoreWorker) drop() {
	w.claimed = false
	w.cache = newLRU[schemas.Pseudonym, *cachedState]()
	w.metrics.cacheUsers.DeleteLabelValues(strconv.Itoa(int(w.partition)))
}

// process scores records in batches. After an error nothing is left in memory,
// so that the states need no copies: a batch that failed half-way is loaded anew.
func (w *scoreWorker) process(ctx context.Context, records []*kgo.Record) (int64, error) {
	if !w.claimed {
		return records[0].Offset, errUnclaimed
	}
	for len(records) > 0 && ctx.Err() == nil {
		done, err := w.batch(ctx, records[:min(len(records), w.batchSize)])
		if err != nil {
			next := w.fence.Next
			w.drop()
			if errors.Is(err, ErrFenced) {
				w.metrics.fenced.Inc()
			}
			return max(next, records[0].Offset), err
		}
		records = records[done:]
	}
	return w.fence.Next, nil
}

// skipDone drops records that the states contain already, and complains about
// records that are missing: the topic is neither compacted nor transactional.
func (w *scoreWorker) skipDone(records []*kgo.Record) []*kgo.Record {
	first := 0
	for first < len(records) && records[first].Offset < w.fence.Next {
		first++
	}
	records = records[first:]
	if len(records) > 0 && w.fence.Next != earliest && records[0].Offset > w.fence.Next {
		w.metrics.gaps.Inc()
		w.log.Error("records are missing from the topic and were not scored", "from_offset", w.fence.Next, "to_offset", records[0].Offset)
	}
	return records
}

// batch scores the records, or as many as can be done at once, and returns how
// many. The order is what makes it safe: alerts, then states and position in
// one transaction.
func (w *scoreWorker) batch(ctx context.Context, all []*kgo.Record) (done int, err error) {
	// A shutdown lets the batch finish.
	effects, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.timeout)
	defer cancel()
	records := w.skipDone(all)
	if len(records) == 0 {
		return len(all), nil
	}
	b, err := w.decode(records)
	if err != nil {
		return 0, err
	}
	if err := w.load(effects, b); err != nil {
		return 0, err
	}
	if at := w.score(b); at >= 0 {
		// The engine panicked over this event: its user's state is half done, so
		// that all states are loaded anew. What lies before it is done first and
		// by itself, so that many such events cost no more than twice the work.
		w.cache = newLRU[schemas.Pseudonym, *cachedState]()
		skipped := len(all) - len(records)
		if at == 0 {
			return skipped, nil
		}
		return w.batch(ctx, all[:skipped+at])
	}
	if err := w.breaker.count(len(records), len(b.letters)); err != nil {
		return 0, err
	}
	if err := w.produce(effects, b.records); err != nil {
		return 0, err
	}
	if err := w.letters.write(effects, b.letters); err != nil {
		return 0, err
	}
	produced := w.now()
	if err := w.commit(effects, b); err != nil {
		return 0, err
	}
	w.cache.trim(w.cacheSize)
	w.count(b, produced)
	return len(all), nil
}
