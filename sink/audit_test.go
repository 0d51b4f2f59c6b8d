package sink

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

// auditChain is a chain of n records.
func auditChain(tb testing.TB, writer string, n int) []schemas.Audit {
	tb.Helper()
	records := make([]schemas.Audit, n)
	var last schemas.Audit
	for i := range records {
		record, err := vault.NextAudit(writer, &last, vault.AuditEntry{
			Time: noon + schemas.Time(i), Actor: "token:iris", Action: "reveal.opened", Subject: "ANON-" + itoa(uint64(i)), Case: "C-1'7", Detail: `{"fields":["upn"]}`,
		})
		if err != nil {
			tb.Fatal(err)
		}
		records[i], last = record, record
	}
	return records
}

// publishAudit sends records as their writers do.
func (w *world) publishAudit(records ...schemas.Audit) {
	w.tb.Helper()
	for _, a := range records {
		w.publishKeyed(w.config.Topics.Audit(), a.Writer, time.Now(), encode(w.tb, w.audits, a))
	}
}

// broken says where the chain of the writer is broken in the table, compared with the log; 0 for
// nowhere.
func broken(tb interface{ Fatal(...any) }, conn Conn, database string, log []schemas.Audit) int64 {
	var c vault.AuditCopy
	if err := ReadAudit(context.Background(), conn, database, &c); err != nil {
		tb.Fatal(err)
	}
	c.Expect(log[0].Writer, log, int64(len(log)))
	reports := c.Verify(nil)
	i := slices.IndexFunc(reports, func(r vault.CopyReport) bool { return r.Writer == log[0].Writer })
	if reports[i].Broken == nil {
		return 0
	}
	return reports[i].Broken.Sequence
}

// The trail arrives as it was published, whatever is delivered twice and whatever is no record, and
// verifies; a restart writes nothing twice.
func TestSink_audit(t *testing.T) {
	w := newWorld(t)
	vaultLog, scoreLog := auditChain(t, "vault", 5), auditChain(t, "score/1", 2)
	w.publishAudit(vaultLog[0], scoreLog[0], vaultLog[1], vaultLog[2], vaultLog[1], vaultLog[2])
	stop := w.run(w.conn)
	w.waitForCommits()
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	w.publishKeyed(w.config.Topics.Audit(), "vault", time.Now(), []byte("nonsense"))
	w.publishAudit(scoreLog[1], vaultLog[3], vaultLog[4], vaultLog[4])
	w.run(w.conn)
	w.waitForCommits()
	table := w.config.Database + ".audit"
	w.waitFor(7, "SELECT count() FROM "+table+" FINAL")

	var c vault.AuditCopy
	if err := ReadAudit(t.Context(), w.conn, w.config.Database, &c); err != nil {
		t.Fatal(err)
	}
	c.Expect("vault", vaultLog, 5)
	c.Expect("score/1", scoreLog, 2)
	for _, report := range c.Verify(nil) {
		if report.Broken != nil {
			t.Errorf("%s: %v", report.Writer, report.Broken)
		}
	}
	type chain struct {
		Writer  string `ch:"writer"`
		Records uint64 `ch:"records"`
		Last    int64  `ch:"last_sequence"`
		Missing int64  `ch:"missing"`
		Forks   uint64 `ch:"forks"`
	}
	chains := func() (found []chain) {
		t.Helper()
		if err := w.conn.Select(t.Context(), &found, "SELECT writer, records, last_sequence, missing, forks FROM "+w.config.Database+".audit_chains ORDER BY writer"); err != nil {
			t.Fatal(err)
		}
		return found
	}
	if diff := cmp.Diff([]chain{{"score/1", 2, 2, 0, 0}, {"vault", 5, 5, 0, 0}}, chains()); diff != "" {
		t.Error(diff)
	}

	// A forged record stays beside the true one, and a lost one leaves a gap.
	forged := vaultLog[2]
	forged.Actor = "token:mallory"
	forged.Hash = vault.AuditHash(&forged)
	w.publishAudit(forged)
	w.waitForCommits()
	if err := w.conn.Exec(t.Context(), "OPTIMIZE TABLE "+table+" FINAL"); err != nil {
		t.Fatal(err)
	}
	if at := broken(t, w.conn, w.config.Database, vaultLog); at != 3 {
		t.Errorf("a fork at record 3 is found at %d", at)
	}
	if err := w.conn.Exec(t.Context(), "ALTER TABLE "+table+" DELETE WHERE sequence = 2 SETTINGS mutations_sync = 2"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]chain{{"score/1", 1, 1, 0, 0}, {"vault", 4, 5, 1, 1}}, chains()); diff != "" {
		t.Error(diff)
	}
	if at := broken(t, w.conn, w.config.Database, vaultLog); at != 2 {
		t.Errorf("a gap at record 2 is found at %d", at)
	}
}

