package vault

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Any k shares of n make the key, in any order; fewer do not.
func TestSplitKey(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(2, 5).Draw(r, "n")
		k := rapid.IntRange(2, n).Draw(r, "k")
		key := newVaultKey(t)
		shares, err := SplitKey(key, n, k)
		if err != nil || len(shares) != n {
			r.Fatalf("%d shares, %v", len(shares), err)
		}
		some := rapid.Permutation(shares).Draw(r, "order")[:rapid.IntRange(0, n).Draw(r, "given")]
		got, text, err := CombineKey(some)
		if len(some) < k {
			if err == nil || !strings.Contains(err.Error(), "not enough") {
				r.Fatalf("%d of %d needed: %v", len(some), k, err)
			}
			return
		}
		if err != nil || got.ID() != key.ID() {
			r.Fatalf("%d of %d needed: %v", len(some), k, err)
		}
		if parsed, err := ParsePrivateKey(text); err != nil || parsed.ID() != key.ID() {
			r.Fatalf("the text is another key: %v", err)
		}
	})
}

// Shares that do not belong together, or were changed, are found out and not
// quoted.
func TestCombineKey_refuses(t *testing.T) {
	key := newVaultKey(t)
	split := func(key *PrivateKey, n, k int) []string {
		shares, err := SplitKey(key, n, k)
		if err != nil {
			t.Fatal(err)
		}
		return shares
	}
	a, again, other := split(key, 3, 2), split(key, 3, 2), split(newVaultKey(t), 3, 2)
	changed := func(s string) string {
		cut := strings.LastIndex(s, ":") + 10
		replacement := "A"
		if s[cut] == 'A' {
			replacement = "B"
		}
		return s[:cut] + replacement + s[cut+1:]
	}
	renumbered := strings.Replace(a[1], ":2:2:", ":2:3:", 1)
	for what, shares := range map[string][]string{
		"none": nil, "twice": {a[0], a[0]}, "another key": {a[0], other[1]}, "another split": {a[0], again[1]}, "needed": {a[0], split(key, 3, 3)[1]},
		"changed": {a[0], changed(a[1])}, "changed beyond need": {a[0], a[1], changed(a[2])}, "renumbered": {a[0], renumbered},
		"no share": {a[0], "rpshare1"}, "empty": {a[0], ""}, "needs one": {strings.Replace(a[0], ":2:1:", ":1:1:", 1)},
		"number 0": {a[0], strings.Replace(a[1], ":2:2:", ":2:0:", 1)}, "cut": {a[0], a[1][:len(a[1])-4]}, "no base64": {a[0], a[1] + "!"},
	} {
		got, text, err := CombineKey(shares)
		if err == nil || got != nil || text != "" {
			t.Errorf("%s: %v, %v", what, got, err)
			continue
		}
		for _, s := range shares {
			if len(s) > 40 && strings.Contains(err.Error(), s[len(s)-20:]) {
				t.Errorf("%s: the error quotes a share: %v", what, err)
			}
		}
	}
}

// Numbers that make no sense are refused.
func TestSplitKey_refuses(t *testing.T) {
	for _, of := range [][2]int{{3, 1}, {2, 3}, {17, 2}, {0, 0}, {-1, -2}} {
		if _, err := SplitKey(newVaultKey(t), of[0], of[1]); err == nil {
			t.Errorf("%d of %d was accepted", of[1], of[0])
		}
	}
}

// A share on its own says nothing: the same key is split differently each time.
func TestSplitKey_random(t *testing.T) {
	key := newVaultKey(t)
	seen := map[string]bool{}
	for range 20 {
		shares, err := SplitKey(key, 3, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range shares {
			if seen[s] {
				t.Fatal("a share came twice")
			}
			seen[s] = true
		}
	}
}
