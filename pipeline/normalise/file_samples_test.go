package normalise

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

// sampleLines calls f for every record of the folder with sample records, in the
// sub-folders named; it skips the test when there is no such folder.
func sampleLines(t *testing.T, patterns []string, f func(file string, line []byte)) {
	t.Helper()
	folder := os.Getenv("RISKPIPE_SAMPLES")
	if _, err := os.Stat(folder); folder == "" || err != nil {
		t.Skip("RISKPIPE_SAMPLES names no folder")
	}
	for _, pattern := range patterns {
		files, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, ".expected.ndjson") {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(bytes.NewReader(text))
			lines.Buffer(nil, DefaultMaxBytes)
			for lines.Scan() {
				f(file, lines.Bytes())
			}
			if err := lines.Err(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestFileSamples(t *testing.T) {
	// Every record of the file feed gives one event, or says why not; records
	// that merely share the feed are skipped, and only what is no JSON is
	// rejected.
	m := fileMapper()
	summary := map[string]int{}
	sampleLines(t, []string{"*/file/*.ndjson", "*/other/*.ndjson", "streams/*.ndjson"}, func(file string, line []byte) {
		var out Result
		m.Map(schemas.SourceFile, Raw{Topic: "raw.file", Value: line}, &out)
		for _, r := range out.Rejects {
			if !strings.Contains(file, "notjson") {
				t.Errorf("%s: reject %s: %s", filepath.Base(file), r.Reason, r.Detail)
			}
		}
		if out.Records == 0 || len(out.Events)+len(out.Rejects)+len(out.Skips)+len(out.Findings)+len(out.Links) == 0 {
			t.Errorf("%s: a record came to nothing", filepath.Base(file))
		}
		if strings.Contains(file, "/file/") && len(out.Events) != 1 {
			t.Errorf("%s: %d events for one record", filepath.Base(file), len(out.Events))
		}
		for _, e := range out.Events {
			if e.Source == schemas.SourceFile || strings.Contains(file, "/file/") {
				checkFileEvent(t, filepath.Base(file), *e, bytes.Contains(line, []byte(`"ObjectId":"`)))
			}
			summary[fmt.Sprintf("%-28s %-28s %s", e.Operation, e.Activity, e.ActorType)]++
		}
		for _, s := range out.Skips {
			summary["skipped: "+s.Reason]++
		}
	})
	rows := make([]string, 0, len(summary))
	for row, n := range summary {
		rows = append(rows, fmt.Sprintf("%4d %s", n, row))
	}
	slices.SortFunc(rows, func(a, b string) int { return strings.Compare(a[5:], b[5:]) })
	t.Log("\n" + strings.Join(rows, "\n"))
}

// checkFileEvent holds what is true of every event of the file feed; named says
// that the record names an object.
func checkFileEvent(t *testing.T, file string, e Event, named bool) {
	t.Helper()
	if e.Activity == "" || e.Time == 0 || e.ID == (schemas.UUID{}) || e.ActorType == "" || e.Outcome == "" {
		t.Errorf("%s: %s lacks activity, time, id, actor type or outcome", file, e.Operation)
	}
	if (e.File == nil) == (e.Detection == nil) {
		t.Errorf("%s: %s has not exactly one body", file, e.Operation)
	}
	if named && e.File != nil && e.File.Object == 0 {
		t.Errorf("%s: %s names no object", file, e.Operation)
	}
	if e.ActorType == schemas.ActorPerson && e.Actor.Key() == "" {
		t.Errorf("%s: %s has a person without a name", file, e.Operation)
	}
}
