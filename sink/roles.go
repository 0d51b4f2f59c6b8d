package sink

import (
	"context"
	_ "embed"
	"errors"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"
)

//go:embed sql/roles.sql
var rolesScript string

// Roles are the statements that make the roles and grant them what they need. No identities
// stands for the default name of their database.
func Roles(database, identities string) ([]string, error) {
	identities = IdentityDatabase(database, identities)
	if err := validDatabases(database, identities); err != nil {
		return nil, err
	}
	return statements(script(rolesScript, database, identities)), nil
}

// GrantRoles runs the statements of Roles. The tables and views must be there. It can be repeated.
func GrantRoles(ctx context.Context, conn Conn, roles []string) error {
	for i, statement := range roles {
		if err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("making roles, statement %d (%s): %w; the user needs ACCESS MANAGEMENT, or let an administrator run what --dry-run prints",
				i+1, firstLine(statement), err)
		}
	}
	return nil
}

// ReadsIdentities says whether the connection's user may read sealed identities: whether trying it
// succeeds. It is an error if ClickHouse refuses for another reason than the user's rights.
func ReadsIdentities(ctx context.Context, conn Conn, database, identities string) (bool, error) {
	const accessDenied = 497
	identities = IdentityDatabase(database, identities)
	if err := validDatabases(database, identities); err != nil {
		return false, err
	}
	var rows uint64
	err := conn.QueryRow(ctx, "SELECT count() FROM (SELECT sealed FROM "+identities+".identities LIMIT 1)").Scan(&rows)
	if e, ok := errors.AsType[*clickhouse.Exception](err); ok && e.Code == accessDenied {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("trying to read %s.identities: %w", identities, err)
	}
	return true, nil
}
