package normalise

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/riskpipe/riskpipe/schemas"
)

func TestAttachments(t *testing.T) {
	// Attachments come as one text, whose names may hold what parts them.
	tests := []struct {
		text, names string
		bytes       int64
	}{
		{"", "", 0},
		{"a.png (2242b); b.docx (1828b)", "a.png|b.docx", 4070},
		{"tps (report) 1.docx (1024b); image001.jpg (2048b)", "tps (report) 1.docx|image001.jpg", 3072},
		{"a; b.txt (1b); c (2b).txt (3b)", "a; b.txt|c (2b).txt", 4},
		{"a.png; b.png", "a.png|b.png", 0},
		{"a.png (1b); b.png", "a.png|b.png", 1},
		{"[draft] x.docx (7b)", "[draft] x.docx", 7},
		{"(b); (99999999999999999999b)", "(b)|(99999999999999999999b)", 0},
	}
	for _, test := range tests {
		var names []string
		var bytes int64
		eachAttachment(test.text, func(name string, size int64) { names = append(names, name); bytes += size })
		sees(t, test.text, strings.Join(names, "|"), test.names)
		sees(t, test.text, bytes, test.bytes)
	}
}

func TestAttachments_roundTrip(t *testing.T) {
	// Any list of names without a size inside is read back as it was written.
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfN(rapid.StringMatching(`[a-z][a-z ();.]{0,8}[a-z]`), 1, 6).Draw(t, "names")
		parts := make([]string, len(names))
		for i, name := range names {
			parts[i] = fmt.Sprintf("%s (%db)", name, i)
		}
		var got []string
		eachAttachment(strings.Join(parts, "; "), func(name string, _ int64) { got = append(got, name) })
		if !slices.Equal(got, names) {
			t.Fatalf("%q read as %q", names, got)
		}
	})
}

// An attachment has the hash of the file that it was, in every feed; the hashes
// are sorted, each there once, and bounded.
func TestAttachmentNames(t *testing.T) {
	file := mapBytes(newTestMapper(), schemas.SourceFile, strings.Replace(sound()["file"].text, `"SourceFileName":"plan.docx"`, `"SourceFileName":"Q3%20Plan.docx"`, 1)).Events[0]
	mail := func(attachments string) Event {
		out := mapBytes(newTestMapper(), schemas.SourceEmail, strings.Replace(sound()["mail"].text, "a.png (2242b); b.docx (18b)", attachments, 1))
		return *out.Events[0]
	}
	sent := mail("q3 plan.docx (7b); Q3 Plan.docx (7b)")
	if names := sent.Email.AttachmentNames; len(names) != 1 || names[0] != file.File.Name || sent.Email.Attachments != 2 {
		t.Errorf("names %v of %d attachments, the file is %d", names, sent.Email.Attachments, file.File.Name)
	}
	row := mapBytes(newTestMapper(), schemas.SourceDefender, `{"category":"AdvancedHunting-EmailAttachmentInfo","properties":{"Timestamp":"2026-03-02T08:15:30Z","NetworkMessageId":"n1",
		"SenderFromAddress":"ida@contoso.com","SenderObjectId":"7f0c2f3e-51f5-4ea9-a4cc-3b1a5a3a8d10","RecipientEmailAddress":"eva@fabrikam.com","FileName":"Q3 PLAN.docx","SHA256":"aa"}}`)
	if names := row.Events[0].Email.AttachmentNames; len(names) != 1 || names[0] != file.File.Name {
		t.Errorf("names %v of the row, the file is %d", names, file.File.Name)
	}
	var many []string
	for i := range 100 {
		many = append(many, fmt.Sprintf("%d.txt (1b)", i))
	}
	if names := mail(strings.Join(many, "; ")).Email.AttachmentNames; len(names) != 64 || !slices.IsSorted(names) {
		t.Errorf("%d names, sorted %v", len(names), slices.IsSorted(names))
	}
}
