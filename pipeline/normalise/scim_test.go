package normalise

import (
	"strings"
	"testing"
)

const (
	bulk = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"failOnErrors":null,"Operations":[` // …]}
	user = `"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"]`
)

// Operations of a bulk request are records of their own.
func TestSCIM_bulk(t *testing.T) {
	checkHR(
		t, HRMapping{},
		bulk+strings.Join([]string{
			`{"method":"POST","bulkId":"1","path":"/Users","data":{` + user + `,"userName":"Ida@contoso.com","externalId":"e17","active":true}}`,
			`{"method":"POST","bulkId":"2","path":"/users","data":{` + user + `,"username":"HolmE","externalId":"18","active":"False"}}`,
			`null`,
			`{"method":"POST","bulkId":"3","path":"/Users","data":{` + user + `,"active":false}}`,
			`{"method":"PATCH","path":"/Users/7f0c2f3e-51f5-4ea9-a4cc-3b1a5a3a8d10","data":{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"active","value":false}]}}`,
			`{"method":"PATCH","path":"/Users/7f0c2f3e-51f5-4ea9-a4cc-3b1a5a3a8d10","data":{"Operations":[{"op":"Replace","value":{"active":"true"}}]}}`,
			`{"method":"DELETE","path":"/Users/7f0c2f3e-51f5-4ea9-a4cc-3b1a5a3a8d10"}`,
			`{"method":"DELETE","path":"/Users/Ida@contoso.com"}`,
			`{"method":"POST","path":"/Groups","data":{"displayName":"All"}}`,
			`{"method":"PUT","path":"Users/7","data":"text"}`,
		}, ",")+`]}`,
		"hr.worker_updated upn:ida@contoso.com resigned=- last=- effective=- active=true",
		"hr.account_disabled eid:18 resigned=- last=- effective=- active=false",
		"skip null_record",
		"reject missing_field",
		"hr.account_disabled oid:7f0c2f3e-51f5-4ea9-a4cc-3b1a5a3a8d10 resigned=- last=- effective=- active=false",
		"hr.worker_updated oid:7f0c2f3e-51f5-4ea9-a4cc-3b1a5a3a8d10 resigned=- last=- effective=- active=true",
		"hr.account_disabled oid:7f0c2f3e-51f5-4ea9-a4cc-3b1a5a3a8d10 resigned=- last=- effective=- active=false",
		"hr.account_disabled upn:ida@contoso.com resigned=- last=- effective=- active=false",
		"skip unknown_record",
		"reject missing_field",
	)
}

// A user carries every name in it, and what its extensions say.
func TestSCIM_user(t *testing.T) {
	e := onlyHREvent(t, `{`+user+`,"id":"7f0c2f3e-51f5-4ea9-a4cc-3b1a5a3a8d10","externalId":"x9","userName":"Ida@contoso.com",
		"name":{"givenName":"Ida","familyName":"Berg"},"title":"Chemist","userType":"Employee","active":true,
		"emails":[{"value":"ida@gmail.com","type":"home","primary":true},{"value":"Ida.Berg@contoso.com","type":"work"}],
		"meta":{"lastModified":"2026-02-21T08:00:00Z"},
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"e17","department":"Research","manager":{"value":"e3"}},
		"urn:ietf:params:scim:schemas:extension:contoso:1.0:User":{"onLeave":"True","lastDayOfWork":"2026-06-30"}}`)
	if got, want := hrLine(e), "hr.termination upn:ida@contoso.com resigned=- last=2026-06-30T00:00 effective=- active=true on_leave"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got, want := strings.Join(e.Actor.Aliases(), " "), "oid:7f0c2f3e-51f5-4ea9-a4cc-3b1a5a3a8d10 eid:E17 upn:ida.berg@contoso.com"; got != want {
		t.Errorf("aliases %s, want %s", got, want)
	}
	if e.Clear.DisplayName != "Ida Berg" || e.HR.EmployeeType != "Employee" || e.Time.String() != "2026-02-21T08:00:00.000Z" {
		t.Errorf("got %+v at %s", e.Clear, e.Time)
	}
}

// A list of users is a list of records; other SCIM messages are none of ours.
func TestSCIM_list(t *testing.T) {
	checkHR(
		t, HRMapping{},
		`{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":2,"Resources":[{`+user+`,"userName":"ida@contoso.com","active":false},{`+user+`,"emails":"eva@contoso.com"}]}`,
		"hr.account_disabled upn:ida@contoso.com resigned=- last=- effective=- active=false",
		"hr.worker_updated upn:eva@contoso.com resigned=- last=- effective=-",
	)
}
