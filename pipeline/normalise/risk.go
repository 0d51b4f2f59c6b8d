package normalise

import (
	"slices"
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// The activities of Entra ID Protection.
const (
	activityRiskDetected    = "signin.risk_detected"
	activityUserAtRisk      = "signin.user_at_risk"
	activityUserRiskCleared = "signin.user_risk_cleared" // remediated, dismissed or confirmed safe
)

// categoryIdentityRisk is the Detection.Category of every identity risk; which
// risk it was stands in Detection.Policy.
const categoryIdentityRisk = "identity_risk"

const serviceIdentityProtection = "Microsoft Entra ID Protection"

// isRiskDetection tells the Graph riskDetection resource and its like.
// https://learn.microsoft.com/graph/api/resources/riskdetection
func isRiskDetection(o object) bool {
	return (o.has("riskEventType") || o.has("riskType")) && (o.has("detectedDateTime") || o.has("activityDateTime"))
}

// riskDetection maps one risk found by Entra ID Protection, whose time is that
// of the risky act: the detection may come more than a day after it. A risk
// changes its state later; each state is one event, all of one finding.
func (m *Mapper) riskDetection(rec record) {
	e := m.risk(rec, "entra-risk")
	e.Activity = activityRiskDetected
	e.Operation = rec.str("riskEventType", "riskType")
	e.Time = rec.when("activityDateTime", "detectedDateTime", "lastUpdatedDateTime", "TimeGenerated")
	if e.Time == 0 {
		e.Time = rec.envelope.when("time")
	}
	e.Actor = riskActor(rec, rec.at("userId"))
	if source := rec.at("source"); source != "" && !strings.EqualFold(strings.ReplaceAll(source, " ", ""), "identityprotection") {
		e.Detection.Service = source
	}
	e.Detection.Policy = e.Operation
	e.Clear.Title = e.Operation
	info := m.embedded(rec.get("additionalInfo"))
	e.Detection.Techniques = riskTechniques(append(info.named("mitreTechniques").texts(), rec.at("mitreTechniqueId"))...)
	e.Clear.UserAgent = info.named("userAgent").text()
	m.place(e, rec)
	m.emit(rec, e)
}

// isRiskyUser tells the Graph riskyUser resource.
// https://learn.microsoft.com/graph/api/resources/riskyuser
func isRiskyUser(o object) bool {
	return o.has("riskState", "riskLevel") && o.has("riskLastUpdatedDateTime")
}

// riskyUser maps a change of a user's risk.
func (m *Mapper) riskyUser(rec record) {
	e := m.risk(rec, "entra-risky-user", rec.when("riskLastUpdatedDateTime").String())
	e.Activity = activityUserAtRisk
	if e.Detection.Status == "resolved" || e.Detection.Status == "dismissed" {
		e.Activity = activityUserRiskCleared
	}
	e.Operation = first(rec.envelope.at("operationName"), rec.at("operationName"), "Risky user")
	e.Time = rec.when("riskLastUpdatedDateTime", "TimeGenerated")
	if e.Time == 0 {
		e.Time = rec.envelope.when("time")
	}
	e.Actor = riskActor(rec, rec.at("id"))
	if rec.flag("isGuest") {
		e.Actor.Type = schemas.ActorGuest
	}
	m.emit(rec, e)
}

// risk starts an event from what the two risk resources share. What may differ
// between versions of one risk is part of the event's id, but not the clock of a
// detection's last update: it moves when nothing happened.
func (m *Mapper) risk(rec record, kind string, version ...string) *Event {
	id := lowercase(rec.at("id"))
	state, level := lowercase(rec.at("riskState")), lowercase(rec.at("riskLevel"))
	e := &Event{}
	e.ID = m.id(rec, kind, id, strings.Join(append(version, state, level), "|"))
	e.Source = schemas.SourceSignIn
	e.Clear.DisplayName = first(rec.str("userDisplayName", "servicePrincipalDisplayName", "displayName"), rec.envelope.at("identity"))
	e.Detection = &schemas.Detection{
		Category: categoryIdentityRisk,
		Severity: riskSeverity(level),
		Status:   riskStatus(state),
		Service:  serviceIdentityProtection,
	}
	if !isPlaceholder(id) {
		e.Detection.Finding = m.hash("finding", id)
	}
	return e
}

// riskActor names whose risk it is: a user, or a service principal.
func riskActor(rec record, id string) Actor {
	if app := rec.at("servicePrincipalId"); app != "" {
		return Actor{Type: schemas.ActorService, App: lowercase(app)}
	}
	if rec.has("servicePrincipalType") {
		return Actor{Type: schemas.ActorService, App: lowercase(id)}
	}
	return userActor(rec.at("userPrincipalName"), id, rec.at("userType"))
}

// riskSeverity turns a risk level into a severity.
func riskSeverity(level string) string {
	switch level = riskLevel(level); level {
	case "":
		return "unknown"
	case "none":
		return "informational"
	default:
		return level
	}
}

// riskStatus turns a risk state into the status of a finding.
func riskStatus(state string) string {
	switch state {
	case "atrisk":
		return "new"
	case "confirmedcompromised":
		return "in_progress"
	case "remediated":
		return "resolved"
	case "dismissed", "confirmedsafe":
		return "dismissed"
	default:
		return ""
	}
}

// riskTechniques takes the MITRE technique ids out of comma-separated lists,
// sorted, each once.
func riskTechniques(lists ...string) []string {
	var ids []string
	for _, list := range lists {
		for id := range strings.SplitSeq(list, ",") {
			id = strings.ToUpper(strings.TrimSpace(id))
			if len(id) >= 5 && id[0] == 'T' && strings.Trim(id[1:], "0123456789.") == "" {
				ids = append(ids, id)
			}
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
