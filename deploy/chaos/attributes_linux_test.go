package chaos

import (
	"os"
	"syscall"
)

// attributes make a child die with the test, however that ends, and keep the
// terminal's Ctrl-C for the test.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// peakOf is the largest resident size that the process ever had, in bytes.
func peakOf(state *os.ProcessState) int64 {
	usage, _ := state.SysUsage().(*syscall.Rusage)
	if usage == nil {
		return 0
	}
	return usage.Maxrss << 10
}
