package chaos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// redisServer is one of the pair.
type redisServer struct {
	process *process
	address string
	data    string
	client  *redis.Client
}

// redisPair is a primary and its replica. Clients come by one link and the
// replica by another, so that the replica can be made to lag and clients be led
// to it.
type redisPair struct {
	mu          sync.Mutex // held while the pair is being broken, and while it is looked at
	servers     [2]*redisServer
	primary     int
	link        *link
	replication *link
}

func startRedis(t *testing.T, s settings, n *network, ports map[int]bool) *redisPair {
	t.Helper()
	p := &redisPair{}
	for i := range p.servers {
		port, name := freePort(t, ports), fmt.Sprintf("redis-%d", i+1)
		server := &redisServer{address: local(port), data: folder(t, s.dir, name)}
		server.process = &process{
			name: name, path: "redis-server", log: filepath.Join(s.dir, name+".log"),
			args: []string{
				"--port", fmt.Sprint(port), "--bind", "127.0.0.1", "--dir", server.data, "--save", "", "--appendonly", "yes",
				"--appendfsync", "everysec", "--auto-aof-rewrite-percentage", "0", "--repl-diskless-sync-delay", "0", "--maxmemory-policy", "noeviction",
			},
		}
		server.client = redis.NewClient(&redis.Options{Addr: server.address, MaxRetries: 3})
		t.Cleanup(func() { server.client.Close() })
		t.Cleanup(server.process.kill)
		p.servers[i] = server
	}
	p.link = n.link(t, "redis", freePort(t, ports), p.servers[0].address)
	p.replication = n.link(t, "redis replication", freePort(t, ports), p.servers[0].address)
	for _, server := range p.servers {
		if err := server.start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.follow(t.Context(), p.servers[1]); err != nil {
		t.Fatal(err)
	}
	return p
}

func (s *redisServer) start(ctx context.Context) error {
	if err := s.process.start(); err != nil {
		return err
	}
	return eventually(ctx, s.process.name+" answers", time.Minute, func(ctx context.Context) error { return s.client.Ping(ctx).Err() })
}

func (p *redisPair) writer() *redisServer  { return p.servers[p.primary] }
func (p *redisPair) replica() *redisServer { return p.servers[1-p.primary] }

// follow makes the server a replica and waits until it has caught up.
func (p *redisPair) follow(ctx context.Context, s *redisServer) error {
	host, port, _ := strings.Cut(p.replication.address(), ":")
	if err := s.client.Do(ctx, "REPLICAOF", host, port).Err(); err != nil {
		return fmt.Errorf("making %s a replica: %w", s.process.name, err)
	}
	return p.caughtUp(ctx)
}

// caughtUp waits until the replica is connected and synchronised.
func (p *redisPair) caughtUp(ctx context.Context) error {
	return eventually(ctx, "the replica has caught up", time.Minute, func(ctx context.Context) error {
		text, err := p.replica().client.Info(ctx, "replication").Result()
		switch {
		case err != nil:
			return err
		case !strings.Contains(text, "master_link_status:up") || !strings.Contains(text, "master_sync_in_progress:0"):
			return errors.New("the replica is not in sync")
		}
		return nil
	})
}

// appended are the append-only files with newest writes, oldest first.
func (s *redisServer) appended() ([]string, error) {
	files, err := filepath.Glob(filepath.Join(s.data, "appendonlydir", "*.incr.aof"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("finding the append-only file of %s: %w", s.process.name, errors.Join(err, os.ErrNotExist))
	}
	slices.SortFunc(files, func(a, b string) int { return len(a) - len(b) + strings.Compare(a, b) })
	return files, nil
}

// tear restarts the primary from its append-only file, of which up to most bytes
// of the end are missing: what a power cut leaves. It returns how many.
func (p *redisPair) tear(ctx context.Context, most int64) (int64, error) {
	s := p.writer()
	s.process.kill()
	files, err := s.appended()
	if err != nil {
		return 0, err
	}
	file := files[len(files)-1]
	info, err := os.Stat(file)
	if err != nil {
		return 0, fmt.Errorf("tearing the append-only file: %w", err)
	}
	torn := min(most, info.Size())
	if err := os.Truncate(file, info.Size()-torn); err != nil {
		return 0, fmt.Errorf("tearing the append-only file: %w", err)
	}
	return torn, s.start(ctx)
}

// failOver lets the replica fall behind, kills the primary and leads all clients
// to the replica. The old primary becomes the replica of the new one. It returns
// by how many bytes of the replication stream the replica was behind.
func (p *redisPair) failOver(ctx context.Context, lag time.Duration) (int64, error) {
	if err := p.caughtUp(ctx); err != nil {
		return 0, err
	}
	p.replication.cut()
	old, next := p.writer(), p.replica()
	// Without a batch that is written meanwhile it would be no lag. Where nobody
	// writes, there is nothing to be lost.
	_ = eventually(ctx, "a batch is written", 15*time.Second, func(ctx context.Context) error {
		lost, err := behind(ctx, old, next)
		if err == nil && lost < 4<<10 {
			err = errors.New("the replica has nearly everything")
		}
		return err
	})
	pause(ctx, lag)
	lost, err := behind(ctx, old, next)
	if err != nil {
		return 0, err
	}
	old.process.kill()
	p.primary = 1 - p.primary
	if err := next.client.Do(ctx, "REPLICAOF", "NO", "ONE").Err(); err != nil {
		return lost, fmt.Errorf("promoting the replica: %w", err)
	}
	if err := p.link.lead(next.address); err != nil {
		return lost, err
	}
	if err := old.start(ctx); err != nil {
		return lost, err
	}
	p.replication.proxy.Upstream = next.address
	if err := p.replication.mend(); err != nil {
		return lost, err
	}
	return lost, p.follow(ctx, old)
}

// behind is how many bytes of writes the replica lacks.
func behind(ctx context.Context, primary, replica *redisServer) (int64, error) {
	var offsets [2]int64
	for i, s := range []*redisServer{primary, replica} {
		text, err := s.client.Info(ctx, "replication").Result()
		if err != nil {
			return 0, fmt.Errorf("asking %s how far it is: %w", s.process.name, err)
		}
		field := []string{"master_repl_offset:", "slave_repl_offset:"}[i]
		_, rest, _ := strings.Cut(text, field)
		if _, err := fmt.Sscanf(rest, "%d", &offsets[i]); err != nil {
			return 0, fmt.Errorf("asking %s how far it is: %w", s.process.name, err)
		}
	}
	return offsets[0] - offsets[1], nil
}
