//go:build unix

package vault

import (
	"os"
	"syscall"
)

// lockFile keeps other processes from writing the file until it is closed. It
// does not wait.
func lockFile(file *os.File) error {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
