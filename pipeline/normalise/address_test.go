package normalise

import (
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

// Every spelling of an address is one address, and what is none is none.
func TestParseAddress(t *testing.T) {
	for text, want := range map[string]string{
		"203.0.113.7":                 "203.0.113.7",
		" 203.0.113.7 ":               "203.0.113.7",
		"203.0.113.7:49152":           "203.0.113.7",
		"2001:db8::1":                 "2001:db8::1",
		"2001:DB8:0:0:0:0:0:1":        "2001:db8::1",
		"[2001:db8::1]":               "2001:db8::1",
		"[2001:db8::1]:443":           "2001:db8::1",
		"fe80::1%eth0":                "fe80::1",
		"::ffff:203.0.113.7":          "203.0.113.7",
		"[::ffff:203.0.113.7]:443":    "203.0.113.7",
		"":                            "",
		"<null>":                      "",
		"localhost":                   "",
		"host.contoso.com":            "",
		"ffff:10.11.0.229":            "",
		"NOTANIPV4 (10.9000.0":        "",
		"10.9000.0.1":                 "",
		"203.0.113":                   "",
		"203.0.113.7:99999":           "",
		"203.0.113.7,198.51.100.1":    "",
		"0.0.0.0":                     "",
		"::":                          "",
		"[":                           "",
		"203.0.113.007":               "",
		"\x00":                        "",
		"2001:db8::1::2":              "",
		"1234567890123456789012345:1": "",
	} {
		got, ok := parseAddress(text)
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("%q: %s, %v, want %q", text, got, ok, want)
		}
	}
}

// The first text that is an address counts; country and network stand without one.
func TestFrom(t *testing.T) {
	m := newTestMapper()
	for _, test := range []struct {
		country    string
		asn        int64
		candidates []string
		want       schemas.SourceIP
		clear      string
	}{
		{"se", 64500, []string{"<null>", "", "203.0.113.7"}, schemas.SourceIP{ID: testHash("ip", "203.0.113.7"), Country: "SE", ASN: 64500}, "203.0.113.7"},
		{"Sweden", -1, []string{"10.0.0.1"}, schemas.SourceIP{ID: testHash("ip", "10.0.0.1"), Private: true}, "10.0.0.1"},
		{"SE", 0, []string{"<null>"}, schemas.SourceIP{Country: "SE"}, ""},
	} {
		var e Event
		m.from(&e, test.country, test.asn, test.candidates...)
		if e.SourceIP == nil || *e.SourceIP != test.want || e.Clear.SourceIP != test.clear {
			t.Errorf("%v: %+v %q, want %+v", test, e.SourceIP, e.Clear.SourceIP, test.want)
		}
	}
	var e Event
	if m.from(&e, "", 0, "<null>"); e.SourceIP != nil {
		t.Errorf("an address out of nothing: %+v", e.SourceIP)
	}
}
