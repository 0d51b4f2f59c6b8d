package pipeline

import (
	"slices"
	"strings"

	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

// told is what the vault was told of a person. Its texts are copies: those of an event
// are parts of its Kafka record, which would stay in memory with them.
type told struct {
	vault.Identity
	// at is when each fact of the profile was told last, by record time.
	at [profileFacts]schemas.Time
}

// The facts of a profile, as places in told.at.
const (
	displayFact = iota
	departmentFact
	managerFact
	titleFact
	profileFacts
)

// telling turns what one record says of one person into facts.
type telling struct {
	escrow   *escrow
	user     schemas.Pseudonym
	observed schemas.Time
	told     *told
	facts    *[]fact
}

func (t *telling) add(name string, says vault.Identity) {
	*t.facts = append(*t.facts, fact{user: t.user, name: name, says: says, observed: t.observed})
}

// names tells the names of an actor. What is known is never replaced, so that two
// systems which spell a name differently come to rest; the other spelling is an
// alias.
func (t *telling) names(a *normalise.Actor) {
	for _, name := range []string{a.UPN, a.Mail} {
		// Another address of somebody who is known by a UPN is no UPN.
		if t.told.UPN == "" && isFact(name) && t.escrow.key.Pseudonym(upnPrefix+name) == t.user {
			says := vault.Identity{UPN: name}
			if earlier := t.escrow.sealing.Previous; earlier != nil {
				says.Previous = []vault.LinkRecord{vault.Link(earlier, upnPrefix+name)}
			}
			t.told.UPN = strings.Clone(name)
			t.add("upn", says)
		}
		t.alias(name)
	}
	t.once("object_id", &t.told.ObjectID, a.ObjectID, vault.Identity{ObjectID: a.ObjectID})
	t.once("employee_id", &t.told.EmployeeID, a.EmployeeID, vault.Identity{EmployeeID: a.EmployeeID})
	t.alias(a.WorkerID)
	t.alias(a.SID)
	t.alias(a.Account)
}

// once tells a fact when nothing is known in its place, and an alias otherwise.
func (t *telling) once(name string, known *string, value string, says vault.Identity) {
	if *known == "" && isFact(value) {
		*known = strings.Clone(value)
		t.add(name, says)
	}
	t.alias(value)
}

func (t *telling) alias(name string) {
	i := &t.told.Identity
	if name == i.UPN || name == i.ObjectID || name == i.EmployeeID || name == i.DisplayName ||
		len(i.Aliases) >= maxAliases || slices.Contains(i.Aliases, name) || !isFact(name) {
		return
	}
	// Clipped, since what was told before shares the array.
	i.Aliases = append(slices.Clip(i.Aliases), strings.Clone(name))
	t.add(t.escrow.aliasFact(name), vault.Identity{Aliases: []string{name}})
}

// profile tells what a directory says: what is newest by record time counts.
func (t *telling) profile(p *normalise.Profile) {
	if former := t.told.DisplayName; t.newest(displayFact, "display_name", &t.told.DisplayName, p.DisplayName, vault.Identity{DisplayName: p.DisplayName}) {
		t.alias(former)
	}
	t.newest(departmentFact, "department", &t.told.Department, p.Department, vault.Identity{Department: p.Department})
	t.newest(managerFact, "manager", &t.told.Manager, p.Manager, vault.Identity{Manager: p.Manager})
	t.newest(titleFact, "title", &t.told.Title, p.Title, vault.Identity{Title: p.Title})
}

// newest tells a fact unless a newer one is known in its place, and reports
// whether it did.
func (t *telling) newest(at int, name string, known *string, value string, says vault.Identity) bool {
	last := t.told.at[at]
	if !isFact(value) || t.observed < last || *known == value && last != 0 && t.observed < last+toldAgain {
		return false
	}
	*known, t.told.at[at] = strings.Clone(value), t.observed
	t.add(name, says)
	return true
}
