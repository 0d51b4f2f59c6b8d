package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// ServeOptions say how ServeEngine runs. The zero value serves a temporary data folder
// on a free port.
type ServeOptions struct {
	Listen  string       // host:port on loopback; "" is 127.0.0.1:0
	Data    string       // folder of the tables; "" is a temporary one, removed at the end
	Library string       // path of libchdb.so; "" asks Locate
	Ready   io.Writer    // receives one line, "ready host:port", once queries are answered
	Parent  *os.File     // a pipe whose end closes with the parent; serving ends when it does
	Log     *slog.Logger // nil discards
}

const readyPrefix = "ready "

// ServeEngine loads the ClickHouse engine into this process and answers ClickHouse's
// HTTP interface until ctx ends or the parent goes away. It is meant for a process of
// its own (see StartEngine): the engine starts some forty threads, cannot be unloaded,
// and takes the process with it if it crashes. Call it at most once in a process.
func ServeEngine(ctx context.Context, o ServeOptions) error {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	listen := o.Listen
	if listen == "" {
		listen = "127.0.0.1:0"
	}
	if err := onLoopback(listen); err != nil {
		return fmt.Errorf("serving the engine: %w", err)
	}
	library := o.Library
	if library == "" {
		var err error
		if library, err = Locate(); err != nil {
			return fmt.Errorf("serving the engine: %w; run `npm ci` in deploy/embedded, or set %s", err, LibraryEnv)
		}
	}
	// The child, not the parent, owns what is temporary: it outlives a parent that is
	// killed, for as long as it takes to clean up.
	spool, err := os.MkdirTemp("", tempPrefix(os.Getpid())+"*")
	if err != nil {
		return fmt.Errorf("serving the engine: %w", err)
	}
	defer os.RemoveAll(spool)
	data, err := dataFolder(o.Data, spool)
	if err != nil {
		return fmt.Errorf("serving the engine: %w", err)
	}
	// The engine would read a config.xml of the working directory.
	if err := os.Chdir(data); err != nil {
		return fmt.Errorf("serving the engine: %w", err)
	}

	// Listening comes first: it is the check that fails for a user's reason, and fast.
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err != nil {
		return fmt.Errorf("serving the engine: %w; choose another port", err)
	}
	defer listener.Close()
	engine, err := openEngine(library, data)
	if err != nil {
		return fmt.Errorf("serving the engine: %w", err)
	}
	defer engine.close()

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if isPipe(o.Parent) {
		go func() { // ends with the parent, or with this process
			_, _ = io.Copy(io.Discard, o.Parent)
			cancel()
		}()
	}
	server := &http.Server{
		Handler:           newHandler(engine, spool, o.Log),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          slog.NewLogLogger(o.Log.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	if o.Ready != nil {
		fmt.Fprintf(o.Ready, "%s%s\n", readyPrefix, listener.Addr())
	}
	select {
	case err := <-served:
		return fmt.Errorf("serving the engine: %w", err)
	case <-ctx.Done():
	}
	// A query cannot be interrupted, so a running one is waited for, but not for ever.
	stop, done := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer done()
	if err := server.Shutdown(stop); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("stopping the engine: %w", err)
	}
	return nil
}

// onLoopback refuses other addresses: the engine takes any user and any password.
func onLoopback(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("reading the address %q: %w; give host:port", address, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("the address %q is not on loopback; the engine checks no password, use 127.0.0.1", address)
	}
	return nil
}

func dataFolder(path, temporary string) (string, error) {
	if path == "" {
		path = filepath.Join(temporary, "data")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	// This version starts the task that removes dropped tables only if it finds this
	// folder (chdb-core pull request 173): without it DROP … SYNC waits for ever.
	return path, os.MkdirAll(filepath.Join(path, "metadata"), 0o755)
}

// tempPrefix lets a parent find what a child left behind that it had to kill.
func tempPrefix(pid int) string { return fmt.Sprintf("riskpipe-engine-%d-", pid) }

// isPipe tells a parent's pipe from a terminal or /dev/null, which say nothing about it.
func isPipe(f *os.File) bool {
	if f == nil {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&(os.ModeNamedPipe|os.ModeSocket) != 0
}

func readyAddress(line string) (string, bool) {
	return strings.CutPrefix(strings.TrimSpace(line), readyPrefix)
}
