package operators

import (
	"os"
	"strings"
	"testing"
)

// The hash covers the logic and nothing that only describes it.
func TestPolicy_Hash(t *testing.T) {
	library, err := loadLayers(templates(t), nil, "")
	if err != nil {
		t.Fatal(err)
	}
	policy := library.Policies[0]
	before := policy.Hash()
	policy.Title, policy.Runbook, policy.Description, policy.Tags, policy.Tests = "other", "other", "other", nil, nil
	if policy.Hash() != before {
		t.Error("a title changed the hash")
	}
	policy.Quiet++
	if policy.Hash() == before {
		t.Error("a length of time did not change the hash")
	}
}

// An organisation's folder is read on top of what ships.
func TestLoadLibrary(t *testing.T) {
	library, err := LoadLibrary(os.DirFS("testdata/shipped"), "indicators")
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, len(library.Indicators))
	for i, indicator := range library.Indicators {
		names[i] = indicator.Name
	}
	if all := strings.Join(names, " "); !strings.Contains(all, "collect_and_copy") || !strings.Contains(all, "copy_to_removable_media") {
		t.Errorf("indicators are %s", all)
	}
	if _, err := LoadLibrary(os.DirFS("testdata"), "bad"); err == nil || !strings.Contains(err.Error(), "bad/yaml_list.yaml:1:1: want a mapping") {
		t.Errorf("error is %.4000v", err)
	}
}

// A file that is too large, or is never closed, is refused.
func TestReadDocument_bounds(t *testing.T) {
	for name, content := range map[string]string{
		"lists":    strings.Repeat("[", 1000),
		"mappings": strings.Repeat("{a: ", 1000),
		"large":    strings.Repeat("#", maxFileBytes+1),
		"empty":    "# nothing\n",
	} {
		if root, mistakes := readDocument("x.yaml", []byte(content)); root != nil || len(mistakes) == 0 {
			t.Errorf("%s: no mistake", name)
		}
	}
}
