package sink

import (
	"cmp"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

// mutant takes one safeguard away.
type mutant struct {
	name     string
	skip     func(announce bool) bool  // commits that are not made
	early    bool                      // the announcement commits the block's end
	deaf     bool                      // announcements are not read
	anybody  bool                      // the group takes commits of former members
	token    func(token string) string // what ClickHouse is told
	inserted func(err error) error     // what the sink is told
}

func mutants() []*mutant {
	nonce := 0
	return []*mutant{
		{name: "offsets are committed before rows are written", early: true},
		{name: "blocks are not announced", skip: func(announce bool) bool { return announce }},
		{name: "announcements are not read", deaf: true},
		{name: "an insert in doubt is taken for written", inserted: func(error) error { return nil }},
		{name: "former members commit", anybody: true},
		{name: "each attempt has a token of its own", token: func(token string) string { nonce++; return fmt.Sprint(token, nonce) }},
		{name: "offsets are not committed", skip: func(announce bool) bool { return !announce }},
	}
}

// Whatever fails and whoever takes over, every row is there; and once, without
// gaps or overlaps between blocks, as long as ClickHouse remembers their tokens.
func TestSink_simulation(t *testing.T) {
	t.Parallel()
	deps := simulatedDeps(t)
	counts := map[string]int{}
	from, to := simulationSeeds(t, 400)
	for seed := from; seed < to; seed++ {
		s := newSimulation(t, deps, seed, nil)
		if err := s.run(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for name, n := range s.counts {
			counts[name] += n
		}
	}
	for _, must := range []string{"crash after insert", "crash after announcement", "fault after insert", "zombie before insert", "zombie after insert", "zombie after announcement", "refused"} {
		if counts[must] == 0 {
			t.Errorf("no seed has met: %s", must)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%6d %s", counts[name], name)
	}
}

// Each safeguard, taken away, is missed.
func TestSink_simulationCatches(t *testing.T) {
	t.Parallel()
	deps := simulatedDeps(t)
	for _, mutant := range mutants() {
		const seeds = 40
		caught := 0
		var first error
		for seed := range uint64(seeds) {
			if err := newSimulation(t, deps, seed, mutant).run(); err != nil {
				caught++
				first = cmp.Or(first, err)
			}
		}
		t.Logf("%s: wrong in %d of %d seeds, such as: %v", mutant.name, caught, seeds, first)
		if caught == 0 {
			t.Errorf("%s: no seed notices", mutant.name)
		}
	}
}

func simulatedDeps(t testing.TB) Deps {
	return Deps{
		Logger: slog.New(slog.DiscardHandler), Conn: noConn{},
		Events: codec[schemas.Event](t, schemas.EventSchema), Alerts: codec[schemas.Alert](t, schemas.AlertSchema),
		Risks: codec[schemas.Risk](t, schemas.RiskSchema), Identities: codec[schemas.Identity](t, schemas.IdentitySchema),
		EvidenceKeys: codec[schemas.EvidenceKey](t, schemas.EvidenceKeySchema),
		Audits:       codec[schemas.Audit](t, schemas.AuditSchema),
	}
}

// simulationSeeds is how many seeds a test tries; RISKPIPE_TEST_SEEDS=from:to
// runs others.
func simulationSeeds(t *testing.T, count uint64) (from, to uint64) {
	from, to = 0, count
	if text := os.Getenv("RISKPIPE_TEST_SEEDS"); text != "" {
		if _, err := fmt.Sscanf(strings.Replace(text, ":", " ", 1), "%d %d", &from, &to); err != nil {
			t.Fatalf("RISKPIPE_TEST_SEEDS=%q: want from:to: %v", text, err)
		}
	}
	return from, to
}
