package normalise

import "fmt"

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

// of looks at a record that was parsed.
func (l *Limits) of(record object) excess {
	if record.document == nil {
		return excess{}
	}
	fields := 0
	for i, end := record.index, record.value().next; i < end; i++ {
		switch v := &record.document.values[i]; v.kind {
		case kindList:
			if int(v.count) > l.Items {
				return excess{ReasonTooManyItems, fmt.Sprintf("a list of more than %d", l.Items)}
			}
		case kindObject:
			if fields += int(v.count); fields > l.Fields {
				return excess{ReasonTooManyFields, fmt.Sprintf("more than %d fields", l.Fields)}
			}
		default:
		}
	}
	return excess{}
}
