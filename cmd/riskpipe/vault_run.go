package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/riskpipe/riskpipe/pipeline"
	"github.com/riskpipe/riskpipe/vault"
	"github.com/riskpipe/riskpipe/vault/server"
)

// servedVault is the service of the vault: its API, and what pins and publishes its
// audit log.
type servedVault struct {
	listen    server.Listen
	api       http.Handler
	audit     *vault.AuditChain
	publisher *pipeline.AuditPublisher
	log       *slog.Logger
	started   func(net.Addr)
}

// auditPublisher publishes the audit log to the topic audit. There is no setting
// that leaves it out.
func (c Config) auditPublisher(audit *vault.AuditChain, log *slog.Logger, metrics prometheus.Registerer) (*pipeline.AuditPublisher, error) {
	kafka, err := c.Kafka.options()
	if err != nil {
		return nil, err
	}
	return pipeline.NewAuditPublisher(pipeline.AuditPublisherDeps{Chain: audit, Cluster: kafka, Topics: c.Topics.names(), Log: log, Metrics: metrics})
}

// Run serves until ctx ends. The log is published for a moment longer, since answers
// in hand are recorded, too.
func (v *servedVault) Run(ctx context.Context) error {
	publishing, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var publisher sync.WaitGroup
	publisher.Go(func() { v.publisher.Run(publishing) })
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return server.KeepPinned(ctx, v.audit) })
	group.Go(func() error { return v.listen.Serve(ctx, v.api, v.log, v.started) })
	err := group.Wait()
	stop()
	publisher.Wait()
	return err
}
