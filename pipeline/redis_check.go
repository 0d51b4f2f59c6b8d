package pipeline

import (
	"context"
	"fmt"
	"strings"
)

// RedisFacts are what an operator should know of a Redis before trusting states
// to it.
type RedisFacts struct {
	Version string
	// Eviction is the maxmemory policy; anything but noeviction loses states
	// silently when memory runs out. Empty when the server does not tell.
	Eviction string
	// AppendOnly tells whether states survive a restart.
	AppendOnly bool
}

// Facts asks the server. It fails when the server cannot be reached; what the
// server refuses to tell stays empty.
func (r *Redis) Facts(ctx context.Context) (RedisFacts, error) {
	if err := r.client.Ping(ctx).Err(); err != nil {
		return RedisFacts{}, fmt.Errorf("reaching redis: %w", err)
	}
	var facts RedisFacts
	// An ACL may refuse INFO to a user who can do all that riskpipe needs.
	for line := range strings.Lines(r.client.Info(ctx, "server", "memory", "persistence").Val()) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch key {
		case "redis_version":
			facts.Version = value
		case "maxmemory_policy":
			facts.Eviction = value
		case "aof_enabled":
			facts.AppendOnly = value == "1"
		}
	}
	return facts, nil
}
