package operators

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/riskpipe/riskpipe/schemas"
)

// example is a subject with something in every body.
func example() *subject {
	managed := false
	return &subject{
		event: &schemas.Event{
			Activity: "file.uploaded_to_cloud", Operation: "FileUploadedToCloud", Outcome: schemas.OutcomeSuccess, Source: schemas.SourceFile,
			Groups: []string{"finance", "priority"}, Marks: []string{"project_x"},
			Device:      &schemas.Device{ID: 7, OS: "Windows 11", Managed: &managed},
			SourceIP:    &schemas.SourceIP{ID: 9, Country: "DE", ASN: 3320, Latitude: -34, Longitude: 151},
			Destination: &schemas.Destination{Class: "personal_cloud", Domain: 0x1f, External: true},
			File: &schemas.File{
				Object: 11, Name: 12, Extension: "DOCX", Size: 5 << 20, Count: 1, Location: "device",
				Label: "Streng vertraulich (ÄÖÜ)", SensitiveTypes: []string{"Credit Card Number", "IBAN"}, SensitiveCount: 3,
			},
			Email:  &schemas.Email{AttachmentNames: []schemas.Hash{0x0c, 0x0d}, Extensions: []string{"docx", "zip"}},
			Health: &schemas.Health{FamilyName: 21, Address: 22, Street: 23},
		},
		person: &person{groups: []string{"leavers"}, profile: profile{familyName: 21, address: 5}},
	}
}

// Every modifier holds and does not hold where its meaning says.
func TestSelection_compile(t *testing.T) {
	lists := Lists{
		Lists: map[string]Values{
			"documents": {"doc", "docx", "odt", "pdf", "ppt", "pptx", "rtf"},
			"none":      {},
		},
		Macros: map[string]Macro{
			"outside":   {{"destination.external": {"true"}}},
			"sensitive": {{"file.sensitive_count|gte": {"100"}}, {"file.label|contains": {"vertraulich"}}},
			"worst":     {{"macro": {"outside", "sensitive"}}},
		},
	}
	for _, c := range []struct {
		key  string
		want Values
		hold bool
	}{
		{"destination.class", Values{"personal_cloud"}, true},
		{"destination.class", Values{"personal_mail", "Personal_Cloud"}, true},
		{"destination.class", Values{"personal_mail", "public"}, false},
		{"destination.class|in", Values{"personal_mail", "personal_cloud"}, true},
		{"destination.class|not", Values{"personal_mail", "personal_cloud"}, false},
		{"destination.class|cased", Values{"Personal_Cloud"}, false},
		{"file.extension", Values{"docx"}, true},
		{"file.extension|cased", Values{"docx"}, false},
		{"file.extension|cased", Values{"pdf", "DOCX"}, true},
		{"file.extension", Values{"@documents"}, true},
		{"file.extension", Values{"@none"}, false},
		{"file.extension", Values{"@none", "docx"}, true},
		{"file.label", Values{"a", "b", "c", "d", "e", "f", "streng VERTRAULICH (äöü)"}, true},
		{"file.label", Values{"a", "b", "c", "d", "e", "f", "g"}, false},
		{"file.label|contains", Values{"VERTRAULICH"}, true},
		{"file.label|contains", Values{"äöü"}, true},
		{"file.label|contains|cased", Values{"äöü"}, false},
		{"file.label|contains", Values{"öffentlich", "intern"}, false},
		{"file.label|contains|all", Values{"streng", "(ä"}, true},
		{"file.label|contains|all", Values{"streng", "intern"}, false},
		{"file.label|startswith", Values{"STRENG"}, true},
		{"file.label|startswith", Values{"vertraulich"}, false},
		{"file.label|startswith|cased", Values{"STRENG"}, false},
		{"file.label|endswith", Values{"äöü)"}, true},
		{"file.label|endswith", Values{"streng"}, false},
		{"file.label|endswith|not", Values{"streng"}, true},
		{"file.label|re", Values{`^streng\s+v`}, true},
		{"file.label|re|cased", Values{`^streng`}, false},
		{"email.label|re", Values{`.*`}, false}, // what is absent matches nothing
		{"email.label|contains", Values{"a"}, false},
		{"email.label|not", Values{"a"}, true},
		{"file.sensitive_types", Values{"iban"}, true},
		{"file.sensitive_types", Values{"iba"}, false},
		{"file.sensitive_types|contains", Values{"card"}, true},
		{"file.sensitive_types|all", Values{"iban", "credit card number"}, true},
		{"file.sensitive_types|all", Values{"iban", "passport"}, false},
		{"file.sensitive_types|contains|all", Values{"ban", "card"}, true},
		{"file.sensitive_types|not", Values{"passport"}, true},
		{"groups", Values{"priority"}, true},
		{"user.groups", Values{"priority"}, false},
		{"user.groups", Values{"leavers"}, true},
		{"file.size", Values{"5MiB"}, true},
		{"file.size|gt", Values{"5MiB"}, false},
		{"file.size|gte", Values{"5MiB"}, true},
		{"file.size|lt", Values{"5MiB"}, false},
		{"file.size|lte", Values{"5242880"}, true},
		{"file.count", Values{"1", "2"}, true},
		{"file.count|not", Values{"1"}, false},
		{"source_ip.latitude|lt", Values{"-30"}, true},
		{"source_ip.asn", Values{"3320"}, true},
		{"destination.external", Values{"true"}, true},
		{"destination.external", Values{"false"}, false},
		{"device.managed", Values{"false"}, true},
		{"sign_in.mfa", Values{"false"}, false}, // not a sign-in
		{"sign_in.mfa|exists", Values{"false"}, true},
		{"device.managed|exists", Values{"true"}, true},
		{"file.label|exists", Values{"true"}, true},
		{"email.label|exists", Values{"true"}, false},
		{"email.label|exists", Values{"false"}, true},
		{"file.previous|exists", Values{"false"}, true},
		{"file.size|exists", Values{"true"}, true},
		{"marks|exists", Values{"true"}, true},
		{"email.attachment_names|exists", Values{"true"}, true},
		{"detection.techniques|exists", Values{"false"}, true},
		{"destination.domain", Values{"000000000000001f"}, true},
		{"destination.domain|not", Values{"000000000000001f"}, false},
		{"email.attachment_names", Values{"000000000000000d"}, true},
		{"email.attachment_names", Values{"000000000000000e"}, false},
		{"health.same_family_name", Values{"true"}, true},
		{"health.same_address", Values{"true"}, false},
		{"health.same_street", Values{"true"}, false}, // neither is known
		{"macro", Values{"outside"}, true},
		{"macro", Values{"sensitive"}, true},
		{"macro", Values{"worst"}, true},
		{"macro|not", Values{"worst"}, false},
	} {
		conditions, problems := Selection{c.key: c.want}.compile(lists)
		if len(problems) > 0 {
			t.Errorf("%s: %v: %v", c.key, c.want, problems)
			continue
		}
		if got := allOf(conditions)(example()); got != c.hold {
			t.Errorf("%s: %v holds: %t", c.key, c.want, got)
		}
	}
}

