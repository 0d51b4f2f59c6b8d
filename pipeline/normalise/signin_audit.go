package normalise

import (
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// The values of Actor[].Type, Office 365 Management Activity API,
// IdentityTypeValuePair.
const (
	identityClaim    = "0"
	identityObjectID = "2" // also "User_<object id>" and the word "User"
	identityUPN      = "5"
)

// auditSignIn maps the Office 365 form of a sign-in: record types 15, and 9,
// its predecessor.
// https://learn.microsoft.com/office/office-365-management-api/office-365-management-activity-api-schema#azure-active-directory-secure-token-service-sts-logon-schema
func (m *Mapper) auditSignIn(rec record) {
	e := m.audit(rec, schemas.SourceSignIn)
	e.ID = m.id(rec, kindSignIn, lowercase(rec.at("Id")))
	e.Actor = auditSignInActor(e.Actor, m.embedded(rec.get("Actor")))

	extended := m.embedded(rec.get("ExtendedProperties"))
	device := m.embedded(rec.get("DeviceProperties"))
	e.Clear.UserAgent = first(extended.named("UserAgent").text(), e.Clear.UserAgent)
	request := extended.named("RequestType").text()
	client := rec.at("Client")
	e.SignIn = &schemas.SignIn{
		Application: rec.str("Application", "ApplicationDisplayName", "ApplicationId"),
		Resource:    known(first(m.embedded(rec.get("Target")).firstID(), rec.at("ObjectId"))),
		Client:      client,
		Legacy:      isLegacyClient(client, e.Clear.UserAgent),
		// A token request alone is an application acting on a session; every
		// other request type is a page that a person sees.
		Interactive: request != "" && !strings.HasPrefix(lowercase(request), "oauth2:token"),
	}
	if recordType(rec.object) == "9" {
		m.accountLogonOutcome(e, rec, extended)
	} else {
		auditSignInOutcome(e, e.Operation, rec.get("ErrorNumber"), rec.at("LogonError"))
	}
	if strings.HasSuffix(lowercase(request), ":logout") && e.Activity == activitySignInSucceeded {
		e.Activity, e.SignIn.Interactive = activitySignedOut, false // logged as UserLoggedIn
	}
	managed := device.maybeNamed("IsCompliantAndManaged", "IsManaged", "IsCompliant")
	m.on(e, device.named("Id").text(), device.named("DisplayName").text(), device.named("OS").text(), managed)
	m.emit(rec, e)
}

// auditSignInActor completes the actor from the list of its names, which says
// the UPN and the object id where UserId and UserKey may hold other things.
func auditSignInActor(actor Actor, names object) Actor {
	for _, name := range names.items() {
		id := name.at("ID")
		switch name.at("Type") {
		case identityUPN:
			if named := person(id); actor.UPN == "" && named.UPN != "" {
				named.ObjectID = first(named.ObjectID, actor.ObjectID)
				actor = named
			}
		case identityClaim, identityObjectID:
			actor.ObjectID = first(actor.ObjectID, objectID(id))
		}
	}
	switch {
	case !actor.IsNamed():
		actor.Type = schemas.ActorUnknown // whatever UserType says
	case actor.Type == schemas.ActorUnknown && actor.ObjectID != "":
		actor.Type = schemas.ActorPerson
	}
	return actor
}

// known returns the text, or nothing for the words that stand for nothing.
func known(text string) string {
	var f folding
	switch f.lower(text) {
	case "unknown", "not available", "none":
		return ""
	default:
		return text
	}
}

// accountLogonOutcome reads the result of record type 9, whose ResultStatus
// holds; LoginStatus and LoginError say why it failed.
func (m *Mapper) accountLogonOutcome(e *Event, rec record, extended object) {
	code, _ := rec.get("LoginStatus").number()
	failed := code != 0 || extended.named("LoginError").text() != "" || strings.Contains(lowercase(e.Operation), "fail")
	switch {
	case failed || e.Outcome == schemas.OutcomeFailure:
		setSignInOutcome(e, code, schemas.OutcomeFailure)
	default:
		setSignInOutcome(e, code, e.Outcome)
	}
}

// firstID returns the first id of upstream's list form [{"ID":…,"Type":…}].
func (o object) firstID() string {
	for _, item := range o.items() {
		if id := item.at("ID"); id != "" {
			return id
		}
	}
	return ""
}

// maybeNamed is the truth of the first of the names that the list form has.
func (o object) maybeNamed(names ...string) *bool {
	for _, name := range names {
		if value, ok := o.named(name).truth(); ok {
			return &value
		}
	}
	return nil
}
