package chaos

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// What `make` passes on. Without the first, tests that need real servers are
// left to it: they take minutes.
const (
	enabledEnv  = "RISKPIPE_CHAOS"
	seedEnv     = "RISKPIPE_CHAOS_SEED"
	durationEnv = "RISKPIPE_CHAOS_DURATION"
	binaryEnv   = "RISKPIPE_BIN"
	keepEnv     = "RISKPIPE_CHAOS_KEEP" // data and logs, though the test passes
)

// settings are those of one run.
type settings struct {
	seed     uint64
	duration time.Duration // of the storm, the overload or the soak
	binary   string        // riskpipe
	dir      string        // data and logs; kept when the test fails
}

// readSettings skips the test unless it was asked for by name.
func readSettings(t *testing.T, duration time.Duration) settings {
	t.Helper()
	if os.Getenv(enabledEnv) == "" {
		t.Skip("takes minutes and real servers: make chaos, make overload, make soak")
	}
	s := settings{seed: 1, duration: duration}
	if text := os.Getenv(seedEnv); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("%s is %q: want a whole number", seedEnv, text)
		}
		s.seed = seed
	}
	if text := os.Getenv(durationEnv); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil || d < time.Second {
			t.Fatalf("%s is %q: want a duration such as 5m", durationEnv, text)
		}
		s.duration = d
	}
	dir, err := os.MkdirTemp("", "riskpipe-chaos-") //nolint:usetesting // kept when the test fails
	if err != nil {
		t.Fatal(err)
	}
	s.dir = dir
	t.Cleanup(func() {
		if t.Failed() || os.Getenv(keepEnv) != "" {
			t.Logf("seed %d; logs and data are in %s", s.seed, dir)
		} else if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	s.binary = builtBinary(t, dir)
	return s
}

// builtBinary is the riskpipe to break: the one that was built, or one built now.
func builtBinary(t *testing.T, dir string) string {
	t.Helper()
	if path := os.Getenv(binaryEnv); path != "" {
		absolute, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		return absolute
	}
	path := filepath.Join(dir, "riskpipe")
	build := exec.CommandContext(context.Background(), "go", "build", "-o", path, "../../cmd/riskpipe")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building riskpipe: %v\n%s", err, out)
	}
	return path
}
