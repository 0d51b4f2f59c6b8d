package sink

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/schemas"
)

// reasons of dead letters, as the header dlq.reason says them.
const (
	reasonDecode   = "decode"   // the bytes are no record
	reasonValidate = "validate" // the record has no place in the table
)

// letter is a record to be set aside, and why.
type letter struct {
	record *kgo.Record
	reason string
	err    error
}

// deadLetter leaves key and value as they were. Topic, partition and offset identify the record,
// so that a letter sent twice is told from two letters.
func (l letter) deadLetter(topics schemas.Topics) *kgo.Record {
	header := func(key, value string) kgo.RecordHeader { return kgo.RecordHeader{Key: key, Value: []byte(value)} }
	return &kgo.Record{
		Topic: topics.DeadLetter(l.record.Topic),
		Key:   l.record.Key,
		Value: l.record.Value,
		Headers: append(slices.Clip(l.record.Headers),
			header("dlq.topic", l.record.Topic),
			header("dlq.partition", strconv.Itoa(int(l.record.Partition))),
			header("dlq.offset", strconv.FormatInt(l.record.Offset, 10)),
			header("dlq.timestamp", strconv.FormatInt(l.record.Timestamp.UnixMilli(), 10)),
			header("dlq.stage", "sink"),
			header("dlq.reason", l.reason),
			header("dlq.error", l.err.Error()),
		),
	}
}

// sendDeadLetters returns when Kafka has them all.
func (s *Sink) sendDeadLetters(ctx context.Context, letters []letter) error {
	if len(letters) == 0 {
		return nil
	}
	records := make([]*kgo.Record, len(letters))
	for i, l := range letters {
		records[i] = l.deadLetter(s.config.Topics)
	}
	if err := s.client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		err = fmt.Errorf("sending dead letters to %s: %w", records[0].Topic, classifyKafka(err))
		s.metrics.failed(stageDeadLetter, err)
		return err
	}
	for _, l := range letters {
		s.metrics.deadLetters.WithLabelValues(l.record.Topic, l.reason).Inc()
	}
	s.log.Warn("records set aside", "topic", records[0].Topic, "records", len(letters), "first_error", letters[0].err)
	return nil
}

// poisoned fails when so much of a block is malformed that its writer must have changed. Small
// blocks prove nothing.
func (c *Config) poisoned(b block, letters []letter) error {
	const proof = 100
	if len(b.records) < proof || c.PoisonPercent >= 100 || len(letters)*100 < len(b.records)*c.PoisonPercent {
		return nil
	}
	return fatalError{fmt.Errorf("stopping before %s partition %d offset %d: %d of %d records are malformed, so their writer has changed; upgrade the sink, or mend the writer and skip its records: %w",
		b.partition.topic, b.partition.id, b.span.first, len(letters), len(b.records), letters[0].err)}
}

// read turns a block's records into rows, and says which are malformed.
func read(b block, into rows) ([]letter, error) {
	var letters []letter
	for _, r := range b.records {
		err := into.add(r)
		switch {
		case err == nil:
		case !errors.Is(err, schemas.ErrMalformed):
			return nil, fmt.Errorf("decoding %s partition %d offset %d: %w", r.Topic, r.Partition, r.Offset, err)
		default:
			reason := reasonDecode
			if _, ok := errors.AsType[invalidError](err); ok {
				reason = reasonValidate
			}
			letters = append(letters, letter{record: r, reason: reason, err: err})
		}
	}
	return letters, nil
}

// invalidError is what a whole record is refused for.
type invalidError struct{ err error }

func (e invalidError) Error() string { return "checking the record: " + e.err.Error() }
func (e invalidError) Unwrap() error { return e.err }
