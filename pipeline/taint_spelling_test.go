package pipeline

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// taints are spellings in which somebody's name gets into a text. What they are
// taken for where they stand is up to the mapper.
func taints(was string) []any {
	shapes := []any{
		"Xanthippe",
		"Xanthippe Quill",
		"XANTHIPPE",
		"XanthippeQuill",
		"xanthippe.quill",
		"xanthippe.quill@contoso.com",
		"xanthippe@quill-family.example",
		`CONTOSO\xanthippe.quill`,
		`C:\Users\xanthippe.quill\Documents\quill.xanthippe.docx`,
		"https://contoso-my.sharepoint.com/personal/xanthippe_quill_contoso_com/Documents/a.docx?by=xanthippe#quill",
		"/personal/xanthippe_quill_contoso_com/",
		"https://xanthippe-quill.example/",
		"xanthippe-quill.com",
		"XQUILL-LT042",
		"xanthippes-macbook",
		"quill.xanthippe.docx",
		"a.xanthippe",
		"Xanthippe's laptop sync",
		"Xanthippe watch",
		"xanthippe%20quill",
		"%78anthippe",
		"xanth\u0131ppe \u0001quill",
		"Project about Xanthippe Quill, who will leave us in March and should not know that we know it; see her manager before you act on it.",
		"203.0.113.77",
		map[string]any{"Xanthippe": "Quill"},
		[]any{"Xanthippe", map[string]any{"Name": "xanthippe.quill", "Value": "Quill"}},
	}
	if was != "" {
		shapes = append(shapes, was+" Xanthippe", was+"Xanthippe", "xanthippe.quill "+was, was+"/xanthippe.quill", was+".xanthippe", was+" (Quill)")
	}
	return shapes
}

// tainted returns what of the name shows, however it is spelled.
func tainted(data []byte) string {
	text := strings.ToLower(string(data))
	for _, spelling := range []func(string) string{
		func(s string) string { return s },
		func(s string) string {
			if plain, err := url.PathUnescape(s); err == nil {
				return strings.ToLower(plain)
			}
			return strings.ToLower(strings.ReplaceAll(strings.ReplaceAll(s, "%78", "x"), "%20", " "))
		},
		func(s string) string {
			if plain, err := strconv.Unquote(`"` + s + `"`); err == nil {
				return strings.ToLower(plain)
			}
			return s
		},
	} {
		plain := spelling(text)
		for _, name := range []string{"xanth", "quill", "203.0.113.77"} {
			if i := strings.Index(plain, name); i >= 0 {
				return plain[max(0, i-30):min(len(plain), i+40)]
			}
		}
	}
	return ""
}

// notCatalogue are forms that no name of a thing has: of an address, a path, an
// account, a file, a sentence, somebody's own.
var notCatalogue = regexp.MustCompile(`@|\\|://|/personal/|%[0-9A-Fa-f]{2}|203\.0\.113\.77|\.docx|'s |^xanthippe\.quill$|[\x00-\x1f]|, who`)

func isCatalogueForm(text string) bool { return !notCatalogue.MatchString(text) }
