package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/operators"
	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

// environment makes the installation that of the commands that follow.
func (l *live) environment() map[string]string {
	return map[string]string{
		"RISKPIPE_KAFKA_BROKERS":        strings.Join(l.config.Kafka.Brokers, ","),
		"RISKPIPE_TOPICS_PREFIX":        l.config.Topics.Prefix,
		"RISKPIPE_CLICKHOUSE_ADDRESSES": strings.Join(l.config.ClickHouse.Addresses, ","),
		"RISKPIPE_CLICKHOUSE_PROTOCOL":  l.config.ClickHouse.Protocol,
		"RISKPIPE_CLICKHOUSE_DATABASE":  l.config.ClickHouse.Database,
	}
}

// audited are the records of the topic audit.
func (l *live) audited() []schemas.Audit {
	l.t.Helper()
	return decoded[schemas.Audit](l.t, l, schemas.AuditSchema, l.config.Topics.names().Audit())
}

// breakGlass opens a reveal of the user's name, which makes two records.
func breakGlass(t *testing.T, address string, user schemas.Pseudonym) {
	t.Helper()
	client, err := (RevealConfig{URL: "http://" + address, Token: "secret of iris"}).client()
	if err != nil {
		t.Fatal(err)
	}
	var reveal vault.Reveal
	body := map[string]any{"user": user, "case": "C", "purpose": "safety", "fields": []string{"upn"}, "reason": "threat", "break_glass": true}
	if err := client.call(t.Context(), "POST", "/v1/reveals", body, &reveal); err != nil {
		t.Fatal(err)
	}
	if err := client.call(t.Context(), "POST", "/v1/reveals/"+reveal.ID.String()+"/open", nil, &struct{}{}); err != nil {
		t.Fatal(err)
	}
}

// What the vault and the scorer put on record is in Kafka and ClickHouse, and is
// verified there from the command line, tampering included.
func TestAuditScripts(t *testing.T) {
	l := newLive(t)
	for key, value := range l.environment() {
		t.Setenv(key, value)
	}
	dir, config, user := vaultFiles(t)
	address, stop := startVault(t, config)
	breakGlass(t, address, user)
	stop()
	l.startServices(t.Context())
	l.waitForRows(15) // of the vault 3, of the scorer one, and one of each of 11 policies
	letter := &kgo.Record{Topic: l.config.Topics.names().DeadLetter(l.config.Topics.names().Raw(schemas.SourceEmail)), Value: []byte("grace@contoso.example")}
	l.produce(letter)

	records := l.audited()
	score := records[slices.IndexFunc(records, func(a schemas.Audit) bool { return strings.HasPrefix(a.Writer, "score/") })].Writer
	l.auditScripts(t, "testdata/audit", dir, score, map[string]func(*testscript.TestScript, bool, []string){
		// lose SEQUENCE takes a record of the vault out of the table.
		"lose": func(ts *testscript.TestScript, _ bool, args []string) {
			ts.Check(l.conn.Exec(context.Background(), "ALTER TABLE audit DELETE WHERE writer = 'vault' AND sequence = "+args[0]+" SETTINGS mutations_sync = 2"))
		},
		// forge SEQUENCE puts another record of the vault on the topic.
		"forge": func(ts *testscript.TestScript, _ bool, args []string) {
			sequence, err := strconv.ParseInt(args[0], 10, 64)
			ts.Check(err)
			forged := records[slices.IndexFunc(records, func(a schemas.Audit) bool { return a.Writer == "vault" && a.Sequence == sequence })]
			forged.Actor = "token:mallory"
			forged.Hash = vault.AuditHash(&forged)
			codec, err := schemas.NewCodec[schemas.Audit](schemas.AuditSchema)
			ts.Check(err)
			value, err := codec.Append(nil, &forged)
			ts.Check(err)
			l.produce(&kgo.Record{Topic: l.config.Topics.names().Audit(), Key: []byte("vault"), Value: value})
		},
	})
}

// The vault has the scorer's chain on record as it was, so that its end cannot be cut
// off, wherever a copy of the trail is.
func TestAuditScripts_pinned(t *testing.T) {
	l := newLive(t)
	for key, value := range l.environment() {
		t.Setenv(key, value)
	}
	dir, config, _ := vaultFiles(t)
	other, _, err := vault.GenerateSigningKey(rand.Reader, "audit")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "other.pub"), other.Public().String())
	l.startServices(t.Context())
	l.waitForRows(12) // of the scorer one, and one of each of 11 policies
	score := l.audited()[0].Writer
	_, stop := startVault(t, config)
	l.waitForRows(14) // of the vault its start, and the checkpoint
	stop()
	l.auditScripts(t, "testdata/pinned", dir, score, map[string]func(*testscript.TestScript, bool, []string){
		// cut WRITER SEQUENCE takes the records of the writers from the sequence on out of
		// the table.
		"cut": func(ts *testscript.TestScript, _ bool, args []string) {
			ts.Check(l.conn.Exec(context.Background(), "ALTER TABLE audit DELETE WHERE writer LIKE '"+args[0]+"' AND sequence >= "+args[1]+" SETTINGS mutations_sync = 2"))
		},
	})
}

