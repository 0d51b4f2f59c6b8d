package operators

import (
	"cmp"
	"slices"

	"github.com/riskpipe/riskpipe/schemas"
)

// hrFact is a kind of statement that the HR feed, or the directory, makes of a
// person.
type hrFact uint8

// The facts. Departures come first, by how much they say: a record of the HR
// feed outweighs the deletion of an account, which may have other reasons.
const (
	factNone hrFact = iota
	factAccountDeletion
	factTermination
	factResignation
	factPerformancePlan
	factPoorReview
	factLevelDown
	factLevelUp
	facts
)

// factNames are the facts as policies write them.
var factNames = [facts]string{
	"none", "account_deletion", "termination", "resignation", "performance_plan", "poor_review", "level_down", "level_up",
}

func factNamed(name string) hrFact { return hrFact(max(slices.Index(factNames[:], name), 0)) }

func (f hrFact) departure() bool { return f >= factAccountDeletion && f <= factResignation }

// statement is one thing the HR feed said of a person, in both of its times:
// the dates for which it holds, and when it was known. The daily file repeats
// statements; that moves lastKnown and nothing else.
type statement struct {
	fact       hrFact
	withdrawal bool // takes statements of the fact back that were known before
	// notice is when notice was given, 0 when not said; the day of effect of
	// other facts. last is the last working day, 0 when not said.
	notice, last          schemas.Time
	firstKnown, lastKnown schemas.Time
}

// journal is what the HR feed said of a person: a set of statements, whatever
// the order in which they came.
type journal []statement

// maxStatements bounds the journal; what was last known longest ago goes.
const maxStatements = 16

// conflictSpan is how long after it was last said a statement still stands
// beside another of its fact: the daily file that holds both says both a day
// later again, the one that holds a correction says the old one no more.
const conflictSpan schemas.Time = 36 * millisPerHour

// statementOf returns what an event states; false when it states nothing.
func statementOf(e *schemas.Event) (statement, bool) {
	var body schemas.HR
	if e.HR != nil {
		body = *e.HR
	}
	s := statement{withdrawal: body.Withdrawn, firstKnown: e.Time, lastKnown: e.Time}
	switch e.Activity {
	case "hr.resignation", "hr.resignation_withdrawn":
		s.fact, s.notice, s.last = factResignation, cmp.Or(body.Resigned, body.Effective), body.LastDay
	case "hr.termination", "hr.termination_withdrawn":
		s.fact, s.notice, s.last = factTermination, body.Resigned, cmp.Or(body.LastDay, body.Effective)
	case "account.deleted", "hr.account_disabled":
		s.fact, s.last = factAccountDeletion, e.Time
	case "account.enabled":
		s.fact, s.withdrawal = factAccountDeletion, true
	case "hr.performance_improvement_plan":
		s.fact = factPerformancePlan
	case "hr.performance_review":
		if body.Direction == "down" {
			s.fact = factPoorReview
		}
	case "hr.job_level_changed":
		switch body.Direction {
		case "down":
			s.fact = factLevelDown
		case "up":
			s.fact = factLevelUp
		}
	}
	if e.Activity == "hr.resignation_withdrawn" || e.Activity == "hr.termination_withdrawn" {
		s.withdrawal = true
	}
	if !s.fact.departure() {
		s.notice = cmp.Or(body.Effective, e.Time)
	}
	if s.withdrawal {
		s.notice, s.last = 0, 0
	}
	return s, s.fact != factNone
}

// same tells statements that differ only in when they were known. Accounts are
// deleted once: the first time says when.
func (s statement) same(o statement) bool {
	return s.fact == o.fact && s.withdrawal == o.withdrawal && s.notice == o.notice && (s.last == o.last || s.fact == factAccountDeletion)
}

// learn takes a statement in and tells whether the journal changed.
func (j *journal) learn(s statement) bool {
	for i := range *j {
		known := &(*j)[i]
		if !known.same(s) {
			continue
		}
		before := *known
		known.firstKnown = min(known.firstKnown, s.firstKnown)
		known.lastKnown = max(known.lastKnown, s.lastKnown)
		if s.fact == factAccountDeletion && !s.withdrawal {
			known.last = min(known.last, s.last)
		}
		return *known != before
	}
	i, _ := slices.BinarySearchFunc(*j, s, statement.compare)
	*j = slices.Insert(*j, i, s)
	if len(*j) > maxStatements {
		oldest := 0
		for i := range *j {
			if (*j)[i].lastKnown < (*j)[oldest].lastKnown {
				oldest = i
			}
		}
		*j = slices.Delete(*j, oldest, oldest+1)
	}
	return true
}

// compare orders statements by what they say.
func (s statement) compare(o statement) int {
	return cmp.Or(cmp.Compare(s.fact, o.fact), cmp.Compare(s.notice, o.notice), cmp.Compare(s.last, o.last), boolCompare(s.withdrawal, o.withdrawal))
}

func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	default:
		return -1
	}
}

// inForce returns the statement that holds of a fact: of those that were not
// taken back and are still said, the one that was learned last; among equals the
// later dates. A departure before the notice of another is an earlier
// employment's, which the file still holds.
func (j journal) inForce(fact hrFact) (statement, bool) {
	var withdrawn, said schemas.Time
	for _, s := range j {
		if s.fact != fact {
			continue
		}
		if s.withdrawal {
			withdrawn = max(withdrawn, s.lastKnown)
		}
	}
	for _, s := range j {
		if s.fact == fact && !s.withdrawal && !j.earlierEmployment(s, withdrawn) {
			said = max(said, s.lastKnown)
		}
	}
	var best statement
	for _, s := range j {
		if s.fact != fact || s.withdrawal || s.lastKnown <= withdrawn || s.lastKnown < said-conflictSpan || j.earlierEmployment(s, withdrawn) {
			continue
		}
		if best.fact == factNone || cmp.Or(cmp.Compare(s.firstKnown, best.firstKnown), s.compare(best)) > 0 {
			best = s
		}
	}
	return best, best.fact != factNone
}

func (j journal) earlierEmployment(s statement, withdrawn schemas.Time) bool {
	if s.fact != factResignation || s.last == 0 {
		return false
	}
	return slices.ContainsFunc(j, func(o statement) bool {
		return o.fact == s.fact && !o.withdrawal && o.lastKnown > withdrawn && dayOf(s.last) < dayOf(o.notice)
	})
}
