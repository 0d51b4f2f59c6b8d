package normalise

import (
	"slices"
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// The activities of sign-ins.
const (
	activitySignInSucceeded   = "signin.succeeded"
	activitySignInFailed      = "signin.failed"
	activitySignInInterrupted = "signin.interrupted"
	activitySignInAttempted   = "signin.attempted" // the record does not say how it ended
	activitySignedOut         = "signin.signed_out"
)

// kindSignIn makes the event ids of sign-ins. The record id of the Office 365
// form and the id of the Graph form are the same, so that both feeds give one
// event.
const kindSignIn = "entra-signin"

// SkipNoSignIn is the reason for a record of a sign-in category that says
// neither who signed in nor how it ended.
const SkipNoSignIn = "no_sign_in_details"

// isSignIn tells the Graph signIn resource without an envelope, and a row of
// the Log Analytics tables made of it.
// https://learn.microsoft.com/graph/api/resources/signin
func isSignIn(o object) bool {
	if strings.HasSuffix(lowercase(o.at("category")), "signinlogs") {
		return true
	}
	ended := o.has("status") || o.has("resultType")
	who := o.has("userPrincipalName") || o.has("userId") || o.has("servicePrincipalId")
	from := o.has("appId") || o.has("appDisplayName") || o.has("clientAppUsed") || o.has("conditionalAccessStatus")
	when := o.has("createdDateTime") || o.has("TimeGenerated")
	return ended && who && from && when && !o.has("incidentId") && !o.has("alertId")
}

// signIn maps a Graph signIn resource, bare or as the properties of a
// diagnostic record. Category is the lower-case diagnostic category, empty for
// a bare resource.
func (m *Mapper) signIn(rec record, category string) {
	status := m.embedded(rec.get("status"))
	result := first(status.at("errorCode"), rec.at("resultType"), rec.envelope.at("resultType"))
	e := &Event{Actor: signInActor(rec, category)}
	if !e.Actor.IsNamed() && result == "" && rec.at("id") == "" {
		rec.skip(SkipNoSignIn)
		return
	}
	e.ID = m.id(rec, kindSignIn, lowercase(rec.at("id")))
	e.Source = schemas.SourceSignIn
	e.Operation = first(rec.envelope.at("operationName"), rec.at("operationName"), "Sign-in activity")
	// The envelope's time is when the record was ingested: only better than none.
	e.Time = rec.when("createdDateTime")
	if e.Time == 0 {
		e.Time = rec.envelope.when("time")
	}
	if e.Time == 0 {
		e.Time = rec.when("TimeGenerated", "time")
	}
	e.Clear.DisplayName = first(rec.str("userDisplayName", "servicePrincipalName"), rec.envelope.at("identity"), rec.at("identity"))
	e.Clear.UserAgent = rec.at("userAgent")

	client := rec.at("clientAppUsed")
	e.SignIn = &schemas.SignIn{
		Application:       rec.str("appDisplayName", "servicePrincipalName", "appId"),
		Resource:          resource(rec),
		Client:            client,
		Legacy:            isLegacyClient(client, e.Clear.UserAgent),
		Interactive:       isInteractiveSignIn(rec, category),
		MFA:               strings.EqualFold(rec.at("authenticationRequirement"), "multiFactorAuthentication"),
		ConditionalAccess: conditionalAccess(rec.at("conditionalAccessStatus")),
		RiskLevel:         riskLevel(rec.str("riskLevelDuringSignIn", "riskLevelAggregated")),
		RiskTypes:         m.riskTypes(rec),
	}
	signInOutcome(e, result)
	m.place(e, rec)
	device := m.embedded(rec.get("deviceDetail"))
	m.on(e, device.at("deviceId"), device.at("displayName"), device.at("operatingSystem"), device.maybe("isManaged", "isCompliant"))
	m.emit(rec, e)
}

// signInActor names who signed in: the user, else the application.
func signInActor(rec record, category string) Actor {
	user := userActor(rec.at("userPrincipalName"), rec.at("userId"), rec.at("userType"))
	app := lowercase(rec.str("servicePrincipalId", "appId", "servicePrincipalName"))
	if !user.IsNamed() {
		// What the user typed, where Entra knew no such user or federation answered.
		if typed := person(rec.str("signInIdentifier", "alternateSignInName")); typed.UPN != "" {
			user = typed
		}
	}
	switch {
	case strings.HasPrefix(category, "serviceprincipal"), strings.HasPrefix(category, "managedidentity"),
		strings.HasPrefix(category, "microsoftserviceprincipal"),
		!user.IsNamed() && rec.at("servicePrincipalId") != "":
		return Actor{Type: schemas.ActorService, App: app}
	case isAgent(rec):
		user.Type, user.App = schemas.ActorService, app
	}
	return user
}

// userActor names a user of Entra by the principal name, the object id and the
// kind of user (Member or Guest) that a record gives.
func userActor(upn, id, kind string) Actor {
	if isPlaceholder(upn) {
		upn = ""
	}
	user := person(upn)
	user.ObjectID = first(user.ObjectID, objectID(id))
	if !user.IsNamed() && !isPlaceholder(id) {
		user = person(id)
	}
	switch {
	case user.IsNamed() && strings.EqualFold(kind, "guest"):
		user.Type = schemas.ActorGuest
	case user.Type == schemas.ActorUnknown && user.IsNamed():
		user.Type = schemas.ActorPerson // whatever the name looks like, the field is for users
	}
	return user
}

// isAgent tells sign-ins of AI agents: no person sat there, even where the
// agent has a user account of its own.
// https://learn.microsoft.com/graph/api/resources/agentic-agentsignin
func isAgent(rec record) bool {
	kind := rec.at("agent", "agentType")
	return kind != "" && !strings.EqualFold(kind, "notAgentic") && !strings.EqualFold(kind, "unknownFutureValue")
}

// resource names what was asked for; never the Azure resource that the log
// itself belongs to, whose id is a path.
func resource(rec record) string {
	if name := rec.at("resourceDisplayName"); name != "" {
		return name
	}
	if id := rec.str("resourceIdentity", "resourceId"); !strings.HasPrefix(id, "/") {
		return id
	}
	return ""
}

// isInteractiveSignIn reads the flag, else the category, else the list of event types.
func isInteractiveSignIn(rec record, category string) bool {
	if flag := rec.maybe("isInteractive"); flag != nil {
		return *flag
	}
	for _, kind := range rec.get("signInEventTypes").texts() {
		if strings.EqualFold(kind, "interactiveUser") {
			return true
		}
	}
	return category == "signinlogs" || category == "adfssigninlogs"
}

// place fills in where the sign-in came from. The country stands in the
// record's location, an object, or in the envelope's, a text.
func (m *Mapper) place(e *Event, rec record) {
	location := m.embedded(rec.get("location"))
	if !location.isObject() {
		location = m.embedded(rec.get("LocationDetails"))
	}
	e.Clear.City = location.at("city")
	country := ""
	for _, text := range []string{location.at("countryOrRegion"), rec.at("location"), rec.envelope.at("location")} {
		if len(text) == 2 {
			country = text
			break
		}
	}
	asn, _ := rec.get("autonomousSystemNumber").number()
	m.from(e, country, asn, rec.at("ipAddress"), rec.envelope.at("callerIpAddress"), rec.at("callerIpAddress"),
		rec.at("ipAddressFromResourceProvider"))
	locate(e, location.get("geoCoordinates"))
}

// legacyClients are client protocols which cannot do modern authentication, as
// the sign-in log names them.
// https://learn.microsoft.com/entra/identity/conditional-access/policy-block-legacy-authentication
var legacyClients = []string{
	"authenticated smtp", "autodiscover", "exchange activesync", "exchange online powershell", "exchange web services",
	"imap4", "imap", "mapi over http", "mapi", "offline address book", "other clients", "outlook anywhere (rpc over http)",
	"outlook anywhere", "outlook service", "pop3", "pop", "reporting web services", "smtp", "universal outlook",
}

// legacyAgents are the user agents under which Exchange passes basic
// authentication on.
var legacyAgents = []string{"bav2ropc", "cbainprod", "cbaintar"}

func isLegacyClient(client, agent string) bool {
	var f folding
	client, _, _ = strings.Cut(f.lower(client), ";") // "Other clients; IMAP"
	return slices.Contains(legacyClients, strings.TrimSpace(client)) || slices.ContainsFunc(legacyAgents, func(known string) bool {
		return strings.EqualFold(known, agent)
	})
}

// conditionalAccess reads the status as a name or as Graph's number for it.
func conditionalAccess(status string) string {
	var f folding
	switch f.lower(status) {
	case "success", "0":
		return "success"
	case "failure", "1":
		return "failure"
	case "notapplied", "2":
		return "notApplied"
	default:
		return ""
	}
}

// riskLevel reads a risk level. "hidden" means that the tenant has no licence
// to see it, which is not the same as no risk.
func riskLevel(level string) string {
	switch level = lowercase(level); level {
	case "none", "low", "medium", "high":
		return level
	default:
		return ""
	}
}

// riskTypes lists the risks found during the sign-in, sorted, each once.
func (m *Mapper) riskTypes(rec record) []string {
	list := m.embedded(rec.get("riskEventTypes_v2")).texts()
	if len(list) == 0 {
		list = m.embedded(rec.get("riskEventTypes")).texts()
	}
	slices.Sort(list)
	return slices.Compact(list)
}
