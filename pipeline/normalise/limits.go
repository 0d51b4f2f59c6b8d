package normalise

import (
	"fmt"

	"github.com/valyala/fastjson"
)

// The defaults of Limits, and bounds that no setting moves. An Event Hubs message
// is at most 1 MiB; a record from Microsoft nests less than 20 deep and has some
// hundreds of fields, though a mailbox can be accessed tens of thousands of times.
const (
	DefaultMaxBytes  = 4 << 20
	DefaultMaxDepth  = 64
	DefaultMaxFields = 200_000
	DefaultMaxItems  = 100_000

	maxValues   = 500_000 // of a JSON text, envelopes included
	maxEmbedded = 8       // parsers kept from record to record: the envelope's and those of JSON strings inside it
	maxAlive    = 64 * maxEmbedded
)

// Limits bound what is read. A record over one of them is a reject with the
// reason too_large, too_deep, too_many_fields or too_many_items. Zero values take
// the defaults.
type Limits struct {
	Bytes  int // of a Kafka record
	Depth  int // how deep objects and lists nest, in a Kafka record and in JSON that is a string in it
	Fields int // members of all objects in one upstream record
	Items  int // of one list in one upstream record; the lists of envelopes are not in one
}

func (l *Limits) setDefaults() {
	for _, limit := range []struct {
		value    *int
		fallback int
	}{{&l.Bytes, DefaultMaxBytes}, {&l.Depth, DefaultMaxDepth}, {&l.Fields, DefaultMaxFields}, {&l.Items, DefaultMaxItems}} {
		if *limit.value == 0 {
			*limit.value = limit.fallback
		}
	}
}

// excess is why something is over a limit, the zero value when it is not.
type excess struct{ reason, detail string }

// ofText looks at JSON text before it is parsed, and returns about how many values
// it has.
func (l *Limits) ofText(text []byte) (values int, over excess) {
	depth, values := extent(text)
	switch {
	case depth > l.Depth:
		return values, excess{ReasonTooDeep, fmt.Sprintf("nested deeper than %d", l.Depth)}
	case values > maxValues:
		return values, excess{ReasonTooLarge, fmt.Sprintf("more than %d values", maxValues)}
	}
	return values, excess{}
}

// ofValue looks at a parsed record.
func (l *Limits) ofValue(v *fastjson.Value) excess {
	fields := 0
	return l.count(v, &fields)
}

func (l *Limits) count(v *fastjson.Value, fields *int) (over excess) {
	switch v.Type() {
	case fastjson.TypeArray:
		items := v.GetArray()
		if len(items) > l.Items {
			return excess{ReasonTooManyItems, fmt.Sprintf("a list of more than %d", l.Items)}
		}
		for _, item := range items {
			if over = l.count(item, fields); over.reason != "" {
				return over
			}
		}
	case fastjson.TypeObject:
		members := v.GetObject()
		if *fields += members.Len(); *fields > l.Fields {
			return excess{ReasonTooManyFields, fmt.Sprintf("more than %d fields", l.Fields)}
		}
		members.Visit(func(_ []byte, member *fastjson.Value) {
			if over.reason == "" {
				over = l.count(member, fields)
			}
		})
	default:
	}
	return over
}

// extent returns how deep the brackets of JSON text nest and about how many
// values it has, strings left out. A parsed value takes many times the bytes
// that it is written with, so that text must be bounded by both.
func extent(text []byte) (deepest, values int) {
	level, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == ',':
			values++
		case c == '{' || c == '[':
			values++
			level++
			deepest = max(deepest, level)
		case c == '}' || c == ']':
			level--
		}
	}
	return deepest, values
}
