package sink

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

//go:embed sql/migrations/*.sql
var migrationFiles embed.FS

// MigrateOptions say what Migrate does beside bringing the tables up to date.
type MigrateOptions struct {
	// DryRun lists what would be done and changes nothing.
	DryRun bool
	// IdentityDatabase is the database of sealed identities; the name of the database and
	// _identities when empty. Migrations that were run do not follow a change of it.
	IdentityDatabase string
	// Retention sets how long rows are kept.
	Retention Retention
}

// Applied is one step that Migrate took, or would take.
type Applied struct {
	// Version is the migration's number, 0 for a change of retention.
	Version int
	Name    string
	// Statements are what was run.
	Statements []string
}

type migration struct {
	version  int
	name     string
	checksum string // SHA-256 of the file, in hexadecimal
	script   string
}

// Migrate makes the database if there is none, runs the migrations that were not run on it yet,
// in order, and sets the tables' retention. Run again, it does nothing; after a migration that
// broke off, it runs that one from its beginning, since each statement can be repeated. It fails
// without changing anything if a migration was edited after it had been run, or if the database
// was migrated by a newer riskpipe.
func Migrate(ctx context.Context, conn Conn, database string, opts MigrateOptions) ([]Applied, error) {
	if err := errors.Join(validDatabases(database, IdentityDatabase(database, opts.IdentityDatabase)), opts.Retention.Validate()); err != nil {
		return nil, err
	}
	all, err := migrations(migrationFiles)
	if err != nil {
		return nil, err
	}
	return migrate(ctx, conn, database, all, opts)
}

func migrate(ctx context.Context, conn Conn, database string, all []migration, opts MigrateOptions) ([]Applied, error) {
	opts.IdentityDatabase = IdentityDatabase(database, opts.IdentityDatabase)
	done, err := appliedMigrations(ctx, conn, database)
	if err != nil {
		return nil, err
	}
	pending, err := pendingMigrations(all, done)
	if err != nil {
		return nil, err
	}
	steps := make([]Applied, 0, len(pending)+1)
	if !opts.DryRun && len(pending) > 0 {
		if err := createVersionTable(ctx, conn, database); err != nil {
			return nil, err
		}
	}
	for _, m := range pending {
		step := Applied{Version: m.version, Name: m.name, Statements: statements(script(m.script, database, opts.IdentityDatabase))}
		if !opts.DryRun {
			if err := runMigration(ctx, conn, database, m, step.Statements); err != nil {
				return steps, err
			}
		}
		steps = append(steps, step)
	}
	retention, err := setRetention(ctx, conn, database, opts)
	if len(retention.Statements) > 0 {
		steps = append(steps, retention)
	}
	return steps, err
}

// script puts the names of the databases into a script.
func script(text, database, identities string) string {
	return strings.NewReplacer("${database}", database, "${identity_database}", identities).Replace(text)
}

// migrations reads the files NNNN_name.sql, whose numbers must run from 1 without a gap.
func migrations(files fs.FS) ([]migration, error) {
	names, err := fs.Glob(files, "sql/migrations/*.sql")
	if err != nil {
		return nil, fmt.Errorf("listing migrations: %w", err)
	}
	slices.Sort(names)
	all := make([]migration, 0, len(names))
	for i, file := range names {
		base := strings.TrimSuffix(path.Base(file), ".sql")
		parts := migrationName.FindStringSubmatch(base)
		if parts == nil {
			return nil, fmt.Errorf("reading migration %s: want NNNN_name.sql", file)
		}
		version, err := strconv.Atoi(parts[1])
		if err != nil || version != i+1 {
			return nil, fmt.Errorf("reading migration %s: want number %04d, there is a gap or a double", file, i+1)
		}
		script, err := fs.ReadFile(files, file)
		if err != nil {
			return nil, fmt.Errorf("reading migration %s: %w", file, err)
		}
		sum := sha256.Sum256(script)
		all = append(all, migration{version: version, name: base, checksum: hex.EncodeToString(sum[:]), script: string(script)})
	}
	return all, nil
}

var migrationName = regexp.MustCompile(`^(\d{4})_[a-z0-9_]+$`)

// pendingMigrations are those not done. done maps versions to checksums.
func pendingMigrations(all []migration, done map[int]string) ([]migration, error) {
	var pending []migration
	var problems []error
	newest := 0
	for version := range done {
		newest = max(newest, version)
	}
	if newest > len(all) {
		problems = append(problems, fmt.Errorf("the database has migration %d and this riskpipe knows %d: use a newer riskpipe", newest, len(all)))
	}
	for _, m := range all {
		sum, ok := done[m.version]
		switch {
		case !ok:
			pending = append(pending, m)
		case sum != m.checksum:
			problems = append(problems, fmt.Errorf("migration %s was edited after it had been run (checksum %.12s, was %.12s): restore it and write a new migration instead",
				m.name, m.checksum, sum))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("checking migrations: %w", err)
	}
	return pending, nil
}

// appliedMigrations maps the versions that were run to their checksums.
func appliedMigrations(ctx context.Context, conn Conn, database string) (map[int]string, error) {
	done := map[int]string{}
	var tables uint64
	if err := conn.QueryRow(ctx, "SELECT count() FROM system.tables WHERE database = ? AND name = 'schema_migrations'", database).Scan(&tables); err != nil {
		return nil, fmt.Errorf("looking for the version table: %w", err)
	}
	if tables == 0 {
		return done, nil
	}
	rows, err := conn.Query(ctx, "SELECT version, checksum FROM "+database+".schema_migrations FINAL ORDER BY version")
	if err != nil {
		return nil, fmt.Errorf("reading the version table: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var version uint32
		var checksum string
		if err := rows.Scan(&version, &checksum); err != nil {
			return nil, fmt.Errorf("reading the version table: %w", err)
		}
		done[int(version)] = checksum
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading the version table: %w", err)
	}
	return done, nil
}

//go:embed sql/versions.sql
var versionTable string

func createVersionTable(ctx context.Context, conn Conn, database string) error {
	for _, statement := range statements(strings.ReplaceAll(versionTable, "${database}", database)) {
		if err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("making database %s and its version table: %w", database, err)
		}
	}
	return nil
}

func runMigration(ctx context.Context, conn Conn, database string, m migration, script []string) error {
	for i, statement := range script {
		if err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("running migration %s, statement %d (%s): %w; mend the cause and migrate again",
				m.name, i+1, firstLine(statement), err)
		}
	}
	err := conn.Exec(ctx, "INSERT INTO "+database+".schema_migrations (version, name, checksum) VALUES (?, ?, ?)",
		uint32(m.version), m.name, m.checksum)
	if err != nil {
		return fmt.Errorf("noting migration %s as run: %w; migrate again", m.name, err)
	}
	return nil
}

func firstLine(statement string) string {
	line, _, _ := strings.Cut(statement, "\n")
	return line
}
