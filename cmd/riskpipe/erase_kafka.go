package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/pipeline"
	"github.com/riskpipe/riskpipe/schemas"
)

// positions are offsets by topic and partition: those before which everything
// is to have been read.
type positions map[string]map[int32]int64

func (p positions) reach(topic string, partition int32, offset int64) {
	if p[topic] == nil {
		p[topic] = map[int32]int64{}
	}
	p[topic][partition] = max(p[topic][partition], offset)
}

func (p positions) and(other positions) positions {
	both := positions{}
	for _, one := range []positions{p, other} {
		for topic, partitions := range one {
			for partition, offset := range partitions {
				both.reach(topic, partition, offset)
			}
		}
	}
	return both
}

// behind is how many records a group that has committed so has still to read.
func (p positions) behind(committed kadm.OffsetResponses) (n int64) {
	for topic, partitions := range p {
		for partition, offset := range partitions {
			at := int64(0)
			if found, ok := committed.Lookup(topic, partition); ok && found.Err == nil {
				at = max(found.At, 0)
			}
			n += max(offset-at, 0)
		}
	}
	return n
}

// identityRecords delete the facts that the topic has of the users' identities.
func (e *erasure) identityRecords(ctx context.Context) ([]*kgo.Record, error) {
	topic := e.config.Topics.names().Identities()
	latest, err := readLatest(ctx, e, topic, e.codecs.identities)
	if err != nil {
		return nil, err
	}
	var records []*kgo.Record
	for _, key := range slices.Sorted(maps.Keys(latest)) {
		user, _, _ := strings.Cut(key, "/")
		if slices.ContainsFunc(e.users, func(u schemas.Pseudonym) bool { return u.String() == user }) {
			records = append(records, &kgo.Record{Topic: topic, Key: []byte(key)})
		}
	}
	return records, nil
}

// loggedNames are the names that the log says lead to the users.
func (e *erasure) loggedNames(ctx context.Context) ([]schemas.Pseudonym, error) {
	cluster, err := e.config.Kafka.options()
	if err != nil {
		return nil, err
	}
	names, err := pipeline.NamesOf(ctx, cluster, e.config.Topics.names(), e.users, e.pseudonymisers)
	if err != nil {
		return nil, &exitError{exitUnreachable, err}
	}
	return names, nil
}

// nameRecords take them out of it.
func (e *erasure) nameRecords(ctx context.Context) ([]*kgo.Record, error) {
	names, err := e.loggedNames(ctx)
	if err != nil {
		return nil, err
	}
	var records []*kgo.Record
	for _, name := range names {
		records = append(records, pipeline.ForgottenName(e.config.Topics.names(), name))
	}
	return records, nil
}

// keyRecords delete the data keys.
func (e *erasure) keyRecords() []*kgo.Record {
	var records []*kgo.Record
	for _, id := range e.keys {
		records = append(records, &kgo.Record{Topic: e.config.Topics.names().EvidenceKeys(), Key: []byte(id)})
	}
	return records
}

// order writes records and returns the positions behind them.
func (e *erasure) order(ctx context.Context, records []*kgo.Record) (positions, error) {
	written := positions{}
	for _, result := range e.client.ProduceSync(ctx, records...) {
		if result.Err != nil {
			return nil, fmt.Errorf("writing to topic %s: %w", result.Record.Topic, result.Err)
		}
		written.reach(result.Record.Topic, result.Record.Partition, result.Record.Offset+1)
	}
	return written, nil
}

// ends are the ends of topics as of now.
func (e *erasure) ends(ctx context.Context, topics ...string) (positions, error) {
	listed, err := e.admin.ListEndOffsets(ctx, topics...)
	if err == nil {
		err = listed.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("asking Kafka for the ends of topics: %w", err)
	}
	ends := positions{}
	listed.Each(func(o kadm.ListedOffset) { ends.reach(o.Topic, o.Partition, o.Offset) })
	return ends, nil
}

// await returns when the group has read everything before the positions.
func (e *erasure) await(ctx context.Context, name, group string, until positions) error {
	var bar *progress
	var most, behind int64
	var last error
	for {
		committed, err := e.admin.FetchOffsets(ctx, group)
		if err == nil {
			if behind = until.behind(committed); behind == 0 {
				if bar != nil {
					bar.done()
				}
				return nil
			}
		}
		last = err
		if bar == nil {
			most = behind
			bar = newProgress(e.talk, name, "records", most)
		}
		bar.set(most - behind)
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("waiting for %s, which is %d records before the erasure: is the service running? see riskpipe doctor: %w", group, behind, ctx.Err()), last)
		}
	}
}
