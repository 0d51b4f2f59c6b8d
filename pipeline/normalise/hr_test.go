package normalise

import (
	"fmt"
	"strings"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

// hrLine writes an HR event on one line.
func hrLine(e Event) string {
	day := func(t schemas.Time) string {
		if t == 0 {
			return "-"
		}
		return t.UTC().Format("2006-01-02T15:04")
	}
	s := fmt.Sprintf("%s %s resigned=%s last=%s effective=%s", e.Activity, e.Actor.Key(), day(e.HR.Resigned), day(e.HR.LastDay), day(e.HR.Effective))
	if e.HR.Active != nil {
		s += fmt.Sprintf(" active=%v", *e.HR.Active)
	}
	if e.HR.OnLeave {
		s += " on_leave"
	}
	if e.HR.Withdrawn {
		s += " withdrawn"
	}
	if e.HR.Direction != "" {
		s += " " + e.HR.Direction
	}
	return s
}

// hrOutcome writes what a Kafka record on the HR feed came to, one line a record.
func hrOutcome(out Result) []string {
	lines := make([]string, out.Records)
	for _, e := range out.Events {
		lines[e.Origin.Index] += hrLine(*e)
	}
	for _, r := range out.Rejects {
		lines[r.Index] += "reject " + r.Reason
	}
	for _, s := range out.Skips {
		lines[s.Index] += "skip " + s.Reason
	}
	return lines
}

func checkHR(t *testing.T, mapping HRMapping, text string, want ...string) {
	t.Helper()
	if err := mapping.Validate(); err != nil {
		t.Fatalf("the mapping is refused: %v", err)
	}
	var out Result
	newHRMapper(mapping).Map(schemas.SourceHR, Raw{Topic: "raw.hr", Time: testTime, Value: []byte(text)}, &out)
	got := hrOutcome(out)
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("of\n%s\ngot\n\t%s\nwant\n\t%s\nrejects %v", text, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"), out.Rejects)
	}
}

// Each scenario of the HR connector is read from its own columns, in either of
// Microsoft's spellings.
func TestHR_scenarios(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"resignation": {
			"EmailAddress,ResignationDate,LastWorkingDate\nIda.Berg@Contoso.com,2026-02-20T09:30:00.1234567+05:30,2026-03-31T00:00:00Z",
			"hr.resignation upn:ida.berg@contoso.com resigned=2026-02-20T04:00 last=2026-03-31T00:00 effective=-",
		},
		"no zone": {
			"EmailAddress,ResignationDate,LastWorkingDate\nida.berg@contoso.com,2026-02-20T09:30:00.1234567,2026-03-31",
			"hr.resignation upn:ida.berg@contoso.com resigned=2026-02-20T09:30 last=2026-03-31T00:00 effective=-",
		},
		"future": {
			"emailaddress,resignation date,LAST_WORKING_DATE\nida.berg@contoso.com,2026-06-01,2026-12-31",
			"hr.resignation upn:ida.berg@contoso.com resigned=2026-06-01T00:00 last=2026-12-31T00:00 effective=-",
		},
		"only the last day": {
			"EmailAddress,ResignationDate,LastWorkingDate\nida.berg@contoso.com,,2026-12-31",
			"hr.resignation upn:ida.berg@contoso.com resigned=- last=2026-12-31T00:00 effective=-",
		},
		"level down": {
			"EmailAddress,EffectiveDate,Remarks,OldLevel,NewLevel\nida.berg@contoso.com,2026-02-01T00:00:00Z,,Grade 44 - Director,Grade 41- Manager",
			"hr.job_level_changed upn:ida.berg@contoso.com resigned=- last=- effective=2026-02-01T00:00 down",
		},
		"review": {
			"EmailAddress,EffectiveDate,Remarks,Rating\nida.berg@contoso.com,2026-02-01T00:00:00Z,,",
			"hr.performance_review upn:ida.berg@contoso.com resigned=- last=- effective=2026-02-01T00:00",
		},
		"plan": {
			"EmailAddress,EffectiveDate,ImprovementRemarks,PerformanceRating\nida.berg@contoso.com,2026-02-01T00:00:00Z,Late,1 - Below expectations",
			"hr.performance_improvement_plan upn:ida.berg@contoso.com resigned=- last=- effective=2026-02-01T00:00 down",
		},
		"profile": {
			"EmailAddress,UserName,EmployeeFirstName,EmployeeLastName,EmployeeAddLine1,EmployeeZipCode,EmployeeDept,EmployeeType\nida.berg@contoso.com,idab,Ida,Berg,1 Main Street,12345,Research,Regular",
			"hr.profile_updated upn:ida.berg@contoso.com resigned=- last=- effective=-",
		},
		"profile, other spelling": {
			"EmailAddress,EmployeeAddressLine1,EmployeeDepartment\nida.berg@contoso.com,1 Main Street,Research",
			"hr.profile_updated upn:ida.berg@contoso.com resigned=- last=- effective=-",
		},
		"level change, levels empty": {
			"EmailAddress,EffectiveDate,Remarks,OldLevel,NewLevel\nida.berg@contoso.com,2026-02-01,New team,,",
			"hr.job_level_changed upn:ida.berg@contoso.com resigned=- last=- effective=2026-02-01T00:00",
		},
		"improvement plan, remarks empty": {
			"EmailAddress,EffectiveDate,ImprovementRemarks,PerformanceRating\nida.berg@contoso.com,2026-02-01,,2 Below expectations",
			"hr.performance_improvement_plan upn:ida.berg@contoso.com resigned=- last=- effective=2026-02-01T00:00 down",
		},
		"withdrawn by column": {
			"EmailAddress,ResignationDate,LastWorkingDate,Withdrawn\nida.berg@contoso.com,2026-02-20,2026-03-31,Yes",
			"hr.resignation_withdrawn upn:ida.berg@contoso.com resigned=2026-02-20T00:00 last=2026-03-31T00:00 effective=- withdrawn",
		},
		"withdrawn by status": {
			"EmailAddress,ResignationDate,ResignationStatus\nida.berg@contoso.com,2026-02-20,Rescinded by employee",
			"hr.resignation_withdrawn upn:ida.berg@contoso.com resigned=2026-02-20T00:00 last=- effective=- withdrawn",
		},
		"not withdrawn": {
			"EmailAddress,ResignationDate,Withdrawn\nida.berg@contoso.com,2026-02-20,No",
			"hr.resignation upn:ida.berg@contoso.com resigned=2026-02-20T00:00 last=- effective=-",
		},
	} {
		t.Run(name, func(t *testing.T) {
			checkHR(t, HRMapping{}, test.text, "skip csv_header", test.want)
		})
	}
}

