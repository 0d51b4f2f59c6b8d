package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/riskpipe/riskpipe/operators"
	"github.com/riskpipe/riskpipe/schemas"
)

// listedPolicy is a line of policy list.
type listedPolicy struct {
	Name       string       `json:"name"`
	Version    int32        `json:"version"`
	Mode       string       `json:"mode"`
	Title      string       `json:"title"`
	Triggers   []string     `json:"triggers"`
	Indicators int          `json:"indicators"`
	Hash       schemas.Hash `json:"hash"`
}

// listedIndicator is a line of policy list --indicators.
type listedIndicator struct {
	Family   string `json:"family"`
	Name     string `json:"name"`
	Category string `json:"category"`
	Purview  string `json:"purview"`
	Title    string `json:"title"`
}

func newPolicyListCommand() *cobra.Command {
	var indicators bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List the policies, or the catalogue of indicators",
		Long: `list prints a line for each policy: name, version, mode, number of indicators, hash,
title and what brings a person in. The hash is the one that the policy's alerts
carry. With --indicators it prints the catalogue by family: name, category, the
nearest indicator of Microsoft Purview, title.`,
		Example: `  riskpipe policy list
  riskpipe policy list --indicators
  riskpipe policy list -o json | jq -r '.[] | select(.mode == "live").name'`,
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			asJSON, err := wantsJSON(cmd, "table")
			if err != nil {
				return err
			}
			library, _, err := libraryOf(cmd)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if indicators {
				if list := listIndicators(library); asJSON {
					return writeJSON(out, list)
				}
				return printIndicators(out, library)
			}
			list, err := listPolicies(library)
			switch {
			case err != nil:
				return &exitError{exitConfig, err}
			case asJSON:
				return writeJSON(out, list)
			default:
				return printPolicies(out, list)
			}
		},
	}
	c.Flags().BoolVar(&indicators, "indicators", false, "list the catalogue of indicators")
	addFormatFlag(c, "table", "json")
	return c
}

func listPolicies(library operators.Library) ([]listedPolicy, error) {
	hashes, err := library.Hashes()
	if err != nil {
		return nil, err
	}
	list := make([]listedPolicy, len(library.Policies))
	for i, p := range library.Policies {
		list[i] = listedPolicy{p.Name, p.Version, p.Mode, p.Title, p.Trigger.Words(), len(p.Indicators), hashes[p.Name]}
	}
	return list, nil
}

func listIndicators(library operators.Library) []listedIndicator {
	byName := map[string]operators.Indicator{}
	for _, ind := range library.Indicators {
		byName[ind.Name] = ind
	}
	list := []listedIndicator{}
	for _, family := range library.Families {
		for _, name := range family.Indicators {
			ind := byName[name]
			list = append(list, listedIndicator{family.Name, name, ind.Category, ind.Purview, ind.Title})
		}
	}
	return list
}

// mostTriggers is how many triggers a line of the table names.
const mostTriggers = 3

func printPolicies(out io.Writer, list []listedPolicy) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tVERSION\tMODE\tINDICATORS\tHASH\tTITLE\tTRIGGER")
	for _, p := range list {
		triggers := p.Triggers[:min(len(p.Triggers), mostTriggers)]
		trigger := strings.Join(triggers, "; ")
		if more := len(p.Triggers) - len(triggers); more > 0 {
			trigger += fmt.Sprintf("; %d more", more)
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%d\t%016x\t%s\t%s\n", p.Name, p.Version, p.Mode, p.Indicators, uint64(p.Hash), p.Title, trigger)
	}
	return w.Flush()
}

func printIndicators(out io.Writer, library operators.Library) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	list := listIndicators(library)
	for i, family := range library.Families {
		if len(family.Indicators) == 0 {
			continue // its indicators are another file's now
		}
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s: %s\n", family.Name, family.Title)
		for _, ind := range list {
			if ind.Family == family.Name {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", ind.Name, ind.Category, orDash(ind.Purview), ind.Title)
			}
		}
	}
	return w.Flush()
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
