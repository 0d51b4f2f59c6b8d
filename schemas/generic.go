package schemas

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/linkedin/goavro/v2"
	"github.com/twmb/avro"
)

// Generic decodes any record of any of riskpipe's topics without its Go struct,
// through a second, independent implementation of Avro. It is slow, and meant
// for looking at records and for checking the Codec.
type Generic struct {
	byPrint map[[8]byte]*goavro.Codec
	lookup  func(id uint32) (string, error)
	byID    map[uint32]*goavro.Codec
}

// NewGeneric returns a decoder for the given schemas and their released versions.
// Lookup finds the schema of a registry id; nil when there is no registry.
func NewGeneric(lookup func(id uint32) (string, error), schemas ...string) (*Generic, error) {
	g := &Generic{byPrint: map[[8]byte]*goavro.Codec{}, byID: map[uint32]*goavro.Codec{}, lookup: lookup}
	for _, text := range schemas {
		s, err := g.add(text)
		if err != nil {
			return nil, err
		}
		versions, err := released(s)
		if err != nil {
			return nil, err
		}
		for _, version := range versions {
			if _, err := g.add(version); err != nil {
				return nil, err
			}
		}
	}
	return g, nil
}

func (g *Generic) add(text string) (*avro.Schema, error) {
	c, err := goavro.NewCodecForStandardJSONFull(text)
	if err != nil {
		return nil, fmt.Errorf("parsing the schema: %w", err)
	}
	s, err := avro.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("parsing the schema: %w", err)
	}
	g.byPrint[[8]byte(singleObjectHeader(s)[2:])] = c
	return s, nil
}

// JSON decodes b and returns it as one JSON object with its members sorted: ids
// and pseudonyms in their text form, instants in RFC 3339, unions without the
// names of their branches. Errors wrap ErrMalformed.
func (g *Generic) JSON(b []byte) ([]byte, error) {
	native, _, err := g.native(b)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(plain("", native)); err != nil {
		return nil, fmt.Errorf("writing as JSON: %w", err)
	}
	return bytes.TrimSpace(text.Bytes()), nil
}

func (g *Generic) native(b []byte) (any, *goavro.Codec, error) {
	codec, body, err := g.codec(b)
	if err != nil {
		return nil, nil, err
	}
	native, rest, err := codec.NativeFromBinary(body)
	if err != nil {
		return nil, nil, fmt.Errorf("decoding: %w: %w", ErrMalformed, err)
	}
	if len(rest) != 0 {
		return nil, nil, fmt.Errorf("decoding: %w: %d bytes behind the record", ErrMalformed, len(rest))
	}
	return native, codec, nil
}

// plain turns goavro's native form of a member into what JSON should show.
func plain(member string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 1 {
			for branch, value := range v {
				if strings.Contains(branch, ".") || slices.Contains([]string{"boolean", "bytes", "int", "long", "string"}, branch) {
					return plain(member, value) // the branch of a union
				}
			}
		}
		members := make(map[string]any, len(v))
		for name, value := range v {
			members[name] = plain(name, value)
		}
		return members
	case []any:
		items := make([]any, len(v))
		for i := range v {
			items[i] = plain(member, v[i])
		}
		return items
	case []byte:
		switch {
		case len(v) == 16 && member == "user":
			return Pseudonym(v)
		case len(v) == 16:
			return UUID(v)
		}
		return v
	case time.Time:
		return v.UTC().Format("2006-01-02T15:04:05.000Z")
	default:
		return v
	}
}

func (g *Generic) codec(b []byte) (*goavro.Codec, []byte, error) {
	switch {
	case len(b) >= 10 && b[0] == 0xC3 && b[1] == 0x01:
		if c := g.byPrint[[8]byte(b[2:10])]; c != nil {
			return c, b[10:], nil
		}
		return nil, nil, fmt.Errorf("%w: unknown schema fingerprint %x", ErrMalformed, b[2:10])
	case len(b) >= 5 && b[0] == 0:
		id := binary.BigEndian.Uint32(b[1:5])
		if c := g.byID[id]; c != nil {
			return c, b[5:], nil
		}
		if g.lookup == nil {
			return nil, nil, fmt.Errorf("%w: schema id %d needs a schema registry, and none is configured", ErrMalformed, id)
		}
		text, err := g.lookup(id)
		if err != nil {
			return nil, nil, err
		}
		c, err := goavro.NewCodecForStandardJSONFull(text)
		if err != nil {
			return nil, nil, fmt.Errorf("parsing registered schema %d: %w: %w", id, ErrMalformed, err)
		}
		g.byID[id] = c
		return c, b[5:], nil
	default:
		return nil, nil, fmt.Errorf("%w: neither single-object encoding nor Confluent wire format", ErrMalformed)
	}
}
