package schemas

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/twmb/avro"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write the golden bytes of the current version")

func codec[T Record](t testing.TB, schema string) *Codec[T] {
	t.Helper()
	c, err := NewCodec[T](schema)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// fileEvent has every envelope field and one body set.
func fileEvent() Event {
	yes := true
	return Event{
		ID: NewUUID("t", "1"), Source: SourceFile, Activity: "file.downloaded", Operation: "FileDownloaded",
		Time: 1772442000123, ObservedTime: 1772442001456, User: Pseudonym{1, 2, 3}, KeyVersion: 1,
		ActorType: ActorPerson, Outcome: OutcomeSuccess,
		Device:      &Device{ID: -5, OS: "Windows", Managed: &yes},
		SourceIP:    &SourceIP{ID: 77, Country: "DE", ASN: 64500},
		Destination: &Destination{Class: "personal_mail", Domain: 9, External: true},
		Origin:      Origin{Topic: "raw.file", Partition: 3, Offset: 99, Index: 1},
		Evidence:    []byte{1, 2}, EvidenceKey: "k1",
		File: &File{
			Object: 1, Name: 2, Previous: 3, Extension: "docx", ItemType: "file", Size: 1 << 40, Count: 1,
			Location: "sharepoint", Label: "Confidential", LabelChange: "downgraded",
			SensitiveTypes: []string{"Credit Card Number"}, SensitiveCount: 3, Enforcement: "audit", Application: "Word",
		},
	}
}

func signInEvent() Event {
	return Event{
		ID: NewUUID("t", "2"), Source: SourceSignIn, Activity: "signin.failed", Time: 1772442000123, KeyVersion: 1,
		ActorType: ActorPerson, Outcome: OutcomeFailure,
		SignIn: &SignIn{Application: "Portal", StatusCode: 50126, MFA: true, RiskTypes: []string{"unfamiliarFeatures"}},
	}
}

func alert() Alert {
	return Alert{
		ID: NewUUID("a"), Version: 3, User: Pseudonym{9}, Policy: "p", PolicyVersion: 1, PolicyHash: -7,
		Status: AlertOpen, Severity: SeverityHigh, Score: 67_415, OpenedAt: 1, UpdatedAt: 2, ObservedTime: 3,
		Contributions:   []Contribution{{KindIndicator, "i", 40_000, "d"}, {KindModifier, "m", 27_415, ""}},
		Counterfactuals: []Counterfactual{{"m", 40_000}}, EventIDs: []UUID{{1}, {2}},
	}
}

func risk() Risk {
	return Risk{User: Pseudonym{9}, Time: 5, Score: 1, Level: LevelMinor, Policy: "p", PolicyVersion: 1, Cause: UUID{3}, Contributions: []Contribution{{KindIndicator, "i", 1, ""}}}
}

func identity() Identity {
	return Identity{User: Pseudonym{9}, KeyVersion: 2, UpdatedTime: 5, Sealed: []byte("sealed"), SealingKey: "k"}
}

// What is encoded decodes to the same, by the codec and, value for value, by
// the second implementation.
func TestCodec_roundTrip(t *testing.T) {
	roundTrip(t, EventSchema, fileEvent())
	roundTrip(t, EventSchema, signInEvent())
	roundTrip(t, AlertSchema, alert())
	roundTrip(t, RiskSchema, risk())
	roundTrip(t, IdentitySchema, identity())
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
		if !reflect.DeepEqual(got, e) {
			r.Fatalf("got %+v, want %+v", got, e)
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

// Every released version stays readable byte for byte, and its schema is
// compatible with the current one in both directions (FULL_TRANSITIVE).
func TestReleased(t *testing.T) {
	released[Event](t, "event", EventSchema, fileEvent())
	released[Alert](t, "alert", AlertSchema, alert())
	released[Risk](t, "risk", RiskSchema, risk())
	released[Identity](t, "identity", IdentitySchema, identity())
}

const currentVersion = "v1"

func released[T Record](t *testing.T, name, schema string, want T) {
	t.Helper()
	current := avro.MustParse(schema)
	if *update {
		dir := filepath.Join("testdata", "released", currentVersion)
		b, err := codec[T](t, schema).Append(nil, &want)
		if err == nil {
			err = errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, name+".avsc"), []byte(schema), 0o644),
				os.WriteFile(filepath.Join(dir, name+".golden"), b, 0o644))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	versions, err := filepath.Glob(filepath.Join("testdata", "released", "*", name+".avsc"))
	if err != nil || len(versions) == 0 {
		t.Fatalf("no released schema of %s (%v)", name, err)
	}
	for _, file := range versions {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		old := avro.MustParse(string(text))
		if err := avro.CheckCompatibility(old, current); err != nil {
			t.Errorf("%s: its records cannot be read any more: %v", file, err)
		}
		if err := avro.CheckCompatibility(current, old); err != nil {
			t.Errorf("%s: its readers cannot read new records: %v", file, err)
		}
		golden, err := os.ReadFile(file[:len(file)-len(".avsc")] + ".golden")
		if err != nil {
			t.Fatal(err)
		}
		c, err := NewCodec[T](schema, string(text))
		if err != nil {
			t.Fatal(err)
		}
		var got T
		if err := c.Decode(golden, &got); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, want %+v", file, got, want)
		}
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
	for _, e := range []Event{fileEvent(), signInEvent()} {
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
	c := codec[Event](b, EventSchema)
	e := fileEvent()
	buf, err := c.Append(nil, &e)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			buf, _ = c.Append(buf[:0], &e)
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		var v Event
		for b.Loop() {
			_ = c.Decode(buf, &v)
		}
	})
}
