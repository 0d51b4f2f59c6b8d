package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

// The scope comes from the environment as well; without settings everybody is in
// scope, and what is wrong is said with its place.
func TestLoadConfig_scope(t *testing.T) {
	key, err := vault.NewKey(1, []byte(replayKey))
	if err != nil {
		t.Fatal(err)
	}
	describe := func() string {
		t.Helper()
		config, err := LoadConfig("")
		if err != nil {
			t.Fatal(err)
		}
		scope, err := config.scope(key)
		if err != nil {
			t.Fatal(err)
		}
		return scope.Description()
	}
	if got := describe(); got != "everybody" {
		t.Errorf("without settings: %s", got)
	}
	t.Setenv("RISKPIPE_NORMALISE_GROUPS", `[{"name":"emea","users":["ada@contoso.example"]}]`)
	t.Setenv("RISKPIPE_NORMALISE_SCOPE_INCLUDE", `[{"groups":["emea"],"actors":["guest"]}]`)
	t.Setenv("RISKPIPE_NORMALISE_SCOPE_EXCLUDE", `[{"sources":["email"],"activities":["email.*"]}]`)
	t.Setenv("RISKPIPE_NORMALISE_SCOPE_UNKNOWN", "include")
	if got := describe(); got != "include groups [emea] actors [guest]; exclude sources [email] activities [email.*]; include unknown people" {
		t.Errorf("from the environment: %s", got)
	}
	t.Setenv("RISKPIPE_NORMALISE_SCOPE_EXCLUDE", `[{"groups":["apac"],"actors":["robot"]}]`)
	t.Setenv("RISKPIPE_NORMALISE_SCOPE_UNKNOWN", "")
	_, err = LoadConfig("")
	for _, want := range []string{`normalise.scope.exclude[0]: group "apac"`, `normalise.scope.exclude[0]: actor "robot"`, "normalise.scope.unknown"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not speak of %s:\n%v", want, err)
		}
	}
}

// A day begins in UTC, and an instant is what it is anywhere.
func TestScopeTime(t *testing.T) {
	for text, want := range map[string]schemas.Time{
		"1970-01-02": 86_400_000, "1970-01-02T01:00:00+01:00": 86_400_000, "": 0, "tomorrow": 0, "1970-01-02T00:00:00": 0,
	} {
		if got, err := scopeTime("from", text); got != want || (err == nil) != (want > 0) || want == 0 && strings.Contains(err.Error(), "tomorrow") {
			t.Errorf("%s is %d, %v", text, got, err)
		}
	}
}

// What no line can be told of, and signatures that cannot be read, are errors.
func TestTemporaryScopes_unreadable(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "temporary.yaml")
	config := Config{Normalise: NormaliseConfig{Scope: ScopeConfig{Temporary: file, Signatures: filepath.Join(dir, "signed")}}}
	for text, want := range map[string]string{
		"- {name: [zoe@contoso.example}": "is no list",
		"zoe@contoso.example":            "is no list",
		"- {users: {zoe: 1}}":            "is no list",
	} {
		write(t, file, text)
		if _, err := config.temporaryScopes(); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "zoe") {
			t.Errorf("%s: %v", text, err)
		}
	}
	write(t, file, "[]\n")
	if scopes, err := config.temporaryScopes(); err != nil || len(scopes) != 0 {
		t.Errorf("an empty list: %v, %v", scopes, err)
	}
	write(t, filepath.Join(dir, "signed"), "- {scope: a, password: b}\n")
	if _, err := config.temporaryScopes(); err == nil || !strings.Contains(err.Error(), "reading the signatures") {
		t.Errorf("the signatures: %v", err)
	}
}
