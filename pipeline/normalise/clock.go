package normalise

import (
	"strconv"
	"strings"
	"time"

	"github.com/riskpipe/riskpipe/schemas"
)

// Years outside this range are typing errors or overflows, not event times.
const (
	firstYear = 1990
	lastYear  = 2200
)

// layouts are the spellings that parseISO does not read.
var layouts = []string{
	"1/2/2006 3:04:05 PM -07:00",
	"1/2/2006 3:04:05 PM",
	"1/2/2006 15:04:05",
	"1/2/2006 15:04",
	"1/2/2006",
	time.RFC1123Z,
	time.RFC1123,
}

// parseTime reads every spelling of an instant seen upstream: RFC 3339 with any
// number of fraction digits and one-digit hours, with a blank for the T, without
// a zone (UTC by Microsoft's contract), date alone, /Date(ms)/, US order with
// AM and PM, and Unix time in seconds or milliseconds.
func parseTime(s string) (schemas.Time, bool) {
	s = strings.TrimSpace(s)
	t, ok := parseISO(s)
	if !ok {
		t, ok = parseOther(s)
	}
	if !ok || t.Year() < firstYear || t.Year() > lastYear {
		return 0, false
	}
	return schemas.TimeOf(t), true
}

func parseOther(s string) (time.Time, bool) {
	if inner, found := strings.CutPrefix(s, "/Date("); found {
		inner, _ = strings.CutSuffix(inner, ")/")
		if i := strings.LastIndexAny(inner, "+-"); i > 0 {
			inner = inner[:i] // the zone says how to show it, not when it was
		}
		ms, err := strconv.ParseInt(inner, 10, 64)
		return time.UnixMilli(ms).UTC(), err == nil
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && len(s) >= 9 {
		if len(s) >= 12 {
			return time.UnixMilli(n).UTC(), true
		}
		return time.Unix(n, 0).UTC(), true
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// parseISO reads YYYY-MM-DD[(T| )h[h]:mm[:ss[.fraction]][ ][Z|±hh[:]mm]].
func parseISO(s string) (time.Time, bool) {
	p := isoReader{s: s}
	year, month, day := p.digits(4, 4), p.after('-', 1, 2), p.after('-', 1, 2)
	if p.bad || month < 1 || month > 12 || day < 1 || day > 31 {
		return time.Time{}, false
	}
	var hour, minute, second, nanos, offset int
	if p.s != "" && strings.IndexByte("Z+-", p.s[0]) >= 0 {
		// XML Schema's date with a zone, as Workday writes it: still that day.
		p.zone()
	} else if p.s != "" {
		if p.s[0] != 'T' && p.s[0] != 't' && p.s[0] != ' ' {
			return time.Time{}, false
		}
		p.s = p.s[1:]
		hour, minute = p.digits(1, 2), p.after(':', 1, 2)
		if p.next(':') {
			second = p.digits(1, 2)
		}
		if p.next('.') || p.next(',') {
			nanos = p.fraction()
		}
		offset = p.zone()
	}
	if p.bad || p.s != "" || hour > 24 || minute > 59 || second > 60 {
		return time.Time{}, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, nanos, time.UTC)
	if t.Day() != day && hour < 24 && second < 60 { // 31 February
		return time.Time{}, false
	}
	return t.Add(-time.Duration(offset) * time.Second), true
}

type isoReader struct {
	s   string
	bad bool
}

func (p *isoReader) next(c byte) bool {
	if p.s != "" && p.s[0] == c {
		p.s = p.s[1:]
		return true
	}
	return false
}

func (p *isoReader) digits(least, most int) int {
	n, i := 0, 0
	for i < len(p.s) && i < most && p.s[i] >= '0' && p.s[i] <= '9' {
		n = n*10 + int(p.s[i]-'0')
		i++
	}
	p.bad = p.bad || i < least
	p.s = p.s[i:]
	return n
}

func (p *isoReader) after(c byte, least, most int) int {
	p.bad = p.bad || !p.next(c)
	return p.digits(least, most)
}

// fraction reads digits as nanoseconds; what is finer is cut off.
func (p *isoReader) fraction() int {
	n, scale := 0, int(time.Second)
	for p.s != "" && p.s[0] >= '0' && p.s[0] <= '9' {
		scale /= 10
		n += int(p.s[0]-'0') * scale
		p.s = p.s[1:]
	}
	return n
}

// zone reads Z or an offset and returns seconds east of UTC; no zone is UTC.
func (p *isoReader) zone() int {
	p.s = strings.TrimLeft(p.s, " ")
	sign := 1
	switch {
	case p.s == "":
		return 0
	case p.next('Z') || p.next('z'):
		return 0
	case strings.EqualFold(p.s, "UTC") || strings.EqualFold(p.s, "GMT"):
		p.s = ""
		return 0
	case p.next('+'):
	case p.next('-'):
		sign = -1
	default:
		p.bad = true
		return 0
	}
	hours := p.digits(2, 2)
	p.next(':')
	minutes := 0
	if p.s != "" {
		minutes = p.digits(2, 2)
	}
	p.bad = p.bad || hours > 18 || minutes > 59
	return sign * (hours*3600 + minutes*60)
}

// when reads the first of the names that holds a readable time.
func (o object) when(names ...string) schemas.Time {
	for _, name := range names {
		if t, ok := parseTime(o.get(name).text()); ok {
			return t
		}
	}
	return 0
}
