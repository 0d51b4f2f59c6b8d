package main

import (
	"strings"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

// decoded reads a topic to its end.
func decoded[T schemas.Record](t *testing.T, l *live, schema, topic string) []T {
	t.Helper()
	codec, err := schemas.NewCodec[T](schema)
	if err != nil {
		t.Fatal(err)
	}
	var list []T
	for _, r := range l.read(topic) {
		var v T
		if err := codec.Decode(r.Value, &v); err != nil {
			t.Fatal(err)
		}
		list = append(list, v)
	}
	return list
}

// Through the whole pipeline, files and names of the story open with the vault
// key, and none of them shows on an internal topic.
func TestLive_sealed(t *testing.T) {
	l := newLive(t)
	l.startServices(t.Context())
	publisher, err := newPublisher(l.config)
	if err != nil {
		t.Fatal(err)
	}
	defer publisher.close()
	for _, chapter := range leaverStory() {
		for _, r := range chapter {
			if err := publisher.publish(t.Context(), r, r.Time.UTC()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := publisher.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.waitUntilRead()

	topics := l.config.Topics.names()
	keys := map[string]schemas.EvidenceKey{}
	for _, key := range decoded[schemas.EvidenceKey](t, l, schemas.EvidenceKeySchema, topics.EvidenceKeys()) {
		keys[key.ID] = key
	}
	ring, err := vault.NewKeyring(l.vault)
	if err != nil {
		t.Fatal(err)
	}
	opener := vault.NewEvidenceOpener(ring)
	files := map[string]bool{}
	for _, e := range decoded[schemas.Event](t, l, schemas.EventSchema, topics.Events()) {
		if e.Evidence == nil {
			continue
		}
		key := keys[e.EvidenceKey]
		clear, err := opener.Open(t.Context(), &key, e.User, e.ID, e.Evidence)
		if err != nil {
			t.Fatal(err)
		}
		evidence, err := schemas.ReadEvidence(clear)
		if err != nil {
			t.Fatal(err)
		}
		if e.Activity == "file.downloaded" {
			files[evidence.FileName] = true
		}
	}
	if len(files) != 150 || !files["149.xlsx"] {
		t.Errorf("%d file names open, want 150", len(files))
	}
	d := doctor{config: l.config}
	d.evidence(t.Context(), l.conn)
	if d.findings[0].Status != "ok" || !strings.Contains(d.findings[0].Detail, "activities within a day have some") {
		t.Errorf("the doctor says %+v", d.findings)
	}
	names := map[string]bool{}
	for _, sealed := range decoded[schemas.Identity](t, l, schemas.IdentitySchema, topics.Identities()) {
		identity, err := vault.OpenIdentity(t.Context(), ring, &sealed)
		if err != nil {
			t.Fatal(err)
		}
		names[identity.UPN] = true
	}
	if !names["grace@contoso.example"] || !names["heidi@contoso.example"] {
		t.Errorf("%d identities, not those of Grace and Heidi", len(names))
	}
	for _, topic := range []string{topics.Events(), topics.Alerts(), topics.Risk(), topics.Identities(), topics.EvidenceKeys()} {
		for _, r := range l.read(topic) {
			for _, personal := range []string{"grace", "heidi", ".xlsx", "198.51.100.7", `C:\lab`, "lap-1", "gmail.com"} {
				if strings.Contains(strings.ToLower(string(r.Key)+string(r.Value)), strings.ToLower(personal)) {
					t.Fatalf("%q shows on %s", personal, topic)
				}
			}
		}
	}
}
