package normalise

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/riskpipe/riskpipe/schemas"
)

const (
	resignationHeader = "EmailAddress,ResignationDate,LastWorkingDate"
	resigned          = "hr.resignation upn:%s@contoso.com resigned=2026-02-20T00:00 last=2026-03-31T00:00 effective=-"
)

func resignationOf(name string) string { return fmt.Sprintf(resigned, name) }

// Spellings of CSV that spreadsheets and scripts write are all one table.
func TestCSV_spellings(t *testing.T) {
	for name, text := range map[string]string{
		"plain":                  resignationHeader + "\nida@contoso.com,2026-02-20,2026-03-31\n",
		"in a JSON string":       `"` + resignationHeader + `\nida@contoso.com,2026-02-20,2026-03-31"`,
		"crlf":                   resignationHeader + "\r\nida@contoso.com,2026-02-20,2026-03-31\r\n",
		"cr alone":               resignationHeader + "\rida@contoso.com,2026-02-20,2026-03-31\r",
		"byte order mark":        "\xEF\xBB\xBF" + resignationHeader + "\nida@contoso.com,2026-02-20,2026-03-31",
		"semicolons":             "EmailAddress;ResignationDate;LastWorkingDate\nida@contoso.com;2026-02-20;2026-03-31",
		"tabs":                   "EmailAddress\tResignationDate\tLastWorkingDate\nida@contoso.com\t2026-02-20\t2026-03-31",
		"bars":                   "EmailAddress|ResignationDate|LastWorkingDate\nida@contoso.com|2026-02-20|2026-03-31",
		"quotes":                 `"EmailAddress","ResignationDate","LastWorkingDate"` + "\n" + `"ida@contoso.com" , "2026-02-20", "2026-03-31" `,
		"tab, first cell empty":  "Remarks\tEmailAddress\tResignationDate\tLastWorkingDate\n\tida@contoso.com\t2026-02-20\t2026-03-31",
		"blanks":                 " EmailAddress , Resignation Date,Last_Working_Date\n  ida@contoso.com , 2026-02-20 ,2026-03-31  ",
		"long, empty":            resignationHeader + "\nida@contoso.com,2026-02-20,2026-03-31,,,",
		"long, filled":           resignationHeader + "\nida@contoso.com,2026-02-20,2026-03-31,x,y",
		"unquoted comma":         "EmailAddress,Remarks,ResignationDate,LastWorkingDate\nida@contoso.com,good, but late, often,2026-02-20,2026-03-31",
		"quoted comma":           "EmailAddress,Remarks,ResignationDate,LastWorkingDate\nida@contoso.com,\"good, but \"\"late\"\"\",2026-02-20,2026-03-31",
		"quoted line ends":       "EmailAddress,Remarks,ResignationDate,LastWorkingDate\r\nida@contoso.com,\"good,\r\nbut late\r\n\",2026-02-20,2026-03-31",
		"quote in a bare cell":   "EmailAddress,Remarks,ResignationDate,LastWorkingDate\nida@contoso.com,5\" disk,2026-02-20,2026-03-31",
		"empty lines":            "\n\n" + resignationHeader + "\n\r\n  \nida@contoso.com,2026-02-20,2026-03-31\n\n",
		"unknown columns":        "Row,Phone,EmailAddress,X1,ResignationDate,LastWorkingDate\n1,555,ida@contoso.com,,2026-02-20,2026-03-31",
		"placeholders":           "EmployeeId,EmailAddress,ResignationDate,LastWorkingDate\nN/A,ida@contoso.com,2026-02-20,2026-03-31",
		"column of a line's end": "EmailAddress,LastWorkingDate,ResignationDate\nida@contoso.com,2026-03-31,2026-02-20\r",
	} {
		t.Run(name, func(t *testing.T) { checkHR(t, HRMapping{}, text, "skip csv_header", resignationOf("ida")) })
	}
}

