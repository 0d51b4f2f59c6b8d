package operators

import (
	"math/bits"
	"slices"
	"strings"
)

const (
	// habitDays is how many days of working hours are kept.
	habitDays = 28
	// habitWarm is how many earlier days it takes to know a person's hours.
	habitWarm = 10
)

// workday is the hours of one day in which the person did something: bit h is
// set for the hour from h:00.
type workday struct {
	day   day
	hours uint32
}

const allHours = 1<<24 - 1

// around returns the hours and their neighbours.
func (w workday) around() uint32 {
	h := w.hours
	return (h | h<<1 | h>>23 | h>>1 | h<<23) & allHours
}

// isWork tells the activities that a person is at work for: mail that comes in
// and rules that run are not among them.
func isWork(activity string) bool {
	object, verb, _ := strings.Cut(activity, ".")
	switch object {
	case "file", "ai", "health":
		return true
	case "signin":
		return verb == "succeeded"
	case "email":
		return verb == "sent" || verb == "sent_external" || verb == "accessed"
	default:
		return false
	}
}

// work notes an hour of activity; false when it was known.
func (s *State) work(d day, minute int32) bool {
	bit := uint32(1) << (minute / 60)
	i := len(s.habit)
	for i > 0 && s.habit[i-1].day > d {
		i--
	}
	if i > 0 && s.habit[i-1].day == d {
		if s.habit[i-1].hours&bit != 0 {
			return false
		}
		s.habit[i-1].hours |= bit
	} else {
		if d < s.today-habitDays {
			return false
		}
		s.habit = slices.Insert(s.habit, i, workday{d, bit})
	}
	s.offHours = nil
	return true
}

// hoursOff returns, day by day, in how many hours the person was active in which
// they usually are not: on fewer than one in twenty of the earlier days of its
// kind (weekdays, or weekends) were they active within an hour of it. While
// fewer than ten earlier days are known, nothing is unusual.
func (s *State) hoursOff() []amount {
	if s.offHours != nil {
		return s.offHours
	}
	s.offHours = []amount{}
	for i, w := range s.habit {
		if i < habitWarm {
			continue
		}
		// A weekend day is compared with all earlier weeks, active or not.
		var active [24]int
		days := 0
		for _, earlier := range s.habit[:i] {
			if earlier.day.weekend() == w.day.weekend() {
				days++
				for h := earlier.around(); h != 0; h &= h - 1 {
					active[bits.TrailingZeros32(h)]++
				}
			}
		}
		if w.day.weekend() {
			days = max(days, 2*int(w.day-s.habit[0].day)/7)
		}
		n := int64(0)
		for h := w.hours; h != 0; h &= h - 1 {
			if active[bits.TrailingZeros32(h)]*20 < max(days, 1) {
				n++
			}
		}
		if n > 0 {
			s.offHours = append(s.offHours, amount{w.day, n})
		}
	}
	return s.offHours
}

// hoursAfter appends, day by day, the hours of activity after the last working
// day.
func (s *State) hoursAfter(list []amount) []amount {
	if s.leave.fact == factNone {
		return list
	}
	_, last := s.leave.dates(defaultNotice)
	for _, w := range s.habit {
		if w.day > last {
			list = append(list, amount{w.day, int64(bits.OnesCount32(w.hours))})
		}
	}
	return list
}

// defaultNotice is the notice period that is assumed where no policy says one.
const defaultNotice Days = 30
