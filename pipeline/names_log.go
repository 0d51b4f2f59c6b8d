package pipeline

import (
	"context"
	"errors"
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
		l.log.Warn("redis had lost names, which were restored", "names", n.Missing)
	}
	l.restored.Store(servers)
	return nil
}

// RestoredNames counts what was restored.
type RestoredNames struct {
	Logged  int `json:"logged"`  // names that the log has
	Missing int `json:"missing"` // those that the store did not have
}

// RestoreNames stores all names of the log that the store does not have. What the store has stays.
func RestoreNames(ctx context.Context, cluster []kgo.Opt, topics schemas.Topics, into Names) (RestoredNames, error) {
	n, err := restoreNames(ctx, cluster, topics.Names(), time.Time{}, into)
	if err != nil {
		return n, fmt.Errorf("restoring names: %w", err)
	}
	return n, nil
}

// restoreBatch is how many names are stored in one round trip.
const restoreBatch = 5_000

func restoreNames(ctx context.Context, cluster []kgo.Opt, topic string, since time.Time, into Names) (n RestoredNames, err error) {
	err = readNames(ctx, cluster, topic, since, func(latest map[schemas.Pseudonym][]byte) error {
		names := make([]Name, 0, len(latest))
		for key, value := range latest {
			names = append(names, Name{Key: key, Value: value})
		}
		n.Logged += len(names)
		for some := range slices.Chunk(names, restoreBatch) {
			stored, err := into.Learn(ctx, some)
			if err != nil {
				return err
			}
			for _, missing := range stored {
				if missing {
					n.Missing++
				}
			}
		}
		return nil
	})
	return n, err
}

// NamesOf returns the names in the log that lead to the users, who may be out of scope: that
// only the pseudonym keys can tell.
func NamesOf(ctx context.Context, cluster []kgo.Opt, topics schemas.Topics, users []schemas.Pseudonym, keys []Pseudonymiser) ([]schemas.Pseudonym, error) {
	named := namedBy(users, keys)
	var found []schemas.Pseudonym
	err := readNames(ctx, cluster, topics.Names(), time.Time{}, func(latest map[schemas.Pseudonym][]byte) error {
		for key, value := range latest {
			if slices.Contains(named, schemas.Pseudonym(value)) {
				found = append(found, key)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("looking for a person's names: %w", err)
	}
	return found, nil
}

// ForgottenName is the record that takes a name out of the log.
func ForgottenName(topics schemas.Topics, name schemas.Pseudonym) *kgo.Record {
	return &kgo.Record{Topic: topics.Names(), Key: slices.Clone(name[:])}
}

// quietNames is after how long without a record a partition counts as read: its last record may
// have been compacted away.
const quietNames = 3 * time.Second

// readNames visits what each partition of the topic says since then, or since ever, up to its present end.
func readNames(ctx context.Context, cluster []kgo.Opt, topic string, since time.Time, visit func(latest map[schemas.Pseudonym][]byte) error) error {
	client, err := kgo.NewClient(append(slices.Clip(cluster), kgo.ClientID("riskpipe-names"))...)
	if err != nil {
		return fmt.Errorf("opening Kafka: %w", err)
	}
	defer client.Close()
	spans, err := topicSpans(ctx, client, topic, since)
	if err != nil {
		return err
	}
	for partition, span := range spans {
		client.AddConsumePartitions(map[string]map[int32]kgo.Offset{topic: {partition: kgo.NewOffset().At(span.first)}})
		latest, err := readNamesTo(ctx, client, span.end)
		if err != nil {
			return fmt.Errorf("reading topic %s: %w", topic, err)
		}
		client.RemoveConsumePartitions(map[string][]int32{topic: {partition}})
		if err := visit(latest); err != nil {
			return err
		}
	}
	return nil
}

// readNamesTo reads the one partition that the client consumes, up to the offset.
func readNamesTo(ctx context.Context, client *kgo.Client, end int64) (map[schemas.Pseudonym][]byte, error) {
	latest := map[schemas.Pseudonym][]byte{}
	for {
		poll, cancel := context.WithTimeout(ctx, quietNames)
		fetches := client.PollFetches(poll)
		cancel()
		if err := fetches.Err(); errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			return latest, nil
		} else if err != nil {
			return nil, err
		}
		for _, r := range fetches.Records() {
			if r.Offset >= end {
				return latest, nil
			}
			if key := (schemas.Pseudonym{}); len(r.Key) == len(key) {
				key = schemas.Pseudonym(r.Key)
				if delete(latest, key); len(r.Value) == len(key) {
					latest[key] = r.Value
				}
			}
			if r.Offset == end-1 {
				return latest, nil
			}
		}
	}
}
