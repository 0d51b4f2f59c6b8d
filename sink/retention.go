package sink

import (
	"context"
	"errors"
	"fmt"
	"regexp"
)

// Retention says for how many days rows are kept, counted from the event; 0 keeps them for ever.
type Retention struct {
	ActivityDays int // the timeline
	AlertDays    int // alerts and their history
	RiskDays     int // risk scores
	IdentityDays int // sealed identities, from when they were last learned
	EvidenceDays int // the keys of evidence: afterwards, it never opens again
}

// maxRetentionDays keeps the end of a row's life within ClickHouse's DateTime.
const maxRetentionDays = 10 * 366

// Validate reports everything that is wrong with r, joined.
func (r Retention) Validate() error {
	var problems []error
	for _, class := range []struct {
		field string
		days  int
	}{{"activity_days", r.ActivityDays}, {"alert_days", r.AlertDays}, {"risk_days", r.RiskDays}, {"identity_days", r.IdentityDays}, {"evidence_days", r.EvidenceDays}} {
		if class.days < 0 || class.days > maxRetentionDays {
			problems = append(problems, fmt.Errorf("sink.%s is %d: want 0 (for ever) to %d", class.field, class.days, maxRetentionDays))
		}
	}
	return errors.Join(problems...)
}

func (r Retention) tables(database, identities string) []retained {
	return []retained{
		{database, "activity", "time", r.ActivityDays},
		{database, "alerts", "updated_at", r.AlertDays},
		{database, "alert_history", "updated_at", r.AlertDays},
		{database, "risk", "time", r.RiskDays},
		{identities, "identities", "updated_time", r.IdentityDays},
		{identities, "evidence_keys", "hour", r.EvidenceDays},
		{database, "audit", "time", 0}, // kept for ever, whoever said otherwise
	}
}

type retained struct {
	database, table, column string
	days                    int
}

// setRetention changes the TTL of those tables that have another one. A change makes ClickHouse
// look at every row, so it is not repeated.
func setRetention(ctx context.Context, conn Conn, database string, opts MigrateOptions) (Applied, error) {
	step := Applied{Name: "retention"}
	for _, t := range opts.Retention.tables(database, opts.IdentityDatabase) {
		now, err := ttlOf(ctx, conn, t.database, t.table)
		if err != nil {
			return step, err
		}
		statement := ""
		switch want := fmt.Sprintf("toDateTime(%s) + toIntervalDay(%d)", t.column, t.days); {
		case t.days > 0 && now != want:
			statement = fmt.Sprintf("ALTER TABLE %s.%s MODIFY TTL %s", t.database, t.table, want)
		case t.days == 0 && now != "":
			statement = fmt.Sprintf("ALTER TABLE %s.%s REMOVE TTL", t.database, t.table)
		default:
			continue
		}
		if !opts.DryRun {
			if err := conn.Exec(ctx, statement); err != nil {
				return step, fmt.Errorf("setting the retention of %s: %w", t.table, err)
			}
		}
		step.Statements = append(step.Statements, statement)
	}
	return step, nil
}

var ttlClause = regexp.MustCompile(` TTL (.*) SETTINGS `)

// ttlOf returns the table's TTL expression as ClickHouse formats it, empty without one or
// without the table.
func ttlOf(ctx context.Context, conn Conn, database, table string) (string, error) {
	var engine string
	err := conn.QueryRow(ctx, "SELECT any(engine_full) FROM system.tables WHERE database = ? AND name = ?", database, table).Scan(&engine)
	if err != nil {
		return "", fmt.Errorf("reading the retention of %s: %w", table, err)
	}
	if found := ttlClause.FindStringSubmatch(engine); found != nil {
		return found[1], nil
	}
	return "", nil
}
