package vault

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/riskpipe/riskpipe/schemas"
)

const auditTime = schemas.Time(1772442000123)

func signingKey(t interface{ Fatal(...any) }, name string) *SigningKey {
	key, _, err := GenerateSigningKey(rand.Reader, name)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// written returns the n records and the checkpoints of a chain that was closed.
func written(t interface{ Fatal(...any) }, key *SigningKey, n int, every int64) ([]schemas.Audit, [][]byte) {
	store := &AuditMemory{}
	chain, err := NewAuditChain(store, AuditOptions{Writer: "vault", Key: key, Every: every})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		err = errors.Join(err, chain.Append(context.Background(), AuditEntry{
			Time: auditTime + schemas.Time(i), Actor: "token:iris", Action: "reveal.requested", Subject: fmt.Sprint("s", i), Case: "C-1", Detail: "{}",
		}))
	}
	records, readErr := store.Records(0, n)
	closeErr := chain.Close() // writes the last checkpoint
	checkpoints, notesErr := store.Checkpoints()
	if err := errors.Join(err, readErr, closeErr, notesErr); err != nil {
		t.Fatal(err)
	}
	return records, checkpoints
}

// A chain that nobody touched verifies, and is pinned to its end when closed.
func TestVerifyAudit_sound(t *testing.T) {
	key := signingKey(t, "audit")
	for _, n := range []int{0, 1, 5, 10, 11} {
		records, checkpoints := written(t, key, n, 5)
		report, err := VerifyAudit(records, checkpoints, signingKey(t, "other").Public(), key.Public())
		if err != nil || report.Records != n || report.Last != int64(n) || report.Pinned != int64(n) {
			t.Errorf("%d records: %+v, %v", n, report, err)
		}
		if want := (n + 4) / 5; len(checkpoints) != want {
			t.Errorf("%d records: %d checkpoints, want %d", n, len(checkpoints), want)
		}
	}
}

// The first broken link is named with what is wrong with it.
func TestVerifyAudit_faults(t *testing.T) {
	key := signingKey(t, "audit")
	type chain struct {
		records     []schemas.Audit
		checkpoints [][]byte
	}
	rewrite := func(c *chain, from int) { // as one would who has no key
		for i := from; i < len(c.records); i++ {
			if i > 0 {
				c.records[i].Previous = c.records[i-1].Hash
			}
			c.records[i].Sequence = int64(i) + 1
			c.records[i].Hash = AuditHash(&c.records[i])
		}
	}
	for _, tt := range []struct {
		name     string
		tamper   func(*chain)
		sequence int64
		fault    Fault
	}{
		{"another actor", func(c *chain) { c.records[3].Actor = "token:mallory" }, 4, FaultAltered},
		{"another actor, hash made to fit", func(c *chain) {
			c.records[3].Actor = "token:mallory"
			c.records[3].Hash = AuditHash(&c.records[3])
		}, 5, FaultAltered},
		{"history rewritten from there on", func(c *chain) { c.records[3].Actor = "token:mallory"; rewrite(c, 3) }, 5, FaultAltered},
		{"dropped", func(c *chain) { c.records = slices.Delete(c.records, 6, 7) }, 7, FaultMissing},
		{"dropped and renumbered", func(c *chain) { c.records = slices.Delete(c.records, 6, 7); rewrite(c, 6) }, 10, FaultAltered},
		{"first dropped", func(c *chain) { c.records = c.records[1:] }, 1, FaultMissing},
		{"swapped", func(c *chain) { c.records[2], c.records[3] = c.records[3], c.records[2] }, 3, FaultReordered},
		{"twice", func(c *chain) { c.records = slices.Insert(c.records, 3, c.records[2]) }, 4, FaultInserted},
		{"forged in front", func(c *chain) {
			forged := schemas.Audit{Writer: "vault", Sequence: 4, Time: 1, Action: "reveal.approved"}
			forged.Hash = AuditHash(&forged)
			c.records = slices.Insert(c.records, 3, forged)
		}, 4, FaultInserted},
		{"of another writer", func(c *chain) {
			forged := c.records[3]
			forged.Writer = "console"
			forged.Hash = AuditHash(&forged)
			c.records[3] = forged
		}, 4, FaultInserted},
		{"cut off", func(c *chain) { c.records = c.records[:8] }, 9, FaultTruncated},
		{"all gone", func(c *chain) { c.records = nil }, 1, FaultTruncated},
		{"checkpoint of another key", func(c *chain) {
			c.checkpoints[0], _ = signCheckpoint(signingKey(t, "audit"), checkpoint{"vault", 5, c.records[4].Hash})
		}, 5, FaultBadSignature},
		{"checkpoint is no note", func(c *chain) { c.checkpoints[1] = []byte("nonsense") }, 0, FaultBadSignature},
		{"checkpoint of another hash", func(c *chain) {
			c.checkpoints[0], _ = signCheckpoint(key, checkpoint{"vault", 5, schemas.Digest{1}})
		}, 5, FaultAltered},
		{"two checkpoints disagree", func(c *chain) {
			more, _ := signCheckpoint(key, checkpoint{"vault", 5, schemas.Digest{1}})
			c.checkpoints = append(c.checkpoints, more)
		}, 5, FaultAltered},
		{"checkpoint of another chain", func(c *chain) {
			c.checkpoints[0], _ = signCheckpoint(key, checkpoint{"console", 5, c.records[4].Hash})
		}, 5, FaultInserted},
		{"something else was signed", func(c *chain) { c.checkpoints[0], _ = key.sign("a policy\n") }, 0, FaultBadSignature},
	} {
		c := chain{}
		c.records, c.checkpoints = written(t, key, 12, 5)
		tt.tamper(&c)
		_, err := VerifyAudit(c.records, c.checkpoints, key.Public())
		var link *BrokenLink
		if !errors.As(err, &link) || link.Sequence != tt.sequence || link.Fault != tt.fault {
			t.Errorf("%s: %v, want record %d: %s", tt.name, err, tt.sequence, tt.fault)
		}
	}
}

