package normalise

import (
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// complianceAlert maps the audit records that are findings of other products:
// security and compliance alerts (40), threat intelligence on mail, links and
// files (28, 41, 47), automated investigations (64) and Defender for Cloud Apps
// alerts (98). A machine reports most of them; whom they are about stands inside.
// https://learn.microsoft.com/office/office-365-management-api/office-365-management-activity-api-schema
func (m *Mapper) complianceAlert(rec record) {
	base := m.audit(rec, schemas.SourceDefender)
	data := m.embedded(rec.get("Data"))
	d := schemas.Detection{
		Severity: detectionSeverity(first(rec.str("Severity", "AlertSeverity"), data.str("sev", "Severity"))),
		Status:   detectionStatus(first(rec.at("Status"), data.at("Status")), ""),
		Service:  first(rec.at("Source"), rec.at("Workload")),
		Policy:   rec.str("Name", "AlertDisplayName", "Policy"),
		Category: complianceCategory(rec, data),
		Action:   complianceAction(first(data.at("enmd"), rec.at("PolicyAction"))),
	}
	d.Techniques = techniques(rec.at("Techniques"), data.at("Techniques"))
	base.Clear.Title = first(rec.str("Name", "AlertDisplayName", "InvestigationName"), data.at("AlertDisplayName"))
	base.Activity = detectionActivity(d.Category)
	base.Outcome = schemas.OutcomeSuccess
	if base.SourceIP == nil {
		m.from(base, "", 0, rec.at("UserIp"), data.str("ecip", "sip"), first(rec.get("ClientIPs").texts()...))
	}
	m.complianceObject(rec, base, data)
	// The finding is the alert; records that belong to none stand for themselves.
	finding := m.finding(rec.str("AlertId", "InvestigationId", "ObjectId", "Id"))
	people := m.complianceUsers(rec, base, data)
	if len(people) == 0 {
		people = []Actor{base.Actor}
	}
	native := rec.native(rec.at("Id"))
	for i, actor := range people {
		e, detection := *base, d
		detection.Finding = finding
		e.Detection, e.Actor = &detection, settled(actor)
		if i > 0 {
			e.ID = schemas.NewUUID(append([]string{m.keyedKind("o365", actor.Key())}, native...)...)
		}
		m.emit(rec, &e)
	}
}

// complianceUsers are whom the record is about: the user of the alert's data or
// of its entity, the recipients (of mail that went out, the sender), or the one
// who clicked.
func (m *Mapper) complianceUsers(rec record, e *Event, data object) []Actor {
	var people []Actor
	add := func(texts ...string) {
		for _, text := range texts {
			for _, part := range strings.FieldsFunc(text, func(c rune) bool { return c == ';' || c == ',' }) {
				if a := person(part); a.UPN != "" && a.Type != schemas.ActorSystem {
					people = addPerson(people, a)
				}
			}
		}
	}
	add(data.at("f3u"))
	for _, source := range []struct {
		kind string
		ids  []string
	}{
		{data.at("etype"), []string{data.at("eid")}},
		{rec.at("EntityType"), []string{rec.at("AlertEntityId"), rec.at("ObjectId")}},
	} {
		if kind := lowercase(source.kind); len(people) == 0 && (kind == "user" || kind == "mailbox" || kind == "recipients" || kind == "sender") {
			for _, id := range source.ids {
				if len(people) == 0 {
					add(id)
				}
			}
		}
	}
	if len(people) == 0 {
		add(data.at("trc")) // the recipient of the mail, who clicked
	}
	if len(people) == 0 {
		add(data.at("suid"))
	}
	if len(people) == 0 && isPerson(e.Actor) && e.Actor.Type != schemas.ActorUnknown {
		return []Actor{e.Actor}
	}
	if len(people) == 0 {
		switch lowercase(rec.at("Directionality")) {
		case "outbound", "intraorg", "intra-org":
			add(rec.str("P2Sender", "P1Sender"))
		default:
			add(rec.get("Recipients").texts()...)
		}
	}
	if len(people) == 0 {
		people = m.entities(e, m.embedded(data.get("Entities")))
	}
	return people
}

// complianceObject fills in the message, file or link that was found.
func (m *Mapper) complianceObject(rec record, e *Event, data object) {
	c := &e.Clear
	c.Subject, c.MessageID = rec.at("Subject"), rec.str("InternetMessageId", "NetworkMessageId")
	c.Sender = rec.str("P2Sender", "P1Sender")
	c.Recipients = rec.get("Recipients").texts()
	c.URL = rec.at("Url")
	file := rec.get("FileData")
	alertFile(c, file.at("FileName"), file.at("FilePath"), file.at("SHA256"))
	for _, attachment := range rec.get("AttachmentData").items() {
		if name := attachment.at("FileName"); name != "" {
			c.Attachments = append(c.Attachments, name)
		}
	}
	path, target := data.at("ofph"), data.at("tfph") // origin and target of a file that left a device
	if path != "" {
		alertFile(c, baseName(path), strings.TrimRight(strings.TrimSuffix(path, baseName(path)), `/\`), "")
		c.TargetPath = target
	}
	if name := data.at("dn"); name != "" {
		m.on(e, data.at("mddid"), name, "", nil)
	}
	c.Object = first(path, rec.at("ObjectId"), c.FileName, c.URL)
}

// complianceCategory names what kind of finding it is. The threats of mail are
// verdicts, those of links and investigations have no name of their own.
func complianceCategory(rec record, data object) string {
	category := first(rec.str("Category", "AlertCategory", "Verdict"), data.at("Category"))
	switch recordType(rec.object) {
	case "41":
		category = first(category, "MaliciousUrlClick")
	case "47":
		category = first(category, "Malware")
	case "64":
		category = first(category, "Investigation")
	}
	return detectionCategory(category)
}

// complianceAction reads what a policy did.
func complianceAction(text string) string {
	switch lowercase(text) {
	case "audit", "warn", "block", "allow":
		return lowercase(text)
	case "quarantine", "delete", "replace":
		return "block"
	default:
		return ""
	}
}
