package operators

import "slices"

// evidence is what one indicator brings, in thousandths of a point.
type evidence struct {
	base   int64 // by itself
	total  int64 // with boosters and modifiers
	days   int   // days with any
	peak   daily // the day that brings most by itself
	recent int64 // the most that a day of the last week brings, before decay
}

// daily is what a day brings.
type daily struct {
	day    day
	n      int64
	lane   string // the lane that gave the points, empty for all
	points int64  // after decay
	boost  int64  // how unusual it is, in thousandths
}

// maxDays is how many days of one indicator can count: the history, today, and
// some of a person's first-seen values that share no day.
const maxDays = historyDays + 2

// scratch is room for one evaluation, so that the steady state allocates
// nothing.
type scratch struct {
	arrival   arrival
	days      [maxDays]daily
	amounts   [maxDays]amount
	resolved  [maxModifiers]resolved
	evidence  []evidence
	standings []standing
	terms     []term
	values    [maxEventValues]uint32
	things    [maxEventValues]uint32
}

// maxEventValues is how many values of a list one event can count for.
const maxEventValues = 64

// points maps an amount to evidence in thousandths of a point: linearly from
// nothing through the three thresholds, and flat beyond the highest.
func (p *PointScale) points(t *Thresholds, amount int64) int64 {
	switch {
	case amount <= 0:
		return 0
	case amount <= int64(t.Low):
		return scale(int64(p.Low), amount, int64(t.Low))
	case amount <= int64(t.Medium):
		return int64(p.Low) + scale(int64(p.Medium-p.Low), amount-int64(t.Low), int64(t.Medium-t.Low))
	case amount <= int64(t.High):
		return int64(p.Medium) + scale(int64(p.High-p.Medium), amount-int64(t.Medium), int64(t.High-t.Medium))
	default:
		return int64(p.High)
	}
}

// scale returns y·n/d rounded down for 0 <= n <= d, without overflow for
// amounts of bytes.
func scale(y, n, d int64) int64 {
	for d > 1<<31 {
		n, d = n>>1, d>>1
	}
	if d == 0 {
		return y
	}
	return y * n / d
}

// strongestDays is how many days of an indicator count.
const strongestDays = 8

// strongest adds the evidence of several days up: the strongest day counts in
// full, the i-th strongest i^-1.5.
type strongest struct {
	top [strongestDays]int64
	n   int
}

func (s *strongest) add(points int64) {
	i := s.n
	if i < strongestDays {
		s.n++
	} else if i--; s.top[i] >= points {
		return
	}
	for ; i > 0 && s.top[i-1] < points; i-- {
		s.top[i] = s.top[i-1]
	}
	s.top[i] = points
}

func (s *strongest) sum() (total int64) {
	for i, points := range s.top[:s.n] {
		total += points * weights[i+1] / weightScale
	}
	return total
}

// series returns what the indicator measured, by day.
func (u *use) series(s *State, room *scratch) (*measure, []amount) {
	switch u.kind {
	case measureOffHours:
		return nil, s.hoursOff()
	case measureAfterLeave:
		return nil, s.hoursAfter(room.amounts[:0])
	case measureCumulative:
		if _, level := s.cumulative(u.of, u.critical); level > 0 {
			return nil, append(room.amounts[:0], amount{s.today, level})
		}
		return nil, nil
	}
	m := s.find(u.key)
	switch {
	case m == nil:
		return nil, nil
	case u.kind == measureFirstSeen:
		list := m.novelties(s.first, room.amounts[:0])
		return m, list
	case u.windowDays > 1:
		list := m.sliding(day(u.windowDays), room.amounts[:0])
		return m, list
	default:
		return m, m.days
	}
}

// noveltyWarm is for how many days a person must have been seen before something
// can be new.
const noveltyWarm = 14

// novelties returns, by day, how many values were first seen then.
func (m *measure) novelties(first day, list []amount) []amount {
	for _, v := range m.values {
		d := v.firstDay()
		if d < first+noveltyWarm {
			continue
		}
		i, found := slices.BinarySearchFunc(list, d, func(a amount, d day) int { return int(a.day - d) })
		switch {
		case found:
			list[i].n++
		case len(list) < maxDays:
			list = slices.Insert(list, i, amount{d, 1})
		}
	}
	return list
}

