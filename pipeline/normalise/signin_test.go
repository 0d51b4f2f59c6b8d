package normalise

import (
	"fmt"
	"hash/fnv"
	"strings"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

// plainHash stands in for the keyed hash.
func plainHash(kind, value string) schemas.Hash {
	h := fnv.New64a()
	h.Write([]byte(kind + "\x00" + value))
	return schemas.Hash(h.Sum64())
}

// tenantMapper is a mapper of the invented tenant Contoso.
func tenantMapper() *Mapper {
	return New(Options{Hash: plainHash, Domains: NewDomains(map[string][]string{
		ClassInternal:     {"contoso.com", "contoso.onmicrosoft.com"},
		ClassPartner:      {"fabrikam.com"},
		ClassPersonalMail: {"gmail.com"},
	})})
}

// mapText maps one Kafka record.
func mapText(t testing.TB, source schemas.Source, text string) Result {
	t.Helper()
	var out Result
	tenantMapper().Map(source, Raw{Topic: "raw." + string(source), Time: 1, Value: []byte(text)}, &out)
	return out
}

// onlyEvent maps a Kafka record that must come to one event.
func onlyEvent(t testing.TB, source schemas.Source, text string) Event {
	t.Helper()
	out := mapText(t, source, text)
	if len(out.Events) != 1 || len(out.Rejects) != 0 || len(out.Skips) != 0 {
		t.Fatalf("events %d, rejects %v, skips %v", len(out.Events), out.Rejects, out.Skips)
	}
	return *out.Events[0]
}

// onlySkip maps a Kafka record that must be skipped, and returns why.
func onlySkip(t testing.TB, source schemas.Source, text string) string {
	t.Helper()
	out := mapText(t, source, text)
	if len(out.Events) != 0 || len(out.Rejects) != 0 || len(out.Skips) != 1 {
		t.Fatalf("events %+v, rejects %v, skips %v", out.Events, out.Rejects, out.Skips)
	}
	return out.Skips[0].Reason
}

// head writes what every event has on one line.
func head(e Event) string {
	return fmt.Sprintf("%s %s %s %s %s ip=%s", e.Activity, e.Time, e.ActorType, e.Actor.User(), e.Outcome, e.Clear.SourceIP)
}

// sees compares a value under a name.
func sees[T comparable](t *testing.T, name string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", name, got, want)
	}
}

const adaGraph = `"id":"0aa51c4e-3b1f-4d5e-9a51-64e7aa0b1001","createdDateTime":"2026-03-02T08:15:30.1234567Z",
	"userPrincipalName":"Ada.Lovelace@Contoso.com","userId":"5D3F7F61-0001-4c7a-8E0f-1a2b3c4d5e6f","userDisplayName":"Ada Lovelace",
	"appId":"00000002-0000-0ff1-ce00-000000000000","appDisplayName":"Exchange Online","resourceDisplayName":"Exchange Online","ipAddress":"198.51.100.7"`

