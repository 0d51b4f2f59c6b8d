package sink

import (
	"context"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// assigned makes the partitions, and reads what their last owner had announced and perhaps written.
// Without an answer to that, the sink goes on: the tables' sorting keys hide what is doubled then.
func (s *Sink) assigned(ctx context.Context, client *kgo.Client, added map[string][]int32) {
	topics := make([]string, 0, len(added))
	for topic := range added {
		topics = append(topics, topic)
	}
	offsets, err := kadm.NewClient(client).FetchOffsetsForTopics(ctx, s.config.Group, topics...)
	if err != nil {
		s.log.Warn("reading announced blocks", "error", err)
	}
	for topic, ids := range added {
		for _, id := range ids {
			p := &partition{topic: topic, id: id, committed: -1, forgets: s.forgetting(topic)}
			if at, ok := offsets.Lookup(topic, id); ok && at.Err == nil && at.At >= 0 {
				p.continues(at.At, at.Metadata)
			}
			s.partitions[topicPartition{topic, id}] = p
		}
	}
	s.log.Info("partitions assigned", "partitions", added)
}

// revoked writes and commits what is complete, once: what that does not manage, the next owner
// reads again.
func (s *Sink) revoked(_ context.Context, _ *kgo.Client, gone map[string][]int32) {
	leaving := s.named(gone)
	for {
		var blocks []block
		for _, p := range leaving {
			if len(p.records) > 0 && (!p.announced.set || p.complete()) {
				blocks = append(blocks, p.next(&s.config))
			}
		}
		if len(blocks) == 0 {
			break
		}
		if err := s.write(s.work, blocks); err != nil {
			s.log.Warn("writing before partitions are handed over", "error", err)
			break
		}
	}
	s.forget(gone)
}

// lost forgets partitions that belong to somebody else already: committing now would turn their
// new owner's position back.
func (s *Sink) lost(_ context.Context, _ *kgo.Client, gone map[string][]int32) { s.forget(gone) }

func (s *Sink) forget(gone map[string][]int32) {
	for topic, ids := range gone {
		for _, id := range ids {
			delete(s.partitions, topicPartition{topic, id})
		}
	}
	s.metrics.lag.set(s.partitions)
	s.log.Info("partitions given up", "partitions", gone)
}

func (s *Sink) named(ids map[string][]int32) []*partition {
	var found []*partition
	for topic, list := range ids {
		for _, id := range list {
			if p := s.partitions[topicPartition{topic, id}]; p != nil {
				found = append(found, p)
			}
		}
	}
	return found
}