// A file which combines scenarios is read row by row: short rows, leading blanks
// and dates in the wrong column included.
func TestHR_combined(t *testing.T) {
	checkHR(
		t, HRMapping{},
		strings.Join([]string{
			"HRScenario,EmailAddress,ResignationDate,LastWorkingDate,EffectiveDate,Remarks,Rating,OldLevel,NewLevel",
			"Resignation,ida.berg@contoso.com,2026-02-20T00:00:00Z,2026-03-31T00:00:00.1234567",
			"Job level change,ida.berg@contoso.com,2026-02-01T00:00:00Z,,,,,Level 3,Level 4",
			"job_level_change,ida.berg@contoso.com,,,2026-02-01T00:00:00Z,,,Level 3,Level 2",
			" Performance review , ida.berg@contoso.com,,,2026-02-01T00:00:00Z, Late again,2 Below expectations,,",
			"PERFORMANCE IMPROVEMENT PLAN,ida.berg@contoso.com,,,2026-02-01T00:00:00Z",
			"Resignation,ida.berg@contoso.com",
			"Job level change,ida.berg@contoso.com",
			"Resignation,,2026-02-20T00:00:00Z,2026-03-31T00:00:00Z",
			"Resignation,ida berg,2026-02-20T00:00:00Z,2026-03-31T00:00:00Z",
			"Resignation,ida.berg@contoso.com,soon,2026-03-31T00:00:00Z",
			",,,,,,,,",
			"Resignation withdrawn,ida.berg@contoso.com,2026-02-20T00:00:00Z",
			"Kündigung,ida.berg@contoso.com,2026-02-20T00:00:00Z",
		}, "\r\n"),
		"skip csv_header",
		"hr.resignation upn:ida.berg@contoso.com resigned=2026-02-20T00:00 last=2026-03-31T00:00 effective=-",
		"hr.job_level_changed upn:ida.berg@contoso.com resigned=- last=- effective=2026-02-01T00:00 up",
		"hr.job_level_changed upn:ida.berg@contoso.com resigned=- last=- effective=2026-02-01T00:00 down",
		"hr.performance_review upn:ida.berg@contoso.com resigned=- last=- effective=2026-02-01T00:00 down",
		"hr.performance_improvement_plan upn:ida.berg@contoso.com resigned=- last=- effective=2026-02-01T00:00",
		"reject missing_field",
		"reject missing_field",
		"reject missing_field",
		"reject bad_value",
		"reject bad_time",
		"skip null_record",
		"hr.resignation_withdrawn upn:ida.berg@contoso.com resigned=2026-02-20T00:00 last=- effective=- withdrawn",
		"hr.resignation upn:ida.berg@contoso.com resigned=2026-02-20T00:00 last=- effective=-",
	)
}

