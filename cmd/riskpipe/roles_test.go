package main

import (
	"strings"
	"testing"
)

// A dry run prints statements that an administrator can run as they are.
func TestGrantRoles_dryRun(t *testing.T) {
	var out strings.Builder
	config := ClickHouseConfig{Database: "riskpipe", IdentityDatabase: "escrow"}
	if err := grantRoles(t.Context(), &out, nil, config, true); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"CREATE ROLE IF NOT EXISTS riskpipe_reader;\n", "GRANT SELECT ON escrow.identities TO riskpipe_identity;\n", "ON riskpipe.soc_alerts TO"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing", want)
		}
	}
	config.IdentityDatabase = config.Database
	if err := grantRoles(t.Context(), &out, nil, config, true); err == nil {
		t.Error("one database for both passed")
	}
}
