package normalise

import (
	"math"
	"slices"
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// The activities of data loss prevention.
const (
	dlpRuleMatch = "detection.dlp_rule_match"
	dlpCategory  = "data_loss_prevention"
	dlpRuleUndo  = "detection.dlp_rule_undo"
	dlpInfo      = "detection.dlp_info"
)

// isDLP tells records of a DLP rule: they have PolicyDetails, whatever the
// record type and however the operation is spelled (DLPRuleMatch by SharePoint,
// DlpRuleMatch by Exchange). What endpoint DLP watched is a file operation even
// where a rule matched it.
func isDLP(o object) bool {
	var f folding
	operation := f.lower(o.at("Operation"))
	if strings.HasPrefix(operation, "dlprule") || operation == "dlpinfo" {
		return true
	}
	return o.get("PolicyDetails").ok() && recordType(o) != "63"
}

// dlp maps a record of a DLP rule.
//
// SensitiveInformationDetections holds the matched secrets and the text around
// them; nothing here reads it.
// https://learn.microsoft.com/office/office-365-management-api/office-365-management-activity-api-schema#dlp-schema
func (m *Mapper) dlp(rec record) {
	mail, file := m.embedded(rec.get("ExchangeMetaData")), m.embedded(rec.get("SharePointMetaData"))
	if !file.isObject() {
		file = m.embedded(rec.get("EndpointMetaData"))
	}
	source := schemas.SourceFile
	if strings.EqualFold(rec.at("Workload"), "Exchange") || mail.isObject() {
		source = schemas.SourceEmail
	}
	e := m.audit(rec, source)
	switch lowercase(e.Operation) {
	case "dlpruleundo":
		e.Activity = dlpRuleUndo
	case "dlpinfo":
		e.Activity = dlpInfo
	default:
		e.Activity = dlpRuleMatch
	}
	if e.Actor.UPN == "" {
		// UserId is often the agent that evaluated the policy.
		if from := person(first(mail.at("From"), file.at("From"), rec.at("From"))); from.UPN != "" {
			e.Actor = from
		}
	}
	m.dlpFinding(rec, e)
	m.dlpMessage(e, mail)
	m.dlpFile(rec, e, file)
	if e.Destination == nil && (mail.flag("IsViewableByExternalUsers") || file.flag("IsViewableByExternalUsers")) {
		e.Destination = &schemas.Destination{Class: ClassExternal, External: true}
	}
	m.emit(rec, e)
}

// dlpFinding fills in the detection from the rules that matched. A type of
// information that several rules found counts once, by the rule that found most.
func (m *Mapper) dlpFinding(rec record, e *Event) {
	d := &schemas.Detection{Category: dlpCategory, Service: "Data Loss Prevention", Status: "new"}
	e.Detection = d
	if incident := lowercase(rec.at("IncidentId")); !isPlaceholder(incident) {
		d.Finding = m.hash("finding", incident)
	}
	found := map[string]int64{}
	rank := -1
	var titles []string
	for _, policy := range m.embedded(rec.get("PolicyDetails")).items() {
		for _, rule := range policy.get("Rules").items() {
			severity := lowercase(rule.at("Severity"))
			if r := severityRank(severity); r > rank || d.Policy == "" {
				d.Policy, rank = first(policy.at("PolicyName"), rule.at("RuleName"), policy.at("PolicyId")), max(r, rank)
			}
			if title := rule.at("RuleName"); title != "" && !slices.Contains(titles, title) {
				titles = append(titles, title)
			}
			d.Action = strongerAction(d.Action, dlpAction(rule))
			for name, count := range m.sensitiveCounts(rule.get("ConditionsMatched", "SensitiveInformation")) {
				found[name] = max(found[name], count)
			}
		}
		d.Policy = first(d.Policy, policy.at("PolicyName"), policy.at("PolicyId"))
	}
	m.endpointFinding(rec, e, found)
	d.Severity = severities[rank+1]
	d.SensitiveTypes, d.SensitiveCount = total(found)
	e.Clear.Title = strings.Join(titles, "; ")
	switch {
	case e.Activity == dlpRuleUndo:
		d.Status = "dismissed"
	case e.Activity == dlpRuleMatch && d.Action == "block" && isStoppedByDLP(rec, e):
		e.Outcome = schemas.OutcomeFailure
	}
	exception := m.embedded(rec.get("ExceptionInfo"))
	e.Clear.Remarks = exception.str("Justification", "Reason")
}

// endpointFinding adds what endpoint DLP says beside the rules or instead of
// them: the rule, what was found, and what was enforced on the device.
func (m *Mapper) endpointFinding(rec record, e *Event, found map[string]int64) {
	d := e.Detection
	match := m.embedded(rec.get("PolicyMatchInfo"))
	d.Policy = first(d.Policy, match.at("PolicyName"), match.at("RuleName"))
	device := m.embedded(rec.get("EndpointMetaData")) // of a rule match; a watched operation says it on the record itself
	d.Action = first(enforcement(first(rec.at("EnforcementMode"), device.at("EnforcementMode"))), d.Action)
	for _, list := range []object{rec.get("SensitiveInfoTypeData"), device.get("SensitiveInfoTypeData")} {
		for name, count := range m.sensitiveCounts(list) {
			found[name] = max(found[name], count)
		}
	}
}

// isStoppedByDLP tells where a rule that blocks stops the act itself: a message
// does not go out, a file does not leave the device. A file in SharePoint is
// there all the same, and closed to others.
func isStoppedByDLP(rec record, e *Event) bool {
	return e.Source == schemas.SourceEmail || strings.EqualFold(rec.at("Workload"), "Endpoint")
}

// severities are the severities of rules by their rank and one.
var severities = [...]string{"unknown", "informational", "low", "medium", "high"}

// severityRank returns the place of a severity in lower case, -1 for none.
func severityRank(severity string) int {
	if severity == "info" {
		severity = "informational"
	}
	return max(slices.Index(severities[:], severity), 0) - 1
}

// dlpAction reads what a rule did. A rule in test mode blocks nothing.
func dlpAction(rule object) string {
	action := ""
	for _, name := range rule.get("Actions").texts() {
		name = lowercase(name)
		switch {
		case strings.Contains(name, "block"), strings.Contains(name, "reject"), strings.Contains(name, "quarantine"),
			strings.Contains(name, "deletemessage"), strings.Contains(name, "restrictaccess"):
			action = strongerAction(action, "block")
		case strings.Contains(name, "notifyuser"), strings.Contains(name, "policytip"):
			action = strongerAction(action, "warn")
		default:
			action = strongerAction(action, "audit")
		}
	}
	switch mode := lowercase(rule.at("RuleMode")); {
	case strings.HasPrefix(mode, "audit"), strings.HasPrefix(mode, "test"), mode == "simulation":
		if action != "" {
			action = "audit"
		}
	}
	return action
}

// strongerAction returns what weighs more of two actions.
func strongerAction(a, b string) string {
	for _, action := range []string{"block", "warn", "audit"} {
		if a == action || b == action {
			return action
		}
	}
	return first(a, b)
}

// dlpMessage fills in the message that a rule matched, and where it went.
func (m *Mapper) dlpMessage(e *Event, mail object) {
	if !mail.isObject() {
		return
	}
	e.Clear.Subject, e.Clear.MessageID = mail.at("Subject"), mail.at("MessageID")
	e.Clear.Sender = lowercase(mail.at("From"))
	for _, field := range []string{"To", "CC", "BCC"} {
		for _, recipient := range mail.get(field).texts() {
			e.Clear.Recipients = append(e.Clear.Recipients, lowercase(recipient))
		}
	}
	m.to(e, e.Clear.Recipients...)
}

// dlpFile fills in the file that a rule matched.
func (m *Mapper) dlpFile(rec record, e *Event, file object) {
	e.Clear.Object = first(file.str("FilePathUrl", "FilePath"), e.Clear.MessageID, rec.at("ObjectId"))
	e.Clear.FileName = file.at("FileName")
	if e.Clear.FileName == "" && strings.ContainsAny(e.Clear.Object, `/\`) && e.Clear.MessageID == "" {
		e.Clear.FileName = baseName(e.Clear.Object)
	}
	e.Clear.URL = file.at("SiteCollectionUrl")
	e.Clear.DisplayName = file.at("FileOwner")
	for _, o := range []object{rec.object, m.embedded(rec.get("EndpointMetaData"))} {
		if e.Device == nil && o.str("MDATPDeviceId", "DeviceName") != "" {
			m.on(e, o.at("MDATPDeviceId"), o.at("DeviceName"), platform(o.at("Platform")), nil)
		}
	}
}

// sensitiveTypes returns the types of sensitive information in a list, sorted,
// each once, and how often they matched.
func (m *Mapper) sensitiveTypes(list object) ([]string, int32) {
	return total(m.sensitiveCounts(list))
}

// sensitiveCounts reads the matches by type. Feeds spell the members
// differently, and write the list or its elements as JSON in a string. A type
// has its name where the record gives it, else its id.
func (m *Mapper) sensitiveCounts(list object) map[string]int64 {
	counts := map[string]int64{}
	for _, item := range m.embedded(list).items() {
		name := ""
		if item.isString() {
			if parsed := m.embedded(item); parsed.isObject() {
				item = parsed
			} else {
				name = item.text()
			}
		}
		name = first(name, item.str("SensitiveInformationTypeName", "SensitiveInfoTypeName", "SensitiveTypeName",
			"ClassifierName", "Name", "SensitiveType", "SensitiveInformationTypeId", "SensitiveInfoTypeId", "Id"))
		if name == "" {
			continue
		}
		count := item.size("Count", "TotalCount", "UniqueCount")
		for _, attribute := range item.get("SensitiveInformationDetailedClassificationAttributes").items() {
			count = max(count, attribute.size("Count"))
		}
		if sum := counts[name] + count; sum >= 0 {
			counts[name] = sum
		}
	}
	return counts
}

// total returns the names sorted and the sum of the counts, saturated.
func total(counts map[string]int64) ([]string, int32) {
	if len(counts) == 0 {
		return nil, 0
	}
	names := make([]string, 0, len(counts))
	var sum int64
	for name, count := range counts {
		names = append(names, name)
		sum = min(sum+min(count, math.MaxInt32), math.MaxInt32)
	}
	slices.Sort(names)
	return names, int32(sum)
}
