package embedded

import (
	"bytes"
	"context"
	_ "embed" // for the pinned package below
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

const (
	// LibraryEnv names the environment variable that holds the path of libchdb.so.
	LibraryEnv = "RISKPIPE_CHDB_LIB"

	engineVersion = "26.5.3"
	libraryInNPM  = "node_modules/@chdb/lib-linux-x64-gnu/libchdb.so"
)

// The lock file travels in the binary, so an installed riskpipe fetches exactly the
// bytes the repository was tested with.
var (
	//go:embed package.json
	packageJSON []byte
	//go:embed package-lock.json
	packageLock []byte
	//go:embed .npmrc
	npmrc []byte
)

// ErrNoEngine is returned when the ClickHouse engine is not on this machine.
var ErrNoEngine = errors.New("the ClickHouse engine (libchdb.so) is not installed")

// Locate returns the path of libchdb.so: RISKPIPE_CHDB_LIB if set, else the
// node_modules of this folder in the source tree around the working directory, else
// the user's cache. It returns ErrNoEngine when none of them has it.
func Locate() (string, error) {
	if path := os.Getenv(LibraryEnv); path != "" {
		if !isFile(path) {
			return "", fmt.Errorf("looking for the engine: %s names %s, which is not a file", LibraryEnv, path)
		}
		return filepath.Abs(path)
	}
	if root, ok := sourceRoot(); ok {
		if path := filepath.Join(root, "deploy", "embedded", filepath.FromSlash(libraryInNPM)); isFile(path) {
			return path, nil
		}
	}
	if dir, err := cacheDir(); err == nil {
		if path := filepath.Join(dir, filepath.FromSlash(libraryInNPM)); isFile(path) {
			return path, nil
		}
	}
	return "", ErrNoEngine
}

// Ensure returns the path of libchdb.so and installs it into the user's cache with npm
// when Locate does not find it (about 130 MB to download, 560 MB on disk). What it does
// is told on progress, which may be nil. Processes that call it at the same time
// install once.
func Ensure(ctx context.Context, progress io.Writer) (string, error) {
	path, err := Locate()
	if err == nil || !errors.Is(err, ErrNoEngine) {
		return path, err
	}
	if !engineSupported {
		return "", fmt.Errorf("%w: there is none for %s/%s in this build; use a ClickHouse server by address instead",
			ErrNoEngine, runtime.GOOS, runtime.GOARCH)
	}
	dir, err := cacheDir()
	if err != nil {
		return "", fmt.Errorf("finding the cache folder for the engine: %w; set %s to the path of libchdb.so", err, LibraryEnv)
	}
	if err := install(ctx, dir, progress); err != nil {
		return "", fmt.Errorf("installing the engine into %s: %w; run `npm ci` in deploy/embedded, or set %s to the path of libchdb.so",
			dir, err, LibraryEnv)
	}
	return filepath.Join(dir, filepath.FromSlash(libraryInNPM)), nil
}

func install(ctx context.Context, dir string, progress io.Writer) error {
	if progress == nil {
		progress = io.Discard
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		return fmt.Errorf("npm is needed once to fetch it: %w", err)
	}
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	// Several test binaries may come here at once; the one that gets the lock installs.
	unlock, err := lockFile(ctx, dir+".lock")
	if err != nil {
		return fmt.Errorf("waiting for another installation: %w", err)
	}
	defer unlock()
	if isFile(filepath.Join(dir, filepath.FromSlash(libraryInNPM))) {
		return nil
	}
	fmt.Fprintf(progress, "riskpipe: installing the ClickHouse engine %s (once, 560 MB) into %s\n", engineVersion, dir)

	// Built aside and renamed, so that an interrupted download never looks like an engine.
	tmp, err := os.MkdirTemp(parent, "install-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	for name, content := range map[string][]byte{"package.json": packageJSON, "package-lock.json": packageLock, ".npmrc": npmrc} {
		if err := os.WriteFile(filepath.Join(tmp, name), content, 0o644); err != nil {
			return err
		}
	}
	var output bytes.Buffer
	cmd := exec.CommandContext(ctx, npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	cmd.Dir = tmp
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("npm ci: %w: %s", err, bytes.TrimSpace(output.Bytes()))
	}
	if !isFile(filepath.Join(tmp, filepath.FromSlash(libraryInNPM))) {
		return fmt.Errorf("npm ci installed nothing for %s/%s (the engine needs glibc)", runtime.GOOS, runtime.GOARCH)
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.Rename(tmp, dir); err != nil {
		return err
	}
	fmt.Fprintln(progress, "riskpipe: the ClickHouse engine is installed")
	return nil
}

// cacheDir carries the version, so two checkouts do not overwrite each other's engine.
func cacheDir() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(base, "riskpipe", "chdb-"+engineVersion), nil
}

// sourceRoot walks up from the working directory: `go test` runs in the package's folder.
func sourceRoot() (string, bool) {
	dir, err := os.Getwd()
	if err != nil {
		return "", false
	}
	for {
		if isFile(filepath.Join(dir, "deploy", "embedded", "package-lock.json")) {
			return dir, true
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", false
		}
		dir = parent
	}
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
