package server

import (
	"context"
	"crypto/rand"
	"testing"
	"testing/synctest"
	"time"

	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

// A record is pinned an hour after it was written at the latest, whether or not
// others follow, and nothing is signed while nothing is written.
func TestKeepPinned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key, _, err := vault.GenerateSigningKey(rand.Reader, "audit")
		if err != nil {
			t.Fatal(err)
		}
		store := &vault.AuditMemory{}
		chain, err := vault.NewAuditChain(store, vault.AuditOptions{Writer: "vault", Key: key})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- KeepPinned(ctx, chain) }()
		record := func() {
			t.Helper()
			if err := chain.Append(ctx, vault.AuditEntry{Time: 1, Action: "reveal.opened"}); err != nil {
				t.Fatal(err)
			}
		}
		pinned := func(want int64, notes int) {
			t.Helper()
			synctest.Wait()
			signed, err := store.Checkpoints()
			if _, got := chain.Last(); got != want || len(signed) != notes || err != nil {
				t.Errorf("pinned to %d by %d checkpoints (%v), want %d by %d", got, len(signed), err, want, notes)
			}
		}
		time.Sleep(5 * time.Hour)
		pinned(0, 0)
		record()
		time.Sleep(30 * time.Minute)
		record()
		time.Sleep(29 * time.Minute)
		pinned(0, 0)
		time.Sleep(time.Minute)
		pinned(2, 1)
		time.Sleep(5 * time.Hour)
		pinned(2, 1)
		record()
		time.Sleep(time.Hour)
		pinned(3, 2)
		record()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := chain.Close(); err != nil {
			t.Error(err)
		}
		pinned(4, 3)
		records, err := chain.Records(0, 10)
		signed, noteErr := store.Checkpoints()
		if report, err := vault.VerifyAudit(records, signed, key.Public()); err != nil || noteErr != nil || report.Pinned != 4 {
			t.Errorf("%+v, %v, %v", report, err, noteErr)
		}
		if err != nil {
			t.Error(err)
		}
	})
}

// A record of another service is pinned an hour after it came at the latest, with
// whatever else has come, in the log and by the log's own checkpoint.
func TestKeepPinned_others(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key, _, err := vault.GenerateSigningKey(rand.Reader, "audit")
		if err != nil {
			t.Fatal(err)
		}
		chain, err := vault.NewAuditChain(&vault.AuditMemory{}, vault.AuditOptions{Writer: "vault", Key: key})
		if err != nil {
			t.Fatal(err)
		}
		watch, err := vault.WatchAudit(chain, func() schemas.Time { return schemas.TimeOf(time.Now()) })
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- KeepPinned(ctx, watch) }()
		last := map[string]schemas.Audit{}
		record := func(writer string) {
			t.Helper()
			before := last[writer]
			next, err := vault.NextAudit(writer, &before, vault.AuditEntry{Time: 1, Action: "policy.adopted"})
			if err != nil {
				t.Fatal(err)
			}
			if link := watch.Add(next); link != nil {
				t.Fatal(link)
			}
			last[writer] = next
		}
		want := func(unpinned, records int64) {
			t.Helper()
			synctest.Wait()
			logged, signed := chain.Last()
			if got := watch.UnpinnedRecords(); got != unpinned || logged != records || signed != logged {
				t.Errorf("%d unpinned, %d records in the log, %d of them signed; want %d and %d", got, logged, signed, unpinned, records)
			}
		}
		time.Sleep(5 * time.Hour)
		want(0, 0)
		record("score/1")
		time.Sleep(30 * time.Minute)
		record("score/1")
		record("cat/1")
		time.Sleep(29 * time.Minute)
		want(3, 0)
		time.Sleep(time.Minute)
		want(0, 2)
		time.Sleep(5 * time.Hour)
		want(0, 2)
		record("score/1")
		time.Sleep(time.Hour)
		want(0, 3)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// A log that cannot be signed ends the server.
func TestKeepPinned_closed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key, _, err := vault.GenerateSigningKey(rand.Reader, "audit")
		if err != nil {
			t.Fatal(err)
		}
		chain, err := vault.NewAuditChain(&failingStore{}, vault.AuditOptions{Writer: "vault", Key: key})
		if err != nil {
			t.Fatal(err)
		}
		if err := chain.Append(t.Context(), vault.AuditEntry{Time: 1, Action: "reveal.opened"}); err != nil {
			t.Fatal(err)
		}
		if err := KeepPinned(t.Context(), chain); err == nil {
			t.Error("no error")
		}
		if err := chain.Append(t.Context(), vault.AuditEntry{Time: 1, Action: "reveal.opened"}); err == nil {
			t.Error("it goes on without a signature")
		}
	})
}

// failingStore cannot keep checkpoints.
type failingStore struct{ vault.AuditMemory }

func (*failingStore) AppendCheckpoint([]byte) error { return context.DeadlineExceeded }
