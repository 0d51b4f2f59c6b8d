package pipeline

import (
	"context"
	"fmt"
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
