package tenant

import (
	"strconv"

	"github.com/riskpipe/riskpipe/schemas"
)

// result is how a sign-in ended.
type result struct {
	code   int64
	reason string
}

var succeeded = result{0, "Other."}

// failures are what goes wrong in an ordinary week.
// https://learn.microsoft.com/entra/identity-platform/reference-error-codes
var failures = []result{
	{50126, "Error validating credentials due to invalid username or password."},
	{50053, "The account is locked, you've tried to sign in too many times with an incorrect user ID or password."},
	{50055, "The password is expired."},
	{53003, "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance."},
}

// interrupts are steps on the way, neither success nor failure.
var interrupts = []result{
	{50140, "This error occurred due to 'Keep me signed in' interrupt when the user was signing-in."},
	{50074, "Strong Authentication is required."},
	{50076, "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access the resource."},
	{50158, "External security challenge was not satisfied."},
}

// signIns are a person's sign-ins of a day.
func (g *generator) signIns(p *person, day int, busy float64) {
	for range g.dice.some(1.1 * busy) {
		at := g.moment(p, day)
		switch {
		case g.dice.chance(0.05):
			for range g.dice.between(1, 3) {
				g.signIn(p, at, "SignInLogs", pick(g.dice, failures))
				at += g.dice.span(8*second, 40*second)
			}
		case g.dice.chance(0.08):
			g.signIn(p, at, "SignInLogs", pick(g.dice, interrupts))
			at += g.dice.span(4*second, 30*second)
		}
		g.signIn(p, at, "SignInLogs", succeeded)
	}
	for range g.dice.some(2 * busy) {
		g.signIn(p, g.moment(p, day), "NonInteractiveUserSignInLogs", succeeded)
	}
	if g.dice.chance(0.12 * busy) {
		g.auditedSignIn(p, g.moment(p, day))
	}
	if g.dice.chance(0.004) {
		g.riskEvent(p, g.moment(p, day))
	}
}

// diagnostic publishes the properties at hand as a record of diagnostic settings;
// some are delivered twice, under a fresh time.
// https://learn.microsoft.com/azure/azure-monitor/essentials/resource-logs-schema
func (g *generator) diagnostic(at schemas.Time, operation, category, ip, identity string, p *place, r result) {
	g.inner.b = append(g.inner.b[:0], g.w.b...)
	properties := g.inner.b
	correlation := g.dice.guid()
	deliver := func(published schemas.Time) {
		w := &g.w
		w.reset()
		w.open("")
		w.time("time", published-g.dice.span(second, 9*second), layoutTicks)
		w.key("resourceId")
		w.b = append(w.b, `"/tenants/`...)
		w.b = g.tenant.id.appendTo(w.b)
		w.b = append(w.b, `/providers/Microsoft.aadiam"`...)
		w.texts("operationName", operation, "operationVersion", "1.0", "category", category)
		w.id("tenantId", g.tenant.id)
		w.text("resultType", strconv.FormatInt(r.code, 10))
		w.text("resultSignature", "None")
		if r.code != 0 {
			w.text("resultDescription", r.reason)
		}
		w.number("durationMs", 0)
		if ip != "" {
			w.text("callerIpAddress", ip)
		}
		w.id("correlationId", correlation)
		w.text("identity", identity)
		w.number("Level", 4)
		if p != nil {
			w.text("location", p.country)
		}
		w.raw("properties", properties)
		w.close()
		g.pending = append(g.pending, item{at: published, source: schemas.SourceSignIn, carrier: carrierEnvelope, value: g.keep()})
	}
	published := at + g.dice.span(28*second, 400*second)
	if g.dice.chance(0.05) {
		published += g.dice.span(0, 677*second)
	}
	deliver(published)
	for range 3 {
		if !g.dice.chance(0.03) {
			return
		}
		published += g.dice.span(minute, 15*minute)
		deliver(published)
	}
}

