package vault

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"github.com/riskpipe/riskpipe/schemas"
)

// at is half past an hour.
const at = schemas.Time(1_772_443_800_000)

var (
	user  = schemas.Pseudonym{1, 2, 3}
	event = schemas.NewUUID("event")
)

func newSealer(t testing.TB, to *PrivateKey) *Sealer {
	t.Helper()
	s := NewSealer(to.Public())
	if err := s.Renew(at, 1<<30); err != nil {
		t.Fatal(err)
	}
	return s
}

func seal(t testing.TB, s *Sealer, evidence string) []byte {
	t.Helper()
	sealed, err := s.AppendSealed(nil, user, event, []byte(evidence))
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

// What is sealed opens to what it was, for its own user, event and key alone,
// and with the vault key alone.
func TestEvidenceOpener_Open(t *testing.T) {
	vaultKey, stranger := newVaultKey(t), newVaultKey(t)
	opener, others := NewEvidenceOpener(newRing(t, vaultKey)), NewEvidenceOpener(newRing(t, stranger))
	sealer, second := newSealer(t, vaultKey), newSealer(t, vaultKey)
	rapid.Check(t, func(r *rapid.T) {
		evidence := rapid.SliceOf(rapid.Byte()).Draw(r, "evidence")
		u := schemas.Pseudonym(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(r, "user"))
		e := schemas.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(r, "event"))
		before := rapid.SliceOf(rapid.Byte()).Draw(r, "dst")
		out, err := sealer.AppendSealed(before, u, e, evidence)
		if err != nil || !bytes.HasPrefix(out, before) {
			r.Fatalf("%x, %v", out, err)
		}
		sealed := out[len(before):]
		if len(sealed) != len(evidence)+EvidenceOverhead {
			r.Fatalf("%d bytes of %d", len(sealed), len(evidence))
		}
		if len(evidence) > 3 && bytes.Contains(sealed, evidence) {
			r.Fatal("it is not sealed")
		}
		key, otherKey := sealer.Key(), second.Key()
		if got, err := opener.Open(t.Context(), &key, u, e, sealed); err != nil || !bytes.Equal(got, evidence) {
			r.Fatalf("opened %x, %v", got, err)
		}
		if _, err := others.Open(t.Context(), &key, u, e, sealed); !errors.Is(err, ErrUnknownVaultKey) {
			r.Fatalf("without the vault key: %v", err)
		}
		// Any bit of the user or the event.
		bit := rapid.IntRange(0, 127).Draw(r, "bit")
		otherUser, otherEvent := u, e
		otherUser[bit/8] ^= 1 << (bit % 8)
		otherEvent[bit/8] ^= 1 << (bit % 8)
		for name, err := range map[string]error{
			"user":  opened(opener, &key, otherUser, e, sealed),
			"event": opened(opener, &key, u, otherEvent, sealed),
			"key":   opened(opener, &otherKey, u, e, sealed),
			// The pair exchanged: its parts have places, not only values.
			"exchanged": opened(opener, &key, schemas.Pseudonym(e), schemas.UUID(u), sealed),
		} {
			if !errors.Is(err, ErrNotAuthentic) && (name != "exchanged" || [16]byte(u) != [16]byte(e)) {
				r.Fatalf("another %s: %v", name, err)
			}
		}
	})
}

func opened(o *EvidenceOpener, key *schemas.EvidenceKey, u schemas.Pseudonym, e schemas.UUID, sealed []byte) error {
	_, err := o.Open(context.Background(), key, u, e, sealed)
	return err
}

