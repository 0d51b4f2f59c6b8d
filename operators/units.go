package operators

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/riskpipe/riskpipe/schemas"
)

const (
	millisPerHour = 60 * 60 * 1000
	millisPerDay  = 24 * millisPerHour
)

// Days is a length of time in whole days, written with its unit: 30d, 2w.
type Days int32

// UnmarshalText reads a number and its unit, d or w.
func (d *Days) UnmarshalText(text []byte) error {
	s := string(text)
	unit := int64(1)
	number, found := strings.CutSuffix(s, "d")
	if !found {
		if number, found = strings.CutSuffix(s, "w"); found {
			unit = 7
		}
	}
	n, err := strconv.ParseInt(number, 10, 32)
	if err != nil || !found || n < 0 || n*unit > 3650 {
		return fmt.Errorf("%q is no length of time: write days or weeks, such as 30d or 2w, up to 3650d", s)
	}
	*d = Days(n * unit)
	return nil
}

// MarshalText writes days.
func (d Days) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func (d Days) String() string { return strconv.Itoa(int(d)) + "d" }

// Thousandths is a decimal number with up to three decimals, kept as an integer
// number of thousandths: 1.5 is 1500. Points, multipliers and half scales are
// written so.
type Thousandths int64

// UnmarshalText reads a decimal number.
func (t *Thousandths) UnmarshalText(text []byte) error {
	whole, frac, _ := strings.Cut(string(text), ".")
	if len(frac) <= 3 {
		if n, err := strconv.ParseInt(whole+frac+"000"[len(frac):], 10, 64); err == nil && n >= 0 && n <= 1_000_000_000 {
			*t = Thousandths(n)
			return nil
		}
	}
	return fmt.Errorf("%q is no decimal number from 0 to 1000000 with at most three decimals", text)
}

// MarshalText writes a decimal number.
func (t Thousandths) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

func (t Thousandths) String() string { return schemas.Points(t).String() }

// Amount is a count, or a number of bytes written with its unit: 20, 50MiB.
type Amount int64

var byteUnits = []struct {
	suffix string
	factor int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40}, {"B", 1}}

// UnmarshalText reads a whole number with an optional binary unit of bytes.
func (a *Amount) UnmarshalText(text []byte) error {
	number, factor := string(text), int64(1)
	for _, unit := range byteUnits {
		if before, found := strings.CutSuffix(number, unit.suffix); found {
			number, factor = before, unit.factor
			break
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	if err != nil || n < 0 || n > (1<<50)/factor {
		return fmt.Errorf("%q is no amount: write a whole number, for bytes with KiB, MiB or GiB", text)
	}
	*a = Amount(n * factor)
	return nil
}

// MarshalText writes the plain number.
func (a Amount) MarshalText() ([]byte, error) { return strconv.AppendInt(nil, int64(a), 10), nil }

// Window is the length of a sliding window in hours, written with its unit: 1h,
// 24h, 7d.
type Window int32

// UnmarshalText reads a number and its unit, h or d.
func (w *Window) UnmarshalText(text []byte) error {
	s := string(text)
	unit := int64(1)
	number, found := strings.CutSuffix(s, "h")
	if !found {
		number, found = strings.CutSuffix(s, "d")
		unit = 24
	}
	n, err := strconv.ParseInt(number, 10, 32)
	if err != nil || !found || n < 1 || n*unit > 30*24 || n*unit > 24 && n*unit%24 != 0 {
		return fmt.Errorf("%q is no window: write 1h to 24h, or 1d to 30d", s)
	}
	*w = Window(n * unit)
	return nil
}

// MarshalText writes hours up to a day, and days.
func (w Window) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

func (w Window) String() string {
	if w >= 24 && w%24 == 0 {
		return strconv.Itoa(int(w/24)) + "d"
	}
	return strconv.Itoa(int(w)) + "h"
}

// Offset is a time within a test, in milliseconds from its beginning: 90s, 5m,
// 2h, 3d, or several of them: 3d 2h. It may be negative: -20d.
type Offset int64

var offsetUnits = map[byte]int64{'s': 1000, 'm': 60_000, 'h': millisPerHour, 'd': millisPerDay, 'w': 7 * millisPerDay}

// UnmarshalText reads the parts and adds them up.
func (o *Offset) UnmarshalText(text []byte) error {
	var total int64
	for part := range strings.FieldsSeq(string(text)) {
		unit, known := offsetUnits[part[len(part)-1]]
		n, err := strconv.ParseInt(part[:len(part)-1], 10, 32)
		if !known || err != nil {
			return fmt.Errorf("%q is no time: write numbers with s, m, h, d or w, such as 3d 2h", text)
		}
		total += n * unit
	}
	*o = Offset(total)
	return nil
}

// MarshalText writes seconds.
func (o Offset) MarshalText() ([]byte, error) {
	return []byte(strconv.FormatInt(int64(o)/1000, 10) + "s"), nil
}

// Date is an instant of a file: a day, which begins at midnight UTC, or RFC 3339.
type Date schemas.Time

// UnmarshalText reads 2026-03-31 or 2026-03-31T12:00:00Z.
func (d *Date) UnmarshalText(text []byte) error {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, string(text)); err == nil {
			*d = Date(schemas.TimeOf(t))
			return nil
		}
	}
	return fmt.Errorf("%q is no date: write 2026-03-31 or 2026-03-31T12:00:00Z", text)
}

// MarshalText writes RFC 3339.
func (d Date) MarshalText() ([]byte, error) { return []byte(schemas.Time(d).String()), nil }
