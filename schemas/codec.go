package schemas

import (
	"bytes"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/twmb/avro"
)

// ErrMalformed is wrapped by every error that means "these bytes are no valid
// record": retrying cannot help, a dead letter is due.
var ErrMalformed = errors.New("malformed record")

// The schemas in force, as their .avsc files say them.
var (
	//go:embed event.avsc
	EventSchema string
	//go:embed alert.avsc
	AlertSchema string
	//go:embed risk.avsc
	RiskSchema string
	//go:embed identity.avsc
	IdentitySchema string
	//go:embed evidence_key.avsc
	EvidenceKeySchema string
	//go:embed audit.avsc
	AuditSchema string
)

// Record is any of the records that cross a topic.
type Record interface {
	Event | Alert | Risk | Identity | EvidenceKey | Audit
}

// Codec encodes and decodes one type of record. It is safe for concurrent use.
//
// Without a registry it writes Avro single-object encoding (magic C3 01 and the
// schema's CRC-64-AVRO fingerprint); with one, Confluent's wire format (magic 00
// and the registered id). It reads both, whichever it writes.
type Codec[T Record] struct {
	schema *avro.Schema
	header []byte
	lookup func(id uint32) (string, error)
	blank  T // what decoding begins with
	// directAppend and directRead encode and decode under the schema without
	// reflection, where there is a way; false when they cannot.
	directAppend func(dst []byte, v *T) ([]byte, bool)
	directRead   func(b []byte, v *T) bool

	mu      sync.RWMutex
	byPrint map[[8]byte]*avro.Schema
	byID    map[uint32]*avro.Schema
}

// NewCodec returns a codec that writes single-object encoding under the schema,
// and reads what any released version of the schema wrote.
func NewCodec[T Record](schema string) (*Codec[T], error) {
	s, err := avro.Parse(schema)
	if err != nil {
		return nil, fmt.Errorf("parsing the schema: %w", err)
	}
	c := &Codec[T]{schema: s, blank: blank[T](), byPrint: map[[8]byte]*avro.Schema{}, byID: map[uint32]*avro.Schema{}}
	versions, err := released(s)
	if err != nil {
		return nil, err
	}
	for _, text := range versions {
		writer, err := avro.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("parsing a released schema: %w", err)
		}
		resolved, err := avro.Resolve(writer, s)
		if err != nil {
			return nil, fmt.Errorf("resolving a released schema: %w", err)
		}
		c.byPrint[[8]byte(singleObjectHeader(writer)[2:])] = resolved
	}
	if schema == EventSchema {
		c.directAppend, _ = any(appendEvent).(func([]byte, *T) ([]byte, bool))
		c.directRead, _ = any(readEvent).(func([]byte, *T) bool)
	}
	c.header = singleObjectHeader(s)
	c.byPrint[[8]byte(c.header[2:])] = s
	return c, nil
}

// blank returns a T with nothing in it but lists that are empty instead of nil:
// the decoder allocates one for each nil list that stays empty, and most do.
func blank[T Record]() T {
	var zero T
	fields := reflect.ValueOf(&zero).Elem()
	for _, field := range fields.Fields() {
		if field.Kind() == reflect.Slice && field.Type().Elem().Kind() != reflect.Uint8 {
			field.Set(reflect.MakeSlice(field.Type(), 0, 0))
		}
	}
	return zero
}

func singleObjectHeader(s *avro.Schema) []byte {
	h := avro.NewRabin()
	h.Write(s.Canonical())
	return binary.LittleEndian.AppendUint64([]byte{0xC3, 0x01}, h.Sum64())
}

// Append encodes v behind dst and returns the extended slice.
func (c *Codec[T]) Append(dst []byte, v *T) ([]byte, error) {
	dst = append(dst, c.header...)
	if c.directAppend != nil {
		if longer, ok := c.directAppend(dst, v); ok {
			return longer, nil
		}
	}
	dst, err := c.schema.AppendEncode(dst, v)
	if err != nil {
		return nil, fmt.Errorf("encoding %T: %w", *v, err)
	}
	return dst, nil
}

// Decode reads b into v, whose earlier content is replaced. A list without
// members may be nil or empty. Strings and byte slices of v may lie in one copy of
// b: who keeps one of them for long should copy it. Errors wrap ErrMalformed unless
// the registry could not be asked.
func (c *Codec[T]) Decode(b []byte, v *T) error {
	*v = c.blank
	return c.decode(b, v, false)
}

// DecodeShared is Decode for who is done with v before b changes and before
// decoding into v again: strings and byte slices of v lie in b, and the lists and
// the bodies that v points to are used again, if they are not nil.
func (c *Codec[T]) DecodeShared(b []byte, v *T) error {
	return c.decode(b, v, true)
}

func (c *Codec[T]) decode(b []byte, v *T, shared bool) error {
	writer, body, err := c.writer(b)
	if err != nil {
		return err
	}
	if writer == c.schema && c.directRead != nil {
		lasting := body
		if !shared {
			lasting = bytes.Clone(body)
		}
		if c.directRead(lasting, v) {
			return nil
		}
	}
	var opts []avro.Opt
	if shared {
		opts = append(opts, avro.AliasInput())
	}
	rest, err := writer.Decode(body, v, opts...)
	if err != nil {
		return fmt.Errorf("decoding %T: %w: %w", *v, ErrMalformed, err)
	}
	if len(rest) != 0 {
		return fmt.Errorf("decoding %T: %w: %d bytes behind the record", *v, ErrMalformed, len(rest))
	}
	return nil
}

// writer finds what reads records with the header of b, and cuts the header off. It
// is the codec's own schema for all that was written under an equal one.
func (c *Codec[T]) writer(b []byte) (*avro.Schema, []byte, error) {
	switch {
	case bytes.HasPrefix(b, c.header): // most are
		return c.schema, b[len(c.header):], nil
	case len(b) >= 10 && b[0] == 0xC3 && b[1] == 0x01:
		c.mu.RLock()
		s := c.byPrint[[8]byte(b[2:10])]
		c.mu.RUnlock()
		if s == nil {
			return nil, nil, fmt.Errorf("%w: unknown schema fingerprint %x; it was written by a newer riskpipe, upgrade the readers first", ErrMalformed, b[2:10])
		}
		return s, b[10:], nil
	case len(b) >= 5 && b[0] == 0:
		s, err := c.registered(binary.BigEndian.Uint32(b[1:5]))
		return s, b[5:], err
	default:
		return nil, nil, fmt.Errorf("%w: neither single-object encoding nor Confluent wire format", ErrMalformed)
	}
}

func (c *Codec[T]) registered(id uint32) (*avro.Schema, error) {
	c.mu.RLock()
	s, lookup := c.byID[id], c.lookup
	c.mu.RUnlock()
	if s != nil {
		return s, nil
	}
	if lookup == nil {
		return nil, fmt.Errorf("%w: schema id %d needs a schema registry, and none is configured", ErrMalformed, id)
	}
	text, err := lookup(id)
	if err != nil {
		return nil, err
	}
	writer, err := avro.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("parsing registered schema %d: %w: %w", id, ErrMalformed, err)
	}
	if bytes.Equal(writer.Canonical(), c.schema.Canonical()) {
		s = c.schema
	} else if s, err = avro.Resolve(writer, c.schema); err != nil {
		return nil, fmt.Errorf("resolving registered schema %d: %w: %w", id, ErrMalformed, err)
	}
	c.mu.Lock()
	c.byID[id] = s
	c.mu.Unlock()
	return s, nil
}
