package chaos

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

// network holds the links over which the services reach their servers.
type network struct{ server *toxiproxy.ApiServer }

func newNetwork() *network {
	zerolog.SetGlobalLevel(zerolog.Disabled) // toxics log to the standard logger, whatever they are given
	return &network{server: toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())}
}

// link is one way to a server, which can be cut, slowed, made to lose answers,
// and led to another server.
type link struct {
	name  string
	proxy *toxiproxy.Proxy
	mu    sync.Mutex
}

// link listens on the port and leads to the address.
func (n *network) link(t *testing.T, name string, port int, upstream string) *link {
	t.Helper()
	l := &link{name: name, proxy: toxiproxy.NewProxy(n.server, name, local(port), upstream)}
	if err := l.proxy.Start(); err != nil {
		t.Fatalf("opening the link to %s: %v", name, err)
	}
	t.Cleanup(l.proxy.Stop)
	return l
}

func local(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

func (l *link) address() string { return l.proxy.Listen }

// cut ends all connections and lets none in.
func (l *link) cut() { l.proxy.Stop() }

// mend takes the cut back.
func (l *link) mend() error {
	if err := l.proxy.Start(); err != nil {
		return fmt.Errorf("mending the link to %s: %w", l.name, err)
	}
	return nil
}

// lead ends all connections and leads new ones to another server.
func (l *link) lead(upstream string) error {
	l.proxy.Stop()
	l.proxy.Upstream = upstream
	return l.mend()
}

// afflict adds a toxic of the kind in one direction for a while: downstream is
// what the server answers.
func (l *link) afflict(ctx context.Context, kind, direction, attributes string, length time.Duration) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	name := kind + "_" + direction
	text := fmt.Sprintf(`{"name":%q,"type":%q,"stream":%q,"toxicity":1,"attributes":%s}`, name, kind, direction, attributes)
	if _, err := l.proxy.Toxics.AddToxicJson(strings.NewReader(text)); err != nil {
		return fmt.Errorf("making the link to %s worse: %w", l.name, err)
	}
	pause(ctx, length)
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := l.proxy.Toxics.RemoveToxic(limited, name); err != nil {
		return fmt.Errorf("mending the link to %s: %w", l.name, err)
	}
	return nil
}

// slow delays every answer by 100 to 300 ms.
func (l *link) slow(ctx context.Context, length time.Duration) error {
	return l.afflict(ctx, "latency", "downstream", `{"latency":200,"jitter":100}`, length)
}

// narrow lets so many kilobytes a second through to the server.
func (l *link) narrow(ctx context.Context, kilobytes int, length time.Duration) error {
	return l.afflict(ctx, "bandwidth", "upstream", fmt.Sprintf(`{"rate":%d}`, kilobytes), length)
}

// loseAnswers lets requests through and no answer back: what was asked for is
// done, and who asked does not learn of it.
func (l *link) loseAnswers(ctx context.Context, length time.Duration) error {
	return l.afflict(ctx, "timeout", "downstream", `{"timeout":0}`, length)
}

func pause(ctx context.Context, length time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(length):
	}
}
