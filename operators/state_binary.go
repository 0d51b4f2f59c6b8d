package operators

import (
	"encoding/binary"
	"errors"

	"github.com/riskpipe/riskpipe/schemas"
)

// StateFormat is the version of the binary form. Format 3, without the sequence of
// risk records, is read, too; a store that holds another one must be rebuilt.
const StateFormat = 4

// uncountedRisks is the format before risk records were counted.
const uncountedRisks = 3

// ErrState is wrapped by every error of UnmarshalBinary.
var ErrState = errors.New("unreadable state")

// AppendBinary appends the state's binary form: the format's version, then
// unsigned and zigzag varints, days as differences from the day before, ids and
// fingerprints as they are. Equal states have equal bytes.
func (s *State) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, StateFormat)
	b = binary.AppendVarint(b, int64(s.clock))
	b = binary.AppendVarint(b, int64(s.today))
	b = appendDay(b, s.first, s.today)
	for _, d := range s.observed {
		b = appendDay(b, d, s.today)
	}
	b = s.person.append(b)
	b = s.hr.append(b)
	b = binary.AppendUvarint(b, uint64(len(s.habit)))
	previous := s.today
	for _, w := range s.habit {
		b = appendDay(b, w.day, previous)
		b = append(b, byte(w.hours), byte(w.hours>>8), byte(w.hours>>16))
		previous = w.day
	}
	b = binary.AppendUvarint(b, uint64(len(s.sightings)))
	for _, g := range s.sightings {
		b = appendDay(b, g.day, s.today)
		b = appendDay(b, g.observed, g.day)
		for _, n := range [...]int32{g.latitude, g.longitude, g.first, g.last} {
			b = binary.AppendVarint(b, int64(n))
		}
	}
	b = binary.AppendUvarint(b, uint64(len(s.recent)))
	for i := range s.recent {
		r := &s.recent[i]
		b = appendDay(b, r.day, s.today)
		b = appendDay(b, r.observed, r.day)
		b = binary.AppendUvarint(b, uint64(len(r.ids)))
		for _, id := range r.ids {
			b = binary.LittleEndian.AppendUint32(b, id)
		}
	}
	b = binary.AppendUvarint(b, uint64(len(s.measures)))
	for i := range s.measures {
		b = s.measures[i].append(b, s.today)
	}
	b = binary.AppendUvarint(b, uint64(len(s.links)))
	for _, l := range s.links {
		b = binary.LittleEndian.AppendUint32(b, l.newer)
		b = binary.LittleEndian.AppendUint32(b, l.older)
		b = appendDay(b, l.day, s.today)
		b = appendDay(b, l.observed, l.day)
	}
	b = binary.AppendUvarint(b, uint64(len(s.alerts)))
	for i := range s.alerts {
		b = s.alerts[i].append(b)
	}
	b = append(b, s.risk.level)
	b = binary.AppendUvarint(b, uint64(s.risk.score))
	b = binary.AppendVarint(b, int64(s.risk.expires))
	return binary.AppendUvarint(b, uint64(s.risk.sequence)), nil
}

func appendDay(b []byte, d, from day) []byte { return binary.AppendVarint(b, int64(d-from)) }

func (p *person) append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(p.groups)))
	for _, g := range p.groups {
		b = binary.AppendUvarint(b, uint64(len(g)))
		b = append(b, g...)
	}
	b = binary.AppendVarint(b, int64(p.grouped))
	b = binary.AppendVarint(b, int64(p.profiled))
	if p.profiled != 0 {
		for _, h := range [...]schemas.Hash{p.profile.familyName, p.profile.address, p.profile.street} {
			b = binary.LittleEndian.AppendUint64(b, uint64(h))
		}
	}
	return b
}

func (j journal) append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(j)))
	for _, s := range j {
		withdrawal := byte(0)
		if s.withdrawal {
			withdrawal = 1
		}
		b = append(b, byte(s.fact)<<1|withdrawal)
		for _, t := range [...]schemas.Time{s.notice, s.last, s.firstKnown, s.lastKnown} {
			b = binary.AppendVarint(b, int64(t))
		}
	}
	return b
}

