//go:build unix

package embedded

import "syscall"

// ownGroup keeps a Ctrl-C at the terminal from reaching the child: the parent still
// drains into ClickHouse then, and closes the child itself when it is done.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
