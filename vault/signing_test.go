package vault

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A key is read back from its text, verifies under its public half alone, and
// shows nothing of its secret.
func TestSigningKey(t *testing.T) {
	for range 50 { // base64 has plus signs now and then
		key, text, err := GenerateSigningKey(rand.Reader, "hr.example/erin")
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseSigningKey(" " + text + "\n")
		if err != nil || again.Public().String() != key.Public().String() {
			t.Fatalf("read back as %v, %v", again, err)
		}
		public, err := ParseVerifyingKey(key.Public().String())
		if err != nil || public.Name() != "hr.example/erin" || key.Name() != public.Name() {
			t.Fatalf("%v, %v", public, err)
		}
		signed, err := key.sign("text\n")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := openNote(signed, []*VerifyingKey{public}); err != nil || got != "text\n" {
			t.Fatalf("%q, %v", got, err)
		}
		if _, err := openNote(signed, []*VerifyingKey{signingKey(t, "hr.example/erin").Public()}); err == nil {
			t.Fatal("another key of the same name verified it")
		}
		secret := strings.SplitN(text, "+", 5)[4] // PRIVATE+KEY+name+hash+key, whose base64 may have a plus, too
		encoded, err := json.Marshal(key)
		shown := fmt.Sprintf("%v %+v %#v %x %s %s", key, key, key, key, encoded, key.LogValue())
		if err != nil || strings.Contains(shown, secret) || !strings.Contains(shown, public.String()) {
			t.Fatalf("shown as %s, %v", shown, err)
		}
	}
	if (*SigningKey)(nil).String() != "no signing key" {
		t.Error("a nil key does not print")
	}
}

// What is no key is refused and not quoted; a private key is not taken for a
// public one; a file that others can read is not read.
func TestSigningKey_problems(t *testing.T) {
	_, text, err := GenerateSigningKey(rand.Reader, "audit")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "a b", "a+b"} {
		if _, _, err := GenerateSigningKey(rand.Reader, name); err == nil {
			t.Errorf("a key named %q", name)
		}
	}
	for _, bad := range []string{"", "PRIVATE+KEY", "PRIVATE+KEY+audit+00000000+AAAA", text[:len(text)-8]} {
		if _, err := ParseSigningKey(bad); !errors.Is(err, errSigningKey) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for bad, want := range map[string]string{text: "private key", "audit": "public key"} {
		if _, err := ParseVerifyingKey(bad); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), text[12:]) {
			t.Errorf("%q as a public key: %v", bad, err)
		}
	}
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadSigningKeyFile(file); err != nil {
		t.Error(err)
	}
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadSigningKeyFile(file); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("readable by the group: %v", err)
	}
}
