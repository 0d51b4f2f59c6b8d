// Command riskpipe is the whole of riskpipe in one binary: a subcommand for
// every service and every tool.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// The exit codes; they are part of the interface.
const (
	exitOK          = 0
	exitFailure     = 1 // the command ran and failed, or a check found something wrong
	exitRejects     = 2 // `check` rejected records; also wrong usage
	exitConfig      = 3 // the configuration is not valid
	exitUnreachable = 4 // a server could not be reached
	exitInterrupted = 130
)

// exitError carries an exit code with an error.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func main() { os.Exit(run()) }

// run returns the exit code. The first interrupt lets the command finish its
// work in hand; the second ends the process at once.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	err := newRootCommand().ExecuteContext(ctx)
	var coded *exitError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &coded):
		if text := coded.Error(); text != "" {
			fmt.Fprintln(os.Stderr, "riskpipe: "+text)
		}
		return coded.code
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintln(os.Stderr, "riskpipe: interrupted")
		return exitInterrupted
	default:
		fmt.Fprintln(os.Stderr, "riskpipe: "+err.Error())
		return exitFailure
	}
}
