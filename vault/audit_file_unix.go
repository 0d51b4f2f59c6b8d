//go:build unix

package vault

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// lockFile keeps other processes from writing the file until it is closed. It
// does not wait.
func lockFile(file *os.File) error {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

// syncFolder makes sure that a file which is new is still there after a loss of
// power.
func syncFolder(file *os.File) error {
	folder, err := os.Open(filepath.Dir(file.Name()))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
