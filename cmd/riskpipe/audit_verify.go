package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/riskpipe/riskpipe/pipeline"
	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/sink"
	"github.com/riskpipe/riskpipe/vault"
)

// auditVerification are the flags of audit verify.
type auditVerification struct {
	keys        []string
	checkpoints string
	kafka       bool
	clickHouse  bool
}

func newAuditVerifyCommand() *cobra.Command {
	var v auditVerification
	c := &cobra.Command{
		Use:   "verify [FILE]",
		Short: "Find the first place where the audit log was changed",
		Long: `verify checks the log, by default vault.serve.audit_file, and its checkpoints
against the public keys that signed them. What stands behind the last checkpoint
could have been cut off or rewritten unnoticed: it says how far the log is pinned.

With --kafka and --clickhouse it then checks each chain on the topic audit and in
the table audit by the same rules: the vault's against the log, record by record,
and against its checkpoints; those of other services against the checkpoints that
the vault has put on record of them. Without a log it checks the copies alone, and
with a --key the checkpoints that are on record there. A copy that has yet to catch
up is truncated: wait a moment, and verify again.

Exit status: 0 when all is sound, 1 when it is not; then the first broken link of
each chain is named, with what is wrong with it: altered, missing, reordered,
inserted, bad signature or truncated.`,
		Example: `  riskpipe audit verify audit.jsonl --key vault.example/audit+1b2c3d4e+AQ…
  riskpipe audit verify --key audit.pub --checkpoints /mnt/worm/checkpoints
  riskpipe audit verify audit.jsonl --key audit.pub --kafka --clickhouse
  riskpipe audit verify --kafka --key audit.pub`,
		Args: usage(cobra.MaximumNArgs(1)),
		RunE: v.run,
	}
	c.Flags().StringArrayVar(&v.keys, "key", nil, "public `key`, or a file with it; again for those before a rotation")
	c.Flags().StringVar(&v.checkpoints, "checkpoints", "", "`file` with the checkpoints; FILE.checkpoints, or vault.serve.checkpoint_file")
	c.Flags().BoolVar(&v.kafka, "kafka", false, "verify the topic audit, too")
	c.Flags().BoolVar(&v.clickHouse, "clickhouse", false, "verify the table audit, too")
	return c
}

