package main

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/riskpipe/riskpipe/operators"
	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var shellBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")

// readmeCommands are the command lines in the README, without comments and
// redirections.
func readmeCommands(t *testing.T) (lines []string) {
	t.Helper()
	for _, block := range shellBlock.FindAllStringSubmatch(readme(t), -1) {
		for line := range strings.Lines(block[1]) {
			line, _, _ = strings.Cut(line, " #")
			line, _, _ = strings.Cut(line, " >")
			if line = strings.TrimSpace(line); line != "" {
				lines = append(lines, line)
			}
		}
	}
	return lines
}

// Every command in the README exists, with the flags that it is given; CI runs
// make demo's and make test's like.
func TestREADME_commands(t *testing.T) {
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	lines := readmeCommands(t)
	for _, line := range lines {
		switch words := strings.Fields(line); words[0] {
		case "make":
			if !strings.Contains(string(makefile), "\n"+words[1]+":") {
				t.Errorf("%q: the Makefile has no such target", line)
			}
		case "bin/riskpipe":
			checkCommand(t, newRootCommand(), words[1:])
		default:
			t.Errorf("%q: neither make nor bin/riskpipe", line)
		}
	}
	if len(lines) < 10 {
		t.Errorf("only %d commands were found", len(lines))
	}
}

// The commands of the README that need no server run as they stand there.
func TestREADME_run(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/records.ndjson", readmeExamples(t)[schemas.SourceFile]+"\n")
	ran := 0
	for _, line := range readmeCommands(t) {
		words := strings.Fields(line)
		offline := words[0] == "bin/riskpipe" && slices.Contains([]string{"check", "config", "key", "vault", "generate", "replay", "policy"}, words[1])
		if !offline || slices.Contains([]string{"shred", "access-report"}, words[2]) {
			continue
		}
		command := exec.CommandContext(t.Context(), "riskpipe", words[1:]...)
		command.Dir = dir
		out, err := command.Output()
		if err != nil {
			t.Errorf("%s: %v", line, err)
		}
		if words[1] == "generate" {
			write(t, dir+"/records.ndjson", string(out))
		}
		ran++
	}
	if ran < 5 {
		t.Errorf("only %d commands ran", ran)
	}
}

var topicRow = regexp.MustCompile("(?m)^\\| `raw\\.([a-z]+)` \\|[^|]*\\| `(.*)` \\|$")

// readmeExamples are the example records of the topic contract.
func readmeExamples(t *testing.T) map[schemas.Source]string {
	t.Helper()
	examples := map[schemas.Source]string{}
	for _, row := range topicRow.FindAllStringSubmatch(readme(t), -1) {
		examples[schemas.Source(row[1])] = row[2]
	}
	return examples
}

// The example record of every topic is valid JSON and gives an event about Ada.
func TestREADME_topicExamples(t *testing.T) {
	config, err := LoadConfig("")
	if err != nil {
		t.Fatal(err)
	}
	examples := readmeExamples(t)
	for _, source := range schemas.Sources() {
		example := examples[source]
		if !json.Valid([]byte(example)) {
			t.Errorf("raw.%s: the example is no JSON: %s", source, example)
			continue
		}
		var result normalise.Result
		normalise.New(config.Normalise.options(func(string, string) schemas.Hash { return 1 })).
			Map(source, normalise.Raw{Value: []byte(example)}, &result)
		if len(result.Events) != 1 || result.Events[0].Actor.User() != "ada@contoso.example" {
			t.Errorf("raw.%s: %+v", source, result)
		}
	}
}

// What the README says of the score is what the policy does.
func TestREADME_curve(t *testing.T) {
	library, err := operators.Templates()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(library.Policies, func(p operators.Policy) bool { return p.Name == "data_theft_departing_user" })
	curve := library.Policies[i].Modifiers[0].Curve
	if curve.Before != 30 || curve.Maximum != 3000 || curve.LastWeek != 7 {
		t.Errorf("the curve is %+v; change the README with it", curve)
	}
}

// Every module that go.mod requires directly is justified in the README.
func TestREADME_dependencies(t *testing.T) {
	file, err := os.Open("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	_, table, _ := strings.Cut(readme(t), "## Dependencies")
	for lines := bufio.NewScanner(file); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) != 2 || !strings.HasPrefix(words[1], "v") {
			continue // not a direct requirement
		}
		path := strings.Split(regexp.MustCompile(`/v\d+$`).ReplaceAllString(words[0], ""), "/")
		name := path[len(path)-1]
		if strings.HasPrefix(words[0], "github.com/twmb/franz-go") {
			name = "franz-go"
		}
		if !strings.Contains(table, name) {
			t.Errorf("%s is not in the README's table of dependencies", words[0])
		}
	}
}
