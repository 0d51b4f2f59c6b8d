package chaos

import "syscall"

// attributes make a child die with the test, however that ends, and keep the
// terminal's Ctrl-C for the test.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
