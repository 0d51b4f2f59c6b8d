package sink

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/riskpipe/riskpipe/schemas"
)

// vector is the values of one column as ClickHouse's Native format has them. It keeps its memory
// when it is reset.
// https://clickhouse.com/docs/interfaces/formats/Native
type vector[C any] interface {
	// add copies the value: nothing of it is kept.
	add(value C)
	// addZeros adds so many values "", 0, false, [] or null.
	addZeros(n int)
	reset()
	// appendPrefix appends what precedes all values of the column, of those inside of it, too.
	appendPrefix(dst []byte) []byte
	appendValues(dst []byte) []byte
}

// vectorOf returns the vector of Go type C for ClickHouse's type kind. It panics when C is not what
// the values of that type are given as.
func vectorOf[C any](kind string) vector[C] {
	var v any
	var zero C
	switch any(zero).(type) {
	case string:
		v = textVector(kind)
	case []byte:
		v = &blobs{}
	case schemas.Pseudonym:
		v = &users{}
	case []string:
		v = &array[string]{items: textVector(inside("Array", kind))}
	case []uint64:
		v = &array[uint64]{items: &numbers[uint64]{}}
	case []int32:
		v = &array[int32]{items: &numbers[int32]{}}
	case []uuid.UUID:
		v = &array[uuid.UUID]{items: &uuids{}}
	case uuid.UUID:
		v = &uuids{}
	case bool:
		v = &numbers[bool]{}
	case *bool:
		v = &nullable[bool]{items: &numbers[bool]{}}
	case uint8:
		v = &numbers[uint8]{}
	case int16:
		v = &numbers[int16]{}
	case int32:
		v = &numbers[int32]{}
	case uint32:
		v = &numbers[uint32]{}
	case int64:
		v = &numbers[int64]{}
	case *int64:
		v = &nullable[int64]{items: &numbers[int64]{}}
	case uint64:
		v = &numbers[uint64]{}
	}
	vector, ok := v.(vector[C])
	if !ok {
		panic(fmt.Sprintf("no values of ClickHouse's type %s are given as %T", kind, zero))
	}
	return vector
}

func textVector(kind string) vector[string] {
	if kind == "LowCardinality(String)" {
		return newCategories()
	}
	return &texts{}
}

// inside returns T of outer(T).
func inside(outer, kind string) string {
	return strings.TrimSuffix(strings.TrimPrefix(kind, outer+"("), ")")
}

// numbers are Bool, Int, UInt, Decimal and DateTime64.
type numbers[C bool | uint8 | int16 | int32 | uint32 | int64 | uint64] struct{ all []C }

func (n *numbers[C]) add(value C)                    { n.all = append(n.all, value) }
func (n *numbers[C]) addZeros(count int)             { n.all = appendZeros(n.all, count) }
func (n *numbers[C]) reset()                         { n.all = n.all[:0] }
func (n *numbers[C]) appendPrefix(dst []byte) []byte { return dst }

func (n *numbers[C]) appendValues(dst []byte) []byte {
	dst, err := binary.Append(dst, binary.LittleEndian, n.all)
	if err != nil {
		panic(err) // all these types have a size
	}
	return dst
}

func appendZeros[E any](s []E, n int) []E {
	s = slices.Grow(s, n)
	end := len(s) + n
	clear(s[len(s):end])
	return s[:end]
}

// texts are String: the length of each value, and its bytes.
type texts struct{ all []byte }

func (t *texts) add(value string) {
	t.all = append(binary.AppendUvarint(t.all, uint64(len(value))), value...)
}

func (t *texts) addZeros(n int)                 { t.all = appendZeros(t.all, n) }
func (t *texts) reset()                         { t.all = t.all[:0] }
func (t *texts) appendPrefix(dst []byte) []byte { return dst }
func (t *texts) appendValues(dst []byte) []byte { return append(dst, t.all...) }

// blobs are String, too.
type blobs struct{ texts }

func (b *blobs) add(value []byte) {
	b.all = append(binary.AppendUvarint(b.all, uint64(len(value))), value...)
}

// users are String: pseudonyms in full, and "" for nobody, which readers see at once.
type users struct{ texts }

func (u *users) add(user schemas.Pseudonym) {
	if user == (schemas.Pseudonym{}) {
		u.addZeros(1)
		return
	}
	const length = 31 // of all of them
	u.all, _ = user.AppendText(append(u.all, length))
}

// uuids are UUID: two numbers of 64 bits.
type uuids struct{ all []byte }

func (u *uuids) add(value uuid.UUID) {
	u.all = binary.LittleEndian.AppendUint64(u.all, binary.BigEndian.Uint64(value[:8]))
	u.all = binary.LittleEndian.AppendUint64(u.all, binary.BigEndian.Uint64(value[8:]))
}

func (u *uuids) addZeros(n int)                 { u.all = appendZeros(u.all, n*len(uuid.UUID{})) }
func (u *uuids) reset()                         { u.all = u.all[:0] }
func (u *uuids) appendPrefix(dst []byte) []byte { return dst }
func (u *uuids) appendValues(dst []byte) []byte { return append(dst, u.all...) }

// nullable is Nullable: which values are null, and all values, zero for those.
type nullable[C any] struct {
	nulls []byte
	items vector[C]
}

func (n *nullable[C]) add(value *C) {
	if value == nil {
		n.addZeros(1)
		return
	}
	n.nulls = append(n.nulls, 0)
	n.items.add(*value)
}

func (n *nullable[C]) addZeros(count int) {
	for range count {
		n.nulls = append(n.nulls, 1)
	}
	n.items.addZeros(count)
}

func (n *nullable[C]) reset() {
	n.nulls = n.nulls[:0]
	n.items.reset()
}

func (n *nullable[C]) appendPrefix(dst []byte) []byte { return n.items.appendPrefix(dst) }

func (n *nullable[C]) appendValues(dst []byte) []byte {
	return n.items.appendValues(append(dst, n.nulls...))
}

// array is Array: where the members of each value end, and all members.
type array[C any] struct {
	ends    []byte
	members uint64
	items   vector[C]
}

func (a *array[C]) add(list []C) {
	for _, value := range list {
		a.items.add(value)
	}
	a.members += uint64(len(list))
	a.addZeros(1)
}

func (a *array[C]) addZeros(n int) {
	for range n {
		a.ends = binary.LittleEndian.AppendUint64(a.ends, a.members)
	}
}

func (a *array[C]) reset() {
	a.ends, a.members = a.ends[:0], 0
	a.items.reset()
}

func (a *array[C]) appendPrefix(dst []byte) []byte { return a.items.appendPrefix(dst) }

func (a *array[C]) appendValues(dst []byte) []byte {
	return a.items.appendValues(append(dst, a.ends...))
}
