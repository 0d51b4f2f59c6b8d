package normalise

import (
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// route asks what the record is and hands it to its mapper. Content decides:
// hubs are shared, and feeds carry records of other feeds.
func (m *Mapper) route(rec record) {
	category, properties := rec.at("category"), object{}
	if category != "" {
		if properties = rec.get("properties"); !properties.ok() {
			properties = m.flattened(rec.object)
		}
	}
	if properties.ok() {
		rec.envelope, rec.object = rec.object, m.embedded(properties)
		if name := wrongType(rec.object); name != "" {
			rec.reject(ReasonBadValue, name+" holds a structure, want text")
			return
		}
		m.routeCategory(rec, category)
		return
	}
	// AuditData of Search-UnifiedAuditLog (a string) and of Graph's audit query
	// (an object) is the classic record; the names around it are crossed.
	if data := m.embedded(rec.get("AuditData")); data.isObject() && data.has("Operation") {
		rec.object = data
	}
	if name := wrongType(rec.object); name != "" {
		rec.reject(ReasonBadValue, name+" holds a structure, want text")
		return
	}
	switch {
	case strings.EqualFold(rec.at("type"), "heartbeat"):
		rec.skip(SkipHeartbeat)
	case isOfficeActivity(rec.object): // has an Operation and a RecordType, too
		m.officeActivity(rec)
	case isAuditRecord(rec.object):
		m.routeAudit(rec)
	case isMessageTrace(rec.object):
		m.messageTrace(rec)
	case isRiskDetection(rec.object):
		m.riskDetection(rec)
	case isRiskyUser(rec.object):
		m.riskyUser(rec)
	case m.routeDefender(rec):
	case isSignIn(rec.object):
		m.signIn(rec, "")
	case isSCIM(rec.object):
		m.scim(rec)
	case isDirectoryAudit(rec.object):
		m.directoryAudit(rec)
	case isAuditEvent(rec.object):
		m.auditEvent(rec)
	case m.isHealth(rec.object):
		m.health(rec)
	case rec.source == schemas.SourceHR:
		m.hrObject(rec)
	default:
		rec.skip(SkipUnknown)
	}
}

// routeCategory routes a record of Azure diagnostic settings or of the Defender
// streaming API.
func (m *Mapper) routeCategory(rec record, category string) {
	var f folding
	folded := f.lower(category)
	if table, found := strings.CutPrefix(folded, "advancedhunting-"); found {
		m.hunting(rec, table)
		return
	}
	switch folded {
	case "signinlogs", "noninteractiveusersigninlogs", "serviceprincipalsigninlogs", "managedidentitysigninlogs",
		"microsoftserviceprincipalsigninlogs", "adfssigninlogs":
		m.signIn(rec, folded)
	case "userriskevents", "serviceprincipalriskevents":
		m.riskDetection(rec)
	case "riskyusers", "riskyserviceprincipals":
		m.riskyUser(rec)
	case "auditlogs":
		m.directoryAudit(rec)
	default:
		if isDirectoryAudit(rec.object) { // categories such as UserManagement
			m.directoryAudit(rec)
			return
		}
		rec.skip(SkipCategory)
	}
}

// isAuditRecord tells records of the Office 365 Management Activity API.
func isAuditRecord(o object) bool {
	return o.has("Operation") && (o.has("RecordType") || o.has("CreationTime") && o.has("Workload"))
}