// signIn publishes a person's sign-in.
// https://learn.microsoft.com/graph/api/resources/signin
func (g *generator) signIn(p *person, at schemas.Time, category string, r result) {
	app, ip := pick(g.dice, applications), p.address(at)
	interactive := category == "SignInLogs"
	w := &g.w
	w.reset()
	w.open("")
	id := g.dice.guid()
	w.id("id", id)
	w.time("createdDateTime", at, layoutTicks)
	w.text("userDisplayName", p.display)
	w.text("userPrincipalName", p.upn)
	w.id("userId", p.object)
	w.texts("appId", app.id, "appDisplayName", app.name, "ipAddress", ip)
	w.open("status")
	w.number("errorCode", r.code)
	w.text("failureReason", r.reason)
	if r.code == 0 && interactive {
		w.text("additionalDetails", "MFA requirement satisfied by claim in the token")
	}
	w.close()
	w.text("clientAppUsed", choose(interactive, "Browser", "Mobile Apps and Desktop clients"))
	w.text("userAgent", p.agent)
	w.open("deviceDetail")
	if g.dice.chance(0.4) {
		w.id("deviceId", p.deviceID)
		w.texts("displayName", p.device, "operatingSystem", "Windows10", "browser", "Edge 134.0.0", "trustType", "Azure AD joined")
		w.truth("isCompliant", true)
		w.truth("isManaged", true)
	} else {
		w.texts("deviceId", "", "operatingSystem", "Windows10", "browser", "Edge 134.0.0")
	}
	w.close()
	g.location(p.place)
	w.id("correlationId", g.dice.guid())
	w.text("conditionalAccessStatus", choose(r.code == 53003, "failure", choose(interactive, "success", "notApplied")))
	w.list("appliedConditionalAccessPolicies")
	if interactive {
		w.open("")
		w.texts("id", "6a2d5e5c-88f0-4e57-9c3b-0d2f6a1f7c11", "displayName", "Require MFA for all users", "result", choose(r.code == 0, "success", "failure"))
		w.number("conditionsSatisfied", 3)
		w.number("conditionsNotSatisfied", 0)
		w.list("enforcedGrantControls")
		w.element("Mfa")
		w.end()
		w.list("enforcedSessionControls")
		w.end()
		w.close()
	}
	w.end()
	w.list("authenticationContextClassReferences")
	w.end()
	w.id("originalRequestId", id)
	w.truth("isInteractive", interactive)
	w.texts("tokenIssuerName", "", "tokenIssuerType", "AzureAD")
	w.list("authenticationProcessingDetails")
	w.open("")
	w.texts("key", "Root Key Type", "value", "Unknown")
	w.close()
	w.end()
	w.list("networkLocationDetails")
	w.end()
	w.text("clientCredentialType", "none")
	w.number("processingTimeInMilliseconds", int64(g.dice.between(60, 480)))
	w.texts("riskDetail", "none", "riskLevelAggregated", "none", "riskLevelDuringSignIn", "none", "riskState", "none")
	w.list("riskEventTypes")
	w.end()
	w.list("riskEventTypes_v2")
	w.end()
	w.texts("resourceDisplayName", app.resource, "resourceId", app.resourceID)
	w.id("resourceTenantId", g.tenant.id)
	w.id("homeTenantId", g.tenant.id)
	w.list("authenticationDetails")
	w.open("")
	w.time("authenticationStepDateTime", at, layoutTicks)
	w.texts("authenticationMethod", choose(interactive, "Password", "Previously satisfied"), "authenticationStepRequirement", "Primary authentication")
	w.truth("succeeded", r.code == 0)
	w.close()
	w.end()
	w.text("authenticationRequirement", choose(interactive, "multiFactorAuthentication", "singleFactorAuthentication"))
	w.text("signInIdentifier", choose(interactive, p.mailUPN, ""))
	w.empty("servicePrincipalId")
	w.text("userType", "Member")
	w.truth("flaggedForReview", false)
	w.truth("isTenantRestricted", false)
	w.number("autonomousSystemNumber", p.place.asn)
	w.texts("crossTenantAccessType", "none", "uniqueTokenIdentifier", g.dice.hexText(11), "incomingTokenType", "none", "authenticationProtocol", "none")
	w.list("signInEventTypes")
	w.element(choose(interactive, "interactiveUser", "nonInteractiveUser"))
	w.end()
	w.close()
	g.diagnostic(at, "Sign-in activity", category, ip, p.display, p.place, r)
}

func (g *generator) location(p *place) {
	w := &g.w
	w.open("location")
	w.texts("city", p.city, "state", p.state, "countryOrRegion", p.country)
	w.open("geoCoordinates")
	w.decimal("latitude", p.latitude)
	w.decimal("longitude", p.longitude)
	w.close()
	w.close()
}

// auditedSignIn publishes a sign-in as Office 365 tells of it. ResultStatus is
// Success even when it failed.
func (g *generator) auditedSignIn(p *person, at schemas.Time) {
	failed := g.dice.chance(0.1)
	ip := p.address(at)
	g.audit(p.mailUPN, p.object.String(), at, choose(failed, "UserLoginFailed", "UserLoggedIn"), 15, "AzureActiveDirectory", "Success", ip)
	w := &g.w
	w.texts("ObjectId", "00000003-0000-0000-c000-000000000000", "ActorIpAddress", ip, "ApplicationId", "d3590ed6-52b3-4102-aeff-aad2292ab01c")
	w.number("AzureActiveDirectoryEventType", 1)
	w.list("ExtendedProperties")
	g.property("UserAgent", p.agent)
	g.property("RequestType", "OAuth2:Authorize")
	w.end()
	w.list("ModifiedProperties")
	w.end()
	w.list("Actor")
	g.identity(p.object.String(), 0)
	g.identity(p.upn, 5)
	g.identity(p.puid, 3)
	w.end()
	w.id("ActorContextId", g.tenant.id)
	w.list("Target")
	g.identity("00000003-0000-0000-c000-000000000000", 0)
	w.end()
	w.id("TargetContextId", g.tenant.id)
	w.list("DeviceProperties")
	g.property("OS", "Windows10")
	g.property("BrowserType", "Edge")
	g.property("IsCompliantAndManaged", "True")
	g.property("SessionId", g.dice.guid().String())
	w.end()
	w.text("ErrorNumber", choose(failed, "50126", "0"))
	if failed {
		w.text("LogonError", "InvalidUserNameOrPassword")
	}
	g.audited(schemas.SourceSignIn, at, p.mailUPN)
}

func choose[T any](condition bool, yes, no T) T {
	if condition {
		return yes
	}
	return no
}
