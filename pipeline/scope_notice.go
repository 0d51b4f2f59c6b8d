package pipeline

import (
	"log/slog"
	"sync"
	"time"

	"github.com/riskpipe/riskpipe/schemas"
)

// scopeNotices say in log and metrics what scope is in force: at the start, and
// when a temporary scope begins or ends. Each is said once. It is safe for
// concurrent use.
type scopeNotices struct {
	scope   *Scope
	log     *slog.Logger
	metrics *normaliserMetrics
	now     func() time.Time

	mu     sync.Mutex
	states []TemporaryState // as they were last said
}

// start says what is in force, and what is not and why.
func (n *scopeNotices) start() {
	digest := n.scope.Digest().String()
	n.log.Info("scope in force", "scope", n.scope.Description(), "digest", digest)
	n.metrics.scope.WithLabelValues(digest).Set(1)
	for _, problem := range n.scope.Unsigned() {
		n.log.Warn("a temporary scope is not applied", "problem", problem)
	}
	n.metrics.temporary.WithLabelValues("unsigned").Set(float64(len(n.scope.Unsigned())))
	if n.scope == nil {
		return
	}
	n.states = make([]TemporaryState, len(n.scope.temporary))
	n.tell()
}

// tell says which temporary scopes have begun or ended since it was last called.
func (n *scopeNotices) tell() {
	if len(n.states) == 0 {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	now := schemas.TimeOf(n.now())
	changed := false
	for i := range n.states {
		t := &n.scope.temporary[i]
		state := t.state(now)
		if state == n.states[i] {
			continue
		}
		n.states[i], changed = state, true
		switch state {
		case TemporaryAhead:
			n.log.Info("a temporary scope is ahead", "name", t.name, "from", t.from, "until", t.until)
		case TemporaryInForce:
			n.log.Info("a temporary scope is in force", "name", t.name, "from", t.from, "until", t.until)
		case TemporaryEnded:
			n.log.Warn("a temporary scope has ended: only late events of its time are still judged by it; take it out of the file", "name", t.name, "until", t.until)
		}
	}
	if !changed {
		return
	}
	counts := map[TemporaryState]int{TemporaryAhead: 0, TemporaryInForce: 0, TemporaryEnded: 0}
	for _, state := range n.states {
		counts[state]++
	}
	for state, count := range counts {
		n.metrics.temporary.WithLabelValues(string(state)).Set(float64(count))
	}
}
