package operators

import (
	"math"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

// The integer tables follow the real functions they stand for.
func TestTables(t *testing.T) {
	for i, got := range halfPowers {
		if want := math.Exp2(-float64(i)/decaySteps) * one32; math.Abs(float64(got)-want) > 16 {
			t.Errorf("2^(-%d/%d) is %d, want %.0f", i, decaySteps, got, want)
		}
	}
	for i := 1; i < len(weights); i++ {
		if want := math.Pow(float64(i), -1.5) * weightScale; math.Abs(float64(weights[i])-want) > 1 {
			t.Errorf("weight %d is %d, want %.1f", i, weights[i], want)
		}
	}
}

// Evidence halves every half life and never rises with age.
func TestDecayed(t *testing.T) {
	for halfLife := Days(1); halfLife <= 90; halfLife += 7 {
		previous := int64(40_000)
		for age := range Days(400) {
			got := decayed(40_000, age, halfLife)
			if got > previous {
				t.Fatalf("half life %s: %d points at age %d, %d before", halfLife, got, age, previous)
			}
			previous = got
		}
		if got := decayed(40_000, halfLife, halfLife); got != 20_000 {
			t.Errorf("half life %s: %d left after one", halfLife, got)
		}
	}
}

// A day's amount maps to points linearly between the thresholds.
func TestPointScale(t *testing.T) {
	points := func(t Thresholds, amount int64) int64 {
		p := PointScale{10_000, 30_000, 40_000}
		return p.points(&t, amount)
	}
	for amount, want := range map[int64]int64{0: 0, 1: 1000, 5: 5000, 10: 10_000, 15: 20_000, 20: 30_000, 30: 35_000, 40: 40_000, 41: 40_000, 1 << 50: 40_000} {
		if got := points(Thresholds{10, 20, 40}, amount); got != want {
			t.Errorf("%d counts %d, want %d", amount, got, want)
		}
	}
	if got := points(Thresholds{1 << 40, 1 << 45, 1 << 49}, 1<<45+1<<48); got < 30_000 || got > 40_000 {
		t.Errorf("large amounts overflow: %d", got)
	}
}

// The departure curve is continuous, never below one, highest in the last week,
// and one before and long after.
func TestCurve(t *testing.T) {
	c := Curve{Before: 30, AtNotice: 1800, Maximum: 3000, LastWeek: 7, Hold: 30, Fade: 60, Notice: 30}
	m := modifier{Modifier: Modifier{Curve: &c}}
	at := func(d day, leave departure) int64 {
		r := m.resolve(&State{leave: leave})
		return r.at(d)
	}
	for name, leave := range map[string]departure{
		"usual":                  {fact: factResignation, notice: monday, last: monday + days(60), known: monday},
		"short notice":           {fact: factResignation, notice: monday, last: monday + days(3), known: monday},
		"same day":               {fact: factTermination, notice: monday, last: monday, known: monday},
		"last day only":          {fact: factTermination, last: monday + days(20), known: monday},
		"notice only":            {fact: factResignation, notice: monday, known: monday},
		"last day before notice": {fact: factResignation, notice: monday, last: monday - days(40), known: monday},
	} {
		t.Run(name, func(t *testing.T) {
			notice, last := leave.dates(c.Notice)
			previous := int64(1000)
			for d := notice - 200; d < last+300; d++ {
				got := at(d, leave)
				if got < 1000 || got > 3000 {
					t.Fatalf("%s: %d", d, got)
				}
				// A day moves it by no more than the steepest stretch does; a
				// notice inside the last week is the one steep step.
				if diff := got - previous; (diff > 1300 || diff < -100) && d != notice {
					t.Fatalf("%s: jump of %d", d, diff)
				}
				previous = got
			}
			if got := at(max(last, notice), leave); got != 3000 {
				t.Errorf("on the last day: %d", got)
			}
			if at(notice-31, leave) != 1000 || at(max(last, notice)+91, leave) != 1000 {
				t.Error("not one far from the departure")
			}
		})
	}
	if got := at(dayOf(monday), departure{}); got != 1000 {
		t.Errorf("without a departure: %d", got)
	}
}

// Days before 1970 are floored like all others.
func TestDayOf(t *testing.T) {
	for at, want := range map[schemas.Time]day{0: 0, 1: 0, millisPerDay - 1: 0, millisPerDay: 1, -1: -1, -millisPerDay: -1, -millisPerDay - 1: -2} {
		if got := dayOf(at); got != want {
			t.Errorf("day of %d is %d, want %d", at, got, want)
		}
	}
}
