package sink

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/schemas"
)

// rows makes the rows of a block out of the records of one topic, and writes them. It serves one
// block at a time, and is used again, since its memory is that of a full block.
type rows interface {
	// add takes one record. An error that wraps schemas.ErrMalformed concerns the record alone.
	add(r *kgo.Record) error
	len() int
	// oldest is when the first of the raw records behind the rows reached Kafka; 0 without rows.
	oldest() schemas.Time
	// sources counts rows by feed; nil for what has no feed.
	sources() map[schemas.Source]int
	// insert writes the rows, if there are any, and deletes those of a user who is to be forgotten.
	insert(ctx context.Context, conn Conn, token string) error
	reset()
}

// typed are the rows of records R, laid out as V.
type typed[R schemas.Record, V any] struct {
	codec    *schemas.Codec[R]
	prepare  func(*R) // for decoding into it again; nil when there is nothing to do
	flatten  func(*R, *kgo.Record) (V, error)
	observed func(*R, *kgo.Record) schemas.Time
	source   func(*R) schemas.Source      // nil when there is none
	deleted  func(*kgo.Record) (V, error) // of a record without a value; nil when that tells to forget the user
	columns  *columns[V]
	tables   []string

	record    R
	row       V
	first     schemas.Time
	counts    map[schemas.Source]int
	forgotten string // the user of an erasure, which ends its block
}

func (t *typed[R, V]) add(r *kgo.Record) error {
	if r.Value == nil && t.deleted == nil {
		var user schemas.Pseudonym
		if user.UnmarshalText(r.Key) != nil {
			return invalidError{fmt.Errorf("a record without a value whose key is no pseudonym: %w", schemas.ErrMalformed)}
		}
		t.forgotten = user.String()
		return nil
	}
	if r.Value == nil {
		row, err := t.deleted(r)
		if err != nil {
			return invalidError{err}
		}
		t.take(&row, schemas.TimeOf(r.Timestamp))
		return nil
	}
	// The row is copied into the columns before the next record is decoded.
	if t.prepare != nil {
		t.prepare(&t.record)
	}
	if err := t.codec.DecodeShared(r.Value, &t.record); err != nil {
		return err
	}
	row, err := t.flatten(&t.record, r)
	if err != nil {
		return invalidError{err}
	}
	t.row = row
	t.take(&t.row, t.observed(&t.record, r))
	if t.source != nil {
		t.counts[t.source(&t.record)]++
	}
	return nil
}

func (t *typed[R, V]) take(row *V, at schemas.Time) {
	t.columns.add(row)
	if t.first == 0 || at < t.first {
		t.first = at
	}
}

func (t *typed[R, V]) len() int                        { return t.columns.rows }
func (t *typed[R, V]) oldest() schemas.Time            { return t.first }
func (t *typed[R, V]) sources() map[schemas.Source]int { return t.counts }

func (t *typed[R, V]) insert(ctx context.Context, conn Conn, token string) error {
	for _, table := range t.tables {
		if t.columns.rows > 0 {
			if err := t.columns.insert(ctx, conn, table, token); err != nil {
				return err
			}
		}
		if t.forgotten != "" {
			if err := forget(ctx, conn, table, t.forgotten); err != nil {
				return err
			}
		}
	}
	return nil
}

// forget hides a user's rows at once; the bytes go with the next merge, or with an Eraser.
func forget(ctx context.Context, conn Conn, table, user string) error {
	if err := conn.Exec(ctx, "DELETE FROM "+table+" WHERE user = ?", user); err != nil {
		return fmt.Errorf("forgetting a user in %s: %w", table, err)
	}
	return nil
}

func (t *typed[R, V]) reset() {
	t.columns.reset()
	t.first, t.forgotten = 0, ""
	clear(t.counts)
}

// alone is for what needs nothing of the record but its value.
func alone[R, V any](flatten func(*R) (V, error)) func(*R, *kgo.Record) (V, error) {
	return func(v *R, _ *kgo.Record) (V, error) { return flatten(v) }
}

func newActivityRows(codec *schemas.Codec[schemas.Event], database string) rows {
	return &typed[schemas.Event, activity]{
		codec: codec, prepare: bodiesLender(), flatten: alone(eventFlattener()),
		columns: newBodies(activityBodies()), tables: []string{database + ".activity"},
		observed: func(e *schemas.Event, _ *kgo.Record) schemas.Time { return e.ObservedTime },
		source:   func(e *schemas.Event) schemas.Source { return e.Source },
		counts:   map[schemas.Source]int{},
	}
}

func newAlertRows(codec *schemas.Codec[schemas.Alert], database string) rows {
	return &typed[schemas.Alert, schemas.Alert]{
		codec: codec, flatten: alone(flattenAlert), columns: newColumns(alertColumns()),
		tables:   []string{database + ".alert_history", database + ".alerts"},
		observed: func(a *schemas.Alert, _ *kgo.Record) schemas.Time { return a.ObservedTime },
	}
}

// newRiskRows: a risk score does not tell when its cause reached Kafka, so its own record does.
func newRiskRows(codec *schemas.Codec[schemas.Risk], database string) rows {
	return &typed[schemas.Risk, risk]{
		codec: codec, flatten: flattenRisk, columns: newColumns(riskColumns()), tables: []string{database + ".risk"},
		observed: func(_ *schemas.Risk, r *kgo.Record) schemas.Time { return schemas.TimeOf(r.Timestamp) },
	}
}
