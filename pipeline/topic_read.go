package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// topicPatience is how long Kafka may take to say where a topic begins and ends.
const topicPatience = 30 * time.Second

// topicSpan is a part of a partition, from the first offset to the one behind the last.
type topicSpan struct{ first, end int64 }

// topicSpans returns, of each partition that holds anything since then, or since ever, that part.
func topicSpans(ctx context.Context, client *kgo.Client, topic string, since time.Time) (map[int32]topicSpan, error) {
	ctx, cancel := context.WithTimeout(ctx, topicPatience)
	defer cancel()
	admin := kadm.NewClient(client)
	list := func(offsets kadm.ListedOffsets, err error) (kadm.ListedOffsets, error) {
		if err == nil {
			err = offsets.Error()
		}
		if err != nil {
			return nil, fmt.Errorf("looking at topic %s: %w", topic, err)
		}
		return offsets, nil
	}
	ends, err := list(admin.ListEndOffsets(ctx, topic))
	if err != nil {
		return nil, err
	}
	var starts kadm.ListedOffsets
	if since.IsZero() {
		starts, err = list(admin.ListStartOffsets(ctx, topic))
	} else {
		starts, err = list(admin.ListOffsetsAfterMilli(ctx, since.UnixMilli(), topic))
	}
	if err != nil {
		return nil, err
	}
	spans := map[int32]topicSpan{}
	ends.Each(func(end kadm.ListedOffset) {
		if start, ok := starts.Lookup(topic, end.Partition); ok && start.Offset < end.Offset {
			spans[end.Partition] = topicSpan{start.Offset, end.Offset}
		}
	})
	return spans, nil
}

// A compacted topic also counts as read when nothing comes of it for quietPoll, quietPolls in a row, and its
// leaders answer: the last record of a partition may be one that took a key out, and be gone itself.
const (
	quietPoll  = 3 * time.Second
	quietPolls = 3
)

// ReadCompacted visits what a compacted topic says since then, or since ever, up to its present end, each
// partition in its order. The error is the visitor's, or Kafka's.
func ReadCompacted(ctx context.Context, cluster []kgo.Opt, topic string, since time.Time, visit func(*kgo.Record) error) error {
	client, err := kgo.NewClient(slices.Clip(cluster)...)
	if err != nil {
		return fmt.Errorf("opening Kafka: %w", err)
	}
	defer client.Close()
	left, err := topicSpans(ctx, client, topic, since)
	if err != nil {
		return err
	}
	starts := map[int32]kgo.Offset{}
	for partition, span := range left {
		starts[partition] = kgo.NewOffset().At(span.first)
	}
	client.AddConsumePartitions(map[string]map[int32]kgo.Offset{topic: starts})
	return readSpans(ctx, client, topic, left, visit)
}

// readSpans visits the records of the spans, which the client consumes.
func readSpans(ctx context.Context, client *kgo.Client, topic string, left map[int32]topicSpan, visit func(*kgo.Record) error) error {
	for quiet := 0; len(left) > 0 && quiet < quietPolls; {
		poll, cancel := context.WithTimeout(ctx, quietPoll)
		fetches := client.PollFetches(poll)
		cancel()
		if err := fetches.Err(); errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			if _, err := topicSpans(ctx, client, topic, time.Time{}); err != nil {
				return err
			}
			quiet++
			continue
		} else if err != nil {
			return fmt.Errorf("reading topic %s: %w", topic, err)
		}
		for _, r := range fetches.Records() {
			span, reading := left[r.Partition]
			if !reading {
				continue
			}
			quiet = 0
			if r.Offset < span.end {
				if err := visit(r); err != nil {
					return err
				}
			}
			if r.Offset >= span.end-1 {
				delete(left, r.Partition)
				client.RemoveConsumePartitions(map[string][]int32{topic: {r.Partition}})
			}
		}
	}
	return nil
}
