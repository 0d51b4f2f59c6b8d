package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/riskpipe/riskpipe/operators"
)

// drawnCurve is a departure curve for one departure. Days count from the notice.
type drawnCurve struct {
	name  string
	curve *operators.Curve
	last  int
	// notice is the date of day 0; the zero time when the days stand for any.
	notice time.Time
}

// newDrawnCurve takes dates as 2026-03-31, empty for what is not known: that is
// reckoned by the usual notice period of the curve.
func newDrawnCurve(name string, curve *operators.Curve, resigned, lastDay string) (drawnCurve, error) {
	d := drawnCurve{name: name, curve: curve, last: int(curve.Notice)}
	var dates [2]time.Time
	for i, text := range []string{resigned, lastDay} {
		if text == "" {
			continue
		}
		date, err := time.Parse(time.DateOnly, text)
		if err != nil {
			return drawnCurve{}, &exitError{exitRejects, fmt.Errorf("%q is no date: write 2026-03-31", text)}
		}
		dates[i] = date
	}
	switch from, to := dates[0], dates[1]; {
	case !from.IsZero() && !to.IsZero():
		if to.Before(from) {
			return drawnCurve{}, &exitError{exitRejects, errors.New("--last-day lies before --resigned")}
		}
		d.notice, d.last = from, int(to.Sub(from)/(24*time.Hour))
	case !from.IsZero():
		d.notice = from
	case !to.IsZero():
		d.notice = to.AddDate(0, 0, -d.last)
	}
	return d, nil
}

// margin is how many days are drawn before and after the curve.
const margin = 7

// span returns the first and the last day to draw.
func (d drawnCurve) span() (from, to int) {
	return -int(d.curve.Before) - margin, d.end() + int(d.curve.Fade) + margin
}

// end is the last day on which the curve is at its maximum.
func (d drawnCurve) end() int { return max(d.last, d.curve.Peak(d.last)) + int(d.curve.Hold) }

// mark is a day of the curve that has a name.
type mark struct {
	day  int
	text string
}

func (d drawnCurve) marks() []mark {
	marks := []mark{{-int(d.curve.Before), "begins"}, {0, "notice"}}
	if peak := d.curve.Peak(d.last); peak > 0 && peak != d.last {
		marks = append(marks, mark{peak, "maximum"})
	}
	if d.last > 0 {
		marks = append(marks, mark{d.last, "last day"})
	}
	if d.curve.Hold > 0 {
		marks = append(marks, mark{d.end(), "falls"})
	}
	return append(marks, mark{d.end() + int(d.curve.Fade), "ends"})
}

// dayText names a day by its date, or by its distance from the notice.
func (d drawnCurve) dayText(day int) string {
	if d.notice.IsZero() {
		return fmt.Sprintf("%+dd", day)
	}
	return d.notice.AddDate(0, 0, day).Format(time.DateOnly)
}
