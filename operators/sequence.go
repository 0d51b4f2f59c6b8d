package operators

import (
	"cmp"
	"slices"
)

// link is a thing that got another name: by renaming, copying or packing. Older
// is what it was called before.
type link struct {
	newer, older  uint32
	day, observed day // of the event, and of its newest arrival
}

const (
	// maxLinks bounds them; the oldest go.
	maxLinks = 96
	// maxFamily bounds the names of one thing.
	maxFamily = 64
)

// rename notes a new name; false when it was known.
func (s *State) rename(l link) bool {
	i, found := slices.BinarySearchFunc(s.links, l, func(a, b link) int {
		return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.newer, b.newer), cmp.Compare(a.older, b.older))
	})
	if found {
		known := &s.links[i]
		if known.observed >= l.observed {
			return false
		}
		known.observed = l.observed
		return true
	}
	if len(s.links) >= maxLinks {
		if i == 0 {
			return false
		}
		s.links = slices.Delete(s.links, 0, 1)
		i--
	}
	s.links = slices.Insert(s.links, i, l)
	return true
}

// family appends all names of the thing called name: what it was and what it
// became.
func (s *State) family(names []uint32, name uint32) []uint32 {
	names = append(names, name)
	for i := 0; i < len(names) && len(s.links) > 0; i++ {
		for _, l := range s.links {
			if len(names) >= maxFamily {
				return names
			}
			if l.newer == names[i] && !slices.Contains(names, l.older) {
				names = append(names, l.older)
			}
			if l.older == names[i] && !slices.Contains(names, l.newer) {
				names = append(names, l.newer)
			}
		}
	}
	return names
}

// sequence is a compiled sequence: steps by the keys of the measures that tell
// of them.
type sequence struct {
	key    uint32
	steps  [][]uint32
	within day
	renews uint64 // policies whose alerts it can open
}

// advance looks whether something that happened to the thing called name
// completes the sequence for it, and counts it on the day of the last step; true
// when it did. Whichever of the steps is told of last completes it.
func (q *sequence) advance(s *State, name uint32, observed day) bool {
	last := q.steps[len(q.steps)-1]
	// The common case: nothing ever left.
	if !slices.ContainsFunc(last, func(key uint32) bool { m := s.find(key); return m != nil && len(m.live) > 0 }) {
		return false
	}
	var room [maxFamily]uint32
	names := s.family(room[:0], name)
	completed := false
	for _, key := range last {
		m := s.find(key)
		if m == nil {
			continue
		}
		days := m.live // complete may move the measures
		for i := range days {
			for _, final := range names {
				v, found := days[i].when(final)
				if found && q.reached(s, names, len(q.steps)-2, moment{days[i].day, v}, days[i].day) {
					completed = s.complete(q.key, days[i].day, observed, newSeen(final, 0)) || completed
				}
			}
		}
	}
	return completed
}

// moment is when something was counted: a day, and the first and last time of it.
type moment struct {
	day  day
	seen seen
}

// before tells whether some of the times of m may lie before some of o's. More
// facts widen both, so that what was in order stays in order, whatever comes
// late.
func (m moment) before(o moment) bool {
	return m.day < o.day || m.day == o.day && m.seen.first() <= o.seen.last()
}

// reached tells whether the steps up to the given one happened to the thing, in
// order, before next, and within the days before end.
func (q *sequence) reached(s *State, names []uint32, step int, next moment, end day) bool {
	if step < 0 {
		return true
	}
	for _, key := range q.steps[step] {
		m := s.find(key)
		if m == nil {
			continue
		}
		for i := len(m.live) - 1; i >= 0; i-- {
			l := &m.live[i]
			if l.day > next.day || end-l.day > q.within {
				continue
			}
			for _, name := range names {
				if v, found := l.when(name); found {
					if at := (moment{l.day, v}); at.before(next) && q.reached(s, names, step-1, at, end) {
						return true
					}
				}
			}
		}
	}
	return false
}

// complete counts one thing that went through the sequence.
func (s *State) complete(key uint32, d, observed day, thing seen) bool {
	m := s.measureOf(key)
	l, changed := m.on(d, observed)
	s.changed = s.changed || changed
	var added bool
	if l.seen, _, added = remember(l.seen, thing); added {
		m.add(d, 1)
	}
	return added
}

// when returns the times at which the thing was counted on the day.
func (l *live) when(name uint32) (seen, bool) {
	list := l.trail
	if list == nil {
		list = l.seen
	}
	i, _ := slices.BinarySearch(list, seen(name)<<(2*slotBits))
	if i < len(list) && list[i].fingerprint() == name {
		return list[i], true
	}
	return 0, false
}