// Every line is a record of its own: a bad one costs no neighbour.
func TestCSV_neighbours(t *testing.T) {
	row := func(name string) string { return name + "@contoso.com,2026-02-20,2026-03-31" }
	checkHR(
		t, HRMapping{},
		strings.Join([]string{
			resignationHeader, row("a"), "\xff\xfe@contoso.com,2026-02-20,2026-03-31", row("b"), "c@contoso.com,never,2026-03-31",
			`d@contoso.com,"2026-02-20" x,2026-03-31`, row("e"), `"f@contoso.com,2026-02-20,2026-03-31`, row("g"), strings.Repeat(",", 2000), row("h"),
			"Total: 8", "\x00", row("i"),
		}, "\n"),
		"skip csv_header", resignationOf("a"), "reject not_utf8", resignationOf("b"), "reject bad_time",
		"reject not_csv", resignationOf("e"), "reject not_csv", resignationOf("g"), "reject not_csv", resignationOf("h"),
		"reject bad_value", "reject bad_value", resignationOf("i"),
	)
}

// Files that were put together have several headers, reports lines above theirs.
func TestCSV_headers(t *testing.T) {
	checkHR(
		t, HRMapping{},
		"Leavers of Contoso\nPrinted on 2026-03-01\n\n"+resignationHeader+"\nida@contoso.com,2026-02-20,2026-03-31\n"+
			"LastWorkingDate;EmailAddress;ResignationDate\n2026-03-31;eva@contoso.com;2026-02-20\n",
		"skip csv_preamble", "skip csv_preamble", "skip csv_header", resignationOf("ida"), "skip csv_header", resignationOf("eva"),
	)
}

// A header stays in force for the lines that follow on its partition, and on no
// other.
func TestCSV_rememberedHeader(t *testing.T) {
	m := newHRMapper(HRMapping{Header: []string{"LastWorkingDate", "EmailAddress", "ResignationDate"}})
	send := func(topic string, partition int32, text string) string {
		var out Result
		m.Map(schemas.SourceHR, Raw{Topic: topic, Partition: partition, Time: testTime, Value: []byte(text)}, &out)
		return strings.Join(hrOutcome(out), "\n")
	}
	for i, step := range []struct {
		topic     string
		partition int32
		text      string
		want      string
	}{
		{"raw.hr", 0, "2026-03-31,ida@contoso.com,2026-02-20", resignationOf("ida")}, // the configured one
		{"raw.hr", 0, resignationHeader, "skip csv_header"},
		{"raw.hr", 0, "ida@contoso.com,2026-02-20,2026-03-31", resignationOf("ida")},
		{"raw.hr", 0, `{"EmailAddress":"eva@contoso.com","ResignationDate":"2026-02-20","LastWorkingDate":"2026-03-31"}`, resignationOf("eva")},
		{"raw.hr", 0, "ida@contoso.com,2026-02-20,2026-03-31\neva@contoso.com,2026-02-20,2026-03-31", resignationOf("ida") + "\n" + resignationOf("eva")},
		{"raw.hr", 1, "2026-03-31,ida@contoso.com,2026-02-20", resignationOf("ida")},
		{"other.hr", 0, "2026-03-31,ida@contoso.com,2026-02-20", resignationOf("ida")},
	} {
		if got := send(step.topic, step.partition, step.text); got != step.want {
			t.Errorf("step %d: got %s, want %s", i, got, step.want)
		}
	}
}

// Text that cannot be read is one reject, which says what to do.
func TestCSV_unreadable(t *testing.T) {
	for text, want := range map[string]string{
		"ida@contoso.com,2026-02-20,2026-03-31":              ReasonNoHeader,
		"Person;Tag\nIda;heute":                              ReasonNoHeader,
		"Dear all, Ida leaves us.\nKind regards":             ReasonNoHeader,
		"Ida leaves us":                                      ReasonNotJSON,
		"<?xml version=\"1.0\"?><worker,s/>":                 ReasonNotJSON,
		"E\x00m\x00a\x00i\x00l\x00,\x00I\x00D\x00":           ReasonNotJSON,
		"\xff\xfeE\x00m\x00a\x00i\x00l\x00":                  ReasonNotJSON,
		strings.Repeat("x", 100000):                          ReasonNotJSON,
		strings.Repeat(",", 100000):                          ReasonNoHeader,
		strings.Repeat("\n", 100000) + ",":                   ReasonNoHeader,
		strings.Repeat("a,b\n", 100) + resignationHeader:     ReasonNoHeader,
		`"EmailAddress"x,"ResignationDate` + "\n" + `ida,"x`: ReasonNoHeader,
	} {
		out := mapText(t, schemas.SourceHR, text)
		if len(out.Events) != 0 || len(out.Rejects) != 1 || out.Rejects[0].Reason != want || out.Rejects[0].Index != 0 || out.Records != 1 {
			t.Errorf("%.40q: records %d, rejects %v, skips %v; want %s", text, out.Records, out.Rejects, out.Skips, want)
		}
		if want == ReasonNoHeader && len(out.Rejects) == 1 && !strings.Contains(out.Rejects[0].Detail, "hr.header") {
			t.Errorf("%q names no setting", out.Rejects[0].Detail)
		}
	}
}

