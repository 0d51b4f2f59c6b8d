package pipeline

import (
	"fmt"
	"os"
	"strings"
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
	counts := map[string]int{}
	from, to := simulationSeeds(t, 1000)
	for seed := from; seed < to; seed++ {
		s := newSimulation(t, c, seed, "")
		if err := s.run(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for name, n := range s.counts {
			counts[name] += n
		}
		counts["repeated alerts"] += s.outbox.repeats
	}
	for _, must := range []string{"rollback", "crash", "repeated alerts", "zombie before commit", "zombie after produce", "fault after commit", "erasure"} {
		if counts[must] == 0 {
			t.Errorf("no seed has met: %s", must)
		}
	}
	t.Log(counts)
}

// Each safeguard, taken away, is missed by the simulation.
func TestScoreWorker_simulationCatches(t *testing.T) {
	t.Parallel()
	c := newCodecs(t)
	for _, mutant := range []string{
		"fence not compared", "states and fence not in one transaction", "states read apart from the fence", "acknowledgements not awaited",
	} {
		caught, seeds := 0, uint64(0)
		for ; seeds < 300 && caught < 5; seeds++ {
			if newSimulation(t, c, seeds, mutant).run() != nil {
				caught++
			}
		}
		t.Logf("%s: wrong in %d of %d seeds", mutant, caught, seeds)
		if caught == 0 {
			t.Errorf("%s: no seed notices", mutant)
		}
	}
}
