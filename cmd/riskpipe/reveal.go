package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
	"github.com/riskpipe/riskpipe/vault/server"
)

func newRevealCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "reveal",
		Short: "Ask whose a pseudonym is, and decide on such requests",
		Long: `reveal talks to a vault that is served (riskpipe vault serve) at reveal.url, as the
account whose token is in reveal.token_file.

An investigator requests a reveal for one user, one case, a purpose and the fields
that are needed. One HR and one Legal approver approve or deny it; neither may be
the requester, the user, or the user's manager. Once both approved, the requester
may open it until the grant expires. In an emergency the requester takes the grant
at once with --break-glass, and HR and Legal review that afterwards.

Exit status: 0 when it is done, 1 when the vault refuses, 2 for wrong usage, 3 when
the configuration is not valid, 4 when the vault cannot be reached.`,
		Example: `  riskpipe reveal request --user ANON-… --case C-17 --purpose investigation --field upn --reason "mass download before leaving"
  riskpipe reveal approve 3f0c…
  riskpipe reveal open 3f0c…`,
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.PersistentFlags().StringP("output", "o", "text", "`format`: text or json")
	c.AddCommand(newRevealRequestCommand(), newRevealApproveCommand(), newRevealDenyCommand(), newRevealWithdrawCommand(),
		newRevealOpenCommand(), newRevealReviewCommand(), newRevealListCommand())
	return c
}

// vaultOf returns the client for a command.
func vaultOf(cmd *cobra.Command) (*vaultClient, error) {
	config, _, err := load(cmd)
	if err != nil {
		return nil, err
	}
	return config.Reveal.client()
}

func newRevealRequestCommand() *cobra.Command {
	var body server.Request
	var user, purpose string
	c := &cobra.Command{
		Use:   "request",
		Short: "Request to see whose a pseudonym is",
		Long: `request asks for a reveal and prints its id. The purpose is one of investigation,
incident, legal, safety and subject_access; fields are upn, display_name,
object_id, employee_id, aliases, department, manager and title. Write no names
into the reason: it is kept for good.`,
		Example: `  riskpipe reveal request --user ANON-… --case C-17 --purpose investigation --field upn,title --reason "mass download before leaving"
  riskpipe reveal request --user ANON-… --case C-18 --purpose safety --field upn --reason "threat of violence" --break-glass`,
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := body.User.UnmarshalText([]byte(user)); err != nil {
				return &exitError{exitRejects, fmt.Errorf("--user: %w", err)}
			}
			body.Purpose = vault.Purpose(purpose)
			return callReveal(cmd, "/v1/reveals", body)
		},
	}
	c.Flags().StringVar(&user, "user", "", "`pseudonym` in full")
	c.Flags().StringVar(&body.Case, "case", "", "`case` that it is for")
	c.Flags().StringVar(&purpose, "purpose", string(vault.PurposeInvestigation), "`purpose`")
	c.Flags().StringSliceVar(&body.Fields, "field", nil, "`fields` that are needed")
	c.Flags().StringVar(&body.Reason, "reason", "", "`why`, without names")
	c.Flags().BoolVar(&body.BreakGlass, "break-glass", false, "take the grant at once; HR and Legal review it afterwards")
	return c
}

func revealPath(id, what string) (string, error) {
	var uuid schemas.UUID
	if err := uuid.UnmarshalText([]byte(id)); err != nil {
		return "", &exitError{exitRejects, fmt.Errorf("ID: %w", err)}
	}
	return "/v1/reveals/" + uuid.String() + "/" + what, nil
}

// askVault calls the vault, and tells whether its answer is to be printed as JSON.
func askVault(cmd *cobra.Command, method, path string, body, answer any) (asJSON bool, err error) {
	if asJSON, err = wantsJSON(cmd, "text"); err != nil {
		return false, err
	}
	client, err := vaultOf(cmd)
	if err != nil {
		return false, err
	}
	return asJSON, client.call(cmd.Context(), method, path, body, answer)
}

// callReveal posts, and prints the reveal as it is then.
func callReveal(cmd *cobra.Command, path string, body any) error {
	var reveal vault.Reveal
	asJSON, err := askVault(cmd, "POST", path, body, &reveal)
	if err != nil {
		return err
	}
	if asJSON {
		return writeJSON(cmd.OutOrStdout(), reveal)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s %s\n", reveal.ID, statusText(reveal))
	return err
}

// statusText is the status with what matters about it.
func statusText(r vault.Reveal) string {
	text := string(r.Status)
	switch r.Status {
	case vault.RevealGranted:
		text += " until " + r.ExpiresAt.String()
	case vault.RevealReviewed:
		if r.Justified != nil && *r.Justified {
			text += ", justified"
		} else {
			text += ", not justified"
		}
	default:
	}
	if r.NeedsReview() {
		text += ", to be reviewed"
	}
	return text
}

func newRevealOpenCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "open ID",
		Short:   "Show whose the pseudonym is, once that is granted",
		Long:    "open prints the fields that were granted. Each time it does is on record.",
		Example: "  riskpipe reveal open 3f0c…",
		Args:    usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := revealPath(args[0], "open")
			if err != nil {
				return err
			}
			var opened server.Opened
			asJSON, err := askVault(cmd, "POST", path, nil, &opened)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), opened)
			}
			for _, field := range opened.Reveal.Fields {
				for _, value := range opened.Identity[field] {
					fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", field, value)
				}
			}
			return nil
		},
	}
}

func newRevealListCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List requests, the newest first",
		Long:    "list shows investigators their own requests, and all to those who decide or watch.",
		Example: "  riskpipe reveal list -o json | jq '.[] | select(.status == \"requested\")'",
		Args:    usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var list server.Reveals
			asJSON, err := askVault(cmd, "GET", "/v1/reveals", nil, &list)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), list.Reveals)
			}
			return writeReveals(cmd.OutOrStdout(), list.Reveals)
		},
	}
}

func writeReveals(out io.Writer, reveals []vault.Reveal) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tREQUESTED\tUSER\tCASE\tPURPOSE\tREQUESTER\tSTATUS\tDECIDED BY")
	for _, r := range reveals {
		var by []string
		for _, vote := range r.Votes {
			by = append(by, vote.Actor)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			r.ID, r.RequestedAt, r.User.Short(), r.Case, r.Purpose, r.Requester, statusText(r), strings.Join(by, ", "))
	}
	return table.Flush()
}
