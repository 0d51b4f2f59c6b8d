package normalise

import (
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

func TestDirectory(t *testing.T) {
	// The end of an account is a fact about the person whose account it is; the
	// administrator stands in the evidence.
	const target = `"targetResources":[{"id":"5d3f7f61-0001-4c7a-8e0f-1a2b3c4d5e6f","displayName":"Ada Lovelace","type":"User","userPrincipalName":"5d3f7f6100014c7a8e0f1a2b3c4d5e6fAda@contoso.com","modifiedProperties":[]}]`
	const by = `"initiatedBy":{"user":{"userPrincipalName":"admin@contoso.com","ipAddress":"198.51.100.1"}}`
	tests := []struct{ name, text, want string }{
		{"diagnostic settings", `{"records":[{"time":"2026-03-02T09:10:00Z","category":"AuditLogs","operationName":"Delete user","identity":"Admin","properties":{"id":"Directory_1","activityDisplayName":"Delete user","activityDateTime":"2026-03-02T09:00:00+00:00","result":"success",` + by + `,` + target + `}}]}`, "account.deleted 2026-03-02T09:00:00.000Z person ada@contoso.com success ip="},
		{"Graph", `{"id":"Directory_1","category":"UserManagement","activityDisplayName":"Disable account","activityDateTime":"2026-03-02T09:00:00Z","result":"failure",` + by + `,` + target + `}`, "account.disabled 2026-03-02T09:00:00.000Z person ada@contoso.com failure ip="},
		{"Log Analytics", `{"Type":"AuditLogs","Id":"Directory_2","OperationName":"Restore user","ActivityDisplayName":"Restore user","ActivityDateTime":"2026-03-02T09:00:00Z","Result":"success","InitiatedBy":"{\"app\":{\"displayName\":\"HR sync\"}}","TargetResources":"[{\"id\":\"5d3f7f61-0001-4c7a-8e0f-1a2b3c4d5e6f\",\"type\":\"User\",\"userPrincipalName\":\"ada@contoso.com\"}]"}`, "account.enabled 2026-03-02T09:00:00.000Z person ada@contoso.com success ip="},
		{"Office 365", `{"RecordType":8,"Id":"d1","CreationTime":"2026-03-02T09:00:00","Operation":"Delete user.","Workload":"AzureActiveDirectory","ResultStatus":"Success","UserId":"admin@contoso.com","ClientIP":"198.51.100.1","ObjectId":"5d3f7f6100014c7a8e0f1a2b3c4d5e6fAda@contoso.com","Target":[{"ID":"User_5d3f7f61-0001-4c7a-8e0f-1a2b3c4d5e6f","Type":2},{"ID":"5d3f7f61-0001-4c7a-8e0f-1a2b3c4d5e6f","Type":2},{"ID":"User","Type":2},{"ID":"5d3f7f6100014c7a8e0f1a2b3c4d5e6fAda@contoso.com","Type":5},{"ID":"1003200012345678","Type":3}]}`, "account.deleted 2026-03-02T09:00:00.000Z person ada@contoso.com success ip="},
		{"switched off by an update", `{"RecordType":8,"Id":"d2","CreationTime":"2026-03-02T09:00:00","Operation":"Update user.","Workload":"AzureActiveDirectory","ResultStatus":"Success","UserId":"admin@contoso.com","ObjectId":"ada@contoso.com","ModifiedProperties":[{"Name":"AccountEnabled","NewValue":"[\r\n  false\r\n]","OldValue":"[\r\n  true\r\n]"}],"Target":[{"ID":"User","Type":2},{"ID":"ada@contoso.com","Type":5}]}`, "account.disabled 2026-03-02T09:00:00.000Z person ada@contoso.com success ip="},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := onlyEvent(t, schemas.SourceSignIn, test.text)
			sees(t, "event", head(e), test.want)
			sees(t, "source", e.Source, schemas.SourceSignIn)
			sees(t, "by", len(e.Clear.Targets), 1)
		})
	}
}

func TestDirectory_skips(t *testing.T) {
	// Other operations of the directory are skipped with a reason, and so are
	// those on devices and groups.
	for name, text := range map[string]string{
		"group":       `{"records":[{"time":"2026-03-02T09:10:00Z","category":"AuditLogs","properties":{"id":"x","activityDisplayName":"Add member to group","activityDateTime":"2026-03-02T09:00:00Z","targetResources":[{"type":"User","userPrincipalName":"ada@contoso.com"}]}}]}`,
		"device":      `{"id":"x","activityDisplayName":"Disable account","activityDateTime":"2026-03-02T09:00:00Z","targetResources":[{"type":"Device","displayName":"pc"}]}`,
		"new account": `{"RecordType":8,"Id":"d3","CreationTime":"2026-03-02T09:00:00","Operation":"Update user.","UserId":"admin@contoso.com","ModifiedProperties":[{"Name":"AccountEnabled","NewValue":"[true]","OldValue":"[]"}],"Target":[{"ID":"User","Type":2},{"ID":"ada@contoso.com","Type":5}]}`,
		"application": `{"RecordType":"8","Id":"d4","CreationTime":"2026-03-02T09:00:00","Operation":"Delete application.","UserId":"admin@contoso.com","Target":[{"ID":"Application_1","Type":2}]}`,
		"texts":       `{"RecordType":8,"Id":"d5","CreationTime":"2026-03-02T09:00:00","Operation":"Update user.","UserId":"admin@contoso.com","ModifiedProperties":["AccountEnabled"]}`,
	} {
		t.Run(name, func(t *testing.T) {
			sees(t, "reason", onlySkip(t, schemas.SourceSignIn, text), SkipDirectoryOperation)
		})
	}
}

func TestLivingUPN(t *testing.T) {
	// Only an object id before a name is taken away from it.
	for upn, want := range map[string]string{
		"5d3f7f6100014c7a8e0f1a2b3c4d5e6fada@contoso.com": "ada@contoso.com",
		"ada@contoso.com": "ada@contoso.com",
		"5d3f7f6100014c7a8e0f1a2b3c4d5e6f@contoso.com": "5d3f7f6100014c7a8e0f1a2b3c4d5e6f@contoso.com",
		"": "",
	} {
		sees(t, upn, livingUPN(upn), want)
	}
}
