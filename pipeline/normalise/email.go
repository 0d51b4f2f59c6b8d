package normalise

import (
	"math"
	"slices"
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// The activities of mail.
const (
	activityMailSent         = "email.sent"
	activityMailSentExternal = "email.sent_external" // known to have a recipient outside the organisation
	activityMailReceived     = "email.received"
	activityMailAccessed     = "email.accessed"
	activityMailDeleted      = "email.deleted"
	activityMailMoved        = "email.moved"
	activityMailCreated      = "email.created"
	activityMailUpdated      = "email.updated"
	activityMailRule         = "email.rule_created"
	activityMailForwarding   = "email.forwarding_set"
	activityMailPermission   = "email.permission_granted"
	activityMailLabelled     = "email.labelled"
)

// The codes of Skip.Reason that Exchange records add.
const (
	// SkipMailAdministration is for cmdlets which neither read nor divert mail
	// nor let anybody do so: mailbox plans, quotas, tenant set-up. Nearly all of
	// them are run by Exchange itself.
	SkipMailAdministration = "exchange_administration"
	// SkipMailOperation is for mailbox operations that say nothing of where mail
	// went, such as a log-on to a mailbox.
	SkipMailOperation = "exchange_operation"
	// SkipRuleRemoved is for rules, forwarding and permissions taken away, and
	// for permissions of nothing.
	SkipRuleRemoved = "rule_or_permission_removed"
)

// exchange maps an audit record of Exchange, whatever its record type, by its
// operation: new and unpublished types have the shapes of the known ones.
// https://learn.microsoft.com/office/office-365-management-api/office-365-management-activity-api-schema#exchange-mailbox-schema
func (m *Mapper) exchange(rec record) {
	var f folding
	switch operation := f.lower(rec.at("Operation")); operation {
	case "send", "sendas", "sendonbehalf":
		m.mailSent(rec)
	case "mailitemsaccessed", "attachmentaccess", "messagebind", "folderbind":
		m.mailAccessed(rec)
	case "harddelete", "softdelete", "movetodeleteditems":
		m.mailItems(rec, activityMailDeleted)
	case "move", "copy":
		m.mailItems(rec, activityMailMoved)
	case "create":
		m.mailItems(rec, activityMailCreated)
	case "update":
		m.mailItems(rec, activityMailUpdated)
	case "updateinboxrules":
		m.inboxRuleUpdate(rec)
	case "modifyfolderpermissions", "addfolderpermissions", "updatefolderpermissions":
		m.folderPermission(rec)
	case "removefolderpermissions":
		rec.skip(SkipRuleRemoved)
	default:
		if rec.has("Parameters") || strings.Contains(operation, "-") {
			m.cmdlet(rec, operation)
			return
		}
		rec.skip(SkipMailOperation)
	}
}

// mailbox starts an event from what all Exchange records share.
//
// Of the two fields for the address the first that is public counts, else the
// first that is an address: behind a proxy one of them is the server's own.
func (m *Mapper) mailbox(rec record, activity string) *Event {
	e := m.audit(rec, schemas.SourceEmail)
	e.Activity = activity
	e.Email = &schemas.Email{}

	addresses := []string{rec.at("ClientIP"), rec.at("ClientIPAddress"), rec.at("ActorIpAddress"), rec.at("SenderIp")}
	slices.SortStableFunc(addresses, func(a, b string) int { return nearness(a) - nearness(b) })
	e.SourceIP, e.Clear.SourceIP = nil, ""
	m.from(e, "", 0, addresses...)
	e.Clear.UserAgent = first(e.Clear.UserAgent, userAgentOf(rec.at("ClientInfoString")))

	owner := person(rec.at("MailboxOwnerUPN"))
	owns := rec.at("LogonType") == "0" || strings.EqualFold(rec.at("LogonType"), "owner")
	if e.Actor.UPN == "" && owner.UPN != "" && owns && e.Actor.Type != schemas.ActorSystem && e.Actor.Type != schemas.ActorService {
		owner.ObjectID, owner.SID = e.Actor.ObjectID, e.Actor.SID
		e.Actor = owner
	}
	if sid := windowsSID(rec.at("LogonUserSid")); sid != "" && e.Actor.UPN != "" {
		e.Actor.SID = sid
	}
	e.Email.Access = mailboxAccess(rec, e.Actor, owner)
	if owner.Key() != e.Actor.Key() {
		e.Clear.Mailbox = lowercase(rec.at("MailboxOwnerUPN"))
	}
	return e
}

// nearness orders address texts: public ones, private ones, none.
func nearness(text string) int {
	addr, ok := parseAddress(text)
	switch {
	case !ok:
		return 2
	case addr.IsPrivate() || addr.IsLoopback() || addr.IsLinkLocalUnicast():
		return 1
	default:
		return 0
	}
}

// mailboxAccess says as whom the mailbox was used. Exchange calls it the owner's
// log-on too when an application acts for somebody else; who is not the owner
// by name and by security identifier is a delegate then.
func mailboxAccess(rec record, actor, owner Actor) string {
	var f folding
	switch f.lower(rec.at("LogonType")) {
	case "1", "admin":
		return "admin"
	case "2", "delegate", "delegated":
		return "delegate"
	case "0", "owner":
	default:
		return ""
	}
	same := strings.EqualFold(rec.at("LogonUserSid"), rec.at("MailboxOwnerSid")) && rec.at("MailboxOwnerSid") != ""
	if !same && owner.UPN != "" && actor.UPN != "" && owner.UPN != actor.UPN {
		return "delegate"
	}
	return "owner"
}

// userAgentOf takes the user agent out of ClientInfoString
// ("Client=OWA;Mozilla/5.0 …;"), or returns it whole when it has none.
func userAgentOf(info string) string {
	if i := strings.Index(info, "Mozilla/"); i >= 0 {
		info = info[i:]
	}
	return strings.TrimRight(info, "; ")
}

// message fills in which message it is; "Unknown" stands for none.
func (m *Mapper) message(e *Event, id string) {
	if isPlaceholder(id) || strings.EqualFold(id, "unknown") {
		return
	}
	e.Clear.MessageID = id
	e.Email.Message = m.messageKey(id, "")
}

// sentTo fills in the recipients, the destination and the direction. Total is
// how many there are, for lists that upstream cuts off; 0 when not said.
func (m *Mapper) sentTo(e *Event, recipients []string, total int64) {
	seen := make(map[string]bool, len(recipients))
	for _, recipient := range recipients {
		if address := mailAddress(recipient); address != "" && !seen[address] {
			seen[address] = true
			e.Clear.Recipients = append(e.Clear.Recipients, address)
		}
	}
	known := len(e.Clear.Recipients)
	external := m.to(e, e.Clear.Recipients...)
	e.Email.Recipients = count(max(total, int64(known)))
	e.Email.ExternalRecipients = count(int64(external))
	switch {
	case external > 0:
		e.Email.Direction = directionOutbound
	case known > 0 && int64(known) >= total:
		e.Email.Direction = directionInternal
	}
}

// Bounds on what an event lists of a record: Exchange lists at most 1,000
// recipients, and an event must fit into a Kafka message. The counts stay whole.
const (
	maxListed          = 1000
	maxExtensions      = 100
	maxAttachmentNames = 64
)

// emitMail puts the lists of a mail event in order and emits it.
func (m *Mapper) emitMail(rec record, e *Event) {
	slices.Sort(e.Email.Extensions)
	e.Email.Extensions = slices.Compact(e.Email.Extensions)
	e.Email.Extensions = e.Email.Extensions[:min(len(e.Email.Extensions), maxExtensions)]
	slices.Sort(e.Email.AttachmentNames)
	e.Email.AttachmentNames = slices.Compact(e.Email.AttachmentNames)
	e.Email.AttachmentNames = e.Email.AttachmentNames[:min(len(e.Email.AttachmentNames), maxAttachmentNames)]
	for _, list := range []*[]string{&e.Clear.Recipients, &e.Clear.Targets, &e.Clear.Attachments} {
		*list = (*list)[:min(len(*list), maxListed)]
	}
	m.emit(rec, e)
}

// count saturates a number to what a field of the event holds.
func count(n int64) int32 { return int32(min(max(n, 0), math.MaxInt32)) }

// mailAddress returns the lower-case address in any of the spellings of a
// recipient: "smtp:a@b.com", "Ada [SMTP:a@b.com]", "Ada <a@b.com>"; nothing when
// there is none, as in a directory path.
func mailAddress(text string) string {
	for word := range strings.FieldsFuncSeq(lowercase(text), func(r rune) bool { return strings.ContainsRune(" \t<>[]()\"';,", r) }) {
		word = strings.TrimPrefix(strings.TrimPrefix(word, "smtp:"), "mailto:")
		if isUPN(word) {
			return word
		}
	}
	return ""
}
