package pipeline

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// RedisUsage is how much riskpipe keeps in Redis.
type RedisUsage struct {
	// States are the users who have one, in all generations; Bytes are those of
	// their states, without keys and what the server adds.
	States int64
	Bytes  int64
}

// Usage counts the states by looking at every key. Some may be counted twice while
// there are changes.
func (r *Redis) Usage(ctx context.Context) (RedisUsage, error) {
	var usage RedisUsage
	err := r.scan(ctx, "{"+r.prefix+"events:", func(ctx context.Context, client *redis.Client, keys []string) error {
		pipe := client.Pipeline()
		var lengths []*redis.IntCmd
		for _, key := range keys {
			if strings.Contains(key, "}:u:") {
				lengths = append(lengths, pipe.StrLen(ctx, key))
			}
		}
		if len(lengths) == 0 {
			return nil
		}
		_, err := pipe.Exec(ctx)
		for _, length := range lengths {
			usage.States++
			usage.Bytes += length.Val()
		}
		return err
	})
	if err != nil {
		return RedisUsage{}, fmt.Errorf("measuring what is in redis: %w", err)
	}
	return usage, nil
}

// Clear removes every key that begins with the prefix, which must not be empty: for
// benches and tests that share a server.
func (r *Redis) Clear(ctx context.Context) error {
	if r.prefix == "" {
		return errors.New("clearing redis: without a prefix that would be everything on the server")
	}
	for _, begin := range []string{r.prefix, "{" + r.prefix} {
		if err := r.scan(ctx, begin, func(ctx context.Context, client *redis.Client, keys []string) error {
			pipe := client.Pipeline()
			for _, key := range keys {
				pipe.Unlink(ctx, key)
			}
			if pipe.Len() == 0 {
				return nil
			}
			_, err := pipe.Exec(ctx)
			return err
		}); err != nil {
			return fmt.Errorf("clearing redis: %w", err)
		}
	}
	return nil
}
