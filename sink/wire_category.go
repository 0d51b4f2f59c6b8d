package sink

import (
	"encoding/binary"
	"math"
	"strings"
)

// categories are LowCardinality(String): a dictionary, and its keys. ClickHouse would take plain
// strings as well and make the dictionary itself, which costs it more.
type categories struct {
	keys  []uint32
	known map[string]uint32
	words []string // the dictionary, in the order of its keys; the first is ""
	last  uint32   // the key before: neighbours are often equal
}

func newCategories() *categories {
	return &categories{known: map[string]uint32{}, words: []string{""}}
}

func (c *categories) add(value string) {
	switch {
	case value == "":
		c.keys = append(c.keys, 0)
		return
	case value != c.words[c.last]:
		c.last = c.key(value)
	}
	c.keys = append(c.keys, c.last)
}

func (c *categories) key(value string) uint32 {
	key, ok := c.known[value]
	if !ok {
		value = strings.Clone(value)
		key = uint32(len(c.words))
		c.words = append(c.words, value)
		c.known[value] = key
	}
	return key
}

func (c *categories) addZeros(n int) { c.keys = appendZeros(c.keys, n) }

func (c *categories) reset() {
	clear(c.known)
	clear(c.words)
	c.keys, c.words, c.last = c.keys[:0], c.words[:1], 0
}

// From the format's definition: the version of the keys' serialisation, and that the block brings
// a dictionary of its own, with the width of a key.
// https://github.com/ClickHouse/ClickHouse/blob/master/src/DataTypes/Serializations/SerializationLowCardinality.cpp
const (
	dictionaryVersion = 1
	ownDictionary     = 1<<9 | 1<<10
	keys8             = 0
	keys16            = 1
	keys32            = 2
)

func (c *categories) appendPrefix(dst []byte) []byte {
	return binary.LittleEndian.AppendUint64(dst, dictionaryVersion)
}

func (c *categories) appendValues(dst []byte) []byte {
	if len(c.keys) == 0 {
		return dst // of an array whose values are all empty
	}
	width := uint64(keys32)
	switch {
	case len(c.words) <= math.MaxUint8:
		width = keys8
	case len(c.words) <= math.MaxUint16:
		width = keys16
	}
	dst = binary.LittleEndian.AppendUint64(dst, ownDictionary|width)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(len(c.words)))
	for _, word := range c.words {
		dst = append(binary.AppendUvarint(dst, uint64(len(word))), word...)
	}
	dst = binary.LittleEndian.AppendUint64(dst, uint64(len(c.keys)))
	switch width {
	case keys8:
		for _, key := range c.keys {
			dst = append(dst, byte(key))
		}
	case keys16:
		for _, key := range c.keys {
			dst = binary.LittleEndian.AppendUint16(dst, uint16(key))
		}
	default:
		for _, key := range c.keys {
			dst = binary.LittleEndian.AppendUint32(dst, key)
		}
	}
	return dst
}
