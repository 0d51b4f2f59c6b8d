package sink

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/riskpipe/riskpipe/schemas"
)

// Eraser removes what ClickHouse holds of a user, and keys of evidence, from the disks too: it
// rewrites the parts that hold it. ClickHouse keeps the parts from before for some minutes
// (old_parts_lifetime, eight by default) and drops them then.
//
// Wait until the sinks have written what the topics say of the user, the erasure included.
type Eraser struct {
	conn                 Conn
	database, identities string
}

// NewEraser returns an eraser; no identities stands for the default name of their database.
func NewEraser(conn Conn, database, identities string) (*Eraser, error) {
	identities = IdentityDatabase(database, identities)
	if err := validDatabases(database, identities); err != nil {
		return nil, err
	}
	return &Eraser{conn, database, identities}, nil
}

// tables are those that hold rows of users.
func (e *Eraser) tables() []string {
	return []string{
		e.database + ".activity", e.database + ".alerts", e.database + ".alert_history", e.database + ".risk", e.identities + ".identities",
	}
}

// Held is how many rows a table holds of somebody or something.
type Held struct {
	Table string // with its database
	Rows  uint64
}

// Held counts the rows of the users in every table that can hold some, those included which are
// deleted and lie on the disk still.
func (e *Eraser) Held(ctx context.Context, users []schemas.Pseudonym) ([]Held, error) {
	var held []Held
	for _, table := range e.tables() {
		h := Held{Table: table}
		for _, user := range users {
			n, err := e.count(ctx, "SELECT count() FROM "+table+" WHERE user = ? SETTINGS apply_deleted_mask = 0", user.String())
			if err != nil {
				return nil, fmt.Errorf("looking into %s: %w", table, err)
			}
			h.Rows += n
		}
		held = append(held, h)
	}
	return held, nil
}

func (e *Eraser) count(ctx context.Context, query string, args ...any) (n uint64, err error) {
	err = e.conn.QueryRow(ctx, query, args...).Scan(&n)
	return n, err
}

// Erase removes all rows of the users, and returns when they are gone.
func (e *Eraser) Erase(ctx context.Context, users []schemas.Pseudonym) error {
	for _, table := range e.tables() {
		for _, user := range users {
			if err := e.conn.Exec(ctx, "ALTER TABLE "+table+" DELETE WHERE user = ?", user.String()); err != nil {
				return fmt.Errorf("erasing from %s: %w", table, err)
			}
		}
	}
	return e.settle(ctx, e.tables())
}

// settle has what the sink hid rewritten, and waits until everything is.
func (e *Eraser) settle(ctx context.Context, tables []string) error {
	for _, table := range tables {
		if err := e.conn.Exec(ctx, "ALTER TABLE "+table+" APPLY DELETED MASK"); err != nil {
			return fmt.Errorf("erasing from %s: %w", table, err)
		}
	}
	for {
		const unfinished = "SELECT count() FROM system.mutations WHERE database IN (?, ?) AND NOT is_done AND NOT is_killed"
		n, err := e.count(ctx, unfinished, e.database, e.identities)
		if err != nil {
			return fmt.Errorf("asking how far ClickHouse is: %w", err)
		}
		if n == 0 {
			return nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("waiting for ClickHouse to rewrite its parts, %d mutations are unfinished; see system.mutations: %w", n, ctx.Err())
		}
	}
}

// SealedWith tells which data keys sealed evidence of the users, and how many activities of others
// these keys sealed, too: a key serves one normaliser for an hour.
func (e *Eraser) SealedWith(ctx context.Context, users []schemas.Pseudonym) (ids []string, others uint64, err error) {
	found := map[string]bool{}
	for _, user := range users {
		rows, err := e.conn.Query(ctx, "SELECT DISTINCT evidence_key FROM "+e.database+".activity WHERE user = ? AND evidence_key != ''", user.String())
		if err != nil {
			return nil, 0, fmt.Errorf("looking for data keys: %w", err)
		}
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				return nil, 0, errors.Join(fmt.Errorf("looking for data keys: %w", err), rows.Close())
			}
			if !found[id] {
				found[id] = true
				ids = append(ids, id)
			}
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return nil, 0, fmt.Errorf("looking for data keys: %w", err)
		}
	}
	for _, id := range ids {
		n, err := e.count(ctx, "SELECT count() FROM "+e.database+".activity FINAL WHERE evidence_key = ?", id)
		if err != nil {
			return nil, 0, fmt.Errorf("looking for what data keys sealed: %w", err)
		}
		others += n
	}
	for _, user := range users {
		n, err := e.count(ctx, "SELECT count() FROM "+e.database+".activity FINAL WHERE user = ? AND evidence_key != ''", user.String())
		if err != nil {
			return nil, 0, fmt.Errorf("looking for what data keys sealed: %w", err)
		}
		others -= min(n, others)
	}
	return ids, others, nil
}

// SealedBy lists the users whose evidence a data key sealed, nobody (the zero pseudonym) among
// them where activities name nobody.
func (e *Eraser) SealedBy(ctx context.Context, id string) (users []schemas.Pseudonym, err error) {
	rows, err := e.conn.Query(ctx, "SELECT DISTINCT user FROM "+e.database+".activity WHERE evidence_key = ?", id)
	if err != nil {
		return nil, fmt.Errorf("looking for whom a data key sealed: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("looking for whom a data key sealed: %w", err)
		}
		var user schemas.Pseudonym
		if name != "" {
			if err := user.UnmarshalText([]byte(name)); err != nil {
				return nil, fmt.Errorf("looking for whom a data key sealed: %w", err)
			}
		}
		users = append(users, user)
	}
	return users, rows.Err()
}

// Which data keys are meant.
const (
	AnyKeys   = "deleted = 0"
	WholeKeys = "deleted = 0 AND format < 3" // those that were not punctured
)

// HeldKeys counts the rows of data keys, AnyKeys or WholeKeys.
func (e *Eraser) HeldKeys(ctx context.Context, ids []string, which string) (Held, error) {
	h := Held{Table: e.identities + ".evidence_keys"}
	for _, id := range ids {
		n, err := e.count(ctx, "SELECT count() FROM "+h.Table+" WHERE key_id = ? AND "+which+" SETTINGS apply_deleted_mask = 0", id)
		if err != nil {
			return h, fmt.Errorf("looking into %s: %w", h.Table, err)
		}
		h.Rows += n
	}
	return h, nil
}

// EraseKeys removes data keys, AnyKeys or WholeKeys, and leaves the marks that they were deleted,
// which keep a copy that is delivered again from coming back.
func (e *Eraser) EraseKeys(ctx context.Context, ids []string, which string) error {
	table := e.identities + ".evidence_keys"
	const atOnce = 500
	for len(ids) > 0 {
		n := min(len(ids), atOnce)
		if err := e.conn.Exec(ctx, "ALTER TABLE "+table+" DELETE WHERE "+which+" AND has(?, key_id)", ids[:n]); err != nil {
			return fmt.Errorf("erasing from %s: %w", table, err)
		}
		ids = ids[n:]
	}
	return e.settle(ctx, []string{table})
}
