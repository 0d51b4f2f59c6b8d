package vault

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/riskpipe/riskpipe/schemas"
)

// One data key serves for an hour of the identities' time, not for ever and not
// backwards, and nothing of a record opens in another one's place.
func TestIdentitySealer_keys(t *testing.T) {
	vaultKey := newVaultKey(t)
	sealer, ring := NewIdentitySealer(vaultKey.Public()), newRing(t, vaultKey)
	var records []schemas.Identity
	for _, at := range []schemas.Time{at, at + 1, at + hourMillis, at, at + 2*hourMillis} {
		record, err := sealer.Seal(user, 1, at, ada())
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, record)
	}
	key := func(i int) string { return string(records[i].Sealed[:wrappedKeySize]) }
	if key(0) != key(1) || key(2) == key(1) || key(3) != key(2) || key(4) == key(3) {
		t.Error("another data key than that of the newest hour")
	}
	for i, record := range records {
		if got, err := OpenIdentity(t.Context(), ring, &record); err != nil || !cmp.Equal(got, ada()) {
			t.Errorf("record %d: %v", i, err)
		}
	}
	swapped := records[0]
	swapped.Sealed = slices.Concat(records[2].Sealed[:wrappedKeySize], records[0].Sealed[wrappedKeySize:])
	if _, err := OpenIdentity(t.Context(), ring, &swapped); !errors.Is(err, ErrNotAuthentic) {
		t.Errorf("under another key: %v", err)
	}
	if string(records[0].Sealed[wrappedKeySize:]) == string(records[1].Sealed[wrappedKeySize:]) {
		t.Error("the same identity twice is the same bytes")
	}
}

func BenchmarkIdentitySealer(b *testing.B) {
	key, _, err := GeneratePrivateKey()
	if err != nil {
		b.Fatal(err)
	}
	sealer := NewIdentitySealer(key.Public())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := sealer.Seal(user, 1, at, ada()); err != nil {
			b.Fatal(err)
		}
	}
}
