package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/riskpipe/riskpipe/vault"
)

func newVaultInitCommand() *cobra.Command {
	var dir, vaultDir string
	var keep bool
	c := &cobra.Command{
		Use:   "init",
		Short: "Draw the keys of an installation",
		Long: `init draws the pseudonym key and the vault's key pair and writes pseudonym.key,
vault.key and vault.pub to the folder --out, which is made when it is missing.
The first two are readable by you alone. When one of the files exists, none is
written.

--vault-out writes vault.key to a folder of its own, for a medium that the
normalisers do not see. --keep leaves what is there and draws what is missing, so
that it can be run at every start.`,
		Example: `  riskpipe vault init --out keys
  riskpipe vault init --out keys --vault-out vault --keep`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if vaultDir == "" {
				vaultDir = dir
			}
			for _, folder := range []string{dir, vaultDir} {
				if err := os.MkdirAll(folder, 0o700); err != nil {
					return fmt.Errorf("making the folder of the keys: %w", err)
				}
			}
			_, pseudonym, err := vault.GenerateKey(1)
			if err != nil {
				return err
			}
			private, public, id, err := drawVaultKey("vault")
			if err != nil {
				return err
			}
			private.path, public.path = filepath.Join(vaultDir, private.path), filepath.Join(dir, public.path)
			secret := keyFile{filepath.Join(dir, "pseudonym.key"), pseudonym, secretMode}
			files := []keyFile{secret, private, public}
			if keep {
				if files, err = missingKeys(secret, private, public); err != nil {
					return &exitError{exitConfig, err}
				}
			}
			if err := writeKeyFiles(files...); err != nil {
				return err
			}
			use := map[string]string{
				secret.path: "normalisers: pseudonym.key_file", public.path: "normalisers: vault.public_key_file",
				private.path: "the vault alone: vault.private_key_file; id " + id,
			}
			var lines [][2]string
			for _, file := range files {
				lines = append(lines, [2]string{file.path, use[file.path]})
			}
			return sayKeys(cmd.OutOrStdout(), lines)
		},
	}
	c.Flags().StringVar(&dir, "out", ".", "`folder` to write to")
	c.Flags().StringVar(&vaultDir, "vault-out", "", "`folder` for vault.key; that of --out when empty")
	c.Flags().BoolVar(&keep, "keep", false, "leave keys that are there already")
	return c
}

// missingKeys returns those of the files that are not there, and makes sure that
// those which are, are sound and belong together.
func missingKeys(pseudonym, private, public keyFile) ([]keyFile, error) {
	var missing []keyFile
	switch _, err := vault.ReadKeyFile(pseudonym.path); {
	case errors.Is(err, fs.ErrNotExist):
		missing = append(missing, pseudonym)
	case err != nil:
		return nil, fmt.Errorf("reading the key to keep: %w", err)
	}
	key, err := vault.ReadPrivateKeyFile(private.path)
	sealing, err2 := vault.ReadPublicKeyFile(public.path)
	none, none2 := errors.Is(err, fs.ErrNotExist), errors.Is(err2, fs.ErrNotExist)
	switch {
	case none && none2:
		return append(missing, private, public), nil
	case none || none2:
		return nil, fmt.Errorf("of %s and %s only one is there: `riskpipe vault public` writes the public half again; without the private half nothing that is sealed opens", private.path, public.path)
	case err != nil || err2 != nil:
		return nil, fmt.Errorf("reading the keys to keep: %w", errors.Join(err, err2))
	case key.ID() != sealing.ID():
		return nil, fmt.Errorf("%s (id %s) does not open what is sealed with %s (id %s)", private.path, key.ID(), public.path, sealing.ID())
	}
	return missing, nil
}

// drawVaultKey draws a key pair for the files <base>.key and <base>.pub.
func drawVaultKey(base string) (private, public keyFile, id string, err error) {
	key, text, err := vault.GeneratePrivateKey()
	if err != nil {
		return keyFile{}, keyFile{}, "", err
	}
	return keyFile{base + ".key", text, secretMode}, keyFile{base + ".pub", key.Public().String(), publicMode}, key.ID(), nil
}

// sayKeys prints each file with who is to have it.
func sayKeys(out io.Writer, lines [][2]string) error {
	for _, line := range lines {
		if _, err := fmt.Fprintf(out, "%s\t%s\n", line[0], line[1]); err != nil {
			return err
		}
	}
	return nil
}
