package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
)

// canarySearch finds the words of the canary tenant in any bytes, however they
// were written.
type canarySearch struct {
	folded [][]byte // forms whose letters may be of either case, in lower case
	exact  [][]byte
}

func newCanarySearch(words ...string) *canarySearch {
	s := &canarySearch{}
	for _, word := range words {
		lower := strings.ToLower(word)
		s.folded = append(s.folded, []byte(lower), utf16Bytes(lower, 0), utf16Bytes(lower, 1))
		for _, spelling := range []string{lower, strings.ToUpper(lower), strings.ToUpper(lower[:1]) + lower[1:]} {
			for _, text := range [][]byte{[]byte(spelling), utf16Bytes(spelling, 0), utf16Bytes(spelling, 1)} {
				s.exact = append(s.exact, base64Forms(text)...)
			}
			var percent, escaped strings.Builder
			for i := range len(spelling) {
				fmt.Fprintf(&percent, "%%%02x", spelling[i])
				fmt.Fprintf(&escaped, `\u%04x`, spelling[i])
			}
			s.folded = append(s.folded, []byte(percent.String()), []byte(escaped.String()), []byte(hex.EncodeToString([]byte(spelling))))
		}
		if strings.Contains(lower, ":") {
			s.folded = append(s.folded, []byte(strings.ReplaceAll(lower, ":", "%3a")))
		}
	}
	unique := func(forms [][]byte) [][]byte {
		slices.SortFunc(forms, bytes.Compare)
		return slices.CompactFunc(forms, bytes.Equal)
	}
	s.folded, s.exact = unique(s.folded), unique(s.exact)
	return s
}

// utf16Bytes writes a text in UTF-16, the high byte at 1 or 0 of each pair.
func utf16Bytes(text string, low int) (b []byte) {
	for _, unit := range utf16.Encode([]rune(text)) {
		pair := [2]byte{}
		pair[low], pair[1-low] = byte(unit), byte(unit>>8)
		b = append(b, pair[:]...)
	}
	return b
}

// base64Forms are the characters that stand for a text wherever it lies in what
// was encoded.
func base64Forms(text []byte) (forms [][]byte) {
	for before := range 3 {
		// Characters at the ends share bits with what is around the text.
		padded := append(make([]byte, before), text...)
		first, last := (before*8+5)/6, len(padded)*8/6
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			forms = append(forms, []byte(encoding.EncodeToString(padded)[first:last]))
		}
	}
	return forms
}

// in returns what is around the first find, quoted, or nothing.
func (s *canarySearch) in(data []byte) string {
	// Byte by byte: what is not UTF-8 must keep its place.
	lower := bytes.Clone(data)
	for i, c := range lower {
		if 'A' <= c && c <= 'Z' {
			lower[i] = c + 'a' - 'A'
		}
	}
	for _, look := range []struct {
		forms [][]byte
		data  []byte
	}{{s.folded, lower}, {s.exact, data}} {
		for _, form := range look.forms {
			if i := bytes.Index(look.data, form); i >= 0 {
				return fmt.Sprintf("%q", data[max(0, i-80):min(len(data), i+len(form)+40)])
			}
		}
	}
	return ""
}

func TestCanarySearch(t *testing.T) {
	s := newCanarySearch(canary, "2001:db8:")
	for _, text := range []string{
		canary, "ZQCANARY", "Ada.ZqCanary", "x\x00z\x00q\x00c\x00a\x00n\x00a\x00r\x00y\x00", "\x00z\x00q\x00c\x00a\x00n\x00a\x00r\x00y",
		"%7a%71%63%61%6e%61%72%79", "%7A%71%63%61%6E%61%72%79", `\u007a\u0071\u0063\u0061\u006e\u0061\u0072\u0079`,
		hex.EncodeToString([]byte(canary)), "\xff" + canary, "2001:DB8:1::1", "2001%3Adb8%3A1",
		base64.StdEncoding.EncodeToString([]byte(canary)), base64.StdEncoding.EncodeToString([]byte("u=" + canary + ".")),
		base64.URLEncoding.EncodeToString([]byte("?Zqcanary?")), base64.StdEncoding.EncodeToString(utf16Bytes("zqcanary", 0)),
	} {
		if s.in([]byte("before"+text+"after")) == "" {
			t.Errorf("%q is overlooked", text)
		}
	}
	for _, text := range []string{"", "canary", "zq canary", "2001:0db8:", strings.Repeat("zqcanar", 9)} {
		if found := s.in([]byte(text)); found != "" {
			t.Errorf("%q is found in %q", found, text)
		}
	}
}
