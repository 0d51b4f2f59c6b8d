package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/riskpipe/riskpipe/schemas"
)

// eraseOptions are what whoever erases says about it.
type eraseOptions struct {
	also      []string
	reason    string
	forCase   string
	shredKeys bool
	dryRun    bool
	yes       bool
	timeout   time.Duration
	format    string
}

func newEraseCommand() *cobra.Command {
	var o eraseOptions
	c := &cobra.Command{
		Use:   "erase USER",
		Short: "Erase a person: identity, evidence, activities, alerts, risk and state, and prove it",
		Long: `erase removes what riskpipe holds of a person, in Kafka, Redis and ClickHouse, and
then looks for it again: it prints what was held and what is left, and fails when
that is not nothing. USER is a user principal name, for which it needs the
pseudonym key and, after a rotation, the previous one; or a pseudonym in full, then
of one key alone.

The order to erase is a record on the topic events, behind all that the person
did. The scorer, which must be running, closes open alerts there and removes the
state; the sink, which must be running, removes the rows. Both do so again
whenever they read the topic again. What the person does later is recorded as of
somebody never seen: who must not be recorded at all is to be out of scope. If they
go on working, restart the normalisers, so that they tell the vault anew who it is.

Nothing may oppose it, such as a legal hold: say with --reason why it may be done,
without names. It is on record in the audit log first. Broken off, it can be run
again.

Sealed evidence of the person stays on the topic events. Where the vault's private
key is (vault.private_key_file), the data keys that sealed it are replaced by the
keys of the other people whose evidence they sealed, so that it never opens again;
not in the hour in which it was sealed. Without the private key it can be opened
until the data keys expire (sink.evidence_days), or --shred-keys shreds them as a
whole, with evidence of others from these hours: --dry-run says how much.

Exit status: 0 when nothing is left, 1 when something is.`,
		Example: `  riskpipe erase ada@contoso.example --dry-run
  riskpipe erase ada@contoso.example --reason "request of the person, no legal hold, DSR-12" --case DSR-12
  riskpipe erase ANON-… --reason "left two years ago" --also eid:E123 --yes`,
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.validate(); err != nil {
				return &exitError{exitRejects, err}
			}
			config, _, err := load(cmd)
			if err != nil {
				return err
			}
			users, err := config.pseudonymsOf(args[0], o.also)
			if err != nil {
				return err
			}
			e, err := newErasure(cmd.Context(), config, users, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer e.close()
			return e.command(cmd.Context(), o, cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	c.Flags().StringArrayVar(&o.also, "also", nil, "another `name` of the person: upn:…, oid:…, eid:…, sid:…, account:… or a pseudonym; again for more")
	c.Flags().StringVar(&o.reason, "reason", "", "`why` it may be done, without names")
	c.Flags().StringVar(&o.forCase, "case", "", "`case` it is done for")
	c.Flags().BoolVar(&o.shredKeys, "shred-keys", false, "shred the data keys that sealed the person's evidence as a whole, with others' of the same hours")
	c.Flags().BoolVar(&o.dryRun, "dry-run", false, "show what would go and change nothing")
	c.Flags().BoolVar(&o.yes, "yes", false, "do not ask")
	c.Flags().DurationVar(&o.timeout, "timeout", 10*time.Minute, "how `long` to wait for scorer, sink and ClickHouse")
	c.Flags().StringVarP(&o.format, "output", "o", "table", "`format`: table or json")
	return c
}

func (o *eraseOptions) validate() error {
	switch {
	case o.format != "table" && o.format != "json":
		return fmt.Errorf("-o is %q: want table or json", o.format)
	case o.timeout <= 0:
		return fmt.Errorf("--timeout is %s: want a positive duration", o.timeout)
	case strings.TrimSpace(o.reason) == "" && !o.dryRun:
		return errors.New("say with --reason why it may be done, such as that there is no legal hold; without names")
	default:
		return nil
	}
}

// pseudonymsOf returns the pseudonyms of a person, by all the names given and
// under the current and the previous key.
func (c Config) pseudonymsOf(name string, also []string) ([]schemas.Pseudonym, error) {
	names := append([]string{name}, also...)
	if !strings.HasPrefix(name, "ANON-") {
		names[0] = "upn:" + name
	}
	var users []schemas.Pseudonym
	for _, text := range names {
		found, err := c.pseudonymsOfName(text)
		if err != nil {
			return nil, err
		}
		users = append(users, found...)
	}
	return users, nil
}

// pseudonymsOfName reads a pseudonym, or a kind and a name. No error quotes it.
func (c Config) pseudonymsOfName(text string) ([]schemas.Pseudonym, error) {
	if strings.HasPrefix(text, "ANON-") {
		var user schemas.Pseudonym
		if err := user.UnmarshalText([]byte(text)); err != nil {
			return nil, &exitError{exitRejects, err}
		}
		return []schemas.Pseudonym{user}, nil
	}
	kind, value, _ := strings.Cut(text, ":")
	switch value = strings.TrimSpace(value); {
	case value == "":
		return nil, &exitError{exitRejects, errors.New("want a pseudonym in full, or a kind and a name such as eid:E123")}
	case kind == "upn" && strings.Contains(value, "@"), kind == "oid", kind == "account":
		value = strings.ToLower(value)
	case kind == "eid", kind == "sid":
		value = strings.ToUpper(value)
	default:
		return nil, &exitError{exitRejects, errors.New("want a user principal name such as ada@contoso.example, a pseudonym in full, or upn:, oid:, eid:, sid: or account: and a name")}
	}
	key, err := c.Pseudonym.open()
	if err != nil {
		return nil, err
	}
	users := []schemas.Pseudonym{key.Pseudonym(kind + ":" + value)}
	previous, err := c.Pseudonym.previous()
	if err != nil {
		return nil, err
	}
	if previous != nil {
		users = append(users, previous.Pseudonym(kind+":"+value))
	}
	return users, nil
}

// confirmed asks on a terminal; elsewhere --yes is needed.
func (o *eraseOptions) confirmed(in io.Reader, talk io.Writer) error {
	if o.yes {
		return nil
	}
	file, ok := in.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return &exitError{exitRejects, errors.New("this cannot be undone: say --yes, since nobody can be asked here")}
	}
	fmt.Fprint(talk, "This cannot be undone. Type yes to erase: ")
	line, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("asking: %w", err)
	}
	if strings.TrimSpace(line) != "yes" {
		return &exitError{exitInterrupted, errors.New("nothing was erased")}
	}
	return nil
}

// command shows what is held, and erases it unless it is to be shown alone.
func (e *erasure) command(ctx context.Context, o eraseOptions, in io.Reader, out io.Writer) error {
	if err := e.look(ctx, o.shredKeys); err != nil {
		return err
	}
	if o.dryRun {
		return e.report(out, o.format, false)
	}
	if !o.yes {
		if err := e.report(e.talk, "table", false); err != nil {
			return err
		}
	}
	if err := o.confirmed(in, e.talk); err != nil {
		return err
	}
	if err := e.onRecord(ctx, o); err != nil {
		return err
	}
	if err := e.report(out, o.format, true); err != nil {
		return err
	}
	if left := e.left(); left > 0 {
		return fmt.Errorf("%d things are left; the person goes on working, or a service was behind: put them out of scope and erase again", left)
	}
	return nil
}
