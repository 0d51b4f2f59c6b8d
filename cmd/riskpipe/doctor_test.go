package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/riskpipe/riskpipe/vault"
)

// The doctor says which keys are missing, too widely readable, or where they do
// not belong.
func TestDoctor_keys(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) string {
		path := filepath.Join(dir, name)
		write(t, path, text)
		return path
	}
	private, secret, err := vault.GeneratePrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	other, _, err := vault.GeneratePrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	pseudonyms := map[int32]string{}
	for version := int32(1); version <= 2; version++ {
		_, text, err := vault.GenerateKey(version)
		if err != nil {
			t.Fatal(err)
		}
		pseudonyms[version] = text
	}
	older, newer := put("pseudonym.key", pseudonyms[1]), put("pseudonym-v2.key", pseudonyms[2])
	vaultKey, open := put("vault.key", secret), put("open.key", pseudonyms[1])
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	public := private.Public().String()
	for name, test := range map[string]struct {
		change func(*Config)
		want   []string // status, check: detail
	}{
		"normaliser": {
			func(c *Config) { c.Vault.PublicKey, c.Pseudonym.KeyFile = public, newer },
			[]string{"ok pseudonym key: version 2, readable by its owner alone", "ok vault public key: id " + private.ID(), "ok vault private key: none here"},
		},
		"nothing": {func(*Config) {}, []string{"wrong pseudonym key: no pseudonym key", "warning vault public key: none: evidence", "ok vault private key: none here"}},
		"open key file": {
			func(c *Config) { c.Vault.PublicKey, c.Pseudonym.KeyFile = public, open },
			[]string{"wrong pseudonym key: reading pseudonym.key_file: reading the key file " + open + ": mode 0644", "ok vault public", "ok vault private"},
		},
		"key in the environment": {
			func(c *Config) { c.Vault.PublicKey, c.Pseudonym.Key = public, Secret(pseudonyms[1]) },
			[]string{"warning pseudonym key: version 1, in the configuration or the environment", "ok vault public", "ok vault private"},
		},
		"rotated": {
			func(c *Config) {
				c.Pseudonym.KeyFile, c.Pseudonym.PreviousKeyFile, c.Vault.PublicKey = newer, older, public
			},
			[]string{"ok pseudonym", "ok previous pseudonym key: version 1", "ok vault public", "ok vault private"},
		},
		"rotated back": {
			func(c *Config) {
				c.Pseudonym.KeyFile, c.Pseudonym.PreviousKeyFile, c.Vault.PublicKey = older, newer, public
			},
			[]string{"ok pseudonym", "wrong previous pseudonym key: version 2, of which the current key is version 1", "ok vault public", "ok vault private"},
		},
		"previous missing": {
			func(c *Config) {
				c.Pseudonym.KeyFile, c.Pseudonym.PreviousKeyFile, c.Vault.PublicKey = older, dir+"/none", public
			},
			[]string{"ok pseudonym", "wrong previous pseudonym key: reading pseudonym.previous_key_file", "ok vault public", "ok vault private"},
		},
		"private as public": {
			func(c *Config) { c.Pseudonym.KeyFile, c.Vault.PublicKeyFile = newer, vaultKey },
			[]string{"ok pseudonym", "wrong vault public key: vault.public_key_file", "ok vault private"},
		},
		"private key of a service": {
			func(c *Config) {
				c.Pseudonym.KeyFile, c.Vault.PublicKey, c.Vault.PrivateKey = newer, public, Secret(secret)
			},
			[]string{"ok pseudonym", "ok vault public", "wrong vault private key: this configuration has it and serves no vault"},
		},
		"vault": {
			func(c *Config) {
				c.Pseudonym.KeyFile, c.Vault.PublicKey, c.Vault.PrivateKeys, c.Vault.Serve.AuditFile = newer, public, []string{vaultKey}, "audit.jsonl"
			},
			[]string{"ok pseudonym", "ok vault public", "ok vault private key: " + private.ID()},
		},
		"vault of other keys": {
			func(c *Config) {
				c.Pseudonym.KeyFile, c.Vault.PublicKey, c.Vault.PrivateKeys, c.Vault.Serve.AuditFile = newer, other.Public().String(), []string{vaultKey}, "audit.jsonl"
			},
			[]string{"ok pseudonym", "ok vault public", "wrong vault private key: " + private.ID() + ": none of them opens"},
		},
		"vault without keys": {
			func(c *Config) {
				c.Pseudonym.KeyFile, c.Vault.PublicKey, c.Vault.Serve.AuditFile = newer, public, "audit.jsonl"
			},
			[]string{"ok pseudonym", "ok vault public", "wrong vault private key: none, but vault.serve"},
		},
		"vault with a broken key": {
			func(c *Config) {
				c.Pseudonym.KeyFile, c.Vault.PublicKey, c.Vault.PrivateKeys, c.Vault.Serve.AuditFile = newer, public, []string{open}, "audit.jsonl"
			},
			[]string{"ok pseudonym", "ok vault public", "wrong vault private key: vault.private_key_file: reading the key file " + open + ": mode 0644"},
		},
		"everybody trusted": {
			func(c *Config) {
				c.Pseudonym.KeyFile, c.Vault.PublicKey, c.Redis.TLS = newer, public, TLSConfig{Enabled: true, InsecureSkipVerify: true}
			},
			[]string{"ok pseudonym", "ok vault public", "ok vault private", "wrong TLS of redis: certificates are not verified"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			config, err := LoadConfig("")
			if err != nil {
				t.Fatal(err)
			}
			test.change(&config)
			d := doctor{config: config}
			d.key(t.Context())
			d.vault(t.Context())
			d.certificates(t.Context())
			var got []string
			failed := false
			for _, f := range d.findings {
				got = append(got, f.Status+" "+f.Check+": "+f.Detail)
				failed = failed || f.Status == "wrong"
				if (f.Status == "ok") != (f.Advice == "") {
					t.Errorf("%+v: advice belongs to what is not well", f)
				}
			}
			if len(got) != len(test.want) || failed != d.failed {
				t.Fatalf("it says\n%s", strings.Join(got, "\n"))
			}
			for i, want := range test.want {
				if !strings.HasPrefix(got[i], want) {
					t.Errorf("it says %s\nwant    %s", got[i], want)
				}
			}
			if text := strings.Join(got, "\n"); strings.Contains(text, secret[12:24]) || strings.Contains(text, pseudonyms[1][4:16]) {
				t.Error("a finding shows a secret")
			}
		})
	}
}

// Activities without evidence are told of while there is time.
func TestDoctor_evidence(t *testing.T) {
	l := newLive(t)
	say := func() finding {
		d := doctor{config: l.config}
		d.evidence(t.Context(), l.conn)
		return d.findings[0]
	}
	if f := say(); f.Status != "ok" || f.Detail != "no activity within a day" {
		t.Errorf("it says %+v", f)
	}
	if err := l.conn.Exec(t.Context(), "INSERT INTO activity (event_id, operation, time) VALUES (generateUUIDv4(), 'x', now())"); err != nil {
		t.Fatal(err)
	}
	if f := say(); f.Status != "warning" || !strings.HasPrefix(f.Detail, "none of 1 activities") {
		t.Errorf("it says %+v", f)
	}
	l.config.ClickHouse.Database = "no_such_database"
	if f := say(); f.Status != "warning" {
		t.Errorf("it says %+v", f)
	}
}
