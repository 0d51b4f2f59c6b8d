package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/riskpipe/riskpipe/operators"
	"github.com/riskpipe/riskpipe/pipeline"
	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

// The actions of adopting policies.
const (
	actionAdopted         = "policy.adopted"
	actionAdoptedUnsigned = "policy.adopted_unsigned"
)

// adoption is the detail of an entry that a set of policies is scored by from now.
type adoption struct {
	Before  string `json:"before"` // digest of the set that was adopted last; empty when none is on record
	After   string `json:"after"`
	Version string `json:"version"` // of riskpipe
}

// unsignedAdoption is the detail of an entry that a live policy is scored by which
// HR and Legal have not signed.
type unsignedAdoption struct {
	Version int32          `json:"version"`
	Digest  schemas.Digest `json:"digest"`
	Set     string         `json:"set"`
}

// recordAdoption puts on record that the policies are scored by, before they are:
// once for the service, and once for each live policy that is not signed.
func (c Config) recordAdoption(ctx context.Context, log *slog.Logger, library operators.Library) error {
	kafka, err := c.Kafka.options()
	if err != nil {
		return err
	}
	after, err := setDigest(library)
	if err != nil {
		return err
	}
	last, err := pipeline.LastAudit(ctx, kafka, c.Topics.names(), actionAdopted)
	if err != nil {
		return &exitError{exitUnreachable, fmt.Errorf("reading which policies were adopted last: %w; riskpipe topics --apply makes the topic", err)}
	}
	var before adoption
	if last != nil {
		// What is no adoption says nothing of the set before.
		_ = json.Unmarshal([]byte(last.Detail), &before)
	}
	entry, err := auditEntry(actionAdopted, "", adoption{Before: before.After, After: after, Version: versionText()})
	if err != nil {
		return err
	}
	entries := []vault.AuditEntry{entry}
	unsigned, err := c.unsigned(library)
	if err != nil {
		return err
	}
	for _, p := range unsigned {
		entry, err := auditEntry(actionAdoptedUnsigned, p.policy.Name, unsignedAdoption{Version: p.policy.Version, Digest: p.policy.Digest, Set: after})
		if err != nil {
			return err
		}
		entries = append(entries, entry)
	}
	if err := c.record(ctx, "score", entries...); err != nil {
		return err
	}
	log.Info("policies adopted", "before", before.After, "after", after, "unsigned", len(unsigned))
	return nil
}

// setDigest is SHA-256, in hexadecimal, over a line for each policy, in the order of
// the library, which is that of their names: name, version, mode and the digest that
// is signed.
func setDigest(library operators.Library) (string, error) {
	policies, err := signable(library, nil)
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	for i, p := range policies {
		fmt.Fprintf(hash, "%q %d %s %s\n", p.Name, p.Version, library.Policies[i].Mode, p.Digest)
	}
	return fmt.Sprintf("%x", hash.Sum(nil)), nil
}
