package normalise

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/riskpipe/riskpipe/schemas"
)

// Actor is who did it, by every name that the record gives.
type Actor struct {
	Type       schemas.ActorType
	UPN        string // user principal name, lower case: the canonical identity
	Mail       string // mail address, lower case, when it is not known to be the UPN
	ObjectID   string // Entra object id, lower case
	EmployeeID string // upper case
	WorkerID   string // another id by which the HR system knows them, upper case
	SID        string // Windows security identifier, upper case
	Account    string // DOMAIN\name, or a bare account name with its device, lower case
	App        string // application or service principal id, or a service's name
	// Profile is what else the record says of the person; nil when it says nothing.
	Profile *Profile
}

// The kinds of alias, which prefix its key so that no two kinds can collide.
const (
	aliasUPN      = "upn:"
	aliasObjectID = "oid:"
	aliasEmployee = "eid:"
	aliasSID      = "sid:"
	aliasAccount  = "account:"
	aliasApp      = "app:"
)

// Key is the canonical identity as far as this record alone can tell: the UPN,
// else the first alias, else empty when nobody is named.
func (a Actor) Key() string {
	if a.UPN != "" {
		return aliasUPN + a.UPN
	}
	if a.Mail != "" {
		return aliasUPN + a.Mail
	}
	if aliases := a.Aliases(); len(aliases) > 0 {
		return aliases[0]
	}
	if a.App != "" {
		return aliasApp + a.App
	}
	return ""
}

// IsNamed tells whether there is a key.
func (a *Actor) IsNamed() bool {
	return a.UPN != "" || a.Mail != "" || a.ObjectID != "" || a.EmployeeID != "" || a.WorkerID != "" || a.SID != "" ||
		a.Account != "" || a.App != ""
}

// User is the identity in clear for people: the UPN where there is one, else
// the best other name.
func (a Actor) User() string {
	_, name, _ := strings.Cut(a.Key(), ":")
	return name
}

// Aliases are the keys, other than the UPN's own, under which the same person
// may appear; the most trustworthy first. A mail address shares the key of a
// UPN of the same text.
func (a Actor) Aliases() []string {
	var keys []string
	add := func(prefix, value string) {
		if value != "" {
			keys = append(keys, prefix+value)
		}
	}
	add(aliasObjectID, a.ObjectID)
	add(aliasEmployee, a.EmployeeID)
	add(aliasEmployee, a.WorkerID)
	add(aliasSID, a.SID)
	if a.Mail != a.UPN {
		add(aliasUPN, a.Mail)
	}
	add(aliasAccount, a.Account)
	return keys
}

// Clone returns the actor with texts of its own; the profile is shared.
func (a Actor) Clone() Actor {
	for _, text := range []*string{&a.UPN, &a.Mail, &a.ObjectID, &a.EmployeeID, &a.WorkerID, &a.SID, &a.Account, &a.App} {
		*text = strings.Clone(*text)
	}
	return a
}

// maxUserID bounds the names of actors, in bytes: a UPN has at most 113
// characters, a claim or a role session a few hundred.
const maxUserID = 1024

