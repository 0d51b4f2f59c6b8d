package normalise

import (
	"fmt"
	"strings"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

// healthLine writes a health event on one line.
func healthLine(e Event) string {
	s := fmt.Sprintf("%s %s %s", e.Activity, e.Actor.Key(), e.Outcome)
	for _, flag := range []struct {
		name string
		set  bool
	}{{"restricted", e.Health.Restricted}, {"employee", e.Health.Employee}, {"break_glass", e.Health.BreakGlass}, {"family", e.Health.FamilyName != 0}} {
		if flag.set {
			s += " " + flag.name
		}
	}
	return s + " " + e.Clear.Object
}

func TestHealth(t *testing.T) {
	// Rows of the Healthcare and the Epic connector and FHIR audit events are read
	// from whatever topic they come by.
	fhir := func(members string) string {
		return `{"resourceType":"AuditEvent","id":"a1","recorded":"2026-03-02T08:15:30.123+01:00","type":{"system":"http://terminology.hl7.org/CodeSystem/audit-event-type","code":"rest"},
			"source":{"observer":{"display":"EHR"}},` + members + `}`
	}
	const agent = `"agent":[{"who":{"reference":"Device/9"},"requestor":false},{"altId":"ida@contoso.com","who":{"reference":"Practitioner/7","display":"Ida Berg"},"requestor":true,"network":{"address":"203.0.113.7","type":"2"}}]`
	for name, test := range map[string]struct{ text, want string }{
		"healthcare connector": {
			`{"Creation Time":"2026-03-02T08:15:30Z","Event Name":"Chart viewed","Workstation Id":"ws-7","Patient Reg Id":"P-1","Patient First Name":"Eva","Patient Last Name":"Lind","Restricted Access Reason":"","Email Address (UPN)":"Ida@Contoso.com","Employee Id":"e17"}`,
			"health.record_accessed upn:ida@contoso.com success family P-1",
		},
		"restricted record": {
			`{"creationtime":"2026-03-02T08:15:30Z","eventname":"Chart printed","patientid":"P-1","restrictedaccessreason":"Direct care","samaccountname":"CONTOSO\\ida"}`,
			`health.record_printed account:contoso\ida success restricted break_glass P-1`,
		},
		"flags": {
			`{"EventTime":"2026-03-02T08:15:30Z","EventName":"ExportChart","PatientMRN":"P-1","IsVIP":true,"BreakTheGlass":"false","PatientIsEmployee":1,"UserId":"ida@contoso.com"}`,
			"health.record_exported upn:ida@contoso.com success restricted employee P-1",
		},
		"epic connector": {
			`{"ACCESS_LOG.ACCESS_TIME":"2026-03-02 08:15:30","ACCESS_LOG_METRIC.METRIC_NAME":"Chart edited","PATIENT.PAT_MRN_ID":"M9","PATIENT.PAT_LAST_NAME":"Lind","ZC_BTG_REASON.NAME":"Emergency","EMP.SYSTEM_LOGIN":"ida@contoso.com"}`,
			"health.record_modified upn:ida@contoso.com success restricted break_glass family M9",
		},
		"fhir read": {
			fhir(`"action":"R","outcome":"0",` + agent + `,"entity":[{"what":{"reference":"Observation/5"},"type":{"code":"2"}},{"what":{"reference":"https://ehr.example/Patient/P1/_history/2","display":"Lind, Eva"}}]`),
			"health.record_accessed upn:ida@contoso.com success family P1",
		},
		"fhir break the glass": {
			fhir(`"action":"U","outcome":"8","purposeOfEvent":[{"coding":[{"code":"BTG"}]}],` + agent + `,"entity":[{"what":{"identifier":{"value":"P2"},"type":"Patient"},"securityLabel":[{"code":"EMP"}]}]`),
			"health.record_modified upn:ida@contoso.com failure restricted employee break_glass P2",
		},
		"fhir restricted export": {
			strings.Replace(fhir(`"action":"R",`+agent+`,"entity":[{"what":{"reference":"Patient/P3"},"role":{"code":"1"},"securityLabel":[{"code":"V"}]}]`), `"code":"rest"`, `"code":"110106","display":"Export"`, 1),
			"health.record_exported upn:ida@contoso.com success restricted P3",
		},
	} {
		for _, topic := range schemas.Sources() {
			out := mapBytes(newTestMapper(), topic, test.text)
			if len(out.Events) != 1 || len(out.Rejects)+len(out.Skips) > 0 {
				t.Errorf("%s: %s %v %v", name, counts(out), out.Rejects, out.Skips)
				continue
			}
			e := out.Events[0]
			sees(t, name, healthLine(*e), test.want)
			sees(t, name, e.Source, schemas.SourceFile)
			sees(t, name, e.Health.Record != 0, true)
			sees(t, name, e.ActorType, schemas.ActorPerson)
		}
	}
}

// The names of patients are in the evidence and nowhere else.
func TestHealth_clear(t *testing.T) {
	out := mapBytes(newTestMapper(), schemas.SourceFile, `{"CreationTime":"2026-03-02T08:15:30Z","EventName":"Chart viewed","WorkstationId":"ws-7","PatientId":"P-1","PatientFirstName":"Eva",
		"PatientLastName":"Lind","PatientAddressLine1":"12 Elm Road","PatientCity":"Duluth","PatientZipCode":"55802","RestrictedAccessComment":"asked by Lind","UserId":"ida@contoso.com"}`)
	e := out.Events[0]
	sees(t, "patient", e.Clear.Patient, "Eva Lind, 12 Elm Road, Duluth, 55802")
	sees(t, "comment", e.Clear.Remarks, "asked by Lind")
	sees(t, "workstation", e.Clear.DeviceName, "ws-7")
	if wire := fmt.Sprintf("%+v %+v", e.Event, *e.Health); strings.Contains(wire, "Lind") || strings.Contains(wire, "P-1") {
		t.Errorf("the wire says %s", wire)
	}
}

// A search that names several patients is an event for each, a bundle an
// envelope; what names no patient is skipped.
func TestHealth_bundle(t *testing.T) {
	event := func(id, entities string) string {
		return `{"resource":{"resourceType":"AuditEvent","id":"` + id + `","recorded":"2026-03-02T08:15:30Z","action":"E","agent":[{"who":{"identifier":{"value":"contoso\\ida"}},"requestor":true}],"entity":[` + entities + `]}}`
	}
	out := mapBytes(newTestMapper(), schemas.SourceFile, `{"resourceType":"Bundle","type":"searchset","entry":[`+
		event("a", `{"what":{"reference":"Patient/1"}},{"what":{"reference":"Patient/2"}}`)+`,`+event("b", `{"what":{"reference":"Group/1"}}`)+`]}`)
	sees(t, "bundle", counts(out), "2 records: 2 events, 0 rejects, 1 skips")
	sees(t, "skip", out.Skips[0].Reason, SkipNoPatient)
	sees(t, "ids differ", out.Events[0].ID == out.Events[1].ID, false)
	sees(t, "actor", out.Events[0].Actor.Account, `contoso\ida`)
}

// An agent is known by login, employee number or reference; a device is nobody.
func TestAgentActor(t *testing.T) {
	for agent, key := range map[string]string{
		`{"altId":"Ida@Contoso.com","who":{"identifier":{"value":"e17"}}}`: "upn:ida@contoso.com",
		`{"who":{"identifier":{"value":"e17"}}}`:                           "eid:E17",
		`{"who":{"identifier":{"value":"CONTOSO\\ida"}}}`:                  `account:contoso\ida`,
		`{"who":{"reference":"Practitioner/7"}}`:                           "account:practitioner/7",
		`{"who":{"reference":"Device/7"}}`:                                 "",
		`{}`:                                                               "",
	} {
		o, _, err := newTestMapper().parse(agent)
		if err != nil {
			t.Fatal(err)
		}
		sees(t, agent, agentActor(o).Key(), key)
	}
}

// A row without a readable time is a dead letter, and the same row is one fact.
func TestHealth_rejects(t *testing.T) {
	const row = `{"CreationTime":"%s","EventName":"Chart viewed","PatientId":"P-1","UserId":"ida@contoso.com"}`
	out := mapBytes(newTestMapper(), schemas.SourceFile, fmt.Sprintf(row, "soon"))
	if len(out.Rejects) != 1 || out.Rejects[0].Reason != ReasonMissingTime {
		t.Errorf("%+v", out.Rejects)
	}
	first := mapBytes(newTestMapper(), schemas.SourceFile, fmt.Sprintf(row, "2026-03-02T08:15:30Z"))
	again := mapBytes(newTestMapper(), schemas.SourceFile, "["+fmt.Sprintf(row, "2026-03-02T08:15:30Z")+"]")
	sees(t, "ids", first.Events[0].ID, again.Events[0].ID)
}