// Every single byte counts, of the sealed evidence and of the data key's record,
// and no error shows what was sealed.
func TestEvidenceOpener_tampering(t *testing.T) {
	const evidence = "the-merger-plan.docx"
	vaultKey := newVaultKey(t)
	sealer := newSealer(t, vaultKey)
	sealed, key := seal(t, sealer, evidence), sealer.Key()
	try := func(what string, key schemas.EvidenceKey, sealed []byte) {
		t.Helper()
		// Nothing unwrapped before may help.
		got, err := NewEvidenceOpener(newRing(t, vaultKey)).Open(t.Context(), &key, user, event, sealed)
		if err == nil || got != nil {
			t.Errorf("%s: opened to %q", what, got)
		} else if strings.Contains(err.Error(), evidence[:6]) {
			t.Errorf("%s: the error shows it: %v", what, err)
		}
	}
	for i := range sealed {
		for bit := range 8 {
			changed := bytes.Clone(sealed)
			changed[i] ^= 1 << bit
			try("sealed", key, changed)
		}
		try("cut", key, sealed[:i])
	}
	try("longer", key, append(bytes.Clone(sealed), 0))
	for i := range key.Wrapped {
		changed := key
		changed.Wrapped = bytes.Clone(key.Wrapped)
		changed.Wrapped[i] ^= 1
		try("wrapped", changed, sealed)
	}
	other := newSealer(t, vaultKey).Key()
	for what, change := range map[string]func(*schemas.EvidenceKey){
		"hour":    func(k *schemas.EvidenceKey) { k.Hour += hourMillis },
		"format":  func(k *schemas.EvidenceKey) { k.Format++ },
		"id":      func(k *schemas.EvidenceKey) { k.ID = other.ID },
		"wrapped": func(k *schemas.EvidenceKey) { k.Wrapped = other.Wrapped },
		"vault":   func(k *schemas.EvidenceKey) { k.VaultKey = newVaultKey(t).ID() },
		"nothing": func(k *schemas.EvidenceKey) { *k = schemas.EvidenceKey{} },
	} {
		changed := key
		change(&changed)
		try(what, changed, sealed)
	}
}

// What was unwrapped before does not stand in for another record of the same id.
func TestEvidenceOpener_cache(t *testing.T) {
	vaultKey := newVaultKey(t)
	opener := NewEvidenceOpener(newRing(t, vaultKey))
	sealer := newSealer(t, vaultKey)
	sealed, key := seal(t, sealer, "x"), sealer.Key()
	for range 2 {
		if err := opened(opener, &key, user, event, sealed); err != nil {
			t.Fatal(err)
		}
	}
	changed := key
	changed.Wrapped = newSealer(t, vaultKey).Key().Wrapped
	if err := opened(opener, &changed, user, event, sealed); !errors.Is(err, ErrNotAuthentic) {
		t.Errorf("another record: %v", err)
	}
	for range cachedDataKeys + 10 {
		s := newSealer(t, vaultKey)
		k := s.Key()
		if err := opened(opener, &k, user, event, seal(t, s, "x")); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(opener.keys); n != cachedDataKeys {
		t.Errorf("%d keys are kept", n)
	}
	if err := opened(opener, &key, user, event, sealed); err != nil {
		t.Errorf("after it left the cache: %v", err)
	}
}

// A data key seals for one hour of the clock at most, whichever way the clock
// goes, and so many messages at most.
func TestSealer_Renew(t *testing.T) {
	s := NewSealer(newVaultKey(t).Public())
	if _, err := s.AppendSealed(nil, user, event, nil); !errors.Is(err, ErrNoDataKey) {
		t.Errorf("before the first key: %v", err)
	}
	s.keys.limit = 10
	const hour = at - at%hourMillis
	seen := map[string]bool{}
	for _, step := range []struct {
		at       schemas.Time
		messages int
		fresh    bool
	}{
		{hour, 4, true},
		{hour + hourMillis - 1, 4, false},
		{hour, 4, true},
		{hour + hourMillis, 0, true},
		{hour + hourMillis, 0, false},
		{hour, 1, true},
		{hour - 1, 1, true},
		{-1, 1, true},
		{-hourMillis, 1, false},
		{0, 1, true},
	} {
		if err := s.Renew(step.at, step.messages); err != nil {
			t.Fatal(err)
		}
		key := s.Key()
		if seen[key.ID] == step.fresh {
			t.Errorf("%+v: fresh is %t", step, !seen[key.ID])
		}
		seen[key.ID] = true
		if step.at < key.Hour || step.at >= key.Hour+hourMillis || key.Hour%hourMillis != 0 || len(key.ID) != 24 {
			t.Errorf("%+v: key %+v", step, key)
		}
		for range step.messages {
			seal(t, s, "x")
		}
	}
	if err := s.Renew(0, 10); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		seal(t, s, "x")
	}
	if _, err := s.AppendSealed(nil, user, event, nil); !errors.Is(err, ErrNoDataKey) {
		t.Errorf("beyond the limit: %v", err)
	}
}

