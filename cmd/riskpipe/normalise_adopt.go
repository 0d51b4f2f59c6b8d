package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/riskpipe/riskpipe/pipeline"
	"github.com/riskpipe/riskpipe/schemas"
)

const actionScopeAdopted = "scope.adopted"

// scopeAdoption is the detail of an entry that events are recorded by a scope from now.
type scopeAdoption struct {
	Before  schemas.Digest `json:"before"` // digest of the scope that was adopted last; that of everybody when none is on record
	After   schemas.Digest `json:"after"`
	Scope   string         `json:"scope"` // in words that name groups and no people
	Source  schemas.Source `json:"source"`
	Version string         `json:"version"` // of riskpipe
}

// recordScope puts on record that events are recorded by another scope than before,
// before any is. Normalisers share a scope, so the first one that starts says it.
func (c Config) recordScope(ctx context.Context, source schemas.Source, scope *pipeline.Scope) error {
	kafka, err := c.Kafka.options()
	if err != nil {
		return err
	}
	last, err := pipeline.LastAudit(ctx, kafka, c.Topics.names(), actionScopeAdopted)
	if err != nil {
		return &exitError{exitUnreachable, fmt.Errorf("reading which scope was adopted last: %w; riskpipe topics --apply makes the topic", err)}
	}
	before := scopeAdoption{After: (*pipeline.Scope)(nil).Digest()}
	if last != nil {
		// What is no adoption says nothing of the scope before.
		_ = json.Unmarshal([]byte(last.Detail), &before)
	}
	if before.After == scope.Digest() {
		return nil
	}
	entry, err := auditEntry(actionScopeAdopted, "", scopeAdoption{
		Before: before.After, After: scope.Digest(), Scope: scope.Description(), Source: source, Version: versionText(),
	})
	if err != nil {
		return err
	}
	return c.record(ctx, "normalise-"+string(source), entry)
}
