package operators

import (
	"fmt"
	"strconv"
	"strings"

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

// day is a calendar day, UTC, as days since 1970.
type day int32

// dayOf returns the day that t lies in.
func dayOf(t schemas.Time) day {
	d := int64(t) / millisPerDay
	if int64(t)%millisPerDay < 0 {
		d--
	}
	return day(d)
}

func (d day) String() string { return schemas.Time(int64(d) * millisPerDay).UTC().Format("2006-01-02") }
