package pipeline

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Events that cannot be read or scored are dead letters; their neighbours, of
// the same user too, are scored as if they had not been there.
func TestScoreWorker_poison(t *testing.T) {
	t.Parallel()
	c := newCodecs(t)
	rng := rand.New(rand.NewPCG(7, 8))
	log := tinyLog(t, c, rng, 200, 5)
	poisoned := map[int64]string{}
	for i := range log {
		switch {
		case i%17 == 3 || i == 0 || i > 150 && i < 160:
			e := tinyEvent(rng.IntN(5), int64(1000+i))
			e.Activity = "bug"
			log[i].Value, _ = c.events.Append(nil, &e)
			poisoned[int64(i)] = ReasonUnscorable
		case i%31 == 7:
			log[i].Value = []byte("no event")
			poisoned[int64(i)] = ReasonUndecodable
		}
	}
	out := newOutbox(c)
	store := NewMemoryStates()
	w := tinyWorker(t, c, store, func(_ context.Context, records []*kgo.Record) error {
		for _, r := range records {
			if err := out.add(r); err != nil {
				return err
			}
		}
		return nil
	})
	w.batchSize = 50
	if _, err := w.claim(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	next, err := w.process(t.Context(), log)
	if err != nil || next != 200 {
		t.Fatalf("came to %d: %v", next, err)
	}
	if err := sameAlerts(out.alerts, foldLog(t, c, log).alerts); err != nil {
		t.Error(err)
	}
	if len(out.letters) != len(poisoned) {
		t.Errorf("%d dead letters, want %d", len(out.letters), len(poisoned))
	}
	for offset, reason := range poisoned {
		letter := out.letters[offset]
		if letter == nil || header(letter, HeaderReason) != reason || string(letter.Value) != string(log[offset].Value) {
			t.Errorf("offset %d: letter %v", offset, letter)
			continue
		}
		if detail := header(letter, HeaderError); reason == ReasonUnscorable && (!strings.Contains(detail, "tiny_test.go") || strings.Contains(detail, "secret")) {
			t.Errorf("offset %d: the stack is missing or tells too much:\n%s", offset, detail)
		}
	}
	if len(w.poison) != 0 {
		t.Errorf("%d stacks are kept", len(w.poison))
	}
}

// When most events fail, scoring stops.
func TestScoreWorker_breaker(t *testing.T) {
	c := newCodecs(t)
	var log []*kgo.Record
	for i := range int64(300) {
		log = append(log, &kgo.Record{Topic: "events", Offset: i, Value: []byte("no event")})
	}
	w := tinyWorker(t, c, NewMemoryStates(), func(context.Context, []*kgo.Record) error { return errors.New("nothing may be written") })
	w.batchSize, w.breaker = 5000, newBreaker(BreakerConfig{}, time.Now)
	if _, err := w.claim(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := w.process(t.Context(), log); !errors.Is(err, ErrSchemaBreak) {
		t.Errorf("error %v", err)
	}
}

// States of a newer format are left alone.
func TestScoreWorker_newerFormat(t *testing.T) {
	store := NewMemoryStates()
	if _, err := store.Claim(t.Context(), 0, func(f Fence, _ bool) (Fence, error) {
		f.Format = 2
		return f, nil
	}); err != nil {
		t.Fatal(err)
	}
	w := tinyWorker(t, newCodecs(t), store, nil)
	if _, err := w.claim(t.Context(), nil); err == nil || !isFatal(err) {
		t.Errorf("error %v", err)
	}
}

// Who is not the partition's owner any more does not claim it.
func TestScoreWorker_provesOwnership(t *testing.T) {
	c := newCodecs(t)
	store := NewMemoryStates()
	w := tinyWorker(t, c, store, func(context.Context, []*kgo.Record) error { return nil })
	if _, err := w.claim(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := w.process(t.Context(), tinyLog(t, c, rand.New(rand.NewPCG(1, 1)), 20, 3)); err != nil {
		t.Fatal(err)
	}
	before := store.of(0).fence
	_, err := w.claim(t.Context(), func(next int64) error {
		if next != 20 {
			t.Errorf("proves with offset %d", next)
		}
		return commitError(nil, kerr.IllegalGeneration)
	})
	if !errors.Is(err, errNotOwner) || store.of(0).fence != before {
		t.Errorf("error %v, fence %q, before %q", err, store.of(0).fence, before)
	}
	if w.claimed {
		t.Error("still believes to own the partition")
	}
}
