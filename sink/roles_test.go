package sink

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// The engine in process cannot make roles, so it parses each statement, and what the grants name
// must exist. No grant opens the identities to another role.
func TestRoles(t *testing.T) {
	conn, database := openMigrated(t)
	identities := IdentityDatabase(database, "")
	all, err := Roles(database, "")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("sql/row_policies.sql")
	if err != nil {
		t.Fatal(err)
	}
	all = append(all, statements(script(string(example), database, identities))...)
	named := regexp.MustCompile(`\b(` + identities + `|` + database + `)\.(\w+|\*)`)
	granted := map[string]string{}
	for _, s := range all {
		var parsed string
		if err := conn.QueryRow(t.Context(), "SELECT formatQuery(?)", s).Scan(&parsed); err != nil {
			t.Errorf("%s: %v", s, err)
		}
		for _, m := range named.FindAllStringSubmatch(s, -1) {
			if m[2] != "*" && count(t, conn, "SELECT count() FROM system.tables WHERE database = ? AND name = ?", m[1], m[2]) != 1 {
				t.Errorf("%s: there is no %s", s, m[0])
			}
			rights, to, isGrant := strings.Cut(s, " TO ")
			if !isGrant || !strings.HasPrefix(rights, "GRANT ") {
				continue
			}
			for role := range strings.SplitSeq(to, ", ") {
				granted[role] += m[2] + " "
				people := role == "riskpipe_reader" || role == "riskpipe_analyst" || role == "riskpipe_investigator"
				switch {
				case m[1] == identities && !strings.HasPrefix(role, "riskpipe_identity"):
					t.Errorf("%s: %s is no role of the identities", s, role)
				case m[1] == identities && strings.Contains(rights, "SELECT ON") != (role == "riskpipe_identity"):
					t.Errorf("%s: only riskpipe_identity reads", s)
				case strings.HasPrefix(m[2], "audit") && strings.Contains(rights, "SELECT") != (role == "riskpipe_auditor"), role == "riskpipe_auditor" && !strings.HasPrefix(m[2], "audit"):
					t.Errorf("%s: only riskpipe_auditor reads the audit trail, and nothing else", s)
				case m[1] == identities && (strings.Contains(rights, "sealed") || strings.Contains(rights, "wrapped")):
					t.Errorf("%s: only riskpipe_identity reads what is sealed", s)
				case people && (!strings.HasPrefix(m[2], "soc_") || !strings.HasPrefix(rights, "GRANT SELECT ON ")):
					t.Errorf("%s: %s only reads the views", s, role)
				}
			}
		}
	}
	for _, role := range []string{"riskpipe_reader", "riskpipe_analyst", "riskpipe_investigator"} {
		if views := count(t, conn, "SELECT count() FROM system.tables WHERE database = ? AND engine = 'View' AND name LIKE 'soc%'", database); uint64(len(strings.Fields(granted[role]))) != views {
			t.Errorf("%s has %s, of %d views", role, granted[role], views)
		}
	}
	if granted["riskpipe_auditor"] != "audit audit_chains " {
		t.Errorf("riskpipe_auditor has %s", granted["riskpipe_auditor"])
	}
	if n := count(t, conn, "SELECT count() FROM system.columns WHERE database = ? AND table = 'activity' AND name = 'groups'", database); n != 1 {
		t.Error("the row policies' column is missing")
	}
}

// The engine's only user may read everything; without the table there is no answer.
func TestReadsIdentities(t *testing.T) {
	conn, database := openTest(t)
	if _, err := ReadsIdentities(t.Context(), conn, database, ""); err == nil {
		t.Error("an answer without the table")
	}
	if _, err := Migrate(t.Context(), conn, database, MigrateOptions{}); err != nil {
		t.Fatal(err)
	}
	if reads, err := ReadsIdentities(t.Context(), conn, database, ""); err != nil || !reads {
		t.Errorf("got %v, %v", reads, err)
	}
}
