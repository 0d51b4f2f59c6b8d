package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A person's report has all that is held of them, opened, and nothing of anybody
// else; it is on record, and for its owner's eyes alone. Once erased, it is empty.
func TestLive_accessReport(t *testing.T) {
	l := newLive(t)
	auditFile, _ := l.onRecord()
	l.holdVaultKey()
	l.startServices(t.Context())
	publisher, err := newPublisher(l.config)
	if err != nil {
		t.Fatal(err)
	}
	defer publisher.close()
	for _, r := range twoLeavers() {
		if err := publisher.publish(t.Context(), r, r.Time.UTC()); err != nil {
			t.Fatal(err)
		}
	}
	if err := publisher.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.waitUntilRead()

	dir := t.TempDir()
	report := func(name string) accessReport {
		t.Helper()
		users, err := l.config.pseudonymsOf("grace@contoso.example", nil)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, name)
		if _, err := l.config.accessReport(t.Context(), users, file, "request of the person", "DSR-1"); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(file)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v (%v)", info.Mode(), err)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(strings.ToLower(string(text)), "karl") {
			t.Error("the report tells of somebody else")
		}
		var r accessReport
		if err := json.Unmarshal(text, &r); err != nil {
			t.Fatal(err)
		}
		if len(r.Policies) == 0 || len(r.Retention) != 5 {
			t.Errorf("%d policies, %d classes of retention", len(r.Policies), len(r.Retention))
		}
		if _, err := l.config.accessReport(t.Context(), users, file, "again", ""); err == nil {
			t.Error("the file was overwritten")
		}
		return r
	}
	full := report("full.json")
	upn := slices.ContainsFunc(full.Identities, func(i openedIdentity) bool { return i.UPN == "grace@contoso.example" })
	if len(full.Identities) < 2 || !upn || full.States != 1 || full.LearnedNames == 0 {
		t.Errorf("%d identities, %d states, %d names", len(full.Identities), full.States, full.LearnedNames)
	}
	if len(full.Pseudonyms) != 1 {
		t.Fatalf("%d pseudonyms hold something", len(full.Pseudonyms))
	}
	held := full.Pseudonyms[0]
	files := 0
	for _, row := range held.Activities {
		evidence, err := json.Marshal(row["evidence"])
		if err != nil {
			t.Fatal(err)
		}
		if row["activity"] == "file.downloaded" && strings.Contains(string(evidence), ".xlsx") {
			files++
		}
	}
	if files != 150 || len(held.Activities) < 200 || len(held.Alerts) == 0 || len(held.Risk) == 0 || held.Shredded != 0 {
		t.Errorf("%d files of %d activities, %d alerts, %d risks, %d shredded", files, len(held.Activities), len(held.Alerts), len(held.Risk), held.Shredded)
	}
	log, err := os.ReadFile(auditFile)
	if err != nil || !strings.Contains(string(log), `"action":"subject_access.reported"`) || !strings.Contains(string(log), "subject_access") {
		t.Errorf("the audit log (%v) has %s", err, log)
	}

	if _, err := l.erase(eraseOptions{}, "grace@contoso.example"); err != nil {
		t.Fatal(err)
	}
	if empty := report("empty.json"); len(empty.Identities)+len(empty.Pseudonyms)+empty.States+empty.LearnedNames > 0 {
		t.Errorf("after the erasure: %+v", empty)
	}

	// Without the audit log or the private key there is no report.
	users, err := l.config.pseudonymsOf("grace@contoso.example", nil)
	if err != nil {
		t.Fatal(err)
	}
	without := l.config
	without.Vault.Serve.AuditFile = ""
	if _, err := without.accessReport(t.Context(), users, filepath.Join(dir, "a.json"), "r", ""); err == nil {
		t.Error("a report off the record")
	}
	without = l.config
	without.Vault.PrivateKeys = nil
	if _, err := without.accessReport(t.Context(), users, filepath.Join(dir, "a.json"), "r", ""); err == nil {
		t.Error("a report without the private key")
	}
	if _, err := os.Stat(filepath.Join(dir, "a.json")); err == nil {
		t.Error("what failed left a file")
	}
}
