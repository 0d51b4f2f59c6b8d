package normalise

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/riskpipe/riskpipe/schemas"
)

// defenderOut maps one record of the feed.
func defenderOut(t testing.TB, value string) Result {
	t.Helper()
	var out Result
	defenderMapper().Map(schemas.SourceDefender, Raw{Topic: "raw.defender", Value: []byte(value)}, &out)
	return out
}

// streamed is a row in the envelope of the streaming API, whose clock differs
// from the row's.
func streamed(table, row string) string {
	return `{"records":[{"time":"2026-03-09T23:59:59.1Z","tenantId":"0a1b","operationName":"Publish","category":"AdvancedHunting-` + table +
		`","_TimeReceivedBySvc":"2026-03-09T23:58:00Z","properties":` + row + `,"Tenant":"DefaultTenant"}]}`
}

// defenderEvent maps a record that is one event.
func defenderEvent(t testing.TB, value string) Event {
	t.Helper()
	out := defenderOut(t, value)
	if len(out.Events) != 1 || len(out.Rejects) > 0 {
		t.Fatalf("got %d events, rejects %v, skips %v, want one event", len(out.Events), out.Rejects, out.Skips)
	}
	return *out.Events[0]
}

// defenderGist is what matters of a result in one line.
func defenderGist(out Result) string {
	var parts []string
	for _, e := range out.Events {
		parts = append(parts, fmt.Sprintf("%s %s %s %s", e.Activity, e.Outcome, e.ActorType, e.Actor.User()))
	}
	for _, s := range out.Skips {
		parts = append(parts, "skip "+s.Reason)
	}
	for _, r := range out.Rejects {
		parts = append(parts, "reject "+r.Reason)
	}
	return strings.Join(parts, "; ")
}

const (
	deviceColumns = `"DeviceId":"d0e1","DeviceName":"ws7.contoso.com","ReportId":41,"Timestamp":"2026-03-09T08:15:00.1234567Z","MachineGroup":null`
	adaColumns    = `"InitiatingProcessAccountUpn":"Ada@Contoso.com","InitiatingProcessAccountObjectId":"9D3E5F10-1111-4222-8333-444455556666","InitiatingProcessAccountSid":"S-1-5-21-1-2-3-1001","InitiatingProcessAccountDomain":"CONTOSO","InitiatingProcessAccountName":"Ada","InitiatingProcessFileName":"explorer.exe"`
	systemColumns = `"InitiatingProcessAccountUpn":null,"InitiatingProcessAccountObjectId":null,"InitiatingProcessAccountSid":"S-1-5-18","InitiatingProcessAccountDomain":"nt authority","InitiatingProcessAccountName":"system"`
)

