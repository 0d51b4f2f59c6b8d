package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/riskpipe/riskpipe/vault"
	"github.com/riskpipe/riskpipe/vault/server"
)

// addDecisionFlags adds the flags of those who decide.
func addDecisionFlags(c *cobra.Command, as *string, reason *string) {
	c.Flags().StringVar(as, "as", "", "`role`, hr or legal, for accounts that have both")
	c.Flags().StringVar(reason, "reason", "", "`why`, without names")
}

// decidingRole reads --as.
func decidingRole(as string) (vault.Role, error) {
	switch as {
	case "":
		return "", nil
	case "hr":
		return vault.RoleHRApprover, nil
	case "legal":
		return vault.RoleLegalApprover, nil
	default:
		return "", &exitError{exitRejects, fmt.Errorf("--as is %q: want hr or legal", as)}
	}
}

func newRevealApproveCommand() *cobra.Command {
	var as, reason string
	c := &cobra.Command{
		Use:     "approve ID",
		Short:   "Approve a request, for HR or for Legal",
		Example: "  riskpipe reveal approve 3f0c… --as legal",
		Args:    usage(cobra.ExactArgs(1)),
		RunE:    func(cmd *cobra.Command, args []string) error { return decide(cmd, args[0], "approve", as, reason, nil) },
	}
	addDecisionFlags(c, &as, &reason)
	return c
}

func newRevealDenyCommand() *cobra.Command {
	var as, reason string
	c := &cobra.Command{
		Use:     "deny ID",
		Short:   "Deny a request, for HR or for Legal",
		Example: `  riskpipe reveal deny 3f0c… --reason "no ground for suspicion"`,
		Args:    usage(cobra.ExactArgs(1)),
		RunE:    func(cmd *cobra.Command, args []string) error { return decide(cmd, args[0], "deny", as, reason, nil) },
	}
	addDecisionFlags(c, &as, &reason)
	return c
}

func newRevealWithdrawCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "withdraw ID",
		Short:   "Give up a request or a grant of one's own",
		Example: "  riskpipe reveal withdraw 3f0c…",
		Args:    usage(cobra.ExactArgs(1)),
		RunE:    func(cmd *cobra.Command, args []string) error { return decide(cmd, args[0], "withdraw", "", "", nil) },
	}
}

func newRevealReviewCommand() *cobra.Command {
	var as, reason string
	var justified, unjustified bool
	c := &cobra.Command{
		Use:   "review ID",
		Short: "Judge a break-glass, for HR or for Legal",
		Long: `review says whether a break-glass was justified. Once one review says that it was
not, it can be opened no more; once both are in, it is closed.`,
		Example: `  riskpipe reveal review 3f0c… --justified --reason "the threat was real"`,
		Args:    usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if justified == unjustified {
				return &exitError{exitRejects, errors.New("say --justified or --unjustified")}
			}
			return decide(cmd, args[0], "review", as, reason, &justified)
		},
	}
	addDecisionFlags(c, &as, &reason)
	c.Flags().BoolVar(&justified, "justified", false, "it was")
	c.Flags().BoolVar(&unjustified, "unjustified", false, "it was not")
	return c
}

func decide(cmd *cobra.Command, id, what, as, reason string, justified *bool) error {
	role, err := decidingRole(as)
	if err != nil {
		return err
	}
	path, err := revealPath(id, what)
	if err != nil {
		return err
	}
	return callReveal(cmd, path, server.Decision{As: role, Reason: reason, Justified: justified})
}
