package normalise

import (
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// isSentinelAlert tells a row of the SecurityAlert table of a workspace.
func isSentinelAlert(o object) bool {
	return strings.EqualFold(o.at("Type"), "SecurityAlert") || o.has("SystemAlertId") && (o.has("Entities") || o.has("AlertSeverity") || o.has("AlertName")) ||
		o.has("AlertSeverity", "Entities")
}

// sentinelAlert maps a row of SecurityAlert, whose entities are a list in a
// string that refer to each other by number.
// https://learn.microsoft.com/azure/sentinel/security-alert-schema
func (m *Mapper) sentinelAlert(rec record) {
	tactic := first(m.list(rec.get("Tactics"))...)
	tactic, _, _ = strings.Cut(tactic, ",")
	title := rec.str("DisplayName", "AlertDisplayName", "AlertName", "AlertType")
	a := newAlert("SecurityAlert", title, schemas.Detection{
		Category: detectionCategory(tactic), Severity: detectionSeverity(rec.str("AlertSeverity", "Severity")),
		Status:     detectionStatus(rec.at("Status"), ""),
		Techniques: techniques(rec.at("Techniques"), string(rec.get("Techniques").raw()), rec.at("SubTechniques")),
		Service:    rec.str("ProductName", "ProviderName", "VendorName"),
	}, rec.when("StartTime", "StartTimeUtc", "TimeGenerated"))
	a.id = rec.str("SystemAlertId", "VendorOriginalId", "ProviderAlertId")
	// Every change of an alert is a row of its own, generated anew.
	a.updated = schemas.Time.String(rec.when("TimeGenerated", "ProcessingEndTime"))
	a.people = m.entities(&a.event, m.embedded(rec.get("Entities")))
	if compromised := person(rec.at("CompromisedEntity")); len(a.people) == 0 && compromised.UPN != "" {
		a.people = addPerson(a.people, compromised)
	}
	m.emitAlert(rec, a)
}

// entities reads a list of entities in the schema that Sentinel, Office 365
// alerts and AlertEvidence share, fills in what it tells of device, address and
// object, and returns the people: accounts and mailboxes, else who got the mail.
// https://learn.microsoft.com/azure/sentinel/entities-reference
func (m *Mapper) entities(e *Event, list object) []Actor {
	var people, recipients []Actor
	entities := list.items()
	referred := map[string]object{}
	for _, o := range entities {
		if id := o.at("$id"); id != "" && strings.EqualFold(o.at("Type"), "host") {
			referred[id] = o
		}
	}
	for _, o := range entities {
		switch lowercase(o.at("Type")) {
		case "account":
			people = addPerson(people, entityActor(o, o.at("Name"), hostName(referred, o.get("Host"))))
		case "mailbox":
			people = addPerson(people, entityActor(o, "", ""))
		case "mailmessage", "":
			if to := person(o.at("Recipient")); to.UPN != "" {
				recipients = addPerson(recipients, Actor{Type: to.Type, Mail: to.UPN})
			}
			e.Clear.Subject = first(e.Clear.Subject, o.at("Subject"))
			e.Clear.MessageID = first(e.Clear.MessageID, o.str("InternetMessageId", "NetworkMessageId"))
			e.Clear.Sender = first(e.Clear.Sender, o.str("Sender", "P2Sender"))
		case "host":
			if e.Device == nil {
				m.on(e, o.str("MachineId", "AadDeviceId", "OMSAgentID"), hostName(referred, o), o.at("OSFamily"), nil)
			}
		case "ip":
			m.alertAddress(e, o.at("Address"), o.at("Location", "CountryCode"))
		case "file":
			alertFile(&e.Clear, o.at("Name"), o.at("Directory"), "")
		case "url":
			e.Clear.URL = first(e.Clear.URL, o.at("Url"))
		}
	}
	if len(people) == 0 {
		return recipients
	}
	return people
}

// hostName is the name of a host entity, or of the one that it refers to.
func hostName(referred map[string]object, host object) string {
	if o, found := referred[host.at("$ref")]; found {
		host = o
	}
	return host.str("HostName", "NetBiosName", "FQDN")
}