func TestDefender_routing(t *testing.T) {
	// A row is known by its envelope, by the name of its table, or by its
	// columns, and records of other feeds are left to their mappers.
	file := `{` + deviceColumns + `,` + adaColumns + `,"ActionType":"FileDeleted","FileName":"plan.docx","FolderPath":"C:\\Users\\ada\\plan.docx","ShareName":null,"RequestProtocol":"Local"}`
	const deleted = "file.deleted success person ada@contoso.com"
	for name, test := range map[string]struct{ value, want string }{
		"envelope":         {streamed("DeviceFileEvents", file), deleted},
		"any case":         {strings.Replace(streamed("devicefileevents", file), "AdvancedHunting-", "advancedhunting-", 1), deleted},
		"table name":       {strings.Replace(file, "{", `{"Type":"DeviceFileEvents",`, 1), deleted},
		"TableName":        {strings.Replace(file, "{", `{"TableName":"DeviceFileEvents",`, 1), deleted},
		"columns":          {file, deleted},
		"properties text":  {streamed("DeviceFileEvents", fmt.Sprintf("%q", file)), deleted},
		"properties null":  {streamed("DeviceFileEvents", "null"), "skip null_record"},
		"unknown table":    {streamed("DeviceTvmSoftwareInventory", `{"DeviceId":"d0e1"}`), "skip unsupported_category"},
		"process":          {`{` + deviceColumns + `,"ActionType":"ProcessCreated","FileName":"cmd.exe"}`, "skip device_action"},
		"process by table": {streamed("DeviceProcessEvents", `{`+deviceColumns+`,"ActionType":"ProcessCreated"}`), "skip unsupported_category"},
		"no time":          {streamed("DeviceFileEvents", `{"ActionType":"FileCreated","FileName":"a.txt"}`), "reject missing_time"},
		"nulls between":    {`{"records":[null,` + strings.TrimSuffix(strings.TrimPrefix(streamed("DeviceFileEvents", file), `{"records":[`), `]}`) + `,null]}`, deleted + "; skip null_record; skip null_record"},
		"click":            {`{"Timestamp":"2026-03-09T08:15:00Z","Url":"https://files.example.net/x","AccountUpn":"ada@contoso.com","ActionType":"ClickAllowed","ReportId":"r1","IsClickedThrough":0}`, "browsing.clicked success person ada@contoso.com"},
		"sentinel time":    {`{"TimeGenerated":"2026-03-09T08:15:00Z","Type":"IdentityLogonEvents","ActionType":"LogonSuccess","AccountUpn":"ada@contoso.com","LogonType":"Interactive","ReportId":"r1"}`, "signin.succeeded success person ada@contoso.com"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := defenderGist(defenderOut(t, test.value)); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestDefender_leavesOtherFeeds(t *testing.T) {
	// Records that share columns with Defender's are not claimed.
	m := defenderMapper()
	for name, value := range map[string]string{
		"sign-in":        `{"id":"s1","createdDateTime":"2026-03-09T08:15:00Z","userPrincipalName":"ada@contoso.com","userId":"u1","status":{"errorCode":0},"riskLevelAggregated":"none"}`,
		"risk detection": `{"id":"r1","riskEventType":"unfamiliarFeatures","riskLevel":"low","detectedDateTime":"2026-03-09T08:15:00Z","userPrincipalName":"ada@contoso.com"}`,
		"audit":          `{"Id":"a1","Operation":"FileDownloaded","RecordType":6,"CreationTime":"2026-03-09T08:15:00","Workload":"SharePoint","UserId":"ada@contoso.com"}`,
		"SCIM":           `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[{"method":"POST","path":"/Users","data":{"userName":"ada@contoso.com","active":false}}]}`,
		"HR":             `{"HRScenario":"Resignation","EmailAddress":"ada@contoso.com","ResignationDate":"2026-03-09","LastWorkingDate":"2026-04-09","Type":"Employee"}`,
		"user":           `{"id":"u1","displayName":"Ada","userPrincipalName":"ada@contoso.com","employeeId":"E7","accountEnabled":true,"jobTitle":"Engineer","department":"R&D"}`,
		"directory":      `{"id":"d1","category":"UserManagement","activityDisplayName":"Update user","activityDateTime":"2026-03-09T08:15:00Z","initiatedBy":{"user":{"userPrincipalName":"ada@contoso.com"}}}`,
		"empty":          `{}`,
	} {
		t.Run(name, func(t *testing.T) {
			o, _, err := m.parse(value)
			if err != nil {
				t.Fatal(err)
			}
			var out Result
			if m.routeDefender(record{object: o, source: schemas.SourceDefender, out: &out}) {
				t.Errorf("claimed: %s", defenderGist(out))
			}
		})
	}
}

func TestDefender_delivery(t *testing.T) {
	// A second delivery of a row, in a fresh envelope or exported bare, is the
	// same event; another row of the same device is another.
	row := `{` + deviceColumns + `,` + adaColumns + `,"ActionType":"FileModified","FileName":"plan.docx","FolderPath":"C:\\plan.docx","ShareName":null}`
	first := defenderEvent(t, streamed("DeviceFileEvents", row))
	again := defenderEvent(t, strings.Replace(streamed("DeviceFileEvents", row), "23:59:59.1Z", "23:59:59.9Z", 1))
	bare := defenderEvent(t, strings.Replace(row, "00.1234567Z", "00.123456700+00:00", 1))
	other := defenderEvent(t, streamed("DeviceFileEvents", strings.Replace(row, `"ReportId":41`, `"ReportId":42`, 1)))
	if first.ID != again.ID || first.ID != bare.ID || first.ID == other.ID {
		t.Errorf("ids: first %s, again %s, bare %s, other %s", first.ID, again.ID, bare.ID, other.ID)
	}
	if want := "2026-03-09T08:15:00.123Z"; first.Time.String() != want {
		t.Errorf("time %s, want the row's own %s", first.Time, want)
	}
	// Rows whose ids were made anonymous are told apart by their content.
	blank := strings.NewReplacer(`"d0e1"`, `"ANONYMIZED"`, `"ReportId":41`, `"ReportId":0`)
	one := defenderEvent(t, blank.Replace(row))
	two := defenderEvent(t, blank.Replace(strings.Replace(row, "plan.docx", "plan2.docx", 2)))
	if one.ID == two.ID {
		t.Error("two rows without ids collapsed into one")
	}
}

func TestNamed_actor(t *testing.T) {
	// An account is sorted by all of its names, and the system's are no person.
	for name, test := range map[string]struct {
		names named
		want  Actor
	}{
		"all names": {
			named{"ADA@contoso.com", "9d3e5f10-1111-4222-8333-444455556666", "s-1-5-21-1-2-3-1001", "CONTOSO", "Ada", "WS7"},
			Actor{Type: schemas.ActorPerson, UPN: "ada@contoso.com", ObjectID: "9d3e5f10-1111-4222-8333-444455556666", SID: "S-1-5-21-1-2-3-1001", Account: `contoso\ada`},
		},
		"Entra identifier":  {named{sid: "S-1-12-1-7-8-9-10"}, Actor{Type: schemas.ActorPerson, SID: "S-1-12-1-7-8-9-10"}},
		"local account":     {named{name: "bob", host: "WS7"}, Actor{Type: schemas.ActorPerson, Account: `ws7\bob`}},
		"workgroup":         {named{domain: "WORKGROUP", name: "bob", host: "ws7"}, Actor{Type: schemas.ActorPerson, Account: `ws7\bob`}},
		"name with domain":  {named{name: `CONTOSO\bob`}, Actor{Type: schemas.ActorPerson, Account: `contoso\bob`}},
		"name is UPN":       {named{name: "bob@contoso.com"}, Actor{Type: schemas.ActorPerson, UPN: "bob@contoso.com"}},
		"bare name":         {named{name: "bob"}, Actor{Type: schemas.ActorUnknown, Account: "bob"}},
		"bare beside UPN":   {named{upn: "bob@contoso.com", name: "bob"}, Actor{Type: schemas.ActorPerson, UPN: "bob@contoso.com"}},
		"guest":             {named{upn: "eve_fabrikam.com#EXT#@contoso.onmicrosoft.com"}, Actor{Type: schemas.ActorGuest, UPN: "eve_fabrikam.com#ext#@contoso.onmicrosoft.com"}},
		"system":            {named{sid: "S-1-5-18", domain: "NT AUTHORITY", name: "SYSTEM"}, Actor{Type: schemas.ActorSystem, App: `nt authority\system`}},
		"system, localised": {named{sid: "S-1-5-19", domain: "NT-AUTORITÄT", name: "Lokaler Dienst"}, Actor{Type: schemas.ActorSystem, App: `nt-autorität\lokaler dienst`}},
		"machine":           {named{domain: "CONTOSO", name: "WS7$"}, Actor{Type: schemas.ActorSystem, App: `contoso\ws7$`}},
		"root":              {named{domain: "lin1", name: "root"}, Actor{Type: schemas.ActorSystem, App: `lin1\root`}},
		"anonymised":        {named{upn: "ANONYMIZED", objectID: "11111111-1111-1111-1111-111111111111", sid: "user1", name: "ANONYMIZED"}, Actor{Type: schemas.ActorUnknown}},
		"nothing":           {named{}, Actor{Type: schemas.ActorUnknown}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.names.actor(); got != test.want {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
		})
	}
}

func TestWords(t *testing.T) {
	// A name is split into its words in any convention.
	for text, want := range map[string]string{
		"FileDownloaded": "file downloaded", "ITEM_DOWNLOAD": "item download", "Download file": "download file",
		"DLPRuleMatch": "dlp rule match", "defenseEvasion": "defense evasion", "Office365": "office365", "": "", "—é": "",
	} {
		if got := strings.Join(words(text), " "); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestDefender_anyShape(t *testing.T) {
	// Whatever the types of a row's columns, it gives events, skips or rejects
	// and never panics, and one input has one result.
	tables := []string{
		"AlertInfo", "AlertEvidence", "DeviceFileEvents", "DeviceEvents", "DeviceLogonEvents", "DeviceNetworkEvents",
		"EmailEvents", "EmailAttachmentInfo", "UrlClickEvents", "CloudAppEvents", "IdentityLogonEvents", "IdentityInfo",
	}
	columns := []string{
		"Timestamp", "ActionType", "DeviceId", "ReportId", "FileName", "FolderPath", "AdditionalFields", "AccountUpn", "AlertId", "Categories",
		"NetworkMessageId", "RecipientEmailAddress", "EmailDirection", "RawEventData", "ActivityObjects", "InitiatingProcessAccountName",
		"alerts", "incidentId", "evidence", "title", "severity", "createdDateTime", "Entities", "SystemAlertId", "userStates", "vendorInformation",
	}
	values := []string{
		`null`, `""`, `"x"`, `0`, `-1`, `true`, `[]`, `{}`, `[null,1,"a",{}]`, `"{\"a\":[]}"`, `"[1,{\"Type\":\"account\",\"Name\":\"a\"}]"`, `"2026-03-09T08:15:00Z"`,
		`"FileCreated"`, `"UsbDriveMounted"`, `"LogonSuccess"`, `"ConnectionSuccess"`, `"ada@contoso.com"`, `"\\\\?\\"`, `"C:\\"`, `"<null>"`,
	}
	rapid.Check(t, func(t *rapid.T) {
		var row []string
		for _, column := range rapid.SliceOfNDistinct(rapid.SampledFrom(columns), 0, len(columns), rapid.ID[string]).Draw(t, "columns") {
			row = append(row, fmt.Sprintf("%q:%s", column, rapid.SampledFrom(values).Draw(t, column)))
		}
		value := "{" + strings.Join(row, ",") + "}"
		if rapid.Bool().Draw(t, "streamed") {
			value = streamed(rapid.SampledFrom(tables).Draw(t, "table"), value)
		}
		m := defenderMapper()
		var one, two Result
		m.Map(schemas.SourceDefender, Raw{Value: []byte(value)}, &one)
		m.Map(schemas.SourceDefender, Raw{Value: []byte(value)}, &two)
		if fmt.Sprint(one.Skips, one.Rejects, len(one.Events)) != fmt.Sprint(two.Skips, two.Rejects, len(two.Events)) {
			t.Fatalf("two results: %v and %v", one, two)
		}
		for _, r := range one.Rejects {
			if r.Reason == ReasonPanic {
				t.Fatalf("%s: %s", value, r.Detail)
			}
		}
		if len(one.Events)+len(one.Skips)+len(one.Rejects) == 0 {
			t.Fatalf("%s: nothing came of it", value)
		}
		for i, e := range one.Events {
			if e.Time == 0 || e.Activity == "" || e.ID != two.Events[i].ID {
				t.Fatalf("%s: incomplete event %+v", value, e.Event)
			}
		}
	})
}

func defenderRecords() []commonRecord {
	return []commonRecord{
		{"DeviceFileEvents", schemas.SourceDefender, streamed("DeviceFileEvents", `{`+deviceColumns+`,`+adaColumns+`,"ActionType":"FileCreated","FileName":"plan.docx","FolderPath":"C:\\Users\\ada\\plan.docx","FileSize":4096,"SHA256":"ab","AdditionalFields":"{\"FileType\":\"Docx\"}","PreviousFileName":null,"ShareName":null,"RequestProtocol":"Local","SensitivityLabel":null}`)},
		{"EmailEvents", schemas.SourceDefender, streamed("EmailEvents", emailRowText)},
		{"AlertV2", schemas.SourceDefender, alertV2Text},
	}
}

func BenchmarkDefender(b *testing.B) {
	for _, bench := range defenderRecords() {
		b.Run(bench.name, func(b *testing.B) {
			m, raw := defenderMapper(), Raw{Topic: "raw.defender", Value: []byte(bench.text)}
			var out Result
			b.SetBytes(int64(len(bench.text)))
			b.ReportAllocs()
			for b.Loop() {
				m.Map(schemas.SourceDefender, raw, &out)
			}
			if len(out.Events) == 0 {
				b.Fatal("no event")
			}
		})
	}
}

func FuzzDefender(f *testing.F) {
	// No bytes whatever make the mapper panic or leave it without an answer.
	for _, seed := range []string{
		alertV2Text, streamed("EmailEvents", emailRowText), streamed("DeviceFileEvents", "{"+deviceColumns+","+adaColumns+`,"ActionType":"FileCreated","FileName":"a.zip"}`),
		streamed("DeviceEvents", "{"+deviceColumns+","+systemColumns+`,"ActionType":"UsbDriveMounted","AdditionalFields":"{\"LoggedOnUsers\":\"[{}]\"}"}`),
		streamed("CloudAppEvents", `{"Timestamp":"2026-03-09T08:15:00Z","ActionType":"download","ActivityObjects":"[{\"Role\":\"Actor\"}]","RawEventData":"{\"Id\":1}"}`),
		`{"SystemAlertId":"s","Entities":"[{\"$id\":\"1\",\"Host\":{\"$ref\":\"1\"},\"Type\":\"account\"}]"}`, `{"incidentId":1,"alerts":[null,1,[],{}]}`,
		`{"Operation":"AlertTriggered","RecordType":40,"CreationTime":"2026-03-09T08:15:00","Data":"[{\"f3u\":[]}]"}`,
	} {
		f.Add([]byte(seed))
	}
	m := defenderMapper()
	f.Fuzz(func(t *testing.T, value []byte) {
		var out Result
		m.Map(schemas.SourceDefender, Raw{Value: value}, &out)
		if out.Records == 0 || len(out.Events)+len(out.Skips)+len(out.Rejects) == 0 {
			t.Fatalf("nothing came of %q", value)
		}
		for _, r := range out.Rejects {
			if r.Reason == ReasonPanic {
				t.Fatal(r.Detail)
			}
		}
	})
}
