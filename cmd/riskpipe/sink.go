package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"github.com/riskpipe/riskpipe/sink"
)

func newSinkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "sink",
		Short: "Write events, alerts, risk changes, sealed identities and the audit trail to ClickHouse",
		Long: `sink writes the topics events, alerts, risk, identities, evidence_keys and audit
to ClickHouse in large blocks and commits what is written. While ClickHouse is
down it waits, and lag grows; nothing is dropped. Run riskpipe migrate first. As many sinks can share the work as the
topics have partitions.`,
		Example: "  riskpipe sink --config riskpipe.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, log, err := load(cmd)
			if err != nil {
				return err
			}
			conn, err := config.ClickHouse.open(cmd.Context(), config.ClickHouse.Database)
			if err != nil {
				return err
			}
			defer conn.Close()
			metrics := newRegistry()
			s, err := newSink(cmd.Context(), config, log, metrics, conn)
			if err != nil {
				return err
			}
			return serve(cmd.Context(), log, config.Admin, metrics, s)
		},
	}
}

// newSink puts the sink together.
func newSink(ctx context.Context, config Config, log *slog.Logger, metrics prometheus.Registerer, conn sink.Conn) (*sink.Sink, error) {
	kafka, err := config.Kafka.options()
	if err != nil {
		return nil, err
	}
	codecs, err := config.codecs(ctx)
	if err != nil {
		return nil, err
	}
	s, err := sink.New(config.sink(), sink.Deps{
		Logger: log, Conn: conn, Kafka: kafka, Registerer: metrics,
		Events: codecs.events, Alerts: codecs.alerts, Risks: codecs.risk, Identities: codecs.identities, EvidenceKeys: codecs.keys, Audits: codecs.audits,
	})
	if err != nil {
		return nil, &exitError{exitConfig, err}
	}
	return s, nil
}

// sink is the sink's own configuration.
func (c Config) sink() sink.Config {
	return sink.Config{
		Database: c.ClickHouse.Database, IdentityDatabase: c.ClickHouse.IdentityDatabase, Topics: c.Topics.names(), Group: c.Topics.group("sink"),
		BatchRows: c.Sink.BatchRows, FlushInterval: c.Sink.FlushInterval,
	}
}

func (c SinkConfig) retention() sink.Retention {
	return sink.Retention{ActivityDays: c.ActivityDays, AlertDays: c.AlertDays, RiskDays: c.RiskDays, IdentityDays: c.IdentityDays, EvidenceDays: c.EvidenceDays}
}

// migration is what migrating does beside the tables.
func (c Config) migration(dryRun bool) sink.MigrateOptions {
	return sink.MigrateOptions{DryRun: dryRun, IdentityDatabase: c.ClickHouse.IdentityDatabase, Retention: c.Sink.retention()}
}

// migrated makes database, tables and views, and connects to them.
func (c Config) migrated(ctx context.Context) (sink.Conn, error) {
	conn, err := c.ClickHouse.open(ctx, "")
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if _, err := sink.Migrate(ctx, conn, c.ClickHouse.Database, c.migration(false)); err != nil {
		return nil, fmt.Errorf("making the tables: %w", err)
	}
	return c.ClickHouse.open(ctx, c.ClickHouse.Database)
}

// open connects to ClickHouse; no database is for making one.
func (c ClickHouseConfig) open(ctx context.Context, database string) (sink.Conn, error) {
	conn, err := sink.Open(ctx, sink.ClickHouseConfig{
		Addresses: c.Addresses, Protocol: c.Protocol, Database: database,
		Username: c.Username, Password: string(c.Password), Compression: c.Compression,
		TLS: sink.TLSConfig{
			Enabled: c.TLS.Enabled, CAFile: c.TLS.CAFile, CertFile: c.TLS.CertFile, KeyFile: c.TLS.KeyFile,
			ServerName: c.TLS.ServerName, InsecureSkipVerify: c.TLS.InsecureSkipVerify,
		},
	})
	if err != nil {
		return nil, &exitError{exitUnreachable, err}
	}
	return conn, nil
}

func newMigrateCommand() *cobra.Command {
	var dryRun, roles bool
	c := &cobra.Command{
		Use:   "migrate",
		Short: "Make or update the tables and views in ClickHouse",
		Long: `migrate makes the database when there is none, runs the migrations that were not
run on it yet, and sets how long rows are kept (sink.activity_days and so on). It
can be run at any time; what is done already is left alone.

With --roles it also makes the roles that readers, services and the vault log in
with, and makes the views read as a user of their own; with --dry-run it prints
the SQL of that for whoever may run it.`,
		Example: `  riskpipe migrate --dry-run
  riskpipe migrate --config riskpipe.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, _, err := load(cmd)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), 5*time.Minute)
			defer cancel()
			conn, err := config.ClickHouse.open(ctx, "")
			if err != nil {
				return err
			}
			defer conn.Close()
			applied, err := sink.Migrate(ctx, conn, config.ClickHouse.Database, config.migration(dryRun))
			for _, m := range applied {
				fmt.Fprintln(cmd.OutOrStdout(), m.Name)
			}
			if err != nil {
				return fmt.Errorf("migrating database %s: %w", config.ClickHouse.Database, err)
			}
			if roles {
				if err := grantRoles(ctx, cmd.OutOrStdout(), conn, config.ClickHouse, dryRun); err != nil {
					return err
				}
			}
			switch {
			case len(applied) == 0:
				fmt.Fprintf(cmd.ErrOrStderr(), "database %s is up to date\n", config.ClickHouse.Database)
			case dryRun:
				fmt.Fprintf(cmd.ErrOrStderr(), "database %s: %d migrations would run\n", config.ClickHouse.Database, len(applied))
			default:
				fmt.Fprintf(cmd.ErrOrStderr(), "database %s: %d migrations run\n", config.ClickHouse.Database, len(applied))
			}
			return nil
		},
	}
	c.Flags().BoolVar(&roles, "roles", false, "also make the roles, or print their SQL with --dry-run")
	c.Flags().BoolVar(&dryRun, "dry-run", false, "list what would be done and change nothing")
	return c
}

// grantRoles makes the roles, or prints the statements that would.
func grantRoles(ctx context.Context, out io.Writer, conn sink.Conn, config ClickHouseConfig, dryRun bool) error {
	roles, err := sink.Roles(config.Database, config.IdentityDatabase)
	if err != nil {
		return &exitError{exitConfig, err}
	}
	if dryRun {
		for _, statement := range roles {
			fmt.Fprintln(out, statement+";")
		}
		return nil
	}
	return sink.GrantRoles(ctx, conn, roles)
}
