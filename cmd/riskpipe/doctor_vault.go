package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/riskpipe/riskpipe/sink"
	"github.com/riskpipe/riskpipe/vault"
)

// key looks at the keys that make pseudonyms.
func (d *doctor) key(context.Context) {
	const check = "pseudonym key"
	key, err := d.config.Pseudonym.open()
	if err != nil {
		d.wrong(check, err.Error(), "normalisers cannot start without it; score and sink can")
		return
	}
	version := fmt.Sprintf("version %d", key.Version())
	if d.config.Pseudonym.KeyFile == "" {
		d.warn(check, version+", in the configuration or the environment", "give it as pseudonym.key_file, which is refused when anybody but its owner can read it")
	} else {
		d.ok(check, version+", readable by its owner alone")
	}
	switch previous, err := d.config.Pseudonym.previous(); {
	case err != nil:
		d.wrong("previous pseudonym key", err.Error(), "normalisers cannot start with it; leave pseudonym.previous_key_file empty when there was no rotation")
	case previous != nil && previous.Version() >= key.Version():
		d.wrong("previous pseudonym key", fmt.Sprintf("version %d, of which the current key is version %d", previous.Version(), key.Version()), "the two were swapped: pseudonym.key_file is the newer one")
	case previous != nil:
		d.ok("previous pseudonym key", fmt.Sprintf("version %d: the vault links a person's two pseudonyms", previous.Version()))
	}
}

// vault looks at the keys that names and evidence are sealed and opened with.
func (d *doctor) vault(ctx context.Context) {
	public, err := d.config.Vault.public()
	switch {
	case err != nil:
		d.wrong("vault public key", err.Error(), "normalisers cannot start with it; `riskpipe vault public --key vault.key` writes it again")
	case public == nil:
		d.warn("vault public key", "none: evidence and the names behind pseudonyms are not kept, so that no alert can be investigated",
			"riskpipe vault init --out keys, then set vault.public_key_file for the normalisers")
	default:
		d.ok("vault public key", "id "+public.ID())
	}
	d.vaultPrivate(ctx, public)
}

// vaultPrivate makes sure that the private key is where reveals are served and
// nowhere else.
func (d *doctor) vaultPrivate(ctx context.Context, public *vault.PublicKey) {
	const check = "vault private key"
	serves := d.config.Vault.Serve.AuditFile != ""
	switch {
	case !d.config.Vault.hasPrivateKey() && serves:
		d.wrong(check, "none, but vault.serve is configured: it cannot start", "set vault.private_key_file")
		return
	case !d.config.Vault.hasPrivateKey():
		d.ok(check, "none here: nothing can be opened with this configuration")
		return
	case !serves:
		d.wrong(check, "this configuration has it and serves no vault (vault.serve.audit_file is empty): whoever reads it, or the environment of a service, can open all names and evidence",
			"take vault.private_key, private_key_file and private_key_command out of what normalisers, score and sink are given")
		return
	}
	keys, err := d.config.Vault.privateKeys(ctx)
	if err != nil {
		d.wrong(check, err.Error(), "the vault cannot start without it")
		return
	}
	ids := make([]string, len(keys))
	for i, key := range keys {
		ids[i] = key.Public().ID()
	}
	if public != nil && !slices.Contains(ids, public.ID()) {
		d.wrong(check, strings.Join(ids, ", ")+": none of them opens what is sealed to "+public.ID(), "give the vault the private half of vault.public_key_file, or normalisers the public half of the vault's")
		return
	}
	d.ok(check, strings.Join(ids, ", "))
}

// evidence looks whether what normalisers wrote of late is sealed to a vault.
func (d *doctor) evidence(ctx context.Context, conn sink.Conn) {
	const check = "sealed evidence"
	var written, sealed uint64
	ctx = sink.WithParameters(ctx, map[string]string{"database": d.config.ClickHouse.Database})
	if err := conn.QueryRow(ctx, query("doctor_evidence")).Scan(&written, &sealed); err != nil {
		d.warn(check, err.Error(), "see the error: it is not known whether activities carry evidence")
		return
	}
	switch {
	case written == 0:
		d.ok(check, "no activity within a day")
	case sealed == 0:
		d.warn(check, fmt.Sprintf("none of %d activities within a day has any", written), "give the normalisers vault.public_key_file; what is not sealed when it happens is never known again")
	default:
		d.ok(check, fmt.Sprintf("%d of %d activities within a day have some", sealed, written))
	}
}

// certificates looks for connections whose other end may be anybody.
func (d *doctor) certificates(context.Context) {
	for _, name := range d.config.unverified() {
		d.wrong("TLS of "+name, "certificates are not verified", "set "+name+".tls.ca_file, and take insecure_skip_verify out")
	}
}
