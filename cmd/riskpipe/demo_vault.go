package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/riskpipe/riskpipe/vault"
)

// demoVault is a throw-away key pair, to which the demo seals, and who may ask for
// names in it.
type demoVault struct {
	private Secret
	folder  string // of the audit log and the tokens; empty while it is not served
	address string
}

// newDemoVault draws the key pair, which is in memory alone, and returns it with
// its public half.
func newDemoVault() (*demoVault, string, error) {
	key, text, err := vault.GeneratePrivateKey()
	if err != nil {
		return nil, "", err
	}
	return &demoVault{private: Secret(text)}, key.Public().String(), nil
}

// demoAccounts are who takes part in a reveal, by the names of their tokens' files.
func demoAccounts() []struct {
	name string
	role vault.Role
} {
	return []struct {
		name string
		role vault.Role
	}{{"investigator", vault.RoleInvestigator}, {"hr", vault.RoleHRApprover}, {"legal", vault.RoleLegalApprover}}
}

// serve serves the vault of a demo that stays up, until ctx ends, to made-up people
// of the domain. It returns once the vault listens; run starts what ends it.
func (v *demoVault) serve(ctx context.Context, config Config, domain, address string, log *slog.Logger, run func(func() error)) (err error) {
	if v.folder, err = os.MkdirTemp("", "riskpipe-vault-"); err != nil {
		return fmt.Errorf("making the vault's folder: %w", err)
	}
	_, audit, err := vault.GenerateSigningKey(rand.Reader, "demo/audit")
	if err != nil {
		return err
	}
	files := []keyFile{{v.path("audit.key"), audit, secretMode}}
	var tokens strings.Builder
	for _, account := range demoAccounts() {
		token := rand.Text() + rand.Text()
		files = append(files, keyFile{v.path(account.name + ".token"), token, secretMode})
		fmt.Fprintf(&tokens, "- {sha256: %x, name: %s, user: %s.demo@%s, roles: [%s]}\n", sha256.Sum256([]byte(token)), account.name, account.name, domain, account.role)
	}
	if err := writeKeyFiles(append(files, keyFile{v.path("tokens.yaml"), tokens.String(), secretMode})...); err != nil {
		return err
	}
	config.Vault.PrivateKey = v.private
	config.Vault.Serve.Listen, config.Vault.Serve.TokensFile = address, v.path("tokens.yaml")
	config.Vault.Serve.AuditFile, config.Vault.Serve.AuditKeyFile = v.path("audit.jsonl"), v.path("audit.key")
	listening, ended := make(chan string, 1), make(chan error, 1)
	run(func() error {
		err := serveVault(ctx, config, log, func(a net.Addr) { listening <- a.String() })
		ended <- err
		return err
	})
	select {
	case v.address = <-listening:
		return nil
	case err := <-ended:
		return errors.Join(errors.New("serving the demo's vault"), err)
	}
}

func (v *demoVault) path(name string) string { return filepath.Join(v.folder, name) }

// close removes the keys and tokens.
func (v *demoVault) close() error {
	if v == nil || v.folder == "" {
		return nil
	}
	return os.RemoveAll(v.folder)
}
