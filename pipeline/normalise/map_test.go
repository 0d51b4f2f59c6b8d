package normalise

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/riskpipe/riskpipe/schemas"
)

// testTime is when test records reached Kafka: 2 March 2026, noon UTC.
const testTime schemas.Time = 1772452800000

// testHash stands in for the keyed hash.
func testHash(kind, value string) schemas.Hash {
	if value == "" {
		return 0
	}
	h := fnv.New64a()
	h.Write([]byte(kind + "\x00" + value))
	return schemas.Hash(h.Sum64() | 1)
}

// newTestMapper returns a mapper for the tenant contoso.com.
func newTestMapper() *Mapper { return newHRMapper(HRMapping{}) }

func newHRMapper(mapping HRMapping) *Mapper {
	return New(Options{
		Hash: testHash,
		HR:   mapping,
		Domains: NewDomains(map[string][]string{
			ClassInternal: {"contoso.com", "contoso.onmicrosoft.com"}, ClassPersonalMail: {"gmail.com"},
		}),
	})
}

// sound are records of every feed, each of which comes to one event.
func sound() map[string]struct {
	source schemas.Source
	text   string
} {
	type record = struct {
		source schemas.Source
		text   string
	}
	return map[string]record{
		"sign-in": {schemas.SourceSignIn, `{"time":"2026-03-02T08:20:00Z","category":"SignInLogs","resultType":"0","callerIpAddress":"203.0.113.7","properties":{"id":"0aa51c4e-3b1f-4d5e-9a51-64e7aa0b2001",
			"createdDateTime":"2026-03-02T08:15:30.1234567Z","userPrincipalName":"ida@contoso.com","userId":"7f0c2f3e-51f5-4ea9-a4cc-3b1a5a3a8d10","ipAddress":"203.0.113.7","appDisplayName":"Teams",
			"status":{"errorCode":0},"location":{"countryOrRegion":"SE","geoCoordinates":{"latitude":1.5}},"deviceDetail":{"deviceId":"","operatingSystem":"Windows"},"riskEventTypes_v2":["unlikelyTravel"]}}`},
		"risk": {schemas.SourceSignIn, `{"time":"2026-03-02T08:20:00Z","category":"UserRiskEvents","properties":{"id":"r1","riskEventType":"unfamiliarFeatures","riskLevel":"high","riskState":"atRisk",
			"activityDateTime":"2026-03-02T08:15:30Z","detectedDateTime":"2026-03-02T8:48:50.361Z","userPrincipalName":"ida@contoso.com","userId":"7f0c2f3e-51f5-4ea9-a4cc-3b1a5a3a8d10","ipAddress":"203.0.113.7",
			"additionalInfo":"[{\"Key\":\"mitreTechniques\",\"Value\":\"T1078,T1078.004\"}]"}}`},
		"mail": {schemas.SourceEmail, `{"Id":"6a51c4e0-0001-4d5e-9a51-64e7aa0b2002","CreationTime":"2026-03-02T08:15:30","RecordType":2,"Operation":"Send","Workload":"Exchange","ResultStatus":"Succeeded","UserId":"ida@contoso.com",
			"MailboxOwnerUPN":"ida@contoso.com","LogonType":0,"ClientIPAddress":"203.0.113.7","Item":{"Subject":"Plan","InternetMessageId":"<1@contoso.com>","SizeInBytes":1156.00,"Attachments":"a.png (2242b); b.docx (18b)"}}`},
		"inbox rule": {schemas.SourceEmail, `{"Id":"6a51c4e0-0001-4d5e-9a51-64e7aa0b2003","CreationTime":"2026-03-02T08:15:30","RecordType":"1","Operation":"New-InboxRule","Workload":"Exchange","ResultStatus":"True","UserId":"ida@contoso.com",
			"ClientIP":"203.0.113.7:4711","Parameters":[{"Name":"ForwardTo","Value":"smtp:ida@gmail.com"},{"Name":"DeleteMessage"}]}`},
		"file": {schemas.SourceFile, `{"Id":"6a51c4e0-0001-4d5e-9a51-64e7aa0b2004","CreationTime":"2026-03-02T08:15:30","RecordType":6,"Operation":"FileDownloaded","Workload":"SharePoint","UserId":"ida@contoso.com","ClientIP":"[2001:db8::1]:443",
			"ObjectId":"https://contoso.sharepoint.com/sites/lab/Shared Documents/plan.docx","SiteUrl":"https://contoso.sharepoint.com/sites/lab/","SourceRelativeUrl":"Shared Documents","SourceFileName":"plan.docx",
			"SourceFileExtension":"docx","FileSizeBytes":120,"ItemType":"File","UserAgent":"Edge"}`},
		"dlp": {schemas.SourceFile, `{"Id":"6a51c4e0-0001-4d5e-9a51-64e7aa0b2005","CreationTime":"2026-03-02T08:15:30","RecordType":13,"Operation":"DlpRuleMatch","Workload":"Exchange","UserId":"DlpAgent","IncidentId":"i1",
			"PolicyDetails":[{"PolicyName":"Cards","Rules":[{"RuleName":"r","Severity":"High","Actions":["BlockAccess"],"ConditionsMatched":{"SensitiveInformation":[{"SensitiveInformationTypeName":"Credit Card Number","Count":3,"Confidence":85}]}}]}],
			"ExchangeMetaData":{"From":"IDA@CONTOSO.COM","To":["eva@fabrikam.com"],"Subject":"Plan","MessageID":"<1@contoso.com>","RecipientCount":1}}`},
		"device file": {schemas.SourceDefender, `{"time":"2026-03-02T08:20:00Z","category":"AdvancedHunting-DeviceFileEvents","properties":{"Timestamp":"2026-03-02T08:15:30.1234567Z","ActionType":"FileCreated","FileName":"plan.docx","FolderPath":"E:\\plan.docx",
			"FileSize":120,"DeviceId":"d1","DeviceName":"laptop-17","InitiatingProcessAccountUpn":"ida@contoso.com","InitiatingProcessAccountObjectId":"7f0c2f3e-51f5-4ea9-a4cc-3b1a5a3a8d10","ReportId":17,"AdditionalFields":"{\"FileType\":\"Docx\"}"}}`},
		"alert": {schemas.SourceDefender, `{"id":"da1","providerAlertId":"a1","title":"Exfiltration","severity":"high","status":"new","category":"Exfiltration","mitreTechniques":["T1119"],"serviceSource":"microsoftDefenderForEndpoint","detectionSource":"x",
			"createdDateTime":"2026-03-02T08:20:00Z","firstActivityDateTime":"2026-03-02T08:15:30Z","lastUpdateDateTime":"2026-03-02T08:30:00Z",
			"evidence":[{"@odata.type":"#microsoft.graph.security.userEvidence","userAccount":{"userPrincipalName":"ida@contoso.com","azureAdUserId":"7f0c2f3e-51f5-4ea9-a4cc-3b1a5a3a8d10"}}]}`},
		"health": {schemas.SourceFile, `{"CreationTime":"2026-03-02T08:15:30Z","EventName":"Chart viewed","EmailAddress":"ida@contoso.com","PatientId":"P-1","PatientLastName":"Lind",
			"PatientAddressLine1":"12 Elm Road","PatientCity":"Duluth","PatientZipCode":"55802","RestrictedAccessReason":"Direct care"}`},
		"health audit": {schemas.SourceFile, `{"resourceType":"AuditEvent","id":"a1","recorded":"2026-03-02T08:15:30.123Z","type":{"code":"rest"},"action":"R","outcome":"0","purposeOfEvent":[{"coding":[{"code":"BTG"}]}],
			"agent":[{"altId":"ida@contoso.com","who":{"reference":"Practitioner/7"},"requestor":true}],"entity":[{"what":{"reference":"Patient/P1"},"securityLabel":[{"code":"R"}]}]}`},
		"hr": {schemas.SourceHR, `{"HRScenario":"Resignation","EmailAddress":"ida@contoso.com","EmployeeId":"E17","ResignationDate":"2026-02-20","LastWorkingDate":"2026-03-31T00:00:00Z","LastModified":"2026-02-21"}`},
		"scim": {schemas.SourceHR, `{"method":"POST","path":"/Users","data":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ida@contoso.com","active":false,"emails":[{"value":"i@contoso.com","primary":true}],
			"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"17"}}}`},
	}
}

