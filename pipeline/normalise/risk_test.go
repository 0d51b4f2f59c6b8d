package normalise

import (
	"strings"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

const adaRisk = `"id":"9f1c0e5a7b","riskEventType":"passwordSpray","riskState":"atRisk","riskLevel":"high","riskDetail":"none","source":"IdentityProtection",
	"activityDateTime":"2026-03-01T12:53:53.895Z","detectedDateTime":"2026-03-02T8:48:50.361Z","lastUpdatedDateTime":"2026-03-02T9:54:27Z",
	"ipAddress":"203.0.113.77","location":{"city":"Lagos","countryOrRegion":"NG"},"userId":"5d3f7f61-0001-4c7a-8e0f-1a2b3c4d5e6f","userPrincipalName":"Ada@contoso.com",
	"additionalInfo":"[{\"Key\":\"userAgent\",\"Value\":\"curl/8\"},{\"Key\":\"riskReasons\",\"Value\":[\"UnfamiliarIP\"]},{\"Key\":\"alertUrl\",\"Value\":null},{\"Key\":\"mitreTechniques\",\"Value\":\"T1110.003, T1078,T1078\"}]"`

func TestRiskDetection(t *testing.T) {
	// A risk is a fact of the time of the risky act, however late it is found.
	for name, text := range map[string]string{
		"Graph":                `{` + adaRisk + `}`,
		"diagnostic settings":  `{"records":[{"time":"3/2/2026 9:54:27 AM","category":"UserRiskEvents","operationName":"User Risk Detection","callerIpAddress":"203.0.113.77","location":"ng","properties":{` + adaRisk + `}}]}`,
		"one-digit hours only": `{` + strings.ReplaceAll(adaRisk, `"activityDateTime":"2026-03-01T12:53:53.895Z"`, `"activityDateTime":"2026-03-01T9:53:53.895Z"`) + `}`,
	} {
		t.Run(name, func(t *testing.T) {
			e := onlyEvent(t, schemas.SourceSignIn, text)
			want := "signin.risk_detected 2026-03-01T12:53:53.895Z person ada@contoso.com unknown ip=203.0.113.77"
			if name == "one-digit hours only" {
				want = strings.Replace(want, "T12", "T09", 1)
			}
			sees(t, "event", head(e), want)
			d := e.Detection
			sees(t, "category", d.Category, "identity_risk")
			sees(t, "severity", d.Severity, "high")
			sees(t, "status", d.Status, "new")
			sees(t, "policy", d.Policy, "passwordSpray")
			sees(t, "techniques", strings.Join(d.Techniques, ","), "T1078,T1110.003")
			sees(t, "country", e.SourceIP.Country, "NG")
			sees(t, "agent", e.Clear.UserAgent, "curl/8")
			sees(t, "finding", d.Finding, plainHash("finding", "9f1c0e5a7b"))
		})
	}
}

func TestRiskDetection_states(t *testing.T) {
	// A change of state is another event of the same finding; a mere rewrite of
	// the record is the same event.
	a := onlyEvent(t, schemas.SourceSignIn, `{`+adaRisk+`}`)
	rewritten := onlyEvent(t, schemas.SourceSignIn, `{`+strings.Replace(adaRisk, "9:54:27Z", "10:54:27Z", 1)+`}`)
	dismissed := onlyEvent(t, schemas.SourceSignIn, `{`+strings.Replace(adaRisk, "atRisk", "dismissed", 1)+`}`)
	sees(t, "rewritten", rewritten.ID, a.ID)
	sees(t, "finding", dismissed.Detection.Finding, a.Detection.Finding)
	sees(t, "status", dismissed.Detection.Status, "dismissed")
	if dismissed.ID == a.ID {
		t.Error("a dismissed risk has the id of the open one")
	}
	hidden := onlyEvent(t, schemas.SourceSignIn, `{`+strings.Replace(adaRisk, `"riskLevel":"high"`, `"riskLevel":"hidden"`, 1)+`}`)
	sees(t, "hidden", hidden.Detection.Severity, "unknown")
}

func TestRiskDetection_service(t *testing.T) {
	// The risk of a service principal is nobody's.
	e := onlyEvent(t, schemas.SourceSignIn, `{"category":"ServicePrincipalRiskEvents","time":"2026-03-02T09:00:00Z","properties":{"id":"r2","riskEventType":"leakedCredentials","riskState":"atRisk","riskLevel":"high","servicePrincipalId":"SP-9","servicePrincipalDisplayName":"backup","activityDateTime":"2026-03-01T12:00:00Z"}}`)
	sees(t, "event", head(e), "signin.risk_detected 2026-03-01T12:00:00.000Z service sp-9 unknown ip=")
}

func TestRiskyUser(t *testing.T) {
	// A user's risk is an event when it changes, and another when it is cleared.
	text := func(state string) string {
		return `{"records":[{"time":"3/2/2026 6:11:52 PM","category":"RiskyUsers","operationName":"Risky user","location":"neu","identity":"ada lovelace",
			"properties":{"id":"5d3f7f61-0001-4c7a-8e0f-1a2b3c4d5e6f","userPrincipalName":"ada@contoso.com","userDisplayName":"Ada Lovelace","riskLastUpdatedDateTime":"2026-03-02T18:11:52.702Z","riskState":"` + state + `","riskLevel":"medium","isGuest":false}}]}`
	}
	e := onlyEvent(t, schemas.SourceSignIn, text("atRisk"))
	sees(t, "event", head(e), "signin.user_at_risk 2026-03-02T18:11:52.702Z person ada@contoso.com unknown ip=")
	sees(t, "severity", e.Detection.Severity, "medium")
	sees(t, "object id", e.Actor.ObjectID, "5d3f7f61-0001-4c7a-8e0f-1a2b3c4d5e6f")
	sees(t, "cleared", onlyEvent(t, schemas.SourceSignIn, text("remediated")).Activity, "signin.user_risk_cleared")
	bare := onlyEvent(t, schemas.SourceSignIn, `{"id":"5d3f7f61-0001-4c7a-8e0f-1a2b3c4d5e6f","userPrincipalName":"ada@contoso.com","riskLastUpdatedDateTime":"2026-03-02T18:11:52.702Z","riskState":"atRisk","riskLevel":"medium"}`)
	sees(t, "Graph", bare.ID, e.ID)
}
