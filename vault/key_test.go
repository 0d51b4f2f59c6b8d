package vault

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/riskpipe/riskpipe/schemas"
)

var secret = []byte("an invented secret for the tests")

func newKey(t testing.TB) *Key {
	t.Helper()
	key, err := NewKey(1, secret)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// oracle is HMAC as crypto/hmac alone computes it, from the documented encoding.
func oracle(secret []byte, message string) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(message))
	return h.Sum(nil)
}

// Pseudonyms and hashes are what crypto/hmac says over the documented encoding.
func TestKey_oracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.SliceOfN(rapid.Byte(), 32, 200).Draw(t, "secret")
		identity := rapid.String().Draw(t, "identity")
		kind := rapid.String().Draw(t, "kind")
		value := rapid.StringN(1, -1, -1).Draw(t, "value")
		key, err := NewKey(7, secret)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := key.Pseudonym(identity), oracle(secret, "pseudonym\x00"+identity)[:16]; !bytes.Equal(got[:], want) {
			t.Fatalf("pseudonym of %q: %x, want %x", identity, got[:], want)
		}
		message := "hash\x00" + string(binary.AppendUvarint(nil, uint64(len(kind)))) + kind + value
		want := schemas.Hash(binary.BigEndian.Uint64(oracle(secret, message)))
		if got := key.Hash(kind, value); got != want {
			t.Fatalf("hash of %q %q: %x, want %x", kind, value, got, want)
		}
	})
}

// What was released stays: a changed encoding would make strangers of everybody.
// The values come from another implementation of HMAC.
func TestKey_golden(t *testing.T) {
	key := newKey(t)
	pseudonyms := map[string]string{
		"upn:ada@contoso.com": "4ae388adad7878a347699e91dea03f5b",
		"":                    "bcc80d60149ec912ff0635df5b3286c3",
	}
	for identity, want := range pseudonyms {
		got := key.Pseudonym(identity)
		if hex.EncodeToString(got[:]) != want {
			t.Errorf("pseudonym of %q: %x, want %s", identity, got[:], want)
		}
	}
	hashes := map[[2]string]string{
		{"ip", "203.0.113.7"}:     "7eb4caec0476ad5d",
		{"domain", "203.0.113.7"}: "cbeedb6481ae548f",
	}
	for of, want := range hashes {
		if got, _ := key.Hash(of[0], of[1]).MarshalText(); string(got) != want {
			t.Errorf("hash of %q: %s, want %s", of, got, want)
		}
	}
}

// Kind and value, and pseudonym and hash, cannot be shifted into one another.
func TestKey_domains(t *testing.T) {
	key := newKey(t)
	if key.Hash("a", "bc") == key.Hash("ab", "c") {
		t.Error("kind and value run into each other")
	}
	if key.Hash("", "x") == key.Hash("x", "x") {
		t.Error("the kind does not count")
	}
	p := key.Pseudonym("x")
	if schemas.Hash(binary.BigEndian.Uint64(p[:8])) == key.Hash("", "x") {
		t.Error("a hash is the beginning of a pseudonym")
	}
	if key.Hash("ip", "") != 0 {
		t.Error("the hash of nothing is not 0")
	}
	other, err := NewKey(2, append([]byte("x"), secret...))
	if err != nil {
		t.Fatal(err)
	}
	if other.Pseudonym("x") == p {
		t.Error("two keys give one pseudonym")
	}
}

// A short secret and a version below 1 are refused, both at once.
func TestNewKey_refuses(t *testing.T) {
	_, err := NewKey(0, secret[:31])
	if err == nil || !strings.Contains(err.Error(), "version 0") || !strings.Contains(err.Error(), "31 bytes") {
		t.Errorf("got %v", err)
	}
}

// The caller may wipe its copy of the secret.
func TestNewKey_copies(t *testing.T) {
	mine := bytes.Clone(secret)
	key, err := NewKey(1, mine)
	if err != nil {
		t.Fatal(err)
	}
	clear(mine)
	if key.Pseudonym("x") != newKey(t).Pseudonym("x") {
		t.Error("the key changed with the caller's slice")
	}
}

// A generated key and its text are one key, and no two are alike.
func TestGenerateKey(t *testing.T) {
	key, text, err := GenerateKey(3)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := ParseKey(" " + text + "\r\n")
	if err != nil {
		t.Fatal(err)
	}
	if parsed.Version() != 3 || parsed.Pseudonym("x") != key.Pseudonym("x") {
		t.Error("the text is another key")
	}
	if _, second, _ := GenerateKey(3); second == text {
		t.Error("the same key twice")
	}
	if _, _, err := GenerateKey(0); err == nil {
		t.Error("version 0 was accepted")
	}
}