func mapBytes(m *Mapper, source schemas.Source, text string) Result {
	var out Result
	m.Map(source, Raw{Topic: "raw." + string(source), Time: testTime, Value: []byte(text)}, &out)
	return out
}

// printed returns a result as JSON, so that everything in it is compared.
func printed(t testing.TB, out Result) string {
	t.Helper()
	text, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// counts says what a Kafka record came to.
func counts(out Result) string {
	return fmt.Sprintf("%d records: %d events, %d rejects, %d skips", out.Records, len(out.Events), len(out.Rejects), len(out.Skips))
}

// Each sound record is one event of its person at its time, from any topic.
func TestMap_sound(t *testing.T) {
	for name, r := range sound() {
		for _, topic := range schemas.Sources() {
			if r.source == schemas.SourceHR && name == "hr" && topic != schemas.SourceHR {
				continue // rows do not say what they are
			}
			out := mapBytes(newTestMapper(), topic, r.text)
			if len(out.Events) != 1 || len(out.Rejects)+len(out.Skips) != 0 {
				t.Errorf("%s on raw.%s: %s, %v %v", name, topic, counts(out), out.Rejects, out.Skips)
				continue
			}
			if e := out.Events[0]; e.Actor.User() != "ida@contoso.com" || e.Time == 0 || e.Activity == "" || e.Source == "" || e.ID == (schemas.UUID{}) {
				t.Errorf("%s on raw.%s: %s", name, topic, printed(t, out))
			}
		}
	}
}

// Envelopes of every kind are taken apart, and each record in them counts.
func TestMap_envelopes(t *testing.T) {
	records := sound()
	a, b := records["sign-in"].text, records["file"].text
	compact := func(text string) string {
		var buffer bytes.Buffer
		if err := json.Compact(&buffer, []byte(text)); err != nil {
			t.Fatal(err)
		}
		return buffer.String()
	}
	quoted := func(text string) string {
		q, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		return string(q)
	}
	graph := `"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#auditLogs"`
	for name, test := range map[string]struct{ text, want string }{
		"Event Hubs with nulls":     {`{"records":[` + a + `,null,` + b + `]}`, "3 records: 2 events, 0 rejects, 1 skips"},
		"Graph page":                {`{` + graph + `,"value":[` + a + `,` + b + `]}`, "2 records: 2 events, 0 rejects, 0 skips"},
		"array":                     {`[` + a + `,` + b + `]`, "2 records: 2 events, 0 rejects, 0 skips"},
		"bare":                      {a, "1 records: 1 events, 0 rejects, 0 skips"},
		"heartbeat":                 {`{"type":"heartbeat"}`, "1 records: 0 events, 0 rejects, 1 skips"},
		"heartbeat among records":   {`{"records":[{"type":"heartbeat"},` + a + `]}`, "2 records: 1 events, 0 rejects, 1 skips"},
		"lines":                     {compact(a) + "\n" + compact(b) + "\n", "2 records: 2 events, 0 rejects, 0 skips"},
		"lines with CR LF":          {compact(a) + "\r\n\r\n" + compact(b) + "\r\n", "2 records: 2 events, 0 rejects, 0 skips"},
		"lines, one of them cut":    {compact(a) + "\n" + compact(b)[:100] + "\n" + compact(b), "3 records: 2 events, 1 rejects, 0 skips"},
		"lines of envelopes":        {`{"records":[` + compact(a) + `]}` + "\n" + `[` + compact(b) + `,null]`, "3 records: 2 events, 0 rejects, 1 skips"},
		"OData's older page":        {`{"d":{"results":[` + a + `,` + b + `]}}`, "2 records: 2 events, 0 rejects, 0 skips"},
		"a record without brackets": {`{"records":` + a + `}`, "1 records: 1 events, 0 rejects, 0 skips"},
		"list of envelopes":         {`[{"records":[` + a + `]},{"value":[` + b + `,null]},{"records":[]}]`, "4 records: 2 events, 0 rejects, 2 skips"},
		"records as strings":        {`{"records":[` + quoted(a) + `,` + quoted(b) + `]}`, "2 records: 2 events, 0 rejects, 0 skips"},
		"JSON in a JSON string":     {quoted(`{"records":[` + a + `,` + b + `]}`), "2 records: 2 events, 0 rejects, 0 skips"},
		"AuditData string":          {`{"RecordType":6,"CreationDate":"2026-03-02T08:15:30Z","UserIds":"ida@contoso.com","AuditData":` + quoted(b) + `}`, "1 records: 1 events, 0 rejects, 0 skips"},
		"auditData object":          {`{"id":"g1","userId":"10032001","auditLogRecordType":"sharePointFileOperation","auditData":` + b + `}`, "1 records: 1 events, 0 rejects, 0 skips"},
		"mixed categories":          {`{"records":[` + a + `,{"category":"MicrosoftGraphActivityLogs","properties":{}},` + b + `,{"hello":1}]}`, "4 records: 2 events, 0 rejects, 2 skips"},
		"byte order mark":           {"\xEF\xBB\xBF" + a, "1 records: 1 events, 0 rejects, 0 skips"},
		"no records":                {`{"records":[]}`, "1 records: 0 events, 0 rejects, 1 skips"},
		"scalars among the records": {`{"records":[1,"x",true,[],` + a + `]}`, "5 records: 1 events, 3 rejects, 1 skips"},
		"null":                      {"null", "1 records: 0 events, 0 rejects, 1 skips"},
		"duplicate keys":            {`{"records":[` + strings.Replace(b, `"Operation":"FileDownloaded"`, `"Operation":"FileDownloaded","Operation":"FileDeleted"`, 1) + `]}`, "1 records: 1 events, 0 rejects, 0 skips"},
	} {
		if out := mapBytes(newTestMapper(), schemas.SourceFile, test.text); counts(out) != test.want {
			t.Errorf("%s: %s, want %s; %v %v", name, counts(out), test.want, out.Rejects, out.Skips)
		}
	}
}

// Hostile input is rejects with a reason, and neighbours go on.
func TestMap_hostile(t *testing.T) {
	good := sound()["file"].text
	nested := func(depth int) string { return strings.Repeat(`{"a":[`, depth/2) + strings.Repeat(`]}`, depth/2) }
	laughs := `{"lol":"` + strings.Repeat("lol", 300_000) + `"`
	for i := range 9 {
		laughs += fmt.Sprintf(`,"lol%d":%q`, i, strings.Repeat(fmt.Sprintf("&lol%d;", i), 10))
	}
	for name, test := range map[string]struct {
		text, reason string
		events       int
	}{
		"empty":                {"", ReasonEmpty, 0},
		"blanks":               {" \r\n\t", ReasonEmpty, 0},
		"cut":                  {good[:len(good)-20], ReasonNotJSON, 0},
		"cut in an envelope":   {`{"records":[` + good + `,{"Id":"x`, ReasonNotJSON, 0},
		"10 MB":                {`{"a":"` + strings.Repeat("x", 10<<20) + `"}`, ReasonTooLarge, 0},
		"100 deep":             {nested(100), ReasonTooDeep, 0},
		"10,000 deep":          {nested(10_000), ReasonTooDeep, 0},
		"1,000,000 open":       {strings.Repeat("[", 1_000_000), ReasonTooDeep, 0},
		"NUL":                  {"\x00\x00\x00", ReasonNotJSON, 0},
		"prose":                {"hello", ReasonNotJSON, 0},
		"XML":                  {"<?xml version=\"1.0\"?><!DOCTYPE lolz [<!ENTITY lol \"lol\">]><lolz>&lol;</lolz>", ReasonNotJSON, 0},
		"invalid UTF-8":        {`{"records":[` + strings.Replace(good, "plan.docx", "pl\xffn.docx", 1) + `,` + good + `]}`, ReasonNotUTF8, 1},
		"invalid UTF-8 in key": {`[` + strings.Replace(good, "ItemType", "Item\xc3\x28", 1) + `,` + good + `]`, ReasonNotUTF8, 1},
		"no time":              {strings.Replace(good, "CreationTime", "Created", 1), ReasonMissingTime, 0},
		"time of nonsense":     {strings.Replace(good, "2026-03-02T08:15:30", "yesterday", 1), ReasonMissingTime, 0},
		"a number":             {"17", ReasonNotJSON, 0},
		"one bad of three":     {`[` + good + `,7,` + good + `]`, ReasonNotARecord, 2},
	} {
		t.Run(name, func(t *testing.T) {
			out := mapBytes(newTestMapper(), schemas.SourceFile, test.text)
			if len(out.Rejects) != 1 || out.Rejects[0].Reason != test.reason || len(out.Events) != test.events {
				t.Fatalf("%s: %v %v, want %s", counts(out), out.Rejects, out.Skips, test.reason)
			}
			if strings.Contains(out.Rejects[0].Detail, "ida") {
				t.Errorf("the detail names somebody: %s", out.Rejects[0].Detail)
			}
		})
	}
	for name, text := range map[string]string{
		"billion laughs":  laughs + `}`,
		"huge numbers":    strings.Replace(good, `"FileSizeBytes":120`, `"FileSizeBytes":`+strings.Repeat("9", 5000), 1),
		"huge exponent":   strings.Replace(good, `"FileSizeBytes":120`, `"FileSizeBytes":1e999999`, 1),
		"negative size":   strings.Replace(good, `"FileSizeBytes":120`, `"FileSizeBytes":-5`, 1),
		"64 deep":         `{"records":` + nested(62)[:0] + `[` + good + `]}`,
		"long strings":    strings.Replace(good, "ida@contoso.com", strings.Repeat("i", 1<<20)+"@contoso.com", 1),
		"escaped strings": strings.ReplaceAll(good, "plan.docx", strings.Repeat(`\u0000\ud800%zz`, 1000)),
	} {
		out := mapBytes(newTestMapper(), schemas.SourceFile, text)
		for _, e := range out.Events {
			if e.File != nil && e.File.Size < 0 {
				t.Errorf("%s: size %d", name, e.File.Size)
			}
		}
		for _, r := range out.Rejects {
			if r.Reason == ReasonPanic {
				t.Errorf("%s: %s", name, r.Detail)
			}
		}
	}
}

// others are values that upstream does not write where they are put.
func others() []any {
	return []any{
		nil, true, false, 0.0, -1.5, 1e300, "", "x", "<null>", "[", `{"a":1}`, `[{"Name":1,"Value":[2]}]`,
		[]any{},
		[]any{nil},
		[]any{"x", 1.0, []any{}},
		map[string]any{},
		map[string]any{"Name": []any{}, "Value": map[string]any{}},
		[]any{map[string]any{"Name": 1.0, "Value": nil}},
	}
}

// Other types where a field stands never cause a panic, wherever it stands.
func TestMap_otherTypes(t *testing.T) {
	for name, r := range sound() {
		var tree any
		if err := json.Unmarshal([]byte(r.text), &tree); err != nil {
			t.Fatal(err)
		}
		m := newTestMapper()
		replaced := 0
		everywhere(tree, func(put func(any), was any) {
			for _, other := range others() {
				put(other)
				text, err := json.Marshal(tree)
				if err != nil {
					t.Fatal(err)
				}
				checkResult(t, mapBytes(m, r.source, string(text)))
				if t.Failed() {
					t.Fatalf("%s: of %s", name, text)
				}
				replaced++
			}
			put(was)
		})
		if replaced < 50 {
			t.Errorf("%s: only %d replacements", name, replaced)
		}
	}
}

// Records put together at random from values of all feeds, under the names of
// one, are events, rejects or skips like any other.
func TestMap_scrambled(t *testing.T) {
	values := others()
	texts := map[string]string{}
	for name, r := range sound() {
		texts[name] = r.text
		var tree any
		if err := json.Unmarshal([]byte(r.text), &tree); err != nil {
			t.Fatal(err)
		}
		everywhere(tree, func(_ func(any), was any) { values = append(values, was) })
	}
	names := slices.Sorted(maps.Keys(texts))
	m := newTestMapper()
	rapid.Check(t, func(rt *rapid.T) {
		var tree any
		if err := json.Unmarshal([]byte(texts[rapid.SampledFrom(names).Draw(rt, "record")]), &tree); err != nil {
			rt.Fatal(err)
		}
		var puts []func(any)
		everywhere(tree, func(put func(any), _ any) { puts = append(puts, put) })
		for range rapid.IntRange(1, 8).Draw(rt, "changes") {
			rapid.SampledFrom(puts).Draw(rt, "place")(rapid.SampledFrom(values).Draw(rt, "value"))
		}
		text, err := json.Marshal(tree)
		if err != nil {
			rt.Skip("a value was put into itself")
		}
		out := mapBytes(m, rapid.SampledFrom(schemas.Sources()).Draw(rt, "topic"), string(text))
		checkResult(t, out)
		if t.Failed() {
			rt.Fatalf("of %s", text)
		}
	})
}

// everywhere calls visit with a setter for each value below the tree.
func everywhere(tree any, visit func(put func(any), was any)) {
	switch node := tree.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(node)) {
			was := node[key]
			visit(func(v any) { node[key] = v }, was)
			everywhere(was, visit)
		}
	case []any:
		for i, was := range node {
			visit(func(v any) { node[i] = v }, was)
			everywhere(was, visit)
		}
	}
}

