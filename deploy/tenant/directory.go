package tenant

import (
	"strconv"

	"github.com/riskpipe/riskpipe/schemas"
)

// riskEvent publishes a risk detection, which offline analysis finds a day late.
// https://learn.microsoft.com/graph/api/resources/riskdetection
func (g *generator) riskEvent(p *person, at schemas.Time) {
	detected := at + g.dice.span(18*hour, 25*hour)
	kind := pick(g.dice, []string{"unfamiliarFeatures", "anonymizedIPAddress", "unlikelyTravel", "passwordSpray"})
	ip := "192.0.2." + strconv.Itoa(g.dice.between(100, 250))
	w := &g.w
	w.reset()
	w.open("")
	w.id("id", g.dice.guid())
	w.id("requestId", g.dice.guid())
	w.id("correlationId", g.dice.guid())
	w.texts("riskType", "generic", "riskEventType", kind, "riskState", "atRisk", "riskLevel", pick(g.dice, []string{"low", "medium", "high"}),
		"riskDetail", "none", "source", "IdentityProtection", "detectionTimingType", "offline", "activity", "signin", "ipAddress", ip)
	g.location(&places[(p.index+3)%len(places)])
	w.time("activityDateTime", at, layoutMillis)
	w.time("detectedDateTime", detected, layoutMillis)
	w.time("lastUpdatedDateTime", detected+hour, layoutMillis)
	w.id("userId", p.object)
	w.texts("userDisplayName", p.display, "userPrincipalName", p.upn)
	w.text("additionalInfo", `[{"Key":"userAgent","Value":"`+p.agent+`"},{"Key":"mitreTechniques","Value":"T1078,T1110.003"}]`)
	w.text("tokenIssuerType", "AzureAD")
	w.null("resourceTenantId")
	w.id("homeTenantId", g.tenant.id)
	w.texts("userType", "member", "crossTenantAccessType", "none")
	w.close()
	g.diagnostic(detected+hour, "User Risk Detection", "UserRiskEvents", ip, p.display, p.place, result{})
}

// directoryAudit publishes a change of somebody's account by an administrator.
// https://learn.microsoft.com/graph/api/resources/directoryaudit
func (g *generator) directoryAudit(p, by *person, at schemas.Time) {
	operation := pick(g.dice, []string{"Update user", "Add member to group", "User registered security info", "Change user license"})
	w := &g.w
	w.reset()
	w.open("")
	w.text("id", "Directory_"+g.dice.guid().String())
	w.texts("category", "UserManagement", "activityDisplayName", operation, "operationType", "Update", "result", "success", "resultReason", "", "loggedByService", "Core Directory")
	w.id("correlationId", g.dice.guid())
	w.time("activityDateTime", at, layoutTicks)
	w.open("initiatedBy")
	w.open("user")
	w.id("id", by.object)
	w.text("userPrincipalName", by.upn)
	w.text("ipAddress", by.address(at))
	w.close()
	w.close()
	w.list("targetResources")
	w.open("")
	w.id("id", p.object)
	w.texts("type", "User", "userPrincipalName", p.upn, "displayName", p.display)
	w.list("modifiedProperties")
	w.open("")
	w.texts("displayName", "JobTitle", "oldValue", `["Analyst"]`, "newValue", `["`+p.role.title+`"]`)
	w.close()
	w.end()
	w.close()
	w.end()
	w.list("additionalDetails")
	w.end()
	w.close()
	g.diagnostic(at, operation, "AuditLogs", by.address(at), by.display, nil, result{})
}
