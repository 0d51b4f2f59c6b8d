package normalise

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

const dlpRules = `"IncidentId":"A1B2C3D4-7777-4000-8000-08DC00000001","PolicyDetails":[
	{"PolicyId":"p1","PolicyName":"Card numbers","Rules":[
		{"RuleId":"r1","RuleName":"Low volume","RuleMode":"Enable","Severity":"Low","Actions":["NotifyUser"],"ConditionsMatched":{"SensitiveInformation":[
			{"SensitiveType":"50842eb7-0000-4000-8000-000000000001","SensitiveInformationTypeName":"Credit Card Number","Confidence":85,"Count":12,"UniqueCount":9}]}},
		{"RuleId":"r2","RuleName":"High volume","RuleMode":"Enable","Severity":"High","Actions":["BlockAccess","GenerateIncidentReport"],"ConditionsMatched":{"SensitiveInformation":[
			{"SensitiveType":"50842eb7-0000-4000-8000-000000000001","SensitiveInformationTypeName":"Credit Card Number","Confidence":85,"Count":"30"},
			{"SensitiveType":"cb353f78-0000-4000-8000-000000000002","Confidence":75,"Count":2}],
			"SensitiveInformationDetections":{"DetectedValues":[{"Name":"4111-SECRET-1111","Value":"card 4111-SECRET-1111 of Ada"}]}}}]},
	{"PolicyId":"p2","PolicyName":"Everything","Rules":[{"RuleName":"Any","Severity":"Medium","Actions":[]}]}]`

const dlpMail = `"Operation":"DlpRuleMatch","RecordType":13,"Workload":"Exchange","UserId":"DlpAgent","UserKey":"DlpAgent","UserType":4,
	"ExchangeMetaData":{"From":"ADA.BYRON@CONTOSO.COM","To":["Grace@Gmail.com"],"CC":["alan@contoso.com"],"BCC":["x@fabrikam.com"],"Subject":"Numbers",
	"MessageID":"<m1@contoso.com>","RecipientCount":3,"SensitiveInformationDetections":{"DetectedValues":[{"Name":"4111-SECRET-1111"}]}},
	"SensitiveInfoDetectionIsIncluded":true,"SensitiveInformationDetections":{"DetectedValues":[{"Name":"4111-SECRET-1111","Value":"SECRET"}]},` + dlpRules

func TestDLPOfMail(t *testing.T) {
	// A match in mail names the sender, the recipients' class and the rules, and
	// nothing of what was matched.
	e := fileEvent(t, fileRecord(dlpMail))
	want(t, "activity", e.Activity, "detection.dlp_rule_match")
	want(t, "source", e.Source, schemas.SourceEmail)
	want(t, "user", e.Actor.UPN, "ada.byron@contoso.com")
	want(t, "actor type", e.ActorType, schemas.ActorPerson)
	want(t, "outcome", e.Outcome, schemas.OutcomeFailure)
	want(t, "class", e.Destination.Class, ClassPersonalMail)
	want(t, "subject", e.Clear.Subject, "Numbers")
	want(t, "message", e.Clear.MessageID, "<m1@contoso.com>")
	want(t, "recipients", strings.Join(e.Clear.Recipients, " "), "grace@gmail.com alan@contoso.com x@fabrikam.com")
	want(t, "category", e.Detection.Category, "data_loss_prevention")
	want(t, "severity", e.Detection.Severity, "high")
	want(t, "policy", e.Detection.Policy, "Card numbers")
	want(t, "action", e.Detection.Action, "block")
	want(t, "finding", e.Detection.Finding, fileHash("finding", "a1b2c3d4-7777-4000-8000-08dc00000001"))
	want(t, "count", e.Detection.SensitiveCount, 32)
	if types := []string{"Credit Card Number", "cb353f78-0000-4000-8000-000000000002"}; !slices.Equal(e.Detection.SensitiveTypes, types) {
		t.Errorf("types: %v", e.Detection.SensitiveTypes)
	}
	if e.File != nil || e.Email != nil {
		t.Error("a detection has no second body")
	}
	if text, _ := json.Marshal(e); strings.Contains(string(text), "SECRET") {
		t.Error("a detected value got into the event")
	}
}