// No nonce comes twice under one key, also for equal evidence.
func TestSealer_nonces(t *testing.T) {
	s := newSealer(t, newVaultKey(t))
	nonces := map[string]bool{}
	for range 10_000 {
		nonces[string(seal(t, s, "x")[1:1+nonceSize])] = true
	}
	if len(nonces) != 10_000 {
		t.Errorf("%d different nonces", len(nonces))
	}
	if prefix := newSealer(t, newVaultKey(t)).nonce; bytes.Equal(prefix[:4], s.nonce[:4]) && prefix == s.nonce {
		t.Error("two keys begin alike")
	}
}

// The sealers of one process share a data key for each hour, no nonce of which comes
// twice, and whatever any of them sealed opens.
func TestDataKeys(t *testing.T) {
	const workers, batches, perBatch = 8, 20, 10
	vaultKey := newVaultKey(t)
	keys, opener := NewDataKeys(vaultKey.Public()), NewEvidenceOpener(newRing(t, vaultKey))
	var (
		group  errgroup.Group
		mu     sync.Mutex
		nonces = map[string]bool{}
		ids    = map[string]bool{}
	)
	for worker := range workers {
		group.Go(func() error {
			s := keys.Sealer()
			for i := range batches {
				if err := s.Renew(at, perBatch); err != nil {
					return err
				}
				key := s.Key()
				for range perBatch {
					u := schemas.Pseudonym{byte(i), byte(worker % 2)}
					sealed, err := s.AppendSealed(nil, u, event, []byte("x"))
					if err != nil {
						return err
					}
					mu.Lock()
					nonces[string(sealed[1:1+nonceSize])], ids[key.ID] = true, true
					err = opened(opener, &key, u, event, sealed)
					mu.Unlock()
					if err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if len(ids) != 1 || len(nonces) != workers*batches*perBatch {
		t.Errorf("%d keys, %d nonces", len(ids), len(nonces))
	}
}

// A batch that began before the hour ended is sealed under the key that it took, and
// one that took no room has none.
func TestSealer_hourEnds(t *testing.T) {
	vaultKey := newVaultKey(t)
	keys, opener := NewDataKeys(vaultKey.Public()), NewEvidenceOpener(newRing(t, vaultKey))
	first, second := keys.Sealer(), keys.Sealer()
	if err := errors.Join(first.Renew(at, 1), second.Renew(at+hourMillis, 0)); err != nil {
		t.Fatal(err)
	}
	key := first.Key()
	if err := opened(opener, &key, user, event, seal(t, first, "x")); err != nil || key.ID == second.Key().ID {
		t.Errorf("keys %s and %s: %v", key.ID, second.Key().ID, err)
	}
	if _, err := second.AppendSealed(nil, user, event, nil); !errors.Is(err, ErrNoDataKey) {
		t.Errorf("without room: %v", err)
	}
}

// A data key is shredded when its hour is over, and what it sealed with it.
func TestShredBefore(t *testing.T) {
	const hour = at - at%hourMillis
	keys := []schemas.EvidenceKey{{ID: "a", Hour: hour - hourMillis}, {ID: "b", Hour: hour}, {ID: "c", Hour: hour - 2*hourMillis}}
	for before, want := range map[schemas.Time]string{hour - hourMillis - 1: "", hour - hourMillis: "c", at: "a c", hour + hourMillis: "a b c"} {
		if got := strings.Join(ShredBefore(keys, before), " "); got != want {
			t.Errorf("before %s: %q, want %q", before, got, want)
		}
	}
}

// Sealing into a buffer with room allocates nothing.
func TestSealer_allocations(t *testing.T) {
	s := newSealer(t, newVaultKey(t))
	dst, evidence := make([]byte, 0, 1024), bytes.Repeat([]byte("e"), 300)
	if n := testing.AllocsPerRun(1000, func() {
		if _, err := s.AppendSealed(dst, user, event, evidence); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkSealer_AppendSealed(b *testing.B) {
	s := newSealer(b, newVaultKey(b))
	dst, evidence := make([]byte, 0, 1024), bytes.Repeat([]byte("e"), 300)
	b.ReportAllocs()
	b.SetBytes(int64(len(evidence)))
	for b.Loop() {
		if _, err := s.AppendSealed(dst, user, event, evidence); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSealer_Renew(b *testing.B) {
	s := NewSealer(newVaultKey(b).Public())
	for now := at; b.Loop(); now += hourMillis {
		if err := s.Renew(now, 1); err != nil {
			b.Fatal(err)
		}
	}
}
