package sink

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/schemas"
)

// publishKeyed sends a record with the key and the time; no value deletes.
func (w *world) publishKeyed(topic, key string, at time.Time, value []byte) {
	w.tb.Helper()
	if err := w.client.ProduceSync(w.tb.Context(), &kgo.Record{Topic: topic, Key: []byte(key), Value: value, Timestamp: at}).FirstErr(); err != nil {
		w.tb.Fatal(err)
	}
}

// Identities are kept by person and feed, the latest one, and go with a record without a value,
// whatever is delivered again behind it.
func TestSink_identities(t *testing.T) {
	w := newWorld(t)
	topic := w.config.Topics.Identities()
	now := time.Now().Truncate(time.Millisecond)
	record := func(age time.Duration, sealed string) []byte {
		return encode(t, w.identities, schemas.Identity{
			User: somebody, KeyVersion: 2, UpdatedTime: schemas.TimeOf(now.Add(-age)), Sealed: []byte(sealed), SealingKey: "0123456789abcdef",
		})
	}
	key := somebody.String()
	w.publishKeyed(topic, key+"/email", now, record(2*time.Hour, "newer"))
	w.publishKeyed(topic, key+"/email", now, record(3*time.Hour, "older"))
	w.publishKeyed(topic, key+"/signin", now, record(2*time.Hour, "other feed"))
	w.publishKeyed(topic, key+"/file", now, record(2*time.Hour, "to go"))
	w.publishKeyed(topic, key+"/file", now, nil)
	w.publishKeyed(topic, key+"/file", now, record(2*time.Hour, "replayed"))
	w.run(w.conn)
	w.waitForCommits()
	table := IdentityDatabase(w.config.Database, "") + ".identities"
	w.waitFor(2, "SELECT count() FROM "+table+" FINAL")
	w.waitFor(1, "SELECT count() FROM "+table+" FINAL WHERE source = 'email' AND sealed = 'newer' AND user = '"+key+"' AND key_version = 2 AND sealing_key = '0123456789abcdef'")
	w.waitFor(1, "SELECT count() FROM "+table+" FINAL WHERE source = 'signin'")

	source, err := NewIdentitySource(w.conn, w.config.Database, "")
	if err != nil {
		t.Fatal(err)
	}
	got, err := source.Identities(t.Context(), somebody)
	slices.SortFunc(got, func(a, b schemas.Identity) int { return bytes.Compare(a.Sealed, b.Sealed) })
	want := []schemas.Identity{
		{User: somebody, KeyVersion: 2, UpdatedTime: schemas.TimeOf(now.Add(-2 * time.Hour)), Sealed: []byte("newer"), SealingKey: "0123456789abcdef"},
		{User: somebody, KeyVersion: 2, UpdatedTime: schemas.TimeOf(now.Add(-2 * time.Hour)), Sealed: []byte("other feed"), SealingKey: "0123456789abcdef"},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("read (%v): %s", err, diff)
	}
	if got, err := source.Identities(t.Context(), schemas.Pseudonym{9}); err != nil || len(got) > 0 {
		t.Errorf("of nobody: %v, %v", got, err)
	}

	// Merging removes the bytes.
	if err := w.conn.Exec(t.Context(), "OPTIMIZE TABLE "+table+" FINAL"); err != nil {
		t.Fatal(err)
	}
	w.waitFor(0, "SELECT count() FROM "+table+" WHERE sealed IN ('to go', 'replayed', 'older')")
}

// A key that was deleted stays deleted, and another stays.
func TestSink_evidenceKeys(t *testing.T) {
	w := newWorld(t)
	topic := w.config.Topics.EvidenceKeys()
	now := time.Now().Truncate(time.Millisecond)
	record := func(id string) []byte {
		return encode(t, w.keys, schemas.EvidenceKey{ID: id, VaultKey: "0123456789abcdef", Hour: schemas.TimeOf(now.Truncate(time.Hour)), Format: 1, Wrapped: []byte("wrapped " + id)})
	}
	w.publishKeyed(topic, "a", now, record("a"))
	w.publishKeyed(topic, "b", now, record("b"))
	w.publishKeyed(topic, "a", now, nil)
	w.publishKeyed(topic, "a", now, record("a"))
	w.run(w.conn)
	w.waitForCommits()
	table := IdentityDatabase(w.config.Database, "") + ".evidence_keys"
	w.waitFor(1, "SELECT count() FROM "+table+" FINAL")
	w.waitFor(1, "SELECT count() FROM "+table+" FINAL WHERE key_id = 'b' AND wrapped = 'wrapped b' AND format = 1 AND vault_key = '0123456789abcdef'")
	if err := w.conn.Exec(t.Context(), "OPTIMIZE TABLE "+table+" FINAL"); err != nil {
		t.Fatal(err)
	}
	w.waitFor(0, "SELECT count() FROM "+table+" WHERE wrapped = 'wrapped a'")
}

// What has no place in the tables is refused, without its key in the error.
func TestFlattenIdentity_malformed(t *testing.T) {
	good := schemas.Identity{User: somebody, KeyVersion: 1}
	for _, key := range []string{"", "ada@contoso.com/email", somebody.String(), somebody.String() + "/", schemas.Pseudonym{1}.String() + "/email"} {
		if _, err := flattenIdentity(&good, &kgo.Record{Key: []byte(key)}); err == nil {
			t.Errorf("key %q passed", key)
		}
	}
	bad := good
	bad.KeyVersion = 0
	if _, err := flattenIdentity(&bad, &kgo.Record{Key: []byte(somebody.String() + "/email")}); err == nil {
		t.Error("key version 0 passed")
	}
	if _, err := deletedEvidenceKey(&kgo.Record{Timestamp: time.Now()}); err == nil {
		t.Error("a deletion of nothing passed")
	}
	if _, err := flattenEvidenceKey(&schemas.EvidenceKey{ID: "a"}, &kgo.Record{}); err == nil {
		t.Error("a key of no format passed")
	}
}
