package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/errgroup"
)

// service runs until its context ends. One that also has Ready() error is asked
// by /readyz; any other is ready while it runs.
type service interface{ Run(context.Context) error }

// newRegistry returns a metrics registry with the process's own metrics.
func newRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewBuildInfoCollector())
	return r
}

// serve runs a service with its admin endpoint until ctx ends or it fails.
func serve(ctx context.Context, log *slog.Logger, config AdminConfig, metrics *prometheus.Registry, s service) error {
	group, ctx := errgroup.WithContext(ctx)
	if config.Listen != "" {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", config.Listen)
		if err != nil {
			return fmt.Errorf("listening for metrics and health (admin.listen; empty for none): %w", err)
		}
		log.Info("serving metrics and health", "address", listener.Addr().String())
		server := &http.Server{Handler: adminHandler(metrics, s), ReadHeaderTimeout: 5 * time.Second}
		group.Go(func() error {
			if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("serving metrics and health: %w", err)
			}
			return nil
		})
		group.Go(func() error {
			<-ctx.Done()
			stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			return server.Shutdown(stop)
		})
	}
	done := errors.New("done")
	group.Go(func() error {
		if err := s.Run(ctx); err != nil {
			return err
		}
		return done // ends the endpoint, too
	})
	if err := group.Wait(); !errors.Is(err, done) {
		return err
	}
	return nil
}

func adminHandler(metrics *prometheus.Registry, s service) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if s, asks := s.(interface{ Ready() error }); asks {
			if err := s.Ready(); err != nil {
				http.Error(w, err.Error(), http.StatusServiceUnavailable)
				return
			}
		}
		fmt.Fprintln(w, "ok")
	})
	return mux
}
