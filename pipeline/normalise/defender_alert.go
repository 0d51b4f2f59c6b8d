package normalise

import (
	"slices"
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// alertInfo takes what a streamed alert says of itself. It has no user: the
// rows of AlertEvidence name the users, and arrive before or after.
// https://learn.microsoft.com/defender-xdr/advanced-hunting-alertinfo-table
func (m *Mapper) alertInfo(rec record) {
	id := rec.at("AlertId")
	when := rec.when("Timestamp", "TimeGenerated")
	switch {
	case isPlaceholder(id):
		rec.reject(ReasonMissing, "no AlertId in AlertInfo, which nothing else can join it by")
		return
	case when == 0:
		rec.reject(ReasonMissingTime, "no readable Timestamp in AlertInfo")
		return
	}
	detection := m.alertColumns(rec, id)
	m.withholdDetection(&Event{}, &detection)
	rec.out.Findings = append(rec.out.Findings, Finding{
		ID: id, Time: when, Detection: detection, Title: rec.at("Title"), Index: rec.index,
	})
	rec.skip(SkipAwaiting)
}

// alertEvidence maps a row of AlertEvidence, which is one entity of an alert,
// when it names a person. The rows of one alert and one person are one event.
// https://learn.microsoft.com/defender-xdr/advanced-hunting-alertevidence-table
func (m *Mapper) alertEvidence(rec record) {
	actor := m.evidenceActor(rec)
	if !isPerson(actor) {
		rec.skip(SkipAlertEntity)
		return
	}
	id := rec.at("AlertId")
	e := &Event{Actor: actor}
	e.Source = schemas.SourceDefender
	e.Operation = "AlertEvidence"
	e.Outcome = schemas.OutcomeSuccess
	e.Time = rec.when("Timestamp", "TimeGenerated")
	e.ID = m.id(rec, m.keyedKind("hunting:alertevidence", actor.Key()), id)
	if !isPlaceholder(id) {
		e.Finding = id
	}
	detection := m.alertColumns(rec, id)
	if detection.Severity == "unknown" {
		detection.Severity = "" // left open: AlertInfo tells, but overrides no word of the evidence
	}
	e.Detection = &detection
	e.Activity = detectionActivity(detection.Category)
	e.Clear.Title = rec.at("Title")
	e.Clear.FileName, e.Clear.FilePath, e.Clear.SHA256 = rec.at("FileName"), rec.at("FolderPath"), rec.at("SHA256")
	e.Clear.Subject, e.Clear.MessageID = rec.at("EmailSubject"), rec.at("NetworkMessageId")
	e.Clear.URL = rec.at("RemoteUrl")
	e.Clear.Object = first(e.Clear.FileName, e.Clear.Subject, e.Clear.URL)
	m.on(e, rec.at("DeviceId"), rec.at("DeviceName"), "", nil)
	m.from(e, "", 0, rec.at("LocalIP"), rec.at("RemoteIP"))
	m.emit(rec, e)
}

// evidenceActor is the account of the row's columns, completed by the entity in
// AdditionalFields, which for a process has the account inside it.
func (m *Mapper) evidenceActor(rec record) Actor {
	actor := named{
		upn: rec.at("AccountUpn"), objectID: rec.at("AccountObjectId"), sid: rec.at("AccountSid"),
		domain: rec.at("AccountDomain"), name: rec.at("AccountName"), host: rec.at("DeviceName"),
	}.actor()
	more := m.additional(rec)
	people := addPerson(nil, actor)
	for _, entity := range []object{more, more.get("Account")} {
		switch lowercase(entity.at("Type")) {
		case "account", "mailbox", "user":
			found := entityActor(entity, entity.at("Name"), rec.at("DeviceName"))
			if len(people) == 0 {
				people = addPerson(people, found)
			} else if samePerson(people[0], found) {
				people[0] = joinPerson(people[0], found)
			}
		}
	}
	if len(people) == 0 {
		return Actor{Type: schemas.ActorUnknown}
	}
	return settled(people[0])
}

// alertColumns reads the columns that AlertInfo and AlertEvidence share.
func (m *Mapper) alertColumns(rec record, id string) schemas.Detection {
	category := rec.at("Category")
	if list := m.list(rec.get("Categories")); category == "" && len(list) > 0 {
		category = list[0]
	}
	return schemas.Detection{
		Finding: m.finding(id), Category: detectionCategory(category), Severity: detectionSeverity(rec.at("Severity")),
		Techniques: techniques(rec.at("AttackTechniques"), string(rec.get("AttackTechniques").raw())), Service: rec.str("ServiceSource", "DetectionSource"),
	}
}

// finding is the keyed hash of an alert's own id. Defender puts two letters for
// the product before the GUID of the product's own alert (fa… for Office 365,
// dl… for data loss prevention): without them, an alert is the same finding by
// Graph and by the audit log.
// https://learn.microsoft.com/defender-xdr/investigate-alerts#alert-sources
func (m *Mapper) finding(id string) schemas.Hash {
	id = lowercase(strings.TrimSpace(id))
	if isPlaceholder(id) {
		return 0
	}
	if len(id) > 2 && isGUID(id[2:]) {
		id = id[2:]
	}
	return m.hash("finding", id)
}

// detectionActivity is the verb of a category, which may be empty.
func detectionActivity(category string) string { return "detection." + first(category, "alert") }

// detectionCategory writes a tactic or threat category in snake case:
// DefenseEvasion, "Defense evasion" and defenseEvasion are one. What is too long
// for a category or not of the vocabulary is prose and none.
func detectionCategory(text string) string {
	name := strings.Join(words(text), "_")
	switch name {
	case "none", "unknown", "other", "unknown_future_value", "string":
		return ""
	case "phish", "phishing_email":
		return "phishing"
	case "command_control":
		return "command_and_control"
	}
	if len(name) > 64 || !isVocabulary(name) {
		return ""
	}
	return name
}

// detectionSeverity reads unknown, informational, low, medium and high in every
// spelling.
func detectionSeverity(text string) string {
	switch severity := lowercase(text); severity {
	case "informational", "low", "medium", "high":
		return severity
	case "info", "information":
		return "informational"
	case "critical":
		return "high"
	default:
		return "unknown"
	}
}

// detectionStatus reads how far an alert has been dealt with. What an analyst
// found to be false is dismissed, whatever the status beside it.
func detectionStatus(status, classification string) string {
	if strings.EqualFold(classification, "falsePositive") {
		return "dismissed"
	}
	switch lowercase(strings.ReplaceAll(status, " ", "")) {
	case "new", "active", "newalert":
		return "new"
	case "inprogress", "in_progress", "investigating", "pendingaction", "pending":
		return "in_progress"
	case "resolved", "closed", "remediated", "fixed":
		return "resolved"
	case "dismissed":
		return "dismissed"
	default:
		return ""
	}
}

// techniques finds the MITRE ATT&CK technique ids in texts of any shape:
// T1078.004, "Valid Accounts (T1078)", lists of these.
func techniques(texts ...string) []string {
	var list []string
	for _, text := range texts {
		for i := 0; i+5 <= len(text); i++ {
			if text[i] != 'T' && text[i] != 't' || i > 0 && isAlphanumeric(text[i-1]) || !isDigits(text[i+1:i+5]) {
				continue
			}
			end := i + 5
			if end+4 <= len(text) && text[end] == '.' && isDigits(text[end+1:end+4]) {
				end += 4
			}
			if end == len(text) || !isAlphanumeric(text[end]) {
				list = append(list, strings.ToUpper(text[i:end]))
			}
			i = end - 1
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
