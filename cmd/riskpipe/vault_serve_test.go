package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

// vaultFiles writes everything that a vault is served with, and returns the
// folder, its configuration and the pseudonym of the one identity in it.
func vaultFiles(t *testing.T) (dir, config string, user schemas.Pseudonym) {
	t.Helper()
	dir = t.TempDir()
	put := func(name, text string) string {
		path := filepath.Join(dir, name)
		write(t, path, text)
		return path
	}
	private, secret, err := vault.GeneratePrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	pseudonyms, pseudonymKey, err := vault.GenerateKey(1)
	if err != nil {
		t.Fatal(err)
	}
	audit, auditKey, err := vault.GenerateSigningKey(rand.Reader, "audit")
	if err != nil {
		t.Fatal(err)
	}
	user = pseudonyms.Pseudonym("upn:grace@contoso.example")
	identities := ""
	for at, fact := range []vault.Identity{
		{UPN: "grace@contoso.example", Title: "Trainee"},
		{Title: "Analyst"},
		{Aliases: []string{"gt"}},
		{Aliases: []string{"grace.t"}},
		{Department: "Research"},
		{Manager: "heidi@contoso.example"},
		{DisplayName: "Grace Taylor"},
		{UPN: "grace@contoso.example"},
	} {
		sealed, err := vault.NewIdentitySealer(private.Public()).Seal(user, 1, schemas.Time(at+1), fact)
		if err != nil {
			t.Fatal(err)
		}
		line, err := json.Marshal(sealed)
		if err != nil {
			t.Fatal(err)
		}
		identities += string(line) + "\n"
	}
	tokens := ""
	for name, roles := range map[string]string{
		"iris": "investigator", "helen": "hr_approver", "lara": "legal_approver", "bianca": "hr_approver, legal_approver",
		"boss": "hr_approver", "anna": "auditor", "pete": "platform",
	} {
		put(name+".token", "secret of "+name)
		tokens += fmt.Sprintf("- {sha256: %x, name: %s, user: %s, roles: [%s]}\n", sha256.Sum256([]byte("secret of "+name)), name, name, roles)
	}
	put("audit.pub", audit.Public().String())
	config = put("riskpipe.yaml", fmt.Sprintf(`
admin: {listen: ""}
kafka: {brokers: ["127.0.0.1:1"]}
pseudonym: {key_file: %s}
vault:
  private_key_file: %s
  serve:
    listen: 127.0.0.1:0
    audit_file: %s
    audit_key_file: %s
    identities_file: %s
    managers_file: %s
    tokens_file: %s
`, put("pseudonym.key", pseudonymKey), put("vault.key", secret), filepath.Join(dir, "audit.jsonl"), put("audit.key", auditKey),
		put("identities.jsonl", identities), put("managers.yaml", fmt.Sprintf("%s: Boss\n", user)),
		put("tokens.yaml", tokens)))
	return dir, config, user
}

// startVault serves a vault until stop is called, and returns its address.
func startVault(t *testing.T, file string) (address string, stop func()) {
	t.Helper()
	config, err := LoadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	listening, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- serveVault(ctx, config, slog.New(slog.DiscardHandler), func(a net.Addr) { listening <- a.String() })
	}()
	select {
	case address = <-listening:
	case err := <-ended:
		cancel()
		t.Fatal(err)
	}
	return address, func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// Reveals are requested, decided on and opened from the command line, and the
// audit log that is left verifies.
func TestVaultScripts(t *testing.T) {
	dir, config, user := vaultFiles(t)
	address, stop := startVault(t, config)
	t.Cleanup(stop) // after the scripts, which run beside each other
	testscript.Run(t, testscript.Params{Dir: "testdata/vault", RequireExplicitExec: true, Setup: func(env *testscript.Env) error {
		env.Setenv("VAULT", dir)
		env.Setenv("USER", user.String())
		env.Setenv("RISKPIPE_REVEAL_URL", "http://"+address)
		return nil
	}, Cmds: map[string]func(*testscript.TestScript, bool, []string){
		// as NAME makes the commands that follow those of an account.
		"as": func(ts *testscript.TestScript, _ bool, args []string) {
			ts.Setenv("RISKPIPE_REVEAL_TOKEN_FILE", filepath.Join(dir, args[0]+".token"))
		},
		// take VARIABLE sets it to the first word of the last output.
		"take": func(ts *testscript.TestScript, _ bool, args []string) {
			ts.Setenv(args[0], strings.Fields(ts.ReadFile("stdout"))[0])
		},
	}})
}

// A vault that stops and starts goes on where it was, with its log pinned.
func TestServeVault_restarts(t *testing.T) {
	dir, file, user := vaultFiles(t)
	config, err := LoadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	var id string
	for round := range 2 {
		address, stop := startVault(t, file)
		client, err := (RevealConfig{URL: "http://" + address, Token: "secret of iris"}).client()
		if err != nil {
			t.Fatal(err)
		}
		if round == 0 {
			var reveal vault.Reveal
			body := map[string]any{"user": user, "case": "C", "purpose": "safety", "fields": []string{"upn"}, "reason": "threat", "break_glass": true}
			if err := client.call(t.Context(), "POST", "/v1/reveals", body, &reveal); err != nil {
				t.Fatal(err)
			}
			id = reveal.ID.String()
		} else {
			var opened struct{ Identity map[string][]string }
			if err := client.call(t.Context(), "POST", "/v1/reveals/"+id+"/open", nil, &opened); err != nil || opened.Identity["upn"][0] != "grace@contoso.example" {
				t.Errorf("%+v, %v", opened, err)
			}
		}
		stop()
	}
	key, err := verifyingKey(filepath.Join(dir, "audit.pub"))
	if err != nil {
		t.Fatal(err)
	}
	report, err := verifyAudit(config.Vault.Serve.AuditFile, config.Vault.Serve.checkpointFile(), []*vault.VerifyingKey{key})
	if err != nil || report.Records != 4 || report.Pinned != 4 {
		t.Errorf("%+v, %v", report, err)
	}
}

