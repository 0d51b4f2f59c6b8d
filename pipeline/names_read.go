package pipeline

import (
	"context"
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
	latest, err := readNames(ctx, cluster, topic, since)
	if err != nil {
		return n, err
	}
	names := make([]Name, 0, len(latest))
	for key, user := range latest {
		names = append(names, Name{Key: key, Value: user[:]})
	}
	n.Logged = len(names)
	for some := range slices.Chunk(names, restoreBatch) {
		stored, err := into.Learn(ctx, some)
		if err != nil {
			return n, err
		}
		for _, missing := range stored {
			if missing {
				n.Missing++
			}
		}
	}
	return n, nil
}

// NamesOf returns the names in the log that lead to the users, who may be out of scope: that
// only the pseudonym keys can tell.
func NamesOf(ctx context.Context, cluster []kgo.Opt, topics schemas.Topics, users []schemas.Pseudonym, keys []Pseudonymiser) ([]schemas.Pseudonym, error) {
	latest, err := readNames(ctx, cluster, topics.Names(), time.Time{})
	if err != nil {
		return nil, fmt.Errorf("looking for a person's names: %w", err)
	}
	named := namedBy(users, keys)
	var found []schemas.Pseudonym
	for key, user := range latest {
		if slices.Contains(named, user) {
			found = append(found, key)
		}
	}
	return found, nil
}

// ForgottenName is the record that takes a name out of the log.
func ForgottenName(topics schemas.Topics, name schemas.Pseudonym) *kgo.Record {
	return &kgo.Record{Topic: topics.Names(), Key: slices.Clone(name[:])}
}

// readNames returns what each name leads to, of those that the topic speaks of since then, or since ever.
func readNames(ctx context.Context, cluster []kgo.Opt, topic string, since time.Time) (map[schemas.Pseudonym]schemas.Pseudonym, error) {
	latest := map[schemas.Pseudonym]schemas.Pseudonym{}
	err := ReadCompacted(ctx, cluster, topic, since, func(r *kgo.Record) error {
		if key := (schemas.Pseudonym{}); len(r.Key) == len(key) {
			key = schemas.Pseudonym(r.Key)
			if delete(latest, key); len(r.Value) == len(key) {
				latest[key] = schemas.Pseudonym(r.Value)
			}
		}
		return nil
	})
	return latest, err
}
