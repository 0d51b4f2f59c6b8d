package pipeline

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/riskpipe/riskpipe/deploy/tenant"
	"github.com/riskpipe/riskpipe/schemas"
)

// sample is a sound upstream record.
type sample struct {
	source schemas.Source
	kind   string // what it is, for people
	text   []byte
	ours   bool // of testdata, so that every spelling is tried on it
}

// taintSamples are a record of each kind: those in testdata, those that the made-up
// company writes, and those in the folder RISKPIPE_SAMPLES, when there is one.
func taintSamples(t *testing.T) []sample {
	t.Helper()
	var samples []sample
	seen := map[string]bool{}
	add := func(source schemas.Source, text []byte) {
		text = firstOf(text)
		s := sample{source: source, kind: kindOf(source, text), text: text}
		if !seen[s.kind] {
			seen[s.kind] = true
			samples = append(samples, s)
		}
	}
	files, err := filepath.Glob("testdata/taint/*.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		for line := range lines(t, file) {
			var entry struct {
				Source schemas.Source
				Record json.RawMessage
			}
			if err := json.Unmarshal(line, &entry); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			var text string
			if json.Unmarshal(entry.Record, &text) != nil {
				text = string(entry.Record)
			}
			// All of them count: kinds differ by more than their name.
			samples = append(samples, sample{entry.Source, kindOf(entry.Source, []byte(text)), []byte(text), true})
		}
	}
	company, err := tenant.New(tenant.Options{Users: 60, Days: 30, Density: 0.2, Domain: "contoso.com"})
	if err != nil {
		t.Fatal(err)
	}
	for r := range company.Records() {
		add(r.Source, bytes.Clone(r.Value))
	}
	folder := os.Getenv("RISKPIPE_SAMPLES")
	if folder == "" {
		return samples
	}
	err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".ndjson") || strings.HasSuffix(path, ".expected.ndjson") {
			return err
		}
		source := schemas.SourceFile
		for _, s := range schemas.Sources() {
			if strings.Contains(path, "/"+string(s)+"/") {
				source = s
			}
		}
		for line := range lines(t, path) {
			if len(line) < 64<<10 {
				add(source, line)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return samples
}

// firstOf is the first record of those in an envelope or a file of CSV, or the record
// that there is.
func firstOf(text []byte) []byte {
	var list []json.RawMessage
	var envelope struct{ Records []json.RawMessage }
	switch {
	case json.Unmarshal(text, &list) == nil && len(list) > 0:
		return list[0]
	case json.Unmarshal(text, &envelope) == nil && len(envelope.Records) > 0:
		return envelope.Records[0]
	case !json.Valid(text):
		return bytes.Join(bytes.SplitAfterN(text, []byte("\n"), 3)[:min(2, bytes.Count(text, []byte("\n")))], nil) // header and row of CSV
	default:
		return text
	}
}

// lines yields the lines of a file.
func lines(t *testing.T, path string) func(yield func([]byte) bool) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return func(yield func([]byte) bool) {
		scanner := bufio.NewScanner(bytes.NewReader(text))
		scanner.Buffer(nil, len(text)+1)
		for scanner.Scan() {
			if line := bytes.TrimSpace(scanner.Bytes()); len(line) > 0 && !yield(bytes.Clone(line)) {
				return
			}
		}
	}
}

// kindOf names the kind of a record by the members that tell it.
func kindOf(source schemas.Source, text []byte) string {
	var record map[string]any
	if json.Unmarshal(text, &record) != nil {
		line, _, _ := bytes.Cut(text, []byte("\n"))
		return string(source) + " CSV " + string(line[:min(len(line), 60)])
	}
	kind := []string{string(source)}
	for {
		for _, name := range []string{"category", "RecordType", "Workload", "Operation", "ActionType", "HRScenario", "Type"} {
			if value, ok := record[name]; ok {
				kind = append(kind, fmt.Sprint(value))
			}
		}
		inner, ok := record["properties"].(map[string]any)
		if !ok {
			if len(kind) == 1 {
				kind = append(kind, strings.Join(slices.Sorted(maps.Keys(record)), " "))
			}
			return strings.Join(kind, " ")
		}
		record = inner
	}
}

// leaf is a text in a record that can be another.
type leaf struct {
	path string // such as properties.deviceDetail.displayName
	was  string
	with func(value any) []byte // the record with something else there
}

// leaves are all texts of a record, members' names included: of JSON, also where it
// is a string in JSON, and of CSV.
func (s sample) leaves() []leaf {
	var root any
	decoder := json.NewDecoder(bytes.NewReader(s.text))
	decoder.UseNumber()
	if decoder.Decode(&root) != nil {
		return s.cells()
	}
	var list []leaf
	walkTexts("", root, asJSON, &list)
	return list
}

// walkTexts adds the texts of a value. Whole makes the record of another such value.
func walkTexts(path string, value any, whole func(any) []byte, list *[]leaf) {
	switch v := value.(type) {
	case string:
		var inner any
		if decoder := json.NewDecoder(strings.NewReader(v)); strings.IndexAny(v, "{[") == 0 && decoder.Decode(&inner) == nil {
			walkTexts(path+"$", inner, func(other any) []byte { return whole(string(asJSON(other))) }, list)
		}
		*list = append(*list, leaf{path, v, whole})
	case []any:
		for i := range v {
			walkTexts(path+"[]", v[i], func(other any) []byte {
				changed := slices.Clone(v)
				changed[i] = other
				return whole(changed)
			}, list)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			walkTexts(strings.TrimPrefix(path+"."+name, "."), v[name], func(other any) []byte {
				changed := maps.Clone(v)
				changed[name] = other
				return whole(changed)
			}, list)
		}
		*list = append(*list, leaf{path + ".*", "", func(other any) []byte {
			changed := maps.Clone(v)
			changed[fmt.Sprint(other)] = other
			return whole(changed)
		}})
	case json.Number, bool, nil:
		*list = append(*list, leaf{path, fmt.Sprint(v), whole})
	}
}

func asJSON(v any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(v) // what was decoded can be encoded
	return bytes.TrimSpace(b.Bytes())
}

// cells are the texts of a file of CSV.
func (s sample) cells() []leaf {
	rows, err := csv.NewReader(bytes.NewReader(s.text)).ReadAll()
	if err != nil {
		return nil
	}
	var list []leaf
	for i, row := range rows {
		for j, cell := range row {
			list = append(list, leaf{rows[0][j], cell, func(other any) []byte {
				changed := slices.Clone(rows)
				changed[i] = slices.Clone(row)
				changed[i][j] = fmt.Sprint(other)
				var b bytes.Buffer
				_ = csv.NewWriter(&b).WriteAll(changed) // into memory
				return b.Bytes()
			}})
		}
	}
	return list
}

var (
	mailLocalPart = regexp.MustCompile(`[A-Za-z0-9][A-Za-z0-9._+-]*@`)
	shownName     = regexp.MustCompile(`("(?i:(?:user|account|sender|recipient)?displayname|identity)\\*":\\*")[^"\\]+`)
)

// of is the record of somebody else, who is everybody in it.
func (s sample) of(mail, name string) sample {
	s.text = mailLocalPart.ReplaceAll(s.text, []byte(mail+"@"))
	s.text = bytes.ReplaceAll(s.text, []byte("Ida Lind"), []byte(name))
	s.text = shownName.ReplaceAll(s.text, []byte("${1}"+name))
	return s
}
