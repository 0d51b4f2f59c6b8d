package pipeline

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"

	"github.com/riskpipe/riskpipe/schemas"
)

// RedisStates is the StateStore in Redis. All keys of a partition share a hash
// tag, hence a slot, a node and a replication stream: a failover that loses the
// last writes takes fence and states back together.
//
//	{<prefix>events:<generation>:p<N>}:fence   the fence
//	{<prefix>events:<generation>:p<N>}:u:<user> the state of a user, 16 raw bytes of pseudonym
type RedisStates struct {
	client     redis.UniversalClient
	prefix     string
	generation string
}

// States returns the states of a generation of the events topic. Partitions
// decide which user is where, so a topic with another number of partitions is
// another generation.
func (r *Redis) States(generation string) *RedisStates {
	return &RedisStates{client: r.client, prefix: r.prefix, generation: generation}
}

func (s *RedisStates) tag(partition int32) string {
	return "{" + s.prefix + "events:" + s.generation + ":p" + strconv.Itoa(int(partition)) + "}"
}

func fenceKey(tag string) string { return tag + ":fence" }

func userPrefix(tag string) string { return tag + ":u:" }

func userKey(tag string, user schemas.Pseudonym) string { return userPrefix(tag) + string(user[:]) }

// Claim implements StateStore.
func (s *RedisStates) Claim(ctx context.Context, partition int32, next func(Fence, bool) (Fence, error)) (Fence, error) {
	key := fenceKey(s.tag(partition))
	var claimed Fence
	err := s.client.Watch(ctx, func(tx *redis.Tx) error {
		stored, err := tx.Get(ctx, key).Result()
		if err != nil && !errors.Is(err, redis.Nil) {
			return err
		}
		if claimed, err = claimNext(stored, next); err != nil {
			return err
		}
		_, err = tx.TxPipelined(ctx, func(p redis.Pipeliner) error {
			p.Set(ctx, key, claimed.String(), 0)
			return nil
		})
		return err
	}, key)
	if err != nil {
		return Fence{}, fmt.Errorf("claiming partition %d in redis: %w", partition, err)
	}
	return claimed, nil
}

// Load implements StateStore with one MGET, which Redis runs at one instant.
func (s *RedisStates) Load(ctx context.Context, partition int32, users []schemas.Pseudonym) (string, [][]byte, error) {
	tag := s.tag(partition)
	keys := make([]string, 1, len(users)+1)
	keys[0] = fenceKey(tag)
	for _, user := range users {
		keys = append(keys, userKey(tag, user))
	}
	values, err := s.client.MGet(ctx, keys...).Result()
	if err != nil {
		return "", nil, fmt.Errorf("reading the states of partition %d from redis: %w", partition, err)
	}
	if len(values) != len(keys) {
		return "", nil, fmt.Errorf("reading the states of partition %d from redis: %d values for %d keys", partition, len(values), len(keys))
	}
	fence, _ := values[0].(string)
	states := make([][]byte, len(users))
	for i, value := range values[1:] {
		if text, found := value.(string); found {
			states[i] = []byte(text)
		}
	}
	return fence, states, nil
}

// Commit implements StateStore with WATCH, a comparison on the client and MULTI:
// a script would cost the server three times as much.
func (s *RedisStates) Commit(ctx context.Context, partition int32, from, to string, states []UserState) error {
	tag := s.tag(partition)
	fence := fenceKey(tag)
	values := make([]any, 0, 2*len(states)+2)
	values = append(values, fence, to)
	var erased []string
	for _, state := range states {
		if state.State == nil {
			erased = append(erased, userKey(tag, state.User))
			continue
		}
		values = append(values, userKey(tag, state.User), state.State)
	}
	err := s.client.Watch(ctx, func(tx *redis.Tx) error {
		stored, err := tx.Get(ctx, fence).Result()
		switch {
		case err != nil && !errors.Is(err, redis.Nil):
			return err
		case stored != from:
			return ErrFenced
		}
		_, err = tx.TxPipelined(ctx, func(p redis.Pipeliner) error {
			p.MSet(ctx, values...)
			if len(erased) > 0 {
				p.Del(ctx, erased...)
			}
			return nil
		})
		return err
	}, fence)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrFenced):
		return ErrFenced
	default:
		// A lost watch is in doubt like any other error: the fence may have been
		// replaced by an earlier attempt of our own.
		return fmt.Errorf("storing the states of partition %d in redis: %w", partition, err)
	}
}
