package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/sink"
	"github.com/riskpipe/riskpipe/vault"
)

func newAccessReportCommand() *cobra.Command {
	var file, reason, forCase string
	var also []string
	c := &cobra.Command{
		Use:   "access-report USER",
		Short: "Write all that is held of a person, opened, for that person",
		Long: `access-report answers a person who asks what is held of them (GDPR, Article 15). It
writes a JSON file, readable by you alone, with the identity as the feeds told it,
every activity with its evidence, every version of every alert, every change of the
risk score, how long each is kept and by which policies it is judged. USER is a user
principal name or a pseudonym in full.

It runs where the vault's private key is, and nowhere else; nothing of it shows to
analysts. ClickHouse's user needs SELECT on the tables of both databases, which no
role for daily work has: grant it for the occasion. It is on record in the audit log
first. Give the file to the person and delete it.`,
		Example: `  riskpipe vault access-report ada@contoso.example --out ada.json --reason "request of the person, DSR-11" --case DSR-11`,
		Args:    usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if file == "" || strings.TrimSpace(reason) == "" {
				return &exitError{exitRejects, errors.New("name the file with --out, and say with --reason who asked, without names")}
			}
			config, _, err := load(cmd)
			if err != nil {
				return err
			}
			users, err := config.pseudonymsOf(args[0], also)
			if err != nil {
				return err
			}
			counts, err := config.accessReport(cmd.Context(), users, file, reason, forCase)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), counts)
			return err
		},
	}
	c.Flags().StringVar(&file, "out", "", "`file` to write, which must not exist")
	c.Flags().StringArrayVar(&also, "also", nil, "another `name` of the person, as for riskpipe erase")
	c.Flags().StringVar(&reason, "reason", "", "`who` asked, without names")
	c.Flags().StringVar(&forCase, "case", "", "`case` it is done for")
	return c
}

// accessReport is the file.
type accessReport struct {
	MadeAt     schemas.Time       `json:"made_at"`
	Purpose    vault.Purpose      `json:"purpose"`
	Identities []openedIdentity   `json:"identities"`
	Policies   []reportedPolicy   `json:"policies"`
	Retention  []reportedKeeping  `json:"retention"`
	Pseudonyms []reportedHoldings `json:"held"`
	// States are counted: what is in them follows from the activities.
	States       int `json:"scoring_states"`
	LearnedNames int `json:"learned_names"`
}

type openedIdentity struct {
	User      schemas.Pseudonym `json:"pseudonym"`
	LearnedAt schemas.Time      `json:"learned_at"`
	vault.Identity
}

// reportedPolicy says what for data is used.
type reportedPolicy struct {
	Name        string `json:"name"`
	Title       string `json:"title"`
	Description string `json:"description"`
	Mode        string `json:"mode"`
}

type reportedKeeping struct {
	What string `json:"what"`
	Days int    `json:"days"`
}

// reportedHoldings is what is held under one pseudonym.
type reportedHoldings struct {
	User       schemas.Pseudonym `json:"pseudonym"`
	Activities []sink.Row        `json:"activities"`
	Alerts     []sink.Row        `json:"alerts"`
	Risk       []sink.Row        `json:"risk"`
	// Shredded counts the activities whose evidence nobody can open any more.
	Shredded int `json:"evidence_shredded"`
}

// accessReport puts the report on record, makes it and writes it, and returns
// what to tell of it.
func (c Config) accessReport(ctx context.Context, users []schemas.Pseudonym, file, reason, forCase string) (told string, err error) {
	keys, err := c.Vault.keyring(ctx)
	if err != nil {
		return "", &exitError{exitConfig, err}
	}
	out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, secretMode)
	if err != nil {
		return "", fmt.Errorf("writing the report (an existing file is never overwritten): %w", err)
	}
	defer func() {
		if err = errors.Join(err, out.Close()); err != nil {
			err = errors.Join(err, os.Remove(file))
		}
	}()
	audit, err := c.Vault.Serve.openRecord()
	if err != nil {
		return "", err
	}
	detail := map[string]string{"purpose": string(vault.PurposeSubject), "reason": reason}
	err = recordDeed(ctx, audit, deed{"subject_access.reported", users[0].String(), forCase, detail})
	if err := errors.Join(err, audit.Close()); err != nil {
		return "", err
	}
	report, err := c.readAccessReport(ctx, users, keys)
	if err != nil {
		return "", err
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := errors.Join(encoder.Encode(report), out.Sync()); err != nil {
		return "", fmt.Errorf("writing the report: %w", err)
	}
	activities, alerts := 0, 0
	for _, h := range report.Pseudonyms {
		activities, alerts = activities+len(h.Activities), alerts+len(h.Alerts)
	}
	return fmt.Sprintf("%s: %d identities, %d activities, %d versions of alerts", file, len(report.Identities), activities, alerts), nil
}

