package tenant

import (
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// alertKind is a detection of a security product.
type alertKind struct{ title, category, technique, name, severity string }

var alertKinds = []alertKind{
	{"Unfamiliar sign-in properties", "InitialAccess", "T1078.004", "Cloud Accounts", "Low"},
	{"Suspicious PowerShell command line", "Execution", "T1059.001", "PowerShell", "Medium"},
	{"Unwanted software was blocked", "Malware", "T1204", "User Execution", "Informational"},
	{"Email messages removed after delivery", "InitialAccess", "T1566", "Phishing", "Informational"},
}

// alert publishes AlertInfo, which names nobody, and AlertEvidence, in either
// order.
func (g *generator) alert(p *person, at schemas.Time, k alertKind) {
	id := "da" + g.dice.hexText(16) + "_1"
	info := func() {
		w := g.row(at)
		w.texts("AlertId", id, "Title", k.title, "Category", k.category, "Severity", k.severity, "ServiceSource", "Microsoft Defender for Endpoint", "DetectionSource", "EDR")
		w.text("AttackTechniques", choose(g.dice.chance(0.8), `["`+k.name+` (`+k.technique+`)"]`, ""))
		g.hunted(at, "AlertInfo")
	}
	evidence := func() {
		w := g.row(at)
		w.texts("AlertId", id, "Title", k.title, "Categories", `["`+k.category+`"]`, "AttackTechniques", `["`+k.name+`(`+k.technique+`)"]`, "ServiceSource", "Microsoft Defender for Endpoint",
			"DetectionSource", "EDR", "EntityType", "User", "EvidenceRole", "Impacted", "EvidenceDirection", "Source", "AccountName", p.sam, "AccountDomain", g.tenant.options.Domain,
			"AccountSid", p.sid, "AccountUpn", p.upn)
		w.id("AccountObjectId", p.object)
		w.texts("DeviceId", p.deviceHash, "DeviceName", p.deviceFull)
		w.null("FileName", "FolderPath", "SHA1", "SHA256", "FileSize", "NetworkMessageId", "EmailSubject", "LocalIP", "RemoteIP", "RemoteUrl", "Application", "ApplicationId",
			"ProcessCommandLine", "RegistryKey", "RegistryValueName", "RegistryValueData")
		w.text("AdditionalFields", `{"Asset":true}`)
		g.hunted(at, "AlertEvidence")
	}
	if g.dice.chance(0.5) {
		info()
		evidence()
	} else {
		evidence()
		info()
	}
}

// graphAlert publishes an alert as Graph has it, and the same again when it was
// closed.
// https://learn.microsoft.com/graph/api/resources/security-alert
func (g *generator) graphAlert(p *person, at schemas.Time, k alertKind) {
	id := "ra" + g.dice.hexText(16)
	incident := g.dice.between(1, 9999)
	deliver := func(published schemas.Time, status string) {
		w := &g.w
		w.reset()
		w.open("")
		w.texts("id", id, "providerAlertId", id, "title", k.title, "severity", strings.ToLower(k.severity), "status", status)
		w.number("incidentId", int64(incident))
		w.null("classification", "determination", "assignedTo", "actorDisplayName", "threatDisplayName")
		w.texts("serviceSource", "microsoftDefenderForEndpoint", "detectionSource", "microsoftDefenderForEndpoint", "category", k.category, "description", "Invented for a demonstration.")
		w.id("tenantId", g.tenant.id)
		w.list("mitreTechniques")
		w.element(k.technique)
		w.end()
		w.time("createdDateTime", at+2*minute, layoutTicks)
		w.time("lastUpdateDateTime", published-minute, layoutTicks)
		w.time("firstActivityDateTime", at, layoutTicks)
		w.time("lastActivityDateTime", at+minute, layoutTicks)
		if status == "resolved" {
			w.time("resolvedDateTime", published-minute, layoutTicks)
		} else {
			w.null("resolvedDateTime")
		}
		w.list("comments")
		w.end()
		w.list("evidence")
		w.open("")
		w.texts("@odata.type", "#microsoft.graph.security.deviceEvidence", "verdict", "unknown", "remediationStatus", "none", "deviceDnsName", p.deviceFull, "mdeDeviceId", p.deviceHash)
		w.id("azureAdDeviceId", p.deviceID)
		w.close()
		w.open("")
		w.texts("@odata.type", "#microsoft.graph.security.userEvidence", "verdict", "unknown", "remediationStatus", "none")
		w.open("userAccount")
		w.texts("accountName", p.sam, "domainName", g.tenant.options.Domain, "userSid", p.sid)
		w.id("azureAdUserId", p.object)
		w.texts("userPrincipalName", p.upn, "displayName", p.display)
		w.close()
		w.close()
		w.end()
		w.close()
		g.pending = append(g.pending, item{at: published, source: schemas.SourceDefender, value: g.keep()})
	}
	deliver(at+g.dice.span(5*minute, 20*minute), "new")
	deliver(at+g.dice.span(2*hour, 12*hour), "resolved")
}
