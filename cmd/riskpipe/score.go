package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"
	_ "time/tzdata" // time zones by name, the same ones on every machine

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"github.com/riskpipe/riskpipe/operators"
	"github.com/riskpipe/riskpipe/pipeline"
)

func newScoreCommand() *cobra.Command {
	var allowUnsigned bool
	c := &cobra.Command{
		Use:   "score",
		Short: "Fold events into risk states, and write alerts and risk changes",
		Long: `score folds every person's events into their state in Redis and writes alerts and
changes of risk scores to Kafka. Its position is stored with the states, in one
transaction, so that nothing is lost or counted twice whatever is killed. As many
scorers can share the work as the topic events has partitions.

It starts when HR and Legal have signed the policies that are live; see riskpipe
policy sign. Which set it adopts, and each live policy that is not signed, is on
the topic audit before a single event is scored by it.`,
		Example: `  riskpipe score --config riskpipe.yaml
  riskpipe score --config riskpipe.yaml --allow-unsigned`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, log, err := load(cmd)
			if err != nil {
				return err
			}
			if err := config.Score.override(cmd); err != nil {
				return err
			}
			if err := config.requireSignatures(log, allowUnsigned); err != nil {
				return err
			}
			redis, err := config.Redis.open()
			if err != nil {
				return err
			}
			defer redis.Close()
			metrics := newRegistry()
			s, err := newScorer(cmd.Context(), config, log, metrics, redis)
			if err != nil {
				return err
			}
			return serve(cmd.Context(), log, config.Admin, metrics, s)
		},
	}
	addPoliciesFlag(c)
	c.Flags().BoolVar(&allowUnsigned, "allow-unsigned", false, "score by live policies that nobody signed, for trying riskpipe out")
	return c
}

// stateGeneration names the layout of users over partitions. A topic of events
// with another number of partitions is another generation.
func (c TopicsConfig) stateGeneration() string { return fmt.Sprintf("g1x%d", c.Partitions) }

// newScorer puts the scoring service together, and on record which policies it
// scores by.
func newScorer(ctx context.Context, config Config, log *slog.Logger, metrics prometheus.Registerer, redis *pipeline.Redis) (*pipeline.Scorer, error) {
	library, err := config.Score.library()
	if err != nil {
		return nil, err
	}
	deps, err := config.scorerDeps(ctx, library, log, redis)
	if err != nil {
		return nil, err
	}
	deps.Metrics = metrics
	// A scorer joins its group, and may score, as soon as it is made.
	if err := config.recordAdoption(ctx, log, library); err != nil {
		return nil, err
	}
	s, err := pipeline.NewScorer(config.scorer(), deps)
	if err != nil {
		return nil, fmt.Errorf("setting up the scorer: %w", err)
	}
	return s, nil
}

// scorer is the configuration of the scoring service.
func (c Config) scorer() pipeline.ScorerConfig {
	return pipeline.ScorerConfig{Group: c.Topics.group("score"), BatchRecords: c.Score.BatchRecords, CachedUsers: c.Score.CachedUsers, Partitions: int32(c.Topics.Partitions)}
}

// scorerDeps are what scoring by the policies works with, without metrics.
func (c Config) scorerDeps(ctx context.Context, library operators.Library, log *slog.Logger, redis *pipeline.Redis) (pipeline.ScorerDeps, error) {
	engine, err := c.Score.compile(library)
	if err != nil {
		return pipeline.ScorerDeps{}, err
	}
	kafka, err := c.Kafka.options()
	if err != nil {
		return pipeline.ScorerDeps{}, err
	}
	codecs, err := c.codecs(ctx)
	if err != nil {
		return pipeline.ScorerDeps{}, err
	}
	return pipeline.ScorerDeps{
		Cluster: kafka, Topics: c.Topics.names(), Engine: pipeline.ScoringEngine(engine), States: redis.States(c.Topics.stateGeneration()),
		Events: codecs.events, Alerts: codecs.alerts, Risks: codecs.risk, Version: versionText(), Log: log,
	}, nil
}

// library reads the policies in force.
func (c ScoreConfig) library() (operators.Library, error) {
	library, err := loadPolicies(c.Policies)
	if err != nil {
		return operators.Library{}, &exitError{exitConfig, err}
	}
	return library, nil
}

// options returns what scoring depends on beside the policies.
func (c ScoreConfig) options() (operators.Options, error) {
	location, err := time.LoadLocation(c.TimeZone)
	if err != nil {
		return operators.Options{}, &exitError{exitConfig, fmt.Errorf("score.time_zone is %q: want a name such as Europe/Berlin: %w", c.TimeZone, err)}
	}
	return operators.Options{Location: location}, nil
}

// engine compiles the policies in force, modifiers and boosters of the names left
// out.
func (c ScoreConfig) engine(leaveOut ...string) (*operators.Engine, error) {
	library, err := c.library()
	if err != nil {
		return nil, err
	}
	if library, err = without(library, leaveOut); err != nil {
		return nil, err
	}
	return c.compile(library)
}

// compile makes the engine of the policies.
func (c ScoreConfig) compile(library operators.Library) (*operators.Engine, error) {
	options, err := c.options()
	if err != nil {
		return nil, err
	}
	engine, err := operators.NewEngine(library, options)
	if err != nil {
		return nil, &exitError{exitConfig, err}
	}
	return engine, nil
}
