package sink

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"reflect"

	"github.com/riskpipe/riskpipe/schemas"
)

//go:embed sql/about.sql
var aboutScript string

// Row is a row of a table by its columns; those that say nothing (zero, empty, null) are left out.
type Row map[string]any

// About is all that ClickHouse holds of a user but the identity; evidence is sealed still.
type About struct {
	Activities   []Row
	AlertHistory []Row // every version of every alert
	Risk         []Row
	Sealed       []SealedEvidence
	// Keys are the data keys of the evidence that are kept still, by id.
	Keys map[string]schemas.EvidenceKey
}

// SealedEvidence is the evidence of an activity.
type SealedEvidence struct {
	Event    schemas.UUID
	Key      string
	Evidence []byte
}

// AboutSource reads what is held of a user from the tables, not from the views: it is for the user
// whom it is about. It needs SELECT on them and on the database of identities.
type AboutSource struct {
	conn    Conn
	queries []string // of about.sql
}

// NewAboutSource returns a source; no identities stands for the default name of their database.
func NewAboutSource(conn Conn, database, identities string) (*AboutSource, error) {
	identities = IdentityDatabase(database, identities)
	if err := validDatabases(database, identities); err != nil {
		return nil, err
	}
	return &AboutSource{conn, statements(script(aboutScript, database, identities))}, nil
}

// About reads everything, the oldest first.
func (s *AboutSource) About(ctx context.Context, user schemas.Pseudonym) (about About, err error) {
	for i, rows := range []*[]Row{&about.Activities, &about.AlertHistory, &about.Risk} {
		if *rows, err = s.rows(ctx, s.queries[i], user.String()); err != nil {
			return About{}, fmt.Errorf("reading what is held of a user: %w", err)
		}
	}
	if about.Sealed, err = s.sealed(ctx, user); err != nil {
		return About{}, fmt.Errorf("reading sealed evidence: %w", err)
	}
	if about.Keys, err = s.keys(ctx, about.Sealed); err != nil {
		return About{}, fmt.Errorf("reading data keys: %w", err)
	}
	return about, nil
}

// rows reads any query.
func (s *AboutSource) rows(ctx context.Context, query string, args ...any) (list []Row, err error) {
	found, err := s.conn.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	columns := found.ColumnTypes()
	for found.Next() {
		values := make([]any, len(columns))
		for i, c := range columns {
			values[i] = reflect.New(c.ScanType()).Interface()
		}
		if err := found.Scan(values...); err != nil {
			return nil, err
		}
		row := Row{}
		for i, c := range columns {
			if v := reflect.ValueOf(values[i]).Elem(); !v.IsZero() && (v.Kind() != reflect.Slice || v.Len() > 0) {
				row[c.Name()] = v.Interface()
			}
		}
		list = append(list, row)
	}
	return list, found.Err()
}

func (s *AboutSource) sealed(ctx context.Context, user schemas.Pseudonym) (list []SealedEvidence, err error) {
	found, err := s.conn.Query(ctx, s.queries[3], user.String())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	for found.Next() {
		var id, evidence string
		var e SealedEvidence
		if err := found.Scan(&id, &e.Key, &evidence); err != nil {
			return nil, err
		}
		if err := e.Event.UnmarshalText([]byte(id)); err != nil {
			return nil, err
		}
		e.Evidence = []byte(evidence)
		list = append(list, e)
	}
	return list, found.Err()
}

// keys reads the data keys of sealed evidence.
func (s *AboutSource) keys(ctx context.Context, sealed []SealedEvidence) (map[string]schemas.EvidenceKey, error) {
	keys := map[string]schemas.EvidenceKey{}
	asked := map[string]bool{}
	for _, e := range sealed {
		if asked[e.Key] {
			continue
		}
		asked[e.Key] = true
		key, found, err := s.key(ctx, e.Key)
		if err != nil {
			return nil, err
		}
		if found {
			keys[e.Key] = key
		}
	}
	return keys, nil
}

func (s *AboutSource) key(ctx context.Context, id string) (key schemas.EvidenceKey, kept bool, err error) {
	found, err := s.conn.Query(ctx, s.queries[4], id)
	if err != nil {
		return key, false, err
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	for found.Next() {
		var hour int64
		var format uint32
		var wrapped string
		if err := found.Scan(&key.VaultKey, &hour, &format, &wrapped); err != nil {
			return key, false, err
		}
		key.ID, key.Hour, key.Format, key.Wrapped, kept = id, schemas.Time(hour), int32(format), []byte(wrapped), true
	}
	return key, kept, found.Err()
}
