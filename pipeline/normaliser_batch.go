package pipeline

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
)

// workspace is what one batch at a time is normalised in. It is not safe for concurrent use.
type workspace struct {
	batch  *BatchNormaliser
	sealer *evidenceSealer // nil without sealing
	raws   []normalise.Raw
}

func (n *Normaliser) newWorkspace() *workspace {
	w := &workspace{batch: NewBatchNormaliser(nil, n.deps.Resolver)}
	if n.deps.Sealing != nil {
		w.batch.sealing, w.sealer = true, newEvidenceSealer(n.deps.Topics, n.deps.Sealing.Keys, n.dataKeys.Sealer(), time.Now)
	}
	return w
}

// outcome is what came of one batch, and memory for its events, which Kafka's client
// has until they are acknowledged.
type outcome struct {
	batch        Batch
	values, keys []byte
	records      []kgo.Record
	events       []*kgo.Record
	letters      []deadLetter
}

// outcomes are those that no batch uses. The one used last goes out first: it is still
// in the processor's cache.
type outcomes struct {
	mu   sync.Mutex
	free []*outcome
}

func (o *outcomes) take() *outcome {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.free) == 0 {
		return &outcome{}
	}
	last := len(o.free) - 1
	taken := o.free[last]
	o.free = o.free[:last]
	return taken
}

func (o *outcomes) put(back *outcome) {
	back.batch.reset() // its events hold on to the raw records
	clear(back.letters)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.free = append(o.free, back)
}

// normalise does one batch of a partition, whose mapper it is: that remembers the
// partition's CSV header. What is sealed, then events, then dead letters are acknowledged when it returns
// nil, and otherwise it is done again as a whole; the ids are the same then.
func (n *Normaliser) normalise(ctx context.Context, mapper Mapper, records []*kgo.Record) error {
	n.notices.tell()
	// A shutdown lets the batch finish.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), n.config.BatchTimeout)
	defer cancel()
	out := n.outcomes.take()
	if err := n.work(ctx, mapper, records, out); err != nil {
		return err
	}
	if err := n.produce(ctx, out.events); err != nil {
		return err // and its memory goes: some of what lies in it may be on its way
	}
	if err := n.letters.write(ctx, out.letters); err != nil {
		return err
	}
	n.count(out)
	n.outcomes.put(out)
	return nil
}

// work does of a batch what takes the processor's time. There are as many workspaces
// as processors: more batches at once would only push each other out of the caches.
func (n *Normaliser) work(ctx context.Context, mapper Mapper, records []*kgo.Record, out *outcome) error {
	var w *workspace
	select {
	case w = <-n.workspaces:
		defer func() { n.workspaces <- w }()
	case <-ctx.Done():
		return fmt.Errorf("waiting for other partitions to be normalised: %w", ctx.Err())
	}
	w.raws = w.raws[:0]
	for _, r := range records {
		w.raws = append(w.raws, normalise.Raw{
			Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Time: schemas.TimeOf(r.Timestamp), Value: r.Value,
		})
	}
	w.batch.mapper = mapper
	if err := w.batch.Process(ctx, n.config.Source, w.raws, &out.batch); err != nil {
		return err
	}
	bad := 0
	for _, rejected := range out.batch.Rejected {
		if rejected.mostlyRejected() {
			bad++
		}
	}
	if err := n.breaker.count(len(records), bad); err != nil {
		return err
	}
	if w.sealer != nil {
		if err := n.seal(ctx, w.sealer, &out.batch); err != nil {
			return err
		}
	}
	n.encode(records, out)
	return nil
}

// seal seals the evidence and the identities of the batch and writes what opens
// them: nobody shall meet an event whose evidence or user cannot be looked up.
func (n *Normaliser) seal(ctx context.Context, sealer *evidenceSealer, out *Batch) error {
	key, err := sealer.seal(out)
	if err != nil {
		return err
	}
	if key != nil {
		if err := n.produce(ctx, []*kgo.Record{key}); err != nil {
			return err
		}
		sealer.confirm()
		n.metrics.dataKeys.Inc()
	}
	told, err := n.escrow.tell(ctx, out, n.produce)
	n.metrics.identities.Add(float64(told))
	return err
}

// plainSize is how large an event is without its evidence, in bytes, roughly.
const plainSize = 384

// encode makes Kafka records of the events, and dead letters of what was
// rejected. An event that the schema does not allow is a bug in the mapping: its
// record becomes a dead letter rather than a crash at every start.
func (n *Normaliser) encode(records []*kgo.Record, out *outcome) {
	topic := n.deps.Topics.Events()
	size := 0
	for _, e := range out.batch.Events {
		size += len(e.Evidence) + plainSize
	}
	out.values, out.keys, out.events = slices.Grow(out.values[:0], size), out.keys[:0], out.events[:0]
	out.records = slices.Grow(out.records[:0], len(out.batch.Events))
	for _, e := range out.batch.Events {
		start := len(out.values)
		longer, err := n.deps.Events.Append(out.values, &e.Event)
		if err != nil {
			cause, _, _ := strings.Cut(err.Error(), `"`) // it quotes the value, which may be the payload's
			out.batch.reject(e.Origin, records, cause)
			continue
		}
		out.values = longer
		record := kgo.Record{Topic: topic, Value: longer[start:len(longer):len(longer)]}
		if e.User != (schemas.Pseudonym{}) {
			start := len(out.keys)
			out.keys, _ = e.User.AppendText(out.keys) // never fails
			record.Key = out.keys[start:len(out.keys):len(out.keys)]
		}
		out.records = append(out.records, record)
		out.events = append(out.events, &out.records[len(out.records)-1])
	}
	out.letters = out.letters[:0]
	for _, rejected := range out.batch.Rejected {
		out.letters = append(out.letters, rejectedLetter(records[rejected.Record], rejected.Rejects))
	}
}

// reject adds a reject for the record that the origin tells of.
func (b *Batch) reject(origin schemas.Origin, records []*kgo.Record, detail string) {
	reject := normalise.Reject{Index: int(origin.Index), Reason: ReasonUnencodable, Detail: detail}
	at := slices.IndexFunc(records, func(r *kgo.Record) bool { return r.Offset == origin.Offset })
	if at < 0 {
		return // completes evidence of an earlier batch, which was taken then
	}
	for i := range b.Rejected {
		if b.Rejected[i].Record == at {
			b.Rejected[i].Rejects = append(b.Rejected[i].Rejects, reject)
			return
		}
	}
	b.Rejected = append(b.Rejected, RejectedRecord{Record: at, Records: 1, Rejects: []normalise.Reject{reject}})
}

func (n *Normaliser) count(out *outcome) {
	m, batch := n.metrics, &out.batch
	m.events.Add(float64(len(out.events)))
	m.letters.Add(float64(len(out.letters)))
	m.upstream.Add(float64(batch.Records))
	m.unresolved.Add(float64(batch.Unresolved))
	m.conflicts.Add(float64(batch.Conflicts))
	for reason, count := range batch.Skips {
		m.skips.WithLabelValues(reason).Add(float64(count))
	}
	for reason, count := range batch.OutOfScope {
		m.outOfScope.WithLabelValues(string(reason)).Add(float64(count))
	}
	for _, rejected := range batch.Rejected {
		for _, reject := range rejected.Rejects {
			m.rejects.WithLabelValues(reject.Reason).Inc()
		}
	}
	if len(out.letters) > 0 {
		first := out.letters[0]
		n.deps.Log.Warn("records rejected", "count", len(out.letters), "topic", first.record.Topic,
			"partition", first.record.Partition, "first_offset", first.record.Offset, "first_reason", first.reason)
	}
}
