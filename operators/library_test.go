package operators

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// What ships with riskpipe is sound.
func TestTemplates(t *testing.T) {
	library, err := Templates()
	if err != nil {
		t.Fatal(err)
	}
	if len(library.Indicators) == 0 || len(library.Lists.Macros) == 0 {
		t.Errorf("%d indicators and %d macros ship", len(library.Indicators), len(library.Lists.Macros))
	}
	for _, lane := range LaneNames {
		if _, problems := library.Lists.Macros["lane_"+lane].compile(library.Lists); len(problems) > 0 {
			t.Errorf("lane %s: %v", lane, problems)
		}
	}
}

// templates is a small set of files that ships, for tests.
func templates(t *testing.T) fs.FS {
	t.Helper()
	return os.DirFS("testdata/shipped")
}

func folder(files map[string]string) fs.FS {
	in := fstest.MapFS{}
	for name, content := range files {
		in["own/"+name] = &fstest.MapFile{Data: []byte("apiVersion: riskpipe/v1\n" + content)}
	}
	return in
}

func loadOwn(t *testing.T, files map[string]string) (Library, error) {
	t.Helper()
	return loadLayers(templates(t), folder(files), "own")
}

// A variant has every key of its base that it does not write itself.
func TestLoad_extends(t *testing.T) {
	library, err := loadOwn(t, map[string]string{
		"leaks.yaml":  "kind: Policy\nname: leaks\nextends: leaks\nquiet: 14d\ntags: [attack.t1052]\n",
		"strict.yaml": "kind: Policy\nname: strict\nextends: leaks\nseverity: {medium: 10, high: 20}\nmode: shadow\n",
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(library.Policies) != 2 || library.Policies[0].Name != "leaks" || library.Policies[1].Name != "strict" {
		t.Fatalf("policies are %v", library.Policies)
	}
	leaks, strict := library.Policies[0], library.Policies[1]
	if leaks.Quiet != 14 || leaks.Title != "Data leaks" || !slices.Equal(leaks.Tags, []string{"attack.t1052"}) || leaks.Severity.Medium != 34_000 {
		t.Errorf("the variant of the shipped policy is %+v", leaks)
	}
	if strict.Quiet != 14 || strict.Severity.Medium != 10_000 || strict.Mode != ModeShadow || len(strict.Tests) != 2 {
		t.Errorf("the variant of the variant is %+v", strict)
	}
}

// Own policies are all there are; indicators, lists and macros replace by name.
func TestLoad_layers(t *testing.T) {
	shippedOnly, err := loadLayers(templates(t), nil, "")
	if err != nil {
		t.Fatal(err)
	}
	if got := len(shippedOnly.Policies); got != 1 {
		t.Errorf("%d policies ship", got)
	}
	library, err := loadOwn(t, map[string]string{
		"_lists.yaml": "kind: Lists\nlists: {sensitive_labels: [Geheim]}\nmacros: {lane_unallowed: {destination.class: public}}\n",
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(library.Policies) != 1 {
		t.Errorf("shipped policies do not hold without own ones: %d", len(library.Policies))
	}
	if got := library.Lists.Lists["sensitive_labels"]; !slices.Equal(got, Values{"Geheim"}) {
		t.Errorf("the list is %v", got)
	}
	if got := library.Lists.Macros["lane_unallowed"]; len(got) != 1 || got[0]["destination.class"][0] != "public" {
		t.Errorf("the macro is %v", got)
	}
	if len(library.Lists.Macros) < 3 || len(library.Indicators) != len(shippedOnly.Indicators) {
		t.Error("what an organisation does not replace is gone")
	}
	if got := library.Files; !slices.Equal(got, []string{"indicators/file.yaml", "policies/_lists.yaml", "policies/leaks.yaml", "own/_lists.yaml"}) {
		t.Errorf("files are %v", got)
	}
	if _, err := loadLayers(templates(t), fstest.MapFS{}, "own"); err == nil || !strings.Contains(err.Error(), "no .yaml file there") {
		t.Errorf("an empty folder: error is %v", err)
	}
}

// Mistakes of all files are told at once, in order, each where it is written.
func TestLoad_mistakes(t *testing.T) {
	variant := "kind: Policy\nname: %\nextends: "
	name := func(self, base string) string { return strings.Replace(variant, "%", self, 1) + base + "\n" }
	for about, c := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"circle": {map[string]string{"a.yaml": name("aaa", "bbb"), "b.yaml": name("bbb", "aaa")}, []string{
			"own/a.yaml:4:10: the policies extend each other in a circle", "own/b.yaml:4:10: the policies extend each other in a circle",
		}},
		"deep": {map[string]string{
			"a.yaml": name("aaa", "leaks"), "b.yaml": name("bbb", "aaa"), "c.yaml": name("ccc", "bbb"), "d.yaml": name("ddd", "ccc"),
		}, []string{"own/a.yaml:4:10: more than 3 policies extend one another"}},
		"no base":          {map[string]string{"a.yaml": name("aaa", "leeks")}, []string{`own/a.yaml:4:10: policy "leeks" is unknown: did you mean "leaks"?`}},
		"same name":        {map[string]string{"a.yaml": name("aaa", "leaks"), "b.yaml": name("aaa", "leaks")}, []string{"own/b.yaml:3:7: policy aaa is defined twice, first in own/a.yaml:3"}},
		"several files":    {map[string]string{"a.yaml": "kind: Lists\nlists: 1\n", "b.yaml": "kind: Rule\n"}, []string{"own/a.yaml:3:8: want a mapping", "own/b.yaml:2:7: kind \"Rule\" is unknown"}},
		"part of the base": {map[string]string{"a.yaml": "kind: Lists\nmacros: {lane_unallowed: {destination.class: pubic}}\n"}, []string{"own/a.yaml:3:"}},
		"suppression": {map[string]string{"a.yaml": "kind: Lists\nsuppressions:\n  - {policy: leak, until: 2026-05-01, reason: move, by: legal}\n"}, []string{
			`own/a.yaml:4:14: policy "leak" is unknown: did you mean "leaks"?`,
		}},
	} {
		t.Run(about, func(t *testing.T) {
			_, err := loadOwn(t, c.files)
			mistakes, ok := errors.AsType[Mistakes](err)
			if !ok || len(mistakes) != len(c.want) {
				t.Fatalf("error is %v", err)
			}
			for i, want := range c.want {
				if got := mistakes[i].String(); !strings.HasPrefix(got, want) {
					t.Errorf("mistake %d is %q, want %q", i, got, want)
				}
			}
		})
	}
}
