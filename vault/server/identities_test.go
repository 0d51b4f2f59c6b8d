package server

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

// All records of a pseudonym are found, whatever stands between them.
func TestFileIdentities(t *testing.T) {
	file := FileIdentities{filepath.Join(t.TempDir(), "identities.jsonl")}
	line := func(user schemas.Pseudonym, more string) string {
		return `{"user":"` + user.String() + `","key_version":1,"updated_time":null,"sealed":"AA=="` + more + "}\n"
	}
	text := line(grace, "") + line(manager, "") + line(grace, `,"sealing_key":"k"`)
	if err := os.WriteFile(file.Path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := file.Identities(t.Context(), grace)
	if err != nil || len(got) != 2 || got[1].SealingKey != "k" {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := file.Identities(t.Context(), schemas.Pseudonym{9}); !errors.Is(err, vault.ErrNoIdentity) {
		t.Errorf("nobody: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := file.Identities(ended, grace); !errors.Is(err, context.Canceled) {
		t.Errorf("ended: %v", err)
	}
	if err := os.WriteFile(file.Path, []byte(text+"{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := file.Identities(t.Context(), grace); err == nil {
		t.Error("a broken file is read")
	}
	if _, err := (FileIdentities{file.Path + "x"}).Identities(t.Context(), grace); err == nil || errors.Is(err, vault.ErrNoIdentity) {
		t.Errorf("no file: %v", err)
	}
}
