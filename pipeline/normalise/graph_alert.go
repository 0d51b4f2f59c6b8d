package normalise

import (
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// routeAlert recognises alerts and incidents of Graph and of Defender's older
// interfaces and maps them. It tells whether the record was one of these.
func (m *Mapper) routeAlert(rec record) bool {
	switch {
	case strings.EqualFold(rec.at("Type"), "Microsoft.SecurityInsights/Incidents"), strings.EqualFold(rec.at("Type"), "SecurityIncident"):
		rec.skip(SkipEmptyIncident) // Sentinel's incidents point to their alerts
	case isIncident(rec.object):
		m.incident(rec)
	case isSentinelAlert(rec.object):
		m.sentinelAlert(rec)
	case isAlert(rec.object):
		m.oneAlert(rec)
	default:
		return false
	}
	return true
}

// isIncident tells a Graph incident and an incident of the Microsoft 365
// Defender API, which both hold their alerts. Graph leaves them out unless
// asked ($expand=alerts).
func isIncident(o object) bool {
	return o.has("alerts") && (o.has("incidentId") || o.has("incidentName") || o.has("displayName") || o.has("incidentWebUrl")) ||
		o.has("incidentWebUrl", "displayName", "lastUpdateDateTime") && !o.has("title")
}

// isAlert tells the four forms of an alert: Graph alerts_v2, Graph alert v1,
// the Defender for Endpoint API, and an alert of the Microsoft 365 Defender API.
func isAlert(o object) bool {
	switch {
	case o.has("vendorInformation") && (o.has("eventDateTime") || o.has("userStates")),
		o.has("alertCreationTime"),
		o.has("alertId") && o.has("creationTime") && (o.has("entities") || o.has("devices")):
		return true
	}
	return o.has("title", "severity") && (o.has("evidence") || o.has("serviceSource") || o.has("detectionSource") || o.has("firstActivityDateTime")) &&
		o.str("createdDateTime", "firstActivityDateTime", "lastUpdateDateTime") != ""
}

// incident maps each alert of an incident. Its own facts are theirs.
// https://learn.microsoft.com/graph/api/resources/security-incident
func (m *Mapper) incident(rec record) {
	alerts := m.embedded(rec.get("alerts")).items()
	if len(alerts) == 0 {
		rec.skip(SkipEmptyIncident)
		return
	}
	for _, alert := range alerts {
		if !alert.isObject() {
			rec.reject(ReasonNotARecord, "an alert of the incident is no object")
			continue
		}
		rec.object = alert
		m.oneAlert(rec)
	}
}

// oneAlert maps an alert of any of the four forms, which differ in names only.
// Alerts change: every update is an event of its own, and all of them are of
// one finding.
// https://learn.microsoft.com/graph/api/resources/security-alert
// https://learn.microsoft.com/defender-endpoint/api/alerts
// https://learn.microsoft.com/defender-xdr/api-list-incidents
// https://learn.microsoft.com/graph/api/resources/alert
func (m *Mapper) oneAlert(rec record) {
	if strings.HasPrefix(rec.str("createdDateTime", "eventDateTime"), "String (") {
		rec.skip(SkipDocumentTemplate)
		return
	}
	category := rec.at("category")
	if category == "" {
		category = first(rec.get("categories").texts()...)
	}
	vendor := rec.get("vendorInformation")
	a := newAlert(first(category, "Alert"), rec.at("title"), schemas.Detection{
		Category: detectionCategory(category), Severity: detectionSeverity(rec.at("severity")),
		Status:     detectionStatus(rec.at("status"), first(rec.at("classification"), rec.at("feedback"))),
		Techniques: techniques(string(rec.get("mitreTechniques").raw())),
		Service:    first(rec.str("productName", "serviceSource"), vendor.at("provider"), rec.at("detectionSource")),
	}, rec.when("firstActivityDateTime", "firstEventTime", "firstActivity", "eventDateTime", "createdDateTime", "alertCreationTime", "creationTime"))
	a.id = rec.str("id", "alertId", "providerAlertId")
	a.updated = rec.str("lastUpdateDateTime", "lastUpdateTime", "lastUpdatedTime", "lastModifiedDateTime")
	host := rec.at("computerDnsName")
	m.on(&a.event, rec.at("machineId"), host, "", nil)
	a.people = addPerson(a.people, entityActor(rec.get("relatedUser"), "", host))
	for _, state := range rec.get("userStates").items() {
		a.people = addPerson(a.people, entityActor(state, "", ""))
		m.alertAddress(&a.event, state.at("logonIp"), "")
	}
	for _, list := range []object{rec.get("evidence"), rec.get("entities")} {
		for _, evidence := range m.embedded(list).items() {
			a.people = m.evidence(&a.event, a.people, evidence)
		}
	}
	for _, list := range []object{rec.get("devices"), rec.get("hostStates")} {
		for _, device := range list.items() {
			m.alertDevice(&a.event, device)
		}
	}
	for _, file := range rec.get("fileStates").items() {
		alertFile(&a.event.Clear, file.at("name"), file.at("path"), file.at("fileHash", "hashValue"))
	}
	if len(a.people) == 0 {
		a.people = m.inTheMail(rec)
	}
	if len(a.people) == 0 {
		a.people = m.onTheDevice(rec)
	}
	m.emitAlert(rec, a)
}

// evidence reads one piece of evidence: whom it names, and whatever of device,
// address, file and message nothing earlier has told. It goes by the members
// and not by the type, whose name collectors rewrite.
func (m *Mapper) evidence(e *Event, people []Actor, o object) []Actor {
	host := first(o.at("deviceDnsName"), e.Clear.DeviceName)
	account := o.get("userAccount")
	if !account.ok() {
		account = o.get("account", "userAccount") // of a cloud session
	}
	if a := entityActor(account, "", host); isPerson(a) {
		if mail := lowercase(o.at("primaryAddress")); a.Mail == "" && isUPN(mail) && mail != a.UPN {
			a.Mail = mail
		}
		people = addPerson(people, a)
	} else {
		// mailboxEvidence without an account, and the flat entities of the
		// older interfaces.
		people = addPerson(people, entityActor(o, "", host))
	}
	if o.str("deviceDnsName", "mdeDeviceId", "azureAdDeviceId") != "" {
		m.alertDevice(e, o)
	}
	m.alertAddress(e, o.at("ipAddress"), o.at("countryLetterCode"))
	file := o.get("fileDetails")
	if !file.ok() {
		file = o.get("imageFile")
	}
	if file.ok() {
		alertFile(&e.Clear, file.at("fileName"), file.at("filePath"), file.at("sha256"))
	} else {
		alertFile(&e.Clear, o.at("fileName"), o.at("filePath"), o.at("sha256"))
	}
	e.Clear.Subject = first(e.Clear.Subject, o.at("subject"))
	e.Clear.MessageID = first(e.Clear.MessageID, o.str("internetMessageId", "networkMessageId"))
	e.Clear.URL = first(e.Clear.URL, o.at("url"))
	return people
}

// inTheMail are the recipients of the messages of an alert that names nobody
// else.
func (m *Mapper) inTheMail(rec record) []Actor {
	var people []Actor
	for _, message := range m.embedded(rec.get("evidence")).items() {
		if to := person(message.at("recipientEmailAddress")); to.UPN != "" {
			people = addPerson(people, Actor{Type: to.Type, Mail: to.UPN})
		}
	}
	return people
}

// onTheDevice are the people who were logged on to the devices of an alert that
// names nobody: the last resort, since they need not have to do with it.
func (m *Mapper) onTheDevice(rec record) []Actor {
	var people []Actor
	add := func(list object, host string) {
		for _, a := range m.loggedOn(list, host) {
			people = addPerson(people, a)
		}
	}
	add(rec.get("loggedOnUsers"), rec.at("computerDnsName"))
	for _, name := range []string{"evidence", "devices", "entities"} {
		for _, device := range m.embedded(rec.get(name)).items() {
			add(device.get("loggedOnUsers"), device.at("deviceDnsName"))
		}
	}
	return people
}

// alertDevice fills in the first device that an alert names.
func (m *Mapper) alertDevice(e *Event, o object) {
	if e.Device == nil {
		m.on(e, o.str("mdeDeviceId", "mdatpDeviceId", "azureAdDeviceId", "aadDeviceId"), o.str("deviceDnsName", "fqdn", "netBiosName"),
			o.str("osPlatform", "os"), nil)
	}
}

// alertAddress fills in the first address that an alert names.
func (m *Mapper) alertAddress(e *Event, ip, country string) {
	if e.SourceIP == nil {
		m.from(e, country, 0, ip)
	}
}

// alertFile fills in the first file that an alert names.
func alertFile(evidence *schemas.Evidence, name, path, sha256 string) {
	if evidence.FileName == "" && name != "" {
		evidence.FileName, evidence.FilePath, evidence.SHA256 = name, path, sha256
		evidence.Object = name
	}
}
