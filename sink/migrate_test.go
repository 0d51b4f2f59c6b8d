package sink

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/riskpipe/riskpipe/deploy/embedded/servertest"
)

func TestMain(m *testing.M) { servertest.Main(m) }

var keep = Retention{ActivityDays: 180, AlertDays: 730, RiskDays: 365, IdentityDays: 730, EvidenceDays: 180}

// openTest returns a connection and the name of an empty database.
func openTest(tb testing.TB) (Conn, string) {
	tb.Helper()
	addr, database := servertest.Database(tb)
	conn, err := Open(tb.Context(), ClickHouseConfig{Addresses: []string{addr}, Protocol: "http", Username: "default"})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := conn.Exec(context.Background(), "DROP DATABASE IF EXISTS "+IdentityDatabase(database, "")); err != nil {
			tb.Errorf("dropping the identities of %s: %v", database, err)
		}
		conn.Close()
	})
	return conn, database
}

// openMigrated returns a connection and the name of a migrated database.
func openMigrated(tb testing.TB) (Conn, string) {
	tb.Helper()
	conn, database := openTest(tb)
	if _, err := Migrate(tb.Context(), conn, database, MigrateOptions{}); err != nil {
		tb.Fatal(err)
	}
	return conn, database
}

// A new database gets everything, and the second run finds nothing to do.
func TestMigrate_freshAndTwice(t *testing.T) {
	conn, database := openTest(t)
	ctx := t.Context()

	plan, err := Migrate(ctx, conn, database, MigrateOptions{DryRun: true, Retention: keep})
	if err != nil {
		t.Fatal(err)
	}
	if n := count(t, conn, "SELECT count() FROM system.tables WHERE database = ?", database); n != 0 {
		t.Fatalf("a dry run made %d tables", n)
	}
	applied, err := Migrate(ctx, conn, database, MigrateOptions{Retention: keep})
	if err != nil {
		t.Fatal(err)
	}
	names := func(steps []Applied) (names []string) {
		for _, s := range steps {
			names = append(names, s.Name)
		}
		return names
	}
	if want := []string{"0001_tables", "0002_views", "0003_wider_records", "0004_wider_views", "0005_identities", "0006_audit", "0007_compact_parts", "0008_risk_sequence", "retention"}; !slices.Equal(names(applied), want) || !slices.Equal(names(plan), want) {
		t.Errorf("applied %v, planned %v, want %v", names(applied), names(plan), want)
	}
	again, err := Migrate(ctx, conn, database, MigrateOptions{Retention: keep})
	if err != nil || len(again) != 0 {
		t.Errorf("second run: %v, %v", names(again), err)
	}
}

// A migration that was edited after it had been run is refused, with what to do.
func TestMigrate_edited(t *testing.T) {
	conn, database := openMigrated(t)
	all, err := migrations(migrationFiles)
	if err != nil {
		t.Fatal(err)
	}
	all[0].checksum = strings.Repeat("0", 64)
	_, err = migrate(t.Context(), conn, database, all, MigrateOptions{})
	if err == nil || !strings.Contains(err.Error(), "0001_tables was edited") {
		t.Errorf("got %v", err)
	}
	if _, err = migrate(t.Context(), conn, database, all[:1], MigrateOptions{}); err == nil || !strings.Contains(err.Error(), "newer riskpipe") {
		t.Errorf("a database of the future: %v", err)
	}
}