func (c Config) readAccessReport(ctx context.Context, users []schemas.Pseudonym, keys vault.Opener) (*accessReport, error) {
	e, err := newErasure(ctx, c, users, nil)
	if err != nil {
		return nil, err
	}
	defer e.close()
	identities, err := sink.NewIdentitySource(e.conn, c.ClickHouse.Database, c.ClickHouse.IdentityDatabase)
	if err != nil {
		return nil, err
	}
	source, err := sink.NewAboutSource(e.conn, c.ClickHouse.Database, c.ClickHouse.IdentityDatabase)
	if err != nil {
		return nil, err
	}
	report := &accessReport{MadeAt: schemas.TimeOf(time.Now()), Purpose: vault.PurposeSubject, Retention: c.Sink.keeping()}
	if report.Policies, err = c.Score.reported(); err != nil {
		return nil, err
	}
	found, err := e.widen(ctx)
	if err != nil {
		return nil, err
	}
	report.States, report.LearnedNames = found.States+found.StaleStates, len(found.Names)
	// The list grows by what identities say of earlier keys.
	for i := 0; i < len(e.users); i++ {
		sealed, err := identities.Identities(ctx, e.users[i])
		if err != nil {
			return nil, err
		}
		for j := range sealed {
			identity, err := vault.OpenIdentity(ctx, keys, &sealed[j])
			if err != nil {
				return nil, err
			}
			report.Identities = append(report.Identities, openedIdentity{e.users[i], sealed[j].UpdatedTime, identity})
			for _, link := range identity.Previous {
				e.users = withoutRepeats(append(e.users, link.User))
			}
		}
	}
	opener := vault.NewEvidenceOpener(keys)
	for _, user := range e.users {
		about, err := source.About(ctx, user)
		if err != nil {
			return nil, err
		}
		holdings, err := opened(ctx, opener, user, about)
		if err != nil {
			return nil, err
		}
		if len(holdings.Activities)+len(holdings.Alerts)+len(holdings.Risk) > 0 {
			report.Pseudonyms = append(report.Pseudonyms, holdings)
		}
	}
	return report, nil
}

// opened puts the evidence into the activities.
func opened(ctx context.Context, opener *vault.EvidenceOpener, user schemas.Pseudonym, about sink.About) (reportedHoldings, error) {
	h := reportedHoldings{User: user, Activities: about.Activities, Alerts: about.AlertHistory, Risk: about.Risk}
	evidence := map[string]schemas.Evidence{}
	for _, sealed := range about.Sealed {
		key, kept := about.Keys[sealed.Key]
		if !kept {
			h.Shredded++
			continue
		}
		plain, err := opener.Open(ctx, &key, user, sealed.Event, sealed.Evidence)
		if err != nil {
			return h, err
		}
		if evidence[sealed.Event.String()], err = schemas.ReadEvidence(plain); err != nil {
			return h, fmt.Errorf("event %s: %w", sealed.Event, err)
		}
	}
	for _, row := range h.Activities {
		if facts, found := evidence[fmt.Sprint(row["event_id"])]; found {
			row["evidence"] = facts
		}
	}
	return h, nil
}

// keeping lists the retention of each class.
func (c SinkConfig) keeping() []reportedKeeping {
	return []reportedKeeping{
		{"activities", c.ActivityDays},
		{"alerts", c.AlertDays},
		{"risk", c.RiskDays},
		{"identities, from when they were last learned", c.IdentityDays},
		{"evidence", c.EvidenceDays},
	}
}

// reported lists the policies that are on.
func (c ScoreConfig) reported() ([]reportedPolicy, error) {
	library, err := c.library()
	if err != nil {
		return nil, err
	}
	var list []reportedPolicy
	for i := range library.Policies {
		if p := &library.Policies[i]; p.Mode != "off" {
			list = append(list, reportedPolicy{p.Name, p.Title, p.Description, p.Mode})
		}
	}
	return list, nil
}
