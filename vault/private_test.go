package vault

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func newVaultKey(t testing.TB) *PrivateKey {
	t.Helper()
	key, _, err := GeneratePrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newRing(t testing.TB, keys ...KeyAgreement) *Keyring {
	t.Helper()
	ring, err := NewKeyring(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// What the public half seals, the private one opens, with the same additional
// data alone.
func TestPrivateKey_Open(t *testing.T) {
	key, other := newVaultKey(t), newVaultKey(t)
	rapid.Check(t, func(t *rapid.T) {
		plaintext := rapid.SliceOf(rapid.Byte()).Draw(t, "plaintext")
		additional := rapid.SliceOf(rapid.Byte()).Draw(t, "additional")
		sealed, err := key.Public().Seal(additional, plaintext)
		if err != nil {
			t.Fatal(err)
		}
		if len(sealed) != len(plaintext)+48 {
			t.Fatalf("%d bytes for %d", len(sealed), len(plaintext))
		}
		if opened, err := key.Open(additional, sealed); err != nil || !bytes.Equal(opened, plaintext) {
			t.Fatalf("opened %x, %v", opened, err)
		}
		if _, err := other.Open(additional, sealed); !errors.Is(err, ErrNotAuthentic) {
			t.Fatalf("another key: %v", err)
		}
		if _, err := key.Open(append(additional, 0), sealed); !errors.Is(err, ErrNotAuthentic) {
			t.Fatalf("other additional data: %v", err)
		}
		at := rapid.IntRange(0, len(sealed)-1).Draw(t, "changed byte")
		sealed[at] ^= 1 << rapid.IntRange(0, 7).Draw(t, "changed bit")
		if opened, err := key.Open(additional, sealed); !errors.Is(err, ErrNotAuthentic) {
			t.Fatalf("byte %d changed: %x, %v", at, opened, err)
		}
		if _, err := key.Open(additional, sealed[:at]); !errors.Is(err, ErrNotAuthentic) {
			t.Fatalf("%d bytes: %v", at, err)
		}
	})
}

// Both halves and their texts are one pair, and the id is of the public half.
func TestGeneratePrivateKey(t *testing.T) {
	key, text, err := GeneratePrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	private, err := ParsePrivateKey(" " + text + "\r\n")
	if err != nil {
		t.Fatal(err)
	}
	public, err := ParsePublicKey("\n" + key.Public().String() + " ")
	if err != nil {
		t.Fatal(err)
	}
	if private.ID() != key.ID() || public.ID() != key.ID() || len(key.ID()) != 16 {
		t.Errorf("ids %s, %s, %s", key.ID(), private.ID(), public.ID())
	}
	sealed, err := public.Seal(nil, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	if opened, err := private.Open(nil, sealed); err != nil || string(opened) != "x" {
		t.Errorf("opened %q, %v", opened, err)
	}
	if newVaultKey(t).ID() == key.ID() {
		t.Error("the same key twice")
	}
}

// The released forms stay: text of keys, ids, and what was sealed to them.
func TestPrivateKey_golden(t *testing.T) {
	key, err := ParsePrivateKey("rpvsecret1:YW4gaW52ZW50ZWQgc2VjcmV0IGZvciB0aGUgdGVzdHM=")
	if err != nil {
		t.Fatal(err)
	}
	const public, id = "rpv1:B+dbYluCJSWTScNLml69nPuHsS5kTY6qz2QxigLcX2M=", "9c6014e57977be0b"
	if key.Public().String() != public || key.ID() != id {
		t.Errorf("public key %s of id %s", key.Public(), key.ID())
	}
	sealed, err := hex.DecodeString("453e416391554538cc20d510f9e6dadf3f98eb3ac37448781175e0d59e06f466874e62ac88771fdcc914ebc1c2ab82f63a11467c92")
	if err != nil {
		t.Fatal(err)
	}
	if opened, err := key.Open([]byte("additional"), sealed); err != nil || string(opened) != "plain" {
		t.Errorf("opened %q, %v", opened, err)
	}
}

// Wrong texts are refused with an error that says what is wanted and quotes
// nothing of a secret.
func TestParsePrivateKey_refuses(t *testing.T) {
	good := base64.StdEncoding.EncodeToString(secret)
	for _, text := range []string{
		"", "rpvsecret1", "rpvsecret1:", good, "rpv1:" + good, "rpvsecret2:" + good, "rpvsecret1:" + good + "!",
		"rpvsecret1:" + good[:20], "rpvsecret1:" + good[:42] + "N=",
	} {
		_, err := ParsePrivateKey(text)
		if err == nil || !strings.Contains(err.Error(), "want rpvsecret1:") {
			t.Errorf("%q: %v", text, err)
		} else if strings.Contains(err.Error(), good[:16]) {
			t.Errorf("%q: the error quotes the secret: %v", text, err)
		}
	}
}

// Texts that are no public key are refused, above all a private one and points
// that would seal to everybody.
func TestParsePublicKey_refuses(t *testing.T) {
	zero := base64.StdEncoding.EncodeToString(make([]byte, 32))
	for _, text := range []string{"", "rpv1:", zero, "rpv1:" + zero, "rpv1:" + zero[:20], "rpv2:" + zero} {
		if _, err := ParsePublicKey(text); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
	_, text, err := GeneratePrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParsePublicKey(text); err == nil || !strings.Contains(err.Error(), "private key") || strings.Contains(err.Error(), text[12:20]) {
		t.Errorf("a private key: %v", err)
	}
}

// No way of printing shows a private key.
func TestPrivateKey_neverPrints(t *testing.T) {
	key, text, err := GeneratePrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	raw := key.key.Bytes()
	type holder struct {
		Key   *PrivateKey
		inner *PrivateKey
	}
	var out strings.Builder
	ring := newRing(t, key)
	for _, value := range []any{key, *key, holder{key, key}, &holder{key, key}, []*PrivateKey{key}, ring, *ring, NewEvidenceOpener(ring)} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb+"\n", value)
		}
		if b, err := json.Marshal(value); err == nil {
			out.Write(b)
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("m", "key", value)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "key", value)
	}
	for _, form := range []string{
		string(raw[:8]), hex.EncodeToString(raw[:8]), strings.ToUpper(hex.EncodeToString(raw[:8])), text[len(privatePrefix):][:12],
		strings.Trim(fmt.Sprintf("%d", raw[:6]), "[]"), fmt.Sprintf("%#v", raw[:4])[7:],
	} {
		if strings.Contains(out.String(), form) {
			t.Errorf("%q shows in:\n%s", form, out.String())
		}
	}
	if got := fmt.Sprintf("%#v", key); got != "vault key "+key.ID()+" (secret withheld)" {
		t.Errorf("got %q", got)
	}
	if got := fmt.Sprint((*PrivateKey)(nil)); got != "no vault key" {
		t.Errorf("a nil key prints as %q", got)
	}
}

// Private key files are read when only their owner may; public ones always.
func TestReadPrivateKeyFile(t *testing.T) {
	dir := t.TempDir()
	paths := []string{filepath.Join(dir, "1.key"), filepath.Join(dir, "2.key")}
	for _, path := range paths {
		_, text, err := GeneratePrivateKey()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	first, err := ReadPrivateKeyFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	second, err := ReadPrivateKeyFile(paths[1])
	if err != nil {
		t.Fatal(err)
	}
	ring := newRing(t, first, second)
	if _, err := NewKeyring(first, second, first); err == nil || !strings.Contains(err.Error(), "given twice") {
		t.Errorf("one key twice: %v", err)
	}
	if _, err := NewKeyring(); err == nil {
		t.Error("a keyring without keys")
	}
	if err := os.Chmod(paths[1], 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadPrivateKeyFile(paths[1]); err == nil || !strings.Contains(err.Error(), "chmod 600 "+paths[1]) {
		t.Errorf("mode 0640: %v", err)
	}
	if _, err := ring.Open(t.Context(), "0000000000000000", nil, nil); !errors.Is(err, ErrUnknownVaultKey) {
		t.Errorf("another vault key: %v", err)
	}
	public := filepath.Join(dir, "vault.pub")
	if err := os.WriteFile(public, []byte(newVaultKey(t).Public().String()+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadPublicKeyFile(public); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{paths[0], dir, filepath.Join(dir, "missing")} {
		if _, err := ReadPublicKeyFile(bad); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}
