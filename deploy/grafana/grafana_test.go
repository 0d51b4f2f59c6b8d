// Package grafana holds Grafana's dashboards; its tests run all of their queries.
package grafana

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/riskpipe/riskpipe/deploy/embedded/servertest"
	"github.com/riskpipe/riskpipe/sink"
)

func TestMain(m *testing.M) { servertest.Main(m) }

type dashboard struct {
	file       string
	UID        string `json:"uid"`
	Title      string `json:"title"`
	Templating struct {
		List []variable `json:"list"`
	} `json:"templating"`
	Panels []panel `json:"panels"`
}

type variable struct {
	Name       string     `json:"name"`
	Type       string     `json:"type"`
	Query      string     `json:"query"`
	IncludeAll bool       `json:"includeAll"`
	Datasource datasource `json:"datasource"`
	Current    struct {
		Value any `json:"value"`
	} `json:"current"`
}

type datasource struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

type panel struct {
	ID          int        `json:"id"`
	Title       string     `json:"title"`
	Description string     `json:"description"`
	Datasource  datasource `json:"datasource"`
	Targets     []struct {
		Datasource datasource `json:"datasource"`
		EditorType string     `json:"editorType"`
		QueryType  string     `json:"queryType"`
		RawSQL     string     `json:"rawSql"`
	} `json:"targets"`
	FieldConfig struct {
		Overrides []struct {
			Matcher struct {
				ID      string `json:"id"`
				Options string `json:"options"`
			} `json:"matcher"`
			Properties []struct {
				Value json.RawMessage `json:"value"`
			} `json:"properties"`
		} `json:"overrides"`
	} `json:"fieldConfig"`
}

func dashboards(t *testing.T) []dashboard {
	t.Helper()
	files, err := filepath.Glob("dashboards/*.json")
	if err != nil || len(files) < 3 {
		t.Fatalf("dashboards: %v, %v", files, err)
	}
	all := make([]dashboard, len(files))
	for i, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &all[i]); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all[i].file = filepath.Base(file)
	}
	return all
}

var ours = datasource{Type: "grafana-clickhouse-datasource", UID: "${datasource}"}

// Dashboards and panels have identities of their own, explain themselves, and take the data source
// from the variable.
func TestDashboards_form(t *testing.T) {
	uids := map[string]string{}
	for _, d := range dashboards(t) {
		if d.UID == "" || uids[d.UID] != "" {
			t.Errorf("%s: uid %q is empty or that of %s", d.file, d.UID, uids[d.UID])
		}
		uids[d.UID] = d.file
		ids := map[int]bool{}
		for _, p := range d.Panels {
			if p.ID == 0 || ids[p.ID] {
				t.Errorf("%s, %s: id %d is zero or taken", d.file, p.Title, p.ID)
			}
			ids[p.ID] = true
			if p.Title == "" || p.Description == "" || p.Datasource != ours || len(p.Targets) == 0 {
				t.Errorf("%s, %s: title, description, data source or query is missing", d.file, p.Title)
			}
			for _, target := range p.Targets {
				if target.Datasource != ours || target.EditorType != "sql" || !slices.Contains([]string{"table", "timeseries"}, target.QueryType) {
					t.Errorf("%s, %s: %+v", d.file, p.Title, target)
				}
			}
		}
		if len(d.Templating.List) == 0 || d.Templating.List[0].Type != "datasource" || d.Templating.List[0].Query != ours.Type {
			t.Errorf("%s: the first variable is not the data source", d.file)
		}
	}
	for _, d := range dashboards(t) {
		text, _ := os.ReadFile(filepath.Join("dashboards", d.file))
		for _, link := range regexp.MustCompile(`/d/([a-z-]+)`).FindAllStringSubmatch(string(text), -1) {
			if uids[link[1]] == "" {
				t.Errorf("%s: a link goes to the unknown dashboard %s", d.file, link[1])
			}
		}
	}
}

