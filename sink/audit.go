package sink

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/schemas"
)

// auditRow is a row of the audit trail.
type auditRow struct {
	schemas.Audit
	previous, hash string // in hexadecimal
}

// flattenAudit leaves the record as it is, hash included, be it right or wrong: the table is a copy
// of the topic, which the verification judges.
func flattenAudit(a *schemas.Audit) (auditRow, error) {
	if a.Writer == "" {
		return auditRow{}, fmt.Errorf("an audit record without a writer: %w", schemas.ErrMalformed)
	}
	return auditRow{Audit: *a, previous: a.Previous.String(), hash: a.Hash.String()}, validTime("time", a.Time)
}

func auditColumns() []column[auditRow] {
	return []column[auditRow]{
		{"writer", categoryType, from(func(a *auditRow) string { return a.Writer })},
		{"sequence", "Int64", from(func(a *auditRow) int64 { return a.Sequence })},
		{"time", timeType, from(func(a *auditRow) int64 { return int64(a.Time) })},
		{"actor", "String", from(func(a *auditRow) string { return a.Actor })},
		{"action", categoryType, from(func(a *auditRow) string { return a.Action })},
		{"subject", "String", from(func(a *auditRow) string { return a.Subject })},
		{"case", "String", from(func(a *auditRow) string { return a.Case })},
		{"detail", "String", from(func(a *auditRow) string { return a.Detail })},
		{"previous", "String", from(func(a *auditRow) string { return a.previous })},
		{"hash", "String", from(func(a *auditRow) string { return a.hash })},
	}
}

func newAuditRows(codec *schemas.Codec[schemas.Audit], database string) rows {
	return &typed[schemas.Audit, auditRow]{
		codec: codec, flatten: alone(flattenAudit), columns: newColumns(auditColumns()), tables: []string{database + ".audit"},
		observed: func(_ *schemas.Audit, r *kgo.Record) schemas.Time { return schemas.TimeOf(r.Timestamp) },
	}
}
