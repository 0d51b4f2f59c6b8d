package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/schemas"
)

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

// A partition also counts as read when nothing comes of it for quietNames, quietTimes in a row, and its
// leader answers: its last record may be one that took a name out, and be gone itself.
const (
	quietNames = 3 * time.Second
	quietTimes = 3
)

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
		latest, err := readNamesTo(ctx, client, topic, partition, span.end)
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

// readNamesTo reads the partition, the only one that the client consumes, up to the offset.
func readNamesTo(ctx context.Context, client *kgo.Client, topic string, partition int32, end int64) (map[schemas.Pseudonym][]byte, error) {
	latest := map[schemas.Pseudonym][]byte{}
	for quiet := 0; quiet < quietTimes; quiet++ {
		poll, cancel := context.WithTimeout(ctx, quietNames)
		fetches := client.PollFetches(poll)
		cancel()
		if err := fetches.Err(); errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			if _, err := topicSpans(ctx, client, topic, time.Time{}); err != nil {
				return nil, err
			}
			continue
		} else if err != nil {
			return nil, err
		}
		quiet = -1
		for _, r := range fetches.Records() {
			if r.Partition != partition {
				continue
			}
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
	return latest, nil
}
