package normalise

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
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