// What cannot be meant is refused, and the message says what can.
func TestSelection_compile_problems(t *testing.T) {
	lists := Lists{
		Lists: map[string]Values{"documents": {"doc"}},
		Macros: map[string]Macro{
			"loop": {{"macro": {"pool"}}}, "pool": {{"macro": {"loop"}}}, "wrong": {{"file.sise": {"1"}}}, "empty": {{}},
		},
	}
	for _, c := range []struct {
		key  string
		want Values
		say  string
	}{
		{"file.lable", Values{"x"}, `field "file.lable" is unknown: did you mean "file.label"?`},
		{"file.label|contain", Values{"x"}, `modifier "contain" is unknown: did you mean "contains"?`},
		{"file.label|", Values{"x"}, `modifier "" is unknown`},
		{"file.label|contains|re", Values{"x"}, "contains and re exclude each other"},
		{"source_ip.country|cidr", Values{"10.0.0.0/8"}, "addresses are keyed hashes"},
		{"file.label", Values{}, "no value is given"},
		{"file.label", Values{""}, "use exists: false"},
		{"file.label", Values{"*secret*"}, "wildcard"},
		{"file.label|gte", Values{"1"}, "needs a number"},
		{"file.label|all", Values{"a", "b"}, "asks one text to equal several values"},
		{"file.label|re", Values{"("}, "is no regular expression"},
		{"file.label|re", Values{strings.Repeat("x", 257)}, "up to 256 are allowed"},
		{"file.extension", Values{"@document"}, `list "document" is unknown: did you mean "documents"?`},
		{"outcome", Values{"sucess"}, `value "sucess" is unknown: did you mean "success"?`},
		{"file.size|contains", Values{"1"}, "needs text"},
		{"file.size|gte", Values{"1", "2"}, "takes one number"},
		{"file.size|gte", Values{"1MB"}, "is no number"},
		{"file.size|all", Values{"1"}, "need text"},
		{"file.name", Values{"plan.docx"}, "is no hash"},
		{"file.name|gte", Values{"1"}, "is equal or not"},
		{"file.label|exists", Values{"yes"}, "true or false"},
		{"device.managed", Values{"no"}, "true or false"},
		{"device.managed|gte", Values{"true"}, "no modifier"},
		{"macro", Values{"loop"}, "uses itself: loop > pool > loop"},
		{"macro", Values{"wrong"}, "file.sise"},
		{"macro", Values{"empty"}, "would always hold"},
		{"macro", Values{"wrnog"}, `did you mean "wrong"?`},
		{"macro|contains", Values{"wrong"}, "no modifier but not"},
	} {
		_, problems := Selection{c.key: c.want}.compile(lists)
		if len(problems) != 1 || !strings.Contains(problems[0].text, c.say) || !strings.HasPrefix(string(problems[0].at), "/"+c.key) {
			t.Errorf("%s: %v: problems are %v, want %q", c.key, c.want, problems, c.say)
		}
	}
}