// Wrong texts are refused with an error that says what is wanted and quotes nothing.
func TestParseKey_refuses(t *testing.T) {
	good := base64.StdEncoding.EncodeToString(secret)
	for _, text := range []string{
		"", "v1", "v1:", good, "1:" + good, "v:" + good, "vx:" + good, "v0:" + good, "v-1:" + good, "v99999999999:" + good,
		"v1:" + good + "!", "v1:" + good[:20], "v1:" + base64.StdEncoding.EncodeToString(secret[:31]), "v1:" + good[:42] + "N=",
	} {
		_, err := ParseKey(text)
		if err == nil {
			t.Errorf("%q was accepted", text)
		} else if strings.Contains(err.Error(), good[:16]) {
			t.Errorf("%q: the error quotes the secret: %v", text, err)
		}
	}
}

// No way of printing shows the secret.
func TestKey_neverPrints(t *testing.T) {
	key := newKey(t)
	type holder struct {
		Key   *Key
		inner *Key
	}
	var out strings.Builder
	for _, value := range []any{key, *key, holder{key, key}, &holder{key, key}, []*Key{key}, map[string]*Key{"k": key}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb+"\n", value)
		}
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(text)
		slog.New(slog.NewTextHandler(&out, nil)).Info("m", "key", value)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "key", value)
	}
	for _, form := range []string{
		string(secret), hex.EncodeToString(secret), strings.ToUpper(hex.EncodeToString(secret)),
		base64.StdEncoding.EncodeToString(secret), fmt.Sprintf("%d", secret[:6])[1:20], fmt.Sprintf("%#v", secret[:4])[7:],
	} {
		if strings.Contains(out.String(), form) {
			t.Errorf("%q shows in:\n%s", form, out.String())
		}
	}
	if got := fmt.Sprintf("%#v", key); got != "key v1 (secret withheld)" {
		t.Errorf("got %q", got)
	}
	if got := fmt.Sprint((*Key)(nil)); got != "no key" {
		t.Errorf("a nil key prints as %q", got)
	}
}

// Key files are read when only their owner may.
func TestReadKeyFile(t *testing.T) {
	_, text, err := GenerateKey(2)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		mode os.FileMode
		ok   bool
	}{{0o600, true}, {0o400, true}, {0o640, false}, {0o604, false}, {0o620, false}, {0o644, false}} {
		if err := os.Chmod(path, test.mode); err != nil {
			t.Fatal(err)
		}
		key, err := ReadKeyFile(path)
		switch {
		case test.ok && (err != nil || key.Version() != 2):
			t.Errorf("mode %04o: %v", test.mode, err)
		case !test.ok && (err == nil || !strings.Contains(err.Error(), "chmod 600 "+path)):
			t.Errorf("mode %04o: %v", test.mode, err)
		}
	}
	if err := os.WriteFile(path, bytes.Repeat([]byte("x"), maxKeyFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{path, t.TempDir(), filepath.Join(t.TempDir(), "missing")} {
		if _, err := ReadKeyFile(bad); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}

// Many goroutines share a key and get what one alone would.
func TestKey_concurrent(t *testing.T) {
	key := newKey(t)
	want, hash := key.Pseudonym("ada"), key.Hash("ip", "x")
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for range 500 {
				key.Pseudonym(strings.Repeat("x", i*1000))
				if key.Pseudonym("ada") != want || key.Hash("ip", "x") != hash {
					t.Error("another result under concurrency")
					return
				}
			}
		})
	}
	group.Wait()
}

// The steady path allocates nothing.
func TestKey_allocations(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector empties pools at random")
	}
	key := newKey(t)
	if n := testing.AllocsPerRun(1000, func() {
		key.Pseudonym("upn:ada@contoso.com")
		key.Hash("object", "https://contoso.sharepoint.com/sites/research/shared documents/plan.docx")
	}); n != 0 {
		t.Errorf("%v allocations a call", n)
	}
}

func BenchmarkKey_Pseudonym(b *testing.B) {
	key := newKey(b)
	b.ReportAllocs()
	for b.Loop() {
		key.Pseudonym("upn:ada.lovelace@contoso.com")
	}
}

func BenchmarkKey_Hash(b *testing.B) {
	key := newKey(b)
	b.ReportAllocs()
	for b.Loop() {
		key.Hash("file_name", "quarterly results.xlsx")
	}
}
