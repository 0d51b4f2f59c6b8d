package schemas

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"unsafe"
)

// cursor reads values in Avro's binary encoding, one behind the other. What it
// refuses may be sound all the same (the library reads unions whose branch is
// spelt at length, for example); from then on everything reads as zero, so that
// one look at the end is enough. It never trusts a length: nothing larger than
// some multiple of b is allocated.
// https://avro.apache.org/docs/1.12.0/specification/#binary-encoding
type cursor struct {
	b       []byte
	at      int
	refused bool
}

func (c *cursor) refuse() { *c = cursor{refused: true} }

// done says whether everything was read, and nothing is left.
func (c *cursor) done() bool { return !c.refused && c.at == len(c.b) }

// long reads a long. Most have one byte.
func (c *cursor) long() int64 {
	if c.at < len(c.b) && c.b[c.at] < 0x80 {
		n := int64(c.b[c.at])
		c.at++
		return n>>1 ^ -(n & 1)
	}
	return c.longer()
}

// longer reads a long of several bytes. Times have six, and hashes nine or ten: the
// first eight are taken at once.
func (c *cursor) longer() int64 {
	left := c.b[c.at:]
	if len(left) < binary.MaxVarintLen64 {
		return c.last()
	}
	word := binary.LittleEndian.Uint64(left)
	size := 8
	if ends := ^word & 0x8080808080808080; ends != 0 {
		word &= ends ^ (ends - 1) // the bytes up to the first without the sign that more follow
		size = bits.TrailingZeros64(ends)/8 + 1
	}
	// Seven bits of each byte are the number's: they are pushed together in pairs.
	word = word&0x007F007F007F007F | word>>1&0x3F803F803F803F80
	word = word&0x00003FFF00003FFF | word>>2&0x0FFFC0000FFFC000
	word = word&0x000000000FFFFFFF | word>>4&0x00FFFFFFF0000000
	if size == 8 && left[7] >= 0x80 {
		word |= uint64(left[8]) << 56 // but for the sign
		size = 9
		if left[8] >= 0x80 {
			if left[9] > 1 {
				c.refuse()
				return 0
			}
			word = word&^(1<<63) | uint64(left[9])<<63
			size = 10
		}
	}
	c.at += size
	return int64(word>>1) ^ -int64(word&1)
}

// last is longer where less is left than the longest long.
func (c *cursor) last() int64 {
	n, size := binary.Varint(c.b[c.at:])
	if size <= 0 {
		c.refuse()
		return 0
	}
	c.at += size
	return n
}

// int reads an int, which is a long of 32 bits.
func (c *cursor) int() int32 {
	before := c.at
	n := c.long()
	if int64(int32(n)) != n || c.at-before > binary.MaxVarintLen32 {
		c.refuse()
		return 0
	}
	return int32(n)
}

func (c *cursor) byte() byte {
	if c.at >= len(c.b) {
		c.refuse()
		return 0
	}
	c.at++
	return c.b[c.at-1]
}

// bool reads a boolean; what is neither 0 nor 1 is false, as the library has it.
func (c *cursor) bool() bool { return c.byte() == 1 }

// take reads n bytes, which lie in b.
func (c *cursor) take(n int64) []byte {
	if n < 0 || n > int64(len(c.b)-c.at) {
		c.refuse()
		return nil
	}
	from := c.at
	c.at += int(n)
	return c.b[from:c.at:c.at]
}

// text reads a string, which lies in b.
func (c *cursor) text() string {
	b := c.take(c.long())
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// block begins a block of an array and returns how many values are in it; 0 when
// the array ends.
func (c *cursor) block() int {
	n := c.long()
	if n < 0 {
		n = -n
		c.long() // the block's size, for who wants to skip it
	}
	if n < 0 || n > int64(len(c.b)-c.at) { // a value has a byte at least
		c.refuse()
		return 0
	}
	return int(n)
}

// texts reads an array of strings into the memory of list.
func (c *cursor) texts(list []string) []string {
	list = list[:0]
	for n := c.block(); n > 0; n = c.block() {
		list = slices.Grow(list, n)
		for range n {
			list = append(list, c.text())
		}
	}
	if list == nil {
		return []string{}
	}
	return list
}

// hashes reads an array of longs into the memory of list.
func (c *cursor) hashes(list []Hash) []Hash {
	list = list[:0]
	for n := c.block(); n > 0; n = c.block() {
		list = slices.Grow(list, n)
		for range n {
			list = append(list, Hash(c.long()))
		}
	}
	if list == nil {
		return []Hash{}
	}
	return list
}

// present begins a union of null and a type.
func (c *cursor) present() bool {
	switch c.byte() {
	case 0:
		return false
	case 2: // a long 1
		return true
	}
	c.refuse()
	return false
}

// optional begins a union of null and what v points to: nil, or where to read it
// into, which is v if there is one.
func optional[T any](c *cursor, v *T) *T {
	switch {
	case !c.present():
		return nil
	case v == nil:
		return new(T)
	}
	return v
}

func (c *cursor) optionalBool(v *bool) *bool {
	if v = optional(c, v); v != nil {
		*v = c.bool()
	}
	return v
}

func (c *cursor) optionalBytes() []byte {
	if !c.present() {
		return nil
	}
	return c.take(c.long())
}

// symbolAt reads an enum, whose schema lists the symbols.
func symbolAt[T any](c *cursor, symbols []T) T {
	place := c.int()
	if place < 0 || int(place) >= len(symbols) {
		c.refuse()
		place = 0
	}
	return symbols[place]
}
