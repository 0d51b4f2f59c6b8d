package vault

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/riskpipe/riskpipe/schemas"
)

// later is when the data keys of at are not in use any more.
const later = at + 2*hourMillis

// Whoever is erased, in whatever order and however often: their evidence never
// opens again, with the vault key or any key that was on record after, and the
// others' opens as before.
func TestPuncture(t *testing.T) {
	vaultKey, next := newVaultKey(t), newVaultKey(t)
	ring := newRing(t, next, vaultKey)
	rapid.Check(t, func(r *rapid.T) {
		sealer := newSealer(t, vaultKey)
		users := make([]schemas.Pseudonym, rapid.IntRange(1, 6).Draw(r, "users"))
		sealed := map[schemas.Pseudonym][]byte{}
		for i := range users {
			if i > 0 { // the first is nobody, whose evidence is sealed like anybody's
				users[i] = schemas.Pseudonym{byte(i), 7}
			}
			var err error
			if sealed[users[i]], err = sealer.AppendSealed(nil, users[i], event, []byte("evidence")); err != nil {
				r.Fatal(err)
			}
		}
		key := sealer.Key()
		gone := map[schemas.Pseudonym]bool{}
		for range rapid.IntRange(1, 4).Draw(r, "erasures") {
			erased := rapid.SliceOfN(rapid.SampledFrom(users), 1, 2).Draw(r, "erased")
			var err error
			if key, err = Puncture(t.Context(), ring, next.Public(), &key, users, erased, later); err != nil {
				r.Fatal(err)
			}
			for _, user := range erased {
				gone[user] = true
			}
			if key.VaultKey != next.Public().ID() || key.ID != sealer.Key().ID || key.Hour != sealer.Key().Hour {
				r.Fatalf("it became another: %+v", key)
			}
			for _, user := range users {
				got, err := NewEvidenceOpener(ring).Open(t.Context(), &key, user, event, sealed[user])
				opens, problem := Opens(t.Context(), ring, &key, user)
				if gone[user] && !errors.Is(err, ErrShredded) || !gone[user] && string(got) != "evidence" || problem != nil || opens == gone[user] {
					r.Fatalf("gone %t: opened %q (%v), opens %t (%v)", gone[user], got, err, opens, problem)
				}
			}
		}
	})
}

// What was unwrapped before it was punctured does not help afterwards, when the
// caller gives the key that is on record.
func TestPuncture_cache(t *testing.T) {
	vaultKey := newVaultKey(t)
	ring := newRing(t, vaultKey)
	opener := NewEvidenceOpener(ring)
	sealer := newSealer(t, vaultKey)
	sealed, key := seal(t, sealer, "x"), sealer.Key()
	if err := opened(opener, &key, user, event, sealed); err != nil {
		t.Fatal(err)
	}
	if opens, err := Opens(t.Context(), ring, &key, user); err != nil || !opens {
		t.Errorf("a whole key opens %t (%v)", opens, err)
	}
	punctured, err := Puncture(t.Context(), ring, vaultKey.Public(), &key, []schemas.Pseudonym{user, {9}}, []schemas.Pseudonym{user}, later)
	if err != nil {
		t.Fatal(err)
	}
	if err := opened(opener, &punctured, user, event, sealed); !errors.Is(err, ErrShredded) {
		t.Errorf("error %v", err)
	}
	// Neither may a key of one format stand for one of another.
	punctured.Format = evidenceFormat
	if err := opened(opener, &punctured, user, event, sealed); !errors.Is(err, ErrNotAuthentic) {
		t.Errorf("with another format: %v", err)
	}
}

// A key that a normaliser may still seal with is left alone.
func TestPuncture_inUse(t *testing.T) {
	vaultKey := newVaultKey(t)
	key := newSealer(t, vaultKey).Key()
	for _, test := range []struct {
		now  schemas.Time
		want error
	}{{at, ErrKeyInUse}, {key.Hour + hourMillis, ErrKeyInUse}, {key.Hour + hourMillis + keyOverlap, nil}} {
		if _, err := Puncture(t.Context(), newRing(t, vaultKey), vaultKey.Public(), &key, nil, nil, test.now); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", test.now, err)
		}
	}
}

// What was sealed in the first format still opens, and its keys have no parts.
func TestEvidenceOpener_firstFormat(t *testing.T) {
	vaultKey := newVaultKey(t)
	secret := bytes.Repeat([]byte{5}, dataKeySize)
	key := schemas.EvidenceKey{ID: "first", Hour: hourOf(at), Format: wholeFormat}
	if err := wrap(vaultKey.Public(), secret, &key); err != nil {
		t.Fatal(err)
	}
	aead, err := newAEAD(secret)
	if err != nil {
		t.Fatal(err)
	}
	nonce := make([]byte, nonceSize)
	sealed := aead.Seal(slices.Concat([]byte{wholeFormat}, nonce), nonce, []byte("evidence"), appendEvidenceData(nil, wholeFormat, user, event, key.ID))
	ring := newRing(t, vaultKey)
	if got, err := NewEvidenceOpener(ring).Open(t.Context(), &key, user, event, sealed); err != nil || string(got) != "evidence" {
		t.Errorf("opened %q (%v)", got, err)
	}
	sealed[0] = evidenceFormat
	if err := opened(NewEvidenceOpener(ring), &key, user, event, sealed); !errors.Is(err, ErrNotAuthentic) {
		t.Errorf("as of another format: %v", err)
	}
	if _, err := Puncture(t.Context(), ring, vaultKey.Public(), &key, nil, nil, later); !errors.Is(err, ErrWholeKey) {
		t.Errorf("punctured: %v", err)
	}
}

// BenchmarkSealer_manyPeople is the worst case: everybody's first event of the
// hour.
func BenchmarkSealer_manyPeople(b *testing.B) {
	s := NewSealer(newVaultKey(b).Public())
	if err := s.Renew(at, 1<<30); err != nil {
		b.Fatal(err)
	}
	evidence, dst := make([]byte, 300), make([]byte, 0, 512)
	i := 0
	for b.Loop() {
		i++
		if _, err := s.AppendSealed(dst, schemas.Pseudonym{byte(i), byte(i >> 8), byte(i >> 16)}, event, evidence); err != nil {
			b.Fatal(err)
		}
	}
}
