package vault

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/riskpipe/riskpipe/schemas"
)

// copyOf is a copy with the records in that order.
func copyOf(records ...schemas.Audit) *AuditCopy {
	var c AuditCopy
	for _, r := range records {
		c.Add(r)
	}
	return &c
}

// brokenIn is what a report says of the writer, empty when its chain is sound.
func brokenIn(reports []CopyReport, writer string) string {
	i := slices.IndexFunc(reports, func(r CopyReport) bool { return r.Writer == writer })
	switch {
	case i < 0:
		return "no such chain"
	case reports[i].Broken == nil:
		return ""
	default:
		return fmt.Sprintf("%d %s", reports[i].Broken.Sequence, reports[i].Broken.Fault)
	}
}

// A copy may mix chains and hold records twice; the chains verify with the
// checkpoints of the one that has them, and against the log.
func TestAuditCopy_sound(t *testing.T) {
	key := signingKey(t, "audit")
	records, checkpoints := written(t, key, 7, 3)
	other := chainOf(t, "score/1", 3)
	c := copyOf(records[0], other[0], records[1], records[2], records[1], records[2], other[1], records[3], other[2], other[0], records[4], records[5], records[6])
	c.Expect("vault", records, 7)
	reports := c.Verify(checkpoints, key.Public())
	if len(reports) != 2 || reports[0].Writer != "score/1" || reports[0].Records != 3 || reports[0].Pinned != 0 || reports[0].Broken != nil ||
		reports[1].Records != 7 || reports[1].Pinned != 7 || reports[1].Broken != nil {
		t.Errorf("%+v", reports)
	}
	if reports := new(AuditCopy).Verify(nil); len(reports) != 0 {
		t.Errorf("nothing: %+v", reports)
	}
}

// chainOf is a chain without checkpoints.
func chainOf(t interface{ Fatal(...any) }, writer string, n int) []schemas.Audit {
	records := make([]schemas.Audit, n)
	var last schemas.Audit
	for i := range records {
		var err error
		if records[i], err = NextAudit(writer, &last, AuditEntry{Time: auditTime, Action: "policy.adopted", Detail: fmt.Sprintf(`{"n":%d}`, i)}); err != nil {
			t.Fatal(err)
		}
		last = records[i]
	}
	return records
}

// forged is another record with a sound hash.
func forged(r schemas.Audit) schemas.Audit {
	r.Actor = "token:mallory"
	r.Hash = AuditHash(&r)
	return r
}

