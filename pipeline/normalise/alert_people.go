package normalise

import (
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// addPerson adds a person to those of an alert, once however many entities name
// them; accounts of the system are nobody.
func addPerson(people []Actor, a Actor) []Actor {
	if !isPerson(a) {
		return people
	}
	for i, known := range people {
		if samePerson(known, a) {
			people[i] = joinPerson(known, a)
			return people
		}
	}
	return append(people, a)
}

// samePerson tells whether two entities of one alert are one person: by the
// strongest kind of name that both have, and by the account alone when one of
// them has nothing else.
func samePerson(a, b Actor) bool {
	switch {
	case a.ObjectID != "" && b.ObjectID != "":
		return a.ObjectID == b.ObjectID
	case a.UPN != "" && (a.UPN == b.UPN || a.UPN == b.Mail) || b.UPN != "" && b.UPN == a.Mail:
		return true
	case a.UPN != "" && b.UPN != "":
		return false
	case a.SID != "" && b.SID != "":
		return a.SID == b.SID
	default:
		return sameAccount(a.Account, b.Account)
	}
}

// sameAccount compares domain\name, where the domain may be the NetBIOS name on
// one side and the DNS name on the other, or absent.
func sameAccount(a, b string) bool {
	if a == "" || b == "" || a[len(a)-1] != b[len(b)-1] {
		return false // most of a long list, at once
	}
	domainA, nameA := cutAccount(a)
	domainB, nameB := cutAccount(b)
	return nameA != "" && nameA == nameB && (domainA == "" || domainB == "" || domainA == domainB)
}

func cutAccount(account string) (domain, name string) {
	domain, name, found := strings.Cut(account, `\`)
	if !found {
		return "", account
	}
	domain, _, _ = strings.Cut(domain, ".")
	return domain, name
}

// joinPerson completes one set of names by another of the same person.
func joinPerson(a, b Actor) Actor {
	if b.UPN != "" && a.UPN != "" && b.UPN != a.UPN && a.Mail == "" {
		a.Mail = b.UPN
	}
	a.UPN = first(a.UPN, b.UPN)
	a.Mail = first(a.Mail, b.Mail)
	a.ObjectID = first(a.ObjectID, b.ObjectID)
	a.EmployeeID = first(a.EmployeeID, b.EmployeeID)
	a.SID = first(a.SID, b.SID)
	if !strings.Contains(a.Account, `\`) && b.Account != "" {
		a.Account = b.Account
	}
	if a.Type == schemas.ActorUnknown {
		a.Type = b.Type
	}
	return a
}

// entityActor reads an account or mailbox of any of Microsoft's alert schemas,
// which differ in the names of the members only. Name is the account's name where
// the schema calls it by a member that other entities have too.
func entityActor(o object, name, host string) Actor {
	upn := o.str("userPrincipalName", "upn", "accountUpn", "mailboxPrimaryAddress", "primaryAddress", "mailboxAddress")
	account := first(o.str("accountName", "userName"), name)
	if suffix := o.at("UPNSuffix"); upn == "" && suffix != "" && account != "" && !strings.Contains(account, "@") {
		upn = account + "@" + suffix
	}
	a := named{
		upn: upn, objectID: o.str("azureAdUserId", "aadUserId", "AadId", "accountObjectId"),
		sid:    o.str("userSid", "Sid", "accountSid", "onPremisesSecurityIdentifier"),
		domain: o.str("domainName", "NTDomain", "accountDomain", "DnsDomain"), name: account, host: host,
	}.entity()
	if mail := lowercase(o.str("mailboxPrimaryAddress", "primaryAddress")); isPerson(a) && isUPN(mail) && mail != a.UPN {
		a.Mail = mail
	}
	return a
}

// alert is what the schemas of alerts have in common.
type alert struct {
	id      string // the alert's own id, the same through all its updates
	updated string // what tells one state of it from the next
	event   Event  // everything but the actor and what derives from the ids
	people  []Actor
}

// newAlert starts an alert.
func newAlert(operation, title string, d schemas.Detection, when schemas.Time) alert {
	a := alert{event: Event{Clear: schemas.Evidence{Title: title}}}
	a.event.Source = schemas.SourceDefender
	a.event.Operation = operation
	a.event.Activity = detectionActivity(d.Category)
	a.event.Outcome = schemas.OutcomeSuccess
	a.event.Detection = &d
	a.event.Time = when
	return a
}

// emitAlert emits one event a person. An alert that names nobody is one event
// too, so that it is seen.
func (m *Mapper) emitAlert(rec record, a alert) {
	if len(a.people) == 0 {
		a.people = []Actor{{Type: schemas.ActorUnknown}}
	}
	if a.event.Time == 0 {
		a.people = a.people[:1] // one reject is enough
	}
	a.event.Detection.Finding = m.finding(a.id)
	native := rec.native(a.id, first(a.updated, "-"))
	for _, person := range a.people {
		e, d := a.event, *a.event.Detection
		e.Detection = &d
		e.Actor = settled(person)
		// The person goes into the kind: the content which stands in for a
		// missing id is the same for all of the alert's people.
		e.ID = schemas.NewUUID(append([]string{m.keyedKind("alert", e.Actor.Key())}, native...)...)
		m.emit(rec, &e)
	}
}
