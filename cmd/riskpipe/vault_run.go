package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/riskpipe/riskpipe/pipeline"
	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
	"github.com/riskpipe/riskpipe/vault/server"
)

// servedVault is the service of the vault: its API, and what pins and publishes its
// audit log, and verifies and pins the chains of others.
type servedVault struct {
	listen  server.Listen
	api     http.Handler
	audit   *vault.AuditChain
	trail   auditTrail
	log     *slog.Logger
	started func(net.Addr)
}

// auditTrail is what the vault has to do with the topic audit.
type auditTrail struct {
	publisher *pipeline.AuditPublisher
	others    *vault.AuditWatch
	watcher   *pipeline.AuditWatcher
}

// auditTrail publishes the audit log to the topic audit, and watches and pins the
// chains of others there. There is no setting that leaves it out.
func (c Config) auditTrail(audit *vault.AuditChain, log *slog.Logger, metrics prometheus.Registerer) (trail auditTrail, err error) {
	kafka, err := c.Kafka.options()
	if err != nil {
		return auditTrail{}, err
	}
	topics := c.Topics.names()
	trail.others, err = vault.WatchAudit(audit, func() schemas.Time { return schemas.TimeOf(time.Now()) })
	if err != nil {
		return auditTrail{}, err
	}
	trail.watcher, err = pipeline.NewAuditWatcher(pipeline.AuditWatcherDeps{Watch: trail.others, Cluster: kafka, Topics: topics, Log: log, Metrics: metrics})
	if err != nil {
		return auditTrail{}, err
	}
	trail.publisher, err = pipeline.NewAuditPublisher(pipeline.AuditPublisherDeps{Chain: audit, Cluster: kafka, Topics: topics, Log: log, Metrics: metrics})
	return trail, err
}

// Run serves until ctx ends. The log is published for a moment longer, since answers
// in hand are recorded, too.
func (v *servedVault) Run(ctx context.Context) error {
	publishing, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var publisher sync.WaitGroup
	publisher.Go(func() { v.trail.publisher.Run(publishing) })
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return server.KeepPinned(ctx, v.audit) })
	group.Go(func() error { return server.KeepPinned(ctx, v.trail.others) })
	group.Go(func() error { return v.trail.watcher.Run(ctx) })
	group.Go(func() error { return v.listen.Serve(ctx, v.api, v.log, v.started) })
	err := group.Wait()
	if err == nil {
		err = v.trail.others.Pin()
	}
	stop()
	publisher.Wait()
	return err
}
