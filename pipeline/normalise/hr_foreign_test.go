package normalise

import (
	"fmt"
	"strings"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

// Text that is no table of ours makes no person up, even where a header in force
// would read anything as a row.
func TestHR_foreignText(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want []string
	}{
		"XML":    {"\n<?xml version=\"1.0\"?>\n<worker>\n17\n</worker>", []string{"reject not_json"}},
		"laughs": {"<!DOCTYPE lolz [\n<!ENTITY lol \"lol\">\n]>\n<lolz>&lol;</lolz>", []string{"reject not_json"}},
		"prose":  {"Dear all, Ida leaves us.\nKind regards,\n\nEva", []string{"reject bad_value", "reject bad_value", "hr.worker_updated eid:EVA resigned=- last=- effective=-"}},
		"NUL":    {"\x00\x00,\x00", []string{"reject bad_value"}},
		"long":   {strings.Repeat("x", 65) + ",Active", []string{"reject bad_value"}},
		"object": {"{17},Active", []string{"reject not_json"}},
		"number": {"EMP 17,Active", []string{"hr.worker_updated eid:EMP 17 resigned=- last=- effective=- active=true"}},
	} {
		m := newHRMapper(HRMapping{Header: []string{"WorkerID", "WorkerStatus"}})
		if got := hrOutcome(mapBytes(m, schemas.SourceHR, test.text)); strings.Join(got, "\n") != strings.Join(test.want, "\n") {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

// A broken quote costs its own line; cells of several lines further down are
// still read.
func TestHR_brokenQuote(t *testing.T) {
	review := "hr.performance_review upn:%s@contoso.com resigned=- last=- effective=2026-02-01T00:00"
	checkHR(
		t, HRMapping{},
		"EmailAddress,EffectiveDate,Remarks,Rating\n"+
			"a@contoso.com,2026-02-01,\"open,3\n"+
			"b@contoso.com,2026-02-01,\"two\nlines\",3\n"+
			"c@contoso.com,2026-02-01,\"closed\" early,3\n"+
			"d@contoso.com,2026-02-01,\"two\r\nlines\",3\n",
		"skip csv_header", "reject not_csv", fmt.Sprintf(review, "b"), "reject not_csv", fmt.Sprintf(review, "d"),
	)
}

// Reports and bulk requests are taken apart inside a collector's envelope, too,
// and a bulk request without its schema.
func TestHR_listsInEnvelopes(t *testing.T) {
	report := `{"Report_Entry":[{"Employee_ID":"e1","Termination_Date":"2026-05-01"},null,{"Employee_ID":"e2","Worker_Status":"Active"}]}`
	bulk := `{"failOnErrors":1,"Operations":[{"method":"POST","path":"/Users","data":{"userName":"ida@contoso.com","active":true}},{"method":"POST","path":"/Users","data":{"userName":"eva@contoso.com","active":false}}]}`
	entries := []string{
		"hr.termination eid:E1 resigned=- last=2026-05-01T00:00 effective=2026-05-01T00:00", "skip null_record",
		"hr.worker_updated eid:E2 resigned=- last=- effective=- active=true",
	}
	operations := []string{
		"hr.worker_updated upn:ida@contoso.com resigned=- last=- effective=- active=true",
		"hr.account_disabled upn:eva@contoso.com resigned=- last=- effective=- active=false",
	}
	checkHR(t, HRMapping{}, report, entries...)
	checkHR(t, HRMapping{}, `{"Report_Entry":{"Employee_ID":"e2","Worker_Status":"Active"}}`, entries[2])
	checkHR(t, HRMapping{}, bulk, operations...)
	checkHR(t, HRMapping{}, `{"records":[`+report+`,null,`+bulk+`,{"Report_Entry":[]}]}`,
		append(append(append([]string{}, entries...), "skip null_record"), append(operations, "skip null_record")...)...)
	checkHR(t, HRMapping{}, report+"\r\n"+bulk, append(append([]string{}, entries...), operations...)...)
}

// An alert that is joined with its evidence is named by its category.
func TestDetectionActivity(t *testing.T) {
	for category, want := range map[string]string{
		"": "detection.alert", "malware": "detection.malware", "data_loss_prevention": "detection.dlp_rule_match",
	} {
		if got := DetectionActivity(schemas.Detection{Category: category}); got != want {
			t.Errorf("%q: %s, want %s", category, got, want)
		}
	}
}