func TestDLPOfFile(t *testing.T) {
	// A match in SharePoint names the person and not the machine which evaluated
	// the policy; newer records have the person in UserId.
	file := `"SharePointMetaData":{"From":"ADA.BYRON@CONTOSO.COM","FileName":"Cards.xlsx","FileOwner":"Ada Byron",
		"FilePathUrl":"https://contoso-my.sharepoint.com/personal/ada/Documents/Cards.xlsx","IsViewableByExternalUsers":true},` + dlpRules
	for _, user := range []string{
		`"UserId":"DlpPolicyEventBasedAssistantOneDriveForBusiness","UserKey":"DlpPolicyEventBasedAssistantOneDriveForBusiness","UserType":4`,
		`"UserId":"ada.byron@contoso.com","UserKey":"DlpAgent"`,
		`"UserId":"","UserKey":"1153801120595078600","UserType":4`,
	} {
		e := fileEvent(t, fileRecord(`"Operation":"DLPRuleMatch","RecordType":11,"Workload":"OneDrive",`+user+`,`+file))
		want(t, user, e.Actor.UPN, "ada.byron@contoso.com")
		want(t, user, e.ActorType, schemas.ActorPerson)
		want(t, "source", e.Source, schemas.SourceFile)
		want(t, "file", e.Clear.FileName, "Cards.xlsx")
		want(t, "object", e.Clear.Object, "https://contoso-my.sharepoint.com/personal/ada/Documents/Cards.xlsx")
		want(t, "outcome", e.Outcome, schemas.OutcomeSuccess) // the file is there, and closed to others
		want(t, "external", e.Destination.External, true)
	}
}

func TestDLPOperations(t *testing.T) {
	// Spelling and record type do not matter; what endpoint DLP watched is a file
	// operation.
	tests := []struct{ members, activity string }{
		{`"Operation":"DLPRuleMatch","RecordType":"11","Workload":"SharePoint",` + dlpRules, "detection.dlp_rule_match"},
		{`"Operation":"DlpRuleMatch","RecordType":"ComplianceDLPExchange","Workload":"Exchange",` + dlpRules, "detection.dlp_rule_match"},
		{`"Operation":"DlpRuleMatch","RecordType":33,"Workload":"SecurityComplianceCenter",` + dlpRules, "detection.dlp_rule_match"},
		{`"Operation":"DLPRuleUndo","RecordType":11,"Workload":"SharePoint",` + dlpRules, "detection.dlp_rule_undo"},
		{`"Operation":"DlpInfo","RecordType":13,"Workload":"Exchange",` + dlpRules, "detection.dlp_info"},
		{`"Operation":"DlpRuleMatch","RecordType":63,"Workload":"Endpoint","ObjectId":"C:\\x\\a.docx",` + dlpRules, "detection.dlp_rule_match"},
		{`"Operation":"DlpRuleMatch","RecordType":187,"Workload":"Copilot","PolicyDetails":"[{\"PolicyName\":\"p\"}]"`, "detection.dlp_rule_match"},
		{`"Operation":"FileCopiedToRemovableMedia","RecordType":63,"Workload":"Endpoint","ObjectId":"C:\\x\\a.docx",` + dlpRules, "file.copied_to_removable_media"},
		{`"Operation":"FileCopiedToRemovableMedia","RecordType":63,"Workload":"Endpoint","PolicyMatchInfo":{"PolicyName":"p"}`, "file.copied_to_removable_media"},
	}
	for _, test := range tests {
		e := fileEvent(t, fileRecord(test.members))
		want(t, test.members[:60], e.Activity, test.activity)
	}
	undo := fileEvent(t, fileRecord(tests[3].members))
	match := fileEvent(t, fileRecord(tests[0].members))
	want(t, "one finding through its updates", undo.Detection.Finding, match.Detection.Finding)
}

func TestDLPOnDevice(t *testing.T) {
	// A match on a device may have its rule and findings in the endpoint's own
	// members only.
	e := fileEvent(t, fileRecord(`"Operation":"DlpRuleMatch","RecordType":63,"Workload":"Endpoint","ObjectId":"C:\\Users\\ada\\Cards.xlsx","EnforcementMode":4,
		"DeviceName":"LT-7","PolicyMatchInfo":{"PolicyName":"Plans","RuleName":"r"},"SensitiveInfoTypeData":[{"SensitiveInfoTypeName":"Card","Count":3}]`))
	want(t, "policy", e.Detection.Policy, "Plans")
	want(t, "action", e.Detection.Action, "block")
	want(t, "outcome", e.Outcome, schemas.OutcomeFailure)
	want(t, "matches", e.Detection.SensitiveCount, 3)
	want(t, "severity", e.Detection.Severity, "unknown")
	want(t, "file", e.Clear.FileName, "Cards.xlsx")
	want(t, "device", e.Clear.DeviceName, "LT-7")
	want(t, "body", e.File == nil, true)
}

