package schemas

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/twmb/avro"
)

var update = flag.Bool("update", false, "write the schemas and golden bytes of the current version; test again without it")

const currentVersion = "v3"

// golden is a record as a released version wrote it, in testdata/released/<version>/<file>.golden.
type golden[T Record] struct {
	version, file string
	record        T
}

// Every released version reads what every other one wrote, byte for byte, and
// their schemas are compatible in both directions (FULL_TRANSITIVE).
func TestReleased(t *testing.T) {
	compatible(t, "event", EventSchema, []golden[Event]{
		{"v1", "event", fileEvent()},
		{"v2", "event", markedEvent()},
		{"v2", "event_email", emailEvent()},
		{"v2", "event_health", healthEvent()},
		{"v3", "event", markedEvent()},
	})
	compatible(t, "alert", AlertSchema, []golden[Alert]{{"v1", "alert", alert()}, {"v2", "alert", heldAlert()}, {"v3", "alert", heldAlert()}})
	compatible(t, "risk", RiskSchema, []golden[Risk]{{"v1", "risk", risk()}, {"v2", "risk", lateRisk()}, {"v3", "risk", countedRisk()}})
	compatible(t, "identity", IdentitySchema, []golden[Identity]{{"v1", "identity", identity()}, {"v2", "identity", identity()}, {"v3", "identity", identity()}})
	compatible(t, "evidence_key", EvidenceKeySchema, []golden[EvidenceKey]{{"v2", "evidence_key", evidenceKey()}, {"v3", "evidence_key", evidenceKey()}})
	compatible(t, "audit", AuditSchema, []golden[Audit]{{"v2", "audit", audit()}, {"v3", "audit", audit()}})
}

func compatible[T Record](t *testing.T, name, schema string, records []golden[T]) {
	t.Helper()
	if *update { // what is embedded is that of before
		writeReleased(t, name, schema, records)
		return
	}
	files, err := filepath.Glob(filepath.Join("testdata", "released", "*", name+".avsc"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no released schema of %s (%v)", name, err)
	}
	readers := []string{schema}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		readers = append(readers, string(text))
	}
	for _, reader := range readers {
		for _, writer := range readers {
			if err := avro.CheckCompatibility(avro.MustParse(writer), avro.MustParse(reader)); err != nil {
				t.Errorf("%s: readers of\n%s\ncannot read records of\n%s\n%v", name, reader, writer, err)
			}
		}
		for _, g := range records {
			reads(t, reader, reader == schema, g)
		}
	}
	versions := map[string]bool{}
	for _, g := range records {
		versions[g.version] = true
	}
	if len(versions) != len(files) {
		t.Errorf("%s: %d versions are released, %d have golden records", name, len(files), len(versions))
	}
}

// reads decodes a golden record under a schema: all of it when the schema is the
// one in force, else what it would be had it been written under that schema.
func reads[T Record](t *testing.T, schema string, inForce bool, g golden[T]) {
	t.Helper()
	file := filepath.Join("testdata", "released", g.version, g.file+".golden")
	written, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c := codec[T](t, schema)
	var got T
	if err := c.Decode(written, &got); err != nil {
		t.Errorf("%s: %v", file, err)
	}
	want := g.record
	if !inForce {
		known, err := c.Append(nil, &g.record)
		if err == nil {
			err = c.Decode(known, &want)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if d := diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", file, d)
	}
}

func writeReleased[T Record](t *testing.T, name, schema string, records []golden[T]) {
	t.Helper()
	dir := filepath.Join("testdata", "released", currentVersion)
	err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, name+".avsc"), []byte(schema), 0o644))
	for _, g := range records {
		if g.version != currentVersion {
			continue
		}
		b, encoding := codec[T](t, schema).Append(nil, &g.record)
		err = errors.Join(err, encoding, os.WriteFile(filepath.Join(dir, g.file+".golden"), b, 0o644))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// The schemas in force are the newest released ones: after a change of a
// schema, a version is to be added.
func TestReleased_current(t *testing.T) {
	for name, schema := range map[string]string{
		"event": EventSchema, "alert": AlertSchema, "risk": RiskSchema,
		"identity": IdentitySchema, "evidence_key": EvidenceKeySchema, "audit": AuditSchema,
	} {
		text, err := os.ReadFile(filepath.Join("testdata", "released", currentVersion, name+".avsc"))
		if err != nil {
			t.Fatal(err)
		}
		if string(avro.MustParse(string(text)).Canonical()) != string(avro.MustParse(schema).Canonical()) {
			t.Errorf("%s.avsc is not that of %s: release a new version", name, currentVersion)
		}
	}
}

// What a released version wrote is shown by the generic form, too.
func TestGeneric_released(t *testing.T) {
	g, err := NewGeneric(nil, EventSchema)
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"v1", currentVersion} {
		b, err := os.ReadFile(filepath.Join("testdata", "released", version, "event.golden"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := g.JSON(b); err != nil {
			t.Errorf("%s: %v", version, err)
		}
	}
}

// Lists without members cost nothing to decode, since most events have none: there is
// the copy of the record, in which strings lie, and nothing else.
func TestCodec_emptyListsAllocateNothing(t *testing.T) {
	c := codec[Event](t, EventSchema)
	b, err := c.Append(nil, &Event{Source: SourceHR, ActorType: ActorPerson, Outcome: OutcomeSuccess})
	if err != nil {
		t.Fatal(err)
	}
	var e Event
	if n := testing.AllocsPerRun(100, func() {
		if err := c.Decode(b, &e); err != nil {
			t.Fatal(err)
		}
	}); n > 1 {
		t.Errorf("%v allocations", n)
	}
	c.directRead = nil
	if n := testing.AllocsPerRun(100, func() {
		if err := c.Decode(b, &e); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations by the library", n)
	}
}
