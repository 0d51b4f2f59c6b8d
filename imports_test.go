// Package riskpipe_test holds the rules about what may import what, and about the few things the language allows
// and this house does not. It reads source files, so it knows neither build tags nor caches.
package riskpipe_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/riskpipe/riskpipe"

// A room is what may stand in the non-test files of a folder. A folder without a rule of its own has that of the
// nearest folder above it.
type room struct {
	folder string
	// ours lists the folders it may import; "*" is every folder. Its own sub-folders must be listed too.
	ours []string
	// pure rooms may import nothing but pureStdlib and thirdParty, have no clock and start no goroutine.
	pure       bool
	thirdParty []string
	why        string
}

var rooms = []room{
	{
		folder: "schemas",
		why:    "the wire is read by everybody, so it depends on nobody",
	},
	{
		folder: "operators",
		ours:   []string{"schemas", "operators/policies"},
		pure:   true,
		thirdParty: []string{
			"github.com/goccy/go-yaml",
			"cel.dev/cel-go",
		},
		why: "scoring is a fold: the same events in the same order give the same bytes on any machine",
	},
	{
		folder: "operators/policies",
		pure:   true,
		why:    "policies are text; the engine above reads them",
	},
	{
		folder: "pipeline/normalise",
		ours:   []string{"schemas"},
		why:    "a mapping from bytes to events, which check and replay run without any server",
	},
	{
		folder: "pipeline",
		ours:   []string{"schemas", "operators", "operators/policies", "pipeline/normalise", "vault"},
		why:    "the shell around the pure parts; it hands alerts to Kafka and knows no sink",
	},
	{
		folder: "vault",
		ours:   []string{"schemas"},
		why:    "what can open names and evidence stays small enough to be read in one sitting",
	},
	{
		folder: "vault/keycommand",
		ours:   []string{"vault"},
		why:    "what starts programs stands apart from what is sealed and opened",
	},
	{
		folder: "vault/server",
		ours:   []string{"schemas", "vault"},
		why:    "what the network can reach asks the vault like anybody else",
	},
	{
		folder: "sink",
		ours:   []string{"schemas", "vault"},
		why:    "it meets the pipeline on Kafka, so that ClickHouse being down never stops scoring",
	},
	{
		folder: "console",
		ours:   []string{"schemas", "sink", "vault"},
		why:    "it shows what is stored and asks the vault; it scores nothing",
	},
	{
		folder: "deploy",
		ours:   []string{"schemas"},
		why:    "stand-ins for the world outside; a stand-in which runs our code proves nothing about it",
	},
	{
		folder: "deploy/embedded/servertest",
		ours:   []string{"deploy/embedded"},
		why:    "it hands the embedded servers to tests where there are no real ones",
	},
	{
		folder: "cmd",
		ours:   []string{"*"},
		why:    "the composition root is the one place that knows everybody",
	},
	{
		folder: ".",
		why:    "no Go API at the root: riskpipe is a program",
	},
}

// onlyFrom lists folders which nothing may import but the folders named and tests.
var onlyFrom = []struct {
	folder    string
	importers []string
	why       string
}{
	{"deploy", []string{"cmd", "deploy"}, "servers for the demo and the tests must not reach a service"},
	{"cmd", nil, "commands are the end of the road"},
}

// exclusive lists modules which one folder wraps for all others.
var exclusive = []struct {
	pkg     string
	folders []string
	why     string
}{
	{"github.com/linkedin/goavro", []string{"schemas"}, "the independent decoder behind the codec's tests and cat"},
	{"github.com/twmb/avro", []string{"schemas"}, "how events become bytes is decided once"},
	{"github.com/spf13/viper", []string{"cmd/riskpipe"}, "configuration arrives everywhere else as plain structs"},
	{"github.com/spf13/cobra", []string{"cmd/riskpipe"}, "flags belong to commands"},
	{"github.com/redis/go-redis", []string{"pipeline"}, "the state store, its fence and its scripts are one thing"},
	{"github.com/ClickHouse/clickhouse-go", []string{"sink"}, "tables, inserts and queries stand beside their SQL"},
	// The engine's HTTP interface answers clients in their own block compression.
	{"github.com/ClickHouse/ch-go", []string{"sink", "deploy/embedded"}, "the wire format of blocks"},
	{"cel.dev/cel-go", []string{"operators"}, "expressions have one cost ceiling, so one environment"},
	{"github.com/twmb/franz-go/pkg/kfake", []string{"deploy/embedded", "deploy/embedded/virtual"}, "a fake broker, for the demo and the tests"},
	{"github.com/alicebob/miniredis", []string{"deploy/embedded"}, "a fake Redis, for the demo and the tests"},
	{"github.com/ebitengine/purego", []string{"deploy/embedded"}, "a foreign library can crash the process it is in"},
	{"github.com/testcontainers", []string{"deploy/embedded/servertest"}, "for tests"},
	{"github.com/stretchr/testify", nil, "tests use the standard library"},
}

