package pipeline

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/riskpipe/riskpipe/schemas"
)

// RedisNames is Names in Redis, one key a name:
//
//	<prefix>name:<key>   16 raw bytes of keyed hash → the user's pseudonym, a keyed hash of it when
//	                     they are out of scope, or an alert to be joined
//
// The keys lie in all slots of a cluster, so both methods are pipelines of
// single-key commands, one round trip each.
type RedisNames struct {
	client  redis.UniversalClient
	prefix  string
	servers *servers
}

// Names returns the names kept in this Redis.
func (r *Redis) Names() *RedisNames {
	return &RedisNames{client: r.client, prefix: r.prefix + "name:", servers: r.servers}
}

// Servers is how many servers were connected to so far. While it stays, what was stored is there.
func (n *RedisNames) Servers() int64 { return n.servers.met.Load() }

// Lookup implements Names.
func (n *RedisNames) Lookup(ctx context.Context, keys []schemas.Pseudonym) ([][]byte, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	replies := make([]*redis.StringCmd, len(keys))
	_, err := n.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, key := range keys {
			replies[i] = p.Get(ctx, n.prefix+string(key[:]))
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("looking names up in redis: %w", err)
	}
	values := make([][]byte, len(keys))
	for i, reply := range replies {
		value, err := reply.Bytes()
		switch {
		case err == nil:
			values[i] = value
		case !errors.Is(err, redis.Nil):
			return nil, fmt.Errorf("looking a name up in redis: %w", err)
		}
	}
	return values, nil
}

// Learn implements Names.
func (n *RedisNames) Learn(ctx context.Context, names []Name) ([]bool, error) {
	if len(names) == 0 {
		return nil, nil
	}
	firsts := make([]*redis.BoolCmd, len(names))
	_, err := n.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, name := range names {
			key := n.prefix + string(name.Key[:])
			if name.For > 0 || name.Replace {
				p.Set(ctx, key, name.Value, name.For)
			} else {
				firsts[i] = p.SetNX(ctx, key, name.Value, 0)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("storing names in redis: %w", err)
	}
	stored := make([]bool, len(names))
	for i, first := range firsts {
		stored[i] = first == nil || first.Val()
	}
	return stored, nil
}
