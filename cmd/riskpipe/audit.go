package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

func newAuditCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "audit",
		Short: "Verify and read the audit log",
		Long: `audit works on the file that the vault writes, without any server: each record
holds the hash of the one before, and signed checkpoints pin the chain, so that
whatever was changed is found by whoever has the file, its checkpoints and the
public key. verify also reads the copies in Kafka and ClickHouse, where other
services have chains of their own.`,
		Example: `  riskpipe audit verify audit.jsonl --key vault.example/audit+1b2c3d4e+AQ…
  riskpipe audit verify audit.jsonl --key audit.pub --kafka --clickhouse
  riskpipe audit show audit.jsonl --subject ANON-…`,
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(newAuditVerifyCommand(), newAuditShowCommand(), newAuditKeyCommand())
	return c
}

// auditFile is the file that is named, or the configured one, and its
// checkpoints.
func auditFile(cmd *cobra.Command, args []string) (file, checkpoints string, err error) {
	if len(args) > 0 {
		return args[0], args[0] + ".checkpoints", nil
	}
	config, _, err := load(cmd)
	if err != nil {
		return "", "", err
	}
	if config.Vault.Serve.AuditFile == "" {
		return "", "", &exitError{exitRejects, errors.New("name a FILE, or set vault.serve.audit_file")}
	}
	return config.Vault.Serve.AuditFile, config.Vault.Serve.checkpointFile(), nil
}

func newAuditShowCommand() *cobra.Command {
	var actor, action, subject, forCase string
	var format string
	c := &cobra.Command{
		Use:   "show [FILE]",
		Short: "Print the audit log",
		Long: `show prints the records of the log, by default vault.serve.audit_file, the oldest
first. It does not verify them. Nothing in it names those who are watched.`,
		Example: `  riskpipe audit show audit.jsonl --action reveal.opened
  riskpipe audit show --case C-17 -o json`,
		Args: usage(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if format != "table" && format != "json" {
				return &exitError{exitRejects, fmt.Errorf("-o is %q: want table or json", format)}
			}
			file, _, err := auditFile(cmd, args)
			if err != nil {
				return err
			}
			text, err := os.ReadFile(file)
			if err != nil {
				return fmt.Errorf("reading the audit log: %w", err)
			}
			all, broken := vault.ReadAudit(bytes.NewReader(text))
			records := []schemas.Audit{}
			for _, r := range all {
				if matches(actor, r.Actor) && matches(action, r.Action) && matches(subject, r.Subject) && matches(forCase, r.Case) {
					records = append(records, r)
				}
			}
			if format == "json" {
				err = writeJSON(cmd.OutOrStdout(), records)
			} else {
				err = writeAudit(cmd, records)
			}
			return errors.Join(err, broken)
		},
	}
	c.Flags().StringVar(&actor, "actor", "", "`account` alone")
	c.Flags().StringVar(&action, "action", "", "`action` alone, such as reveal.opened")
	c.Flags().StringVar(&subject, "subject", "", "`subject` alone, such as a pseudonym in full")
	c.Flags().StringVar(&forCase, "case", "", "`case` alone")
	c.Flags().StringVarP(&format, "output", "o", "table", "`format`: table or json")
	return c
}

func matches(wanted, value string) bool { return wanted == "" || wanted == value }

func writeAudit(cmd *cobra.Command, records []schemas.Audit) error {
	table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SEQUENCE\tTIME\tACTOR\tACTION\tSUBJECT\tCASE\tDETAIL")
	for _, r := range records {
		// Tabs and line ends come from whoever wrote the case.
		row := []string{fmt.Sprint(r.Sequence), r.Time.String(), r.Actor, r.Action, r.Subject, r.Case, r.Detail}
		for i := range row {
			row[i] = strings.Map(printable, row[i])
		}
		fmt.Fprintln(table, strings.Join(row, "\t"))
	}
	return table.Flush()
}

// printable keeps control characters off the terminal.
func printable(r rune) rune {
	if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) {
		return '·'
	}
	return r
}

func newAuditKeyCommand() *cobra.Command {
	var name, file string
	var keep bool
	c := &cobra.Command{
		Use:   "key",
		Short: "Draw a key that signs checkpoints or policies",
		Long: `key draws an Ed25519 key, writes its private half to --out, readable by you alone,
and prints the public half, which is no secret. The name is part of every
signature; it has no spaces and no plus signs.`,
		Example: `  riskpipe audit key --name vault.example/audit --out audit.key > audit.pub
  riskpipe audit key --name erin@contoso.example --out erin.key   # for policy sign`,
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if name == "" || file == "" {
				return &exitError{exitRejects, errors.New("name the key with --name and its file with --out")}
			}
			if keep {
				kept, err := vault.ReadSigningKeyFile(file)
				if err == nil {
					_, err = fmt.Fprintln(cmd.OutOrStdout(), kept.Public())
					return err
				} else if !errors.Is(err, fs.ErrNotExist) {
					return &exitError{exitConfig, fmt.Errorf("reading the key to keep: %w", err)}
				}
			}
			key, text, err := vault.GenerateSigningKey(rand.Reader, name)
			if err != nil {
				return &exitError{exitRejects, err}
			}
			if err := writeKeyFiles(keyFile{file, text, secretMode}); err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), key.Public())
			return err
		},
	}
	c.Flags().StringVar(&name, "name", "", "`name` of the key")
	c.Flags().StringVar(&file, "out", "", "`file` to write, which must not exist")
	c.Flags().BoolVar(&keep, "keep", false, "leave a key that is in the file already")
	return c
}
