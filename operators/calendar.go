package operators

import (
	"time"

	"github.com/riskpipe/riskpipe/schemas"
)

// day is a calendar day as days since 1970.
type day int32

func (d day) String() string { return string(d.append(nil)) }

func (d day) append(b []byte) []byte {
	return schemas.Time(int64(d)*millisPerDay).UTC().AppendFormat(b, time.DateOnly)
}

// dayOf returns the day that t lies in, UTC: the calendar of HR dates, which are
// dates and no instants.
func dayOf(t schemas.Time) day {
	d := int64(t) / millisPerDay
	if int64(t)%millisPerDay < 0 {
		d--
	}
	return day(d)
}

// calendar tells days and times of day where the organisation works. The zero
// calendar is UTC.
type calendar struct{ location *time.Location }

// at returns the day that t lies in and the minute of that day.
func (c calendar) at(t schemas.Time) (d day, minute int32) {
	if c.location != nil {
		_, offset := time.UnixMilli(int64(t)).In(c.location).Zone()
		t += schemas.Time(offset) * 1000
	}
	d = dayOf(t)
	return d, int32((int64(t) - int64(d)*millisPerDay) / (60 * 1000))
}

// weekend tells Saturdays and Sundays.
func (d day) weekend() bool { return (d+3)%7 >= 5 } // day 0 was a Thursday
