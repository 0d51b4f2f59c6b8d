package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/riskpipe/riskpipe/deploy/embedded"
)

// This binary is also riskpipe and a program that holds vault keys, for scripts,
// and the engine's child process.
func TestMain(m *testing.M) {
	embedded.RunEngineIfChild()
	testscript.Main(m, map[string]func(){
		"riskpipe":   func() { os.Exit(run()) },
		"keyprogram": func() { os.Exit(keyProgram()) },
	})
}

// The commands behave as the scripts say.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script", RequireExplicitExec: true})
}
