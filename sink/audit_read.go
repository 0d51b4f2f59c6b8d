package sink

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

//go:embed sql/audit_trail.sql
var auditScript string

// ReadAudit adds all that the table audit holds to the copy, which tells of rows that are no
// records. The user needs the role riskpipe_auditor. The error is that of ClickHouse.
func ReadAudit(ctx context.Context, conn Conn, database string, into *vault.AuditCopy) error {
	if err := validDatabase(database); err != nil {
		return err
	}
	rows, err := conn.Query(ctx, statements(script(auditScript, database, ""))[0])
	if err != nil {
		return fmt.Errorf("reading the audit trail: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var a schemas.Audit
		var at int64
		var previous, hash string
		if err := rows.Scan(&a.Writer, &a.Sequence, &at, &a.Actor, &a.Action, &a.Subject, &a.Case, &a.Detail, &previous, &hash); err != nil {
			return fmt.Errorf("reading the audit trail: %w", err)
		}
		a.Time = schemas.Time(at)
		if !parseDigest(previous, &a.Previous) || !parseDigest(hash, &a.Hash) {
			into.AddUnreadable(a.Writer, a.Sequence, "a hash of it is none")
			continue
		}
		into.Add(a)
	}
	return rows.Err()
}

// parseDigest takes nothing but what flattenAudit writes: hexadecimal can be spelled in capitals,
// too.
func parseDigest(text string, digest *schemas.Digest) bool {
	return digest.UnmarshalText([]byte(text)) == nil && digest.String() == text
}
