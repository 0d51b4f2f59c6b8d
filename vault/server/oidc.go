package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

// OIDCConfig says whose tokens count and what they mean.
type OIDCConfig struct {
	// Issuer is the URL of the issuer, https unless it is on this machine.
	Issuer string
	// Audience is what tokens must be made out to.
	Audience string
	// UserClaim is the claim with the account's principal name, which Pseudonym
	// turns into the pseudonym of its owner; email when empty.
	UserClaim string
	// GroupsClaim is the claim with a list of groups; groups when empty.
	GroupsClaim string
	// Roles are the roles of each group.
	Roles map[string][]vault.Role
	// Pseudonym turns principal names into pseudonyms, as the normalisers do.
	Pseudonym func(name string) schemas.Pseudonym
}

// OIDC is an Authenticator of an OpenID Connect issuer: it checks the signature,
// issuer, audience and time of tokens, and takes roles from groups.
type OIDC struct {
	config   OIDCConfig
	verifier *oidc.IDTokenVerifier
}

// NewOIDC asks the issuer for its keys, which are asked for again when they
// change.
func NewOIDC(ctx context.Context, config OIDCConfig) (*OIDC, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	provider, err := oidc.NewProvider(ctx, config.Issuer)
	if err != nil {
		return nil, fmt.Errorf("asking the OpenID Connect issuer %s: %w", config.Issuer, err)
	}
	if config.UserClaim == "" {
		config.UserClaim = "email"
	}
	if config.GroupsClaim == "" {
		config.GroupsClaim = "groups"
	}
	return &OIDC{config: config, verifier: provider.Verifier(&oidc.Config{ClientID: config.Audience})}, nil
}

// Validate reports everything that is wrong with c, joined.
func (c OIDCConfig) Validate() error {
	var problems []error
	issuer, err := url.Parse(c.Issuer)
	if err != nil || issuer.Host == "" || (issuer.Scheme != "https" && (issuer.Scheme != "http" || !isLoopback(issuer.Hostname()))) {
		problems = append(problems, fmt.Errorf("the OpenID Connect issuer is %q: want https://…", c.Issuer))
	}
	if c.Audience == "" {
		problems = append(problems, errors.New("the audience of OpenID Connect tokens is empty: tokens for any other service would count"))
	}
	if len(c.Roles) == 0 {
		problems = append(problems, errors.New("no group of the OpenID Connect issuer has a role"))
	}
	for group, roles := range c.Roles {
		for _, role := range roles {
			if !slices.Contains(vault.Roles(), role) {
				problems = append(problems, fmt.Errorf("group %q has the role %q: want one of %s", group, role, vault.Roles()))
			}
		}
	}
	if c.Pseudonym == nil {
		problems = append(problems, errors.New("accounts of an OpenID Connect issuer need the pseudonym key, to tell whose they are"))
	}
	return errors.Join(problems...)
}

// Authenticate implements Authenticator. The account is oidc: and the subject,
// which the issuer never gives to another one. A token that says nothing about
// the principal name belongs to nobody who is known. While the issuer does not
// answer, tokens signed with a key that it has not told are not valid.
func (o *OIDC) Authenticate(ctx context.Context, token string) (vault.Actor, error) {
	verified, err := o.verifier.Verify(ctx, token)
	if err != nil {
		// Its text may hold claims of the token.
		return vault.Actor{}, ErrUnauthenticated
	}
	claims := map[string]any{}
	if err := verified.Claims(&claims); err != nil || verified.Subject == "" {
		return vault.Actor{}, ErrUnauthenticated
	}
	actor := vault.Actor{Name: "oidc:" + verified.Subject}
	// An address that the issuer did not check could be anybody's.
	if verified, said := claims["email_verified"].(bool); o.config.UserClaim != "email" || !said || verified {
		if name, _ := claims[o.config.UserClaim].(string); name != "" {
			actor.User = o.config.Pseudonym(name)
		}
	}
	groups, _ := claims[o.config.GroupsClaim].([]any)
	for _, group := range groups {
		name, _ := group.(string)
		for _, role := range o.config.Roles[name] {
			if !actor.Has(role) {
				actor.Roles = append(actor.Roles, role)
			}
		}
	}
	return actor, nil
}

// isLoopback says whether a host is this machine.
func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// isLoopbackAddr says whether host:port is on this machine alone.
func isLoopbackAddr(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && isLoopback(host)
}
