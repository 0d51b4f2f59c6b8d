package normalise

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"
)

// lowercase is strings.ToLower at a third of the cost for ASCII, of which nearly all
// that is compared is made.
func lowercase(text string) string {
	if isLowerASCII(text) {
		return text
	}
	if !isASCII(text) {
		return strings.ToLower(text)
	}
	return borrowed(appendLower(make([]byte, 0, len(text)), text))
}

// folding is room for a text in lower case that is compared and not kept.
type folding [256]byte

// lower returns the text in lower case, valid until the next call.
func (f *folding) lower(text string) string {
	if len(text) > len(f) || !isASCII(text) {
		return lowercase(text)
	}
	return borrowed(appendLower(f[:0], text))
}

// scratch is room for texts that are needed for a moment only, as much as they take.
type scratch struct{ free []byte }

// reset gives up all texts that were made.
func (s *scratch) reset() { s.free = s.free[:0] }

// lower returns the text in lower case, valid until reset.
func (s *scratch) lower(text string) string {
	switch {
	case isLowerASCII(text):
		return text
	case !isASCII(text):
		return strings.ToLower(text)
	}
	start := len(s.free)
	s.free = appendLower(s.free, text) // where it moves, earlier texts keep the memory that they are in
	return borrowed(s.free[start:len(s.free):len(s.free)])
}

// withSlashes returns the text with slashes for backslashes, valid until reset.
func (s *scratch) withSlashes(text string) string {
	if strings.IndexByte(text, '\\') < 0 {
		return text
	}
	start := len(s.free)
	s.free = append(s.free, text...)
	made := s.free[start:len(s.free):len(s.free)]
	for i, c := range made {
		if c == '\\' {
			made[i] = '/'
		}
	}
	return borrowed(made)
}

// appendLower appends ASCII text in lower case.
func appendLower(b []byte, text string) []byte {
	for ; len(text) >= 8; text = text[8:] {
		word := word8(text)
		word |= capitals(word) >> 2 // A to Z lack 0x20
		b = binary.LittleEndian.AppendUint64(b, word)
	}
	for i := range len(text) {
		c := text[i]
		if isUpper(c) {
			c |= 0x20
		}
		b = append(b, c)
	}
	return b
}

const highs = 0x8080808080808080 // the highest bit of each of 8 bytes

// capitals sets the highest bit of the bytes that are A to Z. All must be ASCII.
func capitals(word uint64) uint64 {
	const each = 0x0101010101010101
	return (word + (0x80-'A')*each) &^ (word + (0x80-'Z'-1)*each) & highs
}

// isLowerASCII tells texts that are ASCII without capital letters.
func isLowerASCII(text string) bool {
	for ; len(text) >= 8; text = text[8:] {
		if word := word8(text); word&highs != 0 || capitals(word) != 0 {
			return false
		}
	}
	for i := range len(text) {
		if text[i] >= 0x80 || isUpper(text[i]) {
			return false
		}
	}
	return true
}

func isASCII(text string) bool {
	if len(text) >= 8 {
		for i := 0; i+8 < len(text); i += 8 {
			if word8(text[i:])&highs != 0 {
				return false
			}
		}
		return word8(text[len(text)-8:])&highs == 0
	}
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// containsFold is strings.Contains for a part in lower case, whatever the case of
// ASCII letters. The part begins with no letter.
func containsFold(text, part string) bool {
	for {
		i := strings.IndexByte(text, part[0])
		if i < 0 || len(text)-i < len(part) {
			return false
		}
		if strings.EqualFold(text[i:i+len(part)], part) {
			return true
		}
		text = text[i+1:]
	}
}

// hasPrefixFold is strings.HasPrefix whatever the case of ASCII letters.
func hasPrefixFold(text, prefix string) bool {
	return len(text) >= len(prefix) && strings.EqualFold(text[:len(prefix)], prefix)
}
