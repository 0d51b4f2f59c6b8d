package normalise

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/riskpipe/riskpipe/schemas"
)

// A rule marks what any of its lists matches, unless a keyword speaks against it.
func TestContentRules(t *testing.T) {
	file := sound()["file"].text // plan.docx in Shared Documents of /sites/lab
	mail := strings.Replace(sound()["mail"].text, `"ida@contoso.com",
			"MailboxOwnerUPN"`, `"ida@contoso.com","recipientList":["eva@mail.fabrikam.com"],
			"MailboxOwnerUPN"`, 1)
	device := strings.Replace(sound()["device file"].text, `E:\\plan.docx`, `C:\\Users\\ida\\AppData\\Local\\plan.docx`, 1)
	for name, test := range map[string]struct {
		rule ContentRule
		text string
		want bool
	}{
		"site":                     {ContentRule{Sites: []string{"https://Contoso.sharepoint.com/sites/Lab/"}}, file, true},
		"site without scheme":      {ContentRule{Sites: []string{"contoso.sharepoint.com/sites/lab"}}, file, true},
		"another site's beginning": {ContentRule{Sites: []string{"https://contoso.sharepoint.com/sites/la"}}, file, false},
		"path":                     {ContentRule{Paths: []string{`**\AppData\**`}}, device, true},
		"path of another":          {ContentRule{Paths: []string{`**\AppData\**`}}, file, false},
		"path in a site":           {ContentRule{Paths: []string{`**/shared documents/*.docx`}}, file, true},
		"one folder alone":         {ContentRule{Paths: []string{`C:\Users\*\plan.docx`}}, device, false},
		"name":                     {ContentRule{Names: []string{"PLAN.*"}}, file, true},
		"name of an attachment":    {ContentRule{Names: []string{"?.png"}}, mail, true},
		"keyword in a subject":     {ContentRule{Keywords: []string{"Plan"}}, mail, true},
		"keyword nowhere":          {ContentRule{Keywords: []string{"falcon"}}, mail, false},
		"unless":                   {ContentRule{Extensions: []string{"docx"}, UnlessKeywords: []string{"PLAN"}}, file, false},
		"unless another":           {ContentRule{Extensions: []string{"docx"}, UnlessKeywords: []string{"canteen"}}, file, true},
		"extension":                {ContentRule{Extensions: []string{".PNG"}}, mail, true},
		"domain of a recipient":    {ContentRule{Domains: []string{"fabrikam.com"}}, mail, true},
		"another domain":           {ContentRule{Domains: []string{"gmail.com"}}, mail, false},
		"network":                  {ContentRule{Networks: []string{"0.0.0.0/0", "::/0"}}, sound()["sign-in"].text, true},
		"another network":          {ContentRule{Networks: []string{"192.0.2.0/24"}}, sound()["sign-in"].text, false},
		"any of the lists":         {ContentRule{Labels: []string{"secret"}, Extensions: []string{"docx"}}, file, true},
		"a sign-in has none":       {ContentRule{Keywords: []string{"a"}}, sound()["sign-in"].text, false},
		"nor has HR":               {ContentRule{Keywords: []string{"a"}}, sound()["hr"].text, false},
	} {
		test.rule.Name = "falcon"
		if err := test.rule.Validate(); err != nil {
			t.Fatal(err)
		}
		m := New(Options{Hash: testHash, Content: []ContentRule{test.rule}})
		out := mapBytes(m, schemas.SourceHR, test.text)
		if len(out.Events) != 1 {
			t.Fatalf("%s: %s %v", name, counts(out), out.Rejects)
		}
		sees(t, name, strings.Join(out.Events[0].Marks, ","), map[bool]string{true: "falcon"}[test.want])
	}
}

// Marks are sorted and each there once, and a label is one by name or id.
func TestContentRules_several(t *testing.T) {
	m := New(Options{Hash: testHash, Content: []ContentRule{
		{Name: "zeta", Names: []string{"*"}}, {Name: "alpha", Labels: []string{"LABEL-A"}}, {Name: "zeta", Extensions: []string{"docx"}}, {Name: "beta", Names: []string{"x"}},
	}})
	out := mapBytes(m, schemas.SourceFile, strings.Replace(sound()["file"].text, `"ItemType"`, `"SensitivityLabelId":"label-a","ItemType"`, 1))
	sees(t, "marks", strings.Join(out.Events[0].Marks, ","), "alpha,zeta")
}

// All that is wrong with a rule is said at once.
func TestContentRule_Validate(t *testing.T) {
	err := ContentRule{Name: "My rule", Keywords: make([]string, 501)}.Validate()
	for _, want := range []string{"name is", "501 entries", "keywords[0] is empty"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not speak of %q", err, want)
		}
	}
	if err := (ContentRule{Name: "x", UnlessKeywords: []string{"a"}}).Validate(); err == nil || !strings.Contains(err.Error(), "nothing") {
		t.Errorf("a rule that matches nothing: %v", err)
	}
}

// No rules cost nothing.
func TestContentRules_noneAllocates(t *testing.T) {
	with, without := New(Options{Hash: testHash, Content: []ContentRule{}}), New(Options{Hash: testHash})
	if with.content != nil || without.content != nil {
		t.Error("no rules were made ready")
	}
}

func TestGlob(t *testing.T) {
	for _, test := range []struct {
		pattern, text string
		want          bool
	}{
		{"*.docx", "plan.docx", true},
		{"*.docx", "a/plan.docx", false},
		{"**/*.docx", "a/b/plan.docx", true},
		{"**/*.docx", "plan.docx", true},
		{`C:\Users\*\AppData\**`, "c:/users/ada/appdata/local/x", true},
		{`C:\Users\*\AppData\**`, "c:/users/ada/documents/x", false},
		{"**/.git/**", "/home/ada/.git/config", true},
		{"**/.git/**", "/home/ada/x.git/config", false},
		{"a?c", "abc", true},
		{"a?c", "a/c", false},
		{"a+(b)", "a+(b)", true},
		{"\xff", "\xff", false},
	} {
		sees(t, test.pattern+" on "+test.text, compileGlob(test.pattern).match(test.text), test.want)
	}
}

// Any text matches itself as a pattern, and every pattern can be made ready.
func TestGlob_properties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := strings.ToLower(rapid.StringMatching(`[a-z0-9./()+\[\]^$|{} -]{1,20}`).Draw(t, "text"))
		if text = strings.TrimSpace(text); !compileGlob(text).match(text) {
			t.Fatalf("%q does not match itself", text)
		}
		compileGlob(rapid.String().Draw(t, "pattern")).match(text)
	})
}

func BenchmarkContentRules(b *testing.B) {
	m := New(Options{Hash: testHash, Content: []ContentRule{
		{Name: "system_paths", Paths: []string{`**\AppData\**`, "**/node_modules/**", "**/.git/**", "**/.cache/**", "/tmp/**"}},
		{Name: "falcon", Sites: []string{"https://contoso.sharepoint.com/sites/falcon"}, Keywords: []string{"falcon", "merger"}, UnlessKeywords: []string{"canteen"}},
	}})
	raw, out := Raw{Value: []byte(sound()["file"].text)}, Result{}
	b.ReportAllocs()
	for b.Loop() {
		m.Map(schemas.SourceFile, raw, &out)
	}
}
