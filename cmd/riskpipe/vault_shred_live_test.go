package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/schemas"
)

// The hours' keys that sealed a person's evidence are shredded when that is asked
// for, so that nothing which lies on the topic of events opens any more.
func TestLive_eraseShredsKeys(t *testing.T) {
	l := newLive(t)
	l.onRecord()
	l.startServices(t.Context())
	publisher, err := newPublisher(l.config)
	if err != nil {
		t.Fatal(err)
	}
	defer publisher.close()
	for _, r := range leaverStory()[1] {
		if err := publisher.publish(t.Context(), r, r.Time.UTC()); err != nil {
			t.Fatal(err)
		}
	}
	if err := publisher.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.waitUntilRead()
	if proof, err := l.erase(eraseOptions{shredKeys: true}, "grace@contoso.example"); err != nil {
		t.Fatalf("%v\n%s", err, proof)
	}
	e := l.erasure()
	defer e.close()
	keys, err := readLatest(t.Context(), e, l.config.Topics.names().EvidenceKeys(), e.codecs.keys)
	if err != nil {
		t.Fatal(err)
	}
	sealed := 0
	for _, r := range l.read(l.config.Topics.names().Events()) {
		var event schemas.Event
		if r.Value == nil || e.codecs.events.Decode(r.Value, &event) != nil || event.Evidence == nil {
			continue
		}
		sealed++
		if _, found := keys[event.EvidenceKey]; found {
			t.Errorf("the key of event %s is there", event.ID)
		}
	}
	if sealed == 0 {
		t.Error("nothing was sealed")
	}
}

func (l *live) erasure() *erasure {
	l.t.Helper()
	e, err := newErasure(l.t.Context(), l.config, nil, io.Discard)
	if err != nil {
		l.t.Fatal(err)
	}
	return e
}

// What is older than it is kept goes from the topics and from ClickHouse, and
// nothing else does.
func TestLive_shred(t *testing.T) {
	l := newLive(t)
	l.onRecord()
	l.config.Sink.EvidenceDays, l.config.Sink.IdentityDays = 30, 60
	l.startServices(t.Context())
	e := l.erasure()
	defer e.close()
	now := schemas.TimeOf(time.Now())
	names := l.config.Topics.names()
	var records []*kgo.Record
	for id, age := range map[string]schemas.Time{"old": 31, "older": 90, "new": 29} {
		key := schemas.EvidenceKey{ID: id, VaultKey: "0123456789abcdef", Hour: now - age*oneDay, Format: 1, Wrapped: []byte("w")}
		value, err := e.codecs.keys.Append(nil, &key)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, &kgo.Record{Topic: names.EvidenceKeys(), Key: []byte(id), Value: value})
	}
	for user, age := range map[byte]schemas.Time{1: 61, 2: 59} {
		identity := schemas.Identity{User: schemas.Pseudonym{user}, KeyVersion: 1, UpdatedTime: now - age*oneDay, Sealed: []byte("s"), SealingKey: "0123456789abcdef"}
		value, err := e.codecs.identities.Append(nil, &identity)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, &kgo.Record{Topic: names.Identities(), Key: []byte(identity.User.String() + "/hr"), Value: value})
	}
	if _, err := e.order(t.Context(), records); err != nil {
		t.Fatal(err)
	}
	l.waitUntilRead()
	shred := func(o eraseOptions) string {
		t.Helper()
		var out bytes.Buffer
		o.yes, o.timeout = true, time.Minute
		if err := e.shred(t.Context(), o, now, strings.NewReader(""), &out); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	if got := shred(eraseOptions{dryRun: true}); got != "2 data keys and 1 identities have expired\n" {
		t.Errorf("dry run: %s", got)
	}
	if got := shred(eraseOptions{}); !strings.HasSuffix(got, "none is left\n") {
		t.Errorf("shred: %s", got)
	}
	if got := shred(eraseOptions{}); got != "0 data keys and 0 identities have expired\n" {
		t.Errorf("again: %s", got)
	}
	var keys, identities uint64
	database := l.config.ClickHouse.Database + "_identities"
	if err := l.conn.QueryRow(t.Context(), "SELECT (SELECT count() FROM "+database+".evidence_keys FINAL), (SELECT count() FROM "+database+".identities FINAL)").Scan(&keys, &identities); err != nil || keys != 1 || identities != 1 {
		t.Errorf("%d keys and %d identities (%v), want one of each", keys, identities, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := readLatest(ctx, e, names.EvidenceKeys(), e.codecs.keys); err == nil {
		t.Error("read without an error when interrupted")
	}
}
