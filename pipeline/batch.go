package pipeline

import (
	"context"

	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
)

// Mapper maps one raw record; *normalise.Mapper is the one. It must be pure but
// for buffers, and is used by one goroutine at a time.
type Mapper interface {
	Map(source schemas.Source, raw normalise.Raw, out *normalise.Result)
}

// Batch is what raw records came to, in their order.
type Batch struct {
	// Events have their users; their wire part is ready for the events topic, and
	// what else they hold is what it was made of: names and personal evidence. One
	// that completes an earlier event has only its wire part.
	Events []*normalise.Event
	// Links are names that records taught without being events.
	Links []Link
	// Rejected are the raw records of which at least one part could not be
	// normalised.
	Rejected []RejectedRecord
	// Skips counts sound records that gave no event, by reason.
	Skips map[string]int
	// OutOfScope counts events of people who are out of scope, by reason. They
	// are nowhere else in the batch.
	OutOfScope map[ScopeReason]int
	// Records counts upstream records: an envelope holds many.
	Records int
	// Unresolved counts events of people whose UPN is not known.
	Unresolved int
	// Conflicts counts names that were taught for one user and belong to
	// another already.
	Conflicts int

	made []provenance // of the events
}

// provenance is what an event was made of: nothing for one that completes an earlier
// one.
type provenance struct {
	actor    *knownActor
	evidence []byte // what is to be sealed, encoded; valid until the next batch
}

// Link is a set of names of one user.
type Link struct {
	User     schemas.Pseudonym
	Actor    normalise.Actor
	Observed schemas.Time // when the raw record reached Kafka
}

// RejectedRecord is a raw record with parts that could not be normalised.
type RejectedRecord struct {
	Record  int // index into the raw records of the batch
	Records int // how many upstream records it held
	Rejects []normalise.Reject
}

// mostlyRejected tells that the record as a whole is no good.
func (r RejectedRecord) mostlyRejected() bool { return 2*len(r.Rejects) > r.Records }

func (b *Batch) reset() {
	clear(b.Events)
	clear(b.made)
	clear(b.Links)
	clear(b.Rejected)
	clear(b.Skips)
	clear(b.OutOfScope)
	*b = Batch{
		Events: b.Events[:0], made: b.made[:0], Links: b.Links[:0], Rejected: b.Rejected[:0], Skips: b.Skips, OutOfScope: b.OutOfScope,
	}
	if b.Skips == nil {
		b.Skips, b.OutOfScope = map[string]int{}, map[ScopeReason]int{}
	}
}

func (b *Batch) add(e *normalise.Event, of provenance) {
	b.Events, b.made = append(b.Events, e), append(b.made, of)
}

// BatchNormaliser turns raw records into events: the mapping, then whose they
// are. The services and replay run this same code. It is not safe for
// concurrent use; the resolver behind it is shared.
type BatchNormaliser struct {
	mapper     Mapper
	resolution resolution
	result     normalise.Result
	steps      []step
	sealing    bool   // evidence will be sealed
	evidence   []byte // of the batch
}

// step is one fact of the batch in the order in which facts take effect. One of
// the three is set.
type step struct {
	event      *normalise.Event
	link       *normalise.Actor
	finding    *normalise.Finding
	raw        normalise.Raw // without its value
	provenance               // without an actor for findings
}

// NewBatchNormaliser returns a normaliser over a mapper of its own and a
// resolver that it may share.
func NewBatchNormaliser(mapper Mapper, resolver *Resolver) *BatchNormaliser {
	return &BatchNormaliser{mapper: mapper, resolution: resolution{resolver: resolver, known: map[schemas.Pseudonym]schemas.Pseudonym{}}}
}

// Process normalises records that follow one another on one partition into out,
// whose earlier content is dropped. An error means that names could not be read
// or stored; nothing is lost by doing it again.
func (b *BatchNormaliser) Process(ctx context.Context, source schemas.Source, raws []normalise.Raw, out *Batch) error {
	out.reset()
	clear(b.steps)
	b.steps, b.evidence = b.steps[:0], b.evidence[:0]
	for i := range raws {
		b.mapper.Map(source, raws[i], &b.result)
		out.Records += b.result.Records
		for _, skip := range b.result.Skips {
			out.Skips[skip.Reason]++
		}
		if len(b.result.Rejects) > 0 {
			out.Rejected = append(out.Rejected, RejectedRecord{
				Record: i, Records: b.result.Records, Rejects: append([]normalise.Reject(nil), b.result.Rejects...),
			})
		}
		b.collect(raws[i])
	}
	return b.resolution.resolve(ctx, b.steps, out)
}

// collect copies the facts of the last result: names before findings before
// events, so that a record which teaches a name and uses it gains by it.
func (b *BatchNormaliser) collect(raw normalise.Raw) {
	raw.Value = nil
	for _, link := range b.result.Links {
		b.steps = append(b.steps, step{link: &link, raw: raw})
	}
	for _, finding := range b.result.Findings {
		b.steps = append(b.steps, step{finding: &finding, raw: raw})
	}
	for _, event := range b.result.Events {
		b.steps = append(b.steps, step{event: event, raw: raw, provenance: provenance{evidence: b.write(event)}})
	}
}

// write writes what is to be sealed of an event while its record is in the processor's
// cache: later, half of the time is waiting for memory.
func (b *BatchNormaliser) write(e *normalise.Event) []byte {
	if !b.sealing {
		return nil
	}
	start := len(b.evidence)
	b.evidence = e.Clear.Append(b.evidence)
	return b.evidence[start:len(b.evidence):len(b.evidence)]
}
