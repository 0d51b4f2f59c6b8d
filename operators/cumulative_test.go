package operators

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The critical values are those of the beta-binomial distribution.
func TestCumulative_critical(t *testing.T) {
	// The same distribution by the gamma function.
	beta := func(x, y float64) float64 {
		a, _ := math.Lgamma(x)
		b, _ := math.Lgamma(y)
		c, _ := math.Lgamma(x + y)
		return a + b - c
	}
	tail := func(k int, a, b float64) (sum float64) {
		for i := max(k, 0); i <= cumulativeDays; i++ {
			x, y := float64(i), float64(cumulativeDays-i)
			sum += math.Exp(beta(x+a, y+b)-beta(a, b)-beta(x+1, y+1)) / (cumulativeDays + 1)
		}
		return sum
	}
	table := newCritical()
	for known := range cumulativeBefore + 1 {
		for hits := range known + 1 {
			a, b := float64(hits+priorHits), float64(known-hits+priorMisses)
			for i, from := range table[known][hits] {
				limit := 1 / float64(falseAlarms[i])
				if got := tail(int(from), a, b); got > limit*(1+1e-6) {
					t.Errorf("%d of %d days: %d days have probability %g, over %g", hits, known, from, got, limit)
				}
				if got := tail(int(from)-1, a, b); got < limit*(1-1e-6) {
					t.Errorf("%d of %d days: %d days would do", hits, known, from-1)
				}
			}
		}
	}
}

// Honest people whose days are drawn at their own steady rate are called
// unusual as rarely as the package says: what estimating the rate from sixty
// days costs is part of the statement.
func TestCumulative_falseAlarms(t *testing.T) {
	const months = 40_000
	table := newCritical()
	dice := rand.New(rand.NewPCG(1, 2))
	for _, rate := range []float64{0.01, 0.05, 0.1, 0.2, 0.4, 0.7, 1} {
		var alarms [3]int
		for range months {
			s := State{today: 1000, first: 900, measures: []measure{{key: 1}}}
			for d := day(911); d <= 1000; d++ {
				if dice.Float64() < rate {
					s.measures[0].days = append(s.measures[0].days, amount{d, 1})
				}
			}
			_, level := s.cumulative([]uint32{1}, table)
			for i := range level {
				alarms[i]++
			}
		}
		t.Logf("rate %.2f: %.2f, %.3f and %.3f of 1,000 months at low, medium and high", rate,
			float64(alarms[0])*1000/months, float64(alarms[1])*1000/months, float64(alarms[2])*1000/months)
		if low := float64(alarms[0]) / months; low > cumulativeFalseAlarm {
			t.Errorf("rate %.2f: %.2f of 1,000 months are false alarms", rate, 1000*low)
		}
	}
}

// cumulativeFalseAlarm is the rate of false alarms at low that the package
// states, for a person at a steady rate and one look.
const cumulativeFalseAlarm = 0.005
