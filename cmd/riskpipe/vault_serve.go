package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/sink"
	"github.com/riskpipe/riskpipe/vault"
	"github.com/riskpipe/riskpipe/vault/server"
)

// auditWriter names the chain of the vault's server.
const auditWriter = "vault"

func newVaultServeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Serve reveals and the audit log to those who may have them",
		Long: `serve lets investigators ask whose a pseudonym is, HR and Legal decide, and the
investigator see the name for as long as it is granted. Who may do what is told
by bearer tokens: of the file vault.serve.tokens_file, of the OpenID Connect
issuer vault.serve.oidc, or both. A token is 32 random bytes or more, and the file
has its SHA-256:

  - sha256: 9f86d081884c7d65…       # printf %s "$TOKEN" | sha256sum
    name: iris                      # token:iris in the audit log
    user: iris@contoso.example      # whose the account is: a user principal name or a pseudonym
    roles: [investigator]

Everything is on record in vault.serve.audit_file before it is done, and that file
is all there is: it holds the requests, too. Keep one server for one file, and the
checkpoints on a medium that nobody can rewrite. The topic audit gets a copy, from
which riskpipe sink writes one to ClickHouse; while Kafka is away the vault goes
on, and what Kafka missed follows. Other services have chains of their own on that
topic and no key: the vault verifies them as they grow, and puts signed checkpoints
of them on record, at its start, within an hour of a record and at its stop.

Beyond this machine it listens with a certificate alone.`,
		Example: `  riskpipe audit key --name vault.example/audit --out audit.key
  riskpipe vault serve --config riskpipe.yaml
  riskpipe reveal list`,
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, log, err := load(cmd)
			if err != nil {
				return err
			}
			return serveVault(cmd.Context(), config, log, func(address net.Addr) {
				log.Info("serving the vault", "address", address.String())
			})
		},
	}
}

// serveVault serves until ctx ends. started gets the address.
func serveVault(ctx context.Context, config Config, log *slog.Logger, started func(net.Addr)) error {
	c := config.Vault.Serve
	for key, value := range map[string]string{
		"audit_file": c.AuditFile, "audit_key_file": c.AuditKeyFile, "tokens_file or oidc.issuer": c.TokensFile + c.OIDC.Issuer,
	} {
		if value == "" {
			return &exitError{exitConfig, fmt.Errorf("vault.serve.%s is not set", key)}
		}
	}
	keys, err := config.Vault.keyring(ctx)
	if err != nil {
		return &exitError{exitConfig, err}
	}
	pseudonym, err := config.pseudonyms()
	if err != nil {
		return err
	}
	authenticator, err := config.authenticator(ctx, pseudonym)
	if err != nil {
		return &exitError{exitConfig, err}
	}
	managers, err := readManagers(c.ManagersFile, pseudonym)
	if err != nil {
		return &exitError{exitConfig, err}
	}
	audit, err := c.openAudit()
	if err != nil {
		return err
	}
	reveals, err := vault.NewRevealStore(audit, c.grants())
	if err != nil {
		return errors.Join(err, audit.Close())
	}
	identities, closeIdentities, err := config.identities(ctx)
	if err != nil {
		return errors.Join(err, audit.Close())
	}
	defer closeIdentities()
	api, err := server.New(server.Deps{
		Authenticator: authenticator, Reveals: reveals, Audit: audit, Managers: managers,
		Identities: vault.NewSealedIdentities(identities, keys),
		Now:        func() schemas.Time { return schemas.TimeOf(time.Now()) }, Log: log,
	})
	if err != nil {
		return errors.Join(err, audit.Close())
	}
	metrics := newRegistry()
	trail, err := config.auditTrail(audit, log, metrics)
	if err == nil {
		err = recordStart(ctx, audit)
	}
	if err == nil {
		err = serve(ctx, log, config.Admin, metrics, &servedVault{c.listen(), api, audit, trail, log, started})
	}
	return errors.Join(err, audit.Close())
}