// The same input has the same output, whatever the mapper did before, and a
// fact's id does not depend on its envelope, offset, topic or time of arrival.
func TestMap_deterministic(t *testing.T) {
	used := newTestMapper()
	for name, r := range sound() {
		want := mapBytes(newTestMapper(), r.source, r.text)
		if got := mapBytes(used, r.source, r.text); printed(t, got) != printed(t, want) {
			t.Errorf("%s: a used mapper gives\n%s\nwant\n%s", name, printed(t, got), printed(t, want))
		}
		for _, envelope := range []string{`{"records":[null,%s]}`, `[%s]`, `{"@odata.context":"c","value":[{"a":1},%s]}`} {
			var out Result
			raw := Raw{Topic: "raw.all", Partition: 3, Offset: 99, Time: testTime + 86400000, Value: fmt.Appendf(nil, envelope, r.text)}
			used.Map(r.source, raw, &out)
			if len(out.Events) != 1 || out.Events[0].ID != want.Events[0].ID {
				t.Errorf("%s in %s: %s, want %s", name, envelope, printed(t, out), printed(t, want))
			}
			// A fact without a time of its own is known when it arrives.
			if got := out.Events[0].Time; got != want.Events[0].Time && (name != "scim" || got != raw.Time) {
				t.Errorf("%s in %s: at %s, want %s", name, envelope, got, want.Events[0].Time)
			}
			if origin := out.Events[0].Origin; origin.Offset != 99 || origin.Partition != 3 || origin.Topic != "raw.all" {
				t.Errorf("%s: origin %+v", name, origin)
			}
		}
	}
}

