package chaos

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// fault is something that breaks at a time and is mended some time later.
type fault struct {
	at     time.Duration // from the storm's beginning
	kind   faultKind
	target string // a service, or a link
	length time.Duration
	amount int64 // of bytes that are torn off
}

func (f fault) String() string {
	text := fmt.Sprintf("%5.1f s  %s", f.at.Seconds(), f.kind)
	if f.target != "" {
		text += " " + f.target
	}
	if f.length > 0 {
		text += fmt.Sprintf(" for %.1f s", f.length.Seconds())
	}
	if f.amount > 0 {
		text += fmt.Sprintf(", up to %d bytes", f.amount)
	}
	return text
}

// faultKind is what breaks.
type faultKind string

const (
	killService    faultKind = "kill -9"
	freezeService  faultKind = "freeze past the session timeout"
	tearRedis      faultKind = "restart Redis with a torn tail"
	failOverRedis  faultKind = "fail Redis over to a lagging replica"
	killKafka      faultKind = "kill -9 Kafka"
	killClickHouse faultKind = "kill -9 ClickHouse, down"
	cutLink        faultKind = "cut the link to"
	slowLink       faultKind = "slow the link to"
	loseAnswers    faultKind = "lose the answers of"
)

// sessionTimeout is after how long the group gives a silent member's partitions
// away: the client's default.
const sessionTimeout = 45 * time.Second

// outage is how long ClickHouse stays down in a storm of two minutes or more.
const outage = time.Minute

// schedule draws the faults of a storm. Every kind comes at least once, whatever
// the seed; what a storm is longer than a minute adds more of them.
func schedule(seed uint64, storm time.Duration) []fault {
	dice := rand.New(rand.NewPCG(seed, 0xc4a05))
	between := func(from, to time.Duration) time.Duration { return from + time.Duration(dice.Int64N(int64(to-from)+1)) }
	services := serviceNames()
	frozen := map[string]bool{}
	of := func(kind string) string {
		some := slices.DeleteFunc(slices.Clone(services), func(name string) bool { return frozen[name] || !strings.HasPrefix(name, kind) })
		return some[dice.IntN(len(some))]
	}
	links := []string{"kafka", "redis", "clickhouse"}
	down := min(outage, storm/6)
	draw := func(kind faultKind, target string) fault {
		f := fault{kind: kind, target: target, at: between(storm/20, storm*9/10)}
		switch {
		// A group that loses its coordinator waits for a frozen member, and
		// scores nothing meanwhile: Redis is broken before Kafka is.
		case target == "redis" || kind == tearRedis || kind == failOverRedis:
			f.at = between(storm/10, storm*55/100)
		case target == "kafka" || kind == killKafka:
			f.at = between(storm*65/100, storm*9/10)
		}
		switch kind {
		case killService:
			f.length = between(0, 4*time.Second)
		case freezeService:
			// Early enough to come back while the others are still at it.
			f.at = between(storm/20, max(storm/10, storm-sessionTimeout-20*time.Second))
			f.length = between(sessionTimeout+5*time.Second, sessionTimeout+12*time.Second)
			frozen[target] = storm < 2*time.Minute // nothing else happens to it in a short storm
		case tearRedis:
			f.amount = 1 + dice.Int64N(256<<10)
		case failOverRedis:
			f.length = between(500*time.Millisecond, 3*time.Second)
		case killKafka:
			f.length = between(0, 2*time.Second)
		case killClickHouse:
			f.length = down
		case cutLink:
			f.length = between(time.Second, min(6*time.Second, storm/20))
		case slowLink:
			f.length = between(2*time.Second, min(12*time.Second, storm/12))
		case loseAnswers:
			f.length = between(time.Second, min(5*time.Second, storm/12))
		}
		return f
	}
	faults := []fault{
		draw(freezeService, of("score")), draw(freezeService, of("sink")), draw(freezeService, of("normalise")),
		draw(killService, of("score")), draw(killService, of("normalise")), draw(killService, of("sink")),
		draw(tearRedis, ""), draw(failOverRedis, ""), draw(killKafka, ""), draw(killClickHouse, ""),
		draw(loseAnswers, "redis"), draw(loseAnswers, "clickhouse"), draw(loseAnswers, "kafka"),
	}
	for _, l := range links {
		faults = append(faults, draw(cutLink, l), draw(slowLink, l))
	}
	more := []func() fault{
		func() fault { return draw(killService, of("")) },
		func() fault { return draw(killService, of("score")) },
		func() fault { return draw(freezeService, of("")) },
		func() fault { return draw(tearRedis, "") },
		func() fault { return draw(failOverRedis, "") },
		func() fault { return draw(cutLink, links[dice.IntN(len(links))]) },
		func() fault { return draw(slowLink, links[dice.IntN(len(links))]) },
		func() fault { return draw(loseAnswers, links[dice.IntN(len(links))]) },
	}
	for range max(0, int(storm/(6*time.Second))-10) {
		faults = append(faults, more[dice.IntN(len(more))]())
	}
	slices.SortStableFunc(faults, func(a, b fault) int { return cmp.Compare(a.at, b.at) })
	return faults
}

// serviceNames are the names of the services that startServices starts.
func serviceNames() []string {
	names := []string{"score-1", "score-2", "score-3", "sink-1", "sink-2"}
	for _, source := range []string{"signin", "email", "file", "defender", "hr"} {
		names = append(names, "normalise-"+source+"-1", "normalise-"+source+"-2")
	}
	return names
}

// A seed is a schedule, another seed another one, and all kinds are in each.
func TestSchedule(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(50) {
		for _, storm := range []time.Duration{70 * time.Second, 10 * time.Minute} {
			faults := schedule(seed, storm)
			if again := schedule(seed, storm); !slices.Equal(faults, again) {
				t.Fatalf("seed %d gives two schedules", seed)
			}
			kinds := map[faultKind]int{}
			for _, f := range faults {
				kinds[f.kind]++
				if f.at < 0 || f.at > storm {
					t.Errorf("seed %d: %s comes outside of the storm of %s", seed, f, storm)
				}
				if f.kind == freezeService && f.length <= sessionTimeout {
					t.Errorf("seed %d: %s is no zombie", seed, f)
				}
			}
			if len(kinds) != 9 {
				t.Errorf("seed %d: kinds are %v", seed, kinds)
			}
			seen[fmt.Sprint(faults)] = true
		}
	}
	if len(seen) != 100 {
		t.Errorf("%d schedules of 100", len(seen))
	}
}
