package operators

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

var update = flag.Bool("update", false, "write the expected messages and the schema anew")

// What is wrong with a file is told all at once, each with file, line, column,
// what was expected, and the line with a caret. Each file of testdata/bad has its
// messages beside it.
func TestMistakes(t *testing.T) {
	names, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			content, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			_, err = loadLayers(templates(t), fstest.MapFS{"own/" + filepath.Base(name): &fstest.MapFile{Data: content}}, "own")
			if err == nil {
				t.Fatal("no mistake was found")
			}
			golden := strings.TrimSuffix(name, ".yaml") + ".want"
			if *update {
				if err := os.WriteFile(golden, []byte(err.Error()), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, readErr := os.ReadFile(golden)
			if readErr != nil {
				t.Fatal(readErr)
			}
			if err.Error() != string(want) {
				t.Errorf("got:\n%s\nwant:\n%s", err, want)
			}
		})
	}
}

// No text makes the parser or a validator panic, and what is refused is told
// with a position within the file.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/bad/*.yaml", "testdata/shipped/*/*.yaml", "policies/*.yaml", "indicators/*.yaml"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, name := range names {
			content, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(content))
		}
	}
	expressions, err := newExpressions()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, content string) {
		l := &loader{}
		root, mistakes := parse("x.yaml", []byte(content))
		l.mistakes = mistakes
		if root != nil {
			l.files = []parsed{{root: root}}
			known := catalogue{lists: l.lists(), expressions: expressions}
			known.indicators = l.indicators(known)
			l.policies(known)
		}
		if root == nil && len(l.mistakes) == 0 {
			t.Error("neither a document nor a mistake")
		}
		for _, m := range l.mistakes.sorted() {
			if m.Line < 1 || m.Column < 1 || m.Text == "" {
				t.Errorf("mistake %d:%d %q", m.Line, m.Column, m.Text)
			}
			_ = m.String()
		}
	})
}