// Every query of every panel and variable runs on the engine, for all values and for one, and
// yields the columns that the panel speaks of.
func TestDashboards_queriesRun(t *testing.T) {
	conn := filled(t)
	for _, d := range dashboards(t) {
		for _, v := range d.Templating.List {
			if v.Type == "query" {
				if _, rows := runQuery(t, conn, d.file+", variable "+v.Name, v.Query, d, true); rows == 0 {
					t.Errorf("%s, variable %s: no values", d.file, v.Name)
				}
			}
		}
		for _, p := range d.Panels {
			for _, target := range p.Targets {
				where := d.file + ", " + p.Title
				runQuery(t, conn, where, target.RawSQL, d, true)
				columns, rows := runQuery(t, conn, where, target.RawSQL, d, false)
				if rows == 0 {
					t.Errorf("%s: no rows, though there are records of every kind", where)
				}
				for _, o := range p.FieldConfig.Overrides {
					if o.Matcher.ID == "byName" && !slices.Contains(columns, o.Matcher.Options) {
						t.Errorf("%s: an override is for %q, the columns are %v", where, o.Matcher.Options, columns)
					}
					for _, property := range o.Properties {
						for _, field := range regexp.MustCompile(`__data\.fields\.(\w+)`).FindAllStringSubmatch(string(property.Value), -1) {
							if !slices.Contains(columns, field[1]) {
								t.Errorf("%s: a link needs %q, the columns are %v", where, field[1], columns)
							}
						}
					}
				}
			}
		}
	}
}

// Nobody is to be told of a held alert, so whatever shows or counts alerts leaves those out until it
// is told otherwise.
func TestDashboards_heldAlerts(t *testing.T) {
	conn := filled(t)
	tables := 0
	for _, d := range dashboards(t) {
		for _, p := range d.Panels {
			for _, target := range p.Targets {
				where := d.file + ", " + p.Title
				if !strings.Contains(target.RawSQL, "FROM soc_alerts") {
					continue
				}
				if !strings.Contains(target.RawSQL, "${held:singlequote}") {
					t.Errorf("%s shows held alerts: %s", where, target.RawSQL)
				}
				if !strings.Contains(target.RawSQL, "alert_id LIMIT") {
					continue
				}
				tables++
				columns, shown := runQuery(t, conn, where, target.RawSQL, d, true)
				if _, hidden := runQuery(t, conn, where, target.RawSQL, d, false); shown != alerts || hidden != alerts-held {
					t.Errorf("%s: %d alerts with and %d without the held ones", where, shown, hidden)
				}
				for _, column := range []string{"trigger", "state", "hold"} {
					if !slices.Contains(columns, column) {
						t.Errorf("%s does not show %s", where, column)
					}
				}
			}
		}
		for _, v := range d.Templating.List {
			if v.Name == "held" && v.Current.Value != "hidden" {
				t.Errorf("%s: held alerts are %v from the start", d.file, v.Current.Value)
			}
		}
	}
	if tables != 2 {
		t.Errorf("%d tables of alerts", tables)
	}
}

var source = regexp.MustCompile(`(?i)\b(?:FROM|JOIN)\s+([\w.]+)`)

// Queries read the views that are the contract, and nothing else.
func TestDashboards_viewsOnly(t *testing.T) {
	check := func(where, query string) {
		found := source.FindAllStringSubmatch(query, -1)
		if len(found) == 0 {
			t.Errorf("%s reads from nothing: %s", where, query)
		}
		for _, f := range found {
			if !strings.HasPrefix(f[1], "soc_") {
				t.Errorf("%s reads %s", where, f[1])
			}
		}
	}
	for _, d := range dashboards(t) {
		for _, v := range d.Templating.List {
			if v.Type == "query" {
				check(d.file+", variable "+v.Name, v.Query)
			}
		}
		for _, p := range d.Panels {
			for _, target := range p.Targets {
				check(d.file+", "+p.Title, target.RawSQL)
			}
		}
	}
}

