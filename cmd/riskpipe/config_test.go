package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

// The defaults are valid, and every setting of the structure is documented in
// them: what is not could not be reached from the environment.
func TestLoadConfig_defaults(t *testing.T) {
	c, err := LoadConfig("")
	if err != nil {
		t.Fatal(err)
	}
	if c.Kafka.Brokers[0] != "127.0.0.1:9092" || c.Sink.FlushInterval.String() != "250ms" {
		t.Errorf("defaults are %+v", c)
	}
}

// A file, then the environment, override the defaults; secrets come from files.
func TestLoadConfig_layers(t *testing.T) {
	dir := t.TempDir()
	password := filepath.Join(dir, "password")
	file := filepath.Join(dir, "riskpipe.yaml")
	write(t, password, "hunter2\n")
	write(t, file, "kafka:\n  brokers: [a:1, b:2]\nredis:\n  password_file: "+password+"\ntopics:\n  prefix: eu.\n")
	t.Setenv("RISKPIPE_TOPICS_PREFIX", "us.")
	t.Setenv("RISKPIPE_NORMALISE_INTERNAL_DOMAINS", "contoso.example, fabrikam.example")
	t.Setenv("RISKPIPE_NORMALISE_HR_COLUMNS", `[{"field":"email","column":"Work Mail"}]`)
	t.Setenv("RISKPIPE_KAFKA_TLS_ENABLED", "true")
	t.Setenv("RISKPIPE_ADMIN_LISTEN", "")
	c, err := LoadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Kafka.Brokers) != 2 || c.Topics.Prefix != "us." || !c.Kafka.TLS.Enabled || string(c.Redis.Password) != "hunter2" {
		t.Errorf("config is %+v", c)
	}
	if c.Admin.Listen != "" {
		t.Errorf("an empty variable is not honoured: %q", c.Admin.Listen)
	}
	if len(c.Normalise.InternalDomains) != 2 || c.Normalise.HR.Columns[0].Column != "Work Mail" {
		t.Errorf("lists from the environment: %+v", c.Normalise)
	}
}

// All that is wrong is said at once, each with its key.
func TestLoadConfig_problems(t *testing.T) {
	file := filepath.Join(t.TempDir(), "riskpipe.yaml")
	write(t, file, `
kafka: {brokers: [broker], sasl: {mechanism: GSSAPI}}
redis: {addresses: []}
clickhouse: {protocol: tcp}
log: {level: loud}
normalise: {domains: [{class: friends, domains: [a.example]}]}
`)
	_, err := LoadConfig(file)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"kafka.brokers[0]", "GSSAPI", "redis.addresses", "clickhouse.protocol", "log.level", "normalise.domains[0].class"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not speak of %s:\n%v", want, err)
		}
	}
	write(t, file, "kafka: {brokerz: [a:1]}\n")
	if _, err := LoadConfig(file); err == nil || !strings.Contains(err.Error(), "brokerz") {
		t.Errorf("an unknown key: %v", err)
	}
}

// The vault's public key is given as text or as a file, once, and must be one;
// private key files are as many as there were rotations.
func TestLoadConfig_vault(t *testing.T) {
	_, secret, err := vault.GeneratePrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "vault.key"), secret)
	for _, test := range []struct{ key, file, want string }{
		{"", "", ""},
		{"rpv1:nonsense", "", "vault.public_key"},
		{secret, "", "this is the private key"},
		{"rpv1:x", "vault.pub", "both set"},
		{"", filepath.Join(dir, "vault.key"), ""}, // not read here
	} {
		t.Setenv("RISKPIPE_VAULT_PUBLIC_KEY", test.key)
		t.Setenv("RISKPIPE_VAULT_PUBLIC_KEY_FILE", test.file)
		_, err := LoadConfig("")
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%q, %q: %v", test.key, test.file, err)
		}
		if err != nil && strings.Contains(err.Error(), secret[12:24]) {
			t.Errorf("the error quotes the secret: %v", err)
		}
	}
	for _, file := range []string{filepath.Join(dir, "vault.key"), filepath.Join(dir, "missing")} {
		if _, err := (VaultConfig{PublicKeyFile: file}).public(); err == nil || !strings.Contains(err.Error(), "vault.public_key_file") {
			t.Errorf("%s: %v", file, err)
		}
	}
	t.Setenv("RISKPIPE_VAULT_PUBLIC_KEY_FILE", "")
	t.Setenv("RISKPIPE_VAULT_PRIVATE_KEY_FILE", "new.key, old.key")
	if c, err := LoadConfig(""); err != nil || len(c.Vault.PrivateKeys) != 2 || c.Vault.PrivateKeys[1] != "old.key" {
		t.Errorf("private keys %v, %v", c.Vault.PrivateKeys, err)
	}
}

