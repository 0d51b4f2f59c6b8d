package normalise

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const alertV2Text = `{"id":"da6637-1_1","providerAlertId":"6637-1_1","incidentId":"7","title":"Mass download","severity":"medium","status":"new","classification":null,"category":"Exfiltration","categories":["Collection"],
	"mitreTechniques":["T1119","T1048.002"],"serviceSource":"microsoftDefenderForCloudApps","createdDateTime":"2026-03-09T10:00:00Z","firstActivityDateTime":"2026-03-09T08:15:00.5Z","lastActivityDateTime":"2026-03-09T09:00:00Z","lastUpdateDateTime":"2026-03-09T10:05:00.1Z",
	"evidence":[
	{"@odata.type":"#microsoft.graph.security.deviceEvidence","deviceDnsName":"ws7.contoso.com","mdeDeviceId":"d0e1","osPlatform":"Windows11","loggedOnUsers":[{"accountName":"zoe","domainName":"CONTOSO"}]},
	{"@odata.type":"#microsoft.graph.security.processEvidence","imageFile":{"fileName":"rclone.exe","filePath":"C:\\t"},"userAccount":{"accountName":"ada","domainName":"CONTOSO","userPrincipalName":null,"azureAdUserId":null}},
	{"@odata.type":"#microsoft.graph.security.processEvidence","userAccount":{"accountName":"SYSTEM","domainName":"NT AUTHORITY","userSid":"S-1-5-18"}},
	{"@odata.type":"#microsoft.graph.security.userEvidence","userAccount":{"accountName":"ada","domainName":"contoso.com","userPrincipalName":"Ada@contoso.com","azureAdUserId":"9d3e5f10-1111-4222-8333-444455556666"}},
	{"@odata.type":"#microsoft.graph.security.mailboxEvidence","primaryAddress":"ada.lovelace@contoso.com","upn":"ada@contoso.com","userAccount":null},
	{"@odata.type":"#microsoft.graph.security.ipEvidence","ipAddress":"203.0.113.9","countryLetterCode":"FR"},
	{"@odata.type":"#microsoft.graph.security.kubernetesPodEvidence","name":"pod-7"}]}`

func TestAlertV2(t *testing.T) {
	// An alert is one event a person, at the time of the first activity, however
	// many pieces of evidence name the person and by which names.
	e := defenderEvent(t, alertV2Text)
	if got := defenderGist(Result{Events: []*Event{&e}}); got != "detection.exfiltration success person ada@contoso.com" {
		t.Error(got)
	}
	if e.Time.String() != "2026-03-09T08:15:00.500Z" || e.Detection.Severity != "medium" || e.Detection.Status != "new" || strings.Join(e.Detection.Techniques, " ") != "T1048.002 T1119" {
		t.Errorf("got %s %+v", e.Time, e.Detection)
	}
	if e.Actor.ObjectID != "9d3e5f10-1111-4222-8333-444455556666" || e.Actor.Mail != "ada.lovelace@contoso.com" {
		t.Errorf("actor %+v", e.Actor)
	}
	if e.Clear.DeviceName != "ws7.contoso.com" || e.Clear.SourceIP != "203.0.113.9" || e.SourceIP.Country != "FR" || e.Clear.FileName != "rclone.exe" {
		t.Errorf("evidence %+v", e.Clear)
	}
	update := defenderEvent(t, strings.Replace(alertV2Text, "10:05:00.1Z", "11:00:00Z", 1))
	if update.ID == e.ID || update.Detection.Finding != e.Detection.Finding {
		t.Error("an update is not another event of the same finding")
	}
	if again := defenderEvent(t, `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#security/alerts_v2","value":[`+alertV2Text+`]}`); again.ID != e.ID {
		t.Error("the list around an alert made another event")
	}
}