func TestSignIn(t *testing.T) {
	// A sign-in is read alike from Graph, from the envelope of diagnostic
	// settings and from the tables of Log Analytics.
	tests := []struct{ name, text, want string }{
		{
			"Graph",
			`{` + adaGraph + `,"status":{"errorCode":0},"isInteractive":true}`,
			"signin.succeeded 2026-03-02T08:15:30.123Z person ada.lovelace@contoso.com success ip=198.51.100.7",
		},
		{
			"Graph page",
			`{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#auditLogs/signIns","value":[{` + adaGraph + `,"status":{"errorCode":50126}}]}`,
			"signin.failed 2026-03-02T08:15:30.123Z person ada.lovelace@contoso.com failure ip=198.51.100.7",
		},
		{
			"the envelope's time is when it was ingested",
			`{"records":[{"time":"2026-03-02T08:33:27Z","category":"SignInLogs","operationName":"Sign-in activity","resultType":"0","callerIpAddress":"203.0.113.9","properties":{` + adaGraph + `,"status":{"errorCode":0}}}]}`,
			"signin.succeeded 2026-03-02T08:15:30.123Z person ada.lovelace@contoso.com success ip=198.51.100.7",
		},
		{
			"Pascal case",
			`{"records":[{"time":"2026-03-02T08:33:27Z","category":"SignInLogs","properties":{"Id":"a1","CreatedDateTime":"2026-03-02T08:15:30Z","UserPrincipalName":"ada@contoso.com","Status":{"ErrorCode":0},"IPAddress":"198.51.100.7"}}]}`,
			"signin.succeeded 2026-03-02T08:15:30.000Z person ada@contoso.com success ip=198.51.100.7",
		},
		{
			"without a time of its own the envelope's is better than none, and a word is a result",
			`{"time":"2026-03-02 08:33:27.789","category":"SignInLogs","resultType":"Success","callerIpAddress":"203.0.113.9","properties":{"userPrincipalName":"ada@contoso.com","userId":"u-1"}}`,
			"signin.succeeded 2026-03-02T08:33:27.789Z person ada@contoso.com success ip=203.0.113.9",
		},
		{
			"result type as text, address given as the text <null>",
			`{"time":"2026-03-02T08:33:27Z","category":"NonInteractiveUserSignInLogs","resultType":"50158","callerIpAddress":"<null>","properties":{"id":"a2","createdDateTime":"2026-03-02T08:15:30Z","userPrincipalName":"ada@contoso.com"}}`,
			"signin.interrupted 2026-03-02T08:15:30.000Z person ada@contoso.com unknown ip=",
		},
		{
			"keep me signed in is neither success nor failure",
			`{` + adaGraph + `,"status":{"errorCode":50140}}`,
			"signin.interrupted 2026-03-02T08:15:30.123Z person ada.lovelace@contoso.com unknown ip=198.51.100.7",
		},
		{
			"service principal",
			`{"time":"2026-03-02T08:33:27Z","category":"ServicePrincipalSignInLogs","resultType":"0","properties":{"id":"a3","createdDateTime":"2026-03-02T08:15:30Z","userId":null,"servicePrincipalId":"7D1C-SP","servicePrincipalName":"backup","appId":"app-1","ipAddress":"203.0.113.9","status":{"errorCode":0}}}`,
			"signin.succeeded 2026-03-02T08:15:30.000Z service 7d1c-sp success ip=203.0.113.9",
		},
		{
			"managed identity, without an address",
			`{"time":"2026-03-02T08:33:27Z","category":"ManagedIdentitySignInLogs","resultType":"0","properties":{"id":"a4","createdDateTime":"2026-03-02T08:15:30Z","ipAddress":"","appId":"APP-2","status":{"errorCode":0}}}`,
			"signin.succeeded 2026-03-02T08:15:30.000Z service app-2 success ip=",
		},
		{
			"service principal of Microsoft",
			`{"time":"2026-03-02T08:33:27Z","category":"MicrosoftServicePrincipalSignInLogs","properties":{"id":"a5","createdDateTime":"2026-03-02T08:15:30Z","servicePrincipalId":"sp-3","status":{"errorCode":7000215}}}`,
			"signin.failed 2026-03-02T08:15:30.000Z service sp-3 failure ip=",
		},
		{
			"AD FS",
			`{"time":"2026-03-02T08:33:27Z","category":"ADFSSignInLogs","resultType":"0","properties":{"id":"a6","createdDateTime":"2026-03-02T08:15:30Z","userPrincipalName":"ada@contoso.com","ipAddress":"203.0.113.9"}}`,
			"signin.succeeded 2026-03-02T08:15:30.000Z person ada@contoso.com success ip=203.0.113.9",
		},
		{
			"guest by user type",
			`{` + strings.Replace(adaGraph, "Ada.Lovelace@Contoso.com", "grace@fabrikam.com", 1) + `,"status":{"errorCode":0},"userType":"Guest"}`,
			"signin.succeeded 2026-03-02T08:15:30.123Z guest grace@fabrikam.com success ip=198.51.100.7",
		},
		{
			"guest by name",
			`{` + strings.Replace(adaGraph, "Ada.Lovelace@Contoso.com", "grace_fabrikam.com#EXT#@contoso.onmicrosoft.com", 1) + `,"status":{"errorCode":0}}`,
			"signin.succeeded 2026-03-02T08:15:30.123Z guest grace_fabrikam.com#ext#@contoso.onmicrosoft.com success ip=198.51.100.7",
		},
		{
			"an agent is no person",
			`{` + adaGraph + `,"status":{"errorCode":0},"agent":{"agentType":"agenticAppInstance"}}`,
			"signin.succeeded 2026-03-02T08:15:30.123Z service ada.lovelace@contoso.com success ip=198.51.100.7",
		},
		{
			"a placeholder name yields to the object id",
			`{` + strings.Replace(adaGraph, "Ada.Lovelace@Contoso.com", "ANONYMIZED", 1) + `,"status":{"errorCode":0}}`,
			"signin.succeeded 2026-03-02T08:15:30.123Z person 5d3f7f61-0001-4c7a-8e0f-1a2b3c4d5e6f success ip=198.51.100.7",
		},
		{
			"row of Log Analytics",
			`{"Type":"SigninLogs","Category":"SignInLogs","TimeGenerated":"2026-03-02T08:20:00Z","CreatedDateTime":"2026-03-02T08:15:30Z","Id":"a7","UserPrincipalName":"ada@contoso.com","UserId":"5d3f7f61-0001-4c7a-8e0f-1a2b3c4d5e6f","AppDisplayName":"Exchange Online","IPAddress":"198.51.100.7","ResultType":"50126","Status":"{\"errorCode\":50126}","Location":"CH","LocationDetails":"{\"city\":\"Bern\",\"countryOrRegion\":\"CH\"}","DeviceDetail":"{\"operatingSystem\":\"Windows 11\"}"}`,
			"signin.failed 2026-03-02T08:15:30.000Z person ada@contoso.com failure ip=198.51.100.7",
		},
		{
			"user whom Entra does not know",
			`{"time":"2026-03-02T08:33:27Z","category":"SignInLogs","properties":{"id":"b8","createdDateTime":"2026-03-02T08:15:30Z","userPrincipalName":"","userId":"00000000-0000-0000-0000-000000000000","signInIdentifier":"Ada@contoso.com","status":{"errorCode":50034}}}`,
			"signin.failed 2026-03-02T08:15:30.000Z person ada@contoso.com failure ip=",
		},
		{
			"federated by another name",
			`{"time":"2026-03-02T08:33:27Z","category":"ADFSSignInLogs","properties":{"id":"b9","createdDateTime":"2026-03-02T08:15:30Z","userPrincipalName":null,"alternateSignInName":"ada@contoso.com","status":{"errorCode":0}}}`,
			"signin.succeeded 2026-03-02T08:15:30.000Z person ada@contoso.com success ip=",
		},
		{
			"no result at all",
			`{"time":"2026-03-02T08:33:27Z","category":"SignInLogs","properties":{"id":"a8","createdDateTime":"2026-03-02T08:15:30Z","userPrincipalName":"ada@contoso.com"}}`,
			"signin.attempted 2026-03-02T08:15:30.000Z person ada@contoso.com unknown ip=",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := onlyEvent(t, schemas.SourceSignIn, test.text)
			sees(t, "event", head(e), test.want)
			sees(t, "source", e.Source, schemas.SourceSignIn)
			if e.SignIn == nil {
				t.Error("no body")
			}
		})
	}
}

