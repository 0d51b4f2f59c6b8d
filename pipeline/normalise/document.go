package normalise

import (
	"math/bits"
	"strings"
)

// document is JSON text taken apart: its values in the order in which they stand
// there, as spans of the text. Nothing is copied but what escapes spell, and what a
// document holds in memory is used again for the next text. It reads what writers
// of JSON get wrong in practice, such as NaN, signs and zeros before numbers or
// line breaks within strings.
//
// It exists since normalising is mostly reading JSON: taken apart by a general
// parser, a record costs three times as much, and most members that are asked for
// are absent, which a parser without hashes of the names finds out slowly.
type document struct {
	text   string
	values []value
	slots  []uint32 // the tables of the objects' members: indexes of values, 0 where free
	at     int      // what the parser reads next
	depth  int      // how much deeper it may nest
}

// kind is the type of a value.
type kind uint8

const (
	kindNull kind = iota
	kindTrue
	kindFalse
	kindNumber
	kindText
	kindList
	kindObject
)

// value is one value of a document. Positions are bytes of the text.
type value struct {
	kind        kind
	escaped     bool   // a text with escapes in it
	nameEscaped bool   // as a member's name
	hash        uint32 // of the name in lower case, for members
	name        uint32 // where the name begins and ends, without quotes
	nameEnd     uint32
	start, end  uint32 // the value itself, texts without quotes
	next        uint32 // the value behind this one and all that is in it
	count       uint32 // members or elements
	table       uint32 // where the object's table begins among the slots
}

// The errors of parse are an error's text and a reason: what is wrong is told by
// Reject.Reason, and where it is would quote the record.
type parseFailure uint8

const (
	parsed parseFailure = iota
	notJSON
	tooDeep
	tooMany
)

// parse takes text apart that nests so deep at most. The values refer to it, so it
// must not change.
func (d *document) parse(text string, depth int) parseFailure {
	d.text, d.values, d.slots, d.at, d.depth = text, d.values[:0], d.slots[:0], 0, depth
	if failure := d.value(); failure != parsed {
		return failure
	}
	d.blanks()
	if d.at != len(text) {
		return notJSON
	}
	return parsed
}

// value reads one value and appends it and what is in it.
func (d *document) value() parseFailure {
	if len(d.values) > maxValues {
		return tooMany
	}
	d.blanks()
	if d.at == len(d.text) {
		return notJSON
	}
	index := len(d.values)
	d.values = append(d.values, value{start: uint32(d.at)})
	failure := parsed
	switch c := d.text[d.at]; c {
	case '{', '[':
		if d.depth--; d.depth < 0 {
			return tooDeep
		}
		d.at++
		if c == '{' {
			failure = d.members(index)
		} else {
			failure = d.elements(index)
		}
		d.depth++
	case '"':
		start, end, escaped, ok := d.quoted()
		if !ok {
			return notJSON
		}
		v := &d.values[index]
		v.kind, v.start, v.end, v.escaped = kindText, start, end, escaped
	case 't':
		failure = d.word(index, kindTrue, "true")
	case 'f':
		failure = d.word(index, kindFalse, "false")
	case 'n':
		if failure = d.word(index, kindNull, "null"); failure != parsed {
			failure = d.number(index)
		}
	default:
		failure = d.number(index)
	}
	d.values[index].next = uint32(len(d.values))
	return failure
}

func (d *document) members(index int) parseFailure {
	count := uint32(0)
	if d.blanks(); d.is('}') {
		d.close(index, kindObject, 0)
		return parsed
	}
	for {
		if d.blanks(); !d.is('"') {
			return notJSON
		}
		name, nameEnd, escaped, ok := d.quoted()
		if !ok {
			return notJSON
		}
		if d.blanks(); !d.is(':') {
			return notJSON
		}
		d.at++
		member := len(d.values)
		if failure := d.value(); failure != parsed {
			return failure
		}
		v := &d.values[member]
		v.name, v.nameEnd, v.nameEscaped = name, nameEnd, escaped
		v.hash = foldedHash(d.nameOf(v))
		count++
		if d.blanks(); d.is('}') {
			d.close(index, kindObject, count)
			d.tabulate(index)
			return parsed
		}
		if !d.is(',') {
			return notJSON
		}
		d.at++
	}
}

func (d *document) elements(index int) parseFailure {
	count := uint32(0)
	if d.blanks(); d.is(']') {
		d.close(index, kindList, 0)
		return parsed
	}
	for {
		if failure := d.value(); failure != parsed {
			return failure
		}
		count++
		if d.blanks(); d.is(']') {
			d.close(index, kindList, count)
			return parsed
		}
		if !d.is(',') {
			return notJSON
		}
		d.at++
	}
}

// close ends the list or object of that index at the bracket.
func (d *document) close(index int, k kind, count uint32) {
	d.at++
	v := &d.values[index]
	v.kind, v.count, v.end = k, count, uint32(d.at)
}

// maxTabulated is how many members an object has that gets a table. Rows have some
// hundreds at most, and whoever makes up names of one hash shall not make tables slow.
const maxTabulated = 512

