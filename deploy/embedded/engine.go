package embedded

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// EngineOptions say how StartEngine runs its child. The zero value is right for tests.
type EngineOptions struct {
	// Command are the arguments that make this very program call ServeEngine, for
	// example {"engine"}; "--listen" and "--data" are added. When empty, the program is
	// started without arguments and must call RunEngineIfChild first thing in main or
	// TestMain.
	Command []string

	Listen   string       // host:port on loopback; "" is a free port
	Data     string       // folder of the tables; "" is a temporary one
	Progress io.Writer    // told about a download; nil is os.Stderr
	Log      *slog.Logger // nil discards
}

// These pass on to the child what its command line does not say.
const (
	childEnv  = "RISKPIPE_ENGINE_CHILD"
	listenEnv = "RISKPIPE_ENGINE_LISTEN"
	dataEnv   = "RISKPIPE_ENGINE_DATA"
)

// Engine is a running ClickHouse engine in a child process.
type Engine struct {
	addr  string
	stdin io.Closer
	cmd   *exec.Cmd
	done  chan struct{} // closed when the child has ended

	closing sync.Once
}

// StartEngine starts the engine and returns when it answers queries. ctx bounds the
// start alone; the engine runs until Close, or until this process ends in any way.
func StartEngine(ctx context.Context, o EngineOptions) (*Engine, error) {
	if os.Getenv(childEnv) != "" {
		return nil, errors.New("starting the engine: this process is the engine's child: call embedded.RunEngineIfChild() first in main or TestMain")
	}
	if o.Progress == nil {
		o.Progress = os.Stderr
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	library, err := Ensure(ctx, o.Progress)
	if err != nil {
		return nil, fmt.Errorf("starting the engine: %w", err)
	}
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("starting the engine: %w", err)
	}
	if o.Data != "" {
		if o.Data, err = filepath.Abs(o.Data); err != nil {
			return nil, fmt.Errorf("starting the engine: %w", err)
		}
	}
	e := &Engine{done: make(chan struct{})}
	if err := e.start(ctx, program, library, o); err != nil {
		return nil, fmt.Errorf("starting the engine: %w", err)
	}
	return e, nil
}

func (e *Engine) start(ctx context.Context, program, library string, o EngineOptions) error {
	listen := o.Listen
	if listen == "" {
		listen = "127.0.0.1:0"
	}
	args := o.Command
	if len(args) > 0 {
		args = append(slices.Clip(args), "--listen", listen, "--data", o.Data)
	}
	e.cmd = exec.Command(program, args...) //nolint:noctx // outlives ctx, see StartEngine
	e.cmd.Env = append(os.Environ(), LibraryEnv+"="+library, "TZ=UTC")
	if len(args) == 0 {
		e.cmd.Env = append(e.cmd.Env, childEnv+"=1", listenEnv+"="+listen, dataEnv+"="+o.Data)
	}
	e.cmd.SysProcAttr = ownGroup()
	stderr := &tail{}
	e.cmd.Stderr = stderr
	stdin, err := e.cmd.StdinPipe()
	if err != nil {
		return err
	}
	e.stdin = stdin
	stdout, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer stdout.Close()
	e.cmd.Stdout = w
	err = e.cmd.Start()
	w.Close()
	if err != nil {
		return err
	}
	go func() { // ends with the child
		if err := e.cmd.Wait(); err != nil {
			o.Log.Debug("engine ended", "error", err, "stderr", stderr.String())
		}
		close(e.done)
	}()

	line := make(chan string, 1)
	go func() { // ends when the child wrote a line, ended, or stdout is closed below
		text, _ := bufio.NewReader(stdout).ReadString('\n')
		line <- text
	}()
	select {
	case text := <-line:
		addr, ok := readyAddress(text)
		if ok {
			e.addr = addr
			return nil
		}
		e.kill()
		return fmt.Errorf("the child said %q instead of being ready: %s; does the program call embedded.RunEngineIfChild or ServeEngine?",
			text, stderr)
	case <-ctx.Done():
		e.kill()
		return fmt.Errorf("waiting for the child: %w: %s", ctx.Err(), stderr)
	}
}

// Addr returns host:port of ClickHouse's HTTP interface.
func (e *Engine) Addr() string { return e.addr }

// Done is closed when the child has ended, be it by Close or by itself.
func (e *Engine) Done() <-chan struct{} { return e.done }

// Close stops the child and waits until it is gone, with its temporary folder. It may be
// called more than once.
func (e *Engine) Close() error {
	e.closing.Do(func() {
		e.stdin.Close() // the child takes it for the end of its parent
		select {
		case <-e.done:
		case <-time.After(10 * time.Second):
			e.kill()
		}
	})
	return nil
}

// kill ends a child that does not end by itself, and cleans up behind it.
func (e *Engine) kill() {
	_ = e.cmd.Process.Kill() // it may have ended by itself
	<-e.done
	left, _ := filepath.Glob(filepath.Join(os.TempDir(), tempPrefix(e.cmd.Process.Pid)+"*"))
	for _, dir := range left {
		os.RemoveAll(dir)
	}
}

// RunEngineIfChild turns this process into the engine's child, and does not return, if
// StartEngine started it as one. Otherwise it does nothing. It belongs first in TestMain
// of each package whose tests use the engine.
func RunEngineIfChild() {
	if os.Getenv(childEnv) == "" {
		return
	}
	err := ServeEngine(context.Background(), ServeOptions{
		Listen: os.Getenv(listenEnv), Data: os.Getenv(dataEnv),
		Ready: os.Stdout, Parent: os.Stdin,
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1) //nolint:forbidigo // the child is a process of its own
	}
	os.Exit(0) //nolint:forbidigo // likewise
}

// tail keeps the last few kilobytes of what the child says, for an error message.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

func (t *tail) Write(p []byte) (int, error) {
	const limit = 4 << 10
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if extra := len(t.buf) - limit; extra > 0 {
		t.buf = t.buf[extra:]
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.buf))
}
