package operators

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"testing"
)

// leftOut are the leaves of event.avsc of which policies do not speak, and why.
func leftOut() map[string]string {
	const (
		carrier  = "says how the fact arrived, not what it is"
		identity = "says who or which, never what"
		departs  = "dates bring people into policies and bend the departure curve"
		compared = "compared with the patient's by the fields health.same_…"
	)
	return map[string]string{
		"event_id": identity, "user": identity, "key_version": identity,
		"time": "windows and working hours read it", "observed_time": carrier,
		"actor_type":   "only people are scored",
		"origin.topic": carrier, "origin.partition": carrier, "origin.offset": carrier, "origin.index": carrier,
		"evidence": "sealed", "evidence_key": "sealed",
		"hr.effective": departs, "hr.resigned": departs, "hr.last_day": departs,
		"hr.family_name": compared, "hr.address": compared, "hr.street": compared,
		"health.family_name": compared, "health.address": compared, "health.street": compared,
	}
}

// derived are the fields that no event holds as such.
func derived() []string {
	return []string{"user.groups", "health.same_family_name", "health.same_address", "health.same_street"}
}

// avroFields are the parts of an Avro schema that tell its leaves.
type avroFields struct {
	Fields []struct {
		Name string          `json:"name"`
		Type json.RawMessage `json:"type"`
	} `json:"fields"`
}

func leaves(t *testing.T, prefix string, schema json.RawMessage) []string {
	t.Helper()
	var record avroFields
	if err := json.Unmarshal(schema, &record); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range record.Fields {
		body := f.Type
		var union []json.RawMessage
		if json.Unmarshal(body, &union) == nil {
			body = union[len(union)-1]
		}
		var inner avroFields
		if json.Unmarshal(body, &inner) == nil && len(inner.Fields) > 0 {
			names = append(names, leaves(t, prefix+f.Name+".", body)...)
			continue
		}
		names = append(names, prefix+f.Name)
	}
	return names
}

// Every leaf of an event is a field or is left out for a reason, and every field
// is a leaf or derived.
func TestFields_complete(t *testing.T) {
	schema, err := os.ReadFile("../schemas/event.avsc")
	if err != nil {
		t.Fatal(err)
	}
	all := leaves(t, "", schema)
	without := leftOut()
	for _, leaf := range all {
		_, known := fields[leaf]
		if reason := without[leaf]; known == (reason != "") {
			t.Errorf("%s: is a field: %t, is left out: %q", leaf, known, reason)
		}
	}
	for _, name := range slices.Concat(slices.Sorted(maps.Keys(fields)), slices.Sorted(maps.Keys(without))) {
		if !slices.Contains(all, name) && !slices.Contains(derived(), name) {
			t.Errorf("%s is no leaf of event.avsc", name)
		}
	}
}

// Each field has the one function of its kind, and reads nothing from an event
// without bodies.
func TestFields_absent(t *testing.T) {
	empty := &subject{event: example().event, person: &person{}}
	bare := *empty.event
	bare.Device, bare.SourceIP, bare.Destination, bare.File, bare.Email, bare.Health = nil, nil, nil, nil, nil, nil
	bare.Activity, bare.Operation, bare.Outcome, bare.Source, bare.Groups, bare.Marks = "", "", "", "", nil, nil
	empty.event = &bare
	for name, f := range fields {
		present := false
		switch f.kind {
		case kindText:
			present = f.text(empty) != ""
		case kindTruth:
			value, said := f.truth(empty)
			present = value || said
		case kindList:
			present = len(f.list(empty)) > 0
		case kindHashes:
			present = len(f.hashes(empty)) > 0
		default:
			present = f.number(empty) != 0
		}
		if present {
			t.Errorf("%s reads something from nothing", name)
		}
	}
}