func TestAlertV2_people(t *testing.T) {
	// Who is only logged on counts when nobody else is named, and an alert of
	// nobody is still seen.
	const head = `{"id":"da1","title":"Tool found","severity":"unknownFutureValue","serviceSource":"x","createdDateTime":"2026-03-09T10:00:00Z","lastUpdateDateTime":"2026-03-09T10:00:00Z","evidence":[`
	const host = `{"deviceDnsName":"ws7","loggedOnUsers":[{"accountName":"zoe","domainName":"CONTOSO"}]}`
	for name, test := range map[string]struct{ evidence, want string }{
		"logged on":        {host, `detection.alert success person contoso\zoe`},
		"named":            {host + `,{"userAccount":{"userPrincipalName":"bob@contoso.com"}}`, `detection.alert success person bob@contoso.com`},
		"two":              {`{"userAccount":{"userPrincipalName":"bob@contoso.com"}},{"userAccount":{"userPrincipalName":"ada@contoso.com"}}`, `detection.alert success person bob@contoso.com; detection.alert success person ada@contoso.com`},
		"two of one name":  {`{"userAccount":{"userPrincipalName":"bob@contoso.com","accountName":"bob"}},{"userAccount":{"userPrincipalName":"bob@fabrikam.com","accountName":"bob"}}`, `detection.alert success person bob@contoso.com; detection.alert success person bob@fabrikam.com`},
		"nobody":           {`{"fileDetails":{"fileName":"a.exe"}}`, "detection.alert success unknown "},
		"no evidence":      {``, "detection.alert success unknown "},
		"only the system":  {`{"userAccount":{"accountName":"SYSTEM","domainName":"NT AUTHORITY"}}`, "detection.alert success unknown "},
		"cloud session":    {`{"account":{"userAccount":{"userPrincipalName":"bob@contoso.com"}}}`, `detection.alert success person bob@contoso.com`},
		"recipient":        {host + `,{"recipientEmailAddress":"bob@contoso.com","p1Sender":{"emailAddress":"eve@fabrikam.com"}}`, `detection.alert success person bob@contoso.com`},
		"rewritten type":   {`{"at_sign_odata_type":"#x","userAccount":{"userPrincipalName":"bob@contoso.com"}}`, `detection.alert success person bob@contoso.com`},
		"account is empty": {`{"upn":"bob@contoso.com","userAccount":{"accountName":null,"userPrincipalName":null}}`, `detection.alert success person bob@contoso.com`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := defenderGist(defenderOut(t, head+test.evidence+"]}")); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
	if got := defenderGist(defenderOut(t, `{"id":"da1","title":"x","severity":"low","serviceSource":"x","createdDateTime":"soon","evidence":[{"upn":"a@contoso.com"},{"upn":"b@contoso.com"}]}`)); got != "reject missing_time" {
		t.Error(got)
	}
	// Many people of an alert without an id cost no more than one.
	many := strings.Replace(head, `"da1"`, `""`, 1) + `{"url":"x"}`
	for i := range 5000 {
		many += fmt.Sprintf(`,{"upn":"user%d@contoso.com"}`, i)
	}
	start := time.Now()
	if out := defenderOut(t, many+"]}"); len(out.Events) != 5000 || time.Since(start) > 5*time.Second {
		t.Errorf("%d events after %s", len(out.Events), time.Since(start))
	}
	// Two people of an alert without an id are still two events.
	out := defenderOut(t, strings.Replace(head, `"da1"`, `""`, 1)+`{"upn":"a@contoso.com"},{"upn":"b@contoso.com"}]}`)
	if len(out.Events) != 2 || out.Events[0].ID == out.Events[1].ID {
		t.Error("two people of an alert without an id collapsed into one event")
	}
}

func TestIncident(t *testing.T) {
	// An incident is its alerts; one without any says so.
	for name, test := range map[string]struct{ value, want string }{
		"graph":       {`{"id":"7","displayName":"x","incidentWebUrl":"u","lastUpdateDateTime":"2026-03-09T10:00:00Z","alerts":[` + alertV2Text + `,` + strings.Replace(alertV2Text, "da6637-1_1", "da9_1", 1) + `]}`, "detection.exfiltration success person ada@contoso.com; detection.exfiltration success person ada@contoso.com"},
		"one, bare":   {`{"id":"7","displayName":"x","incidentWebUrl":"u","alerts":` + alertV2Text + `}`, "detection.exfiltration success person ada@contoso.com"},
		"none":        {`{"id":"7","displayName":"x","incidentWebUrl":"u","alerts":[]}`, "skip incident_without_alerts"},
		"not asked":   {`{"id":"7","displayName":"x","incidentWebUrl":"u","lastUpdateDateTime":"2026-03-09T10:00:00Z","severity":"low"}`, "skip incident_without_alerts"},
		"sentinel's":  {`{"type":"Microsoft.SecurityInsights/Incidents","name":"n","title":"t","severity":"Low"}`, "skip incident_without_alerts"},
		"M365D":       {`{"incidentId":12,"incidentName":"x","createdTime":"2026-03-09T10:00:00Z","severity":"UnSpecified","alerts":[{"alertId":"ca1","category":"SuspiciousActivity","title":"t","severity":"UnSpecified","creationTime":"2026-03-09T10:00:00Z","firstActivity":"2026-03-09T08:15:00Z","lastUpdatedTime":"2026-03-09T11:00:00Z","devices":[{"deviceDnsName":"ws7","mdatpDeviceId":"d0e1","loggedOnUsers":[{"accountName":"zoe","domainName":"CONTOSO"}]}],"entities":[{"entityType":"User","userPrincipalName":"ada@contoso.com","aadUserId":"9d3e5f10-1111-4222-8333-444455556666"},{"entityType":"File","fileName":"a.exe"}]}]}`, "detection.suspicious_activity success person ada@contoso.com"},
		"M365D empty": {`{"incidentId":12,"incidentName":"x","alerts":[]}`, "skip incident_without_alerts"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := defenderGist(defenderOut(t, test.value)); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestAlert_olderForms(t *testing.T) {
	// The older interfaces say the same by other names.
	for name, test := range map[string]struct{ value, want, time, severity string }{
		"endpoint": {
			`{"id":"da1","incidentId":1,"severity":"Low","status":"Resolved","category":"Malware","title":"t","alertCreationTime":"2026-03-09T10:00:00Z","firstEventTime":"2026-03-09T08:15:00Z","lastUpdateTime":"2026-03-09T11:00:00Z","machineId":"d0e1","computerDnsName":"ws7","relatedUser":{"userName":"ada","domainName":"CONTOSO"},"evidence":[{"entityType":"File","fileName":"a.exe"},{"entityType":"User","accountName":"Ada","domainName":"contoso","userPrincipalName":"ada@contoso.com"}]}`,
			"detection.malware success person ada@contoso.com", "2026-03-09T08:15:00.000Z", "low",
		},
		"graph v1": {
			`{"id":"v1","title":"t","category":"UnfamiliarLocation","severity":"high","status":"newAlert","eventDateTime":"2026-03-09T08:15:00Z","createdDateTime":"2026-03-09T10:00:00Z","lastModifiedDateTime":"2026-03-09T11:00:00Z","vendorInformation":{"provider":"IPC","vendor":"Microsoft"},"userStates":[{"aadUserId":"9d3e5f10-1111-4222-8333-444455556666","accountName":"ada","domainName":"contoso.com","userPrincipalName":"ada@contoso.com","logonIp":"203.0.113.9"}],"fileStates":[]}`,
			"detection.unfamiliar_location success person ada@contoso.com", "2026-03-09T08:15:00.000Z", "high",
		},
		"sentinel": {
			`{"TimeGenerated":"2026-03-09 10:00:00","StartTime":"2026-03-09 08:15:00","SystemAlertId":"s1","AlertName":"t","AlertSeverity":"Medium","ProviderName":"ASI","Tactics":"Exfiltration, Collection","Techniques":"[\"T1048\"]","Status":"New","Entities":"[{\"$id\":\"3\",\"HostName\":\"ws7\",\"Type\":\"host\"},{\"$id\":\"4\",\"Name\":\"Ada\",\"UPNSuffix\":\"contoso.com\",\"Type\":\"account\"},{\"$id\":\"5\",\"Address\":\"203.0.113.9\",\"Type\":\"ip\"}]"}`,
			"detection.exfiltration success person ada@contoso.com", "2026-03-09T08:15:00.000Z", "medium",
		},
		"sentinel, local account": {
			`{"TimeGenerated":"2026-03-09 10:00:00","StartTimeUtc":"2026-03-09 08:15:00","SystemAlertId":"s2","AlertName":"t","Severity":"Low","Entities":"[{\"$id\":\"3\",\"HostName\":\"WS7\",\"Type\":\"host\"},{\"$id\":\"4\",\"Name\":\"bob\",\"NTDomain\":\"\",\"Host\":{\"$ref\":\"3\"},\"Type\":\"account\"}]"}`,
			`detection.alert success person ws7\bob`, "2026-03-09T08:15:00.000Z", "low",
		},
		"sentinel, no entities": {
			`{"TimeGenerated":"2026-03-09 10:00:00","SystemAlertId":"s3","AlertName":"t","AlertSeverity":"Informational","Entities":""}`,
			"detection.alert success unknown ", "2026-03-09T10:00:00.000Z", "informational",
		},
	} {
		t.Run(name, func(t *testing.T) {
			out := defenderOut(t, test.value)
			if got := defenderGist(out); got != test.want {
				t.Fatalf("got  %s\nwant %s", got, test.want)
			}
			if e := out.Events[0]; e.Time.String() != test.time || e.Detection.Severity != test.severity || e.Detection.Finding == 0 {
				t.Errorf("got %s %+v", e.Time, e.Detection)
			}
		})
	}
}

func TestSamePerson(t *testing.T) {
	// Entities are one person by their strongest common name.
	id := "9d3e5f10-1111-4222-8333-444455556666"
	for name, test := range map[string]struct {
		a, b Actor
		want bool
	}{
		"object id":         {Actor{ObjectID: id, UPN: "a@contoso.com"}, Actor{ObjectID: id, UPN: "b@contoso.com"}, true},
		"other object id":   {Actor{ObjectID: id, UPN: "a@contoso.com"}, Actor{ObjectID: "x", UPN: "a@contoso.com"}, false},
		"UPN and mail":      {Actor{UPN: "a@contoso.com"}, Actor{Mail: "a@contoso.com"}, true},
		"NetBIOS and DNS":   {Actor{UPN: "a@contoso.com", Account: `contoso.com\a`}, Actor{Account: `contoso\a`}, true},
		"bare account":      {Actor{UPN: "a@contoso.com", Account: `contoso\a`}, Actor{Account: `a`}, true},
		"other domain":      {Actor{Account: `ws7\admin`}, Actor{Account: `ws8\admin`}, false},
		"nothing in common": {Actor{UPN: "a@contoso.com"}, Actor{SID: "S-1-5-21-1"}, false},
	} {
		if samePerson(test.a, test.b) != test.want || samePerson(test.b, test.a) != test.want {
			t.Errorf("%s: want %v", name, test.want)
		}
	}
}
