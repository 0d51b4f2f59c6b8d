package main

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/riskpipe/riskpipe/operators"
	"github.com/riskpipe/riskpipe/vault"
)

// signaturesFile stands beside the policies. It is YAML; its name does not end
// in .yaml, since those files are policies.
const signaturesFile = "policies.signatures"

func newPolicySignCommand() *cobra.Command {
	var role, keyFile, file string
	c := &cobra.Command{
		Use:   "sign NAME",
		Short: "Sign a policy for HR or for Legal",
		Long: `sign adds a signature over the policy's name, version and SHA-256 digest of its logic,
with that of the indicators and lists it uses, to the file policies.signatures beside the policies. The key
must be that of a signer in policies.signers with the role. Any change of the
policy's logic needs new signatures.`,
		Example: `  riskpipe policy sign data_leaks --role hr --key erin.key
  riskpipe policy sign data_leaks --role legal --key lou.key --policies policies/`,
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			library, config, err := libraryOf(cmd)
			if err != nil {
				return err
			}
			if file, err = signaturesOf(file, config); err != nil {
				return err
			}
			policies, err := signable(library, args)
			if err != nil {
				return err
			}
			key, signer, err := signingAs(config, role, keyFile)
			if err != nil {
				return err
			}
			signatures, err := readSignatures[vault.PolicySignatures](file)
			if err != nil {
				return err
			}
			signature, err := vault.SignPolicy(policies[0], signer, key)
			if err != nil {
				return err
			}
			if err := writeSignatures(file, "policy", signatures.With(signature)); err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "%s version %d signed for %s by %s\n", signature.Policy, signature.Version, role, signer.Name)
			return nil
		},
	}
	c.Flags().StringVar(&role, "role", "", "`role`: hr or legal")
	c.Flags().StringVar(&keyFile, "key", "", "`file` of the signer's private key, as `riskpipe audit key` writes it")
	addSignaturesFlag(c, &file)
	return c
}

func newPolicyVerifyCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "verify [NAME...]",
		Short: "See to it that live policies are signed by HR and Legal",
		Long: `verify says of each policy who signed it as it is. A policy is signed once two
signers of policies.signers did, one for HR and one for Legal.

Exit status: 0 when all live policies, or all that are named, are signed, 1 when
not.`,
		Example: `  riskpipe policy verify --policies policies/
  riskpipe policy verify data_leaks`,
		RunE: func(cmd *cobra.Command, args []string) error {
			library, config, err := libraryOf(cmd)
			if err != nil {
				return err
			}
			if file, err = signaturesOf(file, config); err != nil {
				return err
			}
			policies, err := signable(library, args)
			if err != nil {
				return err
			}
			signatures, err := readSignatures[vault.PolicySignatures](file)
			if err != nil {
				return err
			}
			signers, err := config.Policies.signers()
			if err != nil {
				return &exitError{exitConfig, err}
			}
			live := map[string]bool{}
			for _, p := range library.Policies {
				live[p.Name] = p.Mode == operators.ModeLive
			}
			unsigned := 0
			for _, p := range policies {
				err := signatures.Verify(p, signers)
				switch {
				case err == nil:
					fmt.Fprintf(cmd.OutOrStdout(), "%s version %d: signed by %s\n", p.Name, p.Version, signerNames(signatures.Signers(p, signers)))
				case len(args) > 0 || live[p.Name]:
					unsigned++
					fmt.Fprintln(cmd.OutOrStdout(), err)
				default:
					fmt.Fprintf(cmd.OutOrStdout(), "%v (not live)\n", err)
				}
			}
			if unsigned > 0 {
				return &exitError{exitFailure, fmt.Errorf("%s without the signatures of HR and Legal", countedPolicies(unsigned))}
			}
			return nil
		},
	}
	addSignaturesFlag(c, &file)
	return c
}

func addSignaturesFlag(c *cobra.Command, file *string) {
	c.Flags().StringVar(file, "signatures", "", "`file` of the signatures; the setting policies.signatures, or the file of this name beside the policies")
}

// requireSignatures refuses live policies that HR and Legal have not signed as they
// are. Where that is allowed, the log has each of them at every start.
func (c Config) requireSignatures(log *slog.Logger, allowUnsigned bool) error {
	library, err := c.Score.library()
	if err != nil {
		return err
	}
	unsigned, err := c.unsigned(library)
	if err != nil || len(unsigned) == 0 {
		return err
	}
	if !allowUnsigned {
		var problems []error
		for _, p := range unsigned {
			problems = append(problems, p.problem)
		}
		return &exitError{exitConfig, fmt.Errorf("%w\nlet HR and Legal sign with riskpipe policy sign, or start with --allow-unsigned to try riskpipe out", errors.Join(problems...))}
	}
	for _, p := range unsigned {
		log.Warn("scoring people by a policy that HR and Legal have not signed", "problem", p.problem)
	}
	return nil
}

// unsignedPolicy is a live policy without the signatures it needs.
type unsignedPolicy struct {
	policy  vault.SignedPolicy
	problem error
}

// unsigned says of each live policy that is not signed what is missing.
func (c Config) unsigned(library operators.Library) ([]unsignedPolicy, error) {
	policies, err := signable(library, nil)
	if err != nil {
		return nil, err
	}
	signers, err := c.Policies.signers()
	if err != nil {
		return nil, &exitError{exitConfig, err}
	}
	var signatures vault.PolicySignatures
	if file, err := signaturesOf("", c); err == nil {
		if signatures, err = readSignatures[vault.PolicySignatures](file); err != nil {
			return nil, err
		}
	}
	var unsigned []unsignedPolicy
	for i, p := range policies {
		if err := signatures.Verify(p, signers); err != nil && library.Policies[i].Mode == operators.ModeLive {
			unsigned = append(unsigned, unsignedPolicy{p, err})
		}
	}
	return unsigned, nil
}

// signaturesOf is the file of the signatures.
func signaturesOf(file string, config Config) (string, error) {
	switch {
	case file != "":
		return file, nil
	case config.Policies.Signatures != "":
		return config.Policies.Signatures, nil
	case config.Score.Policies == "":
		return "", &exitError{exitRejects, errors.New("the policies that ship with riskpipe have no folder for signatures: set policies.signatures, name a file with --signatures, or your policies with --policies")}
	default:
		return filepath.Join(config.Score.Policies, signaturesFile), nil
	}
}

// signable returns what is to be signed of the policies that are named, or of all.
func signable(library operators.Library, names []string) ([]vault.SignedPolicy, error) {
	digests, err := library.Digests()
	if err != nil {
		return nil, &exitError{exitConfig, err}
	}
	var policies []vault.SignedPolicy
	found := map[string]bool{}
	for _, p := range library.Policies {
		if len(names) == 0 || slices.Contains(names, p.Name) {
			policies = append(policies, vault.SignedPolicy{Name: p.Name, Version: p.Version, Digest: digests[p.Name]})
			found[p.Name] = true
		}
	}
	for _, name := range names {
		if !found[name] {
			return nil, &exitError{exitRejects, fmt.Errorf("there is no policy %q; see riskpipe policy list", name)}
		}
	}
	return policies, nil
}