// Without what it needs the vault is not served, and says what is missing.
func TestServeVault_problems(t *testing.T) {
	dir, file, _ := vaultFiles(t)
	for name, tt := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"no audit log": {func(c *Config) { c.Vault.Serve.AuditFile = "" }, "vault.serve.audit_file is not set"},
		"no audit key": {func(c *Config) { c.Vault.Serve.AuditKeyFile = "" }, "vault.serve.audit_key_file is not set"},
		"no identities": {func(c *Config) {
			c.Vault.Serve.IdentitiesFile, c.ClickHouse.Addresses = "", []string{"127.0.0.1:1"}
		}, "reaching ClickHouse"},
		"nobody signs in":  {func(c *Config) { c.Vault.Serve.TokensFile = "" }, "tokens_file or oidc.issuer is not set"},
		"no private key":   {func(c *Config) { c.Vault.PrivateKeys = nil }, "set vault.private_key_file"},
		"no key program":   {func(c *Config) { c.Vault.PrivateKeyCommand = []string{filepath.Join(dir, "none")} }, "vault.private_key_command"},
		"other audit key":  {func(c *Config) { c.Vault.Serve.AuditKeyFile = c.Vault.PrivateKeys[0] }, "audit key"},
		"no tokens":        {func(c *Config) { c.Vault.Serve.TokensFile = filepath.Join(dir, "none") }, "tokens_file"},
		"no managers":      {func(c *Config) { c.Vault.Serve.ManagersFile = filepath.Join(dir, "none") }, "managers_file"},
		"managers by name": {func(c *Config) { c.Vault.Serve.ManagersFile = filepath.Join(dir, "riskpipe.yaml") }, "managers_file"},
		"no pseudonym key": {func(c *Config) {
			c.Vault.Serve.OIDC.Issuer, c.Pseudonym.KeyFile, c.Vault.Serve.TokensFile = "https://login.example", "", ""
		}, "need the pseudonym key"},
		"a name without key":  {func(c *Config) { c.Pseudonym.KeyFile = "" }, "needs the pseudonym key"},
		"an issuer in a file": {func(c *Config) { c.Vault.Serve.OIDC.Issuer = "ftp://login.example" }, "want https"},
		"beyond this machine": {func(c *Config) { c.Vault.Serve.Listen = "0.0.0.0:0" }, "this machine alone"},
	} {
		config, err := LoadConfig(file)
		if err != nil {
			t.Fatal(err)
		}
		tt.change(&config)
		err = serveVault(t.Context(), config, slog.New(slog.DiscardHandler), func(net.Addr) { t.Errorf("%s: it is served", name) })
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
	// A log that was tampered with is not continued.
	_, stop := startVault(t, file)
	stop()
	path := filepath.Join(dir, "audit.jsonl")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, strings.Replace(string(text), "vault.started", "vault.stopped", 1))
	config, err := LoadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	var link *vault.BrokenLink
	err = serveVault(t.Context(), config, slog.New(slog.DiscardHandler), func(net.Addr) { t.Error("it is served") })
	if !errors.As(err, &link) || link.Sequence != 1 || link.Fault != vault.FaultAltered {
		t.Errorf("a log that was tampered with: %v", err)
	}
}

// What is wrong with the settings of the vault is said with their keys.
func TestLoadConfig_vaultServe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "riskpipe.yaml")
	write(t, file, `
vault:
  serve:
    listen: 0.0.0.0:8460
    grant_time: 1s
    audit_public_keys: [nonsense]
    oidc: {issuer: "http://login.example", roles: [{group: soc, roles: [king]}]}
reveal: {url: "http://vault.example"}
policies:
  signers: [{name: Erin, role: ceo, public_key: nonsense}, {role: hr}]
`)
	_, err := LoadConfig(file)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"this machine alone", "a grant of 1s", "vault.serve.audit_public_keys[0]", "want https", "audience", `"king"`,
		"reveal.url", `role is "ceo"`, "policies.signers[0]", "policies.signers[1]", "it has no name",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not speak of %s:\n%v", want, err)
		}
	}
	write(t, file, "reveal: {url: vault.example}\n")
	if _, err := LoadConfig(file); err == nil || !strings.Contains(err.Error(), "reveal.url") {
		t.Errorf("no scheme: %v", err)
	}
	t.Setenv("RISKPIPE_VAULT_SERVE_OIDC_ROLES", `[{"group":"soc","roles":["investigator","analyst"]}]`)
	c, err := LoadConfig("")
	if err != nil || len(c.Vault.Serve.OIDC.Roles) != 1 || c.Vault.Serve.OIDC.Roles[0].Roles[1] != vault.RoleAnalyst {
		t.Errorf("%+v, %v", c.Vault.Serve.OIDC, err)
	}
}
