package normalise

import (
	"slices"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

// Rows of worker files, Workday reports and directory users say how things stand.
func TestWorker(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"active":             {`{"WorkerID":"17","WorkerStatus":"Active","OnLeave":"False","HireDate":"2013-01-01"}`, "hr.worker_updated eid:17 resigned=- last=- effective=- active=true"},
		"on leave":           {`{"WorkerID":"17","WorkerStatus":"Active","OnLeave":"True"}`, "hr.worker_updated eid:17 resigned=- last=- effective=- active=true on_leave"},
		"leave as a status":  {`{"WorkerID":"17","WorkerStatus":"Leave of absence"}`, "hr.worker_updated eid:17 resigned=- last=- effective=- active=true on_leave"},
		"inactive":           {`{"WorkerID":"17","WorkerStatus":"Inactive"}`, "hr.termination eid:17 resigned=- last=- effective=- active=false"},
		"status code":        {`{"WorkerID":"17","Status":"T"}`, "hr.termination eid:17 resigned=- last=- effective=- active=false"},
		"is terminated":      {`{"WorkerID":"17","IsTerminated":"True","TerminationDate":"2026-02-28","LastDayOfWork":"2026-02-20"}`, "hr.termination eid:17 resigned=- last=2026-02-20T00:00 effective=2026-02-28T00:00 active=false"},
		"not terminated":     {`{"WorkerID":"17","IsTerminated":"False","TerminationDate":"","LastDayOfWork":""}`, "hr.worker_updated eid:17 resigned=- last=- effective=- active=true"},
		"going to leave":     {`{"WorkerID":"17","WorkerStatus":"Active","TerminationDate":"2026-06-30"}`, "hr.termination eid:17 resigned=- last=2026-06-30T00:00 effective=2026-06-30T00:00 active=true"},
		"resigned":           {`{"WorkerID":"17","WorkerStatus":"Active","Resignation_Date":"2026-02-20","Last_Day_of_Work":"2026-03-31"}`, "hr.resignation eid:17 resigned=2026-02-20T00:00 last=2026-03-31T00:00 effective=- active=true"},
		"took it back":       {`{"WorkerID":"17","WorkerStatus":"Resignation withdrawn"}`, "hr.resignation_withdrawn eid:17 resigned=- last=- effective=- withdrawn"},
		"hired again":        {`{"WorkerID":"17","WorkerStatus":"Active","HireDate":"2026-01-01","TerminationDate":"2020-06-30"}`, "hr.worker_updated eid:17 resigned=- last=- effective=- active=true"},
		"contract":           {`{"WorkerID":"17","WorkerType":"Contractor","WorkerStatus":"Active","ContractEndDate":"2026-06-30"}`, "hr.worker_updated eid:17 resigned=- last=2026-06-30T00:00 effective=- active=true"},
		"contract ended":     {`{"WorkerID":"17","WorkerType":"Contractor","WorkerStatus":"Inactive","ContractEndDate":"2026-01-31"}`, "hr.termination eid:17 resigned=- last=2026-01-31T00:00 effective=- active=false"},
		"for ever":           {`{"WorkerID":"17","WorkerStatus":"Active","TerminationDate":"9999-12-31"}`, "hr.worker_updated eid:17 resigned=- last=- effective=- active=true"},
		"bad date":           {`{"WorkerID":"17","WorkerStatus":"Active","TerminationDate":"summer"}`, "reject bad_time"},
		"nobody":             {`{"WorkerStatus":"Active","TerminationDate":"2026-06-30"}`, "reject missing_field"},
		"Workday date":       {`{"Employee_ID":"17","Worker_Status":"Active","Termination_Date":"2026-06-30-07:00"}`, "hr.termination eid:17 resigned=- last=2026-06-30T00:00 effective=2026-06-30T00:00 active=true"},
		"Workday references": {`{"Employee_ID":{"Descriptor":"17"},"Active_Status":"1","Manager":[{"Descriptor":"Eva","ID":"x"}]}`, "hr.worker_updated eid:17 resigned=- last=- effective=- active=true"},
		"no HR row":          {`{"hello":"world"}`, "skip unknown_record"},
		"Graph user": {
			`{"id":"7f0c2f3e-51f5-4ea9-a4cc-3b1a5a3a8d10","userPrincipalName":"Ida@contoso.com","mail":"ida.berg@contoso.com","employeeId":"e17","accountEnabled":true,"employeeHireDate":"2019-01-01T00:00:00Z","employeeLeaveDateTime":null,"jobTitle":"Chemist"}`,
			"hr.worker_updated upn:ida@contoso.com resigned=- last=- effective=- active=true",
		},
		"Graph user in full": {
			`{"id":"7f0c2f3e-51f5-4ea9-a4cc-3b1a5a3a8d10","deletedDateTime":null,"createdDateTime":"2019-01-01T00:00:00Z","userPrincipalName":"ida@contoso.com","displayName":"Ida Berg","givenName":"Ida","surname":"Berg",
				"businessPhones":[],"identities":[{"signInType":"userPrincipalName","issuer":"contoso.com","issuerAssignedId":"ida@contoso.com"}],"userType":"Member","accountEnabled":true,"employeeType":"Contractor","employeeId":null,
				"employeeOrgData":{"division":"Lab","costCenter":"1"},"signInActivity":{"lastSignInDateTime":"2026-02-01T00:00:00Z","lastSignInRequestId":"r"},"manager":{"@odata.type":"#microsoft.graph.user","id":"x","mail":"eva@contoso.com"},
				"securityIdentifier":"S-1-12-1-1","onPremisesSamAccountName":"ida","city":"Oslo","country":"NO","proxyAddresses":["SMTP:ida@contoso.com"],"refreshTokensValidFromDateTime":"2019-01-01T00:00:00Z","lastPasswordChangeDateTime":"2019-01-01T00:00:00Z"}`,
			"hr.worker_updated upn:ida@contoso.com resigned=- last=- effective=- active=true",
		},
		"Graph user who leaves": {
			`{"userPrincipalName":"ida@contoso.com","accountEnabled":true,"employeeLeaveDateTime":"2026-06-30T22:00:00Z"}`,
			"hr.termination upn:ida@contoso.com resigned=- last=2026-06-30T22:00 effective=- active=true",
		},
		"Graph user disabled": {
			`{"userPrincipalName":"ida@contoso.com","accountEnabled":false}`,
			"hr.account_disabled upn:ida@contoso.com resigned=- last=- effective=- active=false",
		},
	} {
		t.Run(name, func(t *testing.T) { checkHR(t, HRMapping{}, test.text, test.want) })
	}
}

