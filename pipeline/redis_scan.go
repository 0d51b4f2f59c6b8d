package pipeline

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
)

// scanCount is how many keys the server looks at for one answer: some
// milliseconds of its time.
const scanCount = 5000

// scan calls page with all keys that begin so, some at a time; a key may come
// twice.
func (r *Redis) scan(ctx context.Context, begin string, page func(context.Context, *redis.Client, []string) error) error {
	node := func(ctx context.Context, client *redis.Client) error {
		return scanNode(ctx, client, begin, func(keys []string) error { return page(ctx, client, keys) })
	}
	switch client := r.client.(type) {
	case *redis.ClusterClient:
		var mu sync.Mutex // the masters are asked side by side
		var masters []*redis.Client
		if err := client.ForEachMaster(ctx, func(_ context.Context, master *redis.Client) error {
			mu.Lock()
			defer mu.Unlock()
			masters = append(masters, master)
			return nil
		}); err != nil {
			return err
		}
		for _, master := range masters {
			if err := node(ctx, master); err != nil {
				return err
			}
		}
		return nil
	case *redis.Client:
		return node(ctx, client)
	default:
		return fmt.Errorf("a client of type %T cannot be searched", client)
	}
}

// scanNode is scan on one node.
func scanNode(ctx context.Context, node redis.Cmdable, begin string, page func(keys []string) error) error {
	var cursor uint64
	for {
		keys, next, err := node.Scan(ctx, cursor, globQuote(begin)+"*", scanCount).Result()
		if err != nil {
			return err
		}
		if err := page(keys); err != nil {
			return err
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}

// globQuote makes a text match itself alone.
func globQuote(text string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`).Replace(text)
}
