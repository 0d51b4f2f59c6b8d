package normalise

import (
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestLowercase(t *testing.T) {
	// Text is put in lower case as the standard library does, by whichever way, and
	// what was made stays as it is until the reset.
	texts := rapid.OneOf(
		rapid.StringMatching(`[ -~]{0,90}`), rapid.StringMatching(`[a-z@.]{0,90}`), rapid.String(),
		rapid.SampledFrom([]string{"", "@[`{", "AZ", "ÄÖ", "K", "İ", strings.Repeat("Aa", 60)}))
	rapid.Check(t, func(t *rapid.T) {
		var room scratch
		var made []string
		given := rapid.SliceOfN(texts, 1, 20).Draw(t, "texts")
		for _, text := range given {
			made = append(made, room.lower(text))
			var f folding
			for _, got := range []string{lowercase(text), f.lower(text)} {
				if want := strings.ToLower(text); got != want {
					t.Fatalf("%q: got %q, want %q", text, got, want)
				}
			}
		}
		for i, text := range given {
			if want := strings.ToLower(text); made[i] != want {
				t.Fatalf("%q: became %q, want %q", text, made[i], want)
			}
			if got, want := room.withSlashes(text), strings.ReplaceAll(text, `\`, "/"); got != want {
				t.Fatalf("%q: got %q, want %q", text, got, want)
			}
		}
	})
}

func TestHasFormOfAddress(t *testing.T) {
	// Nothing is told from addresses by its form that is one.
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(
			rapid.StringMatching(`[0-9a-fA-F:.\[\]%g ]{0,24}`),
			rapid.StringMatching(`([0-9]{1,3}\.){3}[0-9]{1,3}(:[0-9]{1,5})?`),
			rapid.StringMatching(`\[?([0-9a-f]{1,4}:){7}[0-9a-f]{1,4}(%[a-z0-9]{1,4})?\]?(:[0-9]{1,5})?`),
			rapid.StringMatching(`::(ffff:)?([0-9]{1,2}\.){3}[0-9]{1,2}`),
		).Draw(t, "text")
		_, err := netip.ParseAddr(strings.Trim(text, "[]"))
		_, portErr := netip.ParseAddrPort(text)
		if (err == nil || portErr == nil) && !hasFormOfAddress(text) {
			t.Fatalf("%q is an address", text)
		}
	})
}
