package tenant

import (
	"strconv"
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// message is a mail that somebody sends.
type message struct {
	at          schemas.Time
	subject     string
	internet    string // InternetMessageId
	network     guid   // NetworkMessageId
	attachments []file
	size        int64
	recipients  []recipient
}

// recipient is who gets a mail: a colleague or an address outside.
type recipient struct {
	address string
	person  *person
}

// mails are a person's mails of a day, and what else they do in the mailbox.
func (g *generator) mails(p *person, day int, busy float64) {
	for range g.dice.some(p.role.mails * busy) {
		g.everydayMail(p, g.moment(p, day))
	}
	for range g.dice.some(0.8 * busy) {
		g.mailAccessed(p, g.moment(p, day))
	}
	for range g.dice.some(0.5 * busy) {
		g.mailMoved(p, g.moment(p, day))
	}
	if g.dice.chance(0.15 * busy) {
		g.mailItem(p, g.moment(p, day), "Create", "\\Drafts", g.subject(), nil, "")
	}
	if g.dice.chance(0.006 * busy) {
		g.inboxRule(p, g.moment(p, day))
	}
	for range g.dice.some(0.8 * busy) {
		g.mailReceived(p, g.moment(p, day))
	}
}

func (g *generator) subject() string {
	return pick(g.dice, subjects) + " " + pick(g.dice, fileScopes) + " " + strings.ToLower(pick(g.dice, fileTopics))
}

func (g *generator) colleague() *person { return &g.tenant.people[g.dice.IntN(len(g.tenant.people))] }

// outsider is somebody at a partner.
func (g *generator) outsider() string {
	return strings.ToLower(ascii.Replace(pick(g.dice, givenNames)+"."+ascii.Replace(pick(g.dice, familyNames)))) + "@" + pick(g.dice, partners)
}

func (g *generator) everydayMail(p *person, at schemas.Time) {
	var to []recipient
	switch {
	case g.dice.chance(p.role.external):
		to = append(to, recipient{address: g.outsider()})
		if g.dice.chance(0.2) {
			to = append(to, recipient{address: g.outsider()})
		}
	case g.dice.chance(0.012): // lunch, a ticket, a photo: everybody does at times
		to = append(to, recipient{address: p.personalMail})
	}
	if len(to) == 0 || g.dice.chance(0.3) {
		for range g.dice.between(1, 3) {
			to = append(to, recipient{person: g.colleague()})
		}
	}
	var attached []file
	if g.dice.chance(p.role.attached) {
		for range g.dice.between(1, 2) {
			attached = append(attached, g.file(p))
		}
	}
	g.sendMail(p, at, to, attached)
}

// sendMail publishes a mail as all feeds tell of it: Send, a row of EmailEvents
// for each recipient, a row of EmailAttachmentInfo for each file and recipient,
// and at times message trace.
func (g *generator) sendMail(p *person, at schemas.Time, to []recipient, attached []file) {
	m := message{at: at, subject: g.subject(), network: g.dice.guid(), attachments: attached, recipients: to, size: int64(g.dice.between(9_000, 90_000))}
	m.internet = "<" + strings.ToUpper(g.dice.hexText(8)) + "@MAIL" + strconv.Itoa(g.dice.between(1, 9)) + "." + g.tenant.options.Domain + ">"
	for _, f := range attached {
		m.size += f.size
	}
	g.mailItem(p, at, "Send", "\\Sent Items", m.subject, &m, m.internet)
	trace := g.dice.chance(0.15)
	for _, r := range to {
		g.emailEvent(p, &m, r)
		for i := range attached {
			g.emailAttachment(p, &m, r, &attached[i])
		}
		if trace {
			g.messageTrace(p, &m, r)
		}
	}
}

// mailItem publishes something done with one item of a mailbox. Recipients are
// not in it.
func (g *generator) mailItem(p *person, at schemas.Time, operation, folder, subject string, m *message, internet string) {
	ip := p.address(at)
	bracketed := strings.Contains(ip, ":") && g.dice.chance(0.3)
	g.audit(p.mailUPN, p.puid, at, operation, 2, "Exchange", "Succeeded", choose(bracketed, "["+ip+"]:"+strconv.Itoa(g.dice.between(1024, 65000)), ip))
	g.mailbox(p, ip)
	w := &g.w
	w.open("Item")
	if m != nil && len(m.attachments) > 0 {
		g.attachmentList(m.attachments)
	}
	w.text("Id", "RgAAAAD"+g.dice.hexText(12))
	if internet != "" {
		w.text("InternetMessageId", internet)
	}
	w.open("ParentFolder")
	w.texts("Id", "LgAAAAC"+g.dice.hexText(10), "Path", folder)
	w.close()
	if m != nil && g.dice.chance(0.5) {
		w.number("SizeInBytes", m.size)
	}
	w.text("Subject", subject)
	w.close()
	w.truth("SaveToSentItems", true)
	g.audited(schemas.SourceEmail, at, p.mailUPN)
}

// attachmentList appends the attachments as Exchange does: one string.
func (g *generator) attachmentList(files []file) {
	b := g.line[:0]
	for i, f := range files {
		if i > 0 {
			b = append(b, "; "...)
		}
		b = append(b, f.name...)
		b = append(b, " ("...)
		b = strconv.AppendInt(b, f.size, 10)
		b = append(b, "b)"...)
	}
	g.line = b
	g.w.key("Attachments")
	g.w.b = appendQuoted(g.w.b, b)
}

// mailbox appends whose mailbox it was, and from where.
func (g *generator) mailbox(p *person, ip string) {
	w := &g.w
	g.accessContext()
	w.texts("ClientIPAddress", ip, "ClientInfoString", "Client=OWA;Action=ViaProxy", "ClientProcessName", "OUTLOOK.EXE", "ClientVersion", "16.0.18526.20144")
	w.truth("ExternalAccess", false)
	w.number("InternalLogonType", 0)
	w.number("LogonType", 0)
	w.text("LogonUserSid", p.sid)
	w.id("MailboxGuid", p.object)
	w.texts("MailboxOwnerSid", p.sid, "MailboxOwnerUPN", p.mailUPN, "OrganizationName", g.tenant.name+".onmicrosoft.com", "OriginatingServer", "VI1P192MB0001 (15.20.4200.000)\r\n")
	w.id("SessionId", g.dice.guid())
}

// mailAccessed publishes one aggregated record of messages read.
func (g *generator) mailAccessed(p *person, at schemas.Time) {
	sync, n := g.dice.chance(0.2), g.dice.between(1, 5)
	g.audit(p.mailUPN, p.puid, at, "MailItemsAccessed", choose(sync, 2, 50), "Exchange", "Succeeded", "")
	g.mailbox(p, p.address(at))
	w := &g.w
	w.list("OperationProperties")
	g.property("MailAccessType", choose(sync, "Sync", "Bind"))
	g.property("IsThrottled", "False")
	w.end()
	if sync {
		w.open("Item")
		w.text("Id", "RgAAAAD"+g.dice.hexText(12))
		w.open("ParentFolder")
		w.texts("Id", "LgAAAAC"+g.dice.hexText(10), "Path", "\\Inbox", "Name", "Inbox")
		w.close()
		w.close()
	} else {
		w.number("OperationCount", int64(n))
		w.list("Folders")
		w.open("")
		w.list("FolderItems")
		for range n {
			w.open("")
			w.text("InternetMessageId", "<"+g.dice.hexText(8)+"@mail.fabrikam.example>")
			w.number("SizeInBytes", int64(g.dice.between(4_000, 400_000)))
			w.close()
		}
		w.end()
		w.texts("Id", "LgAAAAC"+g.dice.hexText(10), "Path", "\\Inbox")
		w.close()
		w.end()
	}
	g.audited(schemas.SourceEmail, at, p.mailUPN)
}

// mailMoved publishes a deletion of some messages.
func (g *generator) mailMoved(p *person, at schemas.Time) {
	g.audit(p.mailUPN, p.puid, at, pick(g.dice, []string{"MoveToDeletedItems", "MoveToDeletedItems", "SoftDelete", "HardDelete"}), 3, "Exchange", "Succeeded", p.address(at))
	g.mailbox(p, p.address(at))
	w := &g.w
	w.list("AffectedItems")
	for range g.dice.between(1, 3) {
		w.open("")
		w.texts("Id", "RgAAAAD"+g.dice.hexText(12), "InternetMessageId", "<"+g.dice.hexText(8)+"@mail.northwind.example>", "Subject", g.subject())
		w.open("ParentFolder")
		w.texts("Id", "LgAAAAC"+g.dice.hexText(10), "Path", "\\Inbox")
		w.close()
		w.close()
	}
	w.end()
	w.truth("CrossMailboxOperation", false)
	w.open("DestFolder")
	w.texts("Id", "LgAAAAC"+g.dice.hexText(10), "Path", "\\Deleted Items")
	w.close()
	w.open("Folder")
	w.texts("Id", "LgAAAAC"+g.dice.hexText(10), "Path", "\\Inbox")
	w.close()
	g.audited(schemas.SourceEmail, at, p.mailUPN)
}

// inboxRule publishes a rule that files mail away.
func (g *generator) inboxRule(p *person, at schemas.Time) {
	if g.dice.chance(0.5) {
		g.audit(p.mailUPN, p.puid, at, "New-InboxRule", 1, "Exchange", "True", p.address(at))
		w := &g.w
		w.texts("ObjectId", p.mailUPN+"\\Newsletters", "OrganizationName", g.tenant.name+".onmicrosoft.com")
		w.truth("ExternalAccess", false)
		w.list("Parameters")
		g.property("Name", "Newsletters")
		g.property("SubjectContainsWords", "newsletter")
		g.property("MoveToFolder", "Newsletters")
		w.end()
	} else {
		g.audit(p.mailUPN, p.puid, at, "UpdateInboxRules", 2, "Exchange", "Succeeded", "")
		g.mailbox(p, p.address(at))
		w := &g.w
		w.list("OperationProperties")
		g.property("RuleOperation", "AddMailboxRule")
		g.property("RuleId", strconv.Itoa(g.dice.between(1e8, 9e8)))
		g.property("RuleName", "Newsletters")
		g.property("RuleActions", `[{"ActionType":"Move","DestinationFolder":"Newsletters"}]`)
		w.open("") // an entry without a value, as some are
		w.text("Name", "RuleCondition")
		w.close()
		w.end()
		w.open("Item")
		w.open("ParentFolder")
		w.text("Path", "\\Inbox")
		w.close()
		w.close()
	}
	g.audited(schemas.SourceEmail, at, p.mailUPN)
}

// systemMail publishes what Exchange does by itself.
func (g *generator) systemMail(at schemas.Time) {
	user := pick(g.dice, []string{"NT AUTHORITY\\SYSTEM (Microsoft.Exchange.ServiceHost)", "NT AUTHORITY\\SYSTEM (Microsoft.Exchange.Servicehost)"})
	g.audit(user, user, at, "Set-Mailbox", 1, "Exchange", "True", "")
	w := &g.w
	w.text("ObjectId", g.colleague().mailUPN)
	w.truth("ExternalAccess", true)
	w.list("Parameters")
	g.property("Identity", g.dice.guid().String())
	g.property("Force", "True")
	w.end()
	g.audited(schemas.SourceEmail, at, user)
}

func (r recipient) mail() string {
	if r.person != nil {
		return r.person.upn
	}
	return r.address
}
