package sink

import (
	"slices"
	"strings"
	"testing"
)

// Views keep what they promised: each column of the first release stands where it stood, in its
// type, and those that came since follow.
func TestViews_contract(t *testing.T) {
	conn, database := openTest(t)
	all, err := migrations(migrationFiles)
	if err != nil {
		t.Fatal(err)
	}
	columns := func() map[string][]string {
		rows, err := conn.Query(t.Context(), "SELECT table, groupArray(concat(name, ' ', type)) FROM "+
			"(SELECT * FROM system.columns WHERE database = ? AND table LIKE 'soc\\\\_%' ORDER BY table, position) GROUP BY table", database)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		found := map[string][]string{}
		for rows.Next() {
			var view string
			var names []string
			if err := rows.Scan(&view, &names); err != nil {
				t.Fatal(err)
			}
			found[view] = names
		}
		return found
	}
	if _, err := migrate(t.Context(), conn, database, all[:2], MigrateOptions{}); err != nil {
		t.Fatal(err)
	}
	before := columns()
	if _, err := migrate(t.Context(), conn, database, all, MigrateOptions{}); err != nil {
		t.Fatal(err)
	}
	after := columns()
	if len(before) < 8 {
		t.Fatalf("the first release has %d views", len(before))
	}
	for view, promised := range before {
		if now := after[view]; len(now) < len(promised) || !slices.Equal(now[:len(promised)], promised) {
			t.Errorf("%s promised %v and has %v", view, promised, now)
		}
	}
}

// Every text of every view can be compared with the empty one, which ClickHouse turns into a question
// for the column's size.
func TestViews_emptyText(t *testing.T) {
	conn, database := openMigrated(t)
	rows, err := conn.Query(t.Context(), `SELECT concat(table, ' WHERE ', name, ' = \'\'') FROM system.columns
		WHERE database = ? AND table LIKE 'soc\\_%' AND type = 'String'`, database)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		var query string
		if err := rows.Scan(&query); err != nil {
			t.Fatal(err)
		}
		count(t, conn, "SELECT count() FROM "+database+"."+query)
	}
	if n < 40 {
		t.Errorf("only %d texts were compared", n)
	}
}

// Rows that were written before a migration show what they always showed, and nothing that they do
// not say: no alert falls quiet and no level lapses for want of a date.
func TestViews_rowsOfBefore(t *testing.T) {
	conn, database := openTest(t)
	all, err := migrations(migrationFiles)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := migrate(t.Context(), conn, database, all[:2], MigrateOptions{}); err != nil {
		t.Fatal(err)
	}
	run(t, conn, database,
		"INSERT INTO ${database}.activity (activity, time) VALUES ('file.downloaded', '2026-03-01')",
		"INSERT INTO ${database}.alerts (alert_id, version, status, score) VALUES (generateUUIDv4(), 1, 'open', 70)",
		"INSERT INTO ${database}.alert_history SELECT * FROM ${database}.alerts",
		"INSERT INTO ${database}.risk (user, time, score, level) VALUES ('ANON-1', '2026-03-01', 70, 'elevated')")
	if _, err := migrate(t.Context(), conn, database, all, MigrateOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{
		"soc_timeline WHERE action = 'File downloaded' AND category = 'Collection' AND detail = '' AND empty(marks)",
		"soc_alerts WHERE state = 'open' AND NOT held AND quiet_at IS NULL AND hold_until IS NULL AND change = ''",
		"soc_alert_history WHERE change = '' AND hold = ''",
		"soc_user_risk WHERE level = 'elevated' AND level_now = 'elevated' AND expires IS NULL AND delta = 0",
		"soc_risk_history WHERE NOT late AND expires IS NULL",
	} {
		if n := count(t, conn, "SELECT count() FROM "+database+"."+query); n != 1 {
			t.Errorf("%d rows of %s", n, query)
		}
	}
}

// Nobody writes a row when an alert falls quiet, a hold ends or a level lapses: the views tell by the
// clock.
func TestViews_clock(t *testing.T) {
	conn, database := openMigrated(t)
	past, future := "now64(3) - INTERVAL 1 HOUR", "now64(3) + INTERVAL 1 HOUR"
	for _, tt := range []struct{ policy, status, hold, until, quiet, want string }{
		{"running", "open", "", "NULL", future, "open false"},
		{"quiet", "open", "", "NULL", past, "quiet false"},
		{"closed", "closed", "", "NULL", past, "closed false"},
		{"throttled", "open", "throttled", future, future, "open true"},
		{"suppressed_for_ever", "open", "suppressed", "NULL", future, "open true"},
		{"held_until_before", "open", "throttled", past, future, "open false"},
		{"held_and_quiet", "open", "suppressed", future, past, "quiet true"},
	} {
		run(t, conn, database, "INSERT INTO ${database}.alerts (alert_id, version, policy, status, hold, hold_until, quiet_at) SELECT generateUUIDv4(), 1, '"+
			tt.policy+"', '"+tt.status+"', '"+tt.hold+"', "+tt.until+", "+tt.quiet)
		if got := text(t, conn, "SELECT concat(state, ' ', toString(held)) FROM "+database+".soc_alerts WHERE policy = '"+tt.policy+"'"); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.policy, got, tt.want)
		}
	}
	for _, tt := range []struct{ user, expires, want string }{
		{"running", future, "elevated elevated"},
		{"lapsed", past, "elevated none"},
		{"not_said", "NULL", "elevated elevated"},
	} {
		run(t, conn, database, "INSERT INTO ${database}.risk (user, time, score, level, expires) SELECT '"+
			tt.user+"', now64(3) - INTERVAL 2 HOUR, 70, 'elevated', "+tt.expires)
		if got := text(t, conn, "SELECT concat(level, ' ', level_now) FROM "+database+".soc_user_risk WHERE user = '"+tt.user+"'"); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.user, got, tt.want)
		}
	}
}

