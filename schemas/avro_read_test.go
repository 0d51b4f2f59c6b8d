package schemas

import (
	"bytes"
	"encoding/binary"
	"testing"

	"pgregory.net/rapid"
)

// Numbers are read as encoding/binary reads them, whatever lies behind.
func TestCursor_long(t *testing.T) {
	compare := func(t interface {
		Helper()
		Fatalf(string, ...any)
	}, b []byte,
	) {
		t.Helper()
		want, size := binary.Varint(b)
		c := &cursor{b: b}
		if n := c.long(); c.refused != (size <= 0) || size > 0 && (n != want || c.at != size) {
			t.Fatalf("%x is %d of %d bytes (refused: %v), want %d of %d", b, n, c.at, c.refused, want, size)
		}
	}
	for _, behind := range [][]byte{nil, {0}, {0xFF}, bytes.Repeat([]byte{0xFF}, 12), make([]byte, 12)} {
		for shift := range 64 {
			for _, n := range []int64{1 << shift, 1<<shift - 1, -1 << shift, -1<<shift - 1} {
				compare(t, append(binary.AppendVarint(nil, n), behind...))
			}
		}
		for length := range 12 { // more bytes than are needed
			for _, last := range []byte{0, 1, 2, 0x7F} {
				for _, sign := range []byte{0x80, 0xFF} {
					compare(t, append(append(bytes.Repeat([]byte{sign}, length), last), behind...))
				}
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		compare(t, append(binary.AppendVarint(nil, rapid.Int64().Draw(t, "number")), rapid.SliceOf(rapid.Byte()).Draw(t, "behind")...))
		compare(t, rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
	})
}
