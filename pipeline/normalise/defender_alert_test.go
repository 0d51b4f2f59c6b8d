package normalise

import (
	"strings"
	"testing"
)

func TestAlertInfo(t *testing.T) {
	// An alert without a user is kept for its evidence, with every spelling of
	// its time and techniques.
	const row = `{"Timestamp":"2026-03-09 08:15:00.058183200","AlertId":"da7788_1","Title":"Odd rename","Category":"DefenseEvasion","Severity":"High","ServiceSource":"Microsoft Defender for Endpoint",
		"DetectionSource":"EDR","AttackTechniques":"[\"Valid Accounts (T1078)\",\"Cloud Accounts (T1078.004)\",\"Valid Accounts (T1078)\"]","MachineGroup":null}`
	out := defenderOut(t, streamed("AlertInfo", row))
	if got := defenderGist(out); got != "skip awaiting_alert_evidence" || len(out.Findings) != 1 {
		t.Fatalf("%s, %d findings", got, len(out.Findings))
	}
	f := out.Findings[0]
	if f.ID != "da7788_1" || f.Title != "Odd rename" || f.Time.String() != "2026-03-09T08:15:00.058Z" {
		t.Errorf("got %+v", f)
	}
	if d := f.Detection; d.Category != "defense_evasion" || d.Severity != "high" || strings.Join(d.Techniques, " ") != "T1078 T1078.004" || d.Finding == 0 || d.Service != "Microsoft Defender for Endpoint" {
		t.Errorf("got %+v", d)
	}
	if bare := defenderOut(t, row); len(bare.Findings) != 1 {
		t.Errorf("bare row: %s", defenderGist(bare))
	}
	for name, change := range map[string][2]string{"id": {`"da7788_1"`, `""`}, "time": {`"2026-03-09 08:15:00.058183200"`, `"soon"`}} {
		if out := defenderOut(t, streamed("AlertInfo", strings.Replace(row, change[0], change[1], 1))); len(out.Rejects) != 1 {
			t.Errorf("without its %s: %s", name, defenderGist(out))
		}
	}
}

