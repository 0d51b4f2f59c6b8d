package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/riskpipe/riskpipe/vault"
)

// signingAs reads a signer's private key and finds whose it is.
func signingAs(config Config, role, keyFile string) (*vault.SigningKey, vault.PolicySigner, error) {
	if keyFile == "" {
		return nil, vault.PolicySigner{}, &exitError{exitRejects, errors.New("name the signer's --key")}
	}
	key, err := vault.ReadSigningKeyFile(keyFile)
	if err != nil {
		return nil, vault.PolicySigner{}, &exitError{exitConfig, err}
	}
	signer, err := signerOf(config, vault.PolicyRole(role), key)
	return key, signer, err
}

// signerOf finds the signer of the role whose key it is.
func signerOf(config Config, role vault.PolicyRole, key *vault.SigningKey) (vault.PolicySigner, error) {
	if !slices.Contains(vault.PolicyRoles(), role) {
		return vault.PolicySigner{}, &exitError{exitRejects, fmt.Errorf("--role is %q: want hr or legal", role)}
	}
	signers, err := config.Policies.signers()
	if err != nil {
		return vault.PolicySigner{}, &exitError{exitConfig, err}
	}
	for _, signer := range signers {
		if signer.Role == role && signer.Key.String() == key.Public().String() {
			return signer, nil
		}
	}
	return vault.PolicySigner{}, &exitError{exitConfig, fmt.Errorf("no signer for %s has this key: add {name: …, role: %s, public_key: %s} to policies.signers", role, role, key.Public())}
}

// signerNames are the names of the signers, by role.
func signerNames(signed map[vault.PolicyRole][]vault.PolicySigner) string {
	var names []string
	for _, role := range vault.PolicyRoles() {
		for _, signer := range signed[role] {
			names = append(names, fmt.Sprintf("%s (%s)", signer.Name, role))
		}
	}
	return strings.Join(names, ", ")
}

// readSignatures reads a file of signatures; there are none without it.
func readSignatures[T vault.PolicySignatures | vault.ScopeSignatures](path string) (signatures T, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, &exitError{exitConfig, fmt.Errorf("reading the signatures: %w", err)}
	}
	if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(&signatures); err != nil {
		return nil, &exitError{exitConfig, fmt.Errorf("reading the signatures %s: %w", path, err)}
	}
	return signatures, nil
}

// writeSignatures replaces the file as a whole, so that none is ever half there.
func writeSignatures[T vault.PolicySignatures | vault.ScopeSignatures](path, command string, signatures T) error {
	text, err := yaml.Marshal(signatures)
	if err == nil {
		err = os.WriteFile(path+".new", append([]byte("# Written by riskpipe "+command+" sign.\n"), text...), 0o644)
	}
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		return fmt.Errorf("writing the signatures: %w", err)
	}
	return nil
}
