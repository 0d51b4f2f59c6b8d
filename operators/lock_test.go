package operators

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// No shipped policy has other logic than the one that its version is locked to.
func TestShippedLock(t *testing.T) {
	library, err := Templates()
	if err != nil {
		t.Fatal(err)
	}
	locked, err := ShippedLock()
	if err != nil {
		t.Fatal(err)
	}
	now, err := library.Lock()
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range locked.Compare(now) {
		t.Errorf("%s: %s; then run: riskpipe policy lock --policies operators/policies --write", change.Name, change.Text)
	}
}

// The lock holds the hash that alerts carry, whichever other policies run.
func TestLibrary_Lock_isWhatAlertsCarry(t *testing.T) {
	library, err := Templates()
	if err != nil {
		t.Fatal(err)
	}
	lock, err := library.Lock()
	if err != nil {
		t.Fatal(err)
	}
	library.Policies = slices.Clone(library.Policies)
	slices.Reverse(library.Policies)
	engine, err := NewEngine(library, Options{})
	if err != nil {
		t.Fatal(err)
	}
	hashes := engine.Hashes()
	if len(hashes) == 0 {
		t.Fatal("no policy runs")
	}
	for name, hash := range hashes {
		if entry, _ := lock.find(name); entry.Hash != hash {
			t.Errorf("%s: locked %v, carried %v", name, entry.Hash, hash)
		}
	}
}

func TestParseLock(t *testing.T) {
	lock := Lock{{"data_leaks", 2, 0x1f}, {"risky_browsing", 1, -1}}
	read, err := ParseLock("x", []byte(lock.String()))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(lock, read); diff != "" {
		t.Error(diff)
	}
	for text, want := range map[string]string{
		"data_leaks 2":        "line 1: want a policy's name, version and hash",
		"\ndata_leaks two 1f": "line 2: version \"two\" is no number",
		"data_leaks 2 xyz":    "line 1: reading a hash",
	} {
		if _, err := ParseLock("x", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error is %v, want %s", text, err, want)
		}
	}
}

func TestLock_Compare(t *testing.T) {
	before := Lock{{"bumped", 1, 1}, {"gone", 1, 1}, {"lowered", 2, 1}, {"same", 1, 1}, {"sly", 3, 1}}
	now := Lock{{"bumped", 2, 2}, {"lowered", 1, 1}, {"new", 1, 1}, {"same", 1, 1}, {"sly", 3, 2}}
	var got []string
	for _, c := range before.Compare(now) {
		text, _, _ := strings.Cut(c.Text, " (")
		if c.Bump {
			text += " !"
		}
		got = append(got, c.Name+": "+text)
	}
	want := []string{
		"bumped: version 2 instead of 1",
		"gone: removed",
		"lowered: version 2 is locked already: versions only rise, so set version to 3 or more !",
		"new: added, version 1",
		"sly: the logic changed under version 3: set version to 4 !",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