// Diagnostic settings send a record several times, each in a fresh envelope: it
// is one fact, also without a usable id.
func TestMap_redelivered(t *testing.T) {
	text := sound()["sign-in"].text
	again := strings.Replace(text, "2026-03-02T08:20:00Z", "2026-03-02T08:31:00Z", 1)
	for _, id := range []string{"0aa51c4e-3b1f-4d5e-9a51-64e7aa0b2001", "ANONYMIZED", "11111111-1111-1111-1111-111111111111", ""} {
		first := mapBytes(newTestMapper(), schemas.SourceSignIn, strings.Replace(text, "0aa51c4e-3b1f-4d5e-9a51-64e7aa0b2001", id, 1))
		second := mapBytes(newTestMapper(), schemas.SourceSignIn, strings.Replace(again, "0aa51c4e-3b1f-4d5e-9a51-64e7aa0b2001", id, 1))
		if first.Events[0].ID != second.Events[0].ID {
			t.Errorf("id %q: two facts", id)
		}
		other := mapBytes(newTestMapper(), schemas.SourceSignIn, strings.Replace(strings.Replace(text, "0aa51c4e-3b1f-4d5e-9a51-64e7aa0b2001", id, 1), "Teams", "Word", 1))
		if placeholder := isPlaceholder(id); (other.Events[0].ID == first.Events[0].ID) == placeholder {
			t.Errorf("id %q: another record, same id is %v", id, !placeholder)
		}
	}
}

