//go:build !unix

package embedded

import "syscall"

func ownGroup() *syscall.SysProcAttr { return nil }