// In a combined file a scenario that nobody knows is none of those which the
// columns are for.
func TestHR_unknownScenario(t *testing.T) {
	checkHR(
		t, HRMapping{},
		"HRScenario,EmailAddress,ResignationDate,LastWorkingDate,EffectiveDate,ImprovementRemarks,PerformanceRating,OldLevel,NewLevel\n"+
			"Retention bonus,ida.berg@contoso.com,,,2026-02-01",
		"skip csv_header", "reject missing_field",
	)
}

// Texts that say there is no such day leave the rest of the row as it is.
func TestHR_noDate(t *testing.T) {
	for _, text := range []string{
		"-", "n/a", "TBD", "00000000", "00.00.0000", "0000-00-00", "99991231", "9999/12/31", "31-Dec-9999", "31.12.9999",
		"12/31/9999 12:00:00 AM", "9999-12-31T23:59:59Z", "1/1/0001 12:00:00 AM", "01/01/1900",
	} {
		checkHR(
			t, HRMapping{}, "EmailAddress,ResignationDate,LastWorkingDate\nida.berg@contoso.com,2026-02-20T00:00:00.9999,"+text,
			"skip csv_header", "hr.resignation upn:ida.berg@contoso.com resigned=2026-02-20T00:00 last=- effective=-",
		)
	}
}

// Columns, scenarios, header and the order of dates are the tenant's to name.
func TestHR_mapping(t *testing.T) {
	mapping := HRMapping{
		Columns: []HRColumn{
			{"email", "Dienst-Adresse"}, {"scenario", "Anlass"}, {"resignation_date", "Kündigung am"}, {"last_working_date", "Letzter Tag"},
		},
		Scenarios: []HRScenario{{"Kündigung (Arbeitnehmer)", "resignation"}},
		DayFirst:  true,
	}
	want := "hr.resignation upn:ida.berg@contoso.com resigned=2026-04-03T00:00 last=2026-06-30T00:00 effective=-"
	checkHR(
		t, mapping, "DIENSTADRESSE;ANLASS;KÜNDIGUNG AM;LETZTER TAG\nida.berg@contoso.com;Kündigung (Arbeitnehmer);3/4/2026;30.6.2026",
		"skip csv_header", want,
	)
	checkHR(t, mapping, `{"Dienst-Adresse":"ida.berg@contoso.com","Anlass":"Kündigung (Arbeitnehmer)","Kündigung am":"2026-04-03","Letzter Tag":"2026-06-30"}`, want)
	mapping.Header = []string{"Dienst-Adresse", "Anlass", "Kündigung am", "Letzter Tag"}
	checkHR(t, mapping, "ida.berg@contoso.com,Kündigung (Arbeitnehmer),2026-04-03,2026-06-30", want)
	checkHR(t, mapping, "ida.berg@contoso.com;Kündigung (Arbeitnehmer);2026-04-03;2026-06-30", want)

	// The configured field has no other column.
	checkHR(
		t, HRMapping{Columns: []HRColumn{{"email", "Login"}}}, "Login,Email,ResignationDate\nida@contoso.com,private@gmail.com,2026-04-03",
		"skip csv_header", "hr.resignation upn:ida@contoso.com resigned=2026-04-03T00:00 last=- effective=-",
	)
	// A scenario that neither row nor columns tell.
	checkHR(t, HRMapping{}, "EmailAddress,EffectiveDate\nida@contoso.com,2026-04-03", "skip csv_header", "reject missing_field")
	checkHR(
		t, HRMapping{Scenario: "performance_improvement_plan"}, "EmailAddress,EffectiveDate\nida@contoso.com,2026-04-03",
		"skip csv_header", "hr.performance_improvement_plan upn:ida@contoso.com resigned=- last=- effective=2026-04-03T00:00",
	)
	checkHR(
		t, HRMapping{Scenario: "performance_improvement_plan"}, "EmailAddress,EffectiveDate,Remarks,Rating\nida@contoso.com,2026-04-03,,",
		"skip csv_header", "hr.performance_improvement_plan upn:ida@contoso.com resigned=- last=- effective=2026-04-03T00:00",
	)
}

