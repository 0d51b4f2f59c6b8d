package normalise

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

// samplesFolder is where real records lie, which belong to others and are no
// part of this repository.
func hrSamples(t *testing.T) []string {
	t.Helper()
	root := os.Getenv("RISKPIPE_SAMPLES")
	if root == "" {
		t.Skip("RISKPIPE_SAMPLES names no folder")
	}
	files, err := filepath.Glob(filepath.Join(root, "*", "hr", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// Published files give a fact a row, whole and line by line alike.
func TestHR_samples(t *testing.T) {
	for _, file := range hrSamples(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		whole, lines := newTestMapper(), newTestMapper()
		var all, one Result
		whole.Map(schemas.SourceHR, Raw{Topic: "raw.hr", Time: testTime, Value: text}, &all)
		if len(all.Rejects) > 0 || len(all.Events)+len(all.Skips) != all.Records || len(all.Events) == 0 {
			t.Errorf("%s: %d records, %d events, rejects %v, skips %v", file, all.Records, len(all.Events), all.Rejects, all.Skips)
		}
		next := 0
		for line := range strings.Lines(string(text)) {
			lines.Map(schemas.SourceHR, Raw{Topic: "raw.hr", Time: testTime, Value: []byte(line)}, &one)
			for _, e := range one.Events {
				if next < len(all.Events) && e.ID != all.Events[next].ID {
					t.Errorf("%s: event %d has another id when its line comes alone", file, next)
				}
				next++
			}
		}
		if next != len(all.Events) {
			t.Errorf("%s: %d events line by line, %d of the whole", file, next, len(all.Events))
		}
		if testing.Verbose() {
			for _, e := range all.Events {
				t.Logf("%s: %s %s key=%s resigned=%s last=%s effective=%s %s", filepath.Base(file), e.Activity, e.Operation, e.Actor.Key(), e.HR.Resigned, e.HR.LastDay, e.HR.Effective, e.HR.Direction)
			}
		}
	}
}
