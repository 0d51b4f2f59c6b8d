package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/riskpipe/riskpipe/vault"
)

func newVaultInitCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "init",
		Short: "Draw the keys of an installation",
		Long: `init draws the pseudonym key and the vault's key pair and writes pseudonym.key,
vault.key and vault.pub to the folder --out, which is made when it is missing.
The first two are readable by you alone. When one of the files exists, none is
written.`,
		Example: "  riskpipe vault init --out keys",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := os.MkdirAll(dir, 0o700); err != nil {
				return fmt.Errorf("making the folder of the keys: %w", err)
			}
			_, pseudonym, err := vault.GenerateKey(1)
			if err != nil {
				return err
			}
			private, public, id, err := drawVaultKey(filepath.Join(dir, "vault"))
			if err != nil {
				return err
			}
			secret := keyFile{filepath.Join(dir, "pseudonym.key"), pseudonym, secretMode}
			if err := writeKeyFiles(secret, private, public); err != nil {
				return err
			}
			return sayKeys(cmd.OutOrStdout(), [][2]string{
				{secret.path, "normalisers: pseudonym.key_file"},
				{public.path, "normalisers: vault.public_key_file"},
				{private.path, "the vault alone: vault.private_key_file; id " + id},
			})
		},
	}
	c.Flags().StringVar(&dir, "out", ".", "`folder` to write to")
	return c
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
