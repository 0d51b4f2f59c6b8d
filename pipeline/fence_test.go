package pipeline

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/riskpipe/riskpipe/schemas"
)

func contains(text, part string) bool { return strings.Contains(text, part) }

// A fence is read back as it was written.
func TestFence_roundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := Fence{
			Epoch: rapid.Int64().Draw(t, "epoch"), Nonce: rapid.StringMatching(`[A-Z0-9]{0,26}`).Draw(t, "nonce"),
			Next: rapid.Int64Min(-1).Draw(t, "next"), Watermark: schemas.Time(rapid.Int64().Draw(t, "watermark")),
			Policy: schemas.Hash(rapid.Int64().Draw(t, "policy")), Format: rapid.IntRange(0, 100).Draw(t, "format"),
			Since: rapid.Int64Min(-1).Draw(t, "since"),
		}
		back, err := ParseFence(f.String())
		if err != nil || back != f {
			t.Errorf("%q became %v, %v", f, back, err)
		}
	})
}

// A text that is no fence is an error.
func TestParseFence_errors(t *testing.T) {
	for _, text := range []string{"", "1|n|2|3|4", "x|n|2|3|4|5", "1|n|x|3|4|5", "1|n|2|3|zz|5", "1|n|2|3|4|5|x", "1|n|2|3|4|5|6|7"} {
		if _, err := ParseFence(text); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

// A fence of a build that kept no since is read as if there had been one policy set.
func TestParseFence_withoutSince(t *testing.T) {
	f, err := ParseFence("1|n|2|3|4|5")
	if err != nil || f.Since != earliest || f.Format != 5 {
		t.Errorf("read as %v, %v", f, err)
	}
}

// The cache forgets what was used longest ago, and only when it is told to.
func TestLRU(t *testing.T) {
	l := newLRU[string, int]()
	for i, key := range []string{"a", "b", "c", "d"} {
		l.put(key, i)
	}
	l.get("a")
	l.put("b", 9)
	l.remove("d")
	l.remove("d")
	l.trim(2)
	if _, found := l.get("c"); found || l.len() != 2 {
		t.Errorf("c is there: %t, %d items", found, l.len())
	}
	if b, found := l.get("b"); !found || b != 9 {
		t.Errorf("b is %d, %t", b, found)
	}
}
