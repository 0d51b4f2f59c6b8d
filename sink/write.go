package sink

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// write writes blocks, at most one a partition: it announces them, inserts them, and commits those
// that were inserted. The records of all others stay where they are, and make the same block at
// the partition's next attempt.
//
//	crash or error before the insert     the announced block is formed again and inserted
//	during it, or before its answer      the block is formed again; its token tells whether it is in
//	after it, before the commit          as above
func (s *Sink) write(work context.Context, blocks []block) error {
	if len(blocks) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(work, s.config.InsertTimeout)
	defer cancel()
	for _, b := range blocks {
		b.partition.announced = b.span
	}
	if err := s.commits(ctx, blocks, span.metadata); err != nil {
		return s.failed(blocks, fmt.Errorf("announcing blocks: %w", err))
	}

	results := make([]error, len(blocks))
	slots := make(chan struct{}, s.config.Inserts)
	var inserts sync.WaitGroup
	for i, b := range blocks {
		slots <- struct{}{}
		inserts.Go(func() {
			results[i] = s.insert(ctx, b)
			<-slots
		})
	}
	inserts.Wait()

	written, refused := blocks[:0:0], blocks[:0:0]
	for i, b := range blocks {
		if results[i] == nil {
			written = append(written, b)
		} else {
			refused = append(refused, b)
		}
	}
	err := s.failed(refused, errors.Join(results...))
	// The inserts may have used up all their time, and yet some blocks are written. Were they not
	// committed now, slow inserts would be done over and over.
	ctx, cancel = context.WithTimeout(work, commitTimeout)
	defer cancel()
	if failed := s.commits(ctx, written, nil); failed != nil {
		return errors.Join(err, s.failed(written, fmt.Errorf("committing blocks: %w", failed)))
	}
	for _, b := range written {
		if n := b.partition.failures; n > 0 {
			s.log.Info("writing again", "topic", b.partition.topic, "partition", b.partition.id, "failures", n)
		}
		b.partition.done(b, time.Now())
	}
	return err
}

// failed makes the blocks wait for their next attempt, and returns the error.
func (s *Sink) failed(blocks []block, err error) error {
	now := time.Now()
	for _, b := range blocks {
		b.partition.failed(&s.config, now)
	}
	return err
}

// commitTimeout bounds the commit behind the inserts. With the longest insert timeout it stays below
// the rebalance timeout of 60 s.
const commitTimeout = 5 * time.Second

// insert writes one block and sends its dead letters. Both can be repeated.
func (s *Sink) insert(ctx context.Context, b block) error {
	start := time.Now()
	topic := b.partition.topic
	pool := s.pools[topic]
	into := pool.get()
	defer pool.put(into)
	letters, err := read(b, into)
	if err == nil {
		err = s.config.poisoned(b, letters)
	}
	if err == nil {
		err = classify(into.insert(ctx, s.conn, b.token()))
	}
	if err != nil {
		s.metrics.failed(stageInsert, err)
		return fmt.Errorf("writing %s partition %d offsets %d to %d: %w", topic, b.partition.id, b.span.first, b.span.last, err)
	}
	if err := s.sendDeadLetters(ctx, letters); err != nil {
		return err
	}
	now := time.Now()
	s.metrics.insert.WithLabelValues(topic).Observe(now.Sub(start).Seconds())
	s.metrics.batches.WithLabelValues(topic).Inc()
	s.metrics.rows.WithLabelValues(topic).Add(float64(into.len()))
	for source, n := range into.sources() {
		s.metrics.events.WithLabelValues(string(source)).Add(float64(n))
	}
	if oldest := into.oldest(); oldest > 0 {
		s.metrics.latency.WithLabelValues(topic).Observe(max(0, now.Sub(oldest.UTC()).Seconds()))
	}
	return nil
}

// commit commits the offsets behind the blocks; with metadata, those before them, announcing what
// comes next.
func (s *Sink) commit(ctx context.Context, blocks []block, metadata func(span) string) error {
	if len(blocks) == 0 {
		return nil
	}
	offsets := map[string]map[int32]kgo.EpochOffset{}
	announcements := map[topicPartition]string{}
	for _, b := range blocks {
		last := b.records[len(b.records)-1]
		at := kgo.EpochOffset{Epoch: last.LeaderEpoch, Offset: b.span.last + 1}
		if metadata != nil {
			at = kgo.EpochOffset{Epoch: b.records[0].LeaderEpoch, Offset: b.span.first}
			announcements[topicPartition{b.partition.topic, b.partition.id}] = metadata(b.span)
		}
		if offsets[b.partition.topic] == nil {
			offsets[b.partition.topic] = map[int32]kgo.EpochOffset{}
		}
		offsets[b.partition.topic][b.partition.id] = at
	}
	ctx = kgo.PreCommitFnContext(ctx, func(req *kmsg.OffsetCommitRequest) error {
		for i := range req.Topics {
			topic := &req.Topics[i]
			for j := range topic.Partitions {
				if text, ok := announcements[topicPartition{topic.Topic, topic.Partitions[j].Partition}]; ok {
					topic.Partitions[j].Metadata = &text
				}
			}
		}
		return nil
	})
	var failed error
	s.client.CommitOffsetsSync(ctx, offsets, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error) {
		failed = commitError(resp, err)
	})
	if failed != nil {
		failed = classifyKafka(failed)
		s.metrics.failed(stageCommit, failed)
	}
	return failed
}

func commitError(resp *kmsg.OffsetCommitResponse, err error) error {
	if err != nil {
		return err
	}
	for _, topic := range resp.Topics {
		for _, p := range topic.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return fmt.Errorf("%s partition %d: %w", topic.Topic, p.Partition, err)
			}
		}
	}
	return nil
}