// After a migration broke off at any statement, migrating again completes it.
func TestMigrate_brokenOff(t *testing.T) {
	conn, database := openTest(t)
	all, err := migrations(migrationFiles)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		for _, s := range statements(script(m.script, database, IdentityDatabase(database, ""))) {
			if err := conn.Exec(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := Migrate(t.Context(), conn, database, MigrateOptions{Retention: keep}); err != nil {
		t.Error(err)
	}
}

// Retention is set, changed and removed, and nothing is altered when it is as it should be.
func TestMigrate_retention(t *testing.T) {
	conn, database := openMigrated(t)
	for _, step := range []struct {
		keep Retention
		want int
	}{{keep, 6}, {keep, 0}, {Retention{ActivityDays: 30, AlertDays: 730}, 4}, {Retention{}, 3}, {Retention{}, 0}} {
		got, err := Migrate(t.Context(), conn, database, MigrateOptions{Retention: step.keep})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, a := range got {
			n += len(a.Statements)
		}
		if n != step.want {
			t.Errorf("%+v: %d statements %v, want %d", step.keep, n, got, step.want)
		}
	}
	if err := (Retention{ActivityDays: -1, RiskDays: 1e6}).Validate(); err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("want two problems, got %v", err)
	}
}

// Every table that holds rows of people, or keys, has a time after which they go. The audit log is
// kept for good, and the version table is about no one.
func TestMigrate_retentionOfAll(t *testing.T) {
	conn, database := openMigrated(t)
	if _, err := Migrate(t.Context(), conn, database, MigrateOptions{Retention: keep}); err != nil {
		t.Fatal(err)
	}
	var without []struct {
		Kept string `ch:"kept"`
	}
	const kept = `SELECT concat(database, '.', name) AS kept FROM system.tables WHERE database IN (?, ?) AND engine LIKE '%MergeTree'
		AND engine_full NOT LIKE '% TTL %' AND name != 'schema_migrations' AND name NOT LIKE 'audit%'`
	if err := conn.Select(t.Context(), &without, kept, database, IdentityDatabase(database, "")); err != nil {
		t.Fatal(err)
	}
	if len(without) > 0 {
		t.Errorf("kept for ever: %v", without)
	}
}

// Every column of every table and view says what it means, and so does each table.
func TestMigrate_comments(t *testing.T) {
	conn, database := openMigrated(t)
	rows, err := conn.Query(t.Context(), `SELECT table, name FROM system.columns WHERE database IN (?, ?) AND comment = ''
		UNION ALL SELECT name, '' FROM system.tables WHERE database IN (?, ?) AND comment = ''`,
		database, IdentityDatabase(database, ""), database, IdentityDatabase(database, ""))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			t.Fatal(err)
		}
		t.Errorf("%s.%s has no comment", table, column)
	}
	if n := count(t, conn, "SELECT count() FROM system.columns WHERE database = ? AND table LIKE 'soc\\\\_%'", database); n < 60 {
		t.Errorf("only %d columns of views", n)
	}
}

// Scripts are cut where statements end and nowhere else.
func TestStatements(t *testing.T) {
	for _, tt := range []struct {
		script string
		want   []string
	}{
		{"", nil},
		{" ; ;\n-- nothing; here\n", nil},
		{"SELECT 1", []string{"SELECT 1"}},
		{"SELECT 1;SELECT 2 ;", []string{"SELECT 1", "SELECT 2"}},
		{"-- a; b\nSELECT ';', '\\';', ''';' /* ; */ -- ;\n, `;`, \";\";\n/* c; */ SELECT 2", []string{
			"SELECT ';', '\\';', ''';' /* ; */ -- ;\n, `;`, \";\"", "SELECT 2",
		}},
		{"SELECT 'open; ", []string{"SELECT 'open;"}},
		{"SELECT 1 /* open; ", []string{"SELECT 1 /* open;"}},
	} {
		if got := statements(tt.script); !slices.Equal(got, tt.want) {
			t.Errorf("%q: got %q", tt.script, got)
		}
	}
}

// Files that are not numbered from 1 without gaps are refused.
func TestMigrations_names(t *testing.T) {
	for _, names := range [][]string{{"0002_a"}, {"0001_a", "0003_b"}, {"0001_a", "0001_b"}, {"1_a"}, {"0001-a"}} {
		files := fstest.MapFS{}
		for _, n := range names {
			files["sql/migrations/"+n+".sql"] = &fstest.MapFile{}
		}
		if _, err := migrations(files); err == nil {
			t.Errorf("%v passed", names)
		}
	}
}

func count(tb testing.TB, conn Conn, query string, args ...any) uint64 {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var n uint64
	if err := conn.QueryRow(ctx, query, args...).Scan(&n); err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
	return n
}
