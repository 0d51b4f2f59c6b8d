package pipeline

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/riskpipe/riskpipe/schemas"
)

// Users tells each of the partition's users that have a state, in batches. Who
// had one before the call and has it still is told; who comes or goes meanwhile
// may be; some are told twice. The server looks at all of its keys, once for
// each call.
func (s *RedisStates) Users(ctx context.Context, partition int32, each func(users []schemas.Pseudonym) error) error {
	tag := s.tag(partition)
	node := redis.Cmdable(s.client)
	if cluster, ok := s.client.(*redis.ClusterClient); ok {
		master, err := cluster.MasterForKey(ctx, fenceKey(tag))
		if err != nil {
			return fmt.Errorf("finding the node of partition %d in the redis cluster: %w", partition, err)
		}
		node = master
	}
	prefix := userPrefix(tag)
	if err := scanNode(ctx, node, prefix, func(keys []string) error {
		users := make([]schemas.Pseudonym, 0, len(keys))
		for _, key := range keys {
			if raw := strings.TrimPrefix(key, prefix); len(raw) == len(schemas.Pseudonym{}) {
				users = append(users, schemas.Pseudonym([]byte(raw)))
			}
		}
		if len(users) == 0 {
			return nil
		}
		return each(users)
	}); err != nil {
		return fmt.Errorf("going through the users of partition %d in redis: %w", partition, err)
	}
	return nil
}

// formatDiscarding stands in the fence of a partition whose states are being
// thrown away. Nobody claims such a partition; builds that do not know it take
// it for a newer format and stop.
const formatDiscarding = 1<<31 - 1

var errDiscarding = errors.New("the partition's states are being thrown away by riskpipe rebuild --discard; if none is running, run it again")

// removedAtOnce bounds the keys of one transaction.
const removedAtOnce = 1000

// Discard throws the partition's states and position away, so that scoring
// starts from the topic's first record. Whoever scores the partition is fenced
// first and waits until it is done. Whatever is left of a call that failed the
// next one removes; of several at once the last one goes on.
func (s *RedisStates) Discard(ctx context.Context, partition int32, nonce string) error {
	fence, err := s.Claim(ctx, partition, func(current Fence, _ bool) (Fence, error) {
		return Fence{Epoch: current.Epoch + 1, Nonce: nonce, Next: earliest, Format: formatDiscarding, Since: earliest}, nil
	})
	if err != nil {
		return err
	}
	tag, stored := s.tag(partition), fence.String()
	err = s.Users(ctx, partition, func(users []schemas.Pseudonym) error {
		for len(users) > 0 {
			some := users[:min(len(users), removedAtOnce)]
			users = users[len(some):]
			keys := make([]string, len(some))
			for i, user := range some {
				keys[i] = userKey(tag, user)
			}
			if err := s.remove(ctx, tag, stored, keys); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = s.remove(ctx, tag, stored, []string{fenceKey(tag)})
	}
	if err != nil {
		return fmt.Errorf("throwing the states of partition %d away: %w", partition, err)
	}
	return nil
}

// remove removes keys as long as the fence is the one given: another call may
// have finished, and a scorer begun.
func (s *RedisStates) remove(ctx context.Context, tag, fence string, keys []string) error {
	return s.client.Watch(ctx, func(tx *redis.Tx) error {
		stored, err := tx.Get(ctx, fenceKey(tag)).Result()
		switch {
		case err != nil && !errors.Is(err, redis.Nil):
			return err
		case stored != fence:
			return ErrFenced
		}
		_, err = tx.TxPipelined(ctx, func(p redis.Pipeliner) error {
			p.Unlink(ctx, keys...)
			return nil
		})
		return err
	}, fenceKey(tag))
}
