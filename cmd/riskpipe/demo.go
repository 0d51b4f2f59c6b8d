package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/riskpipe/riskpipe/deploy/tenant"
)

// demoOptions are the flags of demo.
type demoOptions struct {
	users, days int
	density     float64
	seed        uint64
	keep        bool
	kafka       string
	redis       string
	clickhouse  string
	vault       string
	data        string
}

func newDemoCommand() *cobra.Command {
	var o demoOptions
	c := &cobra.Command{
		Use:   "demo",
		Short: "Run the whole system on embedded servers, with a made-up company",
		Long: `demo starts Kafka and Redis (in-process fakes) and the real ClickHouse engine (a
child process), all five normalisers, the scorer and the sink, publishes what the
systems of a made-up company would publish in six weeks, and explains the alerts.
Names and evidence are sealed to a key that is drawn for the demo and thrown away.

With --keep everything stays up for dashboards and clients, at fixed addresses,
until Ctrl-C, and the vault is served, so that a name can be revealed.`,
		Example: `  riskpipe demo
  riskpipe demo --users 1000 --seed 7
  riskpipe demo --keep`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			err := demo(cmd.Context(), o, cmd.OutOrStdout(), cmd.ErrOrStderr())
			if err != nil && cmd.Context().Err() != nil {
				return context.Canceled
			}
			return err
		},
	}
	f := c.Flags()
	f.IntVar(&o.users, "users", 300, "people in the company")
	f.IntVar(&o.days, "days", 42, "days of work")
	f.Float64Var(&o.density, "density", 1, "how much everyday work there is")
	f.Uint64Var(&o.seed, "seed", 1, "another seed is another company")
	f.BoolVar(&o.keep, "keep", false, "leave everything running until Ctrl-C")
	f.StringVar(&o.kafka, "kafka", "127.0.0.1:29092", "Kafka's `address` with --keep")
	f.StringVar(&o.redis, "redis", "127.0.0.1:26379", "Redis' `address` with --keep")
	f.StringVar(&o.clickhouse, "clickhouse", "127.0.0.1:28123", "`address` of ClickHouse's HTTP interface with --keep")
	f.StringVar(&o.vault, "vault", "127.0.0.1:8460", "the vault's `address` with --keep")
	f.StringVar(&o.data, "data", "", "`folder` for ClickHouse's tables; a temporary one when empty")
	return c
}

// heldBack is how many of the last records are published one by one once all
// others are through: the latency of a backlog says nothing about that of a
// quiet system.
const heldBack = 300

// pace is the time between two of them.
const pace = 10 * time.Millisecond

func demo(ctx context.Context, o demoOptions, out, talk io.Writer) (err error) {
	company, err := tenant.New(tenant.Options{
		Seed: o.seed, Users: o.users, Days: o.days, Density: o.density,
		// The last records are published up to two days after the last day.
		Start: time.Now().UTC().AddDate(0, 0, -o.days-3),
	})
	if err != nil {
		return &exitError{exitRejects, err}
	}
	fmt.Fprintln(talk, "starting Kafka, Redis and the ClickHouse engine")
	s, err := startDemoServers(ctx, o, company.Domain(), talk)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }() // also says why a service failed
	if err := s.prepare(ctx); err != nil {
		return err
	}
	ctx = s.startServices(ctx)

	started := time.Now()
	published, last, err := s.publish(ctx, company, talk)
	if err == nil {
		err = s.drain(ctx, talk)
	}
	if err != nil {
		return err
	}
	took := time.Since(started)
	since, err := s.publishLive(ctx, last, talk)
	if err == nil {
		err = s.drain(ctx, talk)
	}
	if err != nil {
		return err
	}
	r := demoReport{servers: s, company: company, out: out}
	if err := r.print(ctx, published, took, since); err != nil {
		return err
	}
	if !o.keep {
		r.whose()
		fmt.Fprintln(out, "\nRun `riskpipe demo --keep` to look around with SQL, Grafana or a Kafka client, and to reveal a name.")
		return nil
	}
	if err := s.vault.serve(ctx, s.config, company.Domain(), o.vault, s.log, s.services.Go); err != nil {
		return err
	}
	r.addresses()
	<-ctx.Done()
	fmt.Fprintln(talk, "stopping")
	return nil
}
