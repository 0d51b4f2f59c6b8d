package pipeline

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

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

// Whatever fails, whoever interferes and whatever the store forgets, every
// stored state is a prefix of the fold and the alerts are those of the fold.
func TestScoreWorker_simulation(t *testing.T) {
	t.Parallel()
	c := newCodecs(t)
	var mu sync.Mutex
	counts := map[string]int{}
	from, to := simulationSeeds(t, 400)
	var wg sync.WaitGroup
	const lanes = 4
	for lane := range uint64(lanes) {
		wg.Go(func() {
			for seed := from + lane; seed < to; seed += lanes {
				s := newSimulation(t, c, seed, nil)
				if err := s.run(); err != nil {
					t.Errorf("seed %d: %v", seed, err)
					return
				}
				mu.Lock()
				for name, n := range s.counts {
					counts[name] += n
				}
				counts["repeated alerts"] += s.outbox.repeats
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for _, must := range []string{
		"rollback", "crash after commit", "repeated alerts", "zombie before commit", "zombie after produce", "zombie after load",
		"fault after commit", "answer lost", "late commit applied", "late produce", "late arrival",
	} {
		if counts[must] == 0 {
			t.Errorf("no seed has met: %s", must)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%6d %s", counts[name], name)
	}
}

// Each safeguard, taken away, is missed by the simulation.
func TestScoreWorker_simulationCatches(t *testing.T) {
	t.Parallel()
	c := newCodecs(t)
	for _, mutant := range mutants() {
		const seeds = 40
		caught := 0
		var first error
		for seed := range uint64(seeds) {
			if err := newSimulation(t, c, seed, mutant).run(); err != nil {
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
