package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/riskpipe/riskpipe/vault"
)

func newVaultCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "vault",
		Short: "Make, rotate and split the keys that keep names apart from facts, and serve reveals",
		Long: `vault works on key files and, but for serve, shred and access-report, reaches no server. Three keys
keep names apart from facts:

  pseudonym.key  makes pseudonyms; normalisers have it
  vault.pub      seals names and evidence; normalisers have it, and it is no secret
  vault.key      opens them; the vault alone has it

Keep vault.key on another machine than everything else. Who loses it has lost
all names and evidence that were ever sealed.`,
		Example: `  riskpipe vault init --out keys
  RISKPIPE_PSEUDONYM_KEY_FILE=keys/pseudonym.key RISKPIPE_VAULT_PUBLIC_KEY_FILE=keys/vault.pub riskpipe normalise signin`,
	}
	key := &cobra.Command{Use: "key", Short: "Rotate keys", Example: "  riskpipe vault key rotate --vault --dir keys"}
	key.AddCommand(newVaultRotateCommand())
	c.AddCommand(newVaultInitCommand(), key, newVaultSplitCommand(), newVaultCombineCommand(), newVaultPublicCommand(), newVaultServeCommand(), newVaultShredCommand(), newAccessReportCommand())
	return c
}

func newVaultPublicCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "public",
		Short: "Print the public half of a vault key",
		Long: `public prints what normalisers seal with: the public half of the private key in
--key, by default of the first that is configured: of vault.private_key, of
vault.private_key_file, or of vault.private_key_command.`,
		Example: "  riskpipe vault public --key keys/vault.key > keys/vault.pub",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			key, err := publicOf(cmd, file)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), key)
			return err
		},
	}
	c.Flags().StringVar(&file, "key", "", "`file` of the private key")
	return c
}

// publicOf is the public half of the key in the file, or of the first that is
// configured.
func publicOf(cmd *cobra.Command, file string) (*vault.PublicKey, error) {
	if file != "" {
		key, err := vault.ReadPrivateKeyFile(file)
		if err != nil {
			return nil, &exitError{exitConfig, err}
		}
		return key.Public(), nil
	}
	config, _, err := load(cmd)
	if err != nil {
		return nil, err
	}
	if !config.Vault.hasPrivateKey() {
		return nil, &exitError{exitRejects, errors.New("name a --key, or set vault.private_key_file")}
	}
	keys, err := config.Vault.privateKeys(cmd.Context())
	if err != nil {
		return nil, &exitError{exitConfig, err}
	}
	return keys[0].Public(), nil
}

// problems reports what is wrong with the settings. Files are read by who uses
// them: services share a configuration, and need not share files.
func (c VaultConfig) problems() []error {
	var problems []error
	switch {
	case c.PublicKey != "" && c.PublicKeyFile != "":
		problems = append(problems, errors.New("vault.public_key and vault.public_key_file are both set: give one"))
	case c.PublicKeyFile == "":
		if _, err := c.public(); err != nil {
			problems = append(problems, err)
		}
	}
	for text := range strings.FieldsSeq(string(c.PrivateKey)) {
		if _, err := vault.ParsePrivateKey(text); err != nil {
			problems = append(problems, fmt.Errorf("vault.private_key: %w", err))
		}
	}
	if command := c.keyCommand(); len(c.PrivateKeyCommand) > 0 {
		if err := command.Validate(); err != nil {
			problems = append(problems, fmt.Errorf("vault.private_key_command, vault.private_key_timeout: %w", err))
		}
	}
	return problems
}

// public returns the key to seal with, nil when none is configured.
func (c VaultConfig) public() (*vault.PublicKey, error) {
	switch {
	case c.PublicKeyFile != "":
		key, err := vault.ReadPublicKeyFile(c.PublicKeyFile)
		if err != nil {
			return nil, fmt.Errorf("vault.public_key_file: %w", err)
		}
		return key, nil
	case c.PublicKey != "":
		key, err := vault.ParsePublicKey(c.PublicKey)
		if err != nil {
			return nil, fmt.Errorf("vault.public_key: %w", err)
		}
		return key, nil
	default:
		return nil, nil
	}
}

// keyFile is a file that is written once.
type keyFile struct {
	path, text string
	mode       os.FileMode
}

// The modes of key files: secrets are their owner's alone.
const (
	secretMode = os.FileMode(0o600)
	publicMode = os.FileMode(0o644)
)

// writeKeyFiles writes all files or none, and overwrites nothing.
func writeKeyFiles(files ...keyFile) error {
	var written []string
	for _, file := range files {
		err := writeKeyFile(file)
		if err == nil {
			written = append(written, file.path)
			continue
		}
		for _, path := range written {
			err = errors.Join(err, os.Remove(path))
		}
		return fmt.Errorf("writing keys (an existing file is never overwritten): %w", err)
	}
	return nil
}

func writeKeyFile(file keyFile) error {
	f, err := os.OpenFile(file.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, file.mode)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, file.text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(file.path))
	}
	return nil
}