// Whatever single thing is done to a file of records or of checkpoints is found:
// a byte changed, dropped or added, a line dropped, doubled or swapped.
func TestVerifyAuditFiles_tampering(t *testing.T) {
	dir := t.TempDir()
	key := signingKey(t, "audit")
	log, notes := filepath.Join(dir, "audit.jsonl"), filepath.Join(dir, "checkpoints")
	chain, err := OpenAuditFile(log, notes, auditTime, AuditOptions{Writer: "vault", Key: key, Every: 2})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		if err := chain.Append(t.Context(), AuditEntry{Time: auditTime, Action: "audit.read", Detail: fmt.Sprintf(`{"<n>":%d}`, i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := chain.Close(); err != nil {
		t.Fatal(err)
	}
	records, checkpoints := read(t, log), read(t, notes)
	verify := func(records, checkpoints []byte) error {
		_, err := VerifyAuditFiles(bytes.NewReader(records), bytes.NewReader(checkpoints), key.Public())
		return err
	}
	if err := verify(records, checkpoints); err != nil {
		t.Fatal(err)
	}
	found := func(err error) bool { return errors.As(err, new(*BrokenLink)) }
	for i := range records { // each byte, not a sample of them
		changed := bytes.Clone(records)
		changed[i] ^= 0x20 // upper for lower case, among others
		if !found(verify(changed, checkpoints)) || !found(verify(slices.Delete(bytes.Clone(records), i, i+1), checkpoints)) {
			t.Fatalf("byte %d was changed or dropped and nobody noticed", i)
		}
	}
	rapid.Check(t, func(r *rapid.T) {
		i := rapid.IntRange(0, len(records)-1).Draw(r, "byte")
		changed := bytes.Clone(records)
		changed[i] ^= byte(rapid.IntRange(1, 255).Draw(r, "mask"))
		added := slices.Insert(bytes.Clone(records), i, rapid.Byte().Draw(r, "added"))
		if !found(verify(changed, checkpoints)) || !found(verify(added, checkpoints)) {
			r.Fatalf("a change at byte %d was not noticed", i)
		}

		j := rapid.IntRange(0, len(checkpoints)-1).Draw(r, "checkpoint byte")
		signed := bytes.Clone(checkpoints)
		signed[j] ^= byte(rapid.IntRange(1, 255).Draw(r, "checkpoint mask"))
		if !found(verify(records, signed)) {
			r.Fatalf("a change at byte %d of the checkpoints was not noticed", j)
		}

		lines := bytes.SplitAfter(bytes.TrimSuffix(records, []byte("\n")), []byte("\n"))
		lines[len(lines)-1] = append(bytes.Clone(lines[len(lines)-1]), '\n')
		a, b := rapid.IntRange(0, len(lines)-1).Draw(r, "line"), rapid.IntRange(0, len(lines)-1).Draw(r, "other line")
		dropped := slices.Delete(slices.Clone(lines), a, a+1)
		doubled := slices.Insert(slices.Clone(lines), b, lines[a])
		swapped := slices.Clone(lines)
		swapped[a], swapped[b] = swapped[b], swapped[a]
		if !found(verify(bytes.Join(dropped, nil), checkpoints)) || !found(verify(bytes.Join(doubled, nil), checkpoints)) ||
			(a != b && !found(verify(bytes.Join(swapped, nil), checkpoints))) {
			r.Fatalf("line %d was dropped, doubled or swapped with %d and nobody noticed", a, b)
		}
	})
}

// Records of different content never share what is hashed, however their texts
// are cut: each field counts, and so does where one ends.
func TestAuditHash(t *testing.T) {
	base := schemas.Audit{Writer: "w", Sequence: 1, Time: 2, Actor: "a", Action: "b", Subject: "c", Case: "d", Detail: "e"}
	seen := map[schemas.Digest]string{AuditHash(&base): "base"}
	fields := reflect.TypeFor[schemas.Audit]()
	for i := range fields.NumField() {
		changed := base
		switch field := reflect.ValueOf(&changed).Elem().Field(i); {
		case fields.Field(i).Name == "Hash":
			continue // the result
		case field.Kind() == reflect.String:
			field.SetString(field.String() + "x")
		case field.Kind() == reflect.Int64:
			field.SetInt(field.Int() + 1)
		default:
			field.Index(31).SetUint(1)
		}
		hash := AuditHash(&changed)
		if other, twice := seen[hash]; twice {
			t.Errorf("%s and %s hash alike", fields.Field(i).Name, other)
		}
		seen[hash] = fields.Field(i).Name
	}
	moved := base
	moved.Actor, moved.Action = "ab", ""
	if AuditHash(&moved) == AuditHash(&base) {
		t.Error("the end of a field does not count")
	}
}

// A chain goes on where it ended, after any stop, and has one writer at a time.
func TestOpenAuditFile_reopens(t *testing.T) {
	dir := t.TempDir()
	log, notes := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	key := signingKey(t, "audit")
	options := AuditOptions{Writer: "vault", Key: key, Every: 3}
	reopen := func() *AuditChain {
		t.Helper()
		chain, err := OpenAuditFile(log, notes, auditTime, options)
		if err != nil {
			t.Fatal(err)
		}
		return chain
	}
	for range 4 {
		chain := reopen()
		if _, err := OpenAuditFile(log, notes, auditTime, options); err == nil || !strings.Contains(err.Error(), "another process") {
			t.Errorf("a second writer: %v", err)
		}
		for range 2 {
			if err := chain.Append(t.Context(), AuditEntry{Time: auditTime, Action: "audit.read"}); err != nil {
				t.Fatal(err)
			}
		}
		if err := chain.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(log); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}

	// A line that was not finished goes, and that it went is on record.
	if err := os.WriteFile(log, append(read(t, log), `{"writer":"va`...), 0o600); err != nil {
		t.Fatal(err)
	}
	chain := reopen()
	last, err := chain.Records(8, 10)
	if err != nil || len(last) != 1 || last[0].Action != "audit.recovered" || last[0].Detail != `{"dropped_bytes":13}` {
		t.Errorf("%+v, %v", last, err)
	}
	if middle, err := chain.Records(2, 3); err != nil || len(middle) != 3 || middle[0].Sequence != 3 {
		t.Errorf("%+v, %v", middle, err)
	}
	if err := chain.Close(); err != nil {
		t.Fatal(err)
	}

	// A rotated key continues the chain when the one before is named.
	next := AuditOptions{Writer: "vault", Key: signingKey(t, "audit2")}
	if _, err := OpenAuditFile(log, notes, auditTime, next); !errors.As(err, new(*BrokenLink)) {
		t.Errorf("an unknown key signed: %v", err)
	}
	next.Earlier = []*VerifyingKey{key.Public()}
	if chain, err = OpenAuditFile(log, notes, auditTime, next); err != nil {
		t.Fatal(err)
	}
	if err := chain.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenAuditFile(log, notes, auditTime, AuditOptions{Writer: "console", Key: key}); err == nil {
		t.Error("another writer took the chain over")
	}

	// A chain that was tampered with is not continued.
	if err := os.WriteFile(log, bytes.Replace(read(t, log), []byte("audit.read"), []byte("audit.reed"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	var link *BrokenLink
	if _, err := OpenAuditFile(log, notes, auditTime, options); !errors.As(err, &link) || link.Sequence != 1 {
		t.Errorf("a chain that was tampered with: %v", err)
	}
}

// failing is a store whose disk is full.
type failing struct {
	AuditMemory
	records, checkpoints bool
}

func (f *failing) Append(record *schemas.Audit) error {
	if f.records {
		return errors.New("no space left")
	}
	return f.AuditMemory.Append(record)
}

func (f *failing) AppendCheckpoint(signed []byte) error {
	if f.checkpoints {
		return errors.New("no space left")
	}
	return f.AuditMemory.AppendCheckpoint(signed)
}

// After an entry that could not be kept nothing is taken, whatever the disk says
// then; a closed chain takes nothing either.
func TestAuditChain_refuses(t *testing.T) {
	entry := AuditEntry{Time: auditTime, Action: "audit.read"}
	for _, store := range []*failing{{records: true}, {checkpoints: true}} {
		chain, err := NewAuditChain(store, AuditOptions{Writer: "vault", Key: signingKey(t, "audit"), Every: 1})
		if err != nil {
			t.Fatal(err)
		}
		if err := chain.Append(t.Context(), entry); err == nil || !strings.Contains(err.Error(), "no space") {
			t.Errorf("first entry: %v", err)
		}
		store.records, store.checkpoints = false, false
		if err := chain.Append(t.Context(), entry); !errors.Is(err, ErrAuditBroken) {
			t.Errorf("second entry: %v", err)
		}
		if err := errors.Join(chain.Close(), chain.Close()); err != nil {
			t.Error(err)
		}
		if err := chain.Append(t.Context(), entry); !errors.Is(err, ErrAuditClosed) {
			t.Errorf("closed: %v", err)
		}
	}
}

// There is no chain without a store, a name and a key, and no entry that could
// not be read back.
func TestAuditChain_problems(t *testing.T) {
	key := signingKey(t, "audit")
	_, err := NewAuditChain(nil, AuditOptions{Every: -1})
	if err == nil || strings.Count(err.Error(), "\n") != 3 {
		t.Errorf("want four problems, got %v", err)
	}
	chain, err := NewAuditChain(&AuditMemory{}, AuditOptions{Writer: "vault", Key: key})
	if err != nil {
		t.Fatal(err)
	}
	for name, entry := range map[string]AuditEntry{
		"no action":     {Time: 1},
		"no time":       {Action: "a"},
		"year 10000":    {Action: "a", Time: latestTime + 1},
		"not UTF-8":     {Action: "a", Time: 1, Detail: "\xff"},
		"much too long": {Action: "a", Time: 1, Detail: strings.Repeat("x", maxAuditText)},
	} {
		if err := chain.Append(t.Context(), entry); err == nil {
			t.Errorf("%s: it was taken", name)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := chain.Append(ended, AuditEntry{Time: 1, Action: "a"}); !errors.Is(err, context.Canceled) {
		t.Errorf("ended: %v", err)
	}
	if records, err := chain.Records(0, 10); err != nil || len(records) != 0 {
		t.Errorf("%+v, %v", records, err)
	}
	if records, err := chain.Records(-5, -1); err != nil || len(records) != 0 {
		t.Errorf("%+v, %v", records, err)
	}
}

// Entries of many goroutines become one chain.
func TestAuditChain_concurrent(t *testing.T) {
	store, key := &AuditMemory{}, signingKey(t, "audit")
	chain, err := NewAuditChain(store, AuditOptions{Writer: "vault", Key: key, Every: 7})
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 25 {
				if err := chain.Append(t.Context(), AuditEntry{Time: auditTime, Action: "audit.read"}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if err := chain.Close(); err != nil {
		t.Fatal(err)
	}
	report, err := VerifyAudit(store.records, store.checkpoints, key.Public())
	if err != nil || report.Pinned != 200 {
		t.Errorf("%+v, %v", report, err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
