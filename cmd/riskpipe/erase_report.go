package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// report prints what was held and, when it was erased, what is left, and what
// cannot be removed here.
func (e *erasure) report(out io.Writer, format string, erased bool) error {
	stays := e.stays()
	if format == "json" {
		return writeJSON(out, struct {
			Users  []string      `json:"users"`
			Erased bool          `json:"erased"`
			Held   []erasureLine `json:"held"`
			Keys   int           `json:"data_keys"`
			Others uint64        `json:"sealed_with_them_of_others"`
			Stays  []string      `json:"stays"`
		}{e.names(), erased, e.lines, len(e.keys), e.others, stays})
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if erased {
		fmt.Fprintln(table, "WHAT\tHELD\tLEFT")
	} else {
		fmt.Fprintln(table, "WHAT\tHELD")
	}
	for _, line := range e.lines {
		if erased {
			fmt.Fprintf(table, "%s\t%d\t%d\n", line.What, line.Before, line.Left)
		} else {
			fmt.Fprintf(table, "%s\t%d\n", line.What, line.Before)
		}
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	fmt.Fprintf(out, "\nof %d pseudonyms, the first %s\n", len(e.users), e.users[0].Short())
	if e.shredKeys {
		fmt.Fprintf(out, "%d data keys: evidence of %d activities of others goes with them\n", len(e.keys), e.others)
	}
	for _, text := range stays {
		fmt.Fprintln(out, "stays: "+text)
	}
	return nil
}

func (e *erasure) names() []string {
	names := make([]string, len(e.users))
	for i, user := range e.users {
		names[i] = user.String()
	}
	return names
}

// stays says plainly what erasing does not reach.
func (e *erasure) stays() []string {
	names := e.config.Topics.names()
	sealed := "evidence among it, if there is any, opens with the vault key until its data keys have expired"
	if len(e.keys) > 0 {
		sealed = "evidence among it never opens again"
	}
	stays := []string{
		"the topics " + names.Events() + " and " + names.Alerts() + ", under the pseudonym, until their retention ends; " + sealed,
		"what the compacted topics " + names.Identities() + ", " + names.Names() + ", " + names.Risk() + " and " + names.EvidenceKeys() + " held, until the broker compacts them (max.compaction.lag.ms)",
		"the raw topics and the dead letters, which hold upstream's records until their retention ends: a normaliser that is set back reads the person in again",
		"what activities of others say of the person, sealed as theirs",
		"the audit log, which names the pseudonym and no more; backups; what is in the memory of normalisers until they are started again",
		"settings that name the person: normalise.groups, vault.serve.managers_file and tokens_file, suppressions",
	}
	if file := e.config.Vault.Serve.IdentitiesFile; file != "" {
		stays = append(stays, "the sealed identity in "+file)
	}
	return stays
}