func TestSignIn_body(t *testing.T) {
	// All that indicators need of a sign-in is in its body.
	e := onlyEvent(t, schemas.SourceSignIn, `{`+adaGraph+`,"status":{"errorCode":0},"isInteractive":true,
		"clientAppUsed":"Mobile Apps and Desktop clients","userAgent":"Mozilla/5.0","authenticationRequirement":"multiFactorAuthentication",
		"conditionalAccessStatus":"success","riskLevelDuringSignIn":"medium","riskLevelAggregated":"high",
		"riskEventTypes_v2":["unfamiliarFeatures","anonymizedIPAddress","unfamiliarFeatures"],
		"autonomousSystemNumber":"64500","location":{"city":"Bern","countryOrRegion":"ch","geoCoordinates":null},
		"deviceDetail":{"deviceId":"d-1","displayName":"ADA-LAPTOP","operatingSystem":"Windows 11","isManaged":true,"isCompliant":false}}`)
	s := e.SignIn
	sees(t, "application", s.Application, "Exchange Online")
	sees(t, "mfa", s.MFA, true)
	sees(t, "interactive", s.Interactive, true)
	sees(t, "legacy", s.Legacy, false)
	sees(t, "conditional access", s.ConditionalAccess, "success")
	sees(t, "risk", s.RiskLevel, "medium")
	sees(t, "risk types", strings.Join(s.RiskTypes, ","), "anonymizedIPAddress,unfamiliarFeatures")
	sees(t, "country", e.SourceIP.Country, "CH")
	sees(t, "asn", e.SourceIP.ASN, 64500)
	sees(t, "city", e.Clear.City, "Bern")
	sees(t, "os", e.Device.OS, "Windows 11")
	sees(t, "managed", *e.Device.Managed, true)
	sees(t, "device", e.Clear.DeviceName, "ADA-LAPTOP")
	sees(t, "object id", e.Actor.ObjectID, "5d3f7f61-0001-4c7a-8e0f-1a2b3c4d5e6f")
	sees(t, "name", e.Clear.DisplayName, "Ada Lovelace")
}