// A secret shows nowhere, whatever prints it.
func TestSecret(t *testing.T) {
	s := Secret("hunter2")
	b, err := json.Marshal(map[string]any{"s": s})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprint(s), fmt.Sprintf("%q %+v %#v %x %s", s, s, s, s, s), fmt.Sprintf("%+v", struct{ S Secret }{s}), string(b), s.LogValue().String()} {
		if strings.Contains(text, "hunter") || strings.Contains(text, "68756e") {
			t.Errorf("the secret shows in %s", text)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Groups take their users from the file too; every user has the groups once, in
// order.
func TestLoadConfig_groups(t *testing.T) {
	dir := t.TempDir()
	users, file := filepath.Join(dir, "users.txt"), filepath.Join(dir, "riskpipe.yaml")
	write(t, users, "# those with keys\nAda@Contoso.example\r\n\n ben@contoso.example\n")
	write(t, file, "normalise:\n  groups:\n  - {name: priority, users: [ada@contoso.example], file: "+users+"}\n  - {name: admins, users: [ada@contoso.example]}\n")
	c, err := LoadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	groups := c.Normalise.groups()
	if len(groups) != 2 || strings.Join(groups["ada@contoso.example"], "+") != "admins+priority" || strings.Join(groups["ben@contoso.example"], "+") != "priority" {
		t.Errorf("groups are %v", groups)
	}
}

// The lists of normalise reach the mapper, and what is wrong in them is said
// with its place.
func TestLoadConfig_lists(t *testing.T) {
	t.Setenv("RISKPIPE_NORMALISE_CONTENT_RULES", `[{"name":"falcon","keywords":["falcon"],"unless_keywords":["canteen"]}]`)
	c, err := LoadConfig("")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("RISKPIPE_NORMALISE_CLEAR_EXTENSIONS", "cmp, lab")
	t.Setenv("RISKPIPE_NORMALISE_CLEAR_PROGRAMS", "contoso-cad.exe")
	t.Setenv("RISKPIPE_NORMALISE_MAX_RECORD_FIELDS", "5000")
	if c, err = LoadConfig(""); err != nil {
		t.Fatal(err)
	}
	o := c.Normalise.options(nil)
	if len(o.Clear.Extensions) != 2 || o.Clear.Programs[0] != "contoso-cad.exe" || o.Limits.Fields != 5000 || o.Limits.Depth != 64 {
		t.Errorf("options are %+v", o)
	}
	t.Setenv("RISKPIPE_NORMALISE_CLEAR_EXTENSIONS", "a/b")
	t.Setenv("RISKPIPE_NORMALISE_MAX_RECORD_FIELDS", "7")
	t.Setenv("RISKPIPE_NORMALISE_MAX_RECORD_DEPTH", "5000")
	t.Setenv("RISKPIPE_NORMALISE_MAX_RECORD_ITEMS", "0")
	t.Setenv("RISKPIPE_NORMALISE_MAX_RECORD_BYTES", "12")
	if len(o.Content) != 1 || o.Content[0].UnlessKeywords[0] != "canteen" || len(o.Categories["gambling"]) == 0 {
		t.Errorf("options are %+v", o)
	}
	t.Setenv("RISKPIPE_NORMALISE_CONTENT_RULES", `[{"name":"Falcon","keywords":["falcon"]}]`)
	t.Setenv("RISKPIPE_NORMALISE_GROUPS", `[{"name":"VIP","users":["ada"]},{"name":"a","file":"/nowhere"}]`)
	t.Setenv("RISKPIPE_NORMALISE_SITE_CATEGORIES", `[{"category":"fun","domains":[]}]`)
	_, err = LoadConfig("")
	for _, want := range []string{"normalise.clear_extensions[0]", "normalise.max_record_fields is 7", "max_record_depth", "max_record_items", "max_record_bytes", "normalise.content_rules[0]", "normalise.groups[0].name", "normalise.groups[0]: a user", "normalise.groups[1].file", "normalise.site_categories[0].category"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not speak of %s:\n%v", want, err)
		}
	}
}

// The default rule marks what programs write for themselves, and no documents.
func TestLoadConfig_systemPaths(t *testing.T) {
	c, err := LoadConfig("")
	if err != nil {
		t.Fatal(err)
	}
	for path, marks := range map[string]string{
		`C:\Users\ada\AppData\Local\x.docx`: "system_paths",
		"/home/ada/app/node_modules/x.docx": "system_paths",
		`C:\Users\ada\Documents\x.docx`:     "",
	} {
		record := fmt.Sprintf(`{"category":"AdvancedHunting-DeviceFileEvents","properties":{"Timestamp":"2026-03-02T08:15:30Z","ActionType":"FileModified",
			"FileName":"x.docx","FolderPath":%q,"DeviceId":"d1","ReportId":17,"InitiatingProcessAccountUpn":"ada@contoso.example"}}`, path)
		var out strings.Builder
		options := c.Normalise.options(func(string, string) schemas.Hash { return 0 })
		if err := check(strings.NewReader(strings.ReplaceAll(record, "\n", "")), &out, io.Discard, schemas.SourceDefender, options, map[string][]string{"ada@contoso.example": {"priority"}}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(out.String(), `"marks":["system_paths"]`); got != (marks != "") || !strings.Contains(out.String(), `"groups":["priority"]`) {
			t.Errorf("%s came to %s", path, out.String())
		}
	}
}
