package chaos

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is a program that can be killed, frozen and started again. Its output
// goes to one log, whatever happens to it.
type process struct {
	name string
	path string
	args []string
	env  []string // beside the environment of the test
	dir  string   // working directory
	log  string
	// mayEnd tells an end of its own that a supervisor would mend by starting it
	// again; nil for none.
	mayEnd func(code int) bool

	mu      sync.Mutex
	cmd     *exec.Cmd
	ended   chan struct{}
	wanted  bool // whether it is to run
	starts  int
	retries int   // ends of its own that were mended
	peak    int64 // resident bytes
	failure error // an end of its own that nobody wanted
}

// start starts the process and keeps it running until stop or kill.
func (p *process) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wanted = true
	return p.launch()
}

// launch needs the lock.
func (p *process) launch() error {
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("starting %s: %w", p.name, err)
	}
	defer log.Close()
	cmd := exec.CommandContext(context.Background(), p.path, p.args...)
	cmd.Env = append(os.Environ(), p.env...)
	cmd.Dir = p.dir
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = attributes()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", p.name, err)
	}
	p.starts++
	p.cmd, p.ended = cmd, make(chan struct{})
	go p.wait(cmd, p.ended)
	return nil
}

// wait ends with the process. One that ends by itself is a finding, or is
// started again when a supervisor would.
func (p *process) wait(cmd *exec.Cmd, ended chan struct{}) {
	_ = cmd.Wait() // the state tells more than the error
	p.mu.Lock()
	defer p.mu.Unlock()
	defer close(ended)
	if !p.wanted || p.cmd != cmd {
		return
	}
	if p.mayEnd == nil || !p.mayEnd(cmd.ProcessState.ExitCode()) {
		p.failure = errors.Join(p.failure, fmt.Errorf("%s ended by itself: %s\n%s", p.name, cmd.ProcessState, p.tail(15)))
		return
	}
	p.retries++
	time.AfterFunc(time.Second, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.wanted && p.cmd == cmd {
			if err := p.launch(); err != nil {
				p.failure = errors.Join(p.failure, err)
			}
		}
	})
}

// kill ends the process as a power cut would, and returns when it is gone.
func (p *process) kill() { p.end(syscall.SIGKILL, 0) }

// stop asks the process to end, and kills it when it does not.
func (p *process) stop() { p.end(syscall.SIGTERM, 30*time.Second) }

func (p *process) end(signal syscall.Signal, patience time.Duration) {
	p.mu.Lock()
	p.wanted = false
	cmd, ended := p.cmd, p.ended
	p.size() // the last look at it
	p.mu.Unlock()
	if cmd == nil {
		return
	}
	_ = cmd.Process.Signal(signal) // of one that is gone, ended tells
	if signal != syscall.SIGKILL {
		select {
		case <-ended:
			return
		case <-time.After(patience):
			_ = cmd.Process.Kill()
		}
	}
	<-ended
}

func (p *process) freeze() error { return p.signal(syscall.SIGSTOP) }
func (p *process) thaw() error   { return p.signal(syscall.SIGCONT) }

func (p *process) signal(s syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return fmt.Errorf("%s does not run", p.name)
	}
	return p.cmd.Process.Signal(s)
}

// failed tells whether the process ended by itself.
func (p *process) failed() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failure
}

// memory is the resident size now and the highest so far, in bytes.
func (p *process) memory() (now, peak int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.size(), p.peak
}

// size is the resident size now; it needs the lock. What the system accounts to a
// process that has ended is no use: it counts the size of its parent, of which
// it was a copy for a moment.
func (p *process) size() int64 {
	if p.cmd == nil {
		return 0
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0 // it has ended
	}
	p.peak = max(p.peak, kilobytes(status, "VmHWM:"))
	return kilobytes(status, "VmRSS:")
}

func kilobytes(status []byte, field string) int64 {
	for line := range bytes.Lines(status) {
		if rest, found := bytes.CutPrefix(line, []byte(field)); found {
			n, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(string(rest)), " kB"), 10, 64)
			return n << 10
		}
	}
	return 0
}

// tail is the end of the log.
func (p *process) tail(lines int) string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// freePort returns a port of loopback that nobody listens on. It lies below the
// ports that outgoing connections are given: a server which is down for a moment
// shall find its port again.
func freePort(t *testing.T, taken map[int]bool) int {
	t.Helper()
	for port := 20_000 + os.Getpid()%8_000; port < 32_000; port++ {
		if taken[port] {
			continue
		}
		listener, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err != nil {
			continue
		}
		listener.Close()
		taken[port] = true
		return port
	}
	t.Fatal("no port is free")
	return 0
}

// folder makes a folder below dir.
func folder(t *testing.T, dir, name string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(path, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// eventually waits until the check passes; what it says last is why it did not.
func eventually(ctx context.Context, what string, patience time.Duration, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting %s until %s: %w", patience, what, err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}