// auditScripts runs the scripts of a folder beside the vault whose files are in dir,
// and the scorer that writes that chain.
func (l *live) auditScripts(t *testing.T, scripts, dir, score string, commands map[string]func(*testscript.TestScript, bool, []string)) {
	t.Helper()
	testscript.Run(t, testscript.Params{Dir: scripts, RequireExplicitExec: true, Cmds: commands, Setup: func(env *testscript.Env) error {
		env.Setenv("VAULT", dir)
		env.Setenv("PREFIX", l.config.Topics.Prefix)
		env.Setenv("DATABASE", l.config.ClickHouse.Database)
		env.Setenv("SCORE", strings.TrimPrefix(score, "score/"))
		for key, value := range l.environment() {
			env.Setenv(key, value)
		}
		return nil
	}})
}

// waitForRows waits until the table audit has n rows.
func (l *live) waitForRows(n uint64) {
	l.t.Helper()
	var rows uint64
	for deadline := time.Now().Add(time.Minute); rows != n; time.Sleep(20 * time.Millisecond) {
		if err := l.conn.QueryRow(l.t.Context(), "SELECT count() FROM audit FINAL").Scan(&rows); err != nil {
			l.t.Fatal(err)
		}
		if time.Now().After(deadline) {
			l.t.Fatalf("the table audit has %d rows, want %d", rows, n)
		}
	}
}

// produce writes a record.
func (l *live) produce(r *kgo.Record) {
	l.t.Helper()
	opts, err := l.config.Kafka.options()
	if err != nil {
		l.t.Fatal(err)
	}
	client, err := kgo.NewClient(opts...)
	if err != nil {
		l.t.Fatal(err)
	}
	defer client.Close()
	if err := client.ProduceSync(l.t.Context(), r).FirstErr(); err != nil {
		l.t.Fatal(err)
	}
}

// A vault whose Kafka comes late goes on without it, and all of its log follows.
func TestServeVault_publishesLater(t *testing.T) {
	_, file, user := vaultFiles(t)
	address, stop := startVault(t, file) // its Kafka does not answer
	breakGlass(t, address, user)
	stop()
	l := newLive(t)
	for key, value := range l.environment() {
		t.Setenv(key, value)
	}
	_, stop = startVault(t, file)
	stop()
	var actions []string
	for i, a := range l.audited() {
		actions = append(actions, a.Action)
		if a.Writer != auditWriter || a.Sequence != int64(i)+1 {
			t.Errorf("record %d is %+v", i+1, a)
		}
	}
	if got := strings.Join(actions, " "); got != "vault.started reveal.glass_broken reveal.opened vault.started" {
		t.Errorf("on the topic: %s", got)
	}
}

// The set of policies is on record before anything is scored by it, with the set
// before and each live policy that nobody signed; without Kafka nothing is scored.
func TestScorer_adoption(t *testing.T) {
	l := newLive(t)
	adopt := func(config Config) []schemas.Audit {
		t.Helper()
		before := len(l.audited())
		if _, err := newScorer(t.Context(), config, l.log, nil, l.redis); err != nil {
			t.Fatal(err)
		}
		return l.audited()[before:]
	}
	detail := func(a schemas.Audit) (d adoption) {
		t.Helper()
		if err := json.Unmarshal([]byte(a.Detail), &d); err != nil {
			t.Fatal(err)
		}
		return d
	}
	library, err := l.config.Score.library()
	if err != nil {
		t.Fatal(err)
	}
	live := 0
	for _, p := range library.Policies {
		if p.Mode == operators.ModeLive {
			live++
		}
	}
	first := adopt(l.config)
	if len(first) != 1+live || first[0].Action != actionAdopted || detail(first[0]).Before != "" || len(detail(first[0]).After) != 64 {
		t.Fatalf("%d records, %d live policies: %+v", len(first), live, first)
	}
	for i, a := range first {
		if a.Sequence != int64(i)+1 || !strings.HasPrefix(a.Writer, "score/") || (i > 0 && (a.Action != actionAdoptedUnsigned || a.Subject == "")) {
			t.Errorf("record %d: %+v", i+1, a)
		}
	}
	text, err := os.ReadFile("../../operators/policies/data_leaks.yaml")
	if err != nil {
		t.Fatal(err)
	}
	changed := l.config
	changed.Score.Policies = t.TempDir()
	write(t, changed.Score.Policies+"/data_leaks.yaml", strings.Replace(string(text), "mode: live", "mode: shadow", 1))
	second := adopt(changed)
	if before, after := detail(second[0]).Before, detail(second[0]).After; before != detail(first[0]).After || after == before || len(second) != 1 { // its only policy is silent
		t.Errorf("%d records, %+v after %+v", len(second), second[0], first[0])
	}
	if again := adopt(changed); detail(again[0]).Before != detail(again[0]).After || again[0].Writer == second[0].Writer {
		t.Errorf("%+v", again[0])
	}

	away := l.config
	away.Topics.Prefix = "none."
	if _, err := newScorer(t.Context(), away, l.log, nil, l.redis); err == nil || !strings.Contains(err.Error(), "riskpipe topics --apply") {
		t.Errorf("without the topic: %v", err)
	}
	away.Kafka.Brokers = []string{"127.0.0.1:1"}
	var coded *exitError
	if _, err := newScorer(t.Context(), away, l.log, nil, l.redis); !errors.As(err, &coded) || coded.code != exitUnreachable {
		t.Errorf("without Kafka: %v", err)
	}
}

