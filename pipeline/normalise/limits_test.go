package normalise

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

// newLimitedMapper has limits that a test can reach.
func newLimitedMapper() *Mapper {
	return New(Options{Hash: testHash, Limits: Limits{Bytes: 64 << 10, Depth: 12, Fields: 100, Items: 50}})
}

// inString is JSON as a string in JSON.
func inString(t testing.TB, text string) string {
	t.Helper()
	b, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// wide is a file record with n more members, or a list of n, or n levels of them.
func wide(member string) string {
	return strings.Replace(sound()["file"].text, `"ItemType"`, `"More":`+member+`,"ItemType"`, 1)
}

func manyMembers(n int) string { return `{` + strings.Repeat(`"a":1,`, n-1) + `"b":2}` }
func manyItems(n int) string   { return `[` + strings.Repeat(`1,`, n-1) + `2]` }
func manyLevels(n int) string  { return strings.Repeat(`[`, n) + strings.Repeat(`]`, n) }

// A record at a limit passes, and one over it is a reject with its reason, alone,
// in an envelope whose other records go on, and in a string. Rejects say numbers
// and quote nothing.
func TestLimits(t *testing.T) {
	good := sound()["file"].text
	fields := strings.Count(good, `":`)
	for name, test := range map[string]struct {
		fits, exceeds string
		reason        string
	}{
		"fields":          {wide(manyMembers(100 - fields - 1)), wide(manyMembers(100 - fields)), ReasonTooManyFields},
		"fields in lists": {wide(`[` + manyMembers(20) + `,` + manyMembers(20) + `]`), wide(`[` + manyMembers(45) + `,` + manyMembers(45) + `]`), ReasonTooManyFields},
		"items":           {wide(manyItems(50)), wide(manyItems(51)), ReasonTooManyItems},
		"items within":    {wide(`{"a":[` + manyItems(50) + `]}`), wide(`{"a":[` + manyItems(51) + `]}`), ReasonTooManyItems},
		"depth":           {wide(manyLevels(8)), wide(manyLevels(40)), ReasonTooDeep},
		"bytes":           {wide(`"` + strings.Repeat("x", 50<<10) + `"`), wide(`"` + strings.Repeat("x", 70<<10) + `"`), ReasonTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			check := func(where, text string, events int, reason string) {
				t.Helper()
				m := newLimitedMapper()
				out := mapBytes(m, schemas.SourceFile, text)
				got := ""
				if len(out.Rejects) > 0 {
					got = out.Rejects[0].Reason
				}
				if len(out.Events) != events || got != reason || len(out.Rejects) > 1 {
					t.Errorf("%s: %s %v, want %d events, %s", where, counts(out), out.Rejects, events, reason)
				}
				for _, r := range out.Rejects {
					if strings.Contains(r.Detail, "xx") || strings.Contains(r.Detail, "More") {
						t.Errorf("%s: the detail quotes the record: %s", where, r.Detail)
					}
				}
				// What it left behind must not disturb the next record.
				if out = mapBytes(m, schemas.SourceFile, good); len(out.Events) != 1 {
					t.Errorf("%s: the next record: %s %v", where, counts(out), out.Rejects)
				}
			}
			check("alone", test.fits, 1, "")
			check("alone", test.exceeds, 0, test.reason)
			check("in a string", inString(t, test.fits), 1, "")
			check("in a string", inString(t, test.exceeds), 0, test.reason)
			check("record in a string", `{"records":[`+good+`,`+inString(t, test.fits)+`]}`, 2, "")
			if test.reason == ReasonTooLarge || test.reason == ReasonTooDeep {
				// The envelope is the Kafka record, and over the limit with it.
				check("in an envelope", `{"records":[`+good+`,`+test.exceeds+`]}`, 0, test.reason)
			} else {
				check("in an envelope", `{"records":[`+good+`,`+test.exceeds+`,`+good+`]}`, 2, test.reason)
			}
			if test.reason != ReasonTooLarge {
				check("record in a string", `{"records":[`+good+`,`+inString(t, test.exceeds)+`,`+good+`]}`, 2, test.reason)
			}
			check("lines", good+"\n"+strings.ReplaceAll(test.fits, "\n", " "), 0, ReasonNotJSON) // good has line ends
		})
	}
	// A long envelope is no long list.
	if out := mapBytes(newLimitedMapper(), schemas.SourceFile, `{"records":[`+strings.TrimSuffix(strings.Repeat(`{"Operation":"x","RecordType":6},`, 200), ",")+`]}`); out.Records != 200 {
		t.Errorf("%s %v", counts(out), out.Rejects[:min(1, len(out.Rejects))])
	}
}

// JSON in a member's string counts like the member's own.
func TestLimits_embedded(t *testing.T) {
	with := func(additional string) string {
		return strings.Replace(sound()["device file"].text, `"{\"FileType\":\"Docx\"}"`, inString(t, additional), 1)
	}
	for name, test := range map[string]struct{ additional, reason string }{
		"fits":   {`{"FileType":"Docx","More":` + manyItems(50) + `}`, ""},
		"fields": {manyMembers(101), ReasonTooManyFields},
		"items":  {`{"FileType":"Docx","More":` + manyItems(51) + `}`, ReasonTooManyItems},
		"depth":  {`{"FileType":` + manyLevels(40) + `}`, ReasonTooDeep},
		"broken": {`{"FileType":`, ""}, // no JSON, which is not over any limit
	} {
		text := with(test.additional)
		out := mapBytes(newLimitedMapper(), schemas.SourceDefender, `{"records":[`+sound()["device file"].text+`,`+text+`,`+sound()["device file"].text+`]}`)
		got, events := "", 3
		if len(out.Rejects) > 0 {
			got = out.Rejects[0].Reason
		}
		if test.reason != "" {
			events = 2
		}
		if got != test.reason || len(out.Events) != events || len(out.Rejects) > 1 {
			t.Errorf("%s: %s %v", name, counts(out), out.Rejects)
		}
	}
	// More JSON texts in one record than are read: the record is refused, rather
	// than half read.
	audit := `{"id":"d1","activityDisplayName":"Update user","activityDateTime":"2026-03-02T09:00:00Z","targetResources":[` +
		strings.Repeat(`{"type":"User","modifiedProperties":"[]"},`, 2*maxAlive) + `{"id":"5d3f7f61-0001-4c7a-8e0f-1a2b3c4d5e6f","type":"User","userPrincipalName":"ada@contoso.com"}]}`
	out := mapBytes(newTestMapper(), schemas.SourceSignIn, audit)
	if len(out.Events) != 0 || len(out.Rejects) != 1 || out.Rejects[0].Reason != ReasonTooLarge {
		t.Errorf("%s %v", counts(out), out.Rejects)
	}
}
