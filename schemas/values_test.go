package schemas

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Points print as plain decimals and come back the same.
func TestPoints(t *testing.T) {
	for p, want := range map[Points]string{0: "0", 1: "0.001", 1000: "1", 67_415: "67.415", 100_000: "100", -1500: "-1.5", 10: "0.01"} {
		if got := p.String(); got != want {
			t.Errorf("%d is %q, want %q", p, got, want)
		}
	}
	rapid.Check(t, func(r *rapid.T) {
		p := Points(rapid.Int32().Draw(r, "p"))
		b, err := json.Marshal(p)
		if err != nil {
			r.Fatal(err)
		}
		var got Points
		if err := json.Unmarshal(b, &got); err != nil || got != p {
			r.Fatalf("%s came back as %d (%v)", b, got, err)
		}
	})
}

// The short pseudonym is a prefix of the full one, and text comes back the same.
func TestPseudonym(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p := Pseudonym(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(r, "p"))
		if len(p.Short()) != 13 || !strings.HasPrefix(p.String(), p.Short()) {
			r.Fatalf("short %q, full %q", p.Short(), p)
		}
		if text, err := p.AppendText([]byte("key ")); err != nil || string(text) != "key "+p.String() {
			r.Fatalf("%s is appended as %q (%v)", p, text, err)
		}
		var got Pseudonym
		if err := got.UnmarshalText([]byte(p.String())); err != nil || got != p {
			r.Fatalf("%s came back as %s (%v)", p, got, err)
		}
	})
	var p Pseudonym
	for _, bad := range []string{"", "ANON-", "ANON-ILOU", "7F3A9K2M"} {
		if p.UnmarshalText([]byte(bad)) == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

// Ids are of version 8, and lists of parts that merely join alike differ.
func TestNewUUID(t *testing.T) {
	u := NewUUID("a-b", "c")
	if s := u.String(); len(s) != 36 || s[14] != '8' || !strings.ContainsRune("89ab", rune(s[19])) {
		t.Errorf("%s is no version 8 UUID", s)
	}
	if u == NewUUID("a", "b-c") || u == NewUUID("a-bc") || u == NewUUID("a-b", "c", "") {
		t.Error("different parts give the same id")
	}
	if u != NewUUID("a-b", "c") {
		t.Error("the same parts give different ids")
	}
	var got UUID
	if err := got.UnmarshalText([]byte(u.String())); err != nil || got != u {
		t.Errorf("came back as %s (%v)", got, err)
	}
}

// A dead-letter topic keeps the prefix in front.
func TestTopics(t *testing.T) {
	topics := Topics{Prefix: "eu."}
	if got := topics.DeadLetter(topics.Raw(SourceHR)); got != "eu.dlq.raw.hr" {
		t.Errorf("dead letters go to %s", got)
	}
	if got := (Topics{}).DeadLetter("events"); got != "dlq.events" {
		t.Errorf("dead letters go to %s", got)
	}
}

// Digests read what they write, and nothing of another length.
func TestDigest(t *testing.T) {
	want := Digest{0xAB, 31: 1}
	text, err := want.MarshalText()
	var got Digest
	if err := errors.Join(err, got.UnmarshalText(text)); err != nil || got != want || !strings.HasPrefix(want.String(), "ab00") {
		t.Errorf("%s became %s, %v", text, got, err)
	}
	for _, bad := range []string{"", "ab", string(text) + "00", strings.Repeat("x", 64)} {
		if err := got.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q passed", bad)
		}
	}
}