func TestAlertEvidence(t *testing.T) {
	// A row that names a person is an event; all rows of an alert and a person
	// are one, and other entities are none.
	row := func(columns string) string {
		return streamed("AlertEvidence", `{"Timestamp":"2026-03-09T08:15:00Z","AlertId":"da7788_1","Title":"Odd rename","Categories":"[\"InitialAccess\"]","AttackTechniques":"[\"Phishing(T1566)\"]","Severity":"Low","EvidenceRole":"Impacted",`+columns+`}`)
	}
	const ada = `"AccountUpn":"Ada@contoso.com","AccountObjectId":"9d3e5f10-1111-4222-8333-444455556666","AccountSid":"S-1-5-21-1-2-3-1001","AccountName":"Ada","AccountDomain":"CONTOSO"`
	const person = "detection.initial_access success person ada@contoso.com"
	for name, test := range map[string]struct{ columns, want string }{
		"user":            {`"EntityType":"User",` + ada, person},
		"mailbox":         {`"EntityType":"Mailbox","AccountUpn":null,"AdditionalFields":"{\"Type\":\"mailbox\",\"Upn\":\"ada@contoso.com\",\"MailboxPrimaryAddress\":\"ada.lovelace@contoso.com\"}"`, person},
		"process":         {`"EntityType":"Process","AccountName":null,"AdditionalFields":"{\"Type\":\"process\",\"Account\":{\"Type\":\"account\",\"Name\":\"Ada\",\"NTDomain\":\"CONTOSO\",\"UserPrincipalName\":\"ada@contoso.com\"}}"`, person},
		"suffix":          {`"EntityType":"User","AdditionalFields":{"Type":"account","Name":"Ada","UPNSuffix":"contoso.com"}`, person},
		"file":            {`"EntityType":"File","FileName":"a.exe","AccountName":"","AdditionalFields":null`, "skip alert_entity_without_user"},
		"address":         {`"EntityType":"Ip","RemoteIP":"203.0.113.9"`, "skip alert_entity_without_user"},
		"system process":  {`"EntityType":"Process","AccountName":"SYSTEM","AccountDomain":"NT AUTHORITY"`, "skip alert_entity_without_user"},
		"truncated entry": {`"EntityType":"Process","AdditionalFields":"{\"Type\":\"proc"`, "skip alert_entity_without_user"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := defenderGist(defenderOut(t, row(test.columns))); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
	e := defenderEvent(t, row(`"EntityType":"User",`+ada))
	if e.Finding != "da7788_1" || e.Clear.Title != "Odd rename" || e.Detection.Severity != "low" || strings.Join(e.Detection.Techniques, " ") != "T1566" {
		t.Errorf("got %+v %+v", e.Finding, e.Detection)
	}
	silent := defenderEvent(t, strings.Replace(row(`"EntityType":"User",`+ada), `"Severity":"Low"`, `"Severity":null`, 1))
	if silent.Detection.Severity != "" {
		t.Errorf("a row without a severity says %q, which would hide the alert's own", silent.Detection.Severity)
	}
	if again := defenderEvent(t, row(`"EntityType":"Mailbox",`+ada)); again.ID != e.ID {
		t.Error("a second entity of the alert and the person is another event")
	}
	if other := defenderEvent(t, row(`"EntityType":"User","AccountUpn":"bob@contoso.com"`)); other.ID == e.ID || other.Detection.Finding != e.Detection.Finding {
		t.Error("another person of the alert is not another event of the same finding")
	}
	info := defenderOut(t, streamed("AlertInfo", `{"Timestamp":"2026-03-09T08:15:00Z","AlertId":"da7788_1"}`))
	if info.Findings[0].Detection.Finding != e.Detection.Finding {
		t.Error("alert and evidence are not one finding")
	}
}

func TestTechniques(t *testing.T) {
	// Technique ids are found in every shape, and nothing else is taken for one.
	for text, want := range map[string]string{
		"": "", `[]`: "", "T1119": "T1119", "Phishing(T1566)": "T1566", `["T1110","T1078.004"]`: "T1078.004 T1110",
		"T1566.00": "T1566", "AT1566 T15 T15666 TA0001": "", "t1059.001": "T1059.001",
	} {
		if got := strings.Join(techniques(text), " "); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestDetectionWords(t *testing.T) {
	// Categories, severities and states have one spelling each.
	for text, want := range map[string]string{
		"DefenseEvasion": "defense_evasion", "Defense evasion": "defense_evasion", "UnwantedSoftware": "unwanted_software", "SuspiciousActivity": "suspicious_activity",
		"Malware": "malware", "None": "", "": "", "Command & Control": "command_and_control", "CommandAndControl": "command_and_control",
		strings.Repeat("prose ", 40): "",
	} {
		if got := detectionCategory(text); got != want {
			t.Errorf("category %q: got %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{"UnSpecified": "unknown", "unknownFutureValue": "unknown", "": "unknown", "High": "high", "Informational": "informational"} {
		if got := detectionSeverity(text); got != want {
			t.Errorf("severity %q: got %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{"inProgress": "in_progress", "New": "new", "Active": "new", "Resolved": "resolved", "Pending Action": "in_progress", "?": ""} {
		if got := detectionStatus(text, ""); got != want {
			t.Errorf("status %q: got %q, want %q", text, got, want)
		}
	}
	if got := detectionStatus("resolved", "falsePositive"); got != "dismissed" {
		t.Errorf("a false positive is %q", got)
	}
}

// The categories that Microsoft's products give their alerts are of the vocabulary;
// what somebody wrote in the place of one is none.
func TestDetectionCategory_vocabulary(t *testing.T) {
	for _, category := range []string{
		"InitialAccess", "Execution", "Persistence", "PrivilegeEscalation", "DefenseEvasion", "CredentialAccess", "Discovery", "LateralMovement", "Collection",
		"CommandAndControl", "Exfiltration", "Impact", "Reconnaissance", "ResourceDevelopment", "PreAttack", "ImpairProcessControl", "InhibitResponseFunction",
		"Malware", "Ransomware", "UnwantedSoftware", "SuspiciousActivity", "Exploit", "CredentialTheft", "CredentialStealing", "General", "Weaponization", "Delivery",
		"ThreatManagement", "DataLossPrevention", "DataGovernance", "AccessGovernance", "InformationGovernance", "InsiderRiskManagement", "MailFlow", "SupplyChain",
		"Phishing", "SuspiciousNetworkTraffic", "THREAT_DETECTION", "AnonymousLogin", "PasswordSpray", "ImpossibleTravel", "UnfamiliarLocation", "MaliciousUrlClick",
		"EnterprisePolicy", "Trojan", "Backdoor", "PrivacyManagement", "NetworkMonitoring", "Installation",
	} {
		if detectionCategory(category) == "" {
			t.Errorf("%s is none", category)
		}
	}
	for _, text := range []string{"Ida", "IdaLind", "Ida watch", "ida.lind@contoso.com", `C:\Users\ida`, "Malware of Ida", "Malware 10042317"} {
		if category := detectionCategory(text); category != "" {
			t.Errorf("%q is %q", text, category)
		}
	}
}
