package operators

import (
	"cmp"
	"slices"
)

// points maps a day's amount to evidence in thousandths of a point: linearly
// from nothing through the three thresholds, and flat beyond the highest.
func (ind *Indicator) points(amount int64) int64 {
	t, p := ind.Thresholds, ind.Points
	x := [...]int64{0, int64(t.Low), int64(t.Medium), int64(t.High)}
	y := [...]int64{0, int64(p.Low), int64(p.Medium), int64(p.High)}
	for i := 1; i < len(x); i++ {
		if amount <= x[i] {
			return y[i-1] + scale(y[i]-y[i-1], amount-x[i-1], x[i]-x[i-1])
		}
	}
	return y[3]
}

// scale returns y·n/d rounded down for 0 <= n <= d, without overflow for
// amounts of bytes.
func scale(y, n, d int64) int64 {
	for d > 1<<31 {
		n, d = n>>1, d>>1
	}
	return y * n / d
}

// weigh adds the evidence of several days of one indicator: the strongest day
// counts in full, the i-th strongest i^-1.5. It sorts days.
func weigh(days []int64) int64 {
	slices.SortFunc(days, func(a, b int64) int { return cmp.Compare(b, a) })
	var total int64
	for i, points := range days {
		total += points * weights[min(i+1, historyDays)] / weightScale
	}
	return total
}

// evidence is what one indicator brings, in thousandths of a point.
type evidence struct {
	base     int64   // by itself
	modified []int64 // with all modifiers but one, by modifier, then with all
	days     int     // days with any
	peak     daily   // the day that brings most
}

// scratch is room for one evaluation, so that the steady state allocates
// little.
type scratch struct {
	base [historyDays + 2]int64 // what each day brings by itself
	days [historyDays + 2]int64 // the same modified, then sorted
}

// evaluateIndicator fills e, which is zero but for its room for modified, as of
// the state's clock.
func (c *compiled) evaluateIndicator(s *State, ind *compiledIndicator, e *evidence, room *scratch) {
	m := s.find(ind.key)
	if m == nil {
		return
	}
	today := dayOf(s.clock)
	var best int64
	base := room.base[:0]
	for i := range m.days {
		d := &m.days[i]
		points := decayed(ind.points(d.amount), Days(today-d.day), ind.HalfLife)
		if points > best {
			best, e.peak = points, *d
		}
		base = append(base, points)
	}
	e.days = len(m.days)
	e.base = weigh(append(room.days[:0], base...))
	for without := range e.modified {
		list := append(room.days[:0], base...)
		for i := range c.Modifiers {
			if i == without {
				continue
			}
			for j := range list {
				list[j] = list[j] * c.Modifiers[i].Curve.at(m.days[j].day, s.leave) / 1000
			}
		}
		e.modified[without] = weigh(list)
	}
	if limit := int64(ind.Limit); limit > 0 {
		// The limit bounds evidence; modifiers multiply what it left.
		for i := range e.modified {
			if e.base > limit {
				e.modified[i] = limit * e.modified[i] / e.base
			}
		}
		e.base = min(e.base, limit)
	}
}
