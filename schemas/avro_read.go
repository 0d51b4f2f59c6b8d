package schemas

import (
	"encoding/binary"
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

func (c *cursor) longer() int64 {
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
