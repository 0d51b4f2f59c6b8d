package normalise

import "testing"

// The domain of an address, a URL and a host name is found in each.
func TestDomainOf(t *testing.T) {
	for text, want := range map[string]string{
		"Ida@Contoso.com":                              "contoso.com",
		"<ida@contoso.com>":                            "contoso.com",
		"Ida Berg <ida@contoso.com>":                   "contoso.com",
		"https://user:secret@drive.example.com:8443/x": "drive.example.com",
		"https://drive.example.com?next=a@b.org":       "drive.example.com",
		"https://drive.example.com#a@b.org":            "drive.example.com",
		"http://drive.example.com":                     "drive.example.com",
		"drive.example.com:443":                        "drive.example.com",
		"drive.example.com/path@x.org":                 "drive.example.com",
		"drive.example.com.":                           "drive.example.com",
		"smtp:ida@contoso.com":                         "contoso.com",
		"localhost":                                    "",
		"":                                             "",
		"Ida Berg":                                     "",
	} {
		if got := domainOf(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// A listed domain stands for its subdomains, the longest match wins, and what is
// not listed is external.
func TestDomains_Class(t *testing.T) {
	d := NewDomains(map[string][]string{
		ClassInternal: {"contoso.com"}, ClassPartner: {"*.Fabrikam.com", "lab.contoso.com"}, ClassPersonalMail: {"gmail.com"},
	})
	for domain, want := range map[string]string{
		"contoso.com": ClassInternal, "mail.contoso.com": ClassInternal, "lab.contoso.com": ClassPartner, "a.lab.contoso.com": ClassPartner,
		"notcontoso.com": ClassExternal, "contoso.com.evil.org": ClassExternal, "fabrikam.com": ClassPartner, "x.fabrikam.com": ClassPartner,
		"gmail.com": ClassPersonalMail, "": ClassExternal, "com": ClassExternal,
	} {
		if got := d.Class(domain); got != want {
			t.Errorf("%s: %s, want %s", domain, got, want)
		}
	}
	if got := (Domains{}).Class("contoso.com"); got != ClassExternal {
		t.Errorf("without lists: %s", got)
	}
}

// The riskiest target stands for all, guests count by their home domain.
func TestTo(t *testing.T) {
	m := newTestMapper()
	for _, test := range []struct {
		targets  []string
		external int
		class    string
		domain   string
	}{
		{[]string{"a@contoso.com", "b@contoso.com"}, 0, ClassInternal, "contoso.com"},
		{[]string{"a@contoso.com", "b@gmail.com", "c@fabrikam.com"}, 2, ClassPersonalMail, "gmail.com"},
		{[]string{"Eva_Gmail.com#EXT#@contoso.onmicrosoft.com"}, 1, ClassPersonalMail, "gmail.com"},
		{[]string{"", "All Company"}, 0, "", ""},
	} {
		var e Event
		external := m.to(&e, test.targets...)
		switch {
		case external != test.external:
			t.Errorf("%v: %d external", test.targets, external)
		case test.class == "" && e.Destination != nil:
			t.Errorf("%v: %+v out of nothing", test.targets, e.Destination)
		case test.class != "" && (e.Destination == nil || e.Destination.Class != test.class || e.Destination.Domain != testHash("domain", test.domain) || e.Destination.External != (test.external > 0)):
			t.Errorf("%v: %+v", test.targets, e.Destination)
		}
	}
}
