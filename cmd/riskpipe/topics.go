package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/riskpipe/riskpipe/pipeline"
	"github.com/riskpipe/riskpipe/schemas"
)

func newTopicsCommand() *cobra.Command {
	var (
		apply, raw bool
		format     string
	)
	c := &cobra.Command{
		Use:   "topics",
		Short: "Show the topics that riskpipe needs, and create what is missing",
		Long: `topics compares riskpipe's topics with the cluster. With --apply it creates those
that are missing; it never alters one that exists, but says how it differs. Raw
topics belong to their publishers; --raw creates them too, for trying things out.`,
		Example: `  riskpipe topics
  riskpipe topics --apply`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, _, err := load(cmd)
			if err != nil {
				return err
			}
			states, err := ensureTopics(cmd.Context(), config, raw, !apply)
			if err != nil {
				return err
			}
			return printTopics(cmd.OutOrStdout(), format, states)
		},
	}
	c.Flags().BoolVar(&apply, "apply", false, "create what is missing")
	c.Flags().BoolVar(&raw, "raw", false, "the raw topics, too")
	c.Flags().StringVarP(&format, "output", "o", "table", "`format`: table or json")
	return c
}

// ensureTopics compares the topics with the plan and, unless dryRun, creates
// what is missing.
func ensureTopics(ctx context.Context, config Config, raw, dryRun bool) ([]pipeline.TopicState, error) {
	plan := pipeline.PlanTopics(config.Topics.names(), config.Topics.plan())
	states, err := ensureOn(ctx, config.Kafka, plan, dryRun)
	if err != nil || !raw {
		return states, err
	}
	rawStates, err := ensureOn(ctx, config.rawKafka(), config.Topics.rawPlan(), dryRun)
	return append(states, rawStates...), err
}

func ensureOn(ctx context.Context, kafka KafkaConfig, plan []pipeline.Topic, dryRun bool) ([]pipeline.TopicState, error) {
	client, err := kafka.connect()
	if err != nil {
		return nil, err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	states, err := pipeline.EnsureTopics(ctx, kadm.NewClient(client), plan, dryRun)
	if err != nil {
		return nil, &exitError{exitUnreachable, err}
	}
	return states, nil
}

func (c TopicsConfig) plan() pipeline.TopicsConfig {
	return pipeline.TopicsConfig{
		Partitions: int32(c.Partitions), Replication: int16(c.Replication),
		DeadLetterRetention: time.Duration(c.DeadLetterDays) * 24 * time.Hour,
	}
}

// rawPlan is for trying things out; publishers make their own topics.
func (c TopicsConfig) rawPlan() []pipeline.Topic {
	var plan []pipeline.Topic
	for _, source := range schemas.Sources() {
		plan = append(plan, pipeline.Topic{
			Name: c.names().Raw(source), Partitions: int32(min(c.Partitions, 4)), Replication: int16(c.Replication),
			// Sample records carry the times of weeks past.
			Configs: map[string]string{"retention.ms": fmt.Sprint((100 * 24 * time.Hour).Milliseconds())},
		})
	}
	return plan
}

func printTopics(out io.Writer, format string, states []pipeline.TopicState) error {
	switch format {
	case "json":
		return json.NewEncoder(out).Encode(states)
	case "table":
	default:
		return &exitError{exitRejects, fmt.Errorf("-o is %q: want table or json", format)}
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TOPIC\tPARTITIONS\tREPLICATION\tSTATE")
	for _, s := range states {
		state := "missing"
		switch {
		case s.Created:
			state = "created"
		case s.Exists && len(s.Differences) > 0:
			state = strings.Join(s.Differences, "; ")
		case s.Exists:
			state = "ok"
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%s\n", s.Name, s.Partitions, s.Replication, state)
	}
	return w.Flush()
}
