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
public key.`,
		Example: `  riskpipe audit verify audit.jsonl --key vault.example/audit+1b2c3d4e+AQ…
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

func newAuditVerifyCommand() *cobra.Command {
	var keys []string
	var checkpoints string
	c := &cobra.Command{
		Use:   "verify [FILE]",
		Short: "Find the first place where the audit log was changed",
		Long: `verify checks the log, by default vault.serve.audit_file, and its checkpoints
against the public keys that signed them. What stands behind the last checkpoint
could have been cut off or rewritten unnoticed: it says how far the log is pinned.

Exit status: 0 when the log is sound, 1 when it is not; then the first broken link
is named, with what is wrong with it: altered, missing, reordered, inserted, bad
signature or truncated.`,
		Example: `  riskpipe audit verify audit.jsonl --key vault.example/audit+1b2c3d4e+AQ…
  riskpipe audit verify --key audit.pub --checkpoints /mnt/worm/checkpoints`,
		Args: usage(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, beside, err := auditFile(cmd, args)
			if err != nil {
				return err
			}
			if checkpoints == "" {
				checkpoints = beside
			}
			if len(keys) == 0 {
				return &exitError{exitRejects, errors.New("name the public --key of the log, as `riskpipe audit key` printed it")}
			}
			public := make([]*vault.VerifyingKey, len(keys))
			for i, key := range keys {
				if public[i], err = verifyingKey(key); err != nil {
					return &exitError{exitRejects, fmt.Errorf("--key: %w", err)}
				}
			}
			report, err := verifyAudit(file, checkpoints, public)
			if link, ok := errors.AsType[*vault.BrokenLink](err); ok {
				return fmt.Errorf("%s is broken at %w", file, link)
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %d records are sound, the first %d are pinned by a checkpoint\n", file, report.Records, report.Pinned)
			return err
		},
	}
	c.Flags().StringArrayVar(&keys, "key", nil, "public `key`, or a file with it; again for those before a rotation")
	c.Flags().StringVar(&checkpoints, "checkpoints", "", "`file` with the checkpoints; FILE.checkpoints, or vault.serve.checkpoint_file")
	return c
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