// Validate names every problem at its place.
func TestHRMapping_Validate(t *testing.T) {
	err := HRMapping{
		Columns:   []HRColumn{{"emial", "Mail"}, {"email", " - "}, {"remarks", "Note"}, {"rating", "NOTE"}},
		Scenario:  "leaving",
		Scenarios: []HRScenario{{"", "resignation"}, {"Gone", "gone"}},
	}.Validate()
	for _, want := range []string{
		`columns[0].field: "emial"`, "columns[1].column", `columns[3].column: "NOTE" is the column of remarks already`,
		`scenario: "leaving"`, "scenarios[0].text", `scenarios[1].scenario: "gone"`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in:\n%v", want, err)
		}
	}
	if err := (HRMapping{Header: []string{"Name", "Date"}}).Validate(); err == nil {
		t.Error("a header without a person was accepted")
	}
	if err := (HRMapping{}).Validate(); err != nil {
		t.Error(err)
	}
}

// The event's time is when the fact was known: the row's own date of change or
// upload, else the arrival, else the dates in it.
func TestHR_time(t *testing.T) {
	for _, test := range []struct {
		columns, cells string
		arrived        schemas.Time
		want           string
	}{
		{"", "", testTime, "2026-03-02T12:00:00.000Z"},
		{",LastModified", ",2026-02-21T08:00:00Z", testTime, "2026-02-21T08:00:00.000Z"},
		{",UploadDate", ",2026-02-22", testTime, "2026-02-22T00:00:00.000Z"},
		{",UploadDate,LastModified", ",2026-02-22,2026-02-21", testTime, "2026-02-21T00:00:00.000Z"},
		{",LastModified", ",yesterday", testTime, "2026-03-02T12:00:00.000Z"},
		{"", "", 0, "2026-02-20T00:00:00.000Z"},
	} {
		text := "EmailAddress,ResignationDate,LastWorkingDate" + test.columns + "\nida@contoso.com,2026-02-20,2026-03-31" + test.cells
		var out Result
		newTestMapper().Map(schemas.SourceHR, Raw{Time: test.arrived, Value: []byte(text)}, &out)
		if len(out.Events) != 1 || out.Events[0].Time.String() != test.want {
			t.Errorf("%q: %v, want %s", test.columns, out.Events, test.want)
		}
	}
}

// The same row is the same fact on whatever day, in whatever file and form it
// comes, and another row is another fact.
func TestHR_id(t *testing.T) {
	header := "EmailAddress,ResignationDate,LastWorkingDate,UploadDate,Phone\n"
	first := mapText(t, schemas.SourceHR, header+"ida@contoso.com,2026-02-20,2026-03-31,2026-02-21,1").Events[0].ID
	for name, text := range map[string]string{
		"uploaded again":     header + "ida@contoso.com,2026-02-20,2026-03-31,2026-02-22,1",
		"unknown column":     header + "ida@contoso.com,2026-02-20,2026-03-31,2026-02-21,2",
		"case of the person": header + "IDA@Contoso.com,2026-02-20,2026-03-31,2026-02-21,1",
		"spelling of dates":  header + "ida@contoso.com,2026-02-20T05:30:00+05:30,03/31/2026,2026-02-21,1",
		"order of columns":   "LastWorkingDate,ResignationDate,EmailAddress\n2026-03-31,2026-02-20,ida@contoso.com",
		"object":             `{"EmailAddress":"ida@contoso.com","ResignationDate":"2026-02-20","LastWorkingDate":"2026-03-31"}`,
	} {
		if got := mapText(t, schemas.SourceHR, text).Events[0].ID; got != first {
			t.Errorf("%s: another id", name)
		}
	}
	for name, text := range map[string]string{
		"another person":   header + "ada@contoso.com,2026-02-20,2026-03-31,2026-02-21,1",
		"another last day": header + "ida@contoso.com,2026-02-20,2026-04-30,2026-02-21,1",
		"another scenario": `{"HRScenario":"worker","EmailAddress":"ida@contoso.com","ResignationDate":"2026-02-20","LastWorkingDate":"2026-03-31"}`,
	} {
		if got := mapText(t, schemas.SourceHR, text).Events[0].ID; got == first {
			t.Errorf("%s: the same id", name)
		}
	}
}

