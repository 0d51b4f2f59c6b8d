package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/riskpipe/riskpipe/pipeline"
)

func newRebuildCommand() *cobra.Command {
	var o rebuildOptions
	c := &cobra.Command{
		Use:   "rebuild",
		Short: "Make the states in Redis anew from Kafka, and prove that they are right",
		Long: `rebuild scores the topic events up to its present end, partition by partition, when
Redis has lost its states. Scorers may run meanwhile and records may keep coming:
a partition that a scorer works on is left to it, any other is scored here. Alerts
are written again, each with the id, version and content that it had. Names that
normalisers have learned are stored again first. Interrupted, it goes on with the
next call.

--verify proves the states afterwards, --verify-only those that are there: it reads
each state with the offset of which it is, folds the log of events to that very
offset without the scorer's code, and compares digests. Nothing is stopped for that
and nothing is written.

--discard throws the states away first: after a loss of records, when states cannot
be read, or when a new policy set shall score what is past, too. Running scorers
wait meanwhile.

Exit status: 0 when all is done, and proved if that was asked for; 1 when states
differ from the log or the log cannot tell, with the reason and the first users.`,
		Example: `  riskpipe rebuild --config riskpipe.yaml --verify
  riskpipe rebuild --config riskpipe.yaml --verify-only -o json | jq .proofs`,
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return rebuild(cmd, o) },
	}
	addPoliciesFlag(c)
	c.Flags().BoolVar(&o.verify, "verify", false, "prove the states afterwards")
	c.Flags().BoolVar(&o.verifyOnly, "verify-only", false, "rebuild nothing, prove the states that are there")
	c.Flags().BoolVar(&o.discard, "discard", false, "throw the states away first")
	c.Flags().BoolVar(&o.force, "force", false, "discard although the topic's first records are gone, and with them what the states know of them")
	c.Flags().BoolVar(&o.allowUnsigned, "allow-unsigned", false, "score by live policies that nobody signed, for trying riskpipe out")
	c.Flags().StringVarP(&o.format, "output", "o", "table", "`format`: table or json")
	return c
}

type rebuildOptions struct {
	verify, verifyOnly, discard, force, allowUnsigned bool
	format                                            string
}

func rebuild(cmd *cobra.Command, o rebuildOptions) error {
	if o.format != "table" && o.format != "json" {
		return &exitError{exitRejects, fmt.Errorf("-o is %q: want table or json", o.format)}
	}
	if o.verifyOnly && (o.verify || o.discard) {
		return &exitError{exitRejects, errors.New("--verify-only rebuilds nothing: leave --verify and --discard out, or it")}
	}
	config, err := loadScoring(cmd)
	if err != nil {
		return err
	}
	talk := cmd.ErrOrStderr()
	if isTerminal(talk) {
		config.Log.Level = "warn" // the bars say the rest
	}
	log := newLogger(talk, config.Log)
	if !o.verifyOnly {
		if err := config.requireSignatures(log, o.allowUnsigned); err != nil {
			return err
		}
	}
	redis, err := config.Redis.open()
	if err != nil {
		return err
	}
	defer redis.Close()
	report, err := runRebuild(cmd.Context(), config, o, redis, log, talk)
	if err != nil {
		return err
	}
	return report.print(cmd.OutOrStdout(), o.format)
}

// runRebuild does what the options say.
func runRebuild(ctx context.Context, config Config, o rebuildOptions, redis *pipeline.Redis, log *slog.Logger, talk io.Writer) (rebuildReport, error) {
	var report rebuildReport
	library, err := config.Score.library()
	if err != nil {
		return report, err
	}
	deps, err := config.scorerDeps(ctx, library, log, redis)
	if err != nil {
		return report, err
	}
	starts, err := firstEvents(ctx, config)
	if err != nil {
		return report, err
	}
	states := redis.States(config.Topics.stateGeneration())
	if o.discard {
		if err := discard(ctx, states, starts, o.force, talk); err != nil {
			return report, err
		}
	}
	if !o.verifyOnly {
		names, err := pipeline.RestoreNames(ctx, deps.Cluster, deps.Topics, redis.Names())
		if err != nil {
			return report, err
		}
		report.Names = &names
		if err := config.recordAdoption(ctx, log, library); err != nil {
			return report, err
		}
		bars := newPartitionBars(talk, "rebuilding")
		err = pipeline.Rebuild(ctx, config.scorer(), deps, func(all []pipeline.RebuildProgress) {
			report.Rebuilt = all
			bars.rebuild(all)
		})
		bars.done()
		if err != nil {
			return report, fmt.Errorf("rebuilding the states: %w", err)
		}
	}
	if !o.verify && !o.verifyOnly {
		return report, nil
	}
	bars := newPartitionBars(talk, "verifying")
	report.Proofs, err = pipeline.Verify(ctx, pipeline.VerifyDeps{
		Cluster: deps.Cluster, Topics: deps.Topics, Engine: deps.Engine, States: states,
		Events: deps.Events, Alerts: deps.Alerts, Risks: deps.Risks, Log: log, Progress: bars.verify,
	})
	bars.done()
	if err != nil {
		return report, fmt.Errorf("verifying the states: %w", err)
	}
	return report, nil
}

// firstEvents returns where each partition of events begins.
func firstEvents(ctx context.Context, config Config) ([]kadm.ListedOffset, error) {
	client, err := config.Kafka.connect()
	if err != nil {
		return nil, err
	}
	defer client.Close()
	topic := config.Topics.names().Events()
	limited, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	starts, err := kadm.NewClient(client).ListStartOffsets(limited, topic)
	if err == nil {
		err = starts.Error()
	}
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err() // interrupted
	case err != nil:
		return nil, &exitError{exitUnreachable, fmt.Errorf("finding the first records of %s: %w", topic, err)}
	}
	return slices.SortedFunc(maps.Values(starts[topic]), func(a, b kadm.ListedOffset) int {
		return cmp.Compare(a.Partition, b.Partition)
	}), nil
}

// discard throws all states away, unless that would lose what the log no longer
// has.
func discard(ctx context.Context, states *pipeline.RedisStates, starts []kadm.ListedOffset, force bool, talk io.Writer) error {
	var gone []error
	for _, start := range starts {
		if start.Offset > 0 {
			gone = append(gone, fmt.Errorf("partition %d begins at offset %d", start.Partition, start.Offset))
		}
	}
	if len(gone) > 0 && !force {
		return fmt.Errorf("nothing was discarded: the topic's first records are gone by retention, and the states may still hold what they said; "+
			"--force does without it:\n%w", errors.Join(gone...))
	}
	bar := newProgress(talk, "discarding", "partitions", int64(len(starts)))
	defer bar.done()
	for _, start := range starts {
		if err := states.Discard(ctx, start.Partition, rand.Text()); err != nil {
			return err
		}
		bar.add(1)
	}
	return nil
}
