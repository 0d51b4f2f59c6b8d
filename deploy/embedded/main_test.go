package embedded

import (
	"fmt"
	"os"
	"testing"
)

// The engine is started once for all tests: its address is the only global they need.
var engineAddr string

func TestMain(m *testing.M) {
	RunEngineIfChild()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	engine, err := StartEngine(background(), EngineOptions{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer engine.Close()
	engineAddr = engine.Addr()
	return m.Run()
}
