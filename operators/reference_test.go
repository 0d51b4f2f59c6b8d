package operators

import (
	"maps"
	"math/big"
	"slices"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

// The published formula once more, in rational numbers and 200-bit floats,
// written from its description and sharing nothing with the engine.

func rat(a, b int64) *big.Rat { return big.NewRat(a, b) }

func real200(r *big.Rat) *big.Float { return new(big.Float).SetPrec(200).SetRat(r) }

// referencePoints maps an amount through (0, 0), (low, …), (medium, …), (high, …).
func referencePoints(amount int64, x, y [3]int64) *big.Rat {
	x0, y0 := int64(0), int64(0)
	for i := range x {
		if amount <= x[i] {
			share := rat(amount-x0, x[i]-x0)
			return share.Add(rat(y0, 1), share.Mul(share, rat(y[i]-y0, 1)))
		}
		x0, y0 = x[i], y[i]
	}
	return rat(y0, 1)
}

// referenceDecay is 2^(-age/halfLife), the fraction cut to 64ths: by square roots.
func referenceDecay(age, halfLife int64) *big.Float {
	whole, steps := age/halfLife, age%halfLife*64/halfLife
	f := new(big.Float).SetPrec(200).SetMantExp(big.NewFloat(1).SetPrec(200), -int(whole))
	root := new(big.Float).SetPrec(200).SetFloat64(0.5)
	for bit := int64(32); bit > 0; bit /= 2 {
		root.Sqrt(root)
		if steps&bit != 0 {
			f.Mul(f, root)
		}
	}
	return f
}

// referenceCurve is the departure curve at day d of a notice on day n and a last
// day l: 30 days before, 1.8 at notice, 3 in the last 7 days, held for 30, faded
// over 60.
func referenceCurve(d, n, l int64) *big.Rat {
	line := func(x, x0, x1 int64, y0, y1 *big.Rat) *big.Rat {
		r := new(big.Rat).Sub(y1, y0)
		return r.Add(y0, r.Mul(r, rat(x-x0, x1-x0)))
	}
	one, atNotice, top := rat(1, 1), rat(18, 10), rat(3, 1)
	peak := max(l-7, n)
	l = max(l, peak)
	switch {
	case d <= n-30:
		return one
	case d < n:
		return line(d, n-30, n, one, atNotice)
	case d < peak:
		return line(d, n, peak, atNotice, top)
	case d <= l+30:
		return top
	case d < l+90:
		return line(d, l+30, l+90, top, one)
	default:
		return one
	}
}

// referenceEvidence adds days up: the strongest in full, the i-th i^-1.5.
func referenceEvidence(days []*big.Float) *big.Float {
	slices.SortFunc(days, func(a, b *big.Float) int { return b.Cmp(a) })
	total := new(big.Float).SetPrec(200)
	for i, d := range days[:min(len(days), 8)] {
		n := new(big.Float).SetPrec(200).SetInt64(int64(i+1) * int64(i+1) * int64(i+1))
		total.Add(total, new(big.Float).Quo(d, n.Sqrt(n)))
	}
	return total
}

// referenceScore is 100·x/(x+K), in thousandths.
func referenceScore(x *big.Float, k int64) schemas.Points {
	sum := new(big.Float).Add(x, new(big.Float).SetInt64(k))
	score, _ := new(big.Float).Quo(new(big.Float).Mul(x, big.NewFloat(100_000)), sum).Int64()
	return schemas.Points(score)
}

// roundings is how far the two may lie apart, in thousandths of a point.
const roundings = 20

// Golden vectors: copies to removable media on some days, with and without a
// resignation, scored by the engine and by the reference. They agree to
// 0.02 points, which is what rounding down at every step may lose.
func TestGolden(t *testing.T) {
	thresholds, points := [3]int64{5, 20, 50}, [3]int64{8, 20, 40}
	for name, c := range map[string]struct {
		copies       map[int64]int64 // by age in days
		notice, last int64           // days from today; notice 0 and last 0 for nobody who leaves
		plain, want  schemas.Points  // by hand, 0 where only the reference tells
	}{
		"one day at low, last week":          {map[int64]int64{0: 5}, -7, 7, 12_121, 29_268},
		"one day at medium, last week":       {map[int64]int64{0: 20}, -7, 7, 25_641, 50_847},
		"one day at high, last week":         {map[int64]int64{0: 50}, -7, 7, 40_816, 67_415},
		"far beyond high":                    {map[int64]int64{0: 2000}, -7, 7, 40_816, 67_415},
		"between the thresholds":             {map[int64]int64{0: 13}, -7, 7, 19_889, 42_687},
		"a half life ago, before the notice": {map[int64]int64{30: 50}, -1, 13, 25_641, 26_146},
		"today of the notice":                {map[int64]int64{0: 50}, 0, 30, 40_816, 55_384},
		"three days in a row":                {map[int64]int64{0: 50, 1: 50, 2: 50}, -10, 4, 0, 0},
		"ten days":                           {map[int64]int64{0: 6, 1: 7, 2: 8, 3: 9, 4: 10, 5: 11, 6: 12, 7: 13, 8: 14, 9: 15}, -40, 1, 0, 0},
		"after the last day":                 {map[int64]int64{1: 20, 3: 20}, -60, -10, 0, 0},
		"fading":                             {map[int64]int64{0: 30}, -90, -60, 0, 0},
		"notice inside the last week":        {map[int64]int64{0: 25, 4: 25}, -2, 1, 0, 0},
		"odd ages":                           {map[int64]int64{7: 17, 19: 33, 23: 5, 51: 40}, -20, 9, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := newStory(t, func(l *Library) { l.Policies[0].Boosters, l.Policies[0].Indicators = nil, []Use{{Use: "copy_to_usb"}} })
			today := int64(dayOf(monday))
			var plain, lifted []*big.Float
			for _, age := range slices.Backward(slices.Sorted(maps.Keys(c.copies))) {
				n := c.copies[age]
				p.fold(files("file.copied_to_removable_media", int(n), monday-days(int(age)))...)
				day := new(big.Float).Mul(real200(referencePoints(n, thresholds, points)), referenceDecay(age, 30))
				plain = append(plain, day)
				lifted = append(lifted, new(big.Float).Mul(day, real200(referenceCurve(today-age, today+c.notice, today+c.last))))
			}
			p.fold(resignation(monday+millisPerHour, monday+days(int(c.notice)), monday+days(int(c.last))))
			// Something of today, so that evidence is as of today.
			p.fold(files("file.printed", 1, monday+2*millisPerHour)...)
			got := p.score("leaver")
			if want := referenceScore(referenceEvidence(lifted), 58); apart(got, want) > roundings {
				t.Errorf("score is %s, the reference says %s", got, want)
			}
			without := referenceScore(referenceEvidence(plain), 58)
			if c.want != 0 && (apart(got, c.want) > roundings || apart(without, c.plain) > roundings) {
				t.Errorf("score is %s and %s without the resignation, the table says %s and %s", got, without, c.want, c.plain)
			}
			if len(p.out.Alerts) == 0 {
				return
			}
			a := p.last("leaver")
			if got := a.Counterfactuals[0]; got.Without != "resignation" || apart(got.Score, without) > roundings {
				t.Errorf("without the resignation %s, the reference says %s", got.Score, without)
			}
			if got := a.Contributions[0].Points; apart(got, without) > roundings {
				t.Errorf("the indicator's line is %s, the reference says %s", got, without)
			}
		})
	}
}

func apart(a, b schemas.Points) schemas.Points { return max(a-b, b-a) }

// The uplift of each day, by the engine and by the reference.
func TestGolden_curve(t *testing.T) {
	c := Curve{Before: 30, AtNotice: 1800, Maximum: 3000, LastWeek: 7, Hold: 30, Fade: 60, Notice: 30}
	for _, period := range []int64{0, 1, 3, 7, 14, 30, 90, 180} {
		for d := int64(-40); d < period+100; d++ {
			thousandths := new(big.Rat).Mul(referenceCurve(1000+d, 1000, 1000+period), rat(1000, 1))
			want := new(big.Int).Quo(thousandths.Num(), thousandths.Denom()).Int64()
			if got := c.between(day(1000+d), 1000, day(1000+period)); max(got-want, want-got) > 1 {
				t.Errorf("notice period %d, day %d: %d, the reference says %d", period, d, got, want)
			}
		}
	}
}