// Remarks, ratings and levels are sensitive and go into the clear evidence alone.
func TestHR_remarks(t *testing.T) {
	e := onlyHREvent(t, `{"EmailAddress":"ida@contoso.com","EffectiveDate":"2026-02-20","Remarks":"late, rude","Rating":"2 - Below"}`)
	if e.Clear.Remarks != "late, rude; rating: 2 - Below" {
		t.Errorf("got %q", e.Clear.Remarks)
	}
	wire := fmt.Sprintf("%+v %+v", e.Event, *e.HR)
	for _, secret := range []string{"late", "Below", "ida"} {
		if strings.Contains(wire, secret) {
			t.Errorf("%q is on the wire: %s", secret, wire)
		}
	}
}

func onlyHREvent(t *testing.T, text string) Event {
	t.Helper()
	return onlyEvent(t, schemas.SourceHR, text)
}

// A row's names of the person all become aliases.
func TestHR_aliases(t *testing.T) {
	for _, test := range []struct{ text, key, aliases string }{
		{`{"EmailAddress":"Ida.Berg@contoso.com","UPN":"IB01@contoso.com","EmployeeId":"e17","ResignationDate":"2026-02-20"}`, "upn:ib01@contoso.com", "eid:E17 upn:ida.berg@contoso.com"},
		{`{"EmailAddress":"ida@contoso.com","UPN":"ida@contoso.com","ResignationDate":"2026-02-20"}`, "upn:ida@contoso.com", ""},
		{`{"employeeId":17,"WorkEmail":"ida@contoso.com","WorkerStatus":"Active"}`, "upn:ida@contoso.com", "eid:17 upn:ida@contoso.com"},
		{`{"WorkerID":"1222","UserID":"EMP1222","WorkerStatus":"Active"}`, "eid:1222", "eid:1222 eid:EMP1222"},
		{`{"UserID":"emp1222","WorkerStatus":"Active"}`, "eid:EMP1222", "eid:EMP1222"},
		{`{"WorkerID":"1222","UserID":"ida@contoso.com","WorkerStatus":"Active"}`, "upn:ida@contoso.com", "eid:1222"},
		{`{"UserID":"CONTOSO\\Ida","WorkerStatus":"Active"}`, `account:contoso\ida`, `account:contoso\ida`},
		{`{"UserName":"ida@contoso.com","WorkerStatus":"Active"}`, "upn:ida@contoso.com", ""},
		{`{"EmailAddress":"eva_fabrikam.com#EXT#@contoso.onmicrosoft.com","WorkerStatus":"Active"}`, "upn:eva_fabrikam.com#ext#@contoso.onmicrosoft.com", "upn:eva_fabrikam.com#ext#@contoso.onmicrosoft.com"},
	} {
		e := onlyHREvent(t, test.text)
		if got := strings.Join(e.Actor.Aliases(), " "); e.Actor.Key() != test.key || got != test.aliases {
			t.Errorf("%s: key %s, aliases %s", test.text, e.Actor.Key(), got)
		}
	}
}

// Levels are compared by number on one ladder, else by title.
func TestLevelDirection(t *testing.T) {
	for _, test := range []struct{ old, new, want string }{
		{"Level 52 - Director", "Level 50- Sr. Manager", "down"},
		{"Level 50 - Sr. Manager", "Level 51", "up"},
		{"7", "8", "up"},
		{"IC5", "M1", ""},
		{"IC5", "IC4", "down"},
		{"Level 50 - Manager", "Level 50 - Director", "up"},
		{"Manager", "Senior Manager", "up"},
		{"Vice President", "Director", "down"},
		{"President", "Vice President", "down"},
		{"Director", "Individual Contributor", ""},
		{"", "Level 50", ""},
		{"Level 50", "", ""},
		{"Level 50", "Level 50", ""},
		{"Level 99999999999999999999", "Level 5", ""},
	} {
		if got := levelDirection(test.old, test.new); got != test.want {
			t.Errorf("%q to %q: %q, want %q", test.old, test.new, got, test.want)
		}
	}
}
