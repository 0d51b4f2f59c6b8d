package main

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/sr"

	"github.com/riskpipe/riskpipe/schemas"
)

// client returns a client of the schema registry, nil when none is configured.
func (c RegistryConfig) client() (*sr.Client, error) {
	if c.URL == "" {
		return nil, nil
	}
	opts := []sr.ClientOpt{sr.URLs(c.URL), sr.UserAgent("riskpipe/" + versionText())}
	if c.Username != "" {
		opts = append(opts, sr.BasicAuth(c.Username, string(c.Password)))
	}
	if c.TLS.Enabled {
		config, err := c.TLS.config()
		if err != nil {
			return nil, fmt.Errorf("setting up TLS to the schema registry: %w", err)
		}
		opts = append(opts, sr.DialTLSConfig(config))
	}
	client, err := sr.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("setting up the schema registry: %w", err)
	}
	return client, nil
}

// codecs are the codecs of the topics that the services read and write.
type codecs struct {
	events     *schemas.Codec[schemas.Event]
	alerts     *schemas.Codec[schemas.Alert]
	risk       *schemas.Codec[schemas.Risk]
	identities *schemas.Codec[schemas.Identity]
	keys       *schemas.Codec[schemas.EvidenceKey]
	audits     *schemas.Codec[schemas.Audit]
}

// codecs returns the codecs, registered when there is a registry.
func (c Config) codecs(ctx context.Context) (codecs, error) {
	registry, err := c.Registry.client()
	if err != nil {
		return codecs{}, err
	}
	topics := c.Topics.names()
	var set codecs
	if set.events, err = codecOf[schemas.Event](ctx, registry, schemas.EventSchema, topics.Events()); err != nil {
		return codecs{}, err
	}
	if set.alerts, err = codecOf[schemas.Alert](ctx, registry, schemas.AlertSchema, topics.Alerts()); err != nil {
		return codecs{}, err
	}
	if set.risk, err = codecOf[schemas.Risk](ctx, registry, schemas.RiskSchema, topics.Risk()); err != nil {
		return codecs{}, err
	}
	if set.identities, err = codecOf[schemas.Identity](ctx, registry, schemas.IdentitySchema, topics.Identities()); err != nil {
		return codecs{}, err
	}
	if set.keys, err = codecOf[schemas.EvidenceKey](ctx, registry, schemas.EvidenceKeySchema, topics.EvidenceKeys()); err != nil {
		return codecs{}, err
	}
	// What the audit trail says must not depend on what a registry says.
	if set.audits, err = schemas.NewCodec[schemas.Audit](schemas.AuditSchema); err != nil {
		return codecs{}, err
	}
	return set, nil
}

func codecOf[T schemas.Record](ctx context.Context, registry *sr.Client, schema, topic string) (*schemas.Codec[T], error) {
	codec, err := schemas.NewCodec[T](schema)
	if err != nil || registry == nil {
		return codec, err
	}
	if err := codec.Register(ctx, registry, topic); err != nil {
		return nil, &exitError{exitUnreachable, err}
	}
	return codec, nil
}
