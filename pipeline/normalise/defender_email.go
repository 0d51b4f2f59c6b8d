package normalise

import (
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// The values of Email.Direction.
const (
	directionOutbound = "outbound"
	directionInbound  = "inbound"
	directionInternal = "internal"
)

// emailEvent maps a row of EmailEvents: one message to one recipient.
// https://learn.microsoft.com/defender-xdr/advanced-hunting-emailevents-table
func (m *Mapper) emailEvent(rec record) {
	e := m.emailRow(rec, "emailevents", "")
	e.Email.Direction = emailDirection(rec)
	e.Email.Attachments = int32(min(rec.size("AttachmentCount"), 1<<20))
	e.Email.Size = rec.size("EmailSize")
	e.Email.Label = rec.at("SensitivityLabel")
	e.Operation = first(rec.at("EmailDirection"), "EmailEvents")
	e.Clear.Subject = rec.at("Subject")
	m.messageOf(rec, e)
	e.Outcome = deliveryOutcome(rec.at("DeliveryAction"))
	m.from(e, "", 0, rec.at("SenderIPv4"), rec.at("SenderIPv6"))
	m.emailParties(rec, e)
	switch {
	case e.Email.Direction == directionInbound:
		e.Activity = "email.received"
	case e.Email.ExternalRecipients > 0:
		e.Activity = "email.sent_external"
	default:
		e.Activity = "email.sent"
	}
	m.emit(rec, e)
}

// emailAttachment maps a row of EmailAttachmentInfo: one attachment of one
// message to one recipient. The message itself is a row of EmailEvents.
// https://learn.microsoft.com/defender-xdr/advanced-hunting-emailattachmentinfo-table
func (m *Mapper) emailAttachment(rec record) {
	name, sha256 := rec.at("FileName"), rec.at("SHA256")
	// The same content under two names is two attachments.
	e := m.emailRow(rec, "emailattachmentinfo", lowercase(sha256+"\x00"+name))
	e.Activity, e.Operation = "email.attachment", "EmailAttachmentInfo"
	e.Outcome = schemas.OutcomeSuccess
	e.Email.Direction = emailDirection(rec)
	e.Email.Attachments = 1
	e.Email.Size = rec.size("FileSize")
	extension := extensionOf(name)
	if extension == "" {
		extension, _, _ = strings.Cut(lowercase(rec.at("FileType")), ";")
	}
	if extension != "" {
		e.Email.Extensions = []string{extension}
	}
	if name != "" {
		e.Clear.Attachments = []string{name}
		if key := m.nameKey(name); key != 0 {
			e.Email.AttachmentNames = []schemas.Hash{key}
		}
	}
	e.Clear.FileName, e.Clear.SHA256 = name, sha256
	m.messageOf(rec, e)
	m.emailParties(rec, e)
	m.emit(rec, e)
}

// emailRow starts an event of the tables with one row a recipient. A message
// has the same network message id in all of them.
func (m *Mapper) emailRow(rec record, table, part string) *Event {
	e := &Event{}
	e.Source = schemas.SourceDefender
	e.Time = rec.when("Timestamp", "TimeGenerated")
	e.ID = m.id(rec, "hunting:"+table+":"+part, rec.at("NetworkMessageId"), lowercase(rec.at("RecipientEmailAddress")))
	e.Email = &schemas.Email{Messages: 1, Recipients: 1}
	return e
}

// emailParties fills in the actor, which is whichever side is ours: the sender,
// or the recipient of mail from outside.
func (m *Mapper) emailParties(rec record, e *Event) {
	sender, recipient := rec.str("SenderFromAddress", "SenderMailFromAddress"), rec.at("RecipientEmailAddress")
	if e.Email.Direction == directionInbound {
		e.Actor = mailbox(recipient, rec.at("RecipientObjectId"))
		e.Clear.DisplayName = rec.at("RecipientDisplayName")
		e.Clear.Sender = sender
		return
	}
	e.Actor = mailbox(sender, rec.at("SenderObjectId"))
	e.Clear.DisplayName = rec.at("SenderDisplayName")
	e.Clear.Sender = sender
	if recipient != "" {
		e.Clear.Recipients = []string{recipient}
	}
	target := first(recipient, rec.at("RecipientDomain"))
	if e.Email.Direction == directionInternal {
		// The tenant knows its own accepted domains better than any list.
		if domain := domainOf(target); domain != "" {
			e.Destination = &schemas.Destination{Class: ClassInternal, Domain: m.hash("domain", domain)}
		}
		return
	}
	e.Email.ExternalRecipients = int32(m.to(e, target))
}

// emailDirection says which way a message went: as the row says, else by which
// side has an account in the tenant.
func emailDirection(rec record) string {
	var f folding
	switch f.lower(rec.at("EmailDirection")) {
	case "outbound":
		return directionOutbound
	case "inbound":
		return directionInbound
	case "intra-org", "intraorg":
		return directionInternal
	}
	switch ours, theirs := rec.at("SenderObjectId") != "", rec.at("RecipientObjectId") != ""; {
	case ours && theirs:
		return directionInternal
	case ours:
		return directionOutbound
	case theirs:
		return directionInbound
	default:
		return ""
	}
}

// mailbox is the holder of a mail address, which may be an alias and differ
// from the UPN; the object id tells whose it is.
func mailbox(address, id string) Actor {
	a := person(address)
	if strings.HasPrefix(a.UPN, "microsoftexchange") && strings.Count(a.UPN, "-") == 0 {
		return Actor{Type: schemas.ActorSystem, App: a.UPN} // the system mailbox of non-delivery reports
	}
	if a.UPN != "" {
		a.Mail, a.UPN = a.UPN, ""
	}
	if a.Type != schemas.ActorSystem && a.Type != schemas.ActorService {
		if a.ObjectID = objectID(id); a.ObjectID != "" && a.Type == schemas.ActorUnknown {
			a.Type = schemas.ActorPerson
		}
	}
	return a
}

// messageOf fills in which message it is: the internet message id, else the
// network message id.
func (m *Mapper) messageOf(rec record, e *Event) {
	e.Clear.MessageID = first(messageID(rec.at("InternetMessageId")), rec.at("NetworkMessageId"))
	e.Email.Message = m.messageKey(rec.at("InternetMessageId"), rec.at("NetworkMessageId"))
}

// messageKey is the keyed hash of the internet message id, else of the network
// message id: one for all records of a message, whichever feed they come by.
func (m *Mapper) messageKey(internet, network string) schemas.Hash {
	for _, id := range []string{messageID(internet), network} {
		if !isPlaceholder(id) {
			return m.hashFolded("message", id)
		}
	}
	return 0
}

// messageID is an internet message id without its angle brackets, which some
// exporters escape twice.
func messageID(text string) string {
	text = strings.TrimSpace(text)
	for _, bracket := range []string{`\u003c`, `\u003e`, "<", ">"} {
		text = strings.TrimPrefix(strings.TrimSuffix(text, bracket), bracket)
	}
	return text
}

// deliveryOutcome reads DeliveryAction. Junk is delivered too.
func deliveryOutcome(action string) schemas.Outcome {
	var f folding
	switch f.lower(action) {
	case "delivered", "junked", "replaced", "deliveredasspam", "forwarded":
		return schemas.OutcomeSuccess
	case "blocked", "failed", "dropped", "quarantined", "quarantine":
		return schemas.OutcomeFailure
	default:
		return schemas.OutcomeUnknown
	}
}

// urlClick maps a row of UrlClickEvents: a click on a link that Safe Links
// rewrote, in mail, Teams or Office.
// https://learn.microsoft.com/defender-xdr/advanced-hunting-urlclickevents-table
func (m *Mapper) urlClick(rec record) {
	// A click through the warning page has the report id of the first click.
	e := m.row(rec, "urlclickevents", "browsing.clicked", rec.report())
	e.Actor = named{upn: rec.at("AccountUpn"), objectID: rec.at("AccountObjectId")}.actor()
	e.Clear.URL = rec.at("Url")
	e.Clear.Object = e.Clear.URL
	e.Clear.MessageID = rec.at("NetworkMessageId")
	m.from(e, "", 0, rec.at("IPAddress"))
	m.toHost(e, e.Clear.URL)
	action := lowercase(e.Operation)
	switch {
	case strings.HasPrefix(action, "clickallowed"), strings.HasPrefix(action, "clickedthrough"), rec.flag("IsClickedThrough"):
		e.Outcome = schemas.OutcomeSuccess
	case strings.HasPrefix(action, "clickblocked"), strings.HasPrefix(action, "urlerrorpage"):
		e.Outcome = schemas.OutcomeFailure
	}
	m.emit(rec, e)
}
