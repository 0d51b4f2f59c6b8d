package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/sink"
	"github.com/riskpipe/riskpipe/vault"
)

// openVault reads the vault's private keys, where they are. With them, the data
// keys that sealed a person's evidence are parted from it, and open the others'
// as before.
func (e *erasure) openVault(ctx context.Context) error {
	if !e.config.Vault.hasPrivateKey() {
		return nil
	}
	keys, err := e.config.Vault.privateKeys(ctx)
	if err != nil {
		return &exitError{exitConfig, err}
	}
	ring, err := vault.NewKeyring(keys...)
	if err != nil {
		return &exitError{exitConfig, err}
	}
	e.ring, e.to = ring, keys[0].Public()
	return nil
}

// goingKeys are the rows of data keys that go.
func (e *erasure) goingKeys() string {
	if e.shredKeys {
		return sink.AnyKeys
	}
	return sink.WholeKeys
}

// openingKeys counts the data keys that open evidence of the person.
func (e *erasure) openingKeys(ctx context.Context) (n uint64, err error) {
	latest, err := readLatest(ctx, e, e.config.Topics.names().EvidenceKeys(), e.codecs.keys)
	if err != nil {
		return 0, err
	}
	for _, id := range e.keys {
		key, found := latest[id]
		if !found {
			continue
		}
		opens := e.ring == nil
		for _, user := range e.users {
			if opens {
				break
			}
			if opens, err = vault.Opens(ctx, e.ring, &key, user); err != nil {
				return 0, err
			}
		}
		if opens {
			n++
		}
	}
	return n, nil
}

// letGo makes the records by which data keys open the person's evidence no more:
// none in their place, or keys that are parted from it. Whose evidence they open
// still is told by ClickHouse, which must have everything first.
func (e *erasure) letGo(ctx context.Context) ([]*kgo.Record, error) {
	if e.shredKeys {
		return e.keyRecords(), nil
	}
	if len(e.keys) == 0 {
		return nil, nil
	}
	names := e.config.Topics.names()
	all, err := e.ends(ctx, names.Events())
	if err != nil {
		return nil, err
	}
	if err := e.await(ctx, "writing", e.config.Topics.group("sink"), all); err != nil {
		return nil, err
	}
	latest, err := readLatest(ctx, e, names.EvidenceKeys(), e.codecs.keys)
	if err != nil {
		return nil, err
	}
	var records []*kgo.Record
	for _, id := range e.keys {
		key, found := latest[id]
		if !found {
			continue
		}
		others, err := e.tables.SealedBy(ctx, id)
		if err != nil {
			return nil, err
		}
		punctured, err := vault.Puncture(ctx, e.ring, e.to, &key, others, e.users, e.now())
		switch {
		case errors.Is(err, vault.ErrKeyInUse):
			return nil, fmt.Errorf("the person was active lately, and a normaliser may go on sealing: erase again 10 minutes after the full hour: %w", err)
		case errors.Is(err, vault.ErrWholeKey):
			return nil, fmt.Errorf("it was sealed by an earlier riskpipe; --shred-keys shreds it with others' evidence: %w", err)
		case err != nil:
			return nil, err
		}
		value, err := e.codecs.keys.Append(nil, &punctured)
		if err != nil {
			return nil, err
		}
		records = append(records, &kgo.Record{Topic: names.EvidenceKeys(), Key: []byte(id), Value: value})
	}
	return records, nil
}
