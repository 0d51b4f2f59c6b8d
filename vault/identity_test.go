package vault

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/riskpipe/riskpipe/schemas"
)

func ada() Identity {
	return Identity{
		UPN: "ada@contoso.example", DisplayName: "Ada Lovelace", ObjectID: "8f14e45f-0000-4000-8000-000000000001", EmployeeID: "E17",
		Aliases: []string{"a.lovelace@contoso.example"}, Department: "Research", Manager: "charles@contoso.example", Title: "Analyst",
		Previous: []LinkRecord{{User: schemas.Pseudonym{7}, KeyVersion: 1}},
	}
}

// An identity opens with the vault key alone, for its pseudonym and key version
// alone, and no changed byte goes unnoticed.
func TestIdentitySealer(t *testing.T) {
	vaultKey := newVaultKey(t)
	ring := newRing(t, vaultKey)
	record, err := NewIdentitySealer(vaultKey.Public()).Seal(user, 2, at, ada())
	if err != nil {
		t.Fatal(err)
	}
	if record.User != user || record.KeyVersion != 2 || record.UpdatedTime != at || record.SealingKey != vaultKey.ID() {
		t.Errorf("record %+v", record)
	}
	if bytes.Contains(record.Sealed, []byte("ada")) {
		t.Error("it is not sealed")
	}
	got, err := OpenIdentity(t.Context(), ring, &record)
	if d := cmp.Diff(ada(), got); d != "" || err != nil {
		t.Errorf("%v, %s", err, d)
	}
	other, err := NewIdentitySealer(vaultKey.Public()).Seal(schemas.Pseudonym{9}, 2, at, Identity{UPN: "ben@contoso.example"})
	if err != nil {
		t.Fatal(err)
	}
	changes := map[string]func(*schemas.Identity){
		"user":    func(i *schemas.Identity) { i.User = other.User },
		"version": func(i *schemas.Identity) { i.KeyVersion++ },
		"sealed":  func(i *schemas.Identity) { i.Sealed = other.Sealed },
		"key":     func(i *schemas.Identity) { i.SealingKey = newVaultKey(t).ID() },
		"cut":     func(i *schemas.Identity) { i.Sealed = i.Sealed[:10] },
	}
	for at := range record.Sealed {
		changes[fmt.Sprint("byte ", at)] = func(i *schemas.Identity) { i.Sealed[at] ^= 0x80 }
	}
	for what, change := range changes {
		changed := record
		changed.Sealed = bytes.Clone(record.Sealed)
		change(&changed)
		got, err := OpenIdentity(t.Context(), ring, &changed)
		if !errors.Is(err, ErrNotAuthentic) && !errors.Is(err, ErrUnknownVaultKey) || got.UPN != "" {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// The length tells a name's hundreds at most.
func TestIdentitySealer_length(t *testing.T) {
	vaultKey := newVaultKey(t)
	ring := newRing(t, vaultKey)
	rapid.Check(t, func(r *rapid.T) {
		identity := Identity{UPN: rapid.StringN(0, 300, -1).Draw(r, "upn"), Title: rapid.String().Draw(r, "title")}
		record, err := NewIdentitySealer(vaultKey.Public()).Seal(user, 1, at, identity)
		if err != nil {
			r.Fatal(err)
		}
		if (len(record.Sealed)-wrappedKeySize-nonceSize-tagSize)%identityBlock != 0 {
			r.Fatalf("%d bytes", len(record.Sealed))
		}
		if got, err := OpenIdentity(t.Context(), ring, &record); err != nil || !cmp.Equal(got, identity) {
			r.Fatalf("%+q, %v", got.UPN, err)
		}
	})
}

// Nonsense that somebody sealed with the public key is refused, unquoted.
func TestOpenIdentity_malformed(t *testing.T) {
	vaultKey := newVaultKey(t)
	for _, text := range []string{"", "\x00\x00", "\x00\x00\x00\x05{}", "\xff\xff\xff\xff{}", "\x00\x00\x00\x06ada@cx", "\x00\x00\x00\x00"} {
		sealed, err := NewIdentitySealer(vaultKey.Public()).seal(at, []byte(text), identityData(user, 1))
		if err != nil {
			t.Fatal(err)
		}
		_, err = OpenIdentity(t.Context(), newRing(t, vaultKey), &schemas.Identity{User: user, KeyVersion: 1, Sealed: sealed, SealingKey: vaultKey.ID()})
		if !errors.Is(err, schemas.ErrMalformed) || strings.Contains(err.Error(), "ada") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// An identity that is logged or printed by mistake shows nothing.
func TestIdentity_neverPrints(t *testing.T) {
	var out strings.Builder
	identity := ada()
	for _, value := range []any{identity, &identity, []Identity{identity}, map[string]*Identity{"i": &identity}} {
		fmt.Fprintf(&out, "%v %+v %#v %s %q\n", value, value, value, value, value)
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("m", "identity", identity)
	if strings.Contains(strings.ToLower(out.String()), "ada") || strings.Contains(out.String(), "Research") {
		t.Error(out.String())
	}
}