func (v *auditVerification) run(cmd *cobra.Command, args []string) error {
	copies := v.kafka || v.clickHouse
	log := auditCheck{checkpoints: v.checkpoints}
	file, beside, err := auditFile(cmd, args)
	switch {
	case err == nil:
		log.file = file
		if log.checkpoints == "" {
			log.checkpoints = beside
		}
	case !copies:
		return err
	}
	if len(v.keys) == 0 && (log.file != "" || log.checkpoints != "") {
		return &exitError{exitRejects, errors.New("name the public --key of the log, as `riskpipe audit key` printed it")}
	}
	for _, given := range v.keys {
		key, err := verifyingKey(given)
		if err != nil {
			return &exitError{exitRejects, fmt.Errorf("--key: %w", err)}
		}
		log.keys = append(log.keys, key)
	}
	if log.file != "" {
		report, err := verifyAudit(log.file, log.checkpoints, log.keys)
		if link, ok := errors.AsType[*vault.BrokenLink](err); ok {
			return fmt.Errorf("%s is broken at %w", log.file, link)
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", log.file, soundChain(report))
		log.report = report
	}
	if !copies {
		return nil
	}
	return v.verifyCopies(cmd, log)
}

// verifyCopies verifies what Kafka and ClickHouse have.
func (v *auditVerification) verifyCopies(cmd *cobra.Command, log auditCheck) error {
	config, _, err := load(cmd)
	if err != nil {
		return err
	}
	if log.checkpoints != "" { // as they are before the copies are read, which must reach them
		if log.signed, err = readCheckpoints(log.checkpoints); err != nil {
			return err
		}
	}
	var problems []error
	if v.kafka {
		where := "topic " + config.Topics.names().Audit()
		problems = append(problems, log.verifyCopy(cmd.Context(), cmd.OutOrStdout(), where, config.readAuditTopic))
	}
	if v.clickHouse {
		where := "table " + config.ClickHouse.Database + ".audit"
		problems = append(problems, log.verifyCopy(cmd.Context(), cmd.OutOrStdout(), where, config.readAuditTable))
	}
	return firstCode(errors.Join(problems...))
}

// firstCode gives the whole error the exit status of its parts: that of a broken
// chain before that of a server.
func firstCode(err error) error {
	coded, ok := errors.AsType[*exitError](err)
	if !ok {
		return err
	}
	if _, broken := errors.AsType[*vault.BrokenLink](err); broken {
		return &exitError{exitFailure, err}
	}
	return &exitError{coded.code, err}
}

func (c Config) readAuditTopic(ctx context.Context, into *vault.AuditCopy) error {
	kafka, err := c.Kafka.options()
	if err != nil {
		return err
	}
	if err := pipeline.ReadAudit(ctx, kafka, c.Topics.names(), into); err != nil {
		return &exitError{exitUnreachable, err}
	}
	return nil
}

func (c Config) readAuditTable(ctx context.Context, into *vault.AuditCopy) error {
	conn, err := c.ClickHouse.open(ctx, c.ClickHouse.Database)
	if err != nil {
		return err
	}
	defer conn.Close()
	return sink.ReadAudit(ctx, conn, c.ClickHouse.Database, into)
}

// auditCheck is what copies are verified against.
type auditCheck struct {
	file, checkpoints string // empty for none
	keys              []*vault.VerifyingKey
	signed            [][]byte
	report            vault.AuditReport // of the log, before the copies were read
}

// verifyCopy reads a copy, prints which of its chains are sound, and returns what is
// wrong with the others.
func (a *auditCheck) verifyCopy(ctx context.Context, out io.Writer, where string, read func(context.Context, *vault.AuditCopy) error) error {
	var records vault.AuditCopy
	if err := read(ctx, &records); err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	if a.file != "" {
		// The log may have grown while the copy was read.
		log, err := readAuditLog(a.file)
		if err != nil {
			return err
		}
		writer := a.report.Writer
		if writer == "" {
			writer = auditWriter
		}
		records.Expect(writer, log, a.report.Last)
	}
	var problems []error
	reports := records.Verify(a.signed, a.keys...)
	for _, report := range reports {
		writer := strings.Map(printable, report.Writer)
		if report.Broken != nil {
			problems = append(problems, fmt.Errorf("%s: the chain of %s is broken at %w", where, writer, report.Broken))
			continue
		}
		fmt.Fprintf(out, "%s: %s: %s\n", where, writer, soundChain(report.AuditReport))
	}
	if len(reports) == 0 {
		fmt.Fprintf(out, "%s: no records\n", where)
	}
	return errors.Join(problems...)
}

// soundChain says how much of a chain is sound, and pinned.
func soundChain(report vault.AuditReport) string {
	return fmt.Sprintf("%d records are sound, the first %d are pinned by a checkpoint", report.Records, report.Pinned)
}

// readAuditLog reads the records of the log.
func readAuditLog(file string) ([]schemas.Audit, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the audit log: %w", err)
	}
	return vault.ReadAudit(bytes.NewReader(text[:bytes.LastIndexByte(text, '\n')+1])) // the last line may be on its way
}

func readCheckpoints(file string) ([][]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the checkpoints: %w", err)
	}
	return vault.ReadCheckpoints(bytes.NewReader(text))
}

// verifyingKey reads a public key given as text or as a file.
func verifyingKey(given string) (*vault.VerifyingKey, error) {
	if key, err := vault.ParseVerifyingKey(given); err == nil {
		return key, nil
	}
	text, err := os.ReadFile(given)
	if err != nil {
		return nil, errors.New("it is neither a public key <name>+<hash>+<base64> nor a file that can be read")
	}
	return vault.ParseVerifyingKey(string(text))
}

func verifyAudit(file, checkpoints string, keys []*vault.VerifyingKey) (vault.AuditReport, error) {
	log, err := os.ReadFile(file)
	if err != nil {
		return vault.AuditReport{}, fmt.Errorf("reading the audit log: %w", err)
	}
	signed, err := os.ReadFile(checkpoints)
	if err != nil {
		return vault.AuditReport{}, fmt.Errorf("reading the checkpoints: %w", err)
	}
	return vault.VerifyAuditFiles(bytes.NewReader(log), bytes.NewReader(signed), keys...)
}
