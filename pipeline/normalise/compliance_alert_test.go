package normalise

import (
	"strings"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

func TestComplianceAlert(t *testing.T) {
	// The person stands inside the record that a machine wrote.
	record := func(kind, members string) string {
		return `{"Id":"6b1f9a52-0001-4c11-9a11-08dd0a0b0c0d","CreationTime":"2026-03-09T08:15:00","RecordType":` + kind + `,"Workload":"SecurityComplianceCenter",` + members + `}`
	}
	const machine = `"Operation":"AlertTriggered","UserId":"SecurityComplianceAlerts","UserType":4,"UserKey":"SecurityComplianceAlerts","ResultStatus":"Succeeded","AlertId":"22b933df-2da2-45d9-8a00-084b52fc3657","Name":"Mass download","Severity":"High","Category":"DataLossPrevention","Status":"Active"`
	for name, test := range map[string]struct{ value, want string }{
		"f3u":           {record("40", machine+`,"Data":"{\"f3u\":\"Ada@contoso.com\",\"enmd\":\"Warn\",\"ecip\":\"203.0.113.9\"}"`), "detection.data_loss_prevention success person ada@contoso.com"},
		"type in text":  {record(`"40"`, machine+`,"Data":"{\"f3u\":\"ada@contoso.com\"}"`), "detection.data_loss_prevention success person ada@contoso.com"},
		"type by name":  {record(`"SecurityComplianceAlerts"`, machine+`,"Data":{"f3u":"ada@contoso.com"}`), "detection.data_loss_prevention success person ada@contoso.com"},
		"two users":     {record("40", machine+`,"Data":"{\"f3u\":\"ada@contoso.com; bob@contoso.com\"}"`), "detection.data_loss_prevention success person ada@contoso.com; detection.data_loss_prevention success person bob@contoso.com"},
		"entity":        {record("40", machine+`,"EntityType":"User","AlertEntityId":"bob@contoso.com","Data":"{\"etype\":\"User\",\"eid\":\"ada@contoso.com\",\"suid\":\"zoe@contoso.com\"}"`), "detection.data_loss_prevention success person ada@contoso.com"},
		"entity member": {record("40", machine+`,"EntityType":"User","AlertEntityId":"ada@contoso.com","Data":""`), "detection.data_loss_prevention success person ada@contoso.com"},
		"who clicked":   {record("40", machine+`,"EntityType":"MaliciousUrl","AlertEntityId":"https://example.net","Data":"{\"etype\":\"MaliciousUrl\",\"trc\":\"ada@contoso.com\"}"`), "detection.data_loss_prevention success person ada@contoso.com"},
		"nobody":        {record("40", machine+`,"Data":"{}"`), "detection.data_loss_prevention success system securitycompliancealerts"},
		"broken data":   {record("40", machine+`,"Data":"{\"f3u\":"`), "detection.data_loss_prevention success system securitycompliancealerts"},
		"mail in": {
			record("28", `"Operation":"TIMailData","UserId":"ThreatIntel","UserType":4,"Directionality":"Inbound","Recipients":["ada@contoso.com","bob@contoso.com"],"P2Sender":"x@example.net","Verdict":"Phish"`),
			"detection.phishing success person ada@contoso.com; detection.phishing success person bob@contoso.com",
		},
		"mail out": {
			record("28", `"Operation":"TIMailData","UserId":"ThreatIntel","UserType":4,"Directionality":"Outbound","Recipients":["x@example.net"],"P2Sender":"ada@contoso.com","Verdict":"Malware"`),
			"detection.malware success person ada@contoso.com",
		},
		"click":         {record("41", `"Operation":"TIUrlClickData","UserId":"ada@contoso.com","UserIp":"203.0.113.9","Url":"https://example.net/x"`), "detection.malicious_url_click success person ada@contoso.com"},
		"file":          {record("47", `"Operation":"AtpDetection","UserId":"ada@contoso.com","FileData":{"FileName":"a.exe","FilePath":"https://contoso.sharepoint.com/a.exe"}`), "detection.malware success person ada@contoso.com"},
		"investigation": {record("64", `"Operation":"AirInvestigationData","UserId":"AirInvestigation","UserType":4,"InvestigationId":"urn:x","Status":"Remediated","Data":"{\"Severity\":\"Low\",\"Entities\":[{\"Type\":\"mailMessage\",\"Recipient\":\"ada@contoso.com\"}]}"`), "detection.investigation success person ada@contoso.com"},
		"cloud apps":    {record("98", `"Operation":"MCAS_ALERT_X","UserId":"ada@contoso.com","AlertSeverity":"Medium","AlertDisplayName":"Impossible travel","AlertCategory":"ANOMALY_DETECTION","ClientIPs":["203.0.113.9"]`), "detection.anomaly_detection success person ada@contoso.com"},
		"no time":       {strings.Replace(record("40", machine), "2026-03-09T08:15:00", "", 1), "reject missing_time"},
	} {
		t.Run(name, func(t *testing.T) {
			out := defenderOut(t, test.value)
			if got := defenderGist(out); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			ids := map[schemas.UUID]bool{}
			for _, e := range out.Events {
				if ids[e.ID] || e.Source != schemas.SourceDefender || e.Detection == nil {
					t.Errorf("id taken or body missing: %+v", e.Event)
				}
				ids[e.ID] = true
			}
		})
	}
	e := defenderEvent(t, record("40", machine+`,"Data":"{\"f3u\":\"ada@contoso.com\",\"enmd\":\"Warn\",\"ecip\":\"203.0.113.9\",\"ofph\":\"C:\\\\t\\\\plan.docx\",\"tfph\":\"\\\\\\\\nas1\\\\d\",\"dn\":\"ws7\"}"`))
	if e.Detection.Severity != "high" || e.Detection.Status != "new" || e.Detection.Action != "warn" || e.Detection.Policy != "Mass download" {
		t.Errorf("body %+v", e.Detection)
	}
	if e.Clear.SourceIP != "203.0.113.9" || e.Clear.FileName != "plan.docx" || e.Clear.FilePath != `C:\t` || e.Clear.DeviceName != "ws7" {
		t.Errorf("evidence %+v", e.Clear)
	}
	// The same alert by Graph has two letters before its id.
	graph := defenderEvent(t, strings.Replace(alertV2Text, "da6637-1_1", "dl22b933df-2da2-45d9-8a00-084b52fc3657", 1))
	if graph.Detection.Finding != e.Detection.Finding {
		t.Error("one alert by two feeds is two findings")
	}
}
