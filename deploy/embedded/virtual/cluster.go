// Package virtual is a fake Kafka for tests inside a bubble of testing/synctest, where hours pass in
// milliseconds. Each client is connected by a cable of its own, which can be pulled or made slow.
//
// It guarantees that nothing in it blocks on the world outside, so that the bubble's clock can go on;
// for the Kafka client to keep that promise, tests must be built with -tags synctests. It may import
// kfake, kgo and testing. Only tests may import it.
package virtual

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Cluster is a fake Kafka of three brokers on a network of its own.
type Cluster struct {
	*kfake.Cluster
	network *kfake.VirtualNetwork
}

// NewCluster starts a cluster; it ends with the test.
func NewCluster(tb testing.TB, opts ...kfake.Opt) *Cluster {
	tb.Helper()
	network := &kfake.VirtualNetwork{}
	cluster, err := kfake.NewCluster(append([]kfake.Opt{kfake.ListenFn(network.Listen), kfake.Ports(9092, 9093, 9094)}, opts...)...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(cluster.Close)
	return &Cluster{cluster, network}
}

// Cable returns a new cable to the cluster, plugged in.
func (c *Cluster) Cable() *Cable {
	return &Cable{cluster: c, connections: map[*connection]bool{}, plugged: closed(), delay: roundTrip}
}

// Cable is the network between one client and the cluster.
type Cable struct {
	cluster *Cluster

	mu          sync.Mutex
	connections map[*connection]bool
	plugged     chan struct{} // closed while the cable is plugged in
	delay       time.Duration
}

// roundTrip is how long an answer takes at least. Without it a client and a broker that disagree
// about a leader ask and answer for ever, since the clock goes on only when all wait.
const roundTrip = time.Millisecond

// dialTimeout is that of the client's own dialer.
const dialTimeout = 10 * time.Second

// Options are those of a client on this cable.
func (c *Cable) Options() []kgo.Opt {
	return []kgo.Opt{kgo.SeedBrokers(c.cluster.ListenAddrs()...), kgo.Dialer(c.dial)}
}

// Pull lets everything that is sent from now on, either way, get lost without a word.
func (c *Cable) Pull() {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.plugged:
		c.plugged = make(chan struct{})
	default:
	}
	for conn := range c.connections {
		conn.cut()
	}
}

// Plug connects again; connections from before stay dead.
func (c *Cable) Plug() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.connections {
		conn.Conn.Close()
	}
	clear(c.connections)
	select {
	case <-c.plugged:
	default:
		close(c.plugged)
	}
}

// Slow makes each answer take so long.
func (c *Cable) Slow(delay time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.delay = delay
}

func (c *Cable) dial(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	c.mu.Lock()
	plugged := c.plugged
	c.mu.Unlock()
	select {
	case <-plugged:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	inner, err := c.cluster.network.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	conn := &connection{Conn: inner, cable: c, severed: make(chan struct{})}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.connections[conn] = true
	return conn, nil
}

// connection is one over a cable.
type connection struct {
	net.Conn
	cable   *Cable
	once    sync.Once
	severed chan struct{} // closed when the cable was pulled
}

func (c *connection) cut() { c.once.Do(func() { close(c.severed) }) }

func (c *connection) isCut() bool {
	select {
	case <-c.severed:
		return true
	default:
		return false
	}
}

// Read returns nothing of what comes after the cut, until the deadline or the end.
func (c *connection) Read(b []byte) (int, error) {
	for {
		n, err := c.Conn.Read(b)
		c.cable.mu.Lock()
		delay := c.cable.delay
		c.cable.mu.Unlock()
		if err == nil {
			time.Sleep(delay)
		}
		if err != nil || !c.isCut() {
			return n, err
		}
	}
}

// Write takes what nobody will get.
func (c *connection) Write(b []byte) (int, error) {
	if c.isCut() {
		return len(b), nil
	}
	return c.Conn.Write(b)
}

// Close ends the connection.
func (c *connection) Close() error {
	c.cable.mu.Lock()
	delete(c.cable.connections, c)
	c.cable.mu.Unlock()
	return c.Conn.Close()
}

func closed() chan struct{} {
	ch := make(chan struct{})
	close(ch)
	return ch
}
