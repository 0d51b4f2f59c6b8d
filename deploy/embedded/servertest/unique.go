package servertest

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
	"testing"
)

// Unique returns a name that no other test, call or run gets, made of lower-case letters,
// digits and underscores, and at most 60 long: it is safe as or in front of a topic, a
// group, a key or a database.
func Unique(tb testing.TB) string {
	tb.Helper()
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '_'
	}, tb.Name())
	if len(name) > 40 {
		name = name[len(name)-40:] // the end names the subtest
	}
	var random [8]byte
	rand.Read(random[:]) // never fails, and needs no state between calls
	return "t_" + strings.Trim(name, "_") + "_" + hex.EncodeToString(random[:])
}
