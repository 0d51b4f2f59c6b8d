package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

// auditPatience is how long Kafka may take over one request about the audit trail.
const auditPatience = 30 * time.Second

// newAuditCodec returns the codec of the topic audit. It asks no schema registry:
// what the trail says must not depend on what a registry says.
func newAuditCodec() (*schemas.Codec[schemas.Audit], error) {
	return schemas.NewCodec[schemas.Audit](schemas.AuditSchema)
}

// ReadAudit adds all that the topic audit holds to the copy, which tells of records
// that cannot be read. The error is that of Kafka.
func ReadAudit(ctx context.Context, cluster []kgo.Opt, topics schemas.Topics, into *vault.AuditCopy) error {
	return readAudit(ctx, cluster, topics.Audit(), addTo(into))
}

// addTo adds what is visited to the copy.
func addTo(into *vault.AuditCopy) func(*kgo.Record, *schemas.Audit, error) {
	return func(raw *kgo.Record, record *schemas.Audit, err error) {
		if err != nil {
			into.AddUnreadable(string(raw.Key), 0, err.Error())
			return
		}
		into.Add(*record)
	}
}

// LastAudit returns the newest record of the topic audit with the action, nil when
// there is none. It does not verify it.
func LastAudit(ctx context.Context, cluster []kgo.Opt, topics schemas.Topics, action string) (*schemas.Audit, error) {
	var last *schemas.Audit
	err := readAudit(ctx, cluster, topics.Audit(), func(_ *kgo.Record, record *schemas.Audit, err error) {
		if err == nil && record.Action == action {
			found := *record
			last = &found
		}
	})
	return last, err
}

// readAudit visits what the topic held when it was called, in order. visit gets the
// record, or why it is none.
func readAudit(ctx context.Context, cluster []kgo.Opt, topic string, visit func(*kgo.Record, *schemas.Audit, error)) error {
	codec, err := newAuditCodec()
	if err != nil {
		return err
	}
	client, err := kgo.NewClient(append(slices.Clip(cluster), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
	if err != nil {
		return fmt.Errorf("opening Kafka: %w", err)
	}
	defer client.Close()
	left, err := topicSpans(ctx, client, topic, time.Time{})
	if err != nil {
		return err
	}
	for len(left) > 0 {
		fetches, err := pollAudit(ctx, client)
		if err != nil {
			return fmt.Errorf("reading topic %s: %w", topic, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			span, reading := left[r.Partition]
			if !reading {
				return // it came after
			}
			var record schemas.Audit
			visit(r, &record, decodeAudit(codec, r, &record))
			if r.Offset >= span.end-1 {
				delete(left, r.Partition)
			}
		})
	}
	return nil
}

// pollAudit waits for records, but not for ever: a client says nothing while its
// broker is away.
func pollAudit(ctx context.Context, client *kgo.Client) (kgo.Fetches, error) {
	ctx, cancel := context.WithTimeout(ctx, auditPatience)
	defer cancel()
	fetches := client.PollFetches(ctx)
	return fetches, fetches.Err()
}

// decodeAudit reads a record that is as it was written, byte by byte: Avro can
// spell numbers in more than one way.
func decodeAudit(codec *schemas.Codec[schemas.Audit], r *kgo.Record, record *schemas.Audit) error {
	if err := codec.Decode(r.Value, record); err != nil {
		return err
	}
	if record.Writer != string(r.Key) {
		return fmt.Errorf("its key is not its writer %q", record.Writer)
	}
	again, err := codec.Append(nil, record)
	if err != nil {
		return err
	}
	const header = 10 // names the schema; another one is that of another release
	if bytes.Equal(r.Value[:header], again[:header]) && !bytes.Equal(r.Value, again) {
		return errors.New("its bytes are not as they were written")
	}
	return nil
}
