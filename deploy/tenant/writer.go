package tenant

import (
	"strconv"
	"unicode/utf8"

	"github.com/riskpipe/riskpipe/schemas"
)

// writer appends JSON, member by member; commas come by themselves.
type writer struct{ b []byte }

func (w *writer) reset() { w.b = w.b[:0] }

func (w *writer) comma() {
	if n := len(w.b); n > 0 {
		switch w.b[n-1] {
		case '{', '[', ':':
		default:
			w.b = append(w.b, ',')
		}
	}
}

// key names come from this package and need no escaping.
func (w *writer) key(name string) {
	w.comma()
	w.b = append(w.b, '"')
	w.b = append(w.b, name...)
	w.b = append(w.b, '"', ':')
}

// open begins an object: a member when it has a name, else an element.
func (w *writer) open(name string) { w.begin(name, '{') }

func (w *writer) close() { w.b = append(w.b, '}') }

// list begins an array, as open does an object.
func (w *writer) list(name string) { w.begin(name, '[') }

func (w *writer) end() { w.b = append(w.b, ']') }

func (w *writer) begin(name string, bracket byte) {
	if name == "" {
		w.comma()
	} else {
		w.key(name)
	}
	w.b = append(w.b, bracket)
}

func (w *writer) text(name, value string) {
	w.key(name)
	w.b = appendQuoted(w.b, value)
}

// element appends a string to an array.
func (w *writer) element(value string) {
	w.comma()
	w.b = appendQuoted(w.b, value)
}

// texts appends string members, given as names and values by turns.
func (w *writer) texts(pairs ...string) {
	for i := 0; i+1 < len(pairs); i += 2 {
		w.text(pairs[i], pairs[i+1])
	}
}

func (w *writer) number(name string, value int64) {
	w.key(name)
	w.b = strconv.AppendInt(w.b, value, 10)
}

func (w *writer) decimal(name string, value float64) {
	w.key(name)
	w.b = strconv.AppendFloat(w.b, value, 'f', -1, 64)
}

func (w *writer) truth(name string, value bool) {
	w.key(name)
	w.b = strconv.AppendBool(w.b, value)
}

func (w *writer) null(names ...string) {
	for _, name := range names {
		w.key(name)
		w.b = append(w.b, "null"...)
	}
}

// empty appends members that are empty strings.
func (w *writer) empty(names ...string) {
	for _, name := range names {
		w.text(name, "")
	}
}

// raw appends a member that is JSON already.
func (w *writer) raw(name string, value []byte) {
	w.key(name)
	w.b = append(w.b, value...)
}

func (w *writer) id(name string, value guid) {
	w.key(name)
	w.b = append(w.b, '"')
	w.b = value.appendTo(w.b)
	w.b = append(w.b, '"')
}

// The layouts of time upstream.
const (
	layoutTicks   = "2006-01-02T15:04:05.0000000Z" // Azure Monitor, Defender: ticks of 100 ns
	layoutMillis  = "2006-01-02T15:04:05.000Z"
	layoutSeconds = "2006-01-02T15:04:05Z"
	layoutNoZone  = "2006-01-02T15:04:05" // Office 365: UTC, though it does not say so
)

func (w *writer) time(name string, at schemas.Time, layout string) {
	w.key(name)
	w.b = append(w.b, '"')
	w.b = appendTime(w.b, at, layout)
	w.b = append(w.b, '"')
}

func appendTime(b []byte, at schemas.Time, layout string) []byte {
	t := at.UTC()
	b = t.AppendFormat(b, layoutNoZone)
	switch layout {
	case layoutNoZone:
		return b
	case layoutSeconds:
		return append(b, 'Z')
	}
	b = append(b, '.')
	b = appendPadded(b, int64(at%second), 3)
	if layout == layoutTicks {
		// Digits below the millisecond, the same whenever the instant is written.
		b = appendPadded(b, int64(at/second*7919+at*31)%10000, 4)
	}
	return append(b, 'Z')
}

func appendPadded(b []byte, n int64, digits int) []byte {
	var text [20]byte
	for i := digits - 1; i >= 0; i-- {
		text[i] = byte('0' + n%10)
		n /= 10
	}
	return append(b, text[:digits]...)
}

func appendQuoted[T string | []byte](b []byte, s T) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf || c >= utf8.RuneSelf {
			continue
		}
		b = append(b, s[start:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u')
			b = appendHex(b, uint64(c), 4)
		}
		start = i + 1
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}
