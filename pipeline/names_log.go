package pipeline

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/schemas"
)

const (
	// restoreMargin is how much a store may lose of what it had taken before it went away: a
	// replica's lag, or what was not on disk yet.
	restoreMargin = 5 * time.Minute
	// restoreAtStart is how far back a new process looks, which does not know how long the store
	// was away.
	restoreAtStart = 24 * time.Hour
)

// LoggedNames are Names in Redis whose names for good stand in the topic names before Redis has
// them. So Redis may lose what it was told last: whoever meets a Redis that was started again, or
// another one in its place, first stores again what the log has since Redis answered last. After a loss of all of it, RestoreNames does.
//
// The topic is compacted: a name's keyed hash is the key, what it leads to is the value. What
// expires is not in it.
type LoggedNames struct {
	store   *RedisNames
	topic   string
	cluster []kgo.Opt
	client  *kgo.Client
	log     *slog.Logger

	turn     chan struct{} // held by who restores
	restored atomic.Int64  // of Servers, those up to which names were restored
	heard    atomic.Int64  // when Redis answered last, Unix ms
}

// NewLoggedNames returns names in Redis behind the log. Close it.
func NewLoggedNames(store *RedisNames, cluster []kgo.Opt, topics schemas.Topics, log *slog.Logger) (*LoggedNames, error) {
	client, err := kgo.NewClient(append([]kgo.Opt{
		kgo.ClientID("riskpipe-names"),
		// A name twice is a name once, and writes can be given up: an idempotent producer goes on with what it began.
		kgo.DisableIdempotentWrite(),
	}, cluster...)...)
	if err != nil {
		return nil, fmt.Errorf("opening the internal cluster: %w", err)
	}
	l := &LoggedNames{store: store, topic: topics.Names(), cluster: cluster, client: client, log: log, turn: make(chan struct{}, 1)}
	l.restored.Store(-1)
	l.heard.Store(time.Now().Add(restoreMargin - restoreAtStart).UnixMilli())
	return l, nil
}

// Close closes the connection to Kafka, not that to Redis.
func (l *LoggedNames) Close() { l.client.Close() }

// Lookup implements Names.
func (l *LoggedNames) Lookup(ctx context.Context, keys []schemas.Pseudonym) (values [][]byte, err error) {
	err = l.whole(ctx, func() error {
		values, err = l.store.Lookup(ctx, keys)
		return err
	})
	return values, err
}

// Learn implements Names.
func (l *LoggedNames) Learn(ctx context.Context, names []Name) (stored []bool, err error) {
	if err := l.write(ctx, names); err != nil {
		return nil, err
	}
	err = l.whole(ctx, func() error {
		stored, err = l.store.Learn(ctx, names)
		return err
	})
	if err != nil {
		return nil, err
	}
	return stored, l.giveWay(ctx, names, stored)
}

// giveWay writes behind what another process was first with, so that the newest record of a name
// is what Redis has. What was restored or stored a moment ago counts as stored now.
func (l *LoggedNames) giveWay(ctx context.Context, names []Name, stored []bool) error {
	var refused []int
	var keys []schemas.Pseudonym
	for i, name := range names {
		if !stored[i] {
			refused, keys = append(refused, i), append(keys, name.Key)
		}
	}
	values, err := l.store.Lookup(ctx, keys)
	if err != nil {
		return err
	}
	var first []Name
	for i, at := range refused {
		switch value := values[i]; {
		case slices.Equal(value, names[at].Value):
			stored[at] = true
		case value != nil:
			first = append(first, Name{Key: keys[i], Value: value})
		}
	}
	return l.write(ctx, first)
}

func (l *LoggedNames) write(ctx context.Context, names []Name) error {
	var records []*kgo.Record
	for _, name := range names {
		if name.For == 0 {
			records = append(records, &kgo.Record{Topic: l.topic, Key: name.Key[:], Value: name.Value})
		}
	}
	return produceAll(ctx, l.client, records)
}

// whole asks Redis, and asks again if it was another Redis by then, which may have lost names.
func (l *LoggedNames) whole(ctx context.Context, ask func() error) error {
	const attempts = 3 // a Redis that does not say who it is, and drops each connection, is no reason to ask for ever
	for range attempts {
		if err := l.restore(ctx); err != nil {
			return err
		}
		before := l.restored.Load()
		if err := ask(); err != nil {
			return err
		}
		if l.store.Servers() == before {
			break
		}
	}
	l.heard.Store(time.Now().UnixMilli())
	return nil
}

// restore stores again what the log has since Redis answered last, if Redis is another.
func (l *LoggedNames) restore(ctx context.Context) error {
	if l.restored.Load() == l.store.Servers() {
		return nil
	}
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return fmt.Errorf("waiting for names to be restored: %w", ctx.Err())
	}
	servers := l.store.Servers()
	if l.restored.Load() == servers {
		return nil
	}
	since := time.UnixMilli(l.heard.Load()).Add(-restoreMargin)
	n, err := restoreNames(ctx, l.cluster, l.topic, since, l.store)
	if err != nil {
		return fmt.Errorf("restoring names learned since %s: %w", since.UTC().Format(time.RFC3339), err)
	}
	if n.Missing > 0 {
		l.log.Info("names restored that redis had not", "names", n.Missing, "since", since)
	}
	l.restored.Store(servers)
	return nil
}
