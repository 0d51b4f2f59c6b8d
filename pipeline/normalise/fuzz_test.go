package normalise

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/riskpipe/riskpipe/schemas"
)

func FuzzMap_signin(f *testing.F)   { fuzzMap(f, schemas.SourceSignIn) }
func FuzzMap_email(f *testing.F)    { fuzzMap(f, schemas.SourceEmail) }
func FuzzMap_file(f *testing.F)     { fuzzMap(f, schemas.SourceFile) }
func FuzzMap_defender(f *testing.F) { fuzzMap(f, schemas.SourceDefender) }
func FuzzMap_hr(f *testing.F)       { fuzzMap(f, schemas.SourceHR) }

// fuzzMap holds, for any input whatever: no panic, something is said of every
// record, events are complete and fit to be encoded, and the same input has the
// same output. Seeds are the sound records and those in testdata.
func fuzzMap(f *testing.F, source schemas.Source) {
	for _, r := range sound() {
		if r.source == source {
			f.Add([]byte(r.text))
			f.Add([]byte(`{"records":[null,` + r.text + `]}`))
		}
	}
	// What is over a limit, or just within it.
	for _, member := range []string{manyMembers(90), manyMembers(101), manyItems(50), manyItems(51), manyLevels(8), manyLevels(40)} {
		f.Add([]byte(wide(member)))
		f.Add([]byte(`[` + wide(inString(f, member)) + `,` + inString(f, wide(member)) + `]`))
	}
	f.Add([]byte("EmailAddress,Remarks" + strings.Repeat(",x", maxColumns) + "\nida@contoso.com"))
	f.Fuzz(func(t *testing.T, text []byte) {
		raw := Raw{Topic: "raw.x", Partition: 1, Offset: 2, Time: testTime, Value: text}
		var out Result
		newTestMapper().Map(source, raw, &out)
		checkResult(t, out)
		var limited Result
		newLimitedMapper().Map(source, raw, &limited)
		checkResult(t, limited)
		m := newTestMapper()
		var again Result
		m.Map(source, raw, &again)
		if !reflect.DeepEqual(out, again) {
			t.Errorf("another result for the same input:\n%+v\n%+v", out, again)
		}
		// What it left behind must not disturb the next record.
		m.Map(schemas.SourceFile, Raw{Topic: "raw.y", Time: testTime, Value: []byte(`{"type":"heartbeat"}`)}, &again)
		if len(again.Skips) != 1 || len(again.Events)+len(again.Rejects) != 0 {
			t.Errorf("the next record came to %+v", again)
		}
	})
}

// checkResult tells what no result may be, whatever the input.
func checkResult(t *testing.T, out Result) {
	t.Helper()
	said := make([]bool, out.Records)
	mark := func(what string, index int) {
		if index < 0 || index >= out.Records {
			t.Fatalf("%s of record %d of %d", what, index, out.Records)
		}
		said[index] = true
	}
	for _, r := range out.Rejects {
		mark("reject", r.Index)
		if r.Reason == "" || r.Reason == ReasonPanic || r.Detail == "" {
			t.Errorf("reject %+v", r)
		}
	}
	for _, s := range out.Skips {
		mark("skip", s.Index)
		if s.Reason == "" {
			t.Errorf("skip %+v", s)
		}
	}
	for _, finding := range out.Findings {
		mark("finding", finding.Index)
	}
	for i := range out.Events {
		e := out.Events[i]
		mark("event", int(e.Origin.Index))
		if e.ID == (schemas.UUID{}) || e.Time == 0 || e.Source == "" || e.ActorType == "" || e.Outcome == "" || !strings.Contains(e.Activity, ".") {
			t.Errorf("incomplete event %+v", e.Event)
		}
		if upn := e.Actor.UPN; upn != "" && upn != strings.ToLower(upn) {
			t.Errorf("UPN %q", upn)
		}
		if bad := badText(reflect.ValueOf(*e)); bad != "" {
			t.Errorf("no UTF-8, or negative, in %s of %+v", bad, e.Event)
		}
	}
	for index, ok := range said {
		if !ok && len(out.Links) == 0 {
			t.Errorf("nothing was said of record %d of %d", index, out.Records)
		}
	}
}

// counted are the fields which count something or measure it.
var counted = map[string]bool{
	"Size": true, "Count": true, "Messages": true, "Recipients": true, "ExternalRecipients": true, "Attachments": true, "SensitiveCount": true, "ASN": true,
}

// badText returns the path of a string that is no UTF-8 or of a count below 0.
func badText(v reflect.Value) string {
	switch v.Kind() {
	case reflect.String:
		if !utf8.ValidString(v.String()) {
			return "text"
		}
	case reflect.Pointer:
		if !v.IsNil() {
			return badText(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			if bad := badText(v.Index(i)); bad != "" {
				return bad
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Type().Field(i)
			if counted[field.Name] && v.Field(i).CanInt() && v.Field(i).Int() < 0 {
				return field.Name
			}
			if bad := badText(v.Field(i)); bad != "" {
				return field.Name + "." + bad
			}
		}
	default:
	}
	return ""
}

// FuzzTime holds that reading a time is total, and that its own text is read back.
func FuzzTime(f *testing.F) {
	for _, text := range []string{"2026-07-18T12:59:31.2914446Z", "/Date(1658751973240+0200)/", "11/14/2025 1:48:53 AM", "1658751973240", "2026-07-18-07:00", "3-Apr-2026", "2[2]"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, dayFirst := range []bool{false, true} {
			parseDate(text, dayFirst)
		}
		at, ok := parseTime(text)
		if !ok {
			return
		}
		if again, ok := parseTime(at.String()); !ok || again != at {
			t.Errorf("%q is %s, which is read as %s", text, at, again)
		}
	})
}

// FuzzAddress holds that reading an address is total and its own text is read back.
func FuzzAddress(f *testing.F) {
	for _, text := range []string{"203.0.113.7:1", "[2001:db8::1]:443", "fe80::1%eth0", "<null>"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		domainOf(text)
		person(text)
		addr, ok := parseAddress(text)
		if !ok {
			return
		}
		if again, ok := parseAddress(addr.String()); !ok || again != addr {
			t.Errorf("%q is %s, which is read as %s", text, addr, again)
		}
	})
}
