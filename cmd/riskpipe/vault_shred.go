package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/pipeline"
	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/sink"
	"github.com/riskpipe/riskpipe/vault"
)

func newVaultShredCommand() *cobra.Command {
	var o eraseOptions
	c := &cobra.Command{
		Use:   "shred",
		Short: "Shred data keys and identities whose time is over, on the brokers too",
		Long: `shred deletes the data keys that are older than sink.evidence_days and the sealed
identities that were not learned again for sink.identity_days, from the topics
evidence_keys and identities and from ClickHouse, which drops them by itself as
well. Evidence under a deleted key never opens again, in whatever copy or backup
of events it lies. The brokers drop the bytes when they compact the topics, within
a day as riskpipe topics makes them (max.compaction.lag.ms).

Run it every day. It is on record in the audit log first; the sink must be running.`,
		Example: `  riskpipe vault shred --dry-run
  riskpipe vault shred --yes`,
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, _, err := load(cmd)
			if err != nil {
				return err
			}
			e, err := newErasure(cmd.Context(), config, nil, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer e.close()
			return e.shred(cmd.Context(), o, schemas.TimeOf(time.Now()), cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	c.Flags().BoolVar(&o.dryRun, "dry-run", false, "show what would go and change nothing")
	c.Flags().BoolVar(&o.yes, "yes", false, "do not ask")
	c.Flags().DurationVar(&o.timeout, "timeout", 10*time.Minute, "how `long` to wait for the sink and ClickHouse")
	return c
}

// expired are the records of compacted topics whose time is over.
type expired struct {
	keys       []string // ids of data keys
	identities []string // record keys of identities
}

// shred deletes what has expired by now, and proves it.
func (e *erasure) shred(ctx context.Context, o eraseOptions, now schemas.Time, in io.Reader, out io.Writer) error {
	old, err := e.expired(ctx, now)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d data keys and %d identities have expired\n", len(old.keys), len(old.identities))
	if o.dryRun || len(old.keys)+len(old.identities) == 0 {
		return nil
	}
	if err := o.confirmed(in, e.talk); err != nil {
		return err
	}
	audit, err := e.config.Vault.Serve.openRecord()
	if err != nil {
		return err
	}
	err = recordDeed(ctx, audit, deed{action: "keys.shredded", detail: map[string]int{"data_keys": len(old.keys), "identities": len(old.identities)}})
	if err == nil {
		work, cancel := context.WithTimeout(ctx, o.timeout)
		defer cancel()
		err = e.shredExpired(work, old, now)
	}
	if err := errors.Join(err, audit.Close()); err != nil {
		return err
	}
	fmt.Fprintln(out, "none is left")
	return nil
}

func (e *erasure) shredExpired(ctx context.Context, old expired, now schemas.Time) error {
	e.keys = old.keys
	records := e.keyRecords()
	for _, key := range old.identities {
		records = append(records, &kgo.Record{Topic: e.config.Topics.names().Identities(), Key: []byte(key)})
	}
	ordered, err := e.order(ctx, records)
	if err != nil {
		return err
	}
	if err := e.await(ctx, "writing", e.config.Topics.group("sink"), ordered); err != nil {
		return err
	}
	if err := e.tables.EraseKeys(ctx, old.keys, sink.AnyKeys); err != nil {
		return err
	}
	left, err := e.expired(ctx, now)
	if err != nil {
		return err
	}
	held, err := e.tables.HeldKeys(ctx, old.keys, sink.AnyKeys)
	if err != nil {
		return err
	}
	if n := len(left.keys) + len(left.identities); n > 0 || held.Rows > 0 {
		return fmt.Errorf("%d are left on the topics and %d in ClickHouse: run it again", n, held.Rows)
	}
	return nil
}

// expired reads the topics for what is older than it is kept.
func (e *erasure) expired(ctx context.Context, now schemas.Time) (old expired, err error) {
	days := func(n int) schemas.Time { return schemas.Time(n) * oneDay }
	names := e.config.Topics.names()
	keys, err := readLatest(ctx, e, names.EvidenceKeys(), e.codecs.keys)
	if err != nil {
		return old, err
	}
	old.keys = vault.ShredBefore(slices.Collect(maps.Values(keys)), now-days(e.config.Sink.EvidenceDays))
	identities, err := readLatest(ctx, e, names.Identities(), e.codecs.identities)
	if err != nil {
		return old, err
	}
	for key, identity := range identities {
		if identity.UpdatedTime <= now-days(e.config.Sink.IdentityDays) {
			old.identities = append(old.identities, key)
		}
	}
	return old, nil
}

// readLatest reads a compacted topic to its end as of now, and returns what
// stands under each key.
func readLatest[T schemas.Record](ctx context.Context, e *erasure, topic string, codec *schemas.Codec[T]) (map[string]T, error) {
	cluster, err := e.config.Kafka.options()
	if err != nil {
		return nil, err
	}
	latest := map[string]T{}
	var malformed error
	err = pipeline.ReadCompacted(ctx, cluster, topic, time.Time{}, func(r *kgo.Record) error {
		if r.Value == nil {
			delete(latest, string(r.Key))
			return nil
		}
		var v T
		if err := codec.Decode(r.Value, &v); err != nil {
			malformed = fmt.Errorf("reading topic %s, partition %d, offset %d: %w", topic, r.Partition, r.Offset, err)
			return malformed
		}
		latest[string(r.Key)] = v
		return nil
	})
	switch {
	case malformed != nil:
		return nil, malformed
	case err != nil:
		return nil, &exitError{exitUnreachable, err}
	}
	return latest, nil
}
