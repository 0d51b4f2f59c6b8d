package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/valyala/fastjson"

	"github.com/riskpipe/riskpipe/pipeline"
	"github.com/riskpipe/riskpipe/schemas"
)

// benchCeilings are the primitives, in CPU nanoseconds of this process an event.
type benchCeilings struct {
	consumeRaw, parse, encode, produce, consume, decode, store, insert float64
}

// primitiveTime is how much CPU time the repeatable primitives are given.
const primitiveTime = time.Second

// ceilings measures the primitives on the records that the stages worked through.
func (b *bench) ceilings(ctx context.Context, room *benchRoom, load benchLoad, events int64) (*benchCeilings, error) {
	fmt.Fprintln(b.talk, "measuring ceilings")
	c := &benchCeilings{}
	topics := room.config.Topics.names()
	raw := make([]string, 0, 5)
	for _, source := range schemas.Sources() {
		raw = append(raw, topics.Raw(source))
	}
	perEvent := float64(load.records) / float64(events)

	_, cost, err := b.consume(ctx, room, load.records, raw...)
	if err != nil {
		return nil, err
	}
	c.consumeRaw = b.primitive("consume raw records", "event", cost*perEvent)

	var parser fastjson.Parser
	cost, err = repeated(len(load.sample), func() error {
		for _, r := range load.sample {
			_, _ = parser.ParseBytes(r.Value) // HR records are CSV, which is found out at once
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	c.parse = b.primitive("parse JSON", "event", cost*perEvent)

	records, cost, err := b.consume(ctx, room, events, topics.Events())
	if err != nil {
		return nil, err
	}
	c.consume = b.primitive("consume events", "event", cost)
	if err := b.avro(ctx, room, records, c); err != nil {
		return nil, err
	}
	if err := b.produced(ctx, room, records, c); err != nil {
		return nil, err
	}
	if err := b.stored(ctx, room, records, events, c); err != nil {
		return nil, err
	}
	return c, b.inserted(ctx, room, c)
}

// primitive adds a primitive to the report and returns its cost.
func (b *bench) primitive(name, unit string, nanoseconds float64) float64 {
	b.report.Primitives = append(b.report.Primitives, benchPrimitive{name, unit, nanoseconds, 1e9 / nanoseconds})
	return nanoseconds
}

// repeated runs f, which does n units of work, for some time, and returns the CPU
// nanoseconds of one unit.
func repeated(n int, f func() error) (float64, error) {
	start, err := cpuTime()
	if err != nil {
		return 0, err
	}
	for done := 0; ; {
		if err := f(); err != nil {
			return 0, err
		}
		done += n
		now, err := cpuTime()
		if err != nil {
			return 0, err
		}
		if now-start >= primitiveTime {
			return float64((now - start).Nanoseconds()) / float64(done), nil
		}
	}
}

// consume reads so many records and returns some of them, and the cost of one.
func (b *bench) consume(ctx context.Context, room *benchRoom, total int64, topics ...string) ([]*kgo.Record, float64, error) {
	var some []*kgo.Record
	start, err := cpuTime()
	if err != nil {
		return nil, 0, err
	}
	if err := room.read(ctx, total, func(r *kgo.Record) error {
		if len(some) < 20_000 {
			some = append(some, r)
		}
		return nil
	}, topics...); err != nil {
		return nil, 0, err
	}
	end, err := cpuTime()
	return some, float64((end - start).Nanoseconds()) / float64(total), err
}

func (b *bench) avro(ctx context.Context, room *benchRoom, records []*kgo.Record, c *benchCeilings) error {
	codecs, err := room.config.codecs(ctx)
	if err != nil {
		return err
	}
	var event schemas.Event
	if c.decode, err = repeated(len(records), func() error {
		for _, r := range records {
			if err := codecs.events.Decode(r.Value, &event); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	b.primitive("decode Avro", "event", c.decode)
	events := make([]schemas.Event, len(records))
	for i, r := range records {
		if err := codecs.events.Decode(r.Value, &events[i]); err != nil {
			return err
		}
	}
	var buf []byte
	if c.encode, err = repeated(len(events), func() error {
		buf = buf[:0]
		for i := range events {
			if buf, err = codecs.events.Append(buf, &events[i]); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	b.primitive("encode Avro", "event", c.encode)
	return nil
}

// produced writes the records to a topic of their own.
func (b *bench) produced(ctx context.Context, room *benchRoom, records []*kgo.Record, c *benchCeilings) error {
	topic := room.config.Topics.Prefix + "ceiling"
	if _, err := room.admin.CreateTopic(ctx, int32(room.config.Topics.Partitions), 1, nil, topic); err != nil {
		return fmt.Errorf("making a topic: %w", err)
	}
	client, err := room.config.Kafka.connect(kgo.ProducerBatchCompression(kgo.SnappyCompression()))
	if err != nil {
		return err
	}
	defer client.Close()
	cost, err := repeated(len(records), func() error {
		for _, r := range records {
			client.Produce(ctx, &kgo.Record{Topic: topic, Key: r.Key, Value: r.Value}, nil)
		}
		return client.Flush(ctx)
	})
	c.produce = b.primitive("produce events", "event", cost)
	return err
}

// stored makes the transactions of the states that batches of events change.
func (b *bench) stored(ctx context.Context, room *benchRoom, records []*kgo.Record, events int64, c *benchCeilings) error {
	batch := records[:min(len(records), room.config.Score.BatchRecords)]
	distinct := map[string]bool{}
	for _, r := range batch {
		distinct[string(r.Key)] = true
	}
	store := room.redis.States("ceiling")
	fence, err := store.Claim(ctx, 0, func(current pipeline.Fence, _ bool) (pipeline.Fence, error) { return current, nil })
	if err != nil {
		return err
	}
	states := make([]pipeline.UserState, len(distinct))
	for i := range states {
		binary.BigEndian.PutUint64(states[i].User[:], uint64(i+1))
		states[i].State = make([]byte, max(int(b.report.StateBytes), 1))
		if _, err := rand.Read(states[i].State); err != nil {
			return err
		}
	}
	from := fence.String()
	cost, err := repeated(len(states), func() error {
		fence.Next++
		to := fence.String()
		err := store.Commit(ctx, 0, from, to, states)
		from = to
		return err
	})
	if err != nil {
		return err
	}
	b.primitive("store in Redis", "state", cost)
	c.store = cost * float64(len(distinct)) / float64(len(batch))
	return nil
}

// insertedRows is a block such as the sink writes.
const insertedRows = 50_000

// inserted writes full columns to a table of fifteen.
func (b *bench) inserted(ctx context.Context, room *benchRoom, c *benchCeilings) error {
	if err := room.conn.Exec(ctx, query("bench_table")); err != nil {
		return fmt.Errorf("making a table: %w", err)
	}
	texts, numbers, times := make([]string, insertedRows), make([]int64, insertedRows), make([]time.Time, insertedRows)
	now := time.Now()
	for i := range insertedRows {
		texts[i] = fmt.Sprintf("value-%d", i%1000)
		numbers[i], times[i] = int64(i)*7919, now.Add(time.Duration(i)*time.Millisecond)
	}
	cost, err := repeated(insertedRows, func() error {
		batch, err := room.conn.PrepareBatch(ctx, "INSERT INTO ceiling")
		if err != nil {
			return err
		}
		for i := range 15 {
			switch {
			case i == 0:
				err = batch.Column(i).Append(times)
			case i < 8:
				err = batch.Column(i).Append(texts)
			default:
				err = batch.Column(i).Append(numbers)
			}
			if err != nil {
				return err
			}
		}
		return batch.Send()
	})
	if err != nil {
		return fmt.Errorf("inserting: %w", err)
	}
	c.insert = b.primitive("insert columns into ClickHouse", "row", cost)
	return nil
}
