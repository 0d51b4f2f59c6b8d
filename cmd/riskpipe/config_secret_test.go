package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/riskpipe/riskpipe/vault"
)

// marker is in every secret of these tests and in nothing else.
const marker = "ZQMARKER"

// All secrets are known, and every setting that is named like one is one.
func TestSecretKeys(t *testing.T) {
	secrets := secretKeys()
	for _, want := range []string{
		"kafka.sasl.password", "kafka.sasl.token", "raw_kafka.sasl.password", "raw_kafka.sasl.token", "registry.password",
		"redis.password", "clickhouse.password", "pseudonym.key", "vault.private_key", "reveal.token",
	} {
		if !slices.Contains(secrets, want) {
			t.Errorf("%s is no secret", want)
		}
	}
	v, err := readSettings("")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range v.AllKeys() {
		last := key[strings.LastIndexByte(key, '.')+1:]
		named := slices.Contains([]string{"password", "token", "key", "private_key", "secret"}, last)
		if named != slices.Contains(secrets, key) {
			t.Errorf("%s: a secret by its name is %t", key, named)
		}
	}
	for _, key := range secrets {
		if !v.IsSet(key) {
			t.Errorf("%s is not in the defaults", key)
		}
	}
}

// No secret shows in the effective configuration, whatever layer it comes from.
func TestEffectiveSettings_secrets(t *testing.T) {
	tree := map[string]any{}
	for _, key := range secretKeys() {
		put(tree, key, marker+" "+key)
	}
	put(tree, "reveal.url", "https://"+marker+":"+marker+"@vault.example/"+marker[:2])
	put(tree, "policies.signatures", "s3://"+marker+":x/"+marker+"@bucket/x")
	put(tree, "clickhouse.addresses", []string{"http://u:" + marker + "@a:1", "b:2"})
	path := writeYAML(t, tree)
	check := func(path string) {
		t.Helper()
		settings, err := effectiveSettings(path)
		if err != nil {
			t.Fatal(err)
		}
		asYAML, err := yaml.Marshal(settings)
		asJSON, err2 := json.Marshal(settings)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		for _, text := range []string{string(asYAML), string(asJSON)} {
			if strings.Contains(text, marker) {
				t.Errorf("a secret shows in\n%s", text)
			}
		}
		if shown := strings.Count(string(asJSON), `"***"`); shown != len(secretKeys()) {
			t.Errorf("%d secrets show as ***, want %d:\n%s", shown, len(secretKeys()), asJSON)
		}
	}
	check(path)
	for _, key := range secretKeys() {
		t.Setenv(envPrefix+"_"+strings.ToUpper(strings.ReplaceAll(key, ".", "_")), marker)
	}
	check("")
}

