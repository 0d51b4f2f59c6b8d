package normalise

import (
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// The classes of Destination.Class.
const (
	ClassInternal      = "internal"
	ClassPartner       = "partner"
	ClassPersonalMail  = "personal_mail"
	ClassPersonalCloud = "personal_cloud"
	ClassAI            = "ai"
	ClassUnallowed     = "unallowed"
	ClassPublic        = "public"
	ClassExternal      = "external"
)

// Domains sorts domains into classes. A listed domain stands for its
// subdomains too; the longest match wins.
type Domains struct{ class map[string]string }

// NewDomains builds the table from lists by class.
func NewDomains(lists map[string][]string) Domains {
	return Domains{class: domainTable(lists)}
}

// domainTable turns lists by value into values by domain.
func domainTable(lists map[string][]string) map[string]string {
	table := map[string]string{}
	for value, domains := range lists {
		for _, domain := range domains {
			table[lowercase(strings.TrimPrefix(domain, "*."))] = value
		}
	}
	return table
}

// Class returns the class of a domain: the listed one, else external.
func (d Domains) Class(domain string) string {
	if class, listed := listed(d.class, domain); listed {
		return class
	}
	return ClassExternal
}

// listed looks a domain up in a table, then the domains above it.
func listed(table map[string]string, domain string) (value string, found bool) {
	for name := domain; name != ""; _, name, _ = strings.Cut(name, ".") {
		if value, found = table[name]; found {
			return value, true
		}
	}
	return "", false
}

// domainOf returns the lower-case domain of a mail address, URL or host name.
func domainOf(s string) string {
	s = lowercase(strings.TrimSpace(s))
	if _, rest, found := strings.Cut(s, "://"); found {
		s = rest
		if i := strings.IndexAny(s, "/?#"); i >= 0 {
			s = s[:i]
		}
	} else if i := strings.IndexAny(s, "/?"); i >= 0 && strings.Contains(s[:i], ".") {
		s = s[:i] // a host with a path; an "@" in the path is no mail address's
	}
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		s = s[i+1:]
	}
	if i := strings.IndexAny(s, "/?#"); i >= 0 {
		s = s[:i]
	}
	if host, _, found := strings.Cut(s, ":"); found {
		s = host
	}
	s = strings.Trim(s, ".<>[]\"' ")
	if !strings.Contains(s, ".") {
		return ""
	}
	return s
}

// rank orders classes by how much a destination of several says about risk.
var rank = map[string]int{
	"": 0, ClassInternal: 1, ClassPartner: 2, ClassExternal: 3, ClassAI: 4,
	ClassPersonalCloud: 5, ClassPersonalMail: 6, ClassPublic: 7, ClassUnallowed: 8,
}

// to fills in the destination from mail addresses, URLs or host names: the
// riskiest class stands for all. It returns how many were external.
func (m *Mapper) to(e *Event, targets ...string) (external int) {
	for _, target := range targets {
		domain := domainOf(target)
		if before, _, guest := strings.Cut(lowercase(target), "#ext#"); guest {
			// ada_fabrikam.com#ext#@contoso.onmicrosoft.com is ada@fabrikam.com
			if i := strings.LastIndexByte(before, '_'); i >= 0 {
				domain = before[i+1:]
			}
		}
		if domain == "" {
			continue
		}
		class := m.domains.Class(domain)
		if class == ClassExternal && domain == domainOf(first(e.Actor.UPN, e.Actor.Mail)) {
			class = ClassInternal // the actor's own, though nobody has listed it
		}
		outside := class != ClassInternal
		if outside {
			external++
		}
		if e.Destination == nil || rank[class] > rank[e.Destination.Class] {
			e.Destination = &schemas.Destination{Class: class, Domain: m.hash("domain", domain), External: outside}
		}
	}
	return external
}
