package operators

// Curve multiplies evidence by how near a departure is. It is continuous,
// nowhere below 1, and a function of calendar days alone:
//
//	1.0 ── rises from `before` days ahead of the notice to at_notice on it
//	    ── rises on to maximum, reached last_week days ahead of the last day
//	    ── is held until `hold` days after the last day
//	    ── falls back to 1.0 over `fade` days
//
// Evidence that is zero stays zero, so a departure alone scores nothing.
type Curve struct {
	Before   Days        `yaml:"before"`
	AtNotice Thousandths `yaml:"at_notice"`
	Maximum  Thousandths `yaml:"maximum"`
	LastWeek Days        `yaml:"last_week"`
	Hold     Days        `yaml:"hold"`
	Fade     Days        `yaml:"fade"`
	// Notice is the notice period to assume while only one date is known.
	Notice Days `yaml:"notice"`
}

// between returns the multiplier of evidence of the day in thousandths, for a
// departure with notice on the one day and last work on the other.
func (c *Curve) between(d, notice, last day) int64 {
	// A notice inside the last week: the peak begins on it.
	peak := max(last-day(c.LastWeek), notice)
	last = max(last, peak)
	switch start, end := notice-day(c.Before), last+day(c.Hold); {
	case d <= start:
		return 1000
	case d < notice:
		return between(d, start, notice, 1000, int64(c.AtNotice))
	case d < peak:
		return between(d, notice, peak, int64(c.AtNotice), int64(c.Maximum))
	case d <= end:
		return int64(c.Maximum)
	default:
		return between(min(d, end+day(c.Fade)), end, end+day(c.Fade), int64(c.Maximum), 1000)
	}
}

// between interpolates linearly from y0 at x0 to y1 at x1.
func between(x, x0, x1 day, y0, y1 int64) int64 {
	return y0 + (y1-y0)*int64(x-x0)/int64(x1-x0)
}

// at returns the multiplier of evidence of the day in thousandths, for a fact
// that took effect on the day since.
func (h HREffect) at(d, since day) int64 {
	top := int64(h.Factor)
	switch start, end := since-day(h.Before), since+day(h.Hold); {
	case d <= start && h.Before > 0, d < start:
		return 1000
	case d < since:
		return between(d, start, since, 1000, top)
	case d <= end:
		return top
	case h.Fade == 0:
		return 1000
	default:
		return between(min(d, end+day(h.Fade)), end, end+day(h.Fade), top, 1000)
	}
}

// At returns the multiplier of evidence of a day for somebody who gives notice on
// day 0 and works until day last; days count from the notice and may be negative.
func (c *Curve) At(d, last int) Thousandths {
	return Thousandths(c.between(day(d), 0, day(last)))
}

// Peak returns the day, counted from the notice, from which on the curve is at its
// maximum.
func (c *Curve) Peak(last int) int { return max(last-int(c.LastWeek), 0) }
