package pipeline

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/riskpipe/riskpipe/schemas"
)

// What scope is in force is said at the start, and each change of a temporary one
// once, however many batches there are; the metrics follow.
func TestScopeNotices(t *testing.T) {
	registry := prometheus.NewRegistry()
	metrics, err := newNormaliserMetrics(registry, "file")
	if err != nil {
		t.Fatal(err)
	}
	now := time.UnixMilli(500)
	temporary := TemporaryScope{Name: "case_17", Effect: ScopeInclude, Users: []string{"ada@contoso.com"}, From: 1000, Until: 2000, Case: "17", Reason: "r"}
	ended := temporary
	ended.Name, ended.From, ended.Until = "case_16", 1, 2
	scope := newScope(t, ScopeConfig{
		Exclude: []ScopeRule{{Groups: []string{"works_council"}}}, Temporary: []TemporaryScope{temporary, ended}, Unsigned: []string{"case_18: not signed for hr"},
	})
	var log lockedBuffer
	n := &scopeNotices{scope: scope, log: slog.New(slog.NewTextHandler(&log, nil)), metrics: metrics, now: func() time.Time { return now }}
	n.start()
	said := func(want ...string) {
		t.Helper()
		for range 3 {
			n.tell()
		}
		text := string(log.bytes())
		log.buffer.Reset()
		if strings.Count(text, "\n") != len(want) {
			t.Errorf("%d lines wanted, got\n%s", len(want), text)
		}
		for _, line := range want {
			if !strings.Contains(text, line) {
				t.Errorf("%q is not said:\n%s", line, text)
			}
		}
		if strings.Contains(text, "ada") {
			t.Errorf("somebody is named:\n%s", text)
		}
	}
	measured := func(want string) {
		t.Helper()
		var states []string
		for line := range strings.Lines(string(gathered(t, registry))) {
			if name, value, found := strings.Cut(line, `source="file",state=`); found && strings.Contains(name, "temporary_scopes") {
				states = append(states, strings.TrimSpace(value))
			}
		}
		if got := strings.Join(states, ", "); got != want {
			t.Errorf("measured %s, want %s", got, want)
		}
	}
	said(`msg="scope in force"`, `level=WARN msg="a temporary scope is not applied" problem="case_18`, `msg="a temporary scope is ahead" name=case_17`, `level=WARN msg="a temporary scope has ended`)
	measured(`"ahead" 1, "ended" 1, "in_force" 0, "unsigned" 1`)
	now = time.UnixMilli(1000)
	said(`msg="a temporary scope is in force" name=case_17`)
	measured(`"ahead" 0, "ended" 1, "in_force" 1, "unsigned" 1`)
	now = time.UnixMilli(2000)
	said(`level=WARN msg="a temporary scope has ended`)
	measured(`"ahead" 0, "ended" 2, "in_force" 0, "unsigned" 1`)

	none := &scopeNotices{log: slog.New(slog.NewTextHandler(&log, nil)), metrics: metrics, now: time.Now}
	none.start()
	n = none
	measured(`"ahead" 0, "ended" 2, "in_force" 0, "unsigned" 0`)
	said(`scope=everybody digest=` + (*Scope)(nil).Digest().String())
	if got := temporary.State(schemas.Time(1999)); got != TemporaryInForce {
		t.Errorf("it is %s", got)
	}
}
