package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"os"

	"github.com/goccy/go-yaml"

	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

// Token is an account with a token of its own. The token itself is drawn at
// random, 32 bytes or more, and kept nowhere but with its owner.
type Token struct {
	// SHA256 is the hash of the token.
	SHA256 schemas.Digest `yaml:"sha256"`
	// Name is the account; in the audit log, token: stands before it.
	Name string `yaml:"name"`
	// User is the pseudonym of the account's owner. Without it the account can
	// take no part in reveals.
	User schemas.Pseudonym `yaml:"user"`
	// Roles are what it may do.
	Roles []vault.Role `yaml:"roles"`
}

// Tokens is an Authenticator of a fixed set of tokens.
type Tokens struct{ tokens []Token }

// ReadTokens reads a YAML file with a list of tokens. It refuses files that
// others than the owner can write.
func ReadTokens(path string) (*Tokens, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("reading the tokens: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o022 != 0 {
		return nil, fmt.Errorf("reading the tokens: mode %04o lets others than the owner write %s; run: chmod go-w %s", mode, path, path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the tokens: %w", err)
	}
	var tokens []Token
	if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(&tokens); err != nil {
		return nil, fmt.Errorf("reading the tokens %s: %w", path, err)
	}
	known, err := NewTokens(tokens)
	if err != nil {
		return nil, fmt.Errorf("reading the tokens %s: %w", path, err)
	}
	return known, nil
}

// NewTokens returns the Authenticator of the tokens, or all that is wrong with
// them.
func NewTokens(tokens []Token) (*Tokens, error) {
	var problems []error
	names, hashes := map[string]bool{}, map[schemas.Digest]bool{}
	for i, t := range tokens {
		switch {
		case t.Name == "":
			problems = append(problems, fmt.Errorf("token %d has no name", i+1))
		case names[t.Name]:
			problems = append(problems, fmt.Errorf("token %d: %q has one already", i+1, t.Name))
		case t.SHA256 == (schemas.Digest{}) || hashes[t.SHA256]:
			problems = append(problems, fmt.Errorf("token %d, of %q: want the SHA-256 of a token of its own", i+1, t.Name))
		case len(t.Roles) == 0:
			problems = append(problems, fmt.Errorf("token %d, of %q, has no roles", i+1, t.Name))
		}
		names[t.Name], hashes[t.SHA256] = true, true
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return &Tokens{tokens: tokens}, nil
}

// Authenticate implements Authenticator. It takes the same time for every token.
func (t *Tokens) Authenticate(_ context.Context, token string) (vault.Actor, error) {
	sum := sha256.Sum256([]byte(token))
	found := -1
	for i := range t.tokens {
		if subtle.ConstantTimeCompare(sum[:], t.tokens[i].SHA256[:]) == 1 {
			found = i
		}
	}
	if found < 0 || token == "" {
		return vault.Actor{}, ErrUnauthenticated
	}
	owner := t.tokens[found]
	return vault.Actor{Name: "token:" + owner.Name, User: owner.User, Roles: owner.Roles}, nil
}
