package pipeline

import (
	"bufio"
	"context"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// servers counts the Redis servers that were connected to. While the number stays, what was stored is
// there: a server that was started again has another run_id, and one that was made the primary
// another master_replid. https://redis.io/docs/latest/commands/info/
type servers struct {
	met atomic.Int64

	mu    sync.Mutex
	known map[string]bool
}

// meet looks whom a new connection leads to. A server that does not say who it is counts each time.
func (s *servers) meet(ctx context.Context, conn *redis.Conn) error {
	info, err := conn.Info(ctx).Result()
	id := serverID(info)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil && id != "" && s.known[id] {
		return nil
	}
	s.known[id] = true
	s.met.Add(1)
	return nil
}

func serverID(info string) (id string) {
	for lines := bufio.NewScanner(strings.NewReader(info)); lines.Scan(); {
		switch name, value, _ := strings.Cut(lines.Text(), ":"); name {
		case "run_id", "master_replid":
			id += value + " "
		}
	}
	return id
}
