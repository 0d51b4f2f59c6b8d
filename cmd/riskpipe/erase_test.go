package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

// A person is erased under every name given and under both keys, however the
// names are spelled.
func TestConfig_pseudonymsOf(t *testing.T) {
	key, text, err := vault.GenerateKey(2)
	if err != nil {
		t.Fatal(err)
	}
	earlier, before, err := vault.GenerateKey(1)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "before.key")
	write(t, file, before)
	c := Config{Pseudonym: PseudonymConfig{Key: Secret(text), PreviousKeyFile: file}}
	full := schemas.Pseudonym{7}
	for _, tt := range []struct {
		name string
		also []string
		want []schemas.Pseudonym
	}{
		{" Ada@Contoso.example", nil, []schemas.Pseudonym{key.Pseudonym("upn:ada@contoso.example"), earlier.Pseudonym("upn:ada@contoso.example")}},
		{full.String(), nil, []schemas.Pseudonym{full}},
		{full.String(), []string{"eid:e42", "OID:x"}, nil},
		{full.String(), []string{"eid:e42", "oid:AB", "account:CORP\\Ada"}, []schemas.Pseudonym{
			full, key.Pseudonym("eid:E42"), earlier.Pseudonym("eid:E42"), key.Pseudonym("oid:ab"), earlier.Pseudonym("oid:ab"),
			key.Pseudonym(`account:corp\ada`), earlier.Pseudonym(`account:corp\ada`),
		}},
		{"ada", nil, nil},
		{full.String(), []string{"sid:"}, nil},
	} {
		got, err := c.pseudonymsOf(tt.name, tt.also)
		if (err != nil) != (tt.want == nil) || err != nil && strings.Contains(err.Error(), "e42") {
			t.Errorf("%q %q: %v", tt.name, tt.also, err)
			continue
		}
		if err == nil && strings.Join(texts(got), " ") != strings.Join(texts(tt.want), " ") {
			t.Errorf("%q %q: got %v", tt.name, tt.also, got)
		}
	}
}

func texts(users []schemas.Pseudonym) (list []string) {
	for _, user := range users {
		list = append(list, user.String())
	}
	return list
}

// Where nobody can be asked, --yes is needed.
func TestEraseOptions_confirmed(t *testing.T) {
	var o eraseOptions
	if err := o.confirmed(strings.NewReader("yes\n"), &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "--yes") {
		t.Errorf("error %v", err)
	}
	o.yes = true
	if err := o.confirmed(strings.NewReader(""), &bytes.Buffer{}); err != nil {
		t.Error(err)
	}
}

// The table says what was held and what is left, and what stays, with a short
// pseudonym.
func TestErasure_report(t *testing.T) {
	user := schemas.Pseudonym{7}
	e := &erasure{users: []schemas.Pseudonym{user}, lines: []erasureLine{{"Redis states", 1, 0}}, keys: []string{"k"}, shredKeys: true, others: 9}
	e.config.Vault.Serve.IdentitiesFile = "identities.jsonl"
	var out bytes.Buffer
	if err := e.report(&out, "table", true); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"WHAT          HELD  LEFT\nRedis states  1     0\n", "of 1 pseudonyms, the first " + user.Short() + "\n",
		"1 data keys: evidence of 9 activities of others goes with them", "never opens again", "the sealed identity in identities.jsonl",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
	e.keys, e.shredKeys = nil, false
	out.Reset()
	if err := e.report(&out, "table", false); err != nil || strings.Contains(out.String(), "LEFT") || !strings.Contains(out.String(), "opens with the vault key") {
		t.Errorf("%v:\n%s", err, out.String())
	}
}
