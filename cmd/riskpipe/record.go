package main

import (
	"context"
	"errors"
	"fmt"
	"os/user"

	"github.com/riskpipe/riskpipe/vault"
)

// deed is what a command is about to do to somebody's data.
type deed struct {
	action  string // object.verb
	subject string // a pseudonym in full, or empty
	forCase string
	detail  any // without names
}

// recordDeed puts a deed on record. Whoever gets an error from it must not do it.
func recordDeed(ctx context.Context, audit vault.AuditLog, d deed) error {
	entry, err := auditEntry(d.action, d.subject, d.detail)
	if err != nil {
		return err
	}
	entry.Actor, entry.Case = localActor(), d.forCase
	return audit.Append(ctx, entry)
}

// localActor is the account that runs a command, told from those who sign in.
func localActor() string {
	if account, err := user.Current(); err == nil {
		return "local:" + account.Username
	}
	return "local:unknown"
}

// openRecord continues the audit log for a command. There is no command that
// does what must be on record without one.
func (c VaultServeConfig) openRecord() (*vault.AuditChain, error) {
	if c.AuditFile == "" || c.AuditKeyFile == "" {
		return nil, &exitError{exitConfig, errors.New("vault.serve.audit_file and audit_key_file are not set: nothing is done here that is not on record first; `riskpipe audit key` draws the key")}
	}
	audit, err := c.openAudit()
	if err != nil {
		return nil, fmt.Errorf("%w; while `riskpipe vault serve` has the file open, name another one in RISKPIPE_VAULT_SERVE_AUDIT_FILE", err)
	}
	return audit, nil
}
