package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/riskpipe/riskpipe/pipeline"
	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

func newScopeCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "scope",
		Short: "Show who is in scope, and sign temporary scopes",
		Long: `scope shows whose events are recorded: normalise.scope in the configuration, and the
temporary scopes in the file that it names. A temporary scope brings people into
scope or takes them out of it for a time, with a case and a reason; normalisers
apply it once HR and Legal have signed it. Users are never printed.

Exit status: 0 when all is well, 1 when a check finds something, 2 for wrong
usage, 3 when the configuration or the temporary scopes cannot be read.`,
		Example: `  riskpipe scope list --config riskpipe.yaml
  riskpipe scope sign case_17 --role hr --key erin.key
  riskpipe scope verify`,
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.PersistentFlags().String("temporary", "", "`file` of the temporary scopes; the setting normalise.scope.temporary")
	c.AddCommand(newScopeListCommand(), newScopeSignCommand(), newScopeVerifyCommand())
	return c
}

func newScopeListCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "Print the scope and the temporary scopes",
		Example: "  riskpipe scope list --config riskpipe.yaml",
		Args:    usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := loadScope(cmd)
			if err != nil {
				return err
			}
			temporary, err := config.temporaryScopes()
			if err != nil {
				return err
			}
			// Only the description is printed, which is the same under any key.
			key, err := vault.NewKey(1, []byte(replayKey))
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), pipeline.NewScope(config.Normalise.Scope.rules(), key, nil).Description())
			for _, t := range temporary {
				fmt.Fprintln(cmd.OutOrStdout(), t)
			}
			return nil
		},
	}
}

func newScopeSignCommand() *cobra.Command {
	var role, keyFile string
	c := &cobra.Command{
		Use:   "sign NAME",
		Short: "Sign a temporary scope for HR or for Legal",
		Long: `sign adds a signature over the whole temporary scope, its people, times, case and
reason, to the file of signatures: normalise.scope.signatures, or beside the temporary
scopes. The key must be that of a signer in policies.signers with the role. Any
change needs new signatures. Normalisers apply it from their next start.`,
		Example: `  riskpipe scope sign case_17 --role hr --key erin.key
  riskpipe scope sign case_17 --role legal --key lou.key`,
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			config, err := loadScope(cmd)
			if err != nil {
				return err
			}
			temporary, err := config.namedScopes(args)
			if err != nil {
				return err
			}
			key, signer, err := signingAs(config, role, keyFile)
			if err != nil {
				return err
			}
			file := config.Normalise.Scope.signatures()
			signatures, err := readSignatures[vault.ScopeSignatures](file)
			if err != nil {
				return err
			}
			signature, err := vault.SignScope(temporary[0].signed(), signer, key)
			if err != nil {
				return err
			}
			if err := writeSignatures(file, "scope", signatures.With(signature)); err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "%s signed for %s by %s\n", signature.Scope, role, signer.Name)
			return nil
		},
	}
	c.Flags().StringVar(&role, "role", "", "`role`: hr or legal")
	c.Flags().StringVar(&keyFile, "key", "", "`file` of the signer's private key, as `riskpipe audit key` writes it")
	return c
}

func newScopeVerifyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "verify [NAME...]",
		Short: "See to it that temporary scopes are signed by HR and Legal",
		Long: `verify says of each temporary scope who signed it as it is. It is signed once two
signers of policies.signers did, one for HR and one for Legal.

Exit status: 0 when all, or all that are named, are signed, 1 when not.`,
		Example: `  riskpipe scope verify
  riskpipe scope verify case_17`,
		RunE: func(cmd *cobra.Command, args []string) error {
			config, err := loadScope(cmd)
			if err != nil {
				return err
			}
			temporary, err := config.namedScopes(args)
			if err != nil {
				return err
			}
			unsigned := 0
			for _, t := range temporary {
				fmt.Fprintln(cmd.OutOrStdout(), t)
				if t.unsigned != nil {
					unsigned++
				}
			}
			if unsigned > 0 {
				return &exitError{exitFailure, fmt.Errorf("not applied for want of the signatures of HR and Legal: %d of %d temporary scopes", unsigned, len(temporary))}
			}
			return nil
		},
	}
}

// loadScope reads the configuration for a command that has the flag --temporary.
func loadScope(cmd *cobra.Command) (Config, error) {
	config, _, err := load(cmd)
	if err != nil {
		return Config{}, err
	}
	file, err := cmd.Flags().GetString("temporary")
	if err != nil {
		return Config{}, err
	}
	if file != "" {
		config.Normalise.Scope.Temporary = file
	}
	return config, nil
}

// namedScopes are the temporary scopes of the names, or all.
func (c Config) namedScopes(names []string) ([]temporaryScope, error) {
	if c.Normalise.Scope.Temporary == "" {
		return nil, &exitError{exitRejects, errors.New("there is no file of temporary scopes: set normalise.scope.temporary, or name it with --temporary")}
	}
	all, err := c.temporaryScopes()
	if err != nil || len(names) == 0 {
		return all, err
	}
	var named []temporaryScope
	for _, name := range names {
		i := slices.IndexFunc(all, func(t temporaryScope) bool { return t.Name == name })
		if i < 0 {
			return nil, &exitError{exitRejects, fmt.Errorf("there is no temporary scope %q; see riskpipe scope list", name)}
		}
		named = append(named, all[i])
	}
	return named, nil
}

// String says all of it but who it is about.
func (t temporaryScope) String() string {
	signed := "signed by " + signerNames(t.signers)
	if t.unsigned != nil {
		signed = "not applied: " + t.unsigned.Error()
	}
	return fmt.Sprintf("%s: %s %d users and groups %v from %s until %s, case %s, %s, %s", t.Name, t.Effect, len(t.Users), t.Groups, t.From, t.Until,
		t.Case, t.State(schemas.TimeOf(time.Now())), signed)
}
