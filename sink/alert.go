package sink

import (
	"fmt"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/schemas"
)

// flattenAlert fails for an alert that has no place in the table.
func flattenAlert(a *schemas.Alert) (schemas.Alert, error) {
	if a.Version < 1 || a.PolicyVersion < 0 {
		return schemas.Alert{}, fmt.Errorf("version %d or policy version %d is negative or zero: %w", a.Version, a.PolicyVersion, schemas.ErrMalformed)
	}
	for _, t := range []schemas.Time{a.OpenedAt, a.UpdatedAt, a.ObservedTime} {
		if err := validTime("a time", t); err != nil {
			return schemas.Alert{}, err
		}
	}
	for _, c := range a.Counterfactuals {
		if err := validPoints(c.Score); err != nil {
			return schemas.Alert{}, err
		}
	}
	return *a, validLedger(a.Score, a.Contributions)
}

func alertColumns() []column[schemas.Alert] {
	type alert = schemas.Alert
	ledger := contributionColumns(func(a *alert) []schemas.Contribution { return a.Contributions })
	return append([]column[alert]{
		{"alert_id", "UUID", from(func(a *alert) uuid.UUID { return uuid.UUID(a.ID) })},
		{"version", "UInt32", from(func(a *alert) uint32 { return uint32(a.Version) })},
		{"user", "String", from(func(a *alert) schemas.Pseudonym { return a.User })},
		{"policy", categoryType, from(func(a *alert) string { return a.Policy })},
		{"policy_version", "UInt32", from(func(a *alert) uint32 { return uint32(a.PolicyVersion) })},
		{"policy_hash", "UInt64", from(func(a *alert) uint64 { return uint64(a.PolicyHash) })},
		{"status", categoryType, from(func(a *alert) string { return string(a.Status) })},
		{"severity", categoryType, from(func(a *alert) string { return string(a.Severity) })},
		{"score", pointsType, from(func(a *alert) int32 { return int32(a.Score) })},
		{"opened_at", timeType, from(func(a *alert) int64 { return int64(a.OpenedAt) })},
		{"updated_at", timeType, from(func(a *alert) int64 { return int64(a.UpdatedAt) })},
		{"observed_time", timeType, from(func(a *alert) int64 { return int64(a.ObservedTime) })},
		{"change", categoryType, from(func(a *alert) string { return a.Change })},
		{"trigger", "String", from(func(a *alert) string { return a.Trigger })},
		{"hold", categoryType, from(func(a *alert) string { return a.Hold })},
		{"hold_reason", "String", from(func(a *alert) string { return a.HoldReason })},
		{"hold_until", nullTimeType, from(func(a *alert) *int64 { return knownTime(a.HoldUntil) })},
		{"quiet_at", nullTimeType, from(func(a *alert) *int64 { return knownTime(a.QuietAt) })},
		{"event_ids", "Array(UUID)", from(func(a *alert) []uuid.UUID {
			return each(a.EventIDs, func(u schemas.UUID) uuid.UUID { return uuid.UUID(u) })
		})},
	}, append(ledger, counterfactualColumns(func(a *alert) []schemas.Counterfactual { return a.Counterfactuals })...)...)
}

// risk is a score with the offset of its record.
type risk struct {
	schemas.Risk
	offset int64
}

// flattenRisk fails for a score that has no place in the table.
func flattenRisk(r *schemas.Risk, from *kgo.Record) (risk, error) {
	if r.PolicyVersion < 0 {
		return risk{}, fmt.Errorf("policy version %d is negative: %w", r.PolicyVersion, schemas.ErrMalformed)
	}
	if err := validTime("time", r.Time); err != nil {
		return risk{}, err
	}
	if err := validPoints(r.Delta); err != nil {
		return risk{}, err
	}
	return risk{*r, from.Offset}, validLedger(r.Score, r.Contributions)
}

func riskColumns() []column[risk] {
	ledger := contributionColumns(func(r *risk) []schemas.Contribution { return r.Contributions })
	return append([]column[risk]{
		{"user", "String", from(func(r *risk) schemas.Pseudonym { return r.User })},
		{"time", timeType, from(func(r *risk) int64 { return int64(r.Time) })},
		{"score", pointsType, from(func(r *risk) int32 { return int32(r.Score) })},
		{"level", categoryType, from(func(r *risk) string { return string(r.Level) })},
		{"policy", categoryType, from(func(r *risk) string { return r.Policy })},
		{"policy_version", "UInt32", from(func(r *risk) uint32 { return uint32(r.PolicyVersion) })},
		{"cause", "UUID", from(func(r *risk) uuid.UUID { return uuid.UUID(r.Cause) })},
		{"delta", pointsType, from(func(r *risk) int32 { return int32(r.Delta) })},
		{"late", "Bool", from(func(r *risk) bool { return r.Late })},
		{"expires", nullTimeType, from(func(r *risk) *int64 { return knownTime(r.Expires) })},
		{"sequence", "Int64", from(func(r *risk) int64 { return r.Sequence })},
		{"record_offset", "Int64", from(func(r *risk) int64 { return r.offset })},
	}, append(ledger, counterfactualColumns(func(r *risk) []schemas.Counterfactual { return r.Counterfactuals })...)...)
}

func contributionColumns[V any](ledger func(*V) []schemas.Contribution) []column[V] {
	text := func(get func(schemas.Contribution) string) cells[V] {
		return from(func(v *V) []string { return each(ledger(v), get) })
	}
	return []column[V]{
		{"contributions.kind", categoriesType, text(func(c schemas.Contribution) string { return c.Kind })},
		{"contributions.name", categoriesType, text(func(c schemas.Contribution) string { return c.Name })},
		{"contributions.points", "Array(" + pointsType + ")", from(func(v *V) []int32 {
			return each(ledger(v), func(c schemas.Contribution) int32 { return int32(c.Points) })
		})},
		{"contributions.detail", "Array(String)", text(func(c schemas.Contribution) string { return c.Detail })},
	}
}

func counterfactualColumns[V any](list func(*V) []schemas.Counterfactual) []column[V] {
	return []column[V]{
		{"counterfactuals.without", categoriesType, from(func(v *V) []string {
			return each(list(v), func(c schemas.Counterfactual) string { return c.Without })
		})},
		{"counterfactuals.score", "Array(" + pointsType + ")", from(func(v *V) []int32 {
			return each(list(v), func(c schemas.Counterfactual) int32 { return int32(c.Score) })
		})},
	}
}

func each[A, B any](list []A, f func(A) B) []B {
	out := make([]B, len(list))
	for i, a := range list {
		out[i] = f(a)
	}
	return out
}

// pointsType has thousandths of a point, as schemas.Points do.
const pointsType = "Decimal(9, 3)"

func validPoints(p schemas.Points) error {
	const limit = 999_999_999 // of Decimal(9, 3), in thousandths
	if p > limit || p < -limit {
		return fmt.Errorf("%s points are beyond all scores: %w", p, schemas.ErrMalformed)
	}
	return nil
}

// validLedger holds the promise that views and people rely on: points sum to the score.
func validLedger(score schemas.Points, ledger []schemas.Contribution) error {
	var sum int64
	for _, c := range ledger {
		if err := validPoints(c.Points); err != nil {
			return err
		}
		sum += int64(c.Points)
	}
	if sum != int64(score) {
		return fmt.Errorf("contributions sum to %d thousandths, the score is %d: %w", sum, int32(score), schemas.ErrMalformed)
	}
	return validPoints(score)
}
