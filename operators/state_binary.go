package operators

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/riskpipe/riskpipe/schemas"
)

// StateFormat is the version of the binary form; a store that holds another one
// must be rebuilt or migrated.
const StateFormat = 2

// ErrState is wrapped by every error of UnmarshalBinary.
var ErrState = errors.New("unreadable state")

// AppendBinary appends the state's binary form: the format's version, then
// unsigned and zigzag varints, times of days as deltas, ids as they are. Equal
// states have equal bytes.
func (s *State) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, StateFormat)
	b = binary.AppendVarint(b, int64(s.clock))
	for _, t := range s.observed {
		b = binary.AppendVarint(b, int64(t))
	}
	b = append(b, byte(s.leave.kind))
	if s.leave != (departure{}) {
		for _, t := range []schemas.Time{s.leave.notice, s.leave.last, s.leave.known, s.leave.withdrawn, s.leave.terminated} {
			b = binary.AppendVarint(b, int64(t))
		}
	} else {
		b[len(b)-1] = noDeparture
	}
	b = binary.AppendUvarint(b, uint64(len(s.measures)))
	for i := range s.measures {
		b = s.measures[i].append(b)
	}
	b = binary.AppendUvarint(b, uint64(len(s.alerts)))
	for _, a := range s.alerts {
		b = binary.LittleEndian.AppendUint32(b, a.policy)
		b = binary.AppendUvarint(b, uint64(a.episode))
		b = binary.AppendUvarint(b, uint64(a.version))
		open := byte(0)
		if a.open {
			open = 1
		}
		b = append(b, open, a.severity)
		b = binary.AppendUvarint(b, uint64(a.score))
		b = binary.AppendVarint(b, int64(a.opened))
		b = binary.AppendVarint(b, int64(a.updated))
	}
	b = append(b, s.risk.level)
	return binary.AppendUvarint(b, uint64(s.risk.score)), nil
}

// noDeparture marks a departure of which nothing is known.
const noDeparture = 0xFF

func (m *measure) append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, m.key)
	b = binary.AppendUvarint(b, uint64(len(m.days)))
	previous := day(0)
	for _, d := range m.days {
		b = binary.AppendVarint(b, int64(d.day-previous))
		previous = d.day
		b = binary.AppendUvarint(b, uint64(d.amount))
		b = binary.AppendVarint(b, int64(d.observed))
		b = binary.AppendUvarint(b, uint64(len(d.seen)))
		for _, f := range d.seen {
			b = binary.LittleEndian.AppendUint32(b, f)
		}
	}
	b = binary.AppendUvarint(b, uint64(len(m.events)))
	for _, id := range m.events {
		b = append(b, id[:]...)
	}
	return b
}

// UnmarshalBinary reads what AppendBinary wrote and replaces the state. It
// never trusts its input: damaged bytes give an error that wraps ErrState.
func (s *State) UnmarshalBinary(b []byte) error {
	r := reader{b: b}
	if format := r.byte(); format != StateFormat {
		return fmt.Errorf("%w: format %d, this riskpipe reads %d", ErrState, format, StateFormat)
	}
	*s = State{clock: schemas.Time(r.varint())}
	for i := range s.observed {
		s.observed[i] = schemas.Time(r.varint())
	}
	if kind := r.byte(); kind != noDeparture {
		r.check(kind <= byte(departureResignation))
		s.leave = departure{
			kind: departureKind(kind), notice: schemas.Time(r.varint()), last: schemas.Time(r.varint()),
			known: schemas.Time(r.varint()), withdrawn: schemas.Time(r.varint()), terminated: schemas.Time(r.varint()),
		}
	}
	if n := r.length(6); n > 0 {
		s.measures = make([]measure, n)
	}
	for i := range s.measures {
		s.measures[i].read(&r)
	}
	if n := r.length(8); n > 0 {
		s.alerts = make([]alertState, n)
	}
	for i := range s.alerts {
		s.alerts[i] = alertState{
			policy: r.uint32(), episode: int32(r.uvarint()), version: int32(r.uvarint()), open: r.byte() == 1,
			severity: r.byte(), score: schemas.Points(r.uvarint()), opened: schemas.Time(r.varint()), updated: schemas.Time(r.varint()),
		}
	}
	s.risk = riskState{level: r.byte(), score: schemas.Points(r.uvarint())}
	r.check(len(r.b) == 0)
	if r.bad {
		*s = State{}
		return fmt.Errorf("%w: %d bytes are cut short or damaged", ErrState, len(b))
	}
	return nil
}

func (m *measure) read(r *reader) {
	m.key = r.uint32()
	if n := r.length(4); n > 0 {
		m.days = make([]daily, n)
	}
	previous := day(0)
	for i := range m.days {
		d := &m.days[i]
		d.day = previous + day(r.varint())
		previous = d.day
		d.amount = int64(r.uvarint())
		d.observed = schemas.Time(r.varint())
		if n := r.length(4); n > 0 {
			d.seen = make([]uint32, n)
		}
		for j := range d.seen {
			d.seen[j] = r.uint32()
		}
	}
	if n := r.length(16); n > 0 {
		m.events = make([]schemas.UUID, n)
	}
	for i := range m.events {
		copy(m.events[i][:], r.take(16))
	}
}

// reader takes values off the front of b and remembers whether one was missing.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) check(ok bool) { r.bad = r.bad || !ok }

func (r *reader) take(n int) []byte {
	if len(r.b) < n {
		r.bad, r.b = true, nil
		return make([]byte, n)
	}
	head := r.b[:n]
	r.b = r.b[n:]
	return head
}

func (r *reader) byte() byte     { return r.take(1)[0] }
func (r *reader) uint32() uint32 { return binary.LittleEndian.Uint32(r.take(4)) }

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	r.take(max(n, 0))
	r.check(n > 0)
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	r.take(max(n, 0))
	r.check(n > 0)
	return v
}

// length reads a count of items of at least size bytes each; more than the rest
// can hold is damage, and must not make anybody allocate.
func (r *reader) length(size int) int {
	n := r.uvarint()
	if n > uint64(len(r.b)/size) {
		r.bad = true
		return 0
	}
	return int(n)
}
