package chaos

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/riskpipe/riskpipe/pipeline"
	"github.com/riskpipe/riskpipe/schemas"
)

// sample is what the store holds of one partition at one instant.
type sample struct {
	at        time.Time
	partition int32
	next      int64
	states    map[schemas.Pseudonym]string
}

// partitionTag begins the keys of one partition's states.
func partitionTag(partition int32) string {
	return fmt.Sprintf("{%sevents:g1x%d:p%d}", redisPrefix, eventPartitions, partition)
}

// fence reads a partition's fence, which a partition that was never claimed does
// not have.
func (in *installation) fence(ctx context.Context, partition int32) (pipeline.Fence, bool, error) {
	values, err := in.redis.writer().client.MGet(ctx, partitionTag(partition)+":fence").Result()
	if err != nil {
		return pipeline.Fence{}, false, fmt.Errorf("reading the fence of partition %d: %w", partition, err)
	}
	text, found := values[0].(string)
	if !found {
		return pipeline.Fence{}, false, nil
	}
	fence, err := pipeline.ParseFence(text)
	return fence, true, err
}

// atOneInstant is all that a partition has: keys and values by turns.
const atOneInstant = `
local found = {}
for _, key in ipairs(redis.call('KEYS', ARGV[1] .. '*')) do
	found[#found + 1] = key
	found[#found + 1] = redis.call('GET', key)
end
return found`

// sample reads fence and states of a partition at one instant. Next is -1 when
// there is no fence yet.
func (in *installation) sample(ctx context.Context, partition int32) (sample, error) {
	tag := partitionTag(partition)
	s := sample{at: time.Now(), partition: partition, next: -1, states: map[schemas.Pseudonym]string{}}
	answer, err := in.redis.writer().client.Eval(ctx, atOneInstant, nil, tag+":").StringSlice()
	if err != nil {
		return s, fmt.Errorf("reading the states of partition %d: %w", partition, err)
	}
	for i := 0; i+1 < len(answer); i += 2 {
		key, value := strings.TrimPrefix(answer[i], tag), answer[i+1]
		user, isUser := strings.CutPrefix(key, ":u:")
		switch {
		case isUser && len(user) == len(schemas.Pseudonym{}):
			s.states[schemas.Pseudonym([]byte(user))] = value
		case key == ":fence":
			fence, err := pipeline.ParseFence(value)
			if err != nil {
				return s, err
			}
			s.next = fence.Next
		default:
			return s, fmt.Errorf("reading the states of partition %d: unknown key %q", partition, answer[i])
		}
	}
	return s, nil
}

// sampler takes samples while the storm rages; what cannot be read then is left
// out.
type sampler struct {
	mu      sync.Mutex
	samples []sample
}

func (s *sampler) run(ctx context.Context, in *installation) {
	for i := 0; ctx.Err() == nil; i++ {
		if in.redis.mu.TryLock() {
			limited, cancel := context.WithTimeout(ctx, 2*time.Second)
			taken, err := in.sample(limited, int32(i%eventPartitions))
			cancel()
			in.redis.mu.Unlock()
			if err == nil && taken.next >= 0 {
				s.mu.Lock()
				s.samples = append(s.samples, taken)
				s.mu.Unlock()
			}
		}
		pause(ctx, 300*time.Millisecond)
	}
}

// states are all states that Redis has now, and the fences.
func (in *installation) states(ctx context.Context) (states, fences ledger, err error) {
	states, fences = ledger{}, ledger{}
	for partition := range int32(eventPartitions) {
		s, err := in.sample(ctx, partition)
		if err != nil {
			return nil, nil, err
		}
		for user, state := range s.states {
			states[stateName(partition, user)] = state
		}
		fence, _, err := in.fence(ctx, partition)
		if err != nil {
			return nil, nil, err
		}
		fences[fmt.Sprintf("partition %d", partition)] = position(fence)
	}
	return states, fences, nil
}

// position is what of a fence is the same in every run: how far, not by whom.
func position(f pipeline.Fence) string {
	return fmt.Sprintf("next %d, watermark %d, policies %016x, format %d", f.Next, int64(f.Watermark), uint64(f.Policy), f.Format)
}
