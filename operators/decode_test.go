package operators

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

// Values stay as they are written, whatever YAML takes them for: a hash of
// digits is no octal number.
func TestDecode_values(t *testing.T) {
	root, mistakes := readDocument("x.yaml", []byte(strings.TrimLeft(`
lists:
  numbers: [-30, 0000000000000012, 00000000000012e4, 0x1f, 1.50, true]
  text: plain
  quoted: ['it''s', "a\tb"] # with a comment
  block:
    - one
    - >-
      folded
      text
macros:
  one: {file.size: 1}
  several:
    - file.size: 2
    - {file.size: 3}
`, "\n")))
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	lists, decoded := decodeInto[Lists](root)
	if len(decoded.mistakes) > 0 {
		t.Fatal(decoded.mistakes)
	}
	want := map[string]Values{
		"numbers": {"-30", "0000000000000012", "00000000000012e4", "0x1f", "1.50", "true"},
		"text":    {"plain"},
		"quoted":  {"it's", "a\tb"},
		"block":   {"one", "folded text"},
	}
	if !reflect.DeepEqual(lists.Lists, want) {
		t.Errorf("lists are %v, want %v", lists.Lists, want)
	}
	macros := map[string]Macro{
		"one": {{"file.size": {"1"}}}, "several": {{"file.size": {"2"}}, {"file.size": {"3"}}},
	}
	if !reflect.DeepEqual(lists.Macros, macros) {
		t.Errorf("macros are %v, want %v", lists.Macros, macros)
	}
}

// A test's fields keep their kinds, for whoever builds the event.
func TestDecode_testEvent(t *testing.T) {
	root, mistakes := readDocument("x.yaml", []byte("at: 3d 2h\nactivity: file.downloaded\nfile.size: 2MiB\nfile.count: 3\ndestination.external: true\nmarks: [a, b]\n"))
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	event, decoded := decodeInto[TestEvent](root)
	if len(decoded.mistakes) > 0 {
		t.Fatal(decoded.mistakes)
	}
	want := map[string]any{"file.size": "2MiB", "file.count": int64(3), "destination.external": true, "marks": []any{"a", "b"}}
	if event.At != 74*millisPerHour || event.Activity != "file.downloaded" || !reflect.DeepEqual(event.Fields, want) {
		t.Errorf("the event is %+v", event)
	}
}

// A word is corrected to what is like it, and to nothing when nothing is.
func TestNearest(t *testing.T) {
	options := []string{"half_life", "half_scale", "limit", "lanes"}
	for word, want := range map[string]string{
		"half_scal": "half_scale", "limt": "limit", "lane": "lanes", "thresholds": "", "": "", "halflife": "half_life",
	} {
		if got := nearest(word, options); got != want {
			t.Errorf("%q is like %q, want %q", word, got, want)
		}
	}
	if got := either([]string{"a", "b", "c"}); got != "a, b or c" {
		t.Error(got)
	}
	if !slices.Equal(options, []string{"half_life", "half_scale", "limit", "lanes"}) {
		t.Error("the options were changed")
	}
}
