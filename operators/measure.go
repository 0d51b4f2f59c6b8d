package operators

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/riskpipe/riskpipe/schemas"
)

// measure is the history of one indicator, or of one lane of it.
type measure struct {
	key    uint32
	days   []amount // by day
	live   []live   // by day: days whose duplicates and late events may still come
	values []value  // of first_seen, by fingerprint
	cited  []cited  // newest first

	usual []usual // not stored: what is usual before each of days, computed when asked
}

// live is what must be remembered of a day to count nothing twice, and to join
// what was counted with the other steps of a sequence.
type live struct {
	day      day
	observed day    // newest arrival
	seen     []seen // distinct values that were counted
	trail    []seen // objects, where they are not the values
	hours    []hourly
}

// seen is a value, and the first and the last time of its day at which it was
// counted, in steps of five minutes: 30 bits of fingerprint above two times of 9
// bits, so that a sorted list is one by fingerprint.
type seen uint64

const (
	slotBits    = 9
	slotMinutes = 5
)

func newSeen(fingerprint uint32, minute int32) seen {
	slot := seen(minute / slotMinutes)
	return seen(fingerprint)<<(2*slotBits) | slot<<slotBits | slot
}

func (v seen) fingerprint() uint32 { return uint32(v >> (2 * slotBits)) }
func (v seen) first() int32        { return int32(v >> slotBits & (1<<slotBits - 1)) }
func (v seen) last() int32         { return int32(v & (1<<slotBits - 1)) }

// and returns the value seen at both times.
func (v seen) and(o seen) seen {
	return seen(v.fingerprint())<<(2*slotBits) | seen(min(v.first(), o.first()))<<slotBits | seen(max(v.last(), o.last()))
}

// hourly is the count of one hour of a day.
type hourly struct {
	hour uint8
	n    int64
}

// value is one value of a first_seen measure. The event that had it first is
// kept when it was new to a person who had been seen for a while.
type value struct {
	fingerprint uint32
	last        day
	first       cited
}

// cited is an event that alerts name.
type cited struct {
	at schemas.Time
	id schemas.UUID
}

// maxAmount keeps sums of bytes far from overflow.
const maxAmount = 1 << 52

// before orders citations: the earlier event, by time, then by id.
func (c cited) before(o cited) bool {
	return cmp.Or(cmp.Compare(c.at, o.at), bytes.Compare(c.id[:], o.id[:])) < 0
}

// on returns the live day, made when it is new, and whether that changed
// anything: a day that was heard of again stays alive for longer.
func (m *measure) on(d, observed day) (*live, bool) {
	i := len(m.live)
	for i > 0 && m.live[i-1].day > d {
		i--
	}
	if i == 0 || m.live[i-1].day != d {
		m.live = slices.Insert(m.live, i, live{day: d, observed: noDay})
		i++
	}
	l := &m.live[i-1]
	if l.observed >= observed {
		return l, false
	}
	l.observed = observed
	return l, true
}

// add adds n to the day's amount.
func (m *measure) add(d day, n int64) {
	i := m.index(d)
	m.set(i, min(m.days[i].n+n, maxAmount))
}

// raise makes the day's amount n at least.
func (m *measure) raise(d day, n int64) {
	if i := m.index(d); n > m.days[i].n {
		m.set(i, n)
	}
}

func (m *measure) set(i int, n int64) {
	m.days[i].n = n
	// What was done on a day becomes usual a week later.
	for j := range m.usual {
		if m.days[j].day >= m.days[i].day+usualGap {
			m.usual[j] = usual{}
		}
	}
}

// index returns where the day stands, made when it is new.
func (m *measure) index(d day) int {
	i := len(m.days)
	for i > 0 && m.days[i-1].day > d {
		i--
	}
	if i == 0 || m.days[i-1].day != d {
		m.days = slices.Insert(m.days, i, amount{day: d})
		if m.usual != nil {
			m.usual = slices.Insert(m.usual, i, usual{})
		}
		return i
	}
	return i - 1
}

// remember takes the value into the list, or widens the time of one that is
// there. It tells whether the list changed, and whether the value was new; a full
// list takes nothing more.
func remember(list []seen, v seen) (after []seen, changed, added bool) {
	i, _ := slices.BinarySearch(list, seen(v.fingerprint())<<(2*slotBits))
	if i < len(list) && list[i].fingerprint() == v.fingerprint() {
		before := list[i]
		list[i] = before.and(v)
		return list, list[i] != before, false
	}
	if len(list) >= maxDistinct {
		return list, false, false
	}
	return slices.Insert(list, i, v), true, true
}

// count adds n to the hour and returns the greatest sum over a window of so many
// hours.
func (l *live) count(hour uint8, n int64, window int) (peak int64) {
	i := 0
	for i < len(l.hours) && l.hours[i].hour < hour {
		i++
	}
	if i == len(l.hours) || l.hours[i].hour != hour {
		l.hours = slices.Insert(l.hours, i, hourly{hour: hour})
	}
	l.hours[i].n += n
	for j, end := range l.hours {
		var sum int64
		for k := j; k >= 0 && int(end.hour)-int(l.hours[k].hour) < window; k-- {
			sum += l.hours[k].n
		}
		peak = max(peak, sum)
	}
	return peak
}

// cite keeps the event if it is one of the newest; true when it is.
func (m *measure) cite(c cited, most int) bool {
	i := 0
	for i < len(m.cited) && c.before(m.cited[i]) {
		i++
	}
	if i >= most || i < len(m.cited) && m.cited[i] == c {
		return false
	}
	if len(m.cited) == most {
		m.cited = m.cited[:most-1]
	}
	m.cited = slices.Insert(m.cited, i, c)
	return true
}

// prune forgets days before the oldest, and what recognised duplicates that the
// newest arrival says can no longer come.
func (m *measure) prune(oldest, newest day) {
	if len(m.days) > 0 && m.days[0].day < oldest {
		m.days = slices.DeleteFunc(m.days, func(a amount) bool { return a.day < oldest })
		m.usual = nil
	}
	if len(m.live) > 0 {
		m.live = slices.DeleteFunc(m.live, func(l live) bool { return newest-l.observed > duplicateDays })
	}
	if len(m.values) > 0 {
		m.values = slices.DeleteFunc(m.values, func(v value) bool { return v.last < oldest })
	}
}

// recentDay holds fingerprints of the ids of events of a day that were counted
// one by one.
type recentDay struct {
	day      day
	observed day
	ids      []uint32 // sorted
}

// counted takes the event's id down. It tells whether the id is new, and whether
// the state changed.
func (s *State) counted(d, observed day, id uint32) (fresh, changed bool) {
	i := len(s.recent)
	for i > 0 && s.recent[i-1].day > d {
		i--
	}
	if i == 0 || s.recent[i-1].day != d {
		s.recent = slices.Insert(s.recent, i, recentDay{day: d, observed: noDay})
		i++
	}
	r := &s.recent[i-1]
	if r.observed < observed {
		r.observed, changed = observed, true
	}
	at, found := slices.BinarySearch(r.ids, id)
	if found || len(r.ids) >= 2*maxDistinct {
		return false, changed
	}
	r.ids = slices.Insert(r.ids, at, id)
	return true, true
}

// noDay is before all days.
const noDay day = -1 << 23