// firstDay returns the day on which the value was first seen, UTC: a day or so
// is no matter for what is new.
func (v *value) firstDay() day { return dayOf(v.first.at) }

// sliding returns, for each day, the sum over so many days up to it.
func (m *measure) sliding(window day, list []amount) []amount {
	for i, end := range m.days {
		sum := int64(0)
		for j := i; j >= 0 && end.day-m.days[j].day < window; j-- {
			sum += m.days[j].n
		}
		list = append(list, amount{end.day, sum})
	}
	return list
}

// gather fills room.days with what each day since since brings.
func (c *compiled) gather(s *State, u *use, since day, room *scratch) []daily {
	m, series := u.series(s, room)
	if len(series) == 0 {
		return nil
	}
	var lanes [maxLanes]*measure
	for i := range u.lanes {
		lanes[i] = s.find(u.lanes[i].key)
	}
	list := room.days[:0]
	for i, a := range series {
		if a.day < since || a.day > s.today+1 || len(list) == maxDays {
			continue
		}
		d := daily{day: a.day, n: a.n, points: u.Points.points(&u.Thresholds, a.n), boost: 1000}
		for j := range u.lanes {
			lane := &u.lanes[j]
			if n := lanes[j].amountOn(a.day); n > 0 {
				if points := lane.Points.points(&lane.Thresholds, n); points > d.points {
					d.points, d.n, d.lane = points, n, lane.name
				}
			}
		}
		if d.points == 0 {
			continue
		}
		if u.Habitual && len(c.boosters) > 0 && m != nil && u.windowDays <= 1 {
			habit := m.usualOn(i, s.first, int64(u.Thresholds.Low))
			for j := range c.boosters {
				d.boost = d.boost * c.boosters[j].factor(habit, a.n) / 1000
			}
		}
		list = append(list, d)
	}
	return list
}

// amountOn returns what was measured on the day.
func (m *measure) amountOn(d day) int64 {
	if m == nil {
		return 0
	}
	for i := len(m.days) - 1; i >= 0 && m.days[i].day >= d; i-- {
		if m.days[i].day == d {
			return m.days[i].n
		}
	}
	return 0
}

// without names the factor that weigh leaves out: a modifier by its index, all
// boosters, or neither.
type without int

const (
	withoutNothing  without = -1
	withoutBoosters without = -2
	withoutAny      without = -3 // evidence by itself
)

// weigh adds up the days that gather found, under all factors but one. Decay has
// happened: it lowers days, not factors.
func (c *compiled) weigh(u *use, list []daily, room *scratch, skip without) int64 {
	var sum strongest
	for i := range list {
		points := list[i].points
		if skip != withoutAny {
			if skip != withoutBoosters {
				points = points * list[i].boost / 1000
			}
			for j := range c.modifiers {
				if without(j) != skip && !room.resolved[j].neutral {
					points = points * room.resolved[j].at(list[i].day) / 1000
				}
			}
		}
		sum.add(points)
	}
	if u.windowDays > 1 {
		return sum.top[0] // windows overlap: one counts
	}
	return sum.sum()
}

// evaluate returns what the indicator brings as of today.
func (c *compiled) evaluate(s *State, u *use, since day, room *scratch) (e evidence) {
	list := c.gather(s, u, since, room)
	for i := range list {
		d := &list[i]
		if d.day > s.today-7 {
			e.recent = max(e.recent, d.points)
		}
		d.points = decayed(d.points, Days(s.today-d.day), u.HalfLife)
		if d.points > e.peak.points || e.peak.n == 0 {
			e.peak = *d
		}
	}
	e.days = len(list)
	if e.days == 0 {
		return e
	}
	e.base = c.weigh(u, list, room, withoutAny)
	e.total = e.base
	if u.boosted || c.modified {
		e.total = c.weigh(u, list, room, withoutNothing)
	}
	// The limit bounds evidence; boosters and modifiers multiply what it left.
	if limit := int64(u.Limit); limit > 0 && e.base > limit {
		e.total = limit * e.total / e.base
		e.base = limit
	}
	return e
}
