package operators

import (
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

// worksAt adds so many weeks of work from one hour to another, Monday to Friday.
func worksAt(p *story, weeks int, from, to int) *story {
	for d := range 7 * weeks {
		if at := monday + days(d); !dayOf(at).weekend() {
			for h := from; h < to; h++ {
				p.fold(event("file.downloaded", schemas.Time(dayOf(at))*millisPerDay+schemas.Time(h)*millisPerHour, "w"))
			}
		}
	}
	return p
}

func at(d int, hour int) schemas.Time {
	return schemas.Time(int64(dayOf(monday))+int64(d))*millisPerDay + schemas.Time(hour)*millisPerHour
}

// Work is off hours by the person's own habit: whoever works at night does so in
// the day.
func TestHabit_offHours(t *testing.T) {
	for name, c := range map[string]struct {
		from, to int // usual hours
		at       schemas.Time
		want     bool
	}{
		"a night, for one who works by day":        {9, 17, at(21, 2), true},
		"a day, for one who works by day":          {9, 17, at(21, 11), false},
		"an hour later than usual":                 {9, 17, at(21, 17), false},
		"a day, for one who works at night":        {0, 6, at(21, 12), true},
		"a night, for one who works at night":      {0, 6, at(21, 3), false},
		"a weekend, for one who works in the week": {9, 17, at(26, 11), true},
	} {
		t.Run(name, func(t *testing.T) {
			p := worksAt(newStory(t), 3, c.from, c.to).fold(event("file.downloaded", c.at, "x"))
			list := p.state.hoursOff()
			if got := len(list) > 0 && list[len(list)-1].day == dayOf(c.at); got != c.want {
				t.Errorf("off hours %v: %v", got, list)
			}
		})
	}
	if list := worksAt(newStory(t), 1, 9, 17).fold(event("file.downloaded", at(7, 2), "x")).state.hoursOff(); len(list) > 0 {
		t.Errorf("off hours after a week: %v", list)
	}
	inbox := event("email.received", at(21, 2), "m")
	inbox.Source = schemas.SourceEmail
	if list := worksAt(newStory(t), 3, 9, 17).fold(inbox).state.hoursOff(); len(list) > 0 {
		t.Errorf("mail that comes in is work: %v", list)
	}
}

// Work after the last day counts, whenever HR tells of it.
func TestHabit_afterDeparture(t *testing.T) {
	work := []schemas.Event{event("file.downloaded", at(4, 9), "1"), event("file.downloaded", at(8, 9), "2"), event("file.downloaded", at(8, 10), "3")}
	leave := resignation(at(9, 9), at(0, 0), at(5, 0))
	for name, events := range map[string][]schemas.Event{"told before": append([]schemas.Event{leave}, work...), "told after": append(work, leave)} {
		list := newStory(t).fold(events...).state.hoursAfter(nil)
		if len(list) != 1 || list[0] != (amount{dayOf(at(8, 0)), 2}) {
			t.Errorf("%s: %v", name, list)
		}
	}
	p := newStory(t).fold(leave).fold(work...).fold(withdrawal(at(10, 9)))
	if list := p.state.hoursAfter(nil); len(list) > 0 {
		t.Errorf("after the withdrawal: %v", list)
	}
}

// Calendar days and hours are those of the organisation's time zone.
func TestCalendar(t *testing.T) {
	for name, c := range map[string]struct {
		zone   string
		at     schemas.Time
		want   day
		minute int32
	}{
		"UTC":                   {"UTC", at(0, 23), dayOf(monday), 23 * 60},
		"already tomorrow":      {"Asia/Tokyo", at(0, 23), dayOf(monday) + 1, 8 * 60},
		"still yesterday":       {"America/New_York", at(0, 3), dayOf(monday) - 1, 22 * 60},
		"half an hour":          {"Asia/Kolkata", at(0, 9), dayOf(monday), 14*60 + 30},
		"summer time has begun": {"Europe/Berlin", at(27, 22) + 30*60*1000, dayOf(monday) + 28, 30},
		"a day before 1970":     {"UTC", -1, -1, 24*60 - 1},
	} {
		t.Run(name, func(t *testing.T) {
			d, minute := calendar{location(t, c.zone)}.at(c.at)
			if d != c.want || minute != c.minute {
				t.Errorf("day %s, minute %d; want %s, %d", d, minute, c.want, c.minute)
			}
		})
	}
	// 22:30 on one day and 00:30 on the next are one day in New York.
	library := sample()
	e, err := NewEngine(library, Options{Location: location(t, "America/New_York")})
	if err != nil {
		t.Fatal(err)
	}
	if utc := newSample(t); utc.Hash() == e.Hash() {
		t.Error("the time zone is not part of the hash")
	}
	s, _ := fold(e, append(files("file.printed", 3, at(0, 22)), files("file.printed", 3, at(1, 1))...))
	if m := s.find(keyOf("print")); len(m.days) != 1 || m.days[0].n != 6 {
		t.Errorf("prints are %v", m.days)
	}
}
