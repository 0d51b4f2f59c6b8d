package normalise

import (
	"math/bits"
	"strconv"
	"strings"
	"unicode/utf16"
)

// unescaped resolves the escapes of a JSON string. What is no escape stays as it is.
func unescaped(text string) string {
	b := make([]byte, 0, len(text))
	for {
		i := strings.IndexByte(text, '\\')
		if i < 0 || i+1 == len(text) {
			return string(append(b, text...))
		}
		b = append(b, text[:i]...)
		c := text[i+1]
		text = text[i+2:]
		switch c {
		case '"', '\\', '/':
			b = append(b, c)
		case 'b':
			b = append(b, '\b')
		case 'f':
			b = append(b, '\f')
		case 'n':
			b = append(b, '\n')
		case 'r':
			b = append(b, '\r')
		case 't':
			b = append(b, '\t')
		case 'u':
			b, text = appendCodePoint(b, text)
		default:
			b = append(b, '\\', c)
		}
	}
}

// appendCodePoint resolves what comes behind \u.
func appendCodePoint(b []byte, text string) ([]byte, string) {
	unit, ok := codeUnit(text)
	if !ok {
		return append(b, `\u`...), text
	}
	rest := text[4:]
	if !utf16.IsSurrogate(unit) {
		return append(b, string(unit)...), rest
	}
	if strings.HasPrefix(rest, `\u`) {
		if second, ok := codeUnit(rest[2:]); ok {
			return append(b, string(utf16.DecodeRune(unit, second))...), rest[6:]
		}
	}
	return append(append(b, `\u`...), text[:4]...), rest // half of a pair
}

func codeUnit(text string) (rune, bool) {
	if len(text) < 4 {
		return 0, false
	}
	unit, err := strconv.ParseUint(text[:4], 16, 16)
	return rune(unit), err == nil
}

// appendJSON appends the value of that index as compact JSON, the same for any
// spelling of it.
func (d *document) appendJSON(b []byte, index uint32) []byte {
	v := &d.values[index]
	switch v.kind {
	case kindText:
		return appendQuoted(b, d.textOf(v))
	case kindList, kindObject:
		brackets := "[]"
		if v.kind == kindObject {
			brackets = "{}"
		}
		b = append(b, brackets[0])
		for i := index + 1; i < v.next; i = d.values[i].next {
			if i > index+1 {
				b = append(b, ',')
			}
			if v.kind == kindObject {
				b = append(appendQuoted(b, d.nameOf(&d.values[i])), ':')
			}
			b = d.appendJSON(b, i)
		}
		return append(b, brackets[1])
	default:
		return append(b, d.text[v.start:v.end]...)
	}
}

// appendQuoted appends a JSON string.
func appendQuoted(b []byte, text string) []byte {
	const digits = "0123456789abcdef"
	b = append(b, '"')
	for {
		plain := unescapedLength(text)
		b = append(b, text[:plain]...)
		if plain == len(text) {
			return append(b, '"')
		}
		c := text[plain]
		if c < ' ' {
			b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		} else {
			b = append(b, '\\', c)
		}
		text = text[plain+1:]
	}
}

// unescapedLength is how many bytes at the start of a text need no escape.
func unescapedLength(text string) int {
	i := 0
	for ; i+8 <= len(text); i += 8 {
		word := word8(text[i:])
		if found := quoteOrBackslash(word) | controls(word); found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for i < len(text) && text[i] >= ' ' && text[i] != '"' && text[i] != '\\' {
		i++
	}
	return i
}

// controls sets the highest bit of the bytes below a blank. Bytes behind the first
// one found may be set wrongly.
func controls(word uint64) uint64 {
	const blanks = 0x2020202020202020
	return (word - blanks) &^ word & highs
}
