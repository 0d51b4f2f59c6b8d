package normalise

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/riskpipe/riskpipe/schemas"
)

// What a directory says of a person is read from every feed that has one, stands
// beside the event and is in none of its own fields.
func TestProfile(t *testing.T) {
	all := &Profile{DisplayName: "Zoë Ångström", Department: "Quantum Optics", Manager: "maxine@contoso.com", Title: "Beam Tamer"}
	const (
		target  = `"targetResources":[{"id":"5d3f7f61-0001-4c7a-8e0f-1a2b3c4d5e6f","type":"User","userPrincipalName":"zoe@contoso.com","modifiedProperties":`
		changes = `[{"displayName":"Department","oldValue":"[\"Old\"]","newValue":"[\"Quantum Optics\"]"},{"displayName":"JobTitle","newValue":"[\"Beam Tamer\"]"},` +
			`{"displayName":"DisplayName","newValue":"[\"Zoë Ångström\"]"},{"displayName":"Manager","newValue":"\"maxine@contoso.com\""},{"displayName":"Mobile","newValue":"[\"1\"]"}]`
		enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	)
	for name, test := range map[string]struct {
		source schemas.Source
		text   string
		want   *Profile
	}{
		"HR connector": {schemas.SourceHR, "EmailAddress,EmployeeFirstName,EmployeeLastName,EmployeeDept,ManagerEmail,JobTitle\nzoe@contoso.com,Zoë,Ångström,Quantum Optics,maxine@contoso.com,Beam Tamer", all},
		"worker":       {schemas.SourceHR, `{"WorkEmail":"zoe@contoso.com","WorkerStatus":"Active","FullName":"Zoë Ångström","Department":{"Descriptor":"Quantum Optics"},"Manager":[{"Descriptor":"maxine@contoso.com"}],"BusinessTitle":"Beam Tamer"}`, all},
		"part":         {schemas.SourceHR, `{"EmailAddress":"zoe@contoso.com","ResignationDate":"2026-02-20","Department":"Quantum Optics"}`, &Profile{Department: "Quantum Optics"}},
		"none":         {schemas.SourceHR, `{"EmailAddress":"zoe@contoso.com","ResignationDate":"2026-02-20"}`, nil},
		"SCIM": {
			schemas.SourceHR,
			`{` + user + `,"userName":"zoe@contoso.com","displayName":"Zoë Ångström","title":"Beam Tamer","active":true,"` + enterprise + `":{"department":"Quantum Optics","manager":{"value":"maxine@contoso.com","displayName":"Maxine"}}}`, all,
		},
		"SCIM patch by paths": {
			schemas.SourceHR,
			`{"method":"PATCH","path":"/Users/zoe@contoso.com","data":{"Operations":[{"op":"replace","path":"` + enterprise + `:department","value":"Quantum Optics"},{"op":"add","path":"` + enterprise + `:manager.value","value":"maxine@contoso.com"},` +
				`{"op":"replace","path":"title","value":"Beam Tamer"},{"op":"replace","path":"displayName","value":"Zoë Ångström"},{"op":"remove","path":"department","value":"None"},{"op":"replace","path":"name.familyName","value":"Other"}]}}`, all,
		},
		"SCIM patch by members": {
			schemas.SourceHR,
			`{"method":"PATCH","path":"/Users/zoe@contoso.com","data":{"Operations":[{"op":"replace","value":{"active":true,"title":"Beam Tamer","displayName":"Zoë Ångström","` + enterprise + `:department":"Quantum Optics","` + enterprise + `":{"manager":{"value":"maxine@contoso.com","displayName":"Maxine"}}}}]}}`, all,
		},
		"directory as Defender sees it": {
			schemas.SourceDefender,
			streamed("IdentityInfo", `{"Timestamp":"2026-03-09T08:15:00Z","AccountUpn":"zoe@contoso.com","AccountDisplayName":"Zoë Ångström","Department":"Quantum Optics","Manager":"maxine@contoso.com","JobTitle":"Beam Tamer"}`), all,
		},
		"directory audit":          {schemas.SourceSignIn, `{"id":"d1","activityDisplayName":"Update user","activityDateTime":"2026-03-02T09:00:00Z",` + target + changes + `}]}`, all},
		"directory audit, added":   {schemas.SourceSignIn, `{"id":"d1","activityDisplayName":"Add user","activityDateTime":"2026-03-02T09:00:00Z",` + target + changes + `}]}`, all},
		"directory audit, other":   {schemas.SourceSignIn, `{"id":"d1","activityDisplayName":"Add member to group","activityDateTime":"2026-03-02T09:00:00Z",` + target + changes + `}]}`, nil},
		"directory audit, emptied": {schemas.SourceSignIn, `{"id":"d1","activityDisplayName":"Update user","activityDateTime":"2026-03-02T09:00:00Z",` + target + `[{"displayName":"Department","newValue":"[]"}]}]}`, nil},
		"Office 365": {
			schemas.SourceSignIn,
			`{"RecordType":8,"Id":"d2","CreationTime":"2026-03-02T09:00:00","Operation":"Update user.","Workload":"AzureActiveDirectory","UserId":"admin@contoso.com","ObjectId":"zoe@contoso.com",` +
				`"ModifiedProperties":[{"Name":"Department","NewValue":"[\r\n  \"Quantum Optics\"\r\n]"}],"Target":[{"ID":"User","Type":2},{"ID":"zoe@contoso.com","Type":5}]}`,
			&Profile{Department: "Quantum Optics"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out Result
			newTestMapper().Map(test.source, Raw{Topic: "raw.x", Time: testTime, Value: []byte(test.text)}, &out)
			var got *Profile
			for _, a := range out.Links {
				got = a.Profile
			}
			for i := range out.Events {
				got = out.Events[i].Actor.Profile
				wire, err := json.Marshal(out.Events[i].Event)
				if err != nil {
					t.Fatal(err)
				}
				for _, personal := range []string{"Zoë", "Quantum", "maxine", "Beam"} {
					if strings.Contains(string(wire), personal) {
						t.Errorf("%q travels in clear: %s", personal, wire)
					}
				}
			}
			if d := cmp.Diff(test.want, got); d != "" || len(out.Rejects) > 0 || len(out.Links)+len(out.Events) > 1 {
				t.Errorf("links %+v, events %+v, rejects %+v: %s", out.Links, out.Events, out.Rejects, d)
			}
		})
	}
}
