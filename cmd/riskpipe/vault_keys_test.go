package main

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/riskpipe/riskpipe/vault"
)

// keyProgram is a program that holds the vault keys of the files in its
// arguments, in the protocol of vault.private_key_command.
func keyProgram() int {
	answer := func(v map[string]any) int {
		if err := json.NewEncoder(os.Stdout).Encode(v); err != nil {
			return 1
		}
		return 0
	}
	if os.Getenv("RISKPIPE_VAULT_PRIVATE_KEY_COMMAND") != "" {
		return answer(map[string]any{"error": "it has the settings of riskpipe"})
	}
	keys := map[string]*vault.PrivateKey{}
	var public []string
	for _, path := range os.Args[1:] {
		text, err := os.ReadFile(path)
		if err != nil {
			return answer(map[string]any{"error": err.Error()})
		}
		key, err := vault.ParsePrivateKey(string(text))
		if err != nil {
			return answer(map[string]any{"error": err.Error()})
		}
		public = append(public, key.Public().String())
		keys[key.Public().String()] = key
	}
	var question struct {
		Operation string `json:"operation"`
		PublicKey string `json:"public_key"`
		Peer      []byte `json:"peer"`
	}
	line, err := bufio.NewReader(os.Stdin).ReadBytes('\n')
	if err != nil || json.Unmarshal(line, &question) != nil {
		return 1
	}
	if question.Operation == "public_keys" {
		return answer(map[string]any{"public_keys": public})
	}
	shared, err := keys[question.PublicKey].Agree(context.Background(), question.Peer)
	if err != nil {
		return 1
	}
	return answer(map[string]any{"shared_secret": shared})
}

// Private keys come by the environment, from files and from a program, and all of
// them open; the first is the current one.
func TestVaultConfig_keyring(t *testing.T) {
	dir := t.TempDir()
	var keys []*vault.PrivateKey
	var texts, files []string
	for i := range 5 {
		key, text, err := vault.GeneratePrivateKey()
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, string(rune('a'+i))+".key")
		write(t, file, text)
		keys, texts, files = append(keys, key), append(texts, text), append(files, file)
	}
	t.Setenv("RISKPIPE_VAULT_PRIVATE_KEY", texts[0]+" "+texts[1]+"\n")
	t.Setenv("RISKPIPE_VAULT_PRIVATE_KEY_FILE", files[2])
	t.Setenv("RISKPIPE_VAULT_PRIVATE_KEY_COMMAND", "keyprogram, "+files[3]+","+files[4])
	c, err := LoadConfig("")
	if err != nil {
		t.Fatal(err)
	}
	ring, err := c.Vault.keyring(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	held, err := c.Vault.privateKeys(t.Context())
	if err != nil || len(held) != 5 {
		t.Fatalf("%d keys, %v", len(held), err)
	}
	for i, key := range keys {
		sealed, err := key.Public().Seal([]byte("here"), []byte("name"))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := ring.Open(t.Context(), key.ID(), sealed, []byte("here")); err != nil || string(got) != "name" || held[i].Public().ID() != key.ID() {
			t.Errorf("key %d: %q, %v", i, got, err)
		}
	}
	for want, change := range map[string]func(*VaultConfig){
		"is given twice":             func(c *VaultConfig) { c.PrivateKeys = append(c.PrivateKeys, files[0]) },
		"vault.private_key_file":     func(c *VaultConfig) { c.PrivateKeys = []string{filepath.Join(dir, "none")} },
		"vault.private_key:":         func(c *VaultConfig) { c.PrivateKey = "rpvsecret1:" + marker },
		"vault.private_key_command:": func(c *VaultConfig) { c.PrivateKeyCommand = []string{filepath.Join(dir, "none")} },
		"no private key":             func(c *VaultConfig) { *c = VaultConfig{} },
	} {
		changed := c.Vault
		change(&changed)
		if _, err := changed.keyring(t.Context()); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), marker) {
			t.Errorf("want %q: %v", want, err)
		}
	}
	t.Setenv("RISKPIPE_VAULT_PRIVATE_KEY", "rpvsecret1:"+marker)
	if _, err := LoadConfig(""); err == nil || !strings.Contains(err.Error(), "vault.private_key:") || strings.Contains(err.Error(), marker) {
		t.Error(err)
	}
}
