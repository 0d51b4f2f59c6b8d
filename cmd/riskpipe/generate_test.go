package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/riskpipe/riskpipe/deploy/tenant"
	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
)

// runGenerate runs the command and returns what it wrote to standard output.
func runGenerate(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	c := newRootCommand()
	c.SetOut(&out)
	c.SetErr(io.Discard)
	c.SetArgs(append([]string{"generate"}, args...))
	err := c.ExecuteContext(t.Context())
	return out.String(), err
}

func TestGenerateWritesLinesAsKcatDoes(t *testing.T) {
	t.Parallel()
	// Every line is a record in order of time, --topic keeps one topic, and --split writes the same records by topic.
	dir := t.TempDir()
	labels := filepath.Join(dir, "labels.ndjson")
	flags := []string{"--users", "20", "--days", "3"}
	all, err := runGenerate(t, append(slices.Clone(flags), "--labels", labels)...)
	if err != nil {
		t.Fatal(err)
	}
	byTopic := map[string][]string{}
	var last int64
	for line := range strings.Lines(all) {
		var r struct {
			Topic   string  `json:"topic"`
			TS      int64   `json:"ts"`
			Key     *string `json:"key"`
			Payload *string `json:"payload"`
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil || r.Payload == nil || r.TS < last {
			t.Fatalf("bad line (%v): %.200s", err, line)
		}
		last = r.TS
		byTopic[r.Topic] = append(byTopic[r.Topic], line)
	}
	for _, s := range schemas.Sources() {
		if len(byTopic["raw."+string(s)]) == 0 {
			t.Errorf("no records for raw.%s", s)
		}
	}
	hr, err := runGenerate(t, append(flags, "--topic", "raw.hr")...)
	if err != nil || hr != strings.Join(byTopic["raw.hr"], "") {
		t.Errorf("--topic raw.hr gives other lines than those of the topic (%v)", err)
	}
	if _, err := runGenerate(t, append(flags, "--split", dir)...); err != nil {
		t.Fatal(err)
	}
	for topic, lines := range byTopic {
		text, err := os.ReadFile(filepath.Join(dir, strings.TrimPrefix(topic, "raw.")+".ndjson"))
		if err != nil || string(text) != strings.Join(lines, "") {
			t.Errorf("--split gives other lines for %s (%v)", topic, err)
		}
	}
	text, err := os.ReadFile(labels)
	if err != nil || !strings.Contains(string(text), `"kind":"theft","scenario":"data_theft_departing_user","story":"leaver_theft"`) {
		t.Errorf("no labels: %v, %s", err, text)
	}
}

func TestGenerateWritesGroups(t *testing.T) {
	t.Parallel()
	// --groups writes what Groups returns as a list for the setting, in YAML that is JSON, too.
	path := filepath.Join(t.TempDir(), "groups.yaml")
	if _, err := runGenerate(t, "--users", "100", "--days", "1", "--density", "0.01", "--groups", path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	company, err := tenant.New(tenant.Options{Seed: 1, Users: 100, Days: 1})
	if err != nil {
		t.Fatal(err)
	}
	want := []namedGroup{{Name: "priority", Users: company.Groups()[tenant.GroupPriority]}}
	for form, unmarshal := range map[string]func([]byte, any) error{
		"JSON": json.Unmarshal,
		"YAML": yaml.Unmarshal,
	} {
		var got []namedGroup
		if err := unmarshal(text, &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("as %s: %v (%v), want %v", form, got, err, want)
		}
	}
	if _, err := runGenerate(t, "--users", "20", "--days", "1", "--groups", filepath.Join(path, "below")); err == nil {
		t.Error("a file that cannot be made is no error")
	}
}

func TestGenerateRefusesBadFlags(t *testing.T) {
	t.Parallel()
	// Flags that make no sense are named in the error.
	for _, args := range [][]string{{"--users", "1"}, {"--start", "soon"}, {"--topic", "mail"}, {"--out", "x", "--split", "y"}} {
		if _, err := runGenerate(t, args...); err == nil || !strings.Contains(err.Error(), strings.TrimPrefix(args[0], "--")) && args[0] != "--topic" {
			t.Errorf("%v: %v", args, err)
		}
	}
}

func TestGeneratedRecordsAreNormalised(t *testing.T) {
	t.Parallel()
	// The normaliser understands everything that is generated: no rejects, and a time within the tenant's for every event.
	company, err := tenant.New(tenant.Options{Seed: 11, Users: 110, Days: 30, Density: 0.4})
	if err != nil {
		t.Fatal(err)
	}
	var (
		mapper = normalise.New(normalise.Options{
			Hash:    func(string, string) schemas.Hash { return 1 },
			Domains: normalise.NewDomains(map[string][]string{normalise.ClassInternal: {company.Domain()}}),
		})
		result normalise.Result
		events int
	)
	for r := range company.Records() {
		mapper.Map(r.Source, normalise.Raw{Topic: "raw." + string(r.Source), Time: r.Time, Value: r.Value}, &result)
		for _, reject := range result.Rejects {
			t.Errorf("%s: %s (%s) in %.300s", r.Source, reject.Reason, reject.Detail, r.Value)
		}
		for i := range result.Events {
			if e := result.Events[i]; e.Source != schemas.SourceHR && e.Time > r.Time {
				t.Errorf("%s: %s is of %s, after its publication at %s", r.Source, e.Activity, e.Time, r.Time)
			}
		}
		if t.Failed() {
			return
		}
		events += len(result.Events)
	}
	if events < 10_000 {
		t.Errorf("%d events are too few", events)
	}
}

func TestStoriesBecomeAlerts(t *testing.T) {
	t.Parallel()
	// Whoever takes data along gets an alert, and nobody else does.
	dir := t.TempDir()
	in, labels, settings := filepath.Join(dir, "in.ndjson"), filepath.Join(dir, "labels.ndjson"), filepath.Join(dir, "riskpipe.yaml")
	if err := os.WriteFile(settings, []byte("normalise: {internal_domains: [contoso.example]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := runGenerate(t, "--seed", "5", "--users", "40", "--density", "0.3", "--out", in, "--labels", labels); err != nil {
		t.Fatal(err)
	}
	c := newRootCommand()
	c.SetErr(io.Discard)
	c.SetArgs([]string{"replay", "--config", settings, "--in", in, "--out", dir, "--reveal"})
	if err := c.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	alerted := map[string]bool{}
	readLines(t, filepath.Join(dir, "alerts.ndjson"), func(line []byte) {
		var a struct{ User string }
		if err := json.Unmarshal(line, &a); err != nil {
			t.Fatal(err)
		}
		alerted[a.User] = true
	})
	readLines(t, labels, func(line []byte) {
		var l tenant.Label
		if err := json.Unmarshal(line, &l); err != nil {
			t.Fatal(err)
		}
		if alerted[l.User] != l.AlertDue() {
			t.Errorf("story %s: alerted is %v", l.Story, alerted[l.User])
		}
		delete(alerted, l.User)
	})
	if len(alerted) > 0 {
		t.Errorf("%d people without a story are alerted", len(alerted))
	}
}

func readLines(t *testing.T, path string, each func([]byte)) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		each(line)
	}
}
