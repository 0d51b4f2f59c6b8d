package embedded

import (
	"fmt"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// Redis is a Redis server in this process.
type Redis struct {
	server *miniredis.Miniredis
	stop   chan struct{}
	done   chan struct{}
}

// StartRedis starts a server on host:port of loopback; "" is a free port. Keys expire
// as on a real server: the fake alone would wait to be told that time has passed.
func StartRedis(addr string) (*Redis, error) {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	if err := onLoopback(addr); err != nil {
		return nil, fmt.Errorf("starting Redis: %w", err)
	}
	server := miniredis.NewMiniRedis()
	if err := server.StartAddr(addr); err != nil {
		return nil, fmt.Errorf("starting Redis: %w; is the port in use?", err)
	}
	r := &Redis{server: server, stop: make(chan struct{}), done: make(chan struct{})}
	go r.tick()
	return r, nil
}

// tick moves the fake's clock on; it ends with Close.
func (r *Redis) tick() {
	defer close(r.done)
	const step = 50 * time.Millisecond
	ticker := time.NewTicker(step)
	defer ticker.Stop()
	last := time.Now()
	for {
		select {
		case <-r.stop:
			return
		case now := <-ticker.C:
			r.server.FastForward(now.Sub(last))
			last = now
		}
	}
}

// Addr returns host:port.
func (r *Redis) Addr() string { return r.server.Addr() }

// Server gives tests miniredis' own controls.
func (r *Redis) Server() *miniredis.Miniredis { return r.server }

// Close stops the server; its keys are gone. It may be called once.
func (r *Redis) Close() error {
	close(r.stop)
	<-r.done
	r.server.Close()
	return nil
}