// person sorts a UserId of any feed into the right field and tells people from
// machines. It is the one place which knows upstream's spellings.
func person(id string) Actor {
	id = strings.TrimSpace(id)
	if len(id) > maxUserID {
		return Actor{Type: schemas.ActorUnknown}
	}
	lower := lowercase(id)
	switch {
	case id == "" || lower == "not-found" || lower == "not available" || lower == "unknown" || lower == "n/a":
		return Actor{Type: schemas.ActorUnknown}
	case lower == "anonymous" || strings.HasPrefix(lower, "urn:spo:anon"):
		return Actor{Type: schemas.ActorAnonymous}
	case strings.HasPrefix(lower, "urn:spo:guest#"):
		guest := person(id[len("urn:spo:guest#"):])
		guest.Type = schemas.ActorGuest
		return guest
	case strings.HasPrefix(lower, "i:0") && strings.Contains(lower, "|"):
		return person(id[strings.LastIndexByte(id, '|')+1:]) // SharePoint claim: i:0#.f|membership|ada@contoso.com
	case strings.HasPrefix(lower, "serviceprincipal_"):
		return Actor{Type: schemas.ActorService, App: lower[len("serviceprincipal_"):]}
	case isSystem(lower):
		return Actor{Type: schemas.ActorSystem, App: lower}
	case isUPN(lower):
		return Actor{Type: kindOfUPN(lower), UPN: lower}
	case isGUID(lower) && isPlaceholder(lower): // all zeros: as one person, everybody would be
		return Actor{Type: schemas.ActorUnknown}
	case isGUID(lower):
		return Actor{Type: schemas.ActorPerson, ObjectID: lower}
	case strings.HasPrefix(lower, "s-1-"):
		return Actor{Type: schemas.ActorPerson, SID: strings.ToUpper(id)}
	case strings.Contains(id, `\`):
		return Actor{Type: schemas.ActorPerson, Account: lower}
	default:
		return Actor{Type: schemas.ActorUnknown, Account: lower}
	}
}

// systemNames are accounts of services that appear where a person's name would.
var systemNames = map[string]bool{
	"app@sharepoint": true, "securitycompliancealerts": true, "dlpagent": true, "certificate": true,
	"ffoservicepartneruser": true, "service account": true, `microsoft\serviceoperator`: true,
	"system": true, "local service": true, "network service": true, "localsystem": true, "root": true,
	"securitycompliancecenter": true, "spoworkload": true, "fim_service": true,
}

func isSystem(lower string) bool {
	switch {
	case systemNames[lower],
		strings.HasPrefix(lower, `nt authority\`),
		strings.HasPrefix(lower, `nt service\`),
		strings.HasPrefix(lower, `sharepoint\`),
		strings.HasPrefix(lower, `font driver host\`),
		strings.HasPrefix(lower, `window manager\`),
		strings.HasPrefix(lower, "dlppolicyeventbasedassistant"),
		strings.HasPrefix(lower, "microsoft.exchange."),
		isMachine(lower):
		return true
	case strings.HasPrefix(lower, "s-1-5-"):
		// Well-known and service identifiers; people are S-1-5-21-… and S-1-12-1-….
		return !strings.HasPrefix(lower, "s-1-5-21-")
	default:
		return false
	}
}

// isMachine tells the account of a computer or a managed service, name$ or
// name$@domain.
func isMachine(lower string) bool {
	name, _, _ := strings.Cut(lower, "@")
	return strings.HasSuffix(name, "$")
}

// isUPN tells a user principal name or mail address from anything else with an
// "@": one "@", a local part, and a domain with a dot.
func isUPN(s string) bool {
	at, dot, ascii := -1, -1, true
	for i := range len(s) {
		switch c := s[i]; c {
		case '@':
			if at >= 0 {
				return false
			}
			at = i
		case '.':
			dot = i
		case '\\', '/', '<', '>', '"', '(', ')', ',', ';', ':', '|':
			return false
		default:
			if c <= ' ' || c == 0x7F {
				return false
			}
			ascii = ascii && c < utf8.RuneSelf
		}
	}
	return at > 0 && dot > at+1 && dot < len(s)-1 && (ascii || strings.IndexFunc(s, isBlankOrControl) < 0)
}

func isBlankOrControl(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

// kindOfUPN tells guests by their external form, ada_fabrikam.com#ext#@tenant.
func kindOfUPN(lower string) schemas.ActorType {
	if strings.Contains(lower, "#ext#") {
		return schemas.ActorGuest
	}
	return schemas.ActorPerson
}

func isGUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case !isHex(c):
			return false
		}
	}
	return true
}

// objectID returns a usable Entra object id in lower case, or nothing.
func objectID(s string) string {
	if isGUID(s) && !isPlaceholder(s) {
		return lowercase(s)
	}
	return ""
}

// isPlaceholder tells ids that stand for nothing: empty, ANONYMIZED, a UUID of
// one digit only. Keyed on them, distinct facts would collapse into one.
func isPlaceholder(id string) bool {
	id = strings.TrimSpace(id)
	if id == "" || strings.EqualFold(id, "anonymized") || strings.EqualFold(id, "redacted") || id == "0" {
		return true
	}
	digit, digits := byte('-'), 0
	for i := range len(id) {
		switch c := id[i]; {
		case c == '-':
			continue
		case digits > 0 && c != digit:
			return false
		default:
			digit = c
		}
		digits++
	}
	return digits >= 8
}
