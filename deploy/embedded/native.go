package embedded

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// From these protocol revisions on, a Native block begins with a header, its header has
// a third field, and every column says whether it is serialised in a special way.
const (
	revisionBlockInfo           = 1
	revisionCustomSerialization = 54454
	revisionOutOfOrderBuckets   = 54480
)

var errTruncated = errors.New("the block ends early")

// rewriteNative turns the engine's Native output, always of protocol revision 0, into
// that of the client's revision. Values are not touched: only the places between
// columns are found, and what newer revisions have there is put in.
//
// retype returns the type to announce for column i. Revision 0 hides the time zone of
// DateTime columns, which nothing in the data can bring back.
func rewriteNative(w io.Writer, data []byte, revision int, retype func(i int, name string) string) error {
	if revision < revisionBlockInfo {
		_, err := w.Write(data)
		return err
	}
	r := nativeReader{data: data}
	for r.pos < len(r.data) {
		if err := rewriteBlock(w, &r, revision, retype); err != nil {
			return err
		}
	}
	return nil
}

func rewriteBlock(w io.Writer, r *nativeReader, revision int, retype func(int, string) string) error {
	columns, rows := r.uvarint(), r.uvarint()
	if r.err != nil {
		return r.err
	}
	// Fields: 1 = overflow row, 2 = bucket (-1: none), 3 = buckets out of order, 0 = end.
	head := []byte{1, 0, 2, 0xff, 0xff, 0xff, 0xff}
	if revision >= revisionOutOfOrderBuckets {
		head = append(head, 3, 0)
	}
	head = append(head, 0)
	head = binary.AppendUvarint(head, columns)
	head = binary.AppendUvarint(head, rows)

	for i := range int(columns) {
		name, typeName := r.str(), r.str()
		start := r.pos
		if r.err == nil && rows > 0 {
			t, err := parseNativeType(typeName)
			if err != nil {
				return fmt.Errorf("column %s: %w; cast it to String or ask for another FORMAT", name, err)
			}
			r.skipPrefix(t)
			r.skipValues(t, rows)
		}
		if r.err != nil {
			return fmt.Errorf("column %s %s: %w", name, typeName, r.err)
		}
		typeName = retype(i, typeName)
		head = binary.AppendUvarint(head, uint64(len(name)))
		head = append(head, name...)
		head = binary.AppendUvarint(head, uint64(len(typeName)))
		head = append(head, typeName...)
		if revision >= revisionCustomSerialization {
			head = append(head, 0)
		}
		if _, err := w.Write(head); err != nil {
			return err
		}
		if _, err := w.Write(r.data[start:r.pos]); err != nil {
			return err
		}
		head = head[:0]
	}
	_, err := w.Write(head)
	return err
}

// nativeReader walks over a block. After the first error it stands still.
type nativeReader struct {
	data []byte
	pos  int
	err  error
}

// skipPrefix leaves what precedes all values of a column.
func (r *nativeReader) skipPrefix(t nativeType) {
	switch t.kind {
	case kindLowCardinality:
		r.skip(8) // version of the keys
		return
	case kindVariant:
		r.skip(8) // mode of the discriminators
	default:
	}
	for _, arg := range t.args {
		r.skipPrefix(arg)
	}
}

func (r *nativeReader) skipValues(t nativeType, rows uint64) {
	if rows == 0 || r.err != nil {
		return
	}
	switch t.kind {
	case kindFixed:
		r.skipMany(rows, t.width)
	case kindString:
		for range rows {
			r.skipMany(r.uvarint(), 1)
			if r.err != nil {
				return
			}
		}
	case kindNullable:
		r.skipMany(rows, 1)
		r.skipValues(t.args[0], rows)
	case kindArray:
		r.skipMany(rows-1, 8)
		r.skipValues(t.args[0], r.uint64()) // the last offset is the number of elements
	case kindTuple:
		for _, arg := range t.args {
			r.skipValues(arg, rows)
		}
	case kindLowCardinality:
		r.skipLowCardinality(t.args[0], rows)
	case kindVariant:
		r.skipVariant(t.args, rows)
	}
}

func (r *nativeReader) skipLowCardinality(dictionary nativeType, rows uint64) {
	const hasGlobalKeys, hasKeys = 1 << 8, 1 << 9
	if dictionary.kind == kindNullable { // NULL is a key like any other
		dictionary = dictionary.args[0]
	}
	flags := r.uint64()
	for _, flag := range []uint64{hasGlobalKeys, hasKeys} {
		if flags&flag != 0 {
			r.skipValues(dictionary, r.uint64())
		}
	}
	indexes := r.uint64()
	if r.err == nil && indexes != rows {
		r.err = fmt.Errorf("%d keys for %d rows", indexes, rows)
	}
	r.skipMany(rows, 1<<(flags&0xf))
}

func (r *nativeReader) skipVariant(args []nativeType, rows uint64) {
	const null = 255
	counts := make([]uint64, len(args))
	start := r.pos
	r.skipMany(rows, 1)
	if r.err != nil {
		return
	}
	for _, d := range r.data[start:r.pos] {
		if int(d) < len(counts) {
			counts[d]++
		} else if d != null {
			r.err = fmt.Errorf("variant %d of %d", d, len(args))
			return
		}
	}
	for i, arg := range args {
		r.skipValues(arg, counts[i])
	}
}

func (r *nativeReader) skip(n int) { r.skipMany(1, n) }

// skipMany compares by division: counts come from the data and could overflow.
func (r *nativeReader) skipMany(n uint64, width int) {
	if r.err != nil {
		return
	}
	left := uint64(len(r.data) - r.pos)
	if width > 0 && n > left/uint64(width) {
		r.err = errTruncated
		return
	}
	r.pos += int(n) * width
}

func (r *nativeReader) uvarint() uint64 {
	if r.err != nil {
		return 0
	}
	v, n := binary.Uvarint(r.data[r.pos:])
	if n <= 0 {
		r.err = errTruncated
		return 0
	}
	r.pos += n
	return v
}

func (r *nativeReader) uint64() uint64 {
	start := r.pos
	r.skip(8)
	if r.err != nil {
		return 0
	}
	return binary.LittleEndian.Uint64(r.data[start:])
}

func (r *nativeReader) str() string {
	n := r.uvarint()
	start := r.pos
	r.skipMany(n, 1)
	if r.err != nil {
		return ""
	}
	return string(r.data[start:r.pos])
}