func TestDLPSeverity(t *testing.T) {
	// The highest severity of any rule is the severity of the match.
	for rules, severity := range map[string]string{
		`[{"Severity":"Low"},{"Severity":"HIGH"},{"Severity":"Medium"}]`: "high",
		`[{"Severity":"Informational"}]`:                                 "informational",
		`[{"Severity":"Info"},{"Severity":"Low"}]`:                       "low",
		`[{"Severity":"Terrible"}]`:                                      "unknown",
		`[]`:                                                             "unknown",
	} {
		e := fileEvent(t, fileRecord(`"Operation":"DlpRuleMatch","RecordType":13,"Workload":"Exchange","PolicyDetails":[{"PolicyName":"p","Rules":`+rules+`}]`))
		want(t, rules, e.Detection.Severity, severity)
		want(t, rules, e.Detection.Policy, "p")
	}
}

func TestDLPAction(t *testing.T) {
	// The strongest action counts, and a rule in test mode blocks nothing.
	tests := []struct{ rule, action string }{
		{`{"RuleMode":"Enable","Actions":["NotifyUser","BlockAccess"]}`, "block"},
		{`{"RuleMode":"Enable","Actions":["ExSetHeader"]}`, "audit"},
		{`{"RuleMode":"Enable","Actions":["NotifyUser","GenerateAlert"]}`, "warn"},
		{`{"RuleMode":"AuditAndNotify","Actions":["BlockAccess"]}`, "audit"},
		{`{"RuleMode":"TestWithNotifications","Actions":["BlockAccess"]}`, "audit"},
		{`{"Actions":"BlockAccess"}`, "block"},
		{`{"Actions":[]}`, ""},
	}
	for _, test := range tests {
		o, _, err := fileMapper().parse(test.rule)
		if err != nil {
			t.Fatal(err)
		}
		want(t, test.rule, dlpAction(o), test.action)
	}
}

func TestSensitiveTypes(t *testing.T) {
	// Every spelling of the list gives the names, sorted and once, and the matches.
	tests := []struct {
		list  string
		names string
		count int32
	}{
		{`[{"SensitiveInfoTypeName":"IBAN","Count":2},{"SensitiveInfoTypeName":"Card","Count":3}]`, "Card,IBAN", 5},
		{`[{"SensitiveInfoTypeId":"guid-1","Count":2},{"SensitiveInfoTypeId":"guid-1","Count":3}]`, "guid-1", 5},
		{`[{"SensitiveType":"U.S. SSN"}]`, "U.S. SSN", 0},
		{`[{"SensitiveInformationTypeName":"Card","SensitiveInformationDetailedClassificationAttributes":[{"Confidence":65,"Count":9},{"Confidence":85,"Count":4}]}]`, "Card", 9},
		{`"[{\"SensitiveInfoTypeName\":\"Card\",\"Count\":\"4\"}]"`, "Card", 4},
		{`["{\"SensitiveInfoTypeName\":\"Card\",\"Count\":4}","IBAN"]`, "Card,IBAN", 4},
		{`{"SensitiveInfoTypeName":"Card","Count":1}`, "Card", 1},
		{`[{"SensitiveInfoTypeName":"Card","Count":9e18},{"SensitiveInfoTypeName":"IBAN","Count":9e18}]`, "Card,IBAN", 2147483647},
		{`[{"SensitiveInfoTypeName":"Card","Count":-4}]`, "Card", 0},
		{`[]`, "", 0},
		{`null`, "", 0},
		{`[null,7,[],{}]`, "", 0},
	}
	for _, test := range tests {
		m := fileMapper()
		o, _, err := m.parse(`{"List":` + test.list + `}`)
		if err != nil {
			t.Fatal(err)
		}
		names, count := m.sensitiveTypes(o.get("List"))
		want(t, test.list, strings.Join(names, ","), test.names)
		want(t, test.list, count, test.count)
	}
}

func TestEndpointRuleMatch(t *testing.T) {
	// A rule that matched on a device tells of the device, of what was enforced
	// and of what was found in a member of its own.
	e := fileEvent(t, fileRecord(`"Operation":"DLPRuleMatch","RecordType":63,"Workload":"Endpoint","ObjectId":"C:\\plans\\offer.docx",
		"PolicyDetails":[{"PolicyName":"Cards","Rules":[{"RuleName":"Any","Severity":"Low"}]}],
		"EndpointMetaData":{"DeviceName":"ws7","EnforcementMode":4,"SensitiveInfoTypeData":[{"SensitiveInfoTypeName":"Credit Card","Count":3}]}`))
	want(t, "activity", e.Activity, "detection.dlp_rule_match")
	want(t, "device", e.Clear.DeviceName, "ws7")
	want(t, "action", e.Detection.Action, "block")
	want(t, "outcome", e.Outcome, schemas.OutcomeFailure)
	want(t, "count", e.Detection.SensitiveCount, 3)
}
