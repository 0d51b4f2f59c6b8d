package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/pipeline"
	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/sink"
	"github.com/riskpipe/riskpipe/vault"
)

// erasure is the erasing of one person, or of what has expired, on the servers.
type erasure struct {
	config Config
	users  []schemas.Pseudonym
	talk   io.Writer

	codecs codecs
	client *kgo.Client
	admin  *kadm.Client
	redis  *pipeline.Redis
	conn   sink.Conn
	tables *sink.Eraser

	ring           vault.Opener     // the vault's private keys, nil where they are not
	to             *vault.PublicKey // what punctured keys are sealed to
	now            func() schemas.Time
	pseudonymisers []pipeline.Pseudonymiser // the pseudonym keys, none where they are not

	keys      []string // data keys that sealed evidence of the person
	shredKeys bool     // whether they go as a whole
	others    uint64   // activities of others whose evidence goes with them then
	lines     []erasureLine
}

// erasureLine is how much of a kind was held, and is left.
type erasureLine struct {
	What   string `json:"what"`
	Before uint64 `json:"before"`
	Left   uint64 `json:"left"`
}

func newErasure(ctx context.Context, config Config, users []schemas.Pseudonym, talk io.Writer) (_ *erasure, err error) {
	e := &erasure{config: config, users: users, talk: talk, now: func() schemas.Time { return schemas.TimeOf(time.Now()) }}
	defer func() {
		if err != nil {
			e.close()
		}
	}()
	if e.codecs, err = config.codecs(ctx); err != nil {
		return nil, err
	}
	if err := errors.Join(e.openVault(ctx), e.openPseudonyms()); err != nil {
		return nil, err
	}
	if e.client, err = config.Kafka.connect(); err != nil {
		return nil, err
	}
	e.admin = kadm.NewClient(e.client)
	if e.redis, err = config.Redis.open(); err != nil {
		return nil, err
	}
	if e.conn, err = config.ClickHouse.open(ctx, config.ClickHouse.Database); err != nil {
		return nil, err
	}
	e.tables, err = sink.NewEraser(e.conn, config.ClickHouse.Database, config.ClickHouse.IdentityDatabase)
	return e, err
}

// sought is of whom Redis is searched.
func (e *erasure) sought() pipeline.Sought {
	return pipeline.Sought{Users: e.users, Keys: e.pseudonymisers, Generation: e.config.Topics.stateGeneration(), Events: e.codecs.events}
}

// openPseudonyms reads the pseudonym keys, where they are.
func (e *erasure) openPseudonyms() error {
	if e.config.Pseudonym == (PseudonymConfig{}) {
		return nil
	}
	key, err := e.config.Pseudonym.open()
	if err != nil {
		return err
	}
	e.pseudonymisers = append(e.pseudonymisers, key)
	previous, err := e.config.Pseudonym.previous()
	if previous != nil {
		e.pseudonymisers = append(e.pseudonymisers, previous)
	}
	return err
}

// close gives the connections back; nothing that was done depends on it.
func (e *erasure) close() {
	if e.client != nil {
		e.client.Close()
	}
	if e.redis != nil {
		_ = e.redis.Close()
	}
	if e.conn != nil {
		_ = e.conn.Close()
	}
}

// widen adds the person's other pseudonyms: a learned name was one of its own
// until it was known whose it is.
func (e *erasure) widen(ctx context.Context) (pipeline.Remembered, error) {
	found, err := e.redis.Remembered(ctx, e.sought())
	if err != nil {
		return found, &exitError{exitUnreachable, err}
	}
	logged, err := e.loggedNames(ctx)
	if err != nil {
		return found, err
	}
	e.users = withoutRepeats(slices.Concat(e.users, found.Names, logged))
	return found, nil
}

func withoutRepeats(users []schemas.Pseudonym) (each []schemas.Pseudonym) {
	for _, user := range users {
		if !slices.Contains(each, user) {
			each = append(each, user)
		}
	}
	return each
}

// look counts what is held.
func (e *erasure) look(ctx context.Context, shredKeys bool) error {
	_, err := e.widen(ctx)
	if err != nil {
		return err
	}
	if e.shredKeys = shredKeys; shredKeys || e.ring != nil {
		if e.keys, e.others, err = e.tables.SealedWith(ctx, e.users); err != nil {
			return err
		}
	}
	held, err := e.held(ctx)
	if err != nil {
		return err
	}
	for _, line := range held {
		e.lines = append(e.lines, erasureLine{What: line.What, Before: line.Left, Left: line.Left})
	}
	return nil
}

