package tenant

import (
	"strconv"

	"github.com/riskpipe/riskpipe/schemas"
)

// workloads are the accounts of no person.
var workloads = []struct{ name, category string }{
	{"Invoice Archiver", "ServicePrincipalSignInLogs"},
	{"Nightly Reports", "ServicePrincipalSignInLogs"},
	{"Backup Connector", "ServicePrincipalSignInLogs"},
	{"vm-build-agents", "ManagedIdentitySignInLogs"},
	{"func-exports", "ManagedIdentitySignInLogs"},
}

// workloadSignIn publishes a sign-in without a person.
func (g *generator) workloadSignIn(at schemas.Time, n int) {
	load := workloads[n%len(workloads)]
	managed := load.category == "ManagedIdentitySignInLogs"
	ip := choose(managed, "", "192.0.2."+strconv.Itoa(30+n%5))
	w := &g.w
	w.reset()
	w.open("")
	w.id("id", g.dice.guid())
	w.time("createdDateTime", at, layoutTicks)
	w.id("correlationId", g.dice.guid())
	w.texts("servicePrincipalName", load.name, "appDisplayName", load.name)
	w.id("servicePrincipalId", guid{g.tenant.id[0] + uint64(n%len(workloads)), g.tenant.id[1]})
	w.id("appId", guid{g.tenant.id[1] + uint64(n%len(workloads)), g.tenant.id[0]})
	w.text("ipAddress", ip)
	w.open("status")
	w.number("errorCode", 0)
	w.close()
	w.open("location")
	w.open("geoCoordinates")
	w.close()
	w.close()
	w.open("deviceDetail")
	w.texts("deviceId", "", "operatingSystem", "", "browser", "")
	w.close()
	w.empty("userId", "userPrincipalName", "userDisplayName")
	w.truth("isInteractive", false)
	w.texts("clientCredentialType", choose(managed, "none", "clientSecret"), "resourceDisplayName", "Microsoft Graph",
		"resourceId", "00000003-0000-0000-c000-000000000000", "conditionalAccessStatus", "notApplied", "riskLevelDuringSignIn", "none",
		"crossTenantAccessType", "none")
	w.list("signInEventTypes")
	w.element(choose(managed, "managedIdentity", "servicePrincipal"))
	w.end()
	w.close()
	g.diagnostic(at, "Sign-in activity", load.category, ip, "", nil, result{})
}