// pureStdlib is what pure rooms may import of the standard library: nothing that knows the time, the machine, the
// network or other goroutines.
var pureStdlib = []string{
	"bytes", "cmp", "crypto/sha256", "embed", "encoding", "encoding/base32", "encoding/base64", "encoding/binary",
	"encoding/hex", "encoding/json", "errors", "fmt", "hash", "hash/fnv", "io", "io/fs", "iter", "maps",
	"math", "math/big", "math/bits", "net/netip", "path", "reflect", "regexp", "slices", "sort", "strconv", "strings",
	"text/tabwriter", "time", "unicode", "unicode/utf8",
}

// clocks are the functions of package time which ask the machine.
var clocks = []string{
	"After", "AfterFunc", "NewTicker", "NewTimer", "Now", "Since", "Sleep", "Tick", "Until",
}

// drawers are folder names that say nothing, into which everything goes in the end.
var drawers = []string{
	"base", "common", "helper", "helpers", "internal", "lib", "manager", "managers", "misc", "pkg", "shared", "util", "utils",
}

// Every Go file of the tree keeps every rule.
func TestImports(t *testing.T) {
	fset := token.NewFileSet()
	count := 0
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			// As the go command does, and what npm and make put there.
			base := entry.Name()
			if name != "." && (base[0] == '.' || base[0] == '_' || base == "testdata" || base == "node_modules" || name == "bin") {
				return filepath.SkipDir
			}
			if slices.Contains(drawers, base) {
				t.Errorf("%s: a folder is named after what it is about, not %q", name, base)
			}
			return nil
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		file, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		count++
		for _, violation := range violations(fset, filepath.ToSlash(name), file) {
			t.Error(violation)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d files", count)
}

// violations names every rule which the file breaks. name is its path from the root of the repository.
func violations(fset *token.FileSet, name string, file *ast.File) []string {
	var found []string
	report := func(pos token.Pos, format string, args ...any) {
		found = append(found, fmt.Sprintf("%s:%d: ", name, fset.Position(pos).Line)+fmt.Sprintf(format, args...))
	}

	for _, decl := range file.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
			report(f.Pos(), "func init: what happens at start is written in main, in order")
		}
	}

	// Tests may look from anywhere at anything.
	if strings.HasSuffix(name, "_test.go") {
		return found
	}

	folder := path.Dir(name)
	rule, ok := roomOf(folder)
	if !ok {
		report(file.Package, "package %s has no rule: add one, with its reason, to rooms in imports_test.go", folder)
		return found
	}

	for _, spec := range file.Imports {
		pkg, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			report(spec.Pos(), "import path: %v", err)
			continue
		}
		target, ours := strings.CutPrefix(pkg+"/", module+"/")
		target = strings.TrimSuffix(target, "/")
		switch {
		case ours:
			if !slices.Contains(rule.ours, target) && !slices.Contains(rule.ours, "*") && !belowDeploy(folder, target) {
				report(spec.Pos(), "%s must not import %s: %s", folder, target, rule.why)
			}
			for _, o := range onlyFrom {
				if within(target, o.folder) && !slices.ContainsFunc(o.importers, func(f string) bool { return within(folder, f) }) {
					report(spec.Pos(), "%s must not import %s: %s", folder, target, o.why)
				}
			}
		case rule.pure && isStdlib(pkg):
			if !slices.Contains(pureStdlib, pkg) {
				report(spec.Pos(), "%s must not import %s: %s", folder, pkg, rule.why)
			}
		case rule.pure:
			if !slices.ContainsFunc(rule.thirdParty, func(p string) bool { return within(pkg, p) }) {
				report(spec.Pos(), "%s must not import %s: %s", folder, pkg, rule.why)
			}
		}
		for _, e := range exclusive {
			if within(pkg, e.pkg) {
				if !slices.Contains(e.folders, folder) {
					report(spec.Pos(), "%s must not import %s (allowed: %s): %s", folder, pkg, strings.Join(e.folders, ", "), e.why)
				}
				break
			}
		}
	}

	if rule.pure {
		impure(file, func(pos token.Pos, what string) { report(pos, "%s in %s: %s", what, folder, rule.why) })
	}
	return found
}

// impure reports go statements and readings of the clock.
func impure(file *ast.File, report func(pos token.Pos, what string)) {
	clock := importName(file, "time")
	if clock == "." {
		report(file.Package, "dot import of time")
	}
	ast.Inspect(file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.GoStmt:
			report(node.Pos(), "go statement")
		case *ast.SelectStmt:
			report(node.Pos(), "select statement")
		case *ast.SelectorExpr:
			if x, ok := node.X.(*ast.Ident); ok && x.Name == clock && slices.Contains(clocks, node.Sel.Name) {
				report(node.Pos(), "time."+node.Sel.Name)
			}
		}
		return true
	})
}

