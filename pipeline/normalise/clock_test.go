package normalise

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/riskpipe/riskpipe/schemas"
)

// Every spelling of an instant that upstream has is read as that instant.
func TestParseTime(t *testing.T) {
	for text, want := range map[string]string{
		"2026-07-18T12:59:31.2914446Z":     "2026-07-18T12:59:31.291Z", // 7 digits
		"2026-07-18T12:59:31Z":             "2026-07-18T12:59:31.000Z",
		"2026-07-18T12:59:31.5+00:00":      "2026-07-18T12:59:31.500Z",
		"2026-07-18T12:59:31-05:00":        "2026-07-18T17:59:31.000Z",
		"2026-07-18T12:59:31.4675041+0530": "2026-07-18T07:29:31.467Z",
		"2026-07-18T12:59:31 +02":          "2026-07-18T10:59:31.000Z",
		"2026-07-18T12:59:31":              "2026-07-18T12:59:31.000Z", // UTC by contract
		"2026-07-18 12:59:31":              "2026-07-18T12:59:31.000Z",
		"2026-07-18 12:59:31.058183200":    "2026-07-18T12:59:31.058Z", // 9 digits
		"2026-07-18 12:59:31 UTC":          "2026-07-18T12:59:31.000Z",
		"2026-07-18T12:59:31,25Z":          "2026-07-18T12:59:31.250Z",
		"2026-07-18T8:48:50.361Z":          "2026-07-18T08:48:50.361Z", // one-digit hour
		"2026-07-18T12:59Z":                "2026-07-18T12:59:00.000Z",
		"2026-07-18t12:59:31z":             "2026-07-18T12:59:31.000Z",
		"2026-7-8T12:59:31Z":               "2026-07-08T12:59:31.000Z",
		"2026-07-18":                       "2026-07-18T00:00:00.000Z",
		"2026-07-18Z":                      "2026-07-18T00:00:00.000Z",
		"2026-07-18-07:00":                 "2026-07-18T00:00:00.000Z", // a day is that day
		"2026-07-18+05:30":                 "2026-07-18T00:00:00.000Z",
		"11/14/2025 1:48:53 AM":            "2025-11-14T01:48:53.000Z",
		"11/14/2025 1:48:53 PM":            "2025-11-14T13:48:53.000Z",
		"1/9/2027 10:41:00 AM +01:00":      "2027-01-09T09:41:00.000Z",
		"11/14/2025":                       "2025-11-14T00:00:00.000Z",
		"11/14/2025 13:48:53":              "2025-11-14T13:48:53.000Z",
		"/Date(1658751973240)/":            "2022-07-25T12:26:13.240Z",
		"/Date(1658751973240+0200)/":       "2022-07-25T12:26:13.240Z",
		"/Date(1658751973240-0700)/":       "2022-07-25T12:26:13.240Z",
		"1658751973":                       "2022-07-25T12:26:13.000Z",
		"1658751973240":                    "2022-07-25T12:26:13.240Z",
		"  2026-07-18T12:59:31Z\r\n":       "2026-07-18T12:59:31.000Z",
		"2026-12-31T24:00:00Z":             "2027-01-01T00:00:00.000Z",
		"2026-12-31T23:59:60Z":             "2027-01-01T00:00:00.000Z", // leap second
		"Mon, 02 Mar 2026 12:00:00 GMT":    "2026-03-02T12:00:00.000Z",
		"2024-02-29":                       "2024-02-29T00:00:00.000Z",
	} {
		if got, ok := parseTime(text); !ok || got.String() != want {
			t.Errorf("%q: %s, %v, want %s", text, got, ok, want)
		}
	}
}

// What is no instant is none, rather than a wrong one.
func TestParseTime_refuses(t *testing.T) {
	for _, text := range []string{
		"", " ", "null", "now", "2026", "2026-13-01", "2026-00-10", "2026-02-30", "2026-02-31T10:00:00Z", "2025-02-29", "2026-07-18T",
		"2026-07-18T25:00:00Z", "2026-07-18T12:60:00Z", "2026-07-18T12:59:31+99:00", "2026-07-18T12:59:31Zulu", "2026-07-18x", "0001-01-01T00:00:00Z",
		"9999-12-31T23:59:59Z", "1601-01-01T00:00:00Z", "99999999999999999999", "/Date()/", "/Date(x)/", "-1658751973", "1e18", "12:59:31", "２０２６-07-18",
	} {
		if got, ok := parseTime(text); ok {
			t.Errorf("%q was read as %s", text, got)
		}
	}
}

// What Go writes is read back to the millisecond, whatever zone and precision.
func TestParseTime_roundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.UnixMicro(rapid.Int64Range(662688000_000000, 7258118400_000000).Draw(t, "micros"))
		at = at.In(time.FixedZone("", rapid.IntRange(-12*60, 14*60).Draw(t, "minutes")*60))
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.000000000Z07:00", "2006-01-02 15:04:05.9999999-0700"} {
			got, ok := parseTime(at.Format(layout))
			if !ok || got != schemas.TimeOf(at) {
				t.Fatalf("%s: %s, want %s", at.Format(layout), got, schemas.TimeOf(at))
			}
		}
	})
}

// Dates of spreadsheets are read in the tenant's order.
func TestParseDate(t *testing.T) {
	for _, test := range []struct {
		text     string
		dayFirst bool
		want     string
	}{
		{"2026-04-03T10:00:00+05:30", false, "2026-04-03T04:30:00.000Z"},
		{"2026-04-03T10:00:00+05:30", true, "2026-04-03T04:30:00.000Z"},
		{"4/3/2026", false, "2026-04-03T00:00:00.000Z"},
		{"3/4/2026", true, "2026-04-03T00:00:00.000Z"},
		{"03/04/2026 13:30", true, "2026-04-03T13:30:00.000Z"},
		{"04/03/2026 1:30 PM", false, "2026-04-03T13:30:00.000Z"},
		{"3.4.2026", false, "2026-04-03T00:00:00.000Z"},
		{"2026/04/03", true, "2026-04-03T00:00:00.000Z"},
		{"20260403", false, "2026-04-03T00:00:00.000Z"},
		{"3-Apr-2026", false, "2026-04-03T00:00:00.000Z"},
		{"3 April 2026", true, "2026-04-03T00:00:00.000Z"},
		{"April 3, 2026", false, "2026-04-03T00:00:00.000Z"},
		{"25/12/2026", false, ""}, // read as the 25th of December, its neighbour 3/4/2026 would be misread
		{"12/25/2026", true, ""},
		{"soon", false, ""},
		{"[[[[", false, ""},
		{"2[2[2]", false, ""},
	} {
		got, ok := parseDate(test.text, test.dayFirst)
		if text := got.String(); ok != (test.want != "") || ok && text != test.want {
			t.Errorf("%q, day first %v: %s, %v, want %s", test.text, test.dayFirst, text, ok, test.want)
		}
	}
}
