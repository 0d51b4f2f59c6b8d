package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"os"
	"strings"

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
	// User is the account's owner: a pseudonym in full, or a user principal name.
	// Without it the account can take no part in reveals.
	User string `yaml:"user"`
	// Roles are what it may do.
	Roles []vault.Role `yaml:"roles"`
}

// Tokens is an Authenticator of a fixed set of tokens.
type Tokens struct {
	tokens []Token
	users  []schemas.Pseudonym // of the tokens, in their order
}

// ReadTokens reads a YAML file with a list of tokens. It refuses files that
// others than the owner can write. What pseudonym is for NewTokens says.
func ReadTokens(path string, pseudonym func(name string) schemas.Pseudonym) (*Tokens, error) {
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
	known, err := NewTokens(tokens, pseudonym)
	if err != nil {
		return nil, fmt.Errorf("reading the tokens %s: %w", path, err)
	}
	return known, nil
}

// NewTokens returns the Authenticator of the tokens, or all that is wrong with
// them. pseudonym makes pseudonyms of principal names, as the normalisers do; nil
// without the key.
func NewTokens(tokens []Token, pseudonym func(name string) schemas.Pseudonym) (*Tokens, error) {
	var problems []error
	users := make([]schemas.Pseudonym, len(tokens))
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
		if t.User != "" {
			var err error
			if users[i], err = ParseUser(t.User, pseudonym); err != nil {
				problems = append(problems, fmt.Errorf("token %d, of %q: %w", i+1, t.Name, err))
			}
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return &Tokens{tokens: tokens, users: users}, nil
}

// ParseUser reads a person given as a pseudonym in full or, where pseudonym is
// not nil, as a user principal name.
func ParseUser(text string, pseudonym func(name string) schemas.Pseudonym) (schemas.Pseudonym, error) {
	var user schemas.Pseudonym
	switch {
	case text == "":
		return user, errors.New("a user without a name")
	case strings.HasPrefix(text, "ANON-"):
		err := user.UnmarshalText([]byte(text))
		return user, err
	case pseudonym == nil:
		return user, errors.New("a user that is not given by pseudonym needs the pseudonym key, pseudonym.key_file")
	default:
		return pseudonym(text), nil
	}
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
	return vault.Actor{Name: "token:" + owner.Name, User: t.users[found], Roles: owner.Roles}, nil
}
