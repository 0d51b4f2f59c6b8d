package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/riskpipe/riskpipe/vault"
)

// policyRun runs a subcommand of policy and returns what it prints and its exit code.
func policyRun(t *testing.T, args ...string) (string, int) {
	t.Helper()
	parent := &cobra.Command{Use: "policy", SilenceUsage: true, SilenceErrors: true}
	parent.PersistentFlags().String("config", "", "")
	addPoliciesFlag(parent)
	parent.AddCommand(newPolicySignCommand(), newPolicyVerifyCommand())
	var out bytes.Buffer
	parent.SetOut(&out)
	parent.SetErr(&out)
	parent.SetArgs(args)
	err := parent.ExecuteContext(t.Context())
	var coded *exitError
	switch {
	case err == nil:
		return out.String(), exitOK
	case errors.As(err, &coded):
		return out.String() + coded.Error(), coded.code
	default:
		return out.String() + err.Error(), exitFailure
	}
}

// A policy is signed by HR, then by Legal, and is then verified, until its logic
// changes.
func TestPolicySign(t *testing.T) {
	dir := t.TempDir()
	folder := filepath.Join(dir, "policies")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../operators/policies/data_leaks.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "data_leaks.yaml")
	write(t, file, string(text))
	settings := "policies:\n  signers:\n"
	for name, role := range map[string]string{"erin": "hr", "lou": "legal"} {
		key, secret, err := vault.GenerateSigningKey(rand.Reader, name)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name), secret)
		settings += fmt.Sprintf("    - {name: %s, role: %s, public_key: %q}\n", name, role, key.Public())
	}
	config := filepath.Join(dir, "riskpipe.yaml")
	write(t, config, settings)
	_, stranger, err := vault.GenerateSigningKey(rand.Reader, "mallory")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "mallory"), stranger)

	run := func(code int, want string, args ...string) {
		t.Helper()
		got, status := policyRun(t, append(args, "--config", config, "--policies", folder)...)
		if status != code || !strings.Contains(got, want) {
			t.Errorf("%v: status %d, want %d and %q:\n%s", args, status, code, want, got)
		}
	}
	key := func(name string) string { return filepath.Join(dir, name) }
	run(exitFailure, "not signed for hr", "verify", "data_leaks")
	run(exitOK, "signed for hr by erin", "sign", "data_leaks", "--role", "hr", "--key", key("erin"))
	run(exitFailure, "not signed for legal", "verify", "data_leaks")
	run(exitConfig, "no signer for legal has this key", "sign", "data_leaks", "--role", "legal", "--key", key("erin"))
	run(exitConfig, "no signer for legal has this key", "sign", "data_leaks", "--role", "legal", "--key", key("mallory"))
	run(exitOK, "signed for legal by lou", "sign", "data_leaks", "--role", "legal", "--key", key("lou"))
	run(exitOK, "signed by erin (hr), lou (legal)", "verify", "data_leaks")
	run(exitOK, "signed by erin (hr), lou (legal)", "verify")
	run(exitRejects, "there is no policy", "verify", "nonsense")
	run(exitRejects, "want hr or legal", "sign", "data_leaks", "--role", "ceo", "--key", key("erin"))
	run(exitRejects, "--key", "sign", "data_leaks", "--role", "hr")
	run(exitConfig, "key file", "sign", "data_leaks", "--role", "hr", "--key", key("nobody"))
	signatures := filepath.Join(folder, signaturesFile)
	kept, err := os.ReadFile(signatures)
	if err != nil || !strings.HasPrefix(string(kept), "# Written by riskpipe policy sign.\n") {
		t.Fatalf("%s, %v", kept, err)
	}

	scoring, err := LoadConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	scoring.Score.Policies = folder
	if err := scoring.requireSignatures(slog.New(slog.DiscardHandler), false); err != nil {
		t.Errorf("a signed policy is refused: %v", err)
	}
	version := strings.Replace(string(text), "version: ", "version: 9", 1)
	if version == string(text) {
		t.Fatal("the policy has no version")
	}
	write(t, file, version)
	run(exitFailure, "not signed for hr", "verify", "data_leaks")
	var logged strings.Builder
	log := slog.New(slog.NewTextHandler(&logged, nil))
	if err := scoring.requireSignatures(log, false); err == nil || !strings.Contains(err.Error(), "not signed for hr") || logged.Len() > 0 {
		t.Errorf("the changed policy is scored by: %v, %s", err, &logged)
	}
	if err := scoring.requireSignatures(log, true); err != nil || strings.Count(logged.String(), "level=WARN") != 1 {
		t.Errorf("allowed: %v, %s", err, &logged)
	}
	shadow := strings.Replace(version, "mode: live", "mode: shadow", 1)
	write(t, file, shadow)
	if err := scoring.requireSignatures(log, false); shadow == version || err != nil {
		t.Errorf("a silent policy needs no signature: %v", err)
	}
	write(t, file, string(text))
	write(t, signatures, "- {policy: data_leaks, password: x}\n")
	run(exitConfig, "reading the signatures", "verify")

	if got, code := policyRun(t, "verify", "--config", config); code != exitRejects || !strings.Contains(got, "--signatures") {
		t.Errorf("shipped policies: %d, %s", code, got)
	}
	if got, code := policyRun(t, "verify", "--config", config, "--signatures", filepath.Join(dir, "none")); code > exitFailure || !strings.Contains(got, "not signed") {
		t.Errorf("shipped policies with a file: %d, %s", code, got)
	}
}
