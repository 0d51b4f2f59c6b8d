package schemas

import "encoding/binary"

// What follows appends values in Avro's binary encoding.
// https://avro.apache.org/docs/1.12.0/specification/#binary-encoding

// appendLong appends an int or a long.
func appendLong(b []byte, n int64) []byte { return binary.AppendVarint(b, n) }

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

func appendText(b []byte, text string) []byte {
	return append(appendLong(b, int64(len(text))), text...)
}

// appendTexts appends an array of strings.
func appendTexts(b []byte, texts []string) []byte {
	if len(texts) > 0 {
		b = appendLong(b, int64(len(texts)))
		for _, text := range texts {
			b = appendText(b, text)
		}
	}
	return append(b, 0)
}

// appendHashes appends an array of longs.
func appendHashes(b []byte, hashes []Hash) []byte {
	if len(hashes) > 0 {
		b = appendLong(b, int64(len(hashes)))
		for _, h := range hashes {
			b = appendLong(b, int64(h))
		}
	}
	return append(b, 0)
}

// appendPresent begins a union of null and a type.
func appendPresent(b []byte, present bool) []byte {
	if present {
		return appendLong(b, 1)
	}
	return appendLong(b, 0)
}

func appendOptionalBool(b []byte, v *bool) []byte {
	if b = appendPresent(b, v != nil); v != nil {
		b = appendBool(b, *v)
	}
	return b
}

func appendOptionalBytes(b, v []byte) []byte {
	if b = appendPresent(b, v != nil); v != nil {
		b = append(appendLong(b, int64(len(v))), v...)
	}
	return b
}
