package operators

import (
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
func (ind *Indicator) weigh(days []int64) int64 {
	slices.SortFunc(days, func(a, b int64) int {
		switch {
		case a > b:
			return -1
		case a < b:
			return 1
		}
		return 0
	})
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
	days [historyDays + 2]int64
}

// evidence evaluates the indicator as of the state's clock.
func (c *compiled) evidence(s *State, ind *compiledIndicator, room *scratch) evidence {
	e := evidence{modified: make([]int64, len(c.Modifiers)+1)}
	m := s.find(ind.key)
	if m == nil {
		return e
	}
	today := dayOf(s.clock)
	var best int64
	base := func(d *daily) int64 {
		return decayed(ind.points(d.amount), Days(today-d.day), ind.HalfLife)
	}
	each := func(of func(d *daily) int64) int64 {
		list := room.days[:0]
		for i := range m.days {
			list = append(list, of(&m.days[i]))
		}
		return ind.weigh(list)
	}
	e.days = len(m.days)
	e.base = each(func(d *daily) int64 {
		points := base(d)
		if points > best {
			best, e.peak = points, *d
		}
		return points
	})
	for without := range e.modified {
		e.modified[without] = each(func(d *daily) int64 {
			points := base(d)
			for i := range c.Modifiers {
				if i != without {
					points = points * c.Modifiers[i].Curve.at(d.day, s.leave) / 1000
				}
			}
			return points
		})
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
	return e
}
