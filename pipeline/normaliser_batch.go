package pipeline

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
)

// workspace is what one batch is normalised with. It is not safe for concurrent use.
type workspace struct {
	service *Normaliser
	batch   *BatchNormaliser
	sealer  *evidenceSealer // nil without sealing
	out     Batch
	raws    []normalise.Raw
	encoded encoded
}

// encoded is memory for the events of a batch. Kafka's client has it until they are
// acknowledged.
type encoded struct {
	values, keys []byte
	records      []kgo.Record
	list         []*kgo.Record
}

func (n *Normaliser) newWorkspace() *workspace {
	w := &workspace{service: n, batch: NewBatchNormaliser(nil, n.deps.Resolver)}
	if n.deps.Sealing != nil {
		w.batch.sealing, w.sealer = true, newEvidenceSealer(n.deps.Topics, n.deps.Sealing.Keys, n.dataKeys.Sealer(), time.Now)
	}
	return w
}

// workspaces are those that no batch uses. The one used last goes out first: it is
// still in the processor's cache, and many partitions need no more of them than are
// worked on at once.
type workspaces struct {
	mu   sync.Mutex
	free []*workspace
}

// take returns a free workspace, nil when there is none.
func (w *workspaces) take() *workspace {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.free) == 0 {
		return nil
	}
	last := len(w.free) - 1
	taken := w.free[last]
	w.free = w.free[:last]
	return taken
}

func (w *workspaces) put(back *workspace) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.free = append(w.free, back)
}

// normalise does one batch of a partition, whose mapper it is: that remembers the
// partition's CSV header.
func (n *Normaliser) normalise(ctx context.Context, mapper Mapper, records []*kgo.Record) error {
	w := n.workspaces.take()
	if w == nil {
		w = n.newWorkspace()
	}
	w.batch.mapper = mapper
	if err := w.normalise(ctx, records); err != nil {
		return err // and the workspace goes: some of what lies in it may be on its way
	}
	n.workspaces.put(w)
	return nil
}

// normalise does one batch: what is sealed, then events, then dead letters are acknowledged when it returns
// nil, and otherwise it is done again as a whole; the ids are the same then.
func (w *workspace) normalise(ctx context.Context, records []*kgo.Record) error {
	n := w.service
	n.notices.tell()
	// A shutdown lets the batch finish.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), n.config.BatchTimeout)
	defer cancel()
	w.raws = w.raws[:0]
	for _, r := range records {
		w.raws = append(w.raws, normalise.Raw{
			Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Time: schemas.TimeOf(r.Timestamp), Value: r.Value,
		})
	}
	if err := w.batch.Process(ctx, n.config.Source, w.raws, &w.out); err != nil {
		return err
	}
	bad := 0
	for _, rejected := range w.out.Rejected {
		if rejected.mostlyRejected() {
			bad++
		}
	}
	if err := n.breaker.count(len(records), bad); err != nil {
		return err
	}
	if err := w.seal(ctx); err != nil {
		return err
	}
	events, letters := w.encode(records)
	if err := n.produce(ctx, events); err != nil {
		return err
	}
	if err := n.letters.write(ctx, letters); err != nil {
		return err
	}
	w.count(len(events), letters)
	return nil
}

// seal seals the evidence and the identities of the batch and writes what opens
// them: nobody shall meet an event whose evidence or user cannot be looked up.
func (w *workspace) seal(ctx context.Context) error {
	if w.sealer == nil {
		return nil
	}
	n := w.service
	key, err := w.sealer.seal(&w.out)
	if err != nil {
		return err
	}
	if key != nil {
		if err := n.produce(ctx, []*kgo.Record{key}); err != nil {
			return err
		}
		w.sealer.confirm()
		n.metrics.dataKeys.Inc()
	}
	told, err := n.escrow.tell(ctx, &w.out, n.produce)
	n.metrics.identities.Add(float64(told))
	return err
}

// plainSize is how large an event is without its evidence, in bytes, roughly.
const plainSize = 384

// encode makes Kafka records of the events, and dead letters of what was
// rejected. An event that the schema does not allow is a bug in the mapping: its
// record becomes a dead letter rather than a crash at every start.
func (w *workspace) encode(records []*kgo.Record) ([]*kgo.Record, []deadLetter) {
	n := w.service
	topic := n.deps.Topics.Events()
	b := &w.encoded
	size := 0
	for _, e := range w.out.Events {
		size += len(e.Evidence) + plainSize
	}
	b.values, b.keys, b.list = slices.Grow(b.values[:0], size), b.keys[:0], b.list[:0]
	b.records = slices.Grow(b.records[:0], len(w.out.Events))
	for _, e := range w.out.Events {
		start := len(b.values)
		longer, err := n.deps.Events.Append(b.values, &e.Event)
		if err != nil {
			cause, _, _ := strings.Cut(err.Error(), `"`) // it quotes the value, which may be the payload's
			w.out.reject(e.Origin, records, cause)
			continue
		}
		b.values = longer
		record := kgo.Record{Topic: topic, Value: longer[start:len(longer):len(longer)]}
		if e.User != (schemas.Pseudonym{}) {
			start := len(b.keys)
			b.keys, _ = e.User.AppendText(b.keys) // never fails
			record.Key = b.keys[start:len(b.keys):len(b.keys)]
		}
		b.records = append(b.records, record)
		b.list = append(b.list, &b.records[len(b.records)-1])
	}
	letters := make([]deadLetter, 0, len(w.out.Rejected))
	for _, rejected := range w.out.Rejected {
		letters = append(letters, rejectedLetter(records[rejected.Record], rejected.Rejects))
	}
	return b.list, letters
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

func (w *workspace) count(events int, letters []deadLetter) {
	m := w.service.metrics
	m.events.Add(float64(events))
	m.letters.Add(float64(len(letters)))
	m.upstream.Add(float64(w.out.Records))
	m.unresolved.Add(float64(w.out.Unresolved))
	m.conflicts.Add(float64(w.out.Conflicts))
	for reason, count := range w.out.Skips {
		m.skips.WithLabelValues(reason).Add(float64(count))
	}
	for reason, count := range w.out.OutOfScope {
		m.outOfScope.WithLabelValues(string(reason)).Add(float64(count))
	}
	for _, rejected := range w.out.Rejected {
		for _, reject := range rejected.Rejects {
			m.rejects.WithLabelValues(reject.Reason).Inc()
		}
	}
	if len(letters) > 0 {
		first := letters[0]
		w.service.deps.Log.Warn("records rejected", "count", len(letters), "topic", first.record.Topic,
			"partition", first.record.Partition, "first_offset", first.record.Offset, "first_reason", first.reason)
	}
}