// The entries of a Workday report and of a Graph page are records of their own.
func TestWorker_lists(t *testing.T) {
	checkHR(
		t, HRMapping{},
		`{"Report_Entry":[{"Employee_ID":"17","Worker_Status":"Terminated"},null,{"Employee_ID":"","Worker_Status":"Active"},7,{"Employee_ID":"18","Worker_Status":"Active"}]}`,
		"hr.termination eid:17 resigned=- last=- effective=- active=false", "skip null_record", "reject missing_field", "reject not_a_record",
		"hr.worker_updated eid:18 resigned=- last=- effective=- active=true",
	)
	checkHR(
		t, HRMapping{},
		`{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users","value":[{"userPrincipalName":"ida@contoso.com","accountEnabled":true}]}`,
		"hr.worker_updated upn:ida@contoso.com resigned=- last=- effective=- active=true",
	)
}

// A worker file is read like the objects, and person by employee id alone.
func TestWorker_csv(t *testing.T) {
	checkHR(
		t, HRMapping{},
		"WorkerID,WorkerStatus,WorkerType,UserID,FirstName,LastName,ManagerID,HireDate,OnLeave,Department,JobTitle\r\n"+
			"17,Inactive,Contractor,EMP17,Ida,Berg,3,2013-01-01,True,Sales,Executive\r\n"+
			"18,Active,Employee,EMP18,Eva,Holm,3,2013-01-01,False,Sales,Manager\r\n",
		"skip csv_header",
		"hr.termination eid:17 resigned=- last=- effective=- active=false on_leave",
		"hr.worker_updated eid:18 resigned=- last=- effective=- active=true",
	)
}

// Statuses that come back are news again when the row says when it was changed.
func TestWorker_comesBack(t *testing.T) {
	row := func(changed string) string {
		return `{"WorkerID":"17","WorkerStatus":"Active","LastModified":"` + changed + `"}`
	}
	if onlyHREvent(t, row("2026-01-01")).ID == onlyHREvent(t, row("2026-02-01")).ID {
		t.Error("the same id")
	}
}

// A worker who goes by two ids in the HR system is known by either.
func TestWorker_twoIDs(t *testing.T) {
	var result Result
	text := "WorkerID,WorkerStatus,UserID,HireDate\n1222,Active,EMP1222,2013-01-01\n"
	New(Options{Hash: func(string, string) schemas.Hash { return 1 }}).Map(schemas.SourceHR, Raw{Time: 1772442000000, Value: []byte(text)}, &result)
	if len(result.Events) != 1 {
		t.Fatalf("%+v", result)
	}
	if got := result.Events[0].Actor.Aliases(); !slices.Contains(got, "eid:1222") || !slices.Contains(got, "eid:EMP1222") {
		t.Errorf("aliases are %v", got)
	}
}
