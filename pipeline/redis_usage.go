package pipeline

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// RedisUsage is how much riskpipe keeps in Redis.
type RedisUsage struct {
	// States are the users who have one, in all generations; Bytes are those of
	// their states, without keys and what the server adds.
	States int64
	Bytes  int64
}

// scanned is how many keys are asked for at a time.
const scanned = 1000

// Usage counts the states by looking at every key.
func (r *Redis) Usage(ctx context.Context) (RedisUsage, error) {
	var states, bytes atomic.Int64 // masters of a cluster are asked side by side
	err := r.each(ctx, func(ctx context.Context, client redis.Cmdable, keys []string) error {
		pipe := client.Pipeline()
		for _, key := range keys {
			if strings.Contains(key, "}:u:") {
				pipe.StrLen(ctx, key)
			}
		}
		results, err := pipe.Exec(ctx)
		if err != nil && len(results) > 0 {
			return err
		}
		for _, result := range results {
			states.Add(1)
			bytes.Add(result.(*redis.IntCmd).Val()) //nolint:errcheck // StrLen gives nothing else
		}
		return nil
	})
	if err != nil {
		return RedisUsage{}, fmt.Errorf("measuring what is in redis: %w", err)
	}
	return RedisUsage{States: states.Load(), Bytes: bytes.Load()}, nil
}

// Clear removes every key that begins with the prefix, which must not be empty: for
// benches and tests that share a server.
func (r *Redis) Clear(ctx context.Context) error {
	if r.prefix == "" {
		return errors.New("clearing redis: without a prefix that would be everything on the server")
	}
	if err := r.each(ctx, func(ctx context.Context, client redis.Cmdable, keys []string) error {
		pipe := client.Pipeline()
		for _, key := range keys {
			pipe.Unlink(ctx, key)
		}
		_, err := pipe.Exec(ctx)
		return err
	}); err != nil {
		return fmt.Errorf("clearing redis: %w", err)
	}
	return nil
}

// each calls f with all keys of this installation, some at a time.
func (r *Redis) each(ctx context.Context, f func(context.Context, redis.Cmdable, []string) error) error {
	scan := func(ctx context.Context, client redis.Cmdable) error {
		var cursor uint64
		for {
			keys, next, err := client.Scan(ctx, cursor, "*"+r.prefix+"*", scanned).Result()
			if err != nil {
				return err
			}
			ours := keys[:0]
			for _, key := range keys {
				if strings.HasPrefix(key, r.prefix) || strings.HasPrefix(key, "{"+r.prefix) {
					ours = append(ours, key)
				}
			}
			if len(ours) > 0 {
				if err := f(ctx, client, ours); err != nil {
					return err
				}
			}
			if cursor = next; cursor == 0 {
				return nil
			}
		}
	}
	if cluster, ok := r.client.(*redis.ClusterClient); ok {
		return cluster.ForEachMaster(ctx, func(ctx context.Context, master *redis.Client) error { return scan(ctx, master) })
	}
	return scan(ctx, r.client)
}