// importName is the name under which the file knows the package, empty when it does not import it.
func importName(file *ast.File, pkg string) string {
	for _, spec := range file.Imports {
		if spec.Path.Value != strconv.Quote(pkg) {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path.Base(pkg)
	}
	return ""
}

// roomOf finds the rule of the folder or of the nearest folder above it. The root's is for the root alone.
func roomOf(folder string) (room, bool) {
	for dir := folder; ; dir = path.Dir(dir) {
		if i := slices.IndexFunc(rooms, func(r room) bool { return r.folder == dir }); i >= 0 {
			return rooms[i], dir != "." || folder == "."
		}
	}
}

// belowDeploy lets the folders under deploy, which are many and small, use what lies below themselves.
func belowDeploy(folder, target string) bool {
	return within(folder, "deploy") && target != folder && within(target, folder)
}

// within: p is dir or lies below it.
func within(p, dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") }

// isStdlib: the standard library's paths have no dot in their first element.
func isStdlib(pkg string) bool {
	first, _, _ := strings.Cut(pkg, "/")
	return !strings.Contains(first, ".")
}

// Each rule catches what it is there for; a rule which cannot fail protects nothing.
func TestImports_rulesCatch(t *testing.T) {
	const ours = `import _ "github.com/riskpipe/riskpipe/`
	bad := map[string]string{
		"schemas/x.go":            ours + `operators"`,
		"operators/a.go":          ours + `pipeline"`,
		"operators/b.go":          `import _ "context"`,
		"operators/c.go":          `import _ "math/rand/v2"`,
		"operators/d.go":          `import _ "github.com/twmb/franz-go/pkg/kgo"`,
		"operators/e.go":          "import \"time\"\nvar _ = time.Now()",
		"operators/f.go":          "import clock \"time\"\nfunc f() { clock.Sleep(1) }",
		"operators/g.go":          "func f() { go f() }",
		"operators/h.go":          `import _ "log/slog"`,
		"operators/i.go":          `import _ "os/exec"`,
		"operators/j.go":          `import . "time"`,
		"operators/policies/x.go": ours + `schemas"`,
		"pipeline/normalise/x.go": ours + `vault"`,
		"pipeline/a.go":           ours + `sink"`,
		"pipeline/b.go":           ours + `deploy/embedded"`,
		"pipeline/c.go":           `import _ "github.com/spf13/viper"`,
		"pipeline/d.go":           `import _ "github.com/ClickHouse/clickhouse-go/v2"`,
		"vault/x.go":              ours + `pipeline"`,
		"sink/a.go":               ours + `pipeline"`,
		"sink/b.go":               ours + `operators"`,
		"sink/c.go":               `import _ "github.com/redis/go-redis/v9"`,
		"console/x.go":            ours + `pipeline"`,
		"deploy/embedded/a.go":    ours + `pipeline"`,
		"deploy/embedded/b.go":    ours + `sink"`,
		"deploy/embedded/c.go":    `import _ "github.com/ClickHouse/clickhouse-go/v2"`,
		"deploy/embedded/d.go":    ours + `deploy/tenant"`,
		"cmd/riskpipe/a.go":       `import _ "github.com/linkedin/goavro/v2"`,
		"cmd/riskpipe/b.go":       `import _ "cel.dev/cel-go/cel"`,
		"cmd/riskpipe/c.go":       `import _ "github.com/testcontainers/testcontainers-go"`,
		"cmd/riskpipe/d.go":       "func init() {}",
		"cmd/riskpipe/d_test.go":  "func init() {}",
		"x.go":                    ours + `schemas"`,
		"newroom/x.go":            "",
		"newroom/sub/x.go":        "",
	}
	good := map[string]string{
		"schemas/x.go":            `import _ "github.com/linkedin/goavro/v2"`,
		"schemas/x_test.go":       ours + `operators"`,
		"operators/a.go":          ours + `schemas"`,
		"operators/b.go":          "import \"time\"\nvar _ = time.Duration(1)",
		"operators/c.go":          `import _ "cel.dev/cel-go/cel"`,
		"operators/d_test.go":     ours + `deploy/tenant"`,
		"operators/policies/x.go": `import _ "embed"`,
		"pipeline/normalise/x.go": ours + `schemas"`,
		"pipeline/x.go":           ours + `pipeline/normalise"`,
		"vault/x.go":              ours + `schemas"`,
		"sink/a.go":               ours + `vault"`,
		"sink/b.go":               `import _ "github.com/ClickHouse/clickhouse-go/v2"`,
		"deploy/embedded/x.go":    `import _ "github.com/ClickHouse/ch-go/compress"`,
		"deploy/tenant/x.go":      ours + `deploy/tenant/names"`,
		"cmd/riskpipe/a.go":       ours + `deploy/embedded"`,
		"cmd/riskpipe/b.go":       `import _ "github.com/spf13/viper"`,
		"x_test.go":               "",
	}
	check := func(name, src string) []string {
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, name, "package x\n"+src, parser.SkipObjectResolution)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return violations(fset, name, file)
	}
	for _, name := range slices.Sorted(maps.Keys(bad)) {
		if len(check(name, bad[name])) == 0 {
			t.Errorf("%s: no rule catches\n%s", name, bad[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(good)) {
		for _, violation := range check(name, good[name]) {
			t.Errorf("allowed, but: %s", violation)
		}
	}
}
