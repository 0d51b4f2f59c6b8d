package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"golang.org/x/sync/errgroup"
)

// Listen says where to listen, and with which certificate.
type Listen struct {
	// Address is host:port. Without a certificate it must be on this machine.
	Address           string
	CertFile, KeyFile string
	// ClientCAFile, when given, makes callers show a certificate of one of these
	// authorities, beside their token.
	ClientCAFile string
}

// Validate reports everything that is wrong with l, joined.
func (l Listen) Validate() error {
	var problems []error
	if _, _, err := net.SplitHostPort(l.Address); err != nil {
		problems = append(problems, fmt.Errorf("the vault's address is %q: want host:port", l.Address))
	} else if l.CertFile == "" && !isLoopbackAddr(l.Address) {
		problems = append(problems, fmt.Errorf("the vault's address is %q: without a certificate it listens on this machine alone, such as 127.0.0.1:8443", l.Address))
	}
	if (l.CertFile == "") != (l.KeyFile == "") {
		problems = append(problems, errors.New("the vault's certificate and key go together"))
	}
	if l.ClientCAFile != "" && l.CertFile == "" {
		problems = append(problems, errors.New("client certificates need a certificate of the vault's own"))
	}
	return errors.Join(problems...)
}

// stopTime is how long answers in hand may take when the server stops.
const stopTime = 5 * time.Second

// Serve answers with the handler until ctx ends. started gets the address that
// it listens on, log what goes wrong with connections.
func (l Listen) Serve(ctx context.Context, handler http.Handler, log *slog.Logger, started func(net.Addr)) error {
	if err := l.Validate(); err != nil {
		return err
	}
	config, err := l.tls()
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", l.Address)
	if err != nil {
		return fmt.Errorf("listening for the vault: %w", err)
	}
	// A name may stand for another address than it says.
	if tcp, ok := listener.Addr().(*net.TCPAddr); config == nil && (!ok || !tcp.IP.IsLoopback()) {
		return errors.Join(fmt.Errorf("listening for the vault: %s is not on this machine alone", listener.Addr()), listener.Close())
	}
	if config != nil {
		listener = tls.NewListener(listener, config)
	}
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	started(listener.Addr())
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serving the vault: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
		defer cancel()
		return server.Shutdown(stop)
	})
	return group.Wait()
}

// tls returns the server's TLS configuration, nil for none.
func (l Listen) tls() (*tls.Config, error) {
	if l.CertFile == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(l.CertFile, l.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("reading the vault's certificate: %w", err)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{pair}}
	if l.ClientCAFile != "" {
		pem, err := os.ReadFile(l.ClientCAFile)
		if err != nil {
			return nil, fmt.Errorf("reading the authorities of client certificates: %w", err)
		}
		config.ClientCAs, config.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
		if !config.ClientCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("reading the authorities of client certificates: no certificate in %s", l.ClientCAFile)
		}
	}
	return config, nil
}
