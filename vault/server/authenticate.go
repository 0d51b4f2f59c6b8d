package server

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/riskpipe/riskpipe/vault"
)

// ErrUnauthenticated means that a token is nobody's.
var ErrUnauthenticated = errors.New("the token is not valid")

// Authenticator tells whose a bearer token is. It returns an error that wraps
// ErrUnauthenticated for a token that is nobody's, and any other error when it
// could not find out. No error quotes the token.
//
// Implementations are safe for concurrent use.
type Authenticator interface {
	Authenticate(ctx context.Context, token string) (vault.Actor, error)
}

// Authenticators asks one after the other, until one knows the token.
type Authenticators []Authenticator

// Authenticate implements Authenticator.
func (a Authenticators) Authenticate(ctx context.Context, token string) (vault.Actor, error) {
	err := ErrUnauthenticated
	for _, one := range a {
		var actor vault.Actor
		if actor, err = one.Authenticate(ctx, token); !errors.Is(err, ErrUnauthenticated) {
			return actor, err
		}
	}
	return vault.Actor{}, err
}

// bearer returns the token of a request, empty without one.
func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}
