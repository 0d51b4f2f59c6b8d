package tenant

import (
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// emailEvent publishes a row of EmailEvents: one a recipient.
// https://learn.microsoft.com/defender-xdr/advanced-hunting-emailevents-table
func (g *generator) emailEvent(p *person, m *message, r recipient) {
	w := g.row(m.at)
	w.id("NetworkMessageId", m.network)
	w.text("InternetMessageId", m.internet)
	g.sender(p.display, p.upn, &p.object, p.address(m.at))
	g.receiver(r)
	w.texts("Subject", m.subject, "EmailDirection", choose(r.person != nil, "Intra-org", "Outbound"), "DeliveryAction", "Delivered", "DeliveryLocation", choose(r.person != nil, "Inbox/folder", "External"))
	w.number("AttachmentCount", int64(len(m.attachments)))
	w.number("UrlCount", 0)
	w.number("EmailSize", m.size)
	w.text("AuthenticationDetails", `{"SPF":"none","DKIM":"none","DMARC":"none"}`)
	g.emailNulls()
	g.hunted(m.at, "EmailEvents")
}

func (g *generator) sender(display, address string, object *guid, ip string) {
	w := &g.w
	_, domain, _ := strings.Cut(address, "@")
	w.texts("SenderDisplayName", display, "SenderFromAddress", address, "SenderFromDomain", domain, "SenderMailFromAddress", address, "SenderMailFromDomain", domain)
	if object != nil {
		w.id("SenderObjectId", *object)
	} else {
		w.null("SenderObjectId")
	}
	if strings.Contains(ip, ":") {
		w.null("SenderIPv4")
		w.text("SenderIPv6", ip)
	} else {
		w.text("SenderIPv4", ip)
		w.null("SenderIPv6")
	}
}

func (g *generator) receiver(r recipient) {
	w := &g.w
	_, domain, _ := strings.Cut(r.mail(), "@")
	w.texts("RecipientEmailAddress", r.mail(), "RecipientDomain", domain)
	if r.person != nil {
		w.id("RecipientObjectId", r.person.object)
	} else {
		w.null("RecipientObjectId")
	}
	w.list("To")
	w.element(r.mail())
	w.end()
	w.list("Cc")
	w.end()
}

func (g *generator) emailNulls() {
	g.w.null("ThreatTypes", "ThreatNames", "DetectionMethods", "ConfidenceLevel", "BulkComplaintLevel", "EmailClusterId", "Connectors", "OrgLevelAction", "OrgLevelPolicy",
		"UserLevelAction", "UserLevelPolicy", "EmailAction", "EmailActionPolicy", "EmailActionPolicyGuid", "AdditionalFields")
	g.w.text("EmailLanguage", "en")
	g.w.text("ReportId", g.dice.guid().String())
}

// mailReceived publishes a mail from a partner.
func (g *generator) mailReceived(p *person, at schemas.Time) {
	from := g.outsider()
	w := g.row(at)
	w.id("NetworkMessageId", g.dice.guid())
	w.text("InternetMessageId", "<"+g.dice.hexText(10)+"@"+from[strings.IndexByte(from, '@')+1:]+">")
	g.sender("", from, nil, "192.0.2.25")
	g.receiver(recipient{person: p})
	w.texts("Subject", g.subject(), "EmailDirection", "Inbound", "DeliveryAction", choose(g.dice.chance(0.03), "Junked", "Delivered"), "DeliveryLocation", "Inbox/folder")
	w.number("AttachmentCount", int64(g.dice.between(0, 1)))
	w.number("UrlCount", int64(g.dice.between(0, 4)))
	w.text("AuthenticationDetails", `{"SPF":"pass","DKIM":"pass","DMARC":"pass"}`)
	g.emailNulls()
	g.hunted(at, "EmailEvents")
}

// emailAttachment publishes a row of EmailAttachmentInfo: one a file and
// recipient.
func (g *generator) emailAttachment(p *person, m *message, r recipient, f *file) {
	w := g.row(m.at)
	w.id("NetworkMessageId", m.network)
	w.texts("SenderFromAddress", p.upn, "SenderDisplayName", p.display)
	w.id("SenderObjectId", p.object)
	w.text("RecipientEmailAddress", r.mail())
	if r.person != nil {
		w.id("RecipientObjectId", r.person.object)
	} else {
		w.null("RecipientObjectId")
	}
	w.texts("FileName", f.name, "FileType", f.extension, "FileExtension", f.extension, "SHA256", g.dice.hexText(32))
	w.number("FileSize", f.size)
	w.null("ThreatTypes", "ThreatNames", "DetectionMethods")
	w.text("ReportId", g.dice.guid().String())
	g.hunted(m.at, "EmailAttachmentInfo")
}