// identities are those of a file, or of ClickHouse without one.
func (c Config) identities(ctx context.Context) (source vault.IdentitySource, done func(), err error) {
	if file := c.Vault.Serve.IdentitiesFile; file != "" {
		return server.FileIdentities{Path: file}, func() {}, nil
	}
	conn, err := c.ClickHouse.open(ctx, "")
	if err != nil {
		return nil, nil, err
	}
	if source, err = sink.NewIdentitySource(conn, c.ClickHouse.Database, c.ClickHouse.IdentityDatabase); err != nil {
		return nil, nil, errors.Join(err, conn.Close())
	}
	return source, func() { _ = conn.Close() }, nil
}

// recordStart puts on record that reveals can be decided on from now.
func recordStart(ctx context.Context, audit vault.AuditLog) error {
	return audit.Append(ctx, vault.AuditEntry{Time: schemas.TimeOf(time.Now()), Action: "vault.started", Detail: fmt.Sprintf(`{"version":%q}`, versionText())})
}

// openAudit continues the audit log.
func (c VaultServeConfig) openAudit() (*vault.AuditChain, error) {
	key, err := vault.ReadSigningKeyFile(c.AuditKeyFile)
	if err != nil {
		return nil, &exitError{exitConfig, fmt.Errorf("vault.serve.audit_key_file: %w", err)}
	}
	earlier, err := c.earlier()
	if err != nil {
		return nil, &exitError{exitConfig, err}
	}
	return vault.OpenAuditFile(c.AuditFile, c.checkpointFile(), schemas.TimeOf(time.Now()), vault.AuditOptions{Writer: auditWriter, Key: key, Earlier: earlier})
}

// pseudonyms makes pseudonyms of user principal names, as normalisers do; nil
// without the key.
func (c Config) pseudonyms() (func(name string) schemas.Pseudonym, error) {
	if c.Pseudonym.Key == "" && c.Pseudonym.KeyFile == "" {
		return nil, nil
	}
	key, err := c.Pseudonym.open()
	if err != nil {
		return nil, err
	}
	return func(name string) schemas.Pseudonym { return key.Pseudonym("upn:" + strings.ToLower(name)) }, nil
}

// authenticator tells whose tokens are.
func (c Config) authenticator(ctx context.Context, pseudonym func(string) schemas.Pseudonym) (server.Authenticators, error) {
	var all server.Authenticators
	if file := c.Vault.Serve.TokensFile; file != "" {
		tokens, err := server.ReadTokens(file, pseudonym)
		if err != nil {
			return nil, fmt.Errorf("vault.serve.tokens_file: %w", err)
		}
		all = append(all, tokens)
	}
	if oidc := c.Vault.Serve.OIDC; oidc.Issuer != "" {
		issuer, err := server.NewOIDC(ctx, oidc.server(pseudonym))
		if err != nil {
			return nil, fmt.Errorf("vault.serve.oidc: %w", err)
		}
		all = append(all, issuer)
	}
	return all, nil
}

// readManagers reads the file of users' managers; none is known without one.
func readManagers(path string, pseudonym func(string) schemas.Pseudonym) (map[schemas.Pseudonym]schemas.Pseudonym, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading vault.serve.managers_file: %w", err)
	}
	lines := map[string]string{}
	if err := yaml.NewDecoder(bytes.NewReader(text)).Decode(&lines); err != nil {
		return nil, fmt.Errorf("reading vault.serve.managers_file %s: %w", path, err)
	}
	managers := map[schemas.Pseudonym]schemas.Pseudonym{}
	for name, managedBy := range lines {
		user, err := server.ParseUser(name, pseudonym)
		if err == nil {
			managers[user], err = server.ParseUser(managedBy, pseudonym)
		}
		if err != nil {
			return nil, fmt.Errorf("reading vault.serve.managers_file %s: %w", path, err)
		}
	}
	return managers, nil
}
