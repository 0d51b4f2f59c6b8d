package vault

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/riskpipe/riskpipe/schemas"
)

// watchOver returns a watch and the log that it pins in, which continues what is in
// the store.
func watchOver(t interface{ Fatal(...any) }, key *SigningKey, store *AuditMemory) (*AuditWatch, *AuditChain) {
	log, err := NewAuditChain(store, AuditOptions{Writer: "vault", Key: key})
	if err != nil {
		t.Fatal(err)
	}
	w, err := WatchAudit(log, func() schemas.Time { return auditTime })
	if err != nil {
		t.Fatal(err)
	}
	return w, log
}

// addSound adds records that break nothing.
func addSound(t interface{ Fatal(...any) }, w *AuditWatch, records ...schemas.Audit) {
	for _, r := range records {
		if link := w.Add(r); link != nil {
			t.Fatal(link)
		}
	}
}

// logged are the records in the store.
func logged(t interface{ Fatal(...any) }, store *AuditMemory) []schemas.Audit {
	records, err := store.Records(0, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// rewritten is the chain as somebody without a key would write it anew, from the
// index on.
func rewritten(records []schemas.Audit, from int) []schemas.Audit {
	records = slices.Clone(records)
	for i := from; i < len(records); i++ {
		records[i].Actor = "token:mallory"
		if i > 0 {
			records[i].Previous = records[i-1].Hash
		}
		records[i].Hash = AuditHash(&records[i])
	}
	return records
}

// Each chain is pinned to where it was sound, by a record of the log that the log's
// own checkpoint pins; nothing is signed twice, and never the log's own chain.
func TestAuditWatch_pins(t *testing.T) {
	key, store := signingKey(t, "audit"), &AuditMemory{}
	w, log := watchOver(t, key, store)
	score, cat := chainOf(t, "score/1", 4), chainOf(t, "cat/1", 1)
	add := func(records ...schemas.Audit) { addSound(t, w, records...) }
	pin := func(want ...string) {
		t.Helper()
		before := len(logged(t, store))
		if err := w.Pin(); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range logged(t, store)[before:] {
			signed, holds := pinIn(&r)
			pin, err := openPin(&r, signed, []*VerifyingKey{key.Public()})
			if err != nil || !holds || r.Writer != "vault" || r.Time != auditTime {
				t.Errorf("%+v: %v", r, err)
			}
			got = append(got, fmt.Sprintf("%s %d", pin.writer, pin.sequence))
		}
		if !slices.Equal(got, want) || w.Unpinned() || log.Unpinned() {
			t.Errorf("pinned %q, want %q; unpinned %d", got, want, w.UnpinnedRecords())
		}
	}
	pin()
	add(score[0], cat[0], score[1], score[0], score[1])
	if w.UnpinnedRecords() != 3 {
		t.Errorf("%d unpinned", w.UnpinnedRecords())
	}
	pin("cat/1 1", "score/1 2")
	add(score[1], cat[0])
	add(logged(t, store)...)
	pin()
	add(score[2:]...)
	pin("score/1 4")
	if w.BrokenChains() != 0 {
		t.Errorf("%d broken", w.BrokenChains())
	}
}

// A chain that is not what was written, or not what was pinned, is said to be broken
// once, and pinned before the break at most; other chains are pinned as ever.
func TestAuditWatch_broken(t *testing.T) {
	records := chainOf(t, "score/1", 5)
	longer := chainOf(t, "score/1", 7)
	for _, tt := range []struct {
		name   string
		pinned int // records that a watch before has pinned
		copy   []schemas.Audit
		want   string
		upTo   int64 // how far the chain is pinned then
	}{
		{"sound", 0, records, "", 5},
		{"sound and pinned", 3, records, "", 5},
		{"grown since", 5, longer, "", 7},
		{"altered", 0, slices.Concat(records[:3], []schemas.Audit{{Writer: "score/1", Sequence: 4}}, records[4:]), "4 altered", 3},
		{"missing", 0, slices.Concat(records[:2], records[3:]), "3 missing", 2},
		{"first missing", 0, records[1:], "1 missing", 0},
		{"forked", 0, slices.Concat(records, []schemas.Audit{forged(records[1])}), "2 inserted", 1},
		{"forked where it is pinned", 5, slices.Concat(records, []schemas.Audit{forged(records[1])}), "2 inserted", 5},
		{"negative", 0, []schemas.Audit{records[0], forged(schemas.Audit{Writer: "score/1", Sequence: -4})}, "2 inserted", 1},
		{"cut off", 5, records[:3], "4 truncated", 5},
		{"gone", 5, nil, "1 truncated", 5},
		{"rewritten from the third on", 5, rewritten(records, 2), "5 altered", 5},
		{"rewritten behind what is pinned", 3, rewritten(records, 3), "", 5}, // nobody can tell
		{"rewritten and shorter", 5, rewritten(records, 0)[:4], "5 truncated", 5},
	} {
		key, store := signingKey(t, "audit"), &AuditMemory{}
		before, _ := watchOver(t, key, store)
		addSound(t, before, records[:tt.pinned]...)
		if err := before.Pin(); err != nil {
			t.Fatal(err)
		}
		w, _ := watchOver(t, key, store)
		var links []string
		for _, r := range slices.Concat(tt.copy, tt.copy) { // said once, however often it is read
			if link := w.Add(r); link != nil {
				links = append(links, fmt.Sprintf("%d %s", link.Sequence, link.Fault))
			}
		}
		for range 2 {
			for _, report := range w.CaughtUp() {
				links = append(links, fmt.Sprintf("%d %s", report.Broken.Sequence, report.Broken.Fault))
				if report.Writer != "score/1" || report.Pinned != int64(tt.pinned) {
					t.Errorf("%s: %+v", tt.name, report)
				}
			}
		}
		if got := strings.Join(links, ", "); got != tt.want || w.BrokenChains() != min(1, len(links)) {
			t.Errorf("%s: %q, want %q; %d broken", tt.name, got, tt.want, w.BrokenChains())
		}
		other := chainOf(t, "cat/1", 1)[0]
		if link := w.Add(other); link != nil {
			t.Errorf("%s: the other chain: %s", tt.name, link)
		}
		if err := w.Pin(); err != nil {
			t.Fatal(err)
		}
		again, _ := watchOver(t, key, store)
		if got := again.chain("score/1").pinned; got != tt.upTo || again.chain("cat/1").pinned != 1 {
			t.Errorf("%s: pinned to record %d, want %d", tt.name, got, tt.upTo)
		}
	}
}

// What cannot be read breaks the chain behind its last record, and a name that no
// service has is no chain.
func TestAuditWatch_unreadable(t *testing.T) {
	w, log := watchOver(t, signingKey(t, "audit"), &AuditMemory{})
	addSound(t, w, chainOf(t, "score/1", 2)...)
	if link := w.AddUnreadable("score/1", "nonsense"); link == nil || link.Sequence != 3 || link.Fault != FaultAltered {
		t.Errorf("%v", link)
	}
	if link := w.AddUnreadable("score/1", "nonsense"); link != nil {
		t.Errorf("said twice: %v", link)
	}
	if link := w.AddUnreadable("vault", "nonsense"); link != nil {
		t.Errorf("the log's own chain: %v", link)
	}
	for _, writer := range []string{"", "\xff", strings.Repeat("x", maxWriter+1)} {
		if link := w.Add(chainOf(t, writer, 1)[0]); link == nil || link.Fault != FaultInserted {
			t.Errorf("%.10q: %v", writer, link)
		}
	}
	if err := w.Pin(); err != nil {
		t.Fatal(err)
	}
	if last, _ := log.Last(); last != 1 {
		t.Errorf("%d records, want one for the first two of score/1", last)
	}
}

// A watch without a log that can be signed pins nothing, and there is none without
// a log or a clock.
func TestAuditWatch_problems(t *testing.T) {
	w, log := watchOver(t, signingKey(t, "audit"), &AuditMemory{})
	addSound(t, w, chainOf(t, "score/1", 1)...)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Pin(); err == nil || !w.Unpinned() {
		t.Errorf("%v, unpinned %t", err, w.Unpinned())
	}
	if _, err := WatchAudit(nil, nil); err == nil {
		t.Error("no log, no error")
	}
}

// A copy is held against the checkpoints that the vault's records hold: in the copy,
// and in the log that it is a copy of.
func TestAuditCopy_pinnedByRecords(t *testing.T) {
	key := signingKey(t, "audit")
	records := chainOf(t, "score/1", 5)
	store := &AuditMemory{}
	w, log := watchOver(t, key, store)
	addSound(t, w, records...)
	if err := w.Pin(); err != nil {
		t.Fatal(err)
	}
	vault := logged(t, store)
	other, err := NextAudit("mallory", &schemas.Audit{}, AuditEntry{Time: 1, Action: ActionPinned, Subject: "score/1", Detail: `{"checkpoint":"riskpipe audit checkpoint v1\n"}`})
	if err != nil {
		t.Fatal(err)
	}
	moved, err := NextAudit("mallory", &schemas.Audit{}, AuditEntry{Time: 1, Action: ActionPinned, Subject: "score/2", Detail: vault[0].Detail})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		copy []schemas.Audit
		want string // of score/1 by the copy alone
		log  string // and with the vault's log
		also string // of who is broken beside
	}{
		{"sound", slices.Concat(records, vault), "", "", ""},
		{"grown", slices.Concat(chainOf(t, "score/1", 6), vault), "", "", ""},
		{"cut off", slices.Concat(records[:4], vault), "5 truncated", "5 truncated", ""},
		{"gone", vault, "1 truncated", "1 truncated", ""},
		{"rewritten", slices.Concat(rewritten(records, 1), vault), "5 altered", "5 altered", ""},
		{"cut off with the checkpoint", records[:4], "", "5 truncated", "vault"},
		{"all gone", nil, "no such chain", "1 truncated", "vault"},
		{"a forged checkpoint", slices.Concat(records, vault, []schemas.Audit{other}), "", "", "mallory"},
		{"a checkpoint under another name", slices.Concat(records, vault, []schemas.Audit{moved}), "", "", "mallory"},
	} {
		for _, withLog := range []bool{false, true} {
			c, want := copyOf(tt.copy...), tt.want
			if withLog {
				want = tt.log
				c.Expect("vault", vault, log.last.Sequence)
			}
			reports := c.Verify(nil, key.Public())
			if got := brokenIn(reports, "score/1"); got != want {
				t.Errorf("%s, log %t: %q, want %q", tt.name, withLog, got, want)
			}
			for _, report := range reports {
				broken := report.Broken != nil && report.Writer != "score/1"
				if broken != (report.Writer == tt.also && (withLog || tt.also != "vault")) {
					t.Errorf("%s, log %t: %s: %v", tt.name, withLog, report.Writer, report.Broken)
				}
				if report.Writer == "score/1" && want == "" && tt.also != "vault" && report.Pinned != 5 {
					t.Errorf("%s: pinned to %d", tt.name, report.Pinned)
				}
			}
		}
	}
	// Without a key nothing is said of checkpoints, and what the log pinned while the
	// copy was read is not asked of it.
	if reports := copyOf(slices.Concat(records[:4], vault)...).Verify(nil); brokenIn(reports, "score/1") != "" {
		t.Errorf("%+v", reports)
	}
	c := copyOf(records[:4]...)
	c.Expect("vault", vault, 0)
	if reports := c.Verify(nil, key.Public()); brokenIn(reports, "score/1") != "" {
		t.Errorf("%+v", reports)
	}
	// A key from before a rotation still counts.
	c = copyOf(slices.Concat(records[:4], vault)...)
	if reports := c.Verify(nil, signingKey(t, "newer").Public(), key.Public()); brokenIn(reports, "score/1") != "5 truncated" {
		t.Errorf("%+v", reports)
	}
}

// However chains are mixed and whenever they are pinned and the watch begins anew,
// all stay sound; what is then changed or cut off in a record that is pinned is found
// by the next watch, and by the verification of the copy.
func TestAuditWatch_properties(t *testing.T) {
	key := signingKey(t, "audit")
	rapid.Check(t, func(r *rapid.T) {
		store := &AuditMemory{}
		w, _ := watchOver(r, key, store)
		chains := make([][]schemas.Audit, rapid.IntRange(1, 3).Draw(r, "chains"))
		for i := range chains {
			chains[i] = chainOf(r, fmt.Sprint("score/", i), rapid.IntRange(1, 5).Draw(r, "records"))
		}
		var copied []schemas.Audit
		var added [3]int
		for range rapid.IntRange(0, 20).Draw(r, "steps") {
			switch i := rapid.IntRange(0, len(chains)-1).Draw(r, "chain"); rapid.SampledFrom([]string{"add", "add", "add", "again", "pin", "restart"}).Draw(r, "step") {
			case "add":
				if added[i] < len(chains[i]) {
					copied = append(copied, chains[i][added[i]])
					added[i]++
					addSound(r, w, copied[len(copied)-1])
				}
			case "again":
				if len(copied) > 0 {
					addSound(r, w, rapid.SampledFrom(copied).Draw(r, "again"))
				}
			case "pin":
				if err := w.Pin(); err != nil {
					r.Fatal(err)
				}
			case "restart":
				w, _ = watchOver(r, key, store)
				addSound(r, w, copied...)
				if truncated := w.CaughtUp(); len(truncated) > 0 {
					r.Fatalf("%+v", truncated)
				}
			}
		}
		var pinned []schemas.Audit
		for _, record := range copied {
			if record.Sequence <= w.chain(record.Writer).pinned {
				pinned = append(pinned, record)
			}
		}
		records := logged(r, store)
		if len(pinned) == 0 {
			return
		}
		victim := rapid.SampledFrom(pinned).Draw(r, "victim")
		var tampered []schemas.Audit
		for _, record := range copied {
			if record.Writer != victim.Writer {
				tampered = append(tampered, record)
			}
		}
		chain := slices.DeleteFunc(slices.Clone(copied), func(a schemas.Audit) bool { return a.Writer != victim.Writer })
		if rapid.Bool().Draw(r, "cut") {
			chain = chain[:victim.Sequence-1]
		} else {
			chain = rewritten(chain, int(victim.Sequence)-1)
		}
		tampered = append(tampered, chain...)
		next, _ := watchOver(r, key, store)
		found := 0
		for _, record := range tampered {
			if next.Add(record) != nil {
				found++
			}
		}
		if found += len(next.CaughtUp()); found != 1 {
			r.Fatalf("the next watch finds %d faults", found)
		}
		if broken := brokenIn(copyOf(slices.Concat(tampered, records)...).Verify(nil, key.Public()), victim.Writer); broken == "" {
			r.Fatal("the copy verifies")
		}
	})
}
