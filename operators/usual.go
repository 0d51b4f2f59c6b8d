package operators

import "slices"

// What is usual for a person, by one indicator, before a day. It is robust: the
// median of the earlier days on which the person did the thing at all, and the
// median of the distances from it (MAD), so that single wild days move neither.
const (
	// usualDays is how far back habits reach.
	usualDays = 60
	// usualGap is how many days it takes until something becomes usual: who
	// begins to take data along must not be excused by yesterday.
	usualGap = 7
	// usualWarm is on how many days something must have been done to be a habit,
	// and usualSpan how many days ago the first of them must lie.
	usualWarm = 5
	usualSpan = 14
	// usualPresence is for how many days a person must have been seen before
	// never having done a thing says something.
	usualPresence = 14
)

// usual is what is usual on a day: the middle of earlier days and the spread
// around it, in thousandths. Known is false while the history is too short to
// tell.
type usual struct {
	computed, known bool
	middle, spread  int64
}

// usualOn returns what is usual before m.days[i]. Low is the indicator's low
// threshold: a quarter of it is the least spread, so that nobody becomes unusual
// by a trifle. Nor is the spread less than that of counts by chance, the square
// root of the middle and one (Poisson), or a fifth of the middle.
//
// What is remembered knows nothing of low: policies share measures, each with its
// own thresholds, and who asked first must not decide for the others.
func (m *measure) usualOn(i int, first day, low int64) usual {
	if len(m.usual) != len(m.days) {
		m.usual = make([]usual, len(m.days))
	}
	if !m.usual[i].computed {
		m.usual[i] = m.computeUsual(i, first)
	}
	u := m.usual[i]
	u.spread = max(u.spread, low*250)
	return u
}

func (m *measure) computeUsual(i int, first day) usual {
	var room [usualDays]int64
	earlier := room[:0]
	d := m.days[i].day
	oldest := d
	for _, a := range m.days[:i] {
		if a.day >= d-usualDays && a.day <= d-usualGap {
			oldest = min(oldest, a.day)
			earlier = append(earlier, a.n)
		}
	}
	u := usual{computed: true, spread: 1}
	switch {
	case len(earlier) >= usualWarm && oldest <= d-usualSpan:
		u.known = true
		slices.Sort(earlier)
		u.middle = earlier[len(earlier)/2]
		for j := range earlier {
			earlier[j] = max(earlier[j]-u.middle, u.middle-earlier[j])
		}
		slices.Sort(earlier)
		// 1.5 MAD is close to a standard deviation of a normal distribution.
		u.spread = max(u.spread, earlier[len(earlier)/2]*1500, u.middle*200, int64(squareRoot(uint64(min(u.middle, 1<<40)+1)*1_000_000)))
	case len(earlier) == 0 && first != 0 && first <= d-usualPresence:
		u.known = true // known not to do this
	}
	return u
}

// distance returns how many spreads n lies above the middle, in thousandths,
// from 0 to 6000.
func (u usual) distance(n int64) int64 {
	over := min(n-u.middle, 1<<42)
	return min(max(over*1_000_000/u.spread, 0), 6000)
}

// factor returns what a day's evidence is multiplied by, in thousandths.
func (b *Booster) factor(u usual, n int64) int64 {
	if !u.known {
		return 1000
	}
	z := u.distance(n)
	if z <= 3000 {
		return int64(b.Minimum) + (1000-int64(b.Minimum))*z/3000
	}
	return 1000 + (int64(b.Maximum)-1000)*(z-3000)/3000
}