// What was done to a copy is found at the lowest record that is not what it was,
// and the chains of others stay sound.
func TestAuditCopy_faults(t *testing.T) {
	key := signingKey(t, "audit")
	for _, tt := range []struct {
		name   string
		tamper func(records []schemas.Audit) []schemas.Audit
		rules  string // by the chain's rules alone
		pinned string // with the checkpoints, too
		log    string // and the log
	}{
		{"altered", func(r []schemas.Audit) []schemas.Audit { r[3].Actor = "x"; return r }, "4 altered", "4 altered", "4 altered"},
		{"altered, hash made to fit", func(r []schemas.Audit) []schemas.Audit { r[3] = forged(r[3]); return r }, "5 altered", "5 altered", "4 altered"},
		{"missing", func(r []schemas.Audit) []schemas.Audit { return slices.Delete(r, 3, 4) }, "4 missing", "4 missing", "4 missing"},
		{"first missing", func(r []schemas.Audit) []schemas.Audit { return r[1:] }, "1 missing", "1 missing", "1 missing"},
		{"swapped", func(r []schemas.Audit) []schemas.Audit { r[3], r[4] = r[4], r[3]; return r }, "4 reordered", "4 reordered", "4 reordered"},
		{"forked", func(r []schemas.Audit) []schemas.Audit { return append(r, forged(r[1])) }, "2 inserted", "2 inserted", "2 inserted"},
		{"forged copy first", func(r []schemas.Audit) []schemas.Audit { return slices.Insert(r, 1, forged(r[1])) }, "2 inserted", "2 inserted", "2 inserted"},
		{"longer", func(r []schemas.Audit) []schemas.Audit {
			more, _ := NextAudit("vault", &r[6], AuditEntry{Time: 1, Action: "reveal.approved"})
			return append(r, more)
		}, "", "", "8 inserted"},
		{"cut off", func(r []schemas.Audit) []schemas.Audit { return r[:6] }, "", "7 truncated", "7 truncated"},
		{"gone", func([]schemas.Audit) []schemas.Audit { return nil }, "no such chain", "1 truncated", "1 truncated"},
		{"negative", func(r []schemas.Audit) []schemas.Audit { r[3].Sequence = -4; return r }, "4 altered", "4 altered", "4 altered"},
	} {
		records, checkpoints := written(t, key, 7, 3)
		other := chainOf(t, "score/1", 2)
		verify := func(checkpoints [][]byte, log bool) string {
			c := copyOf(slices.Concat(other[:1], tt.tamper(slices.Clone(records)), other[1:])...)
			if log {
				c.Expect("vault", records, 7)
			}
			reports := c.Verify(checkpoints, key.Public())
			if broken := brokenIn(reports, "score/1"); broken != "" {
				t.Errorf("%s: the other chain: %s", tt.name, broken)
			}
			return brokenIn(reports, "vault")
		}
		if got := verify(nil, false); got != tt.rules {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.rules)
		}
		if got := verify(checkpoints, false); got != tt.pinned {
			t.Errorf("%s, with checkpoints: %q, want %q", tt.name, got, tt.pinned)
		}
		if got := verify(checkpoints, true); got != tt.log {
			t.Errorf("%s, with the log: %q, want %q", tt.name, got, tt.log)
		}
	}
}

// What cannot be read is a broken link where it stands, or where it says.
func TestAuditCopy_unreadable(t *testing.T) {
	records := chainOf(t, "score/1", 4)
	c := copyOf(records[:2]...)
	c.AddUnreadable("score/1", 0, "not a record")
	c.Add(records[3])
	c.AddUnreadable("sink/1", 7, "not a hash")
	reports := c.Verify([][]byte{[]byte("nonsense")})
	for writer, want := range map[string]string{"score/1": "3 altered", "sink/1": "7 altered", "": "0 bad signature"} {
		if got := brokenIn(reports, writer); got != want {
			t.Errorf("%q: %s, want %s", writer, got, want)
		}
	}
}

// However several chains are mixed and repeated, they stay sound, and one record
// that is changed, dropped or swapped with its neighbour is found in its chain.
func TestAuditCopy_mixed(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		chains := map[string][]schemas.Audit{}
		var mixed []schemas.Audit
		for i := range rapid.IntRange(1, 3).Draw(r, "chains") {
			writer := fmt.Sprint("score/", i)
			chains[writer] = chainOf(r, writer, rapid.IntRange(2, 6).Draw(r, "records"))
			at := 0
			for j, record := range chains[writer] {
				at = rapid.IntRange(at, len(mixed)).Draw(r, "at")
				mixed = slices.Insert(mixed, at, record)
				at++
				if rapid.Bool().Draw(r, "again") { // later than itself
					mixed = append(mixed, chains[writer][j])
				}
			}
		}
		verify := func(records []schemas.Audit, writer string) string {
			c := copyOf(records...)
			for writer, chain := range chains {
				c.Expect(writer, chain, int64(len(chain)))
			}
			return brokenIn(c.Verify(nil), writer)
		}
		for writer := range chains {
			if broken := verify(mixed, writer); broken != "" {
				r.Fatalf("%s: %s", writer, broken)
			}
		}
		record := rapid.SampledFrom(mixed).Draw(r, "record")
		without := slices.DeleteFunc(slices.Clone(mixed), func(m schemas.Audit) bool { return m == record })
		if broken := verify(without, record.Writer); broken == "" {
			r.Fatal("a record was dropped and nobody noticed")
		}
		changed := slices.Clone(mixed)
		changed[slices.Index(changed, record)].Time++
		if broken := verify(changed, record.Writer); broken == "" {
			r.Fatal("a record was changed and nobody noticed")
		}
	})
}