func (m *measure) append(b []byte, today day) []byte {
	b = binary.LittleEndian.AppendUint32(b, m.key)
	b = binary.AppendUvarint(b, uint64(len(m.days)))
	b = appendAmounts(b, m.days, today)
	b = binary.AppendUvarint(b, uint64(len(m.live)))
	for i := range m.live {
		l := &m.live[i]
		b = appendDay(b, l.day, today)
		b = appendDay(b, l.observed, l.day)
		b = appendSeen(b, l.seen)
		b = appendSeen(b, l.trail)
		b = binary.AppendUvarint(b, uint64(len(l.hours)))
		for _, h := range l.hours {
			b = append(b, h.hour)
			b = binary.AppendUvarint(b, uint64(h.n))
		}
	}
	b = binary.AppendUvarint(b, uint64(len(m.values)))
	for _, v := range m.values {
		b = binary.LittleEndian.AppendUint32(b, v.fingerprint)
		b = appendDay(b, v.last, today)
		b = v.first.append(b, today)
	}
	b = binary.AppendUvarint(b, uint64(len(m.cited)))
	for _, c := range m.cited {
		b = c.append(b, today)
	}
	return b
}

// append writes the time with a bit that says whether the id is known.
func (c cited) append(b []byte, today day) []byte {
	at := (int64(c.at) - int64(today)*millisPerDay) << 1
	if c.id == (schemas.UUID{}) {
		return binary.AppendVarint(b, at)
	}
	b = binary.AppendVarint(b, at|1)
	return append(b, c.id[:]...)
}

// appendAmounts writes days as what they mostly are, close together and with
// small amounts, in a byte each: the gap to the day before, 1 to 4, and an amount
// below 63. Other days take a marker, the gap and the amount.
func appendAmounts(b []byte, days []amount, today day) []byte {
	previous := today - historyDays - 1
	for _, a := range days {
		if gap := a.day - previous; gap >= 1 && gap <= 4 && a.n < wideDay {
			b = append(b, byte(gap-1)<<6|byte(a.n))
		} else {
			b = append(b, wideDay)
			b = appendDay(b, a.day, previous)
			b = binary.AppendUvarint(b, uint64(a.n))
		}
		previous = a.day
	}
	return b
}

const wideDay = 63

// appendSeen writes a list of values, in four bytes each where no times are kept.
// Else they take five: 30 bits of fingerprint, whether the last time differs, the
// ninth bit of the first, and its other eight; a last time that differs follows.
func appendSeen(b []byte, list []seen) []byte {
	timed := uint64(0)
	for _, v := range list {
		if v.last() != 0 {
			timed = 1
			break
		}
	}
	b = binary.AppendUvarint(b, uint64(len(list))<<1|timed)
	for _, v := range list {
		first, last := v.first(), v.last()
		head := v.fingerprint()<<2 | uint32(first)>>8<<1
		if last != first {
			head |= 1
		}
		b = binary.LittleEndian.AppendUint32(b, head)
		if timed == 0 {
			continue
		}
		b = append(b, byte(first))
		if last != first {
			b = binary.AppendUvarint(b, uint64(last-first))
		}
	}
	return b
}

func (a *alertState) append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, a.policy)
	b = binary.AppendUvarint(b, uint64(a.episode))
	b = binary.AppendUvarint(b, uint64(a.version))
	flags := a.severity << 2
	if a.open {
		flags |= 1
	}
	if a.held {
		flags |= 2
	}
	b = append(b, flags)
	b = binary.AppendUvarint(b, uint64(a.score))
	b = binary.AppendVarint(b, int64(a.opened))
	b = binary.AppendVarint(b, int64(a.updated))
	b = binary.AppendUvarint(b, uint64(len(a.openings)))
	for _, t := range a.openings {
		b = binary.AppendVarint(b, int64(t))
	}
	return b
}
