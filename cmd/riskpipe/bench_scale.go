package main

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/schemas"
)

// spread normalises and scores the same load with more and more partitions.
func (b *bench) spread(ctx context.Context) error {
	for _, partitions := range []int{1, 4, 16, 64} {
		if err := b.spreadOver(ctx, partitions); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) spreadOver(ctx context.Context, partitions int) error {
	room, load, err := b.loaded(ctx, partitions)
	if err != nil {
		return err
	}
	defer room.close()
	if _, err := b.measure(ctx, fmt.Sprintf("normalise, %d partitions", partitions), func(ctx context.Context) (int64, error) {
		return room.normalise(ctx, load.records)
	}); err != nil {
		return err
	}
	_, err = b.measure(ctx, fmt.Sprintf("score, %d partitions", partitions), room.score)
	return err
}

// users scores as many events of more and more people.
func (b *bench) users(ctx context.Context) error {
	events, err := b.baseEvents(ctx)
	if err != nil {
		return err
	}
	for _, copies := range []int{1, 10, 100, 1000} {
		if err := b.scoreCopies(ctx, events, copies); err != nil {
			return err
		}
	}
	return nil
}

// baseEvents are the events of one company.
func (b *bench) baseEvents(ctx context.Context) ([]schemas.Event, error) {
	room, load, err := b.loaded(ctx, b.options.partitions)
	if err != nil {
		return nil, err
	}
	defer room.close()
	total, err := room.normalise(ctx, load.records)
	if err != nil {
		return nil, err
	}
	codecs, err := room.config.codecs(ctx)
	if err != nil {
		return nil, err
	}
	events := make([]schemas.Event, 0, total)
	err = room.read(ctx, total, func(r *kgo.Record) error {
		var e schemas.Event
		err := codecs.events.Decode(r.Value, &e)
		events = append(events, e)
		return err
	}, room.config.Topics.names().Events())
	return events, err
}

// scoreCopies scores events of so many companies like the one given: at least as
// many as that has, and two of each person's.
func (b *bench) scoreCopies(ctx context.Context, events []schemas.Event, copies int) error {
	room, err := b.servers.room(ctx, b.options.partitions)
	if err != nil {
		return err
	}
	defer room.close()
	users := b.options.users * copies
	if err := room.publishCopies(ctx, events, copies, max(len(events), 2*users)); err != nil {
		return err
	}
	stage, err := b.measure(ctx, fmt.Sprintf("score, %d users", users), room.score)
	if err != nil {
		return err
	}
	usage, err := room.redis.Usage(ctx)
	if err != nil {
		return err
	}
	b.report.Users = append(b.report.Users, benchUsers{Stage: stage.Name, Users: usage.States, StateBytes: float64(usage.Bytes) / float64(max(usage.States, 1))})
	return nil
}

// publishCopies writes total events, each base event for some of the copies.
func (r *benchRoom) publishCopies(ctx context.Context, events []schemas.Event, copies, total int) error {
	codecs, err := r.config.codecs(ctx)
	if err != nil {
		return err
	}
	p, err := newPublisher(r.config)
	if err != nil {
		return err
	}
	defer p.close()
	const stride = 7919 // a prime, so that neighbours go to different copies
	for i := range total {
		e := events[i%len(events)]
		// No event is given to a copy twice: it would be a duplicate there.
		company := uint32((i%len(events)*stride + i/len(events)) % copies)
		if e.User != (schemas.Pseudonym{}) {
			relabel(e.User[:], company)
		}
		relabel(e.ID[:], company)
		value, err := codecs.events.Append(nil, &e)
		if err != nil {
			return err
		}
		record := &kgo.Record{Topic: r.config.Topics.names().Events(), Value: value}
		if e.User != (schemas.Pseudonym{}) {
			record.Key = []byte(e.User.String())
		}
		if err := p.produce(ctx, record); err != nil {
			return err
		}
	}
	return p.flush(ctx)
}

func relabel(id []byte, company uint32) {
	binary.BigEndian.PutUint32(id, binary.BigEndian.Uint32(id)^company)
}
