package pipeline

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

// auditProducer writes records of audit chains to the topic audit.
type auditProducer struct {
	client *kgo.Client
	codec  *schemas.Codec[schemas.Audit]
	topic  string
}

// newAuditProducer opens a producer whose writes are acknowledged by every replica
// that is in sync and whose retries do not double records.
func newAuditProducer(cluster []kgo.Opt, topic string) (*auditProducer, error) {
	codec, err := newAuditCodec()
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(append(slices.Clip(cluster),
		kgo.RequiredAcks(kgo.AllISRAcks()), // idempotent, too, which is the default
		kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)),
		kgo.ProducerLinger(0),
		// Whoever gives up on a record closes the client, or knows that a second copy
		// does no harm.
		kgo.AllowIdempotentProduceCancellation(),
	)...)
	if err != nil {
		return nil, fmt.Errorf("opening Kafka: %w", err)
	}
	return &auditProducer{client, codec, topic}, nil
}

// write returns once Kafka has the records, or after auditPatience.
func (p *auditProducer) write(ctx context.Context, records ...schemas.Audit) error {
	ctx, cancel := context.WithTimeout(ctx, auditPatience)
	defer cancel()
	encoded := make([]*kgo.Record, len(records))
	for i := range records {
		value, err := p.codec.Append(nil, &records[i])
		if err != nil {
			return err
		}
		encoded[i] = &kgo.Record{Topic: p.topic, Key: []byte(records[i].Writer), Value: value}
	}
	err := p.client.ProduceSync(ctx, encoded...).FirstErr()
	if errors.Is(err, kerr.UnknownTopicOrPartition) {
		return fmt.Errorf("writing topic %s: %w; make it with riskpipe topics --apply", p.topic, err)
	}
	if err != nil {
		return fmt.Errorf("writing topic %s: %w", p.topic, err)
	}
	return nil
}

// AuditTopic is the vault.AuditLog of a service without a file of its own: a chain
// on the topic audit, which begins when the service starts. It is safe for
// concurrent use.
//
// It has no key to sign checkpoints with: the vault's server pins such a chain, within
// an hour. Until then whoever can delete the end of a topic could cut it off.
type AuditTopic struct {
	producer *auditProducer
	writer   string

	mu      sync.Mutex
	last    schemas.Audit
	refuses error
}

// OpenAuditTopic begins a chain. Its writer is the name of the service, a slash and
// 16 hexadecimal digits that are drawn at random.
func OpenAuditTopic(cluster []kgo.Opt, topics schemas.Topics, service string) (*AuditTopic, error) {
	producer, err := newAuditProducer(cluster, topics.Audit())
	if err != nil {
		return nil, err
	}
	var instance [8]byte
	_, _ = rand.Read(instance[:]) // which never fails
	return &AuditTopic{producer: producer, writer: service + "/" + hex.EncodeToString(instance[:])}, nil
}

// Writer is the name of the chain.
func (t *AuditTopic) Writer() string { return t.writer }

// Append implements vault.AuditLog: it returns once Kafka has the entry, or an error
// after 30 s. After an error it takes no more entries, since nobody knows whether
// Kafka has that one; begin another chain.
func (t *AuditTopic) Append(ctx context.Context, entry vault.AuditEntry) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	record, err := vault.NextAudit(t.writer, &t.last, entry)
	if err := errors.Join(t.refuses, err); err != nil {
		return fmt.Errorf("recording %s: %w", entry.Action, err)
	}
	if err := t.producer.write(ctx, record); err != nil {
		t.refuses = vault.ErrAuditBroken
		return fmt.Errorf("recording %s, without which it is not done: %w", entry.Action, err)
	}
	t.last = record
	return nil
}

// Close ends the chain.
func (t *AuditTopic) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.refuses = vault.ErrAuditClosed
	t.producer.client.Close()
}