// Cheap conditions come first, and equal ones in the order of their text.
func TestSelection_order(t *testing.T) {
	selection := Selection{
		"file.label|re": {"x"}, "file.size|gte": {"1"}, "file.extension|contains": {"x"}, "file.count": {"1"}, "file.location": {"device"},
	}
	compiler := &selector{}
	found, problems := compiler.selection(selection)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	var order []string
	for _, one := range found {
		order = append(order, one.key)
	}
	if got, want := strings.Join(order, " "), "file.count file.size|gte file.location file.extension|contains file.label|re"; got != want {
		t.Errorf("order is %s, want %s", got, want)
	}
}

// Neither reading a field nor any condition allocates.
func TestConditions_allocations(t *testing.T) {
	s := example()
	for name, f := range fields {
		if n := testing.AllocsPerRun(10, func() {
			switch f.kind {
			case kindText:
				_ = f.text(s)
			case kindTruth:
				_, _ = f.truth(s)
			case kindList:
				_ = f.list(s)
			case kindHashes:
				_ = f.hashes(s)
			default:
				_ = f.number(s)
			}
		}); n != 0 {
			t.Errorf("reading %s allocates %v times", name, n)
		}
	}
	for key, values := range benchmarked() {
		if strings.HasSuffix(key, "|re") {
			continue // takes its machine from a pool, which may be empty
		}
		conditions, problems := Selection{key: values}.compile(Lists{})
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		if n := testing.AllocsPerRun(10, func() { conditions[0](s) }); n != 0 {
			t.Errorf("%s allocates %v times", key, n)
		}
	}
}

func benchmarked() map[string]Values {
	return map[string]Values{
		"destination.class":        {"personal_mail", "personal_cloud"},
		"file.extension":           {"doc", "odt", "pdf", "ppt", "pptx", "rtf", "docx"},
		"file.label|contains":      {"vertraulich"},
		"file.label|startswith":    {"streng"},
		"file.size|gte":            {"1MiB"},
		"destination.external":     {"true"},
		"file.sensitive_types":     {"iban"},
		"file.label|re":            {"ver.*lich"},
		"email.attachment_names":   {"000000000000000d"},
		"health.same_address|not":  {"true"},
		"detection.techniques|all": {"T1078", "T1052"},
	}
}

func BenchmarkConditions(b *testing.B) {
	s := example()
	for key, values := range benchmarked() {
		conditions, problems := Selection{key: values}.compile(Lists{})
		if len(problems) > 0 {
			b.Fatal(problems)
		}
		b.Run(key, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				conditions[0](s)
			}
		})
	}
}

// Text is compared without regard to case beyond ASCII, where the two cases of a
// letter may differ in length.
func TestFold(t *testing.T) {
	for _, c := range []struct {
		text, value                string
		contains, prefix, suffixes bool
	}{
		{"STRASSE", "strasse", true, true, true},
		{"ÄRGER im Büro", "ärger", true, true, false},
		{"im BÜRO", "büro", true, false, true},
		{"300 \u212a", "k", true, false, true}, // the Kelvin sign
		{"\u212aelvin", "kelvin", true, true, true},
		{"a\xffb", "b", true, false, true},
		{"ab", "abc", false, false, false},
		{"", "a", false, false, false},
	} {
		if got := containsFold(c.text, c.value); got != c.contains {
			t.Errorf("%q contains %q: %t", c.text, c.value, got)
		}
		if got := prefixFold(c.text, c.value); got != c.prefix {
			t.Errorf("%q begins with %q: %t", c.text, c.value, got)
		}
		if got := suffixFold(c.text, c.value); got != c.suffixes {
			t.Errorf("%q ends with %q: %t", c.text, c.value, got)
		}
	}
}

// Without regard to case is what lowering both gives.
func TestFold_property(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		letters := rapid.SampledFrom([]rune("aAbBäÄßkK\u212aİi1 "))
		text := rapid.StringOfN(letters, 0, 12, -1).Draw(t, "text")
		value := lowered([]string{rapid.StringOfN(letters, 1, 3, -1).Draw(t, "value")})[0]
		lower := lowered([]string{text})[0]
		if got, want := containsFold(text, value), strings.Contains(lower, value); got != want {
			t.Errorf("%q contains %q: %t", text, value, got)
		}
		if got, want := prefixFold(text, value), strings.HasPrefix(lower, value); got != want {
			t.Errorf("%q begins with %q: %t", text, value, got)
		}
		if got, want := suffixFold(text, value), strings.HasSuffix(lower, value); got != want {
			t.Errorf("%q ends with %q: %t", text, value, got)
		}
	})
}
