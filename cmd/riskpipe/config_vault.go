package main

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
	"github.com/riskpipe/riskpipe/vault/server"
)

// VaultServeConfig is how the vault is served.
type VaultServeConfig struct {
	Listen         string        `mapstructure:"listen"`
	CertFile       string        `mapstructure:"cert_file"`
	KeyFile        string        `mapstructure:"key_file"`
	ClientCAFile   string        `mapstructure:"client_ca_file"`
	AuditFile      string        `mapstructure:"audit_file"`
	CheckpointFile string        `mapstructure:"checkpoint_file"`
	AuditKeyFile   string        `mapstructure:"audit_key_file"`
	AuditKeys      []string      `mapstructure:"audit_public_keys"`
	IdentitiesFile string        `mapstructure:"identities_file"`
	ManagersFile   string        `mapstructure:"managers_file"`
	TokensFile     string        `mapstructure:"tokens_file"`
	OIDC           OIDCConfig    `mapstructure:"oidc"`
	GrantTime      time.Duration `mapstructure:"grant_time"`
	BreakGlassTime time.Duration `mapstructure:"break_glass_time"`
}

// OIDCConfig is whose OpenID Connect tokens count.
type OIDCConfig struct {
	Issuer      string       `mapstructure:"issuer"`
	Audience    string       `mapstructure:"audience"`
	UserClaim   string       `mapstructure:"user_claim"`
	GroupsClaim string       `mapstructure:"groups_claim"`
	Roles       []GroupRoles `mapstructure:"roles"`
}

// GroupRoles are the roles of a group of the issuer.
type GroupRoles struct {
	Group string       `mapstructure:"group" json:"group"`
	Roles []vault.Role `mapstructure:"roles" json:"roles"`
}

// RevealConfig is how the vault is reached.
type RevealConfig struct {
	URL       string    `mapstructure:"url"`
	Token     Secret    `mapstructure:"token"`
	TokenFile string    `mapstructure:"token_file"`
	TLS       TLSConfig `mapstructure:"tls"`
}

// PoliciesConfig is who signs policies.
type PoliciesConfig struct {
	Signatures string         `mapstructure:"signatures"`
	Signers    []PolicySigner `mapstructure:"signers"`
}

// PolicySigner is somebody who signs policies for HR or Legal.
type PolicySigner struct {
	Name      string `mapstructure:"name" json:"name"`
	Role      string `mapstructure:"role" json:"role"`
	PublicKey string `mapstructure:"public_key" json:"public_key"`
}

func (c VaultServeConfig) listen() server.Listen {
	return server.Listen{Address: c.Listen, CertFile: c.CertFile, KeyFile: c.KeyFile, ClientCAFile: c.ClientCAFile}
}

func (c VaultServeConfig) grants() vault.Grants {
	return vault.Grants{Time: c.GrantTime, BreakGlassTime: c.BreakGlassTime}
}

// checkpointFile is where the checkpoints of the audit log are.
func (c VaultServeConfig) checkpointFile() string {
	if c.CheckpointFile == "" && c.AuditFile != "" {
		return c.AuditFile + ".checkpoints"
	}
	return c.CheckpointFile
}

// earlier are the keys that signed the audit log before the current one.
func (c VaultServeConfig) earlier() ([]*vault.VerifyingKey, error) {
	var keys []*vault.VerifyingKey
	for i, text := range c.AuditKeys {
		key, err := vault.ParseVerifyingKey(text)
		if err != nil {
			return nil, fmt.Errorf("vault.serve.audit_public_keys[%d]: %w", i, err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// server returns the settings of the issuer for whoever can make pseudonyms.
func (c OIDCConfig) server(pseudonym func(string) schemas.Pseudonym) server.OIDCConfig {
	roles := map[string][]vault.Role{}
	for _, group := range c.Roles {
		roles[group.Group] = append(roles[group.Group], group.Roles...)
	}
	return server.OIDCConfig{
		Issuer: c.Issuer, Audience: c.Audience, UserClaim: c.UserClaim, GroupsClaim: c.GroupsClaim, Roles: roles, Pseudonym: pseudonym,
	}
}

func (c VaultServeConfig) problems() []error {
	var problems []error
	add := func(err error) {
		if err != nil {
			problems = append(problems, fmt.Errorf("vault.serve: %w", err))
		}
	}
	add(c.listen().Validate())
	add(c.grants().Validate())
	if _, err := c.earlier(); err != nil {
		problems = append(problems, err)
	}
	if c.OIDC.Issuer != "" && plainURL(c.OIDC.Issuer) == c.OIDC.Issuer {
		// The key is asked for when the vault is served.
		add(c.OIDC.server(func(string) schemas.Pseudonym { return schemas.Pseudonym{} }).Validate())
	}
	return problems
}

func (c RevealConfig) problems() []error {
	problems := c.TLS.problems("reveal.tls")
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https"):
		problems = append(problems, fmt.Errorf("reveal.url is %q: want https://…", plainURL(c.URL)))
	case u.Scheme == "http" && !onThisMachine(u.Hostname()):
		problems = append(problems, fmt.Errorf("reveal.url is %q: beyond this machine, tokens and names travel over https alone", plainURL(c.URL)))
	}
	return problems
}

func onThisMachine(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || (err == nil && addr.IsLoopback())
}

func (c PoliciesConfig) problems() []error {
	_, err := c.signers()
	if err == nil {
		return nil
	}
	return []error{err}
}

// signers are the signers whose signatures count.
func (c PoliciesConfig) signers() ([]vault.PolicySigner, error) {
	var signers []vault.PolicySigner
	var problems []error
	for i, s := range c.Signers {
		key, err := vault.ParseVerifyingKey(s.PublicKey)
		role := vault.PolicyRole(strings.ToLower(s.Role))
		if role != vault.PolicyHR && role != vault.PolicyLegal {
			err = errors.Join(err, fmt.Errorf("role is %q: want hr or legal", s.Role))
		}
		if s.Name == "" {
			err = errors.Join(err, errors.New("it has no name"))
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("policies.signers[%d]: %w", i, err))
			continue
		}
		signers = append(signers, vault.PolicySigner{Name: s.Name, Role: role, Key: key})
	}
	return signers, errors.Join(problems...)
}
