package main

import (
	"context"
	"iter"
	"time"

	"github.com/riskpipe/riskpipe/deploy/tenant"
	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
)

// benchLoad is what was published, and some of its records for the ceilings.
type benchLoad struct {
	records, bytes int64
	sample         []tenant.Record
}

// sampleRecords is how many records are kept, enough for caches not to know them all.
const sampleRecords = 5000

// recordsPerDay is what a person's systems publish on a working day, more or less; see
// tenant.Options.
const recordsPerDay = 15

// company invents an organisation with at least so many records.
func (o benchOptions) company(records int) (*tenant.Tenant, error) {
	days := max(records/(recordsPerDay*o.users)*7/5+7, 14)
	company, err := tenant.New(tenant.Options{
		Seed: o.seed, Users: o.users, Days: days,
		Start: time.Now().UTC().AddDate(0, 0, -days-3), // tables forget old rows
	})
	if err != nil {
		return nil, &exitError{exitRejects, err}
	}
	return company, nil
}

// loaded makes a room with a load in it.
func (b *bench) loaded(ctx context.Context, partitions int) (*benchRoom, benchLoad, error) {
	room, err := b.servers.room(ctx, partitions)
	if err != nil {
		return nil, benchLoad{}, err
	}
	load, err := b.load(ctx, room)
	if err != nil {
		room.close()
		return nil, benchLoad{}, err
	}
	return room, load, nil
}

// load publishes raw records that make about as many events as were asked for.
func (b *bench) load(ctx context.Context, room *benchRoom) (benchLoad, error) {
	var load benchLoad
	company, err := b.options.company(b.options.events)
	if err != nil {
		return load, err
	}
	room.config.Normalise.InternalDomains = []string{company.Domain()}
	p, err := newPublisher(room.config)
	if err != nil {
		return load, err
	}
	defer p.close()
	bar := newProgress(b.talk, "publishing", "events", int64(b.options.events))
	defer bar.done()
	count := room.eventCounter()
	events := 0
	for r := range company.Records() {
		if events >= b.options.events {
			break
		}
		if err := p.publish(ctx, r, r.Time.UTC()); err != nil {
			return load, err
		}
		n := count(r)
		events += n
		bar.add(int64(n))
		load.records++
		load.bytes += int64(len(r.Value))
		if load.records%int64(max(1, b.options.events/sampleRecords/2)) == 0 && len(load.sample) < sampleRecords {
			load.sample = append(load.sample, r)
		}
	}
	return load, p.flush(ctx)
}

// eventCounter returns a function that tells how many events a record makes.
func (r *benchRoom) eventCounter() func(tenant.Record) int {
	mapper := normalise.New(r.config.Normalise.options(func(string, string) schemas.Hash { return 0 }))
	var result normalise.Result
	return func(record tenant.Record) int {
		mapper.Map(record.Source, normalise.Raw{Time: record.Time, Value: record.Value}, &result)
		return len(result.Events)
	}
}

// paced yields the records at a rate of events, from the first one on.
func paced(ctx context.Context, records iter.Seq[tenant.Record], count func(tenant.Record) int, rate int, duration time.Duration) iter.Seq[tenant.Record] {
	return func(yield func(tenant.Record) bool) {
		var start time.Time
		events := 0
		for r := range records {
			if start.IsZero() {
				start = time.Now()
			}
			due := start.Add(time.Duration(float64(events) / float64(rate) * float64(time.Second)))
			if due.Sub(start) > duration || ctx.Err() != nil {
				return
			}
			if wait := time.Until(due); wait > time.Millisecond {
				time.Sleep(wait)
			}
			events += count(r)
			if !yield(r) {
				return
			}
		}
	}
}
