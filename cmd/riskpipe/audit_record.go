package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/riskpipe/riskpipe/pipeline"
	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

// record puts what a service is about to do on the topic audit, in a chain of its
// own. It fails when Kafka does not have the entries; then nothing of it may be
// done. There is no setting that leaves it out.
func (c Config) record(ctx context.Context, service string, entries ...vault.AuditEntry) error {
	kafka, err := c.Kafka.options()
	if err != nil {
		return err
	}
	log, err := pipeline.OpenAuditTopic(kafka, c.Topics.names(), service)
	if err != nil {
		return err
	}
	defer log.Close()
	for _, entry := range entries {
		switch err := log.Append(ctx, entry); {
		case err == nil:
		case ctx.Err() != nil:
			return err // whoever interrupts knows why
		default:
			return &exitError{exitUnreachable, err}
		}
	}
	return nil
}

// auditEntry is an entry of now, with the detail as JSON.
func auditEntry(action, subject string, detail any) (vault.AuditEntry, error) {
	text, err := json.Marshal(detail)
	if err != nil {
		return vault.AuditEntry{}, fmt.Errorf("recording %s: %w", action, err)
	}
	return vault.AuditEntry{Time: schemas.TimeOf(time.Now()), Action: action, Subject: subject, Detail: string(text)}, nil
}
