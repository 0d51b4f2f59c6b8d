package vault

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

// After a rotation of the vault key, what was sealed before opens with the old
// key on the ring and what is sealed from now on with the new one; without the
// old key, the error says so.
func TestRotation_vaultKey(t *testing.T) {
	before, after := newVaultKey(t), newVaultKey(t)
	both, alone := newRing(t, after, before), newRing(t, after)
	for _, test := range []struct {
		sealedTo *PrivateKey
		old      bool
	}{{before, true}, {after, false}} {
		sealer := newSealer(t, test.sealedTo)
		sealed, key := seal(t, sealer, "evidence"), sealer.Key()
		identity, err := NewIdentitySealer(test.sealedTo.Public()).Seal(user, 1, at, ada())
		if err != nil {
			t.Fatal(err)
		}
		if got, err := NewEvidenceOpener(both).Open(t.Context(), &key, user, event, sealed); err != nil || string(got) != "evidence" {
			t.Errorf("sealed before the rotation %t: %v", test.old, err)
		}
		if got, err := OpenIdentity(t.Context(), both, &identity); err != nil || got.UPN != ada().UPN {
			t.Errorf("sealed before the rotation %t: %v", test.old, err)
		}
		_, evidenceErr := NewEvidenceOpener(alone).Open(t.Context(), &key, user, event, sealed)
		_, identityErr := OpenIdentity(t.Context(), alone, &identity)
		for _, err := range []error{evidenceErr, identityErr} {
			if test.old != errors.Is(err, ErrUnknownVaultKey) || !test.old && err != nil {
				t.Errorf("with the new key alone, sealed before the rotation %t: %v", test.old, err)
			}
		}
	}
}

// After a rotation of the pseudonym key, the same person is another pseudonym,
// and only who opens the identity can tell that the two are one.
func TestRotation_pseudonymKey(t *testing.T) {
	const name = "upn:ada@contoso.example"
	before := newKey(t)
	after, _, err := GenerateKey(before.Version() + 1)
	if err != nil {
		t.Fatal(err)
	}
	vaultKey := newVaultKey(t)
	escrow := func(key *Key, previous ...LinkRecord) schemas.Identity {
		identity := ada()
		identity.Previous = previous
		record, err := NewIdentitySealer(vaultKey.Public()).Seal(key.Pseudonym(name), key.Version(), at, identity)
		if err != nil {
			t.Fatal(err)
		}
		return record
	}
	old, now := escrow(before), escrow(after, Link(before, name))
	if old.User == now.User || old.KeyVersion != 1 || now.KeyVersion != 2 {
		t.Fatalf("versions %d and %d", old.KeyVersion, now.KeyVersion)
	}
	text, err := json.Marshal(now)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(text, []byte(old.User.String())) || bytes.Contains(now.Sealed, old.User[:]) {
		t.Error("the old pseudonym shows in the new record")
	}
	identity, err := OpenIdentity(t.Context(), newRing(t, vaultKey), &now)
	if err != nil {
		t.Fatal(err)
	}
	if len(identity.Previous) != 1 || identity.Previous[0] != (LinkRecord{old.User, old.KeyVersion}) {
		t.Errorf("the vault links %+v", identity.Previous)
	}
	if _, err := OpenIdentity(t.Context(), newRing(t, newVaultKey(t)), &now); err == nil {
		t.Error("it opens without the vault key")
	}
	if _, err := OpenIdentity(t.Context(), newRing(t, vaultKey), &old); err != nil {
		t.Errorf("the old record: %v", err)
	}
}
