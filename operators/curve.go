package operators

import (
	"fmt"

	"github.com/riskpipe/riskpipe/schemas"
)

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

func (c Curve) problems() []error {
	var problems []error
	bad := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	bad(c.AtNotice >= 1000, "at_notice is %s: want 1 or more", c.AtNotice)
	bad(c.Maximum >= c.AtNotice && c.Maximum <= 10_000, "maximum is %s: want at_notice to 10", c.Maximum)
	bad(c.Before >= 1 && c.Fade >= 1 && c.Notice >= 1, "before, fade and notice are 1d or more")
	return problems
}

// at returns the multiplier of evidence of the day in thousandths.
func (c Curve) at(d day, leave departure) int64 {
	if leave.kind == departureNone {
		return 1000
	}
	notice, last := leave.dates(c.Notice)
	peak := last - day(c.LastWeek)
	// A notice inside the last week: the peak begins on it.
	peak = max(peak, notice)
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

// departureKind says how a departure is known.
type departureKind uint8

// The kinds, by how much they say: a record of the HR feed outweighs the
// deletion of an account, which may have other reasons.
const (
	departureNone departureKind = iota
	departureAccountDeletion
	departureTermination
	departureResignation
)

func triggerKind(name string) departureKind {
	switch name {
	case "resignation":
		return departureResignation
	case "termination":
		return departureTermination
	case "account_deletion":
		return departureAccountDeletion
	default:
		return departureNone
	}
}

func (k departureKind) String() string {
	return [...]string{"none", "account deletion", "termination", "resignation"}[k]
}

// departure is what is known of a person's leaving: the newest knowledge wins.
type departure struct {
	kind   departureKind
	notice schemas.Time // 0 when not said
	last   schemas.Time // 0 when not said
	known  schemas.Time // when it was learned
	// terminated is the last day that a termination says of somebody who has
	// resigned as well, 0 when none does. The two come from different files,
	// each of which says its own every day: neither may undo the other.
	terminated schemas.Time
	// withdrawn remembers when a departure was taken back, so that an older
	// record which comes late does not bring it up again.
	withdrawn schemas.Time
}

// lastSaid returns the last working day that was said, 0 when none was: the
// nearer one of resignation and termination, unless the termination belongs to
// an earlier employment.
func (l departure) lastSaid() schemas.Time {
	if l.terminated == 0 || dayOf(l.terminated) < dayOf(l.notice) || l.last != 0 && l.last < l.terminated {
		return l.last
	}
	return l.terminated
}

// dates returns the days of notice and of the last work, the missing one
// reckoned from the other by the usual notice period.
func (l departure) dates(notice Days) (noticeDay, lastDay day) {
	l.last = l.lastSaid()
	switch {
	case l.notice != 0 && l.last != 0:
		return dayOf(l.notice), dayOf(l.last)
	case l.notice != 0:
		return dayOf(l.notice), dayOf(l.notice) + day(notice)
	case l.last != 0:
		// Known only as an end: the notice cannot have come after it was learned.
		return min(dayOf(l.last), max(dayOf(l.last)-day(notice), min(dayOf(l.known), dayOf(l.last)))), dayOf(l.last)
	default:
		return dayOf(l.known), dayOf(l.known) + day(notice)
	}
}

// learn applies an HR or account event and tells whether anything changed.
func (l *departure) learn(e *schemas.Event) bool {
	var body schemas.HR
	if e.HR != nil {
		body = *e.HR
	}
	next := departure{known: e.Time, notice: body.Resigned, last: body.LastDay, withdrawn: l.withdrawn}
	withdrawn := body.Withdrawn
	switch e.Activity {
	case "hr.resignation":
		next.kind = departureResignation
		if next.notice == 0 {
			next.notice = body.Effective
		}
	case "hr.termination":
		next.kind = departureTermination
		if next.last == 0 {
			next.last = body.Effective
		}
	case "account.deleted", "hr.account_disabled":
		next.kind, next.last = departureAccountDeletion, e.Time
	case "hr.resignation_withdrawn", "hr.termination_withdrawn":
		withdrawn = true
	default:
		return false
	}
	if e.Time < max(l.known, l.withdrawn) {
		return false // older knowledge, come late
	}
	if withdrawn {
		if l.kind == departureNone && l.withdrawn != 0 {
			return false // taken back already
		}
		*l = departure{withdrawn: e.Time}
		return true
	}
	switch {
	case next.kind == departureResignation && l.kind == departureResignation:
		next.terminated = l.terminated
		if next.last != 0 && dayOf(next.last) < dayOf(l.notice) {
			return false // an earlier employment, which the file still holds
		}
	case next.kind == departureResignation && l.kind == departureTermination:
		next.terminated = l.last
	case next.kind == departureTermination && l.kind == departureResignation:
		changed := next.last != 0 && next.last != l.terminated
		if changed {
			l.terminated = next.last
		}
		return changed
	}
	if next.kind == l.kind && next.notice == l.notice && next.last == l.last {
		return false // the daily file says it again
	}
	if next.kind == departureAccountDeletion && l.kind != departureNone {
		return false // the HR feed says more, and the first deletion says when
	}
	*l = next
	return true
}