// doctor says when the audit topic is missing, or loses what it holds.
func TestDoctor_audit(t *testing.T) {
	l := newLive(t)
	topic := l.config.Topics.names().Audit()
	look := func() finding {
		t.Helper()
		d := doctor{config: l.config}
		d.kafka(t.Context())
		i := slices.IndexFunc(d.findings, func(f finding) bool { return f.Check == "topic "+topic })
		if i < 0 {
			t.Fatalf("nothing is said of the topic: %+v", d.findings)
		}
		if wrong := d.findings[i].Status == "wrong"; wrong != d.failed {
			t.Errorf("%+v, failed %t", d.findings[i], d.failed)
		}
		return d.findings[i]
	}
	if f := look(); f.Status != "ok" {
		t.Errorf("%+v", f)
	}
	set := func(name, value string) {
		t.Helper()
		responses, err := l.admin.AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: name, Value: &value}}, topic)
		if err == nil {
			_, err = responses.On(topic, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, values := range map[string][2]string{"cleanup.policy": {"compact", "delete"}, "retention.ms": {"86400000", "-1"}} {
		set(name, values[0])
		if f := look(); f.Status != "wrong" || !strings.Contains(f.Detail, name+" is "+values[0]) {
			t.Errorf("%s: %+v", name, f)
		}
		var table bytes.Buffer
		states, err := ensureTopics(t.Context(), l.config, false, true)
		if err := errors.Join(err, printTopics(&table, "table", states)); err != nil || !strings.Contains(table.String(), name+" is "+values[0]) {
			t.Errorf("riskpipe topics: %v\n%s", err, &table)
		}
		set(name, values[1])
	}
	if _, err := l.admin.DeleteTopics(t.Context(), topic); err != nil {
		t.Fatal(err)
	}
	if f := look(); f.Status != "wrong" || f.Detail != "missing" {
		t.Errorf("%+v", f)
	}
}

// A change of scope is on record before an event is recorded by it, once, whichever
// normaliser starts first, and its end is a change, too.
func TestNormaliser_scopeAdoption(t *testing.T) {
	l := newLive(t)
	key, err := l.config.Pseudonym.open()
	if err != nil {
		t.Fatal(err)
	}
	excluding := l.config
	excluding.Normalise.Scope.Exclude = []ScopeRule{{Sources: []string{"email"}}}
	for i, step := range []struct {
		config  Config
		source  schemas.Source
		records int
	}{
		{l.config, schemas.SourceFile, 0},
		{excluding, schemas.SourceFile, 1},
		{excluding, schemas.SourceEmail, 0},
		{l.config, schemas.SourceEmail, 1},
	} {
		scope, err := step.config.scope(key)
		if err != nil {
			t.Fatal(err)
		}
		before := l.audited()
		if err := step.config.recordScope(t.Context(), step.source, scope); err != nil {
			t.Fatal(err)
		}
		added := l.audited()[len(before):]
		if len(added) != step.records {
			t.Fatalf("step %d: %d records, want %d", i, len(added), step.records)
		}
		for _, a := range added {
			var d scopeAdoption
			if err := json.Unmarshal([]byte(a.Detail), &d); err != nil || a.Action != actionScopeAdopted || d.After != scope.Digest() ||
				d.Before == d.After || d.Scope != scope.Description() || d.Source != step.source {
				t.Errorf("step %d: %+v", i, a)
			}
		}
	}
	away := l.config
	away.Topics.Prefix = "none."
	if err := away.recordScope(t.Context(), schemas.SourceHR, nil); err == nil || !strings.Contains(err.Error(), "riskpipe topics --apply") {
		t.Errorf("without the topic: %v", err)
	}
}
