package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/riskpipe/riskpipe/schemas"
)

// commit stores the batch's states and the new position, and knows afterwards
// whether they are stored.
func (w *scoreWorker) commit(ctx context.Context, b *scoreBatch) error {
	states, err := w.dirtyStates(b)
	if err != nil {
		return err
	}
	next := w.fence
	next.Next, next.Watermark = b.next, b.watermark
	to := next.String()
	if err := w.settle(ctx, to, states); err != nil {
		return err
	}
	for _, user := range b.dirty {
		if cached, found := w.cache.get(user); found {
			cached.dirty, cached.erased = false, false
		}
	}
	w.fence, w.stored = next, to
	return nil
}

func (w *scoreWorker) dirtyStates(b *scoreBatch) ([]UserState, error) {
	states := make([]UserState, 0, len(b.dirty))
	var buf []byte
	for _, user := range b.dirty {
		cached, _ := w.cache.get(user)
		if cached.erased {
			states = append(states, UserState{User: user})
			continue
		}
		start := len(buf)
		longer, err := cached.state.AppendBinary(buf)
		if err != nil {
			return nil, fatalError{fmt.Errorf("encoding the state of %s: %w", user.Short(), err)}
		}
		buf = longer
		states = append(states, UserState{User: user, State: buf[start:len(buf):len(buf)]})
	}
	return states, nil
}

// settle commits until it is known to have been done, or that it can no longer
// be done. An error of the store says nothing: a transaction whose answer was
// lost may have been made, even after the next question was answered. The fence
// tells. It holds this worker's nonce and the batch's end, so that nobody else
// can have written it; and a transaction that comes late watches the fence and
// finds it changed.
func (w *scoreWorker) settle(ctx context.Context, to string, states []UserState) error {
	var last error
	for attempt := 1; ; attempt++ {
		start := time.Now()
		err := w.store.Commit(ctx, w.partition, w.stored, to, states)
		w.metrics.redis.WithLabelValues("commit").Observe(time.Since(start).Seconds())
		if err == nil {
			return nil
		}
		if !errors.Is(err, ErrFenced) {
			last = err
			w.metrics.inDoubt.Inc()
		}
		current, err := w.current(ctx)
		switch {
		case err != nil && ctx.Err() != nil:
			return fmt.Errorf("not knowing whether the batch was stored: %w", errors.Join(last, err))
		case err != nil:
			last = err
		case current == to:
			return nil
		case current != w.stored:
			return ErrFenced
		}
		if err := w.sleep(ctx, backoff(attempt)); err != nil {
			return fmt.Errorf("storing the batch: %w", errors.Join(last, err))
		}
	}
}

// current reads the fence as stored.
func (w *scoreWorker) current(ctx context.Context) (string, error) {
	fence, _, err := w.store.Load(ctx, w.partition, []schemas.Pseudonym(nil))
	return fence, err
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
