package chaos

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/riskpipe/riskpipe/schemas"
)

// backlog is how many records each stage has still to read. The scorer's
// position is in its fences: what it commits to Kafka is for metrics.
func (in *installation) backlog(ctx context.Context) (backlog, error) {
	var b backlog
	for _, source := range schemas.Sources() {
		n, err := in.uncommitted(ctx, "riskpipe-normalise-"+string(source), in.topics.Raw(source))
		if err != nil {
			return b, err
		}
		b.normalise += n
	}
	ends, err := in.kafka.ends(ctx, in.topics.Events())
	if err != nil {
		return b, err
	}
	b.score = map[int32]int64{}
	for partition, end := range ends {
		fence, _, err := in.fence(ctx, partition)
		if err != nil {
			return b, err
		}
		b.score[partition] = end - max(fence.Next, 0)
	}
	b.sink, err = in.uncommitted(ctx, "riskpipe-sink", in.sinkTopics()...)
	return b, err
}

// backlog counts records that wait, of the scorer by partition.
type backlog struct {
	normalise, sink int64
	score           map[int32]int64
}

func (b backlog) scoring() (total int64) {
	for _, n := range b.score {
		total += n
	}
	return total
}

func (b backlog) String() string {
	return fmt.Sprintf("%d to normalise, %d to score, %d to write", b.normalise, b.scoring(), b.sink)
}

// uncommitted is how many records of the topics lie behind what the group has
// committed.
func (in *installation) uncommitted(ctx context.Context, group string, topics ...string) (int64, error) {
	committed, err := in.kafka.admin.FetchOffsetsForTopics(ctx, group, topics...)
	if err == nil {
		err = committed.Error()
	}
	if err != nil {
		return 0, fmt.Errorf("asking how far %s is: %w", group, err)
	}
	ends, err := in.kafka.admin.ListEndOffsets(ctx, topics...)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return 0, fmt.Errorf("asking how far %s is: %w", group, err)
	}
	var total int64
	ends.Each(func(end kadm.ListedOffset) {
		at, _ := committed.Lookup(end.Topic, end.Partition)
		total += end.Offset - max(at.At, 0)
	})
	return total, nil
}

// drain waits until nothing waits any more. Stages are looked at from the first
// to the last, each makes the next one's records; so the answer is good when
// nothing waited in two looks that follow each other.
func (in *installation) drain(ctx context.Context, patience time.Duration) error {
	quiet := 0
	return eventually(ctx, "everything is read", patience, func(ctx context.Context) error {
		if err := in.failed(); err != nil {
			return err
		}
		b, err := in.backlog(ctx)
		if err != nil {
			return err
		}
		if b.normalise+b.scoring()+b.sink > 0 {
			quiet = 0
			return fmt.Errorf("there are %s", b)
		}
		if quiet++; quiet == 1 {
			in.quietSince = time.Now()
		}
		if quiet < 3 {
			return errors.New("there was something a moment ago")
		}
		return nil
	})
}
