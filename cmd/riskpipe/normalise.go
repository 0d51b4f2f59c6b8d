package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"github.com/riskpipe/riskpipe/pipeline"
	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
)

func newNormaliseCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "normalise signin|email|file|defender|hr",
		Short: "Turn the raw records of one feed into events",
		Long: `normalise reads one raw topic, maps its records to events, gives people their
pseudonyms and writes to the topic events. What cannot be read goes to dlq.<topic>
with its reason and its original bytes. Each source is a service and a consumer
group of its own; run as many of each as its topic has partitions.`,
		Example:           "  riskpipe normalise signin --config riskpipe.yaml",
		Args:              sourceOnly,
		ValidArgsFunction: completeSource,
		RunE: func(cmd *cobra.Command, args []string) error {
			config, log, err := load(cmd)
			if err != nil {
				return err
			}
			if config.Vault.PublicKey == "" && config.Vault.PublicKeyFile == "" {
				log.Warn("evidence and identities are not kept: no vault.public_key is set")
			}
			redis, err := config.Redis.open()
			if err != nil {
				return err
			}
			defer redis.Close()
			metrics := newRegistry()
			n, err := newNormaliser(cmd.Context(), config, log, metrics, schemas.Source(args[0]), redis)
			if err != nil {
				return err
			}
			return serve(cmd.Context(), log, config.Admin, metrics, n)
		},
	}
}

func sourceOnly(cmd *cobra.Command, args []string) error {
	if err := cobra.ExactArgs(1)(cmd, args); err != nil {
		return &exitError{exitRejects, fmt.Errorf("%w; see riskpipe normalise --help", err)}
	}
	return sourceArgument(args[0])
}

// newNormaliser puts the normaliser of one source together.
func newNormaliser(ctx context.Context, config Config, log *slog.Logger, metrics prometheus.Registerer, source schemas.Source, redis *pipeline.Redis) (_ *pipeline.Normaliser, err error) {
	key, err := config.Pseudonym.open()
	if err != nil {
		return nil, err
	}
	input, err := config.rawKafka().options()
	if err != nil {
		return nil, err
	}
	output, err := config.Kafka.options()
	if err != nil {
		return nil, err
	}
	codecs, err := config.codecs(ctx)
	if err != nil {
		return nil, err
	}
	scope, err := config.scope(key)
	if err != nil {
		return nil, err
	}
	names, err := pipeline.NewLoggedNames(redis.Names(), output, config.Topics.names(), log)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			names.Close()
		}
	}()
	resolver, err := pipeline.NewResolver(pipeline.ResolverConfig{}, pipeline.ResolverDeps{
		Key: key, Names: names, Events: codecs.events, Activity: normalise.DetectionActivity,
		Groups: pipeline.NewGroups(key, config.Normalise.groups()), Scope: scope,
	})
	if err != nil {
		return nil, err
	}
	sealing, err := config.sealing(ctx)
	if err != nil {
		return nil, err
	}
	if err := config.recordScope(ctx, source, scope); err != nil {
		return nil, err
	}
	options := config.Normalise.options(key.Hash)
	n, err := pipeline.NewNormaliser(pipeline.NormaliserConfig{
		Source:  source,
		Group:   config.Topics.group("normalise-" + string(source)),
		Breaker: pipeline.BreakerConfig{Percent: config.Normalise.PoisonPercent, MinRecords: config.Normalise.PoisonRecords},
	}, pipeline.NormaliserDeps{
		Input: input, Output: output, Topics: config.Topics.names(),
		Mapper:   func() pipeline.Mapper { return normalise.New(options) },
		Resolver: resolver, Events: codecs.events, Sealing: sealing, Version: versionText(), Log: log, Metrics: metrics,
	})
	if err != nil {
		return nil, fmt.Errorf("setting up the normaliser of %s: %w", source, err)
	}
	return n, nil
}

// sealing is what normalisers seal with, nil without a vault.
func (c Config) sealing(ctx context.Context) (*pipeline.Sealing, error) {
	public, err := c.Vault.public()
	if err != nil {
		return nil, &exitError{exitConfig, err}
	}
	previous, err := c.Pseudonym.previous()
	if err != nil || public == nil {
		return nil, err
	}
	registry, err := c.Registry.client()
	if err != nil {
		return nil, err
	}
	topics := c.Topics.names()
	keys, err := codecOf[schemas.EvidenceKey](ctx, registry, schemas.EvidenceKeySchema, topics.EvidenceKeys())
	if err != nil {
		return nil, err
	}
	identities, err := codecOf[schemas.Identity](ctx, registry, schemas.IdentitySchema, topics.Identities())
	if err != nil {
		return nil, err
	}
	return &pipeline.Sealing{Vault: public, Keys: keys, Identities: identities, Previous: previous}, nil
}

// open returns the client of Redis; it connects on first use.
func (c RedisConfig) open() (*pipeline.Redis, error) {
	var secure *tls.Config
	if c.TLS.Enabled {
		var err error
		if secure, err = c.TLS.config(); err != nil {
			return nil, &exitError{exitConfig, fmt.Errorf("setting up TLS to Redis: %w", err)}
		}
	}
	redis, err := pipeline.NewRedis(pipeline.RedisConfig{
		Addresses: c.Addresses, Cluster: c.Cluster, Username: c.Username, Password: string(c.Password),
		Database: c.Database, TLS: secure, Prefix: c.Prefix,
	})
	if err != nil {
		return nil, &exitError{exitConfig, err}
	}
	return redis, nil
}