func TestSignIn_details(t *testing.T) {
	// Words of the sign-in log that do not mean what they say are read right.
	record := func(more string) Event {
		return onlyEvent(t, schemas.SourceSignIn, `{"time":"2026-03-02T08:33:27Z","category":"SignInLogs","location":"DE","properties":{`+adaGraph+`,"status":{"errorCode":0}`+more+`}}`)
	}
	sees(t, "hidden is no risk level", record(`,"riskLevelDuringSignIn":"hidden"`).SignIn.RiskLevel, "")
	sees(t, "future value", record(`,"riskLevelDuringSignIn":"unknownFutureValue"`).SignIn.RiskLevel, "")
	sees(t, "country of the envelope", record(`,"location":{}`).SourceIP.Country, "DE")
	sees(t, "country in words", record(`,"location":{"countryOrRegion":"Germany"}`).SourceIP.Country, "DE")
	sees(t, "status as a number", record(`,"conditionalAccessStatus":2`).SignIn.ConditionalAccess, "notApplied")
	sees(t, "not interactive", record(`,"isInteractive":false`).SignIn.Interactive, false)
	sees(t, "the envelope's resource is another", record(``).SignIn.Resource, "Exchange Online")
	sees(t, "old risk types", strings.Join(record(`,"riskEventTypes_v2":[],"riskEventTypes":["leakedCredentials"]`).SignIn.RiskTypes, ","), "leakedCredentials")
	sees(t, "nothing known of the device", record(`,"deviceDetail":{"deviceId":"","displayName":""}`).Device == nil, true)
	for client, legacy := range map[string]bool{
		"IMAP4": true, "POP3": true, "Authenticated SMTP": true, "Exchange ActiveSync": true, "Other clients": true,
		"Other clients; IMAP": true, "MAPI Over HTTP": true, "Browser": false, "Mobile Apps and Desktop clients": false, "": false,
	} {
		sees(t, client, record(`,"clientAppUsed":"`+client+`"`).SignIn.Legacy, legacy)
	}
	sees(t, "user agent of basic authentication", record(`,"userAgent":"BAV2ROPC"`).SignIn.Legacy, true)
}

func TestSignIn_skipsEmpty(t *testing.T) {
	// A record of a sign-in category that says nothing is skipped with a reason.
	sees(t, "bare", onlySkip(t, schemas.SourceSignIn, `{"time":"2026-03-02T08:33:27Z","category":"SignInLogs"}`), SkipNoSignIn)
	sees(t, "empty properties", onlySkip(t, schemas.SourceSignIn, `{"time":"2026-03-02T08:33:27Z","category":"SignInLogs","properties":{}}`), SkipNoSignIn)
}

func TestSignIn_sameIDByBothFeeds(t *testing.T) {
	// One sign-in is one event, whichever feed and envelope brings it; another
	// delivery with a fresh envelope is the same, and a placeholder id collapses
	// nothing.
	graph := onlyEvent(t, schemas.SourceSignIn, `{`+adaGraph+`,"status":{"errorCode":0}}`)
	hub := func(at, more string) Event {
		return onlyEvent(t, schemas.SourceSignIn, `{"records":[{"time":"`+at+`","category":"SignInLogs","properties":{`+adaGraph+`,"status":{"errorCode":0}`+more+`}}]}`)
	}
	audit := onlyEvent(t, schemas.SourceSignIn, `{"Id":"0AA51C4E-3b1f-4d5e-9a51-64e7aa0b1001","RecordType":15,"CreationTime":"2026-03-02T08:15:30","Operation":"UserLoggedIn","Workload":"AzureActiveDirectory","UserId":"ada.lovelace@contoso.com","ErrorNumber":"0"}`)
	first, second := hub("2026-03-02T08:33:27Z", ""), hub("2026-03-02T08:35:00Z", "")
	sees(t, "Event Hubs", first.ID, graph.ID)
	sees(t, "second delivery", second.ID, graph.ID)
	sees(t, "Office 365", audit.ID, graph.ID)

	masked := strings.Replace(adaGraph, "0aa51c4e-3b1f-4d5e-9a51-64e7aa0b1001", "ANONYMIZED", 1)
	a := onlyEvent(t, schemas.SourceSignIn, `{`+masked+`,"status":{"errorCode":0}}`)
	b := onlyEvent(t, schemas.SourceSignIn, `{`+masked+`,"status":{"errorCode":50126}}`)
	if a.ID == b.ID {
		t.Error("two facts with a placeholder for an id share an event id")
	}
}

func TestSignIn_sharedHub(t *testing.T) {
	// A null, a heartbeat or another category in the envelope costs no neighbour.
	out := mapText(t, schemas.SourceSignIn, `{"records":[null,{"type":"heartbeat"},{"category":"AuditLogs","properties":{"activityDisplayName":"Add group","activityDateTime":"2026-03-02T08:15:30Z"}},
		{"category":"SignInLogs","properties":{`+adaGraph+`,"status":{"errorCode":0}}},{"category":"ProvisioningLogs","properties":{}}]}`)
	sees(t, "records", out.Records, 5)
	sees(t, "events", len(out.Events), 1)
	sees(t, "skips", len(out.Skips), 4)
	sees(t, "index", out.Events[0].Origin.Index, 3)
}
