package sink

import (
	"slices"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

// An eraser takes the bytes, those too which a sink has only hidden, and leaves what is others'.
func TestEraser(t *testing.T) {
	conn, database := openMigrated(t)
	identities := IdentityDatabase(database, "")
	ada, ben := schemas.Pseudonym{1}, schemas.Pseudonym{2}
	e, err := NewEraser(conn, database, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, user := range []schemas.Pseudonym{ada, ben} {
		name := user.String()
		run(t, conn, database,
			"INSERT INTO ${database}.activity (event_id, user, time, evidence_key) VALUES (generateUUIDv4(), '"+name+"', now64(3), 'shared'), (generateUUIDv4(), '"+name+"', '2026-01-01', 'key of "+name+"')",
			"INSERT INTO ${database}.alerts (alert_id, version, user) VALUES (generateUUIDv4(), 1, '"+name+"')",
			"INSERT INTO ${database}.alert_history SELECT * FROM ${database}.alerts WHERE user = '"+name+"'",
			"INSERT INTO ${database}.risk (user, time) VALUES ('"+name+"', now64(3))",
			"INSERT INTO "+identities+".identities (user, source, updated_time) VALUES ('"+name+"', 'hr', now64(3))",
			"INSERT INTO "+identities+".evidence_keys (key_id, hour, wrapped) VALUES ('key of "+name+"', now64(3), 'w')")
	}
	run(t, conn, database, "INSERT INTO "+identities+".evidence_keys (key_id, hour, wrapped) VALUES ('shared', now64(3), 'w')")
	held := func(user schemas.Pseudonym) (rows []uint64) {
		t.Helper()
		tables, err := e.Held(t.Context(), []schemas.Pseudonym{user})
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range tables {
			rows = append(rows, h.Rows)
		}
		return rows
	}
	ids, others, err := e.SealedWith(t.Context(), []schemas.Pseudonym{ada})
	slices.Sort(ids)
	if err != nil || !slices.Equal(ids, []string{"key of " + ada.String(), "shared"}) || others != 1 {
		t.Errorf("sealed with %v, and %d of others (%v)", ids, others, err)
	}
	if by, err := e.SealedBy(t.Context(), "shared"); err != nil || len(by) != 2 || !slices.Contains(by, ada) || !slices.Contains(by, ben) {
		t.Errorf("sealed by %v (%v)", by, err)
	}
	if h, err := e.HeldKeys(t.Context(), ids, WholeKeys); err != nil || h.Rows != 2 {
		t.Errorf("whole keys: %+v (%v)", h, err)
	}
	if err := forget(t.Context(), conn, database+".activity", ada.String()); err != nil {
		t.Fatal(err)
	}
	if visible := count(t, conn, "SELECT count() FROM "+database+".activity WHERE user = ?", ada.String()); visible != 0 {
		t.Errorf("%d rows are seen", visible)
	}
	if got := held(ada); !slices.Equal(got, []uint64{2, 1, 1, 1, 1}) {
		t.Errorf("before: %v", got)
	}
	for range 2 {
		if err := e.Erase(t.Context(), []schemas.Pseudonym{ada}); err != nil {
			t.Fatal(err)
		}
		if err := e.EraseKeys(t.Context(), ids, AnyKeys); err != nil {
			t.Fatal(err)
		}
		if got := held(ada); !slices.Equal(got, []uint64{0, 0, 0, 0, 0}) {
			t.Errorf("left: %v", got)
		}
		if got := held(ben); !slices.Equal(got, []uint64{2, 1, 1, 1, 1}) {
			t.Errorf("of others: %v", got)
		}
		if h, err := e.HeldKeys(t.Context(), ids, AnyKeys); err != nil || h.Rows != 0 {
			t.Errorf("keys: %+v (%v)", h, err)
		}
		if n := count(t, conn, "SELECT count() FROM "+identities+".evidence_keys"); n != 1 {
			t.Errorf("%d keys are left, want that of another", n)
		}
	}
}
