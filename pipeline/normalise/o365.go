package normalise

import (
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// routeAudit routes a record of the Office 365 Management Activity API by its
// record type, a number, a number in a string, or in Graph's query a name.
// https://learn.microsoft.com/office/office-365-management-api/office-365-management-activity-api-schema
func (m *Mapper) routeAudit(rec record) {
	if isDLP(rec.object) {
		m.dlp(rec)
		return
	}
	switch recordType(rec.object) {
	case "4", "6", "14", "36", "56": // sites, files, sharing, lists, list items
		m.sharePoint(rec)
	case "1", "2", "3", "50": // Exchange: administration, items, groups of items, aggregated
		m.exchange(rec)
	case "43": // labels of mail
		m.mailLabel(rec)
	case "15", "9": // sign-ins
		m.auditSignIn(rec)
	case "8": // directory
		m.auditDirectory(rec)
	case "63": // endpoint DLP
		m.endpoint(rec)
	case "83", "84", "82": // sensitivity labels
		m.label(rec)
	case "93", "94", "95", "96", "97": // Azure Information Protection
		m.informationProtection(rec)
	case "261": // Copilot
		m.copilot(rec)
	case "40", "28", "41", "47", "64", "98": // alerts, threats, investigations
		m.complianceAlert(rec)
	default:
		if rec.get("CopilotEventData").ok() { // agents and other AI apps have record types of their own
			m.copilot(rec)
			return
		}
		m.routeWorkload(rec)
	}
}

// routeWorkload routes record types without a mapper of their own: many are
// unpublished, and a new one of a known workload often has its shape.
func (m *Mapper) routeWorkload(rec record) {
	var f folding
	switch f.lower(rec.at("Workload")) {
	case "sharepoint", "onedrive":
		m.sharePoint(rec)
	case "exchange":
		m.exchange(rec)
	case "endpoint":
		m.endpoint(rec)
	case "azureactivedirectory":
		if strings.HasPrefix(lowercase(rec.at("Operation")), "userlog") { // UserLoggedIn, UserLoginFailed
			m.auditSignIn(rec)
			return
		}
		m.auditDirectory(rec)
	default:
		rec.skip(SkipCategory)
	}
}

// audit starts an event from the fields that all audit records share.
func (m *Mapper) audit(rec record, source schemas.Source) *Event {
	e := &Event{}
	e.Source = source
	e.Operation = rec.at("Operation")
	id := lowercase(rec.at("Id"))
	if !isGUID(id) {
		id = "" // made up by whoever anonymised it: distinct facts share it
	}
	e.ID = m.id(rec, "o365", id)
	e.Time = rec.when("CreationTime", "CreationDate")
	e.Actor = person(rec.str("UserId"))
	if e.Actor.UPN == "" && (e.Actor.Type == schemas.ActorPerson || e.Actor.Type == schemas.ActorUnknown) {
		// UserKey holds the UPN or the object id where UserId has a display form;
		// a claim in it (i:0h.f|membership|…) is a passport id and names nobody.
		if key := person(rec.at("UserKey")); !strings.Contains(rec.at("UserKey"), "|") && (key.UPN != "" || key.ObjectID != "") {
			e.Actor = key
		}
	}
	if e.Actor.Type == schemas.ActorUnknown {
		switch rec.at("UserType") {
		case "4", "System":
			e.Actor.Type = schemas.ActorSystem
		case "5", "6", "Application", "ServicePrincipal":
			e.Actor.Type = schemas.ActorService
		}
	}
	e.Outcome = auditOutcome(rec.at("ResultStatus"))
	m.from(e, "", 0, rec.at("ClientIP"), rec.at("ClientIPAddress"), rec.at("ActorIpAddress"), rec.at("SenderIp"), rec.at("Client_IPAddress"))
	e.Clear.UserAgent = rec.at("UserAgent")
	return e
}

// auditOutcome reads ResultStatus, which every workload spells differently. An
// absent one means success: only what happened is recorded.
func auditOutcome(status string) schemas.Outcome {
	var f folding
	switch f.lower(status) {
	case "", "success", "succeeded", "successful", "true", "partiallysucceeded", "0":
		return schemas.OutcomeSuccess
	case "failure", "failed", "false", "fail":
		return schemas.OutcomeFailure
	default:
		return schemas.OutcomeUnknown
	}
}
