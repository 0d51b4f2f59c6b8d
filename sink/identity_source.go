package sink

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/riskpipe/riskpipe/schemas"
)

//go:embed sql/identities_of.sql
var identitiesScript string

// IdentitySource reads sealed identities from ClickHouse, as the user of the role
// riskpipe_identity. What it returns is sealed still.
type IdentitySource struct {
	conn  Conn
	query string
}

// NewIdentitySource returns the source over the database of identities; no identities stands for
// the default name.
func NewIdentitySource(conn Conn, database, identities string) (*IdentitySource, error) {
	identities = IdentityDatabase(database, identities)
	if err := validDatabases(database, identities); err != nil {
		return nil, err
	}
	return &IdentitySource{conn, statements(script(identitiesScript, database, identities))[0]}, nil
}

// Identities returns what each feed knows of a pseudonym; nothing when none does, or it was
// deleted.
func (s *IdentitySource) Identities(ctx context.Context, user schemas.Pseudonym) ([]schemas.Identity, error) {
	rows, err := s.conn.Query(ctx, s.query, user.String())
	if err != nil {
		return nil, fmt.Errorf("reading sealed identities: %w", err)
	}
	defer rows.Close()
	var found []schemas.Identity
	for rows.Next() {
		var version uint32
		var updated int64
		var sealed string
		v := schemas.Identity{User: user}
		if err := rows.Scan(&version, &updated, &sealed, &v.SealingKey); err != nil {
			return nil, fmt.Errorf("reading sealed identities: %w", err)
		}
		v.KeyVersion, v.UpdatedTime, v.Sealed = int32(version), schemas.Time(updated), []byte(sealed)
		found = append(found, v)
	}
	return found, rows.Err()
}