// No error of reading a configuration quotes a secret, whatever is wrong with it.
func TestLoadConfig_neverQuotesSecrets(t *testing.T) {
	refused := func(name, path string) {
		t.Helper()
		_, err := LoadConfig(path)
		if err == nil {
			return // the marker is a fine password
		}
		if text := fmt.Sprintf("%v %+v", err, err); strings.Contains(text, marker) {
			t.Errorf("%s: the error quotes the secret: %v", name, err)
		}
	}
	wrong := map[string]any{
		"text": marker, "list": []any{marker}, "map": map[string]any{marker: marker}, "list of maps": []any{map[string]any{"password": marker}},
		"nested": map[string]any{"a": []any{map[string]any{"b": marker}}}, "fraction": []any{1.5, marker}, "lines": marker + "\n" + marker,
	}
	for _, key := range secretKeys() {
		for name, value := range wrong {
			tree := map[string]any{}
			put(tree, key, value)
			// Other mistakes, so that there is an error to quote in.
			put(tree, "log.level", "loud")
			put(tree, "kafka.sasl.mechanism", "PLAIN")
			put(tree, "kafka.sasl.password_file", "/nowhere")
			refused(key+" as "+name, writeYAML(t, tree))
		}
		// In the place of what holds it.
		if at := strings.LastIndexByte(key, '.'); at > 0 {
			for name, value := range wrong {
				tree := map[string]any{}
				if name != "map" { // its keys are unknown settings, which are named
					put(tree, key[:at], value)
				}
				refused(key[:at]+" as "+name, writeYAML(t, tree))
			}
		}
	}
	for _, text := range []string{marker, marker + "\n", "- " + marker, "redis: {password: " + marker, "redis:\n\tpassword: " + marker, "redis: {password: *" + strings.ToLower(marker) + "}", `redis: {password: "` + marker + `\q"}`} {
		path := filepath.Join(t.TempDir(), "riskpipe.yaml")
		write(t, path, text)
		refused(fmt.Sprintf("%q", text), path)
	}
	for _, key := range []string{"registry.url", "reveal.url", "vault.serve.oidc.issuer"} {
		for _, url := range []string{"https://u:%s@host", "ftp://%s@host", "http://u:%s@host/path?q#f", "https://u:p/%s@host", "http://%s@[::1", "http://%%zz:%s@h"} {
			tree := map[string]any{}
			put(tree, key, fmt.Sprintf(url, marker))
			if _, err := LoadConfig(writeYAML(t, tree)); err == nil {
				t.Errorf("%s: %s passed", key, url)
			}
			refused(key, writeYAML(t, tree))
		}
	}
	for _, key := range []string{"kafka.brokers", "raw_kafka.brokers", "redis.addresses", "clickhouse.addresses"} {
		for _, address := range []string{"redis://u:" + marker + "@host:1", "u:" + marker + "@host:1", marker + "@host"} {
			tree := map[string]any{}
			put(tree, key, []string{address})
			refused(key, writeYAML(t, tree))
		}
	}
}

// A key in the place of its file is not read as a file's name, which errors have.
func TestLoadConfig_keyAsFile(t *testing.T) {
	_, private, err := vault.GeneratePrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	_, pseudonym, err := vault.GenerateKey(1)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"pseudonym.key_file", "pseudonym.previous_key_file", "vault.private_key_file", "vault.public_key_file", "vault.serve.audit_key_file"} {
		for _, secret := range []string{private, pseudonym} {
			t.Run(key, func(t *testing.T) {
				t.Setenv(envPrefix+"_"+strings.ToUpper(strings.ReplaceAll(key, ".", "_")), secret)
				_, err := LoadConfig("")
				if err == nil || !strings.Contains(err.Error(), key+" is a key") || strings.Contains(err.Error(), secret[12:24]) {
					t.Error(err)
				}
			})
		}
	}
}

func TestPlainURL(t *testing.T) {
	for text, want := range map[string]string{
		"https://host/a@b":       "https://***@b", // perhaps a password with a slash
		"https://u:p@host/a":     "https://***@host/a",
		"https://u:p@w@host?x=1": "https://***@host?x=1",
		"https://u:p/w@host":     "https://***@host",
		"https://host:1/path":    "https://host:1/path",
		"host:1":                 "host:1",
		"u:p@host":               "u:p@host",
		"":                       "",
	} {
		if got := plainURL(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	if got := hideUserInfo([]any{"a://b@c", 1, []string{"a://b@c"}}); !reflect.DeepEqual(got, []any{"a://***@c", 1, []string{"a://***@c"}}) {
		t.Errorf("got %v", got)
	}
}

// put sets a key with dots in a tree.
func put(tree map[string]any, key string, value any) {
	first, rest, nested := strings.Cut(key, ".")
	if !nested {
		tree[first] = value
		return
	}
	inner, found := tree[first].(map[string]any)
	if !found {
		inner = map[string]any{}
		tree[first] = inner
	}
	put(inner, rest, value)
}

func writeYAML(t *testing.T, tree map[string]any) string {
	t.Helper()
	text, err := yaml.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "riskpipe.yaml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