// The timeline says in words what was done.
func TestTimeline_words(t *testing.T) {
	conn, database := openMigrated(t)
	for _, tt := range []struct{ columns, values, want string }{
		{"activity", "'file.downloaded'", "Collection|File downloaded|"},
		{"activity, destination_class", "'email.sent_external', 'personal_mail'", "Exfiltration|Email sent outside the organisation|to personal mail"},
		{"activity, destination_category", "'web.visited', 'gambling'", "Access|Visited a gambling site|"},
		{"activity, destination_category", "'web.visited', 'adult'", "Access|Visited an adult site|"},
		{"activity, destination_category", "'web.visited', 'child_abuse'", "Access|Visited a child abuse site|"},
		{"activity, destination_category, destination_class", "'web.visited', 'phishing', 'unallowed'", "Security|Visited a phishing site|unallowed site"},
		{"activity, destination_category, destination_class", "'web.visited', 'llm', 'ai'", "AI|Visited an AI site|"},
		{"activity, destination_class", "'web.visited', 'ai'", "AI|Visited an AI site|"},
		{"activity", "'web.visited'", "Access|Visited a site|"},
		{"activity, destination_category", "'network.connected', 'malware'", "Security|Connected to a malware site|"},
		{"activity, destination_class", "'network.connected', 'personal_cloud'", "Access|Network connected|to personal cloud"},
		{"activity, destination_class, destination_category", "'file.uploaded_to_cloud', 'external', 'hacking'", "Exfiltration|File uploaded to cloud|to external · site category hacking"},
		{"activity", "'health.record_accessed'", "Access|Opened a patient record|"},
		{"activity, health_restricted", "'health.record_accessed', true", "Access|Opened a restricted patient record|"},
		{"activity, health_employee", "'health.record_modified', true", "Access|Changed a colleague's patient record|"},
		{
			"activity, health_restricted, health_employee, health_break_glass", "'health.record_printed', true, true, true",
			"Exfiltration|Printed a colleague's restricted patient record|access restriction overridden",
		},
		{"activity", "'health.record_exported'", "Exfiltration|Exported a patient record|"},
		{"activity, marks", "'ai.risky_prompt', ['price_lists']", "AI|Risky prompt to AI|content rule price_lists"},
		{"activity", "'ai.interaction'", "AI|AI interaction|"},
		{"activity", "'browsing.clicked'", "Access|Link clicked|"},
		{"activity, destination_category", "'browsing.clicked', 'phishing'", "Security|Link clicked to a phishing site|"},
		{"activity", "'email.attachment'", "Access|Email with attachment|"},
		{"activity", "'file.other'", "Access|Other file activity|"},
		{"activity", "'file.sensitive_read'", "Access|Sensitive file read|"},
		{"activity", "'page.view_signaled'", "Access|Page viewed|"},
		{"activity", "'signin.signed_out'", "Access|Signed out|"},
		{"activity", "'signin.user_at_risk'", "Security|User at risk|"},
		{"activity", "'signin.user_risk_cleared'", "Security|User risk cleared|"},
		{"activity", "'signin.failed'", "Access|Sign-in failed|"},
		{"activity", "'hr.performance_review'", "HR|Performance review|"},
		{"activity", "'detection.dlp_rule_match'", "Security|DLP rule match|"},
	} {
		run(t, conn, database, "TRUNCATE TABLE ${database}.activity",
			"INSERT INTO ${database}.activity ("+tt.columns+", time) SELECT "+tt.values+", now64(3)")
		if got := text(t, conn, "SELECT concat(category, '|', action, '|', detail) FROM "+database+".soc_timeline"); got != tt.want {
			t.Errorf("%s %s:\n got %s\nwant %s", tt.columns, tt.values, got, tt.want)
		}
	}
}

// Each content rule is counted by day, whatever other rules match the same activity.
func TestExclusions(t *testing.T) {
	conn, database := openMigrated(t)
	run(t, conn, database, `INSERT INTO ${database}.activity (event_id, user, time, marks) VALUES
		(generateUUIDv4(), 'a', '2026-03-01 10:00:00', ['x', 'y']),
		(generateUUIDv4(), 'b', '2026-03-01 23:59:59', ['x']),
		(generateUUIDv4(), '', '2026-03-01 23:59:59', ['x']),
		(generateUUIDv4(), 'a', '2026-03-02 00:00:00', ['x']),
		(generateUUIDv4(), 'a', '2026-03-02 00:00:00', [])`)
	got := text(t, conn, `SELECT arrayStringConcat(groupArray(concat(toString(day), ' ', mark, ' ', toString(events), ' ', toString(people))), ', ')
		FROM (SELECT * FROM `+database+`.soc_exclusions ORDER BY day, mark)`)
	if want := "2026-03-01 x 3 2, 2026-03-01 y 1 1, 2026-03-02 x 1 1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// run runs statements in which ${database} stands for the database.
func run(t *testing.T, conn Conn, database string, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if err := conn.Exec(t.Context(), strings.ReplaceAll(s, "${database}", database)); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func text(t *testing.T, conn Conn, query string) string {
	t.Helper()
	var s string
	if err := conn.QueryRow(t.Context(), query).Scan(&s); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return s
}
