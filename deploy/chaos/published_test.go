package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/pipeline"
	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

// published is what the services have written to the topics.
type published struct {
	said
	events     map[int32][]*kgo.Record
	sealed     int // copies of events whose evidence was opened
	alerts     ledger
	risks      ledger
	latest     ledger // the newest change of risk of each user in the topic
	letters    ledger
	identities map[int32][]*kgo.Record
	keys       map[int32][]*kgo.Record
	repeated   map[string]int // records that say again what was said, by topic
	again      ledger         // what was said again: permitted, or how it differs
}

// read reads the topics.
func (in *installation) read(ctx context.Context, c codecs) (*published, error) {
	p := &published{
		said: newSaid(), alerts: ledger{}, risks: ledger{}, latest: ledger{}, letters: ledger{}, repeated: map[string]int{}, again: ledger{},
	}
	for _, read := range []func(context.Context, *installation, codecs) error{p.readKeys, p.readEvents, p.readAlerts, p.readRisks, p.readLetters} {
		if err := read(ctx, in, c); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *published) readKeys(ctx context.Context, in *installation, _ codecs) (err error) {
	if p.keys, err = in.kafka.records(ctx, in.topics.EvidenceKeys()); err != nil {
		return err
	}
	p.identities, err = in.kafka.records(ctx, in.topics.Identities())
	return err
}

func (p *published) readEvents(ctx context.Context, in *installation, c codecs) (err error) {
	if p.events, err = in.kafka.records(ctx, in.topics.Events()); err != nil {
		return err
	}
	keys := map[string]*schemas.EvidenceKey{}
	for _, r := range inOrder(p.keys) {
		var key schemas.EvidenceKey
		if err := c.keys.Decode(r.Value, &key); err != nil {
			return err
		}
		keys[key.ID] = &key
	}
	ring, err := vault.NewKeyring(in.private)
	if err != nil {
		return err
	}
	opener := vault.NewEvidenceOpener(ring)
	for _, r := range inOrder(p.events) {
		var e schemas.Event
		if err := c.events.Decode(r.Value, &e); err != nil {
			return fmt.Errorf("event in partition %d at offset %d: %w", r.Partition, r.Offset, err)
		}
		if p.contents[e.ID] != nil || p.joined[e.ID] != nil {
			p.repeated[in.topics.Events()]++
		}
		evidence := ""
		if e.EvidenceKey != "" {
			key := keys[e.EvidenceKey]
			if key == nil {
				return fmt.Errorf("event %s is sealed with data key %s, which the vault was never told", e.ID, e.EvidenceKey)
			}
			opened, err := opener.Open(ctx, key, e.User, e.ID, e.Evidence)
			if err != nil {
				return err
			}
			if evidence, err = clearOf(opened); err != nil {
				return fmt.Errorf("event %s: %w", e.ID, err)
			}
			p.sealed++
		}
		if err := p.add(&e, evidence, c); err != nil {
			return err
		}
	}
	return nil
}

func (p *published) readAlerts(ctx context.Context, in *installation, c codecs) error {
	records, err := in.kafka.records(ctx, in.topics.Alerts())
	if err != nil {
		return err
	}
	for _, r := range inOrder(records) {
		var a schemas.Alert
		if err := c.alerts.Decode(r.Value, &a); err != nil {
			return err
		}
		p.say(p.alerts, r, alertName(&a), tellOf(c.alerts))
	}
	return nil
}

func (p *published) readRisks(ctx context.Context, in *installation, c codecs) error {
	records, err := in.kafka.records(ctx, in.topics.Risk())
	if err != nil {
		return err
	}
	newest := map[schemas.Pseudonym]schemas.Risk{}
	for _, r := range inOrder(records) {
		var risk schemas.Risk
		if err := c.risks.Decode(r.Value, &risk); err != nil {
			return err
		}
		p.say(p.risks, r, riskName(&risk), tellOf(c.risks))
		if known, ok := newest[risk.User]; ok && known.Newer(&risk) {
			continue // written late by a scorer that had lost the partition
		}
		newest[risk.User] = risk
		p.latest[risk.User.String()] = string(r.Value)
	}
	return nil
}

func (p *published) readLetters(ctx context.Context, in *installation, _ codecs) error {
	for _, topic := range append(in.rawTopics(), in.topics.Events()) {
		records, err := in.kafka.records(ctx, in.topics.DeadLetter(topic))
		if err != nil {
			return err
		}
		for _, r := range inOrder(records) {
			headers := map[string]string{}
			for _, h := range r.Headers {
				headers[h.Key] = string(h.Value)
			}
			partition, err := strconv.ParseInt(headers[pipeline.HeaderPartition], 10, 32)
			if err != nil {
				return fmt.Errorf("dead letter of %s: %w", topic, err)
			}
			offset, err := strconv.ParseInt(headers[pipeline.HeaderOffset], 10, 64)
			if err != nil {
				return fmt.Errorf("dead letter of %s: %w", topic, err)
			}
			p.say(p.letters, r, letterName(headers[pipeline.HeaderTopic], int32(partition), offset), nil)
		}
	}
	return nil
}

// say takes a fact in. What repeats must repeat byte for byte.
func (p *published) say(to ledger, r *kgo.Record, name string, tell func(string) string) {
	fact := string(r.Value)
	before, said := to[name]
	if said {
		p.repeated[r.Topic]++
		if p.again[name] == "" {
			p.again[name] = permitted
		}
	}
	if said && before != fact {
		both := aspect{tell: tell}
		p.again[name] = fmt.Sprintf("in partition %d at offset %d, %s", r.Partition, r.Offset, both.contrast(before, fact))
	}
	to[name] = fact
}

// tellOf shows an encoded record as JSON.
func tellOf[T schemas.Record](codec *schemas.Codec[T]) func(string) string {
	return func(encoded string) string {
		var v T
		if err := codec.Decode([]byte(encoded), &v); err != nil {
			return fmt.Sprintf("%q", encoded)
		}
		text, err := json.Marshal(&v)
		if err != nil {
			return fmt.Sprintf("%q", encoded)
		}
		return string(text)
	}
}
