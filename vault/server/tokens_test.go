package server

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

// Tokens are read from a list of hashes, and tell whose they are.
func TestReadTokens(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tokens.yaml")
	text := fmt.Sprintf("- sha256: %x\n  name: iris\n  user: %s\n  roles: [investigator, analyst]\n", sha256.Sum256([]byte("t")), grace)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	tokens, err := ReadTokens(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	actor, err := tokens.Authenticate(t.Context(), "t")
	if err != nil || actor.Name != "token:iris" || actor.User != grace || !actor.Has(vault.RoleInvestigator) {
		t.Errorf("%+v, %v", actor, err)
	}
	if _, err := tokens.Authenticate(t.Context(), ""); err == nil {
		t.Error("no token is a token")
	}
	if err := os.Chmod(file, 0o620); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadTokens(file, nil); err == nil || !strings.Contains(err.Error(), "chmod go-w") {
		t.Errorf("writable by the group: %v", err)
	}
}

// All that is wrong with a file is refused, and what is said names the account.
func TestReadTokens_problems(t *testing.T) {
	hash := strings.Repeat("ab", 32)
	for text, want := range map[string]string{
		"- {sha256: " + hash + ", name: a, roles: [king]}":                                                               "no role",
		"- {sha256: abcd, name: a, roles: [analyst]}":                                                                    "digest",
		"- {sha256: " + hash + ", name: a, roles: [analyst], user: ANON-GRACE}":                                          "pseudonym",
		"- {sha256: " + hash + ", name: a, roles: [analyst], password: x}":                                               "password",
		"- {sha256: " + hash + ", roles: [analyst]}":                                                                     "no name",
		"- {name: a, roles: [analyst]}":                                                                                  "SHA-256",
		"- {sha256: " + hash + ", name: a}":                                                                              "no roles",
		"- {sha256: " + hash + ", name: a, roles: [analyst]}\n- {sha256: " + hash + ", name: b, roles: [analyst]}":       "of its own",
		"- {sha256: " + hash + ", name: a, roles: [analyst]}\n- {sha256: cd" + hash[2:] + ", name: a, roles: [analyst]}": "has one already",
	} {
		file := filepath.Join(t.TempDir(), "tokens.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadTokens(file, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	if _, err := ReadTokens(filepath.Join(t.TempDir(), "none"), nil); err == nil {
		t.Error("a file that does not exist")
	}
}

// A person is given by pseudonym, or by name where names can be turned into one.
func TestParseUser(t *testing.T) {
	for _, tt := range []struct {
		text      string
		pseudonym func(string) schemas.Pseudonym
		want      schemas.Pseudonym
		ok        bool
	}{
		{grace.String(), nil, grace, true},
		{grace.String(), pseudonymOf, grace, true},
		{"erin@contoso.example", pseudonymOf, grace, true},
		{"erin@contoso.example", nil, schemas.Pseudonym{}, false},
		{"", pseudonymOf, schemas.Pseudonym{}, false},
		{"ANON-1234", pseudonymOf, schemas.Pseudonym{}, false},
	} {
		if got, err := ParseUser(tt.text, tt.pseudonym); got != tt.want || (err == nil) != tt.ok {
			t.Errorf("%s: %s, %v", tt.text, got, err)
		}
	}
}