// held reads back what there is now.
func (e *erasure) held(ctx context.Context) ([]erasureLine, error) {
	var lines []erasureLine
	add := func(what string, n uint64) { lines = append(lines, erasureLine{What: what, Left: n}) }
	tables, err := e.tables.Held(ctx, e.users)
	if err != nil {
		return nil, err
	}
	for _, held := range tables {
		add("ClickHouse "+held.Table, held.Rows)
	}
	if len(e.keys) > 0 {
		held, err := e.tables.HeldKeys(ctx, e.keys, e.goingKeys())
		if err != nil {
			return nil, err
		}
		add("ClickHouse "+held.Table, held.Rows)
		open, err := e.openingKeys(ctx)
		if err != nil {
			return nil, err
		}
		add("Kafka data keys that open evidence", open)
	}
	identities, err := e.identityRecords(ctx)
	if err != nil {
		return nil, err
	}
	add("Kafka sealed identities", uint64(len(identities)))
	names, err := e.loggedNames(ctx)
	if err != nil {
		return nil, err
	}
	add("Kafka learned names", uint64(len(names)))
	found, err := e.redis.Remembered(ctx, e.sought())
	if err != nil {
		return nil, &exitError{exitUnreachable, err}
	}
	add("Redis states", uint64(found.States))
	add("Redis states of earlier generations", uint64(found.StaleStates))
	add("Redis learned names", uint64(len(found.Names)))
	add("Redis waiting evidence", uint64(found.Waiting))
	return lines, nil
}

func (e *erasure) left() (n uint64) {
	for _, line := range e.lines {
		n += line.Left
	}
	return n
}

// onRecord erases, between two entries of the audit log.
func (e *erasure) onRecord(ctx context.Context, o eraseOptions) (err error) {
	audit, err := e.config.Vault.Serve.openRecord()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, audit.Close()) }()
	for _, user := range e.users {
		if err := recordDeed(ctx, audit, deed{"user.erased", user.String(), o.forCase, map[string]any{"reason": o.reason, "data_keys": len(e.keys), "shredded_whole": o.shredKeys}}); err != nil {
			return err
		}
	}
	work, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	if err := e.erase(work); err != nil {
		return fmt.Errorf("erasing, which can be run again: %w", err)
	}
	held, err := e.held(ctx)
	if err != nil {
		return err
	}
	for i := range held {
		e.lines[i].Left = held[i].Left
	}
	return recordDeed(ctx, audit, deed{"erasure.checked", e.users[0].String(), o.forCase, e.lines})
}

// erase does it. Every step can be repeated, and what tells the next ones what
// to do goes last: learned names, by which the person's other pseudonyms are
// known.
func (e *erasure) erase(ctx context.Context) error {
	keys, err := e.letGo(ctx)
	if err != nil {
		return err
	}
	identities, err := e.identityRecords(ctx)
	if err != nil {
		return err
	}
	sealed, err := e.order(ctx, append(keys, identities...))
	if err != nil {
		return err
	}
	var erasures []*kgo.Record
	for _, user := range e.users {
		erasures = append(erasures, pipeline.ErasureRecord(e.config.Topics.names(), user))
	}
	ordered, err := e.order(ctx, erasures)
	if err != nil {
		return err
	}
	if err := e.await(ctx, "scoring", e.config.Topics.group("score"), ordered); err != nil {
		return err
	}
	// What the scorer said of it is on these topics now.
	followed, err := e.ends(ctx, e.config.Topics.names().Alerts(), e.config.Topics.names().Risk())
	if err != nil {
		return err
	}
	if err := e.await(ctx, "writing", e.config.Topics.group("sink"), ordered.and(sealed).and(followed)); err != nil {
		return err
	}
	if err := e.tables.Erase(ctx, e.users); err != nil {
		return err
	}
	if err := e.tables.EraseKeys(ctx, e.keys, e.goingKeys()); err != nil {
		return err
	}
	names, err := e.nameRecords(ctx)
	if err != nil {
		return err
	}
	if _, err := e.order(ctx, names); err != nil {
		return err
	}
	return e.redis.Forget(ctx, e.sought())
}
