package schemas

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/twmb/avro"
	"pgregory.net/rapid"
)

func codec[T Record](t testing.TB, schema string) *Codec[T] {
	t.Helper()
	c, err := NewCodec[T](schema)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// diff compares records. A list without members is written as one, whether it is
// nil or empty, and the reader gets either.
func diff[T Record](want, got T) string { return cmp.Diff(want, got, cmpopts.EquateEmpty()) }

// What is encoded decodes to the same, by the codec and, value for value, by
// the second implementation.
func TestCodec_roundTrip(t *testing.T) {
	for _, e := range []Event{fileEvent(), signInEvent(), markedEvent(), emailEvent(), healthEvent(), employeeEvent()} {
		roundTrip(t, EventSchema, e)
	}
	roundTrip(t, AlertSchema, alert())
	roundTrip(t, AlertSchema, heldAlert())
	roundTrip(t, RiskSchema, risk())
	roundTrip(t, RiskSchema, lateRisk())
	roundTrip(t, IdentitySchema, identity())
	roundTrip(t, EvidenceKeySchema, evidenceKey())
	roundTrip(t, AuditSchema, audit())
}

func roundTrip[T Record](t *testing.T, schema string, want T) {
	t.Helper()
	c := codec[T](t, schema)
	b, err := c.Append(nil, &want)
	if err != nil {
		t.Fatal(err)
	}
	var got T
	if err := c.Decode(b, &got); err != nil {
		t.Fatal(err)
	}
	if d := diff(want, got); d != "" {
		t.Errorf("%T is another after a round trip (-want +got):\n%s", want, d)
	}
	if again, err := c.Append(nil, &got); err != nil || !bytes.Equal(again, b) {
		t.Errorf("%T encodes to other bytes after a round trip (%v)", want, err)
	}
	compareWithOracle(t, schema, b)
}

// compareWithOracle decodes b with both implementations and compares them as
// JSON values.
func compareWithOracle(t interface {
	Fatal(...any)
	Fatalf(string, ...any)
}, schema string, b []byte,
) {
	g, err := NewGeneric(nil, schema)
	if err != nil {
		t.Fatal(err)
	}
	fromOracle, oracleCodec, err := g.native(b)
	if err != nil {
		t.Fatalf("goavro: %v", err)
	}
	oracle, err := oracleCodec.TextualFromNative(nil, fromOracle)
	if err != nil {
		t.Fatalf("goavro: %v", err)
	}
	s, err := avro.Parse(schema)
	if err != nil {
		t.Fatal(err)
	}
	var native any
	if _, err := s.Decode(b[10:], &native); err != nil {
		t.Fatal(err)
	}
	ours, err := s.EncodeJSON(native)
	if err != nil {
		t.Fatal(err)
	}
	var x, y any
	if json.Unmarshal(oracle, &x) != nil || json.Unmarshal(ours, &y) != nil || !reflect.DeepEqual(x, y) {
		t.Fatalf("implementations differ:\n%s\n%s", oracle, ours)
	}
}

// Arbitrary events survive, and both implementations read them alike.
func TestCodec_properties(t *testing.T) {
	c := codec[Event](t, EventSchema)
	rapid.Check(t, func(r *rapid.T) {
		e := fileEvent()
		e.Activity = rapid.String().Draw(r, "activity")
		e.Time = Time(rapid.Int64().Draw(r, "time"))
		e.File.Object = Hash(rapid.Int64().Draw(r, "object"))
		e.File.SensitiveTypes = rapid.SliceOfN(rapid.String(), 1, 5).Draw(r, "types")
		e.Evidence = rapid.SliceOfN(rapid.Byte(), 1, 50).Draw(r, "evidence")
		e.Groups = rapid.SliceOfN(rapid.String(), 0, 3).Draw(r, "groups")
		e.Marks = rapid.SliceOfN(rapid.String(), 0, 3).Draw(r, "marks")
		if rapid.Bool().Draw(r, "health") {
			e.Health = &Health{Record: Hash(rapid.Int64().Draw(r, "record")), Restricted: rapid.Bool().Draw(r, "restricted")}
		}
		if rapid.Bool().Draw(r, "bare") {
			e.Device, e.SourceIP, e.Destination, e.File, e.Evidence = nil, nil, nil, nil, nil
		}
		b, err := c.Append(nil, &e)
		if err != nil {
			r.Fatal(err)
		}
		var got Event
		if err := c.Decode(b, &got); err != nil {
			r.Fatal(err)
		}
		if d := diff(e, got); d != "" {
			r.Fatalf("(-want +got):\n%s", d)
		}
		if e.Time > -1<<40 && e.Time < 1<<45 { // what fits a time.Time on both sides
			compareWithOracle(r, EventSchema, b)
		}
	})
}

// The generic form shows ids, pseudonyms and instants as people read them.
func TestGeneric_JSON(t *testing.T) {
	c := codec[Event](t, EventSchema)
	g, err := NewGeneric(nil, EventSchema)
	if err != nil {
		t.Fatal(err)
	}
	e := fileEvent()
	b, err := c.Append(nil, &e)
	if err != nil {
		t.Fatal(err)
	}
	text, err := g.JSON(b)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		ID   UUID      `json:"event_id"`
		User Pseudonym `json:"user"`
		Time Time      `json:"time"`
		File struct {
			Extension string `json:"extension"`
		} `json:"file"`
		SignIn *struct{} `json:"sign_in"`
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if got.ID != e.ID || got.User != e.User || got.Time != e.Time || got.File.Extension != "docx" || got.SignIn != nil {
		t.Errorf("%s", text)
	}
	if _, err := g.JSON(b[:20]); !errors.Is(err, ErrMalformed) {
		t.Errorf("cut short: %v", err)
	}
}

// Bytes that are no record are malformed, whatever is wrong with them.
func TestCodec_malformed(t *testing.T) {
	c := codec[Event](t, EventSchema)
	e := fileEvent()
	sound, err := c.Append(nil, &e)
	if err != nil {
		t.Fatal(err)
	}
	unknown := bytes.Clone(sound)
	unknown[3] ^= 0xFF
	for name, b := range map[string][]byte{
		"empty": {}, "cut short": sound[:len(sound)-3], "trailing": append(bytes.Clone(sound), 0), "json": []byte(`{"a":1}`),
		"unknown fingerprint": unknown, "registry id without a registry": {0, 0, 0, 0, 9, 1, 2},
	} {
		var got Event
		if err := c.Decode(b, &got); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

// A codec that decodes whatever bytes never panics, and what it accepts it can
// write again.
func FuzzDecode(f *testing.F) {
	c := codec[Event](f, EventSchema)
	for _, e := range []Event{fileEvent(), signInEvent(), markedEvent(), emailEvent(), healthEvent(), employeeEvent()} {
		b, err := c.Append(nil, &e)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var e Event
		if err := c.Decode(b, &e); err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Errorf("error is not ErrMalformed: %v", err)
			}
			return
		}
		if _, err := c.Append(nil, &e); err != nil {
			t.Errorf("accepted but cannot be written: %v", err)
		}
	})
}

func BenchmarkCodec(b *testing.B) {
	for _, record := range []struct {
		name  string
		event Event
	}{{"file", fileEvent()}, {"marked", markedEvent()}, {"email", emailEvent()}, {"health", healthEvent()}} {
		benchmarkCodec(b, record.name, record.event)
	}
}

func benchmarkCodec(b *testing.B, name string, e Event) {
	c := codec[Event](b, EventSchema)
	buf, err := c.Append(nil, &e)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("encode/"+name, func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			buf, _ = c.Append(buf[:0], &e)
		}
	})
	b.Run("decode/"+name, func(b *testing.B) {
		b.ReportAllocs()
		var v Event
		for b.Loop() {
			_ = c.Decode(buf, &v)
		}
	})
	b.Run("shared/"+name, func(b *testing.B) {
		b.ReportAllocs()
		var v Event
		for b.Loop() {
			_ = c.DecodeShared(buf, &v)
		}
	})
}
