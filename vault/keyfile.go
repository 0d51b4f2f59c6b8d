package vault

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// maxKeyFile bounds what is read of a key file, in bytes.
const maxKeyFile = 4 << 10

// ReadKeyFile reads a key from a file in the form of ParseKey. It refuses files
// that the group or others may read, write or execute.
func ReadKeyFile(path string) (*Key, error) { return readSecretFile(path, ParseKey) }

// readSecretFile parses a file that only its owner may use.
func readSecretFile[T any](path string, parse func(text string) (*T, error)) (*T, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening the key file: %w", err)
	}
	text, err := readSecret(file)
	var key *T
	if err == nil {
		key, err = parse(text)
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("reading the key file %s: %w", path, err)
	}
	return key, nil
}

func readSecret(file *os.File) (string, error) {
	// Of the open file: the path may name another one by now.
	info, err := file.Stat()
	if err != nil {
		return "", err
	}
	if info.IsDir() {
		return "", errors.New("it is a directory, not a file")
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return "", fmt.Errorf("mode %04o lets others than its owner at it; run: chmod 600 %s", mode, file.Name())
	}
	text, err := io.ReadAll(io.LimitReader(file, maxKeyFile+1))
	if err != nil {
		return "", err
	}
	if len(text) > maxKeyFile {
		return "", fmt.Errorf("more than %d bytes: this is no key file", maxKeyFile)
	}
	return string(text), nil
}
