package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// benchOptions are the flags of bench.
type benchOptions struct {
	stages     []string
	events     int
	users      int
	partitions int
	seed       uint64
	rate       int
	duration   time.Duration
	embedded   bool
	unsealed   bool
	profiles   string
	format     string
}

func newBenchCommand() *cobra.Command {
	o := benchOptions{}
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure each stage and the whole chain on this machine, beside what the machine can do",
		Long: `bench lets the services work through what the systems of a made-up company would
publish, with all policies live, pseudonyms and sealed evidence, and measures each
stage by itself, all of them together, and how long an alert takes. In the same run
it measures the bare primitives that each stage cannot do without: parsing, Avro,
moving records through Kafka, Redis transactions, columnar inserts. What a stage
takes beyond them is riskpipe's own.

CPU is that of this process: brokers and stores run in others. Servers that answer
at the configured addresses are used, in topics, keys and databases of the bench's
own, which it removes; others are replaced by embedded ones. Numbers of the embedded
Kafka and Redis are for comparing versions of riskpipe, not for planning.

Stages:
  ceilings   the primitives, one at a time
  normalise  raw topics to events, all five feeds
  score      events to alerts and risk changes
  sink       events, alerts, risk changes and identities to ClickHouse
  chain      all of it at once, from a backlog
  latency    at --rate, from publication to the alert on Kafka and the row in ClickHouse
  users      scoring with 1,000 to 1,000,000 users; not by default
  spread     normalising and scoring with 1 to 64 partitions; not by default`,
		Example: `  riskpipe bench
  riskpipe bench --events 2000000 --users 10000 -o json > bench.json
  RISKPIPE_KAFKA_BROKERS=127.0.0.1:19092 RISKPIPE_REDIS_ADDRESSES=127.0.0.1:16379 riskpipe bench
  riskpipe bench --stages normalise,score --profiles profiles`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.validate(); err != nil {
				return &exitError{exitRejects, err}
			}
			config, _, err := load(cmd)
			if err != nil {
				return err
			}
			report, err := runBench(cmd.Context(), config, o, cmd.ErrOrStderr())
			if err != nil {
				if cmd.Context().Err() != nil {
					return context.Canceled
				}
				return err
			}
			return report.print(cmd.OutOrStdout(), o.format)
		},
	}
	f := c.Flags()
	f.StringSliceVar(&o.stages, "stages", defaultStages(), "what to measure, in the order above")
	f.IntVar(&o.events, "events", 500_000, "events to work through, roughly")
	f.IntVar(&o.users, "users", 1000, "people in the company")
	f.IntVar(&o.partitions, "partitions", 4, "of each topic")
	f.Uint64Var(&o.seed, "seed", 1, "another seed is another company")
	f.IntVar(&o.rate, "rate", 10_000, "events a second of the stage latency")
	f.DurationVar(&o.duration, "duration", 20*time.Second, "of the stage latency")
	f.BoolVar(&o.embedded, "embedded", false, "embedded servers, even where others answer")
	f.BoolVar(&o.unsealed, "unsealed", false, "without sealing evidence and identities, to see what that costs")
	f.StringVar(&o.profiles, "profiles", "", "`folder` for a CPU profile of each stage")
	f.StringVarP(&o.format, "output", "o", "table", "`format`: table or json")
	return c
}

const (
	stageCeilings  = "ceilings"
	stageNormalise = "normalise"
	stageScore     = "score"
	stageSink      = "sink"
	stageChain     = "chain"
	stageLatency   = "latency"
	stageUsers     = "users"
	stageSpread    = "spread"
)

func defaultStages() []string {
	return []string{stageCeilings, stageNormalise, stageScore, stageSink, stageChain, stageLatency}
}

func (o benchOptions) validate() error {
	var problems []error
	known := append(defaultStages(), stageUsers, stageSpread)
	for _, s := range o.stages {
		if !slices.Contains(known, s) {
			problems = append(problems, fmt.Errorf("--stages has %q: want some of %s", s, strings.Join(known, ", ")))
		}
	}
	for _, least := range []struct {
		flag        string
		value, want int
	}{{"events", o.events, 1000}, {"users", o.users, 12}, {"partitions", o.partitions, 1}, {"rate", o.rate, 1}} {
		if least.value < least.want {
			problems = append(problems, fmt.Errorf("--%s is %d: want %d or more", least.flag, least.value, least.want))
		}
	}
	if o.duration < time.Second {
		problems = append(problems, fmt.Errorf("--duration is %s: want 1s or more", o.duration))
	}
	if o.format != "table" && o.format != "json" {
		problems = append(problems, fmt.Errorf("-o is %q: want table or json", o.format))
	}
	return errors.Join(problems...)
}

func (o benchOptions) has(stage string) bool { return slices.Contains(o.stages, stage) }

// runBench measures what the options ask for. Stages that another one needs run, too,
// and are measured with it.
func runBench(ctx context.Context, config Config, o benchOptions, talk io.Writer) (_ *benchReport, err error) {
	servers, err := startBenchServers(ctx, config, o, talk)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, servers.close()) }()
	report := newBenchReport(servers, o)
	b := &bench{options: o, servers: servers, report: report, talk: talk}
	if o.has(stageCeilings) || o.has(stageNormalise) || o.has(stageScore) || o.has(stageSink) {
		if err := b.stages(ctx); err != nil {
			return nil, err
		}
	}
	for _, stage := range []struct {
		name string
		run  func(context.Context) error
	}{
		{stageChain, b.chain}, {stageLatency, b.latency}, {stageUsers, b.users}, {stageSpread, b.spread},
	} {
		if !o.has(stage.name) {
			continue
		}
		if err := stage.run(ctx); err != nil {
			return nil, fmt.Errorf("measuring %s: %w", stage.name, err)
		}
	}
	return report, nil
}

// bench is one run.
type bench struct {
	options benchOptions
	servers *benchServers
	report  *benchReport
	talk    io.Writer
}

// stages works through one load stage after stage, each until nothing is left.
func (b *bench) stages(ctx context.Context) error {
	room, load, err := b.loaded(ctx, b.options.partitions)
	if err != nil {
		return err
	}
	defer room.close()
	normalised, err := b.measure(ctx, stageNormalise, func(ctx context.Context) (int64, error) { return room.normalise(ctx, load.records) })
	if err != nil {
		return err
	}
	normalised.Bytes = load.bytes
	var scored *benchStage
	if b.options.has(stageCeilings) || b.options.has(stageScore) || b.options.has(stageSink) {
		if scored, err = b.measure(ctx, stageScore, room.score); err != nil {
			return err
		}
		usage, err := room.redis.Usage(ctx)
		if err != nil {
			return err
		}
		b.report.States, b.report.StateBytes = usage.States, float64(usage.Bytes)/float64(max(usage.States, 1))
	}
	var sunk *benchStage
	if b.options.has(stageSink) {
		if sunk, err = b.measure(ctx, stageSink, room.sink); err != nil {
			return err
		}
	}
	if !b.options.has(stageCeilings) {
		return nil
	}
	c, err := b.ceilings(ctx, room, load, normalised.Events)
	if err != nil {
		return fmt.Errorf("measuring the ceilings: %w", err)
	}
	normalised.ceiling(c.consumeRaw + c.parse + c.encode + c.produce)
	scored.ceiling(c.consume + c.decode + c.store)
	sunk.ceiling(c.consume + c.decode + c.insert)
	return nil
}