// What encoding/csv writes is read back, whatever the text, and is the same fact
// as the row in JSON.
func TestCSV_roundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		names := []string{"EmailAddress", "Remarks", "EffectiveDate", "EmployeeDept", "Rating", "Phone"}
		cells := []string{
			"ida@contoso.com", rapid.String().Draw(rt, "remarks"), "2026-02-20", rapid.String().Draw(rt, "department"), "2", rapid.String().Draw(rt, "phone"),
		}
		order := rapid.Permutation([]int{0, 1, 2, 3, 4, 5}).Draw(rt, "order")
		row := map[string]string{}
		var header, line []string
		for _, i := range order {
			row[names[i]] = cells[i]
			header, line = append(header, names[i]), append(line, cells[i])
		}
		var text strings.Builder
		w := csv.NewWriter(&text)
		w.Comma = rapid.SampledFrom([]rune(separators)).Draw(rt, "separator")
		if err := w.WriteAll([][]string{header, line, line}); err != nil {
			rt.Fatal(err)
		}
		object, err := json.Marshal(row)
		if err != nil {
			rt.Fatal(err)
		}
		want := mapRow(string(object))
		got := mapRow(text.String())
		if len(want.Events) != 1 || len(got.Events) != 2 || got.Records != 3 {
			rt.Fatalf("%q: %d events of %d records, rejects %v; JSON: %v", text.String(), len(got.Events), got.Records, got.Rejects, want.Rejects)
		}
		for _, e := range got.Events {
			if e.ID != want.Events[0].ID || e.Clear.Remarks != want.Events[0].Clear.Remarks {
				rt.Fatalf("%q: remarks %q, want %q", text.String(), e.Clear.Remarks, want.Events[0].Clear.Remarks)
			}
		}
	})
}

func mapRow(text string) Result { return mapBytes(newTestMapper(), schemas.SourceHR, text) }

// Text made to be slow is read in a time proportional to its length: a quadratic
// reader would take minutes for these megabytes and run into the test's timeout.
func TestCSV_hostileLength(t *testing.T) {
	header := resignationHeader + "\n"
	for name, text := range map[string]string{
		"carriage returns": strings.Repeat("\r", 1<<20),
		"open quotes":      strings.Repeat("\"x\n", 300_000),
		"quoted quotes":    strings.Repeat("\"\"\"\"\n", 200_000),
		"separators":       strings.Repeat(",", 1<<20),
		"one quoted cell":  `"` + strings.Repeat("\n", 1<<20),
		"half-open quotes": strings.Repeat("a,\"b\"\"\n", 150_000),
	} {
		out := mapText(t, schemas.SourceHR, header+text)
		if len(out.Events) != 0 || out.Records == 0 {
			t.Errorf("%s: %d events of %d records", name, len(out.Events), out.Records)
		}
	}
}

func BenchmarkMap_hrCSV(b *testing.B) {
	line := "Performance review,ida.berg@contoso.com,,,2026-02-01T00:00:00Z,Met expectations,2 - Below expectations,,\n"
	text := []byte("HRScenario,EmailAddress,ResignationDate,LastWorkingDate,EffectiveDate,Remarks,Rating,OldLevel,NewLevel\n" + strings.Repeat(line, 100))
	m := newTestMapper()
	var out Result
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		m.Map(schemas.SourceHR, Raw{Topic: "raw.hr", Time: testTime, Value: text}, &out)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100, "ns/row")
}