// Whatever is done to the table, any byte of any column included, is found where it was done or
// before.
func TestReadAudit_tampering(t *testing.T) {
	conn, database := openMigrated(t)
	table := database + ".audit"
	log := auditChain(t, "vault", 5)
	pristine := make([]auditRow, len(log))
	for i := range log {
		var err error
		if pristine[i], err = flattenAudit(&log[i]); err != nil {
			t.Fatal(err)
		}
	}
	brokenWith := func(t interface{ Fatal(...any) }, rows []auditRow) int64 {
		c := newColumns(auditColumns())
		for i := range rows {
			c.add(&rows[i])
		}
		err := conn.Exec(context.Background(), "TRUNCATE TABLE "+table)
		if err == nil && len(rows) > 0 {
			err = c.insert(context.Background(), conn, table, "")
		}
		if err != nil {
			t.Fatal(err)
		}
		return broken(t, conn, database, log)
	}
	if at := brokenWith(t, pristine); at != 0 {
		t.Fatalf("the chain is broken at %d", at)
	}
	texts := func(r *auditRow) []*string {
		return []*string{&r.Writer, &r.Actor, &r.Action, &r.Subject, &r.Case, &r.Detail, &r.previous, &r.hash}
	}
	rapid.Check(t, func(r *rapid.T) {
		i := rapid.IntRange(0, len(log)-1).Draw(r, "row")
		rows := slices.Clone(pristine)
		row := &rows[i]
		switch change := rapid.IntRange(0, 9).Draw(r, "change"); change {
		case 8:
			row.Time += schemas.Time(rapid.IntRange(1, 1e9).Draw(r, "time"))
		case 9:
			row.Sequence ^= 1 << rapid.IntRange(0, 63).Draw(r, "bit")
		default:
			text := texts(row)[change]
			changed := []byte(*text)
			changed[rapid.IntRange(0, len(changed)-1).Draw(r, "byte")] ^= byte(rapid.IntRange(1, 255).Draw(r, "mask"))
			*text = string(changed)
		}
		if at := brokenWith(r, rows); at > int64(i)+1 || (at == 0) {
			r.Fatalf("row %d was changed, and the chain is broken at %d", i+1, at)
		}
	})
	for i := range pristine { // capitals mean the same number
		for _, which := range []int{6, 7} {
			rows := slices.Clone(pristine)
			text := texts(&rows[i])[which]
			upper := string(bytes.ToUpper([]byte(*text)))
			if upper == *text {
				continue
			}
			*text = upper
			if at := brokenWith(t, rows); at != int64(i)+1 {
				t.Errorf("a hash of row %d in capitals: broken at %d", i+1, at)
			}
		}
		if at := brokenWith(t, slices.Delete(slices.Clone(pristine), i, i+1)); at != int64(i)+1 {
			t.Errorf("row %d was dropped: broken at %d", i+1, at)
		}
	}
	if at := brokenWith(t, nil); at != 1 {
		t.Errorf("all rows are gone: broken at %d", at)
	}
	swapped := slices.Clone(pristine)
	swapped[1].Sequence, swapped[2].Sequence = 3, 2
	if at := brokenWith(t, swapped); at != 2 {
		t.Errorf("rows 2 and 3 were swapped: broken at %d", at)
	}
	more := auditChain(t, "vault", 6)
	last, err := flattenAudit(&more[5])
	if err != nil {
		t.Fatal(err)
	}
	if at := brokenWith(t, append(slices.Clone(pristine), last)); at != 6 {
		t.Errorf("a row was added: broken at %d", at)
	}
	if err := ReadAudit(t.Context(), conn, "no database", &vault.AuditCopy{}); err == nil {
		t.Error("a name that is none was taken")
	}
	if err := ReadAudit(t.Context(), conn, database+"_none", &vault.AuditCopy{}); err == nil {
		t.Error("no error without the table")
	}
}

// A retention that somebody gave the trail is taken off.
func TestMigrate_auditKept(t *testing.T) {
	conn, database := openMigrated(t)
	if err := conn.Exec(t.Context(), "ALTER TABLE "+database+".audit MODIFY TTL toDateTime(time) + toIntervalDay(1)"); err != nil {
		t.Fatal(err)
	}
	applied, err := Migrate(t.Context(), conn, database, MigrateOptions{})
	want := []string{"ALTER TABLE " + database + ".audit REMOVE TTL"}
	if err != nil || len(applied) != 1 || !slices.Equal(applied[0].Statements, want) {
		t.Errorf("%+v, %v", applied, err)
	}
}

// What is no record of a chain has no row.
func TestFlattenAudit_malformed(t *testing.T) {
	for _, a := range []schemas.Audit{{Time: 1}, {Writer: "vault", Time: -1}, {Writer: "vault", Time: lastTime + 1}} {
		if _, err := flattenAudit(&a); err == nil {
			t.Errorf("%+v passed", a)
		}
	}
}