// tabulate makes the table by which the members of the object of that index are
// found: open addressing by the hashes of their names, at most half full. Members
// of one hash stand in their order.
func (d *document) tabulate(index int) {
	v := &d.values[index]
	if v.count > maxTabulated {
		return
	}
	v.table = uint32(len(d.slots))
	mask := v.tableMask()
	d.slots = append(d.slots, make([]uint32, mask+1)...)
	table := d.slots[v.table:]
	for i := uint32(index) + 1; i < uint32(len(d.values)); {
		member := &d.values[i]
		slot := member.hash & mask
		for table[slot] != 0 {
			slot = (slot + 1) & mask
		}
		table[slot] = i
		i = member.next
	}
}

// tableMask is the length of an object's table, a power of two, less one.
func (v *value) tableMask() uint32 { return 1<<bits.Len32(2*v.count-1) - 1 }

func (d *document) is(c byte) bool { return d.at < len(d.text) && d.text[d.at] == c }

func (d *document) blanks() {
	for d.at < len(d.text) && d.text[d.at] <= ' ' {
		switch d.text[d.at] {
		case ' ', '\n', '\t', '\r':
			d.at++
		default:
			return
		}
	}
}

func (d *document) word(index int, k kind, word string) parseFailure {
	if !strings.HasPrefix(d.text[d.at:], word) {
		return notJSON
	}
	d.at += len(word)
	v := &d.values[index]
	v.kind, v.end = k, uint32(d.at)
	return parsed
}

// number takes whatever is made of the characters of numbers, and infinities and
// NaN, which JSON does not have and many writers do.
func (d *document) number(index int) parseFailure {
	i := d.at
	for i < len(d.text) && isNumeric(d.text[i]) {
		i++
	}
	if signed := i == d.at+1 && (d.text[d.at] == '-' || d.text[d.at] == '+'); i == d.at || signed {
		if i < len(d.text) {
			if len(d.text)-i < 3 || !strings.EqualFold(d.text[i:i+3], "inf") && !strings.EqualFold(d.text[i:i+3], "nan") {
				return notJSON
			}
			i += 3
		}
	}
	v := &d.values[index]
	v.kind, v.end = kindNumber, uint32(i)
	d.at = i
	return parsed
}

func isNumeric(c byte) bool {
	return c >= '0' && c <= '9' || c == '.' || c == '-' || c == 'e' || c == 'E' || c == '+'
}

// quoted reads a string from its opening quote on, eight bytes at a time.
func (d *document) quoted() (start, end uint32, escaped, ok bool) {
	text := d.text
	first := d.at + 1
	i := first
	for {
		for i+8 <= len(text) {
			found := quoteOrBackslash(word8(text[i:]))
			if found != 0 {
				i += bits.TrailingZeros64(found) / 8
				break
			}
			i += 8
		}
		for i < len(text) && text[i] != '"' && text[i] != '\\' {
			i++
		}
		if i >= len(text) {
			return 0, 0, false, false
		}
		if text[i] == '"' {
			d.at = i + 1
			return uint32(first), uint32(i), escaped, true
		}
		escaped = true
		i += 2
	}
}

// word8 is the first eight bytes of a text, which must be there.
func word8(text string) uint64 {
	_ = text[7]
	return uint64(text[0]) | uint64(text[1])<<8 | uint64(text[2])<<16 | uint64(text[3])<<24 |
		uint64(text[4])<<32 | uint64(text[5])<<40 | uint64(text[6])<<48 | uint64(text[7])<<56
}

// word4 is the first four bytes of a text, which must be there.
func word4(text string) uint64 {
	_ = text[3]
	return uint64(text[0]) | uint64(text[1])<<8 | uint64(text[2])<<16 | uint64(text[3])<<24
}

// quoteOrBackslash sets the highest bit of the bytes which are " or \. Bytes behind
// the first one found may be set wrongly.
// https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord
func quoteOrBackslash(word uint64) uint64 {
	const (
		ones = 0x0101010101010101
	)
	quote, backslash := word^(ones*'"'), word^(ones*'\\')
	return ((quote-ones)&^quote | (backslash-ones)&^backslash) & highs
}

// foldedHash is the same for names that differ in the case of ASCII letters only.
func foldedHash(name string) uint32 {
	const (
		lower = 0x2020202020202020
		prime = 0x9E3779B97F4A7C15
	)
	var head, tail uint64
	switch n := len(name); {
	case n >= 8:
		head, tail = word8(name), word8(name[n-8:])
	case n >= 4:
		head, tail = word4(name), word4(name[n-4:])
	case n > 0:
		head, tail = uint64(name[0]), uint64(name[n/2])<<8|uint64(name[n-1])
	}
	h := ((head|lower)*prime ^ (tail | lower) + uint64(len(name))) * prime
	return uint32(h >> 32)
}

// nameOf is a member's name.
func (d *document) nameOf(v *value) string {
	name := d.text[v.name:v.nameEnd]
	if v.nameEscaped {
		return unescaped(name)
	}
	return name
}

// textOf is a text's content.
func (d *document) textOf(v *value) string {
	text := d.text[v.start:v.end]
	if v.escaped {
		return unescaped(text)
	}
	return text
}
