package vault

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/riskpipe/riskpipe/schemas"
)

// escrow is a source of whatever records it is.
type escrow []schemas.Identity

func (e escrow) Identities(context.Context, schemas.Pseudonym) ([]schemas.Identity, error) {
	return e, nil
}

// Of several records the newest that says something counts, field by field.
func TestSealedIdentities(t *testing.T) {
	key, _, err := GeneratePrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := NewKeyring(key)
	if err != nil {
		t.Fatal(err)
	}
	seal := func(user schemas.Pseudonym, at schemas.Time, identity Identity) schemas.Identity {
		sealed, err := NewIdentitySealer(key.Public()).Seal(user, 1, at, identity)
		if err != nil {
			t.Fatal(err)
		}
		return sealed
	}
	records := escrow{
		seal(leaver, 1, Identity{UPN: "old@contoso.example", EmployeeID: "4711", Aliases: []string{"g", "gt"}}),
		seal(leaver, 3, Identity{UPN: "grace@contoso.example", Aliases: []string{"g"}}),
		seal(leaver, 2, Identity{Title: "Analyst", Manager: "boss@contoso.example"}),
	}
	got, err := NewSealedIdentities(records, keys).OpenIdentity(t.Context(), leaver)
	want := Identity{
		UPN: "grace@contoso.example", EmployeeID: "4711", Title: "Analyst", Manager: "boss@contoso.example", Aliases: []string{"g", "gt"},
	}
	if d := cmp.Diff(want.only(RevealFields()), got.only(RevealFields()), cmp.Transformer("fields", func(r Revealed) map[string][]string { return r })); d != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
	if len(got.only([]string{"department"})) != 0 {
		t.Error("what is not known is shown")
	}
	if _, err := NewSealedIdentities(escrow{}, keys).OpenIdentity(t.Context(), leaver); !errors.Is(err, ErrNoIdentity) {
		t.Errorf("no record: %v", err)
	}
	// A record under another pseudonym's name would open for that one.
	if _, err := NewSealedIdentities(escrow{seal(manager, 1, want)}, keys).OpenIdentity(t.Context(), leaver); err == nil {
		t.Error("another person's record was opened")
	}
	foreign := records[0]
	foreign.SealingKey = "0000000000000000"
	if _, err := NewSealedIdentities(escrow{foreign}, keys).OpenIdentity(t.Context(), leaver); !errors.Is(err, ErrUnknownVaultKey) {
		t.Errorf("sealed to another key: %v", err)
	}
}