// filled returns a connection to a migrated database with records of every kind.
func filled(t *testing.T) sink.Conn {
	t.Helper()
	addr, database := servertest.Database(t)
	config := sink.ClickHouseConfig{Addresses: []string{addr}, Protocol: "http", Database: database}
	conn, err := sink.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := sink.Migrate(t.Context(), conn, database, sink.MigrateOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		`INSERT INTO activity (event_id, source, activity, time, observed_time, user, actor_type, outcome, marks)
			SELECT generateUUIDv4(), ['signin', 'email', 'file', 'defender', 'hr'][number % 5 + 1],
				['signin.failed', 'email.sent_external', 'file.copied_to_removable_media', 'detection.malware', 'hr.resignation'][number % 5 + 1],
				now64(3) - number * 60, now64(3) - number * 60, '` + user + `', 'person', 'success', ['price_lists'] FROM numbers(500)`,
		`INSERT INTO alerts (alert_id, version, user, policy, policy_version, status, severity, score, opened_at, updated_at, observed_time,
				contributions.kind, contributions.name, contributions.points, contributions.detail, counterfactuals.without, counterfactuals.score,
				change, trigger, hold, quiet_at)
			SELECT generateUUIDv4(), 1, '` + user + `', '` + policy + `', 1, 'open', ['low', 'medium', 'high'][number % 3 + 1], 70,
				now64(3) - number * 60, now64(3) - number * 60, now64(3), ['indicator', 'modifier'], ['print', 'resignation'], [50, 20], ['', ''],
				['resignation'], [50], 'opened', 'resigned on 2026-03-02', if(number < ` + strconv.Itoa(held) + `, 'throttled', ''), now64(3) + 86400
			FROM numbers(` + strconv.Itoa(alerts) + `)`,
		`INSERT INTO alert_history SELECT * FROM alerts`,
		`INSERT INTO risk (user, time, score, level, policy, contributions.kind, contributions.name, contributions.points, contributions.detail)
			SELECT '` + user + `', now64(3) - number * 86400, 70 - number, 'elevated', '` + policy + `', ['indicator'], ['print'], [70 - number], ['']
			FROM numbers(20)`,
	} {
		if err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	return conn
}

const (
	user   = "ANON-00000000000000000000000001"
	policy = "data_theft_departing_user"
	alerts = 9
	held   = 3 // of them, one of each severity
)

// runQuery runs a query as the plugin would send it and returns its columns and the number of rows.
func runQuery(t *testing.T, conn sink.Conn, where, query string, d dashboard, all bool) (columns []string, rows int) {
	t.Helper()
	sql, err := expand(query, d, all)
	if err != nil {
		t.Errorf("%s: %v", where, err)
		return nil, 0
	}
	result, err := conn.Query(t.Context(), sql)
	if err != nil {
		t.Errorf("%s: %v\n%s", where, err, sql)
		return nil, 0
	}
	defer result.Close()
	for result.Next() {
		rows++
	}
	if err := result.Err(); err != nil {
		t.Errorf("%s: %v\n%s", where, err, sql)
	}
	return result.Columns(), rows
}

var (
	conditional = regexp.MustCompile(`\$__conditionalAll\(((?:[^()]|\([^()]*\))*), *\$(\w+)\)`)
	macro       = regexp.MustCompile(`\$__(\w+)\((\w*)\)`)
	quoted      = regexp.MustCompile(`\$\{(\w+):singlequote\}`)
)

// expand does what Grafana and the plugin do to a query, for the last day and a bucket of an hour.
// https://github.com/grafana/clickhouse-datasource/blob/main/pkg/macros/macros.go
func expand(query string, d dashboard, all bool) (string, error) {
	var unknown []string
	sql := conditional.ReplaceAllStringFunc(query, func(m string) string {
		parts := conditional.FindStringSubmatch(m)
		if !slices.ContainsFunc(d.Templating.List, func(v variable) bool { return v.Name == parts[2] && v.IncludeAll }) {
			unknown = append(unknown, m)
		}
		if all {
			return "1=1"
		}
		return parts[1]
	})
	sql = quoted.ReplaceAllStringFunc(sql, func(m string) string {
		name := quoted.FindStringSubmatch(m)[1]
		shown := "'hidden'"
		if all {
			shown = "'shown'"
		}
		value, ok := map[string]string{
			"user": "'" + user + "'", "policy": "'" + policy + "','another'", "category": "'Exfiltration','HR','Access','Security'",
			"held": shown,
		}[name]
		if !ok || !slices.ContainsFunc(d.Templating.List, func(v variable) bool { return v.Name == name }) {
			unknown = append(unknown, m)
		}
		return value
	})
	now := time.Now()
	sql = macro.ReplaceAllStringFunc(sql, func(m string) string {
		switch parts := macro.FindStringSubmatch(m); parts[1] {
		case "timeFilter":
			return fmt.Sprintf("%s >= toDateTime(%d) AND %s <= toDateTime(%d)", parts[2], now.Add(-24*time.Hour).Unix(), parts[2], now.Add(time.Minute).Unix())
		case "timeInterval":
			return fmt.Sprintf("toStartOfInterval(toDateTime(%s), INTERVAL 3600 second)", parts[2])
		default:
			unknown = append(unknown, m)
			return m
		}
	})
	if strings.Contains(sql, "$") {
		unknown = append(unknown, sql)
	}
	if len(unknown) > 0 {
		return "", fmt.Errorf("unknown macros or variables: %q", unknown)
	}
	return sql, nil
}
