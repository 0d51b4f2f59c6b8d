package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/riskpipe/riskpipe/vault"
	"github.com/riskpipe/riskpipe/vault/keycommand"
)

// hasPrivateKey tells whether any private key is configured.
func (c VaultConfig) hasPrivateKey() bool {
	return c.PrivateKey != "" || len(c.PrivateKeys) > 0 || len(c.PrivateKeyCommand) > 0
}

// privateKeys are those of vault.private_key, then of the files, then of the
// command: the first is the current one.
func (c VaultConfig) privateKeys(ctx context.Context) ([]vault.KeyAgreement, error) {
	if !c.hasPrivateKey() {
		return nil, errors.New("no private key of the vault: set vault.private_key_file, vault.private_key or vault.private_key_command")
	}
	var keys []vault.KeyAgreement
	for text := range strings.FieldsSeq(string(c.PrivateKey)) {
		key, err := vault.ParsePrivateKey(text)
		if err != nil {
			return nil, fmt.Errorf("vault.private_key: %w", err)
		}
		keys = append(keys, key)
	}
	for _, file := range c.PrivateKeys {
		key, err := vault.ReadPrivateKeyFile(file)
		if err != nil {
			return nil, fmt.Errorf("vault.private_key_file: %w", err)
		}
		keys = append(keys, key)
	}
	if command := c.keyCommand(); command.Path != "" {
		held, err := command.Keys(ctx)
		if err != nil {
			return nil, fmt.Errorf("vault.private_key_command: %w", err)
		}
		for _, key := range held {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// keyring holds the private keys for opening.
func (c VaultConfig) keyring(ctx context.Context) (*vault.Keyring, error) {
	keys, err := c.privateKeys(ctx)
	if err != nil {
		return nil, err
	}
	ring, err := vault.NewKeyring(keys...)
	if err != nil {
		return nil, fmt.Errorf("vault.private_key, private_key_file and private_key_command: %w", err)
	}
	return ring, nil
}

// keyCommand is the program that holds private keys, without a path when there is
// none. It gets this process's environment but for the settings of riskpipe, which
// may be secrets that are none of its business.
func (c VaultConfig) keyCommand() keycommand.Command {
	if len(c.PrivateKeyCommand) == 0 {
		return keycommand.Command{}
	}
	var environment []string
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, envPrefix+"_") {
			environment = append(environment, variable)
		}
	}
	return keycommand.Command{
		Path: c.PrivateKeyCommand[0], Args: c.PrivateKeyCommand[1:], Env: environment, Timeout: c.PrivateKeyTimeout, Stderr: os.Stderr,
	}
}
