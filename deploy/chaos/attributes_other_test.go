//go:build !linux

package chaos

import (
	"os"
	"syscall"
)

func attributes() *syscall.SysProcAttr { return nil }

func peakOf(*os.ProcessState) int64 { return 0 }
