package operators

import (
	"github.com/riskpipe/riskpipe/schemas"
)

// departure is what holds of a person's leaving, as the journal has it.
type departure struct {
	fact   hrFact       // factNone when they stay
	notice schemas.Time // 0 when not said
	last   schemas.Time // 0 when not said
	known  schemas.Time // when it was first known
	// terminated is the last day that a termination says of somebody who has
	// resigned as well, 0 when none does. The two come from different files,
	// each of which says its own every day: neither undoes the other.
	terminated schemas.Time
	// facts are the departures in force, by fact.
	facts [factResignation + 1]bool
}

// departure returns what holds of the person's leaving.
func (j journal) departure() departure {
	var d departure
	for fact := factResignation; fact >= factAccountDeletion; fact-- {
		s, found := j.inForce(fact)
		if !found {
			continue
		}
		d.facts[fact] = true
		switch {
		case d.fact == factNone:
			d.fact, d.notice, d.last, d.known = s.fact, s.notice, s.last, s.firstKnown
		case fact == factTermination:
			d.terminated = s.last
		}
	}
	return d
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
	last := l.lastSaid()
	switch {
	case l.notice != 0 && last != 0:
		return dayOf(l.notice), dayOf(last)
	case l.notice != 0:
		return dayOf(l.notice), dayOf(l.notice) + day(notice)
	case last != 0:
		// Known only as an end: the notice cannot have come after it was learned.
		end := dayOf(last)
		return max(end-day(notice), min(dayOf(l.known), end)), end
	default:
		return dayOf(l.known), dayOf(l.known) + day(notice)
	}
}

// text says the departure in words.
func (l departure) text(notice Days) string {
	first, last := l.dates(notice)
	return factText(l.fact) + " with notice on " + dateText(l.notice, first) + " and last working day " + dateText(l.lastSaid(), last)
}

func factText(f hrFact) string {
	return [facts]string{
		"no fact", "account deletion", "termination", "resignation", "performance improvement plan",
		"poor performance review", "move to a lower level", "move to a higher level",
	}[f]
}

func dateText(said schemas.Time, reckoned day) string {
	if said == 0 {
		return reckoned.String() + " (reckoned)"
	}
	return reckoned.String()
}

// since returns the latest day before tomorrow on which the other fact took
// effect; false when it is not in force. What lies in the future has no effect
// yet.
func (j journal) since(fact hrFact, today day) (day, bool) {
	var latest day
	found := false
	for _, s := range j {
		if s.fact == fact && !s.withdrawal && dayOf(s.notice) <= today && (!found || dayOf(s.notice) > latest) {
			latest, found = dayOf(s.notice), true
		}
	}
	return latest, found
}
