package tenant

import "github.com/riskpipe/riskpipe/schemas"

// audit begins a record of the Office 365 Management Activity API. The members
// of the kind follow, then audited.
// https://learn.microsoft.com/office/office-365-management-api/office-365-management-activity-api-schema
func (g *generator) audit(user, key string, at schemas.Time, operation string, kind int, workload, status, ip string) {
	g.auditOperation, g.auditKind = operation, kind
	w := &g.w
	w.reset()
	w.open("")
	w.time("CreationTime", at, layoutNoZone)
	w.id("Id", g.dice.guid())
	w.text("Operation", operation)
	w.id("OrganizationId", g.tenant.id)
	w.number("RecordType", int64(kind))
	if status != "" {
		w.text("ResultStatus", status)
	}
	w.text("UserKey", key)
	w.number("UserType", 0)
	w.number("Version", 1)
	w.text("Workload", workload)
	if ip != "" {
		w.text("ClientIP", ip)
	}
	w.text("UserId", user)
}

// audited ends the record and publishes it, 60 to 90 minutes late as a rule. It
// returns the record.
func (g *generator) audited(source schemas.Source, at schemas.Time, user string) []byte {
	g.w.close()
	published := at + g.dice.span(60*minute, 90*minute)
	if g.dice.chance(0.03) {
		published += g.dice.span(0, 6*hour)
	}
	it := item{
		at: published, source: source, carrier: carrierAudit, value: g.keep(),
		created: at, operation: g.auditOperation, user: user, kind: g.auditKind,
	}
	g.pending = append(g.pending, it)
	if g.dice.chance(0.004) { // a retried download brings a blob again
		it.at += g.dice.span(5*minute, 3*hour)
		g.pending = append(g.pending, it)
	}
	return it.value
}

// property appends one of the lists of names and values.
func (g *generator) property(name, value string) {
	g.w.open("")
	g.w.texts("Name", name, "Value", value)
	g.w.close()
}

// identity appends an id of an actor or target; 0 is an object id, 3 a PUID, 5 a
// UPN.
func (g *generator) identity(id string, kind int64) {
	g.w.open("")
	g.w.text("ID", id)
	g.w.number("Type", kind)
	g.w.close()
}

// accessContext appends what the record says of the session.
func (g *generator) accessContext() {
	w := &g.w
	w.open("AppAccessContext")
	w.id("AADSessionId", g.dice.guid())
	w.id("CorrelationId", g.dice.guid())
	w.text("UniqueTokenId", g.dice.hexText(11))
	w.close()
}