// A result outlives the mapper's next calls.
func TestMap_stringsSurvive(t *testing.T) {
	m := newTestMapper()
	records := sound()
	for name, r := range records {
		var out Result
		m.Map(r.source, Raw{Topic: "t", Time: testTime, Value: []byte(r.text)}, &out)
		before := printed(t, out)
		for _, other := range records {
			mapBytes(m, other.source, strings.ReplaceAll(other.text, "ida", "eva"))
		}
		if after := printed(t, out); after != before {
			t.Errorf("%s changed:\n%s\n%s", name, before, after)
		}
	}
}

// JSON strings inside records are read in the last record of an envelope as in
// the first.
func TestMap_manyEmbedded(t *testing.T) {
	text, err := json.Marshal(sound()["device file"].text)
	if err != nil {
		t.Fatal(err)
	}
	const n = 2 * maxAlive
	out := mapBytes(newTestMapper(), schemas.SourceDefender, `{"records":[`+strings.TrimSuffix(strings.Repeat(string(text)+",", n), ",")+`]}`)
	if len(out.Events) != n {
		t.Errorf("%s", counts(out))
	}
}

// An envelope of very many records costs memory in proportion, and gives it back
// with the next one.
func TestMap_manyElements(t *testing.T) {
	heap := func() uint64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	for name, element := range map[string]string{"nulls": "null", "empty objects": "{}", "numbers": "1", "empty lists": "[]", "rows": `{"Operation":"x","RecordType":6}`} {
		text := `{"records":[` + strings.TrimSuffix(strings.Repeat(element+",", 100_000), ",") + `]}`
		m := newTestMapper()
		var out Result
		raw := Raw{Topic: "raw.file", Time: testTime, Value: []byte(text)}
		before := heap()
		m.Map(schemas.SourceFile, raw, &out)
		during := heap()
		if out.Records != 100_000 || len(out.Events)+len(out.Rejects)+len(out.Skips) != 100_000 {
			t.Errorf("%s: %s", name, counts(out))
		}
		if during > before+100<<20 {
			t.Errorf("%s: %d MiB for %d KiB", name, (during-before)>>20, len(text)>>10)
		}
		m.Map(schemas.SourceFile, Raw{Topic: "raw.file", Time: testTime, Value: []byte(sound()["file"].text)}, &out)
		if counts(out) != "1 records: 1 events, 0 rejects, 0 skips" {
			t.Errorf("%s: the next record: %s", name, counts(out))
		}
		// The document's own parser may keep what a message of usual size takes.
		if after := heap(); after > before+40<<20 {
			t.Errorf("%s: %d MiB kept", name, (after-before)>>20)
		}
		runtime.KeepAlive(m)
	}
}

// Text that would take many times its bytes in memory is refused before it is
// parsed.
func TestMap_manyValues(t *testing.T) {
	var result Result
	text := "[" + strings.Repeat("1,", 1_000_000) + "1]"
	New(Options{Hash: func(string, string) schemas.Hash { return 1 }}).Map(schemas.SourceFile, Raw{Value: []byte(text)}, &result)
	if len(result.Rejects) != 1 || result.Rejects[0].Reason != ReasonTooLarge {
		t.Errorf("%d rejects, the first %+v", len(result.Rejects), result.Rejects[:min(1, len(result.Rejects))])
	}
}
