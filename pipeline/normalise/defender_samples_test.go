package normalise

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

// defenderMapper is a mapper of the invented tenant contoso.com.
func defenderMapper() *Mapper {
	return New(Options{
		Hash: func(kind, value string) schemas.Hash {
			h := fnv.New64a()
			h.Write([]byte(kind + "\x00" + value))
			return schemas.Hash(h.Sum64())
		},
		Domains: NewDomains(map[string][]string{
			ClassInternal:      {"contoso.com", "contoso.onmicrosoft.com"},
			ClassPersonalMail:  {"gmail.com"},
			ClassPersonalCloud: {"dropbox.com"},
		}),
	})
}

// defenderSamples calls f for every line of the sample records' files.
func defenderSamples(t *testing.T, f func(file string, line []byte)) {
	t.Helper()
	folder := os.Getenv("RISKPIPE_SAMPLES")
	if _, err := os.Stat(folder); folder == "" || err != nil {
		t.Skip("RISKPIPE_SAMPLES names no folder")
	}
	files, _ := filepath.Glob(filepath.Join(folder, "*", "defender", "*.ndjson"))
	streams, _ := filepath.Glob(filepath.Join(folder, "streams", "eventhub-defender*.ndjson"))
	for _, file := range append(files, streams...) {
		if strings.HasSuffix(file, ".expected.ndjson") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			if line = bytes.TrimSpace(line); len(line) > 0 {
				f(filepath.Join(filepath.Base(filepath.Dir(filepath.Dir(file))), filepath.Base(file)), line)
			}
		}
	}
}

func TestDefenderSamples(t *testing.T) {
	// Every sample of the feed gives events or says why it gives none, and none
	// is rejected; events carry a time, a verb and, when of a person, a key.
	m := defenderMapper()
	var out Result
	summary := map[string]int{}
	defenderSamples(t, func(file string, line []byte) {
		m.Map(schemas.SourceDefender, Raw{Topic: "raw.defender", Value: line}, &out)
		for _, r := range out.Rejects {
			t.Errorf("%s: rejected: %s %s", file, r.Reason, r.Detail)
		}
		for _, s := range out.Skips {
			summary[file+" skip "+s.Reason]++
			if s.Reason == SkipUnknown {
				t.Errorf("%s: nobody knows the record", file)
			}
		}
		if len(out.Events)+len(out.Skips)+len(out.Rejects) < out.Records {
			t.Errorf("%s: %d records, %d events and %d skips", file, out.Records, len(out.Events), len(out.Skips))
		}
		for _, e := range out.Events {
			summary[file+" event "+e.Activity+" "+string(e.Outcome)]++
			if e.Time == 0 || e.ID == (schemas.UUID{}) || e.Activity == "" || e.Source == "" {
				t.Errorf("%s: incomplete event %+v", file, e.Event)
			}
			if e.ActorType == schemas.ActorPerson && e.Actor.Key() == "" {
				t.Errorf("%s: a person without a name", file)
			}
		}
	})
	var lines []string
	for line, n := range summary {
		lines = append(lines, fmt.Sprintf("%4d %s", n, line))
	}
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[5:], b[5:]) })
	t.Log("\n" + strings.Join(lines, "\n"))
}
