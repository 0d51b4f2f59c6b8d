package pipeline

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/operators"
	"github.com/riskpipe/riskpipe/schemas"
)

// scoreBatch is a batch on its way: what it says, and what came of it.
type scoreBatch struct {
	events  []scoreEvent
	next    int64 // offset behind the last record
	records []*kgo.Record
	letters []deadLetter
	dirty   []schemas.Pseudonym
	buf     []byte

	watermark    schemas.Time
	dispositions map[string]int
	exclusions   map[string]int
	alerts       []alertTimes
	risks        int
}

// scoreEvent is a record and the event in it; dead when it was given up. An
// erasure has no event but its user and when it was ordered.
type scoreEvent struct {
	record  *kgo.Record
	event   schemas.Event
	dead    bool
	erasure bool
}

// alertTimes are when an alert's cause happened and when it reached Kafka.
type alertTimes struct{ event, observed schemas.Time }

// decode reads the records. Those that cannot be read or scored become dead
// letters.
func (w *scoreWorker) decode(records []*kgo.Record) (*scoreBatch, error) {
	// The last batch is done with: two megabytes a batch are not worth collecting.
	w.decoded = slices.Grow(w.decoded[:0], len(records))[:len(records)]
	b := &scoreBatch{
		events: w.decoded, next: records[len(records)-1].Offset + 1,
		watermark: w.fence.Watermark, dispositions: map[string]int{}, exclusions: map[string]int{},
	}
	for i, record := range records {
		e := &b.events[i]
		e.record, e.dead, e.erasure = record, false, false
		letter := deadLetter{record: record}
		if stack, poisoned := w.poison[record.Offset]; poisoned {
			letter.reason, letter.detail = ReasonUnscorable, stack
		} else if err := w.read(record, e); err != nil {
			if !errors.Is(err, schemas.ErrMalformed) {
				return nil, err // the registry cannot be asked now
			}
			letter.reason, letter.detail = ReasonUndecodable, err.Error()
		} else {
			continue
		}
		e.dead = true
		b.letters = append(b.letters, letter)
		b.dispositions["dead_letter"]++
	}
	return b, nil
}

// read makes an event of a record; one without a value is an erasure.
func (w *scoreWorker) read(record *kgo.Record, e *scoreEvent) error {
	if record.Value != nil {
		return w.events.Decode(record.Value, &e.event)
	}
	user, err := erasedUser(record)
	at := schemas.TimeOf(record.Timestamp)
	e.erasure, e.event = true, schemas.Event{User: user, Time: at, ObservedTime: at}
	return err
}

// load reads the states that are not in memory, together with the fence: a
// state that another owner wrote must not be mistaken for one of ours.
func (w *scoreWorker) load(ctx context.Context, b *scoreBatch) error {
	var cold []schemas.Pseudonym
	asked := map[schemas.Pseudonym]bool{}
	for i := range b.events {
		user := b.events[i].event.User
		if b.events[i].dead || user == (schemas.Pseudonym{}) || asked[user] {
			continue
		}
		if _, warm := w.cache.get(user); !warm {
			asked[user] = true
			cold = append(cold, user)
		}
	}
	if len(cold) == 0 {
		return nil
	}
	start := time.Now()
	fence, states, err := w.store.Load(ctx, w.partition, cold)
	w.metrics.redis.WithLabelValues("load").Observe(time.Since(start).Seconds())
	if err != nil {
		return err
	}
	if fence != w.stored {
		return ErrFenced
	}
	for i, user := range cold {
		state := w.engine.NewState()
		if states[i] != nil {
			if err := state.UnmarshalBinary(states[i]); err != nil {
				return fatalError{fmt.Errorf("the state of %s in partition %d cannot be read; riskpipe rebuild --discard makes it anew: %w", user.Short(), w.partition, err)}
			}
		}
		w.cache.put(user, &cachedState{state: state})
	}
	return nil
}

// score folds the events into the states, in order. It returns the index of an
// event over which the engine panicked, and -1 when there was none.
func (w *scoreWorker) score(b *scoreBatch) int {
	out := &w.out
	for i := range b.events {
		e := &b.events[i]
		switch {
		case e.dead:
			continue
		case e.event.User == (schemas.Pseudonym{}):
			b.dispositions["nobody"]++
			continue
		}
		cached, _ := w.cache.get(e.event.User)
		out.Reset()
		if stack := w.guard(cached.state, e, out, b); stack != "" {
			if w.poison == nil {
				w.poison = map[int64]string{}
			}
			w.poison[e.record.Offset] = stack
			w.log.Error("the engine failed over an event, which goes to the dead letters", "offset", e.record.Offset)
			return i
		}
		if cached.state.Changed() {
			cached.erased = e.erasure
			if !cached.dirty {
				cached.dirty = true
				b.dirty = append(b.dirty, e.event.User)
			}
		}
		if e.erasure {
			b.dispositions["erasure"]++
			continue
		}
		b.dispositions[dispositionName(out.Disposition)]++
		for _, name := range out.Exclusions {
			b.exclusions[name]++
		}
		b.watermark = max(b.watermark, w.clamped(&e.event))
	}
	return -1
}

// maxClockSkew bounds how far a watermark may run ahead of the records' arrival:
// one bad clock must not make everybody else late.
const maxClockSkew schemas.Time = 5 * 60 * 1000

func (w *scoreWorker) clamped(e *schemas.Event) schemas.Time {
	if e.ObservedTime == 0 {
		return e.Time
	}
	return min(e.Time, e.ObservedTime+maxClockSkew)
}

// guard scores one event and encodes what came of it. It returns the stack of a
// panic, or why the output cannot be written: either is a bug that the same
// event will meet at every try.
func (w *scoreWorker) guard(state State, e *scoreEvent, out *operators.Output, b *scoreBatch) (stack string) {
	defer func() {
		if p := recover(); p != nil {
			// The panic's value may quote the event; the stack does not.
			stack = fmt.Sprintf("%T at %s", p, debug.Stack())
		}
	}()
	if e.erasure {
		w.engine.Forget(state, e.event.User, e.event.ObservedTime, out)
	} else {
		w.engine.Score(state, &e.event, out)
	}
	if err := w.encode(&e.event, out, b); err != nil {
		return err.Error()
	}
	if e.erasure {
		// Behind the closing versions: whoever keeps what these topics say of a
		// user is told to forget it.
		b.records = append(b.records, withoutValue(w.topics.Alerts(), e.event.User), withoutValue(w.topics.Risk(), e.event.User))
	}
	return ""
}

func (w *scoreWorker) encode(e *schemas.Event, out *operators.Output, b *scoreBatch) error {
	for i := range out.Alerts {
		a := &out.Alerts[i]
		value, err := w.alerts.Append(b.buf, a)
		if err != nil {
			return err
		}
		b.add(w.topics.Alerts(), a.User, value)
		b.alerts = append(b.alerts, alertTimes{event: e.Time, observed: a.ObservedTime})
	}
	for i := range out.Risks {
		value, err := w.risks.Append(b.buf, &out.Risks[i])
		if err != nil {
			return err
		}
		b.add(w.topics.Risk(), out.Risks[i].User, value)
		b.risks++
	}
	return nil
}

// add makes a record of what the buffer has gained.
func (b *scoreBatch) add(topic string, user schemas.Pseudonym, longer []byte) {
	b.records = append(b.records, &kgo.Record{
		Topic: topic, Key: []byte(user.String()), Value: longer[len(b.buf):len(longer):len(longer)],
	})
	b.buf = longer
}

func dispositionName(d operators.Disposition) string {
	switch d {
	case operators.Scored:
		return "scored"
	case operators.Duplicate:
		return "duplicate"
	case operators.Late:
		return "late"
	case operators.Excluded:
		return "excluded"
	default:
		return "ignored"
	}
}

func (w *scoreWorker) count(b *scoreBatch, produced time.Time) {
	m := w.metrics
	for name, count := range b.dispositions {
		m.events.WithLabelValues(name).Add(float64(count))
	}
	for name, count := range b.exclusions {
		m.exclusions.WithLabelValues(name).Add(float64(count))
	}
	for _, letter := range b.letters {
		m.letters.WithLabelValues(letter.reason).Inc()
		delete(w.poison, letter.record.Offset)
	}
	m.alerts.Add(float64(len(b.alerts)))
	m.risks.Add(float64(b.risks))
	for _, a := range b.alerts {
		m.delay.Observe(produced.Sub(a.event.UTC()).Seconds())
		if a.observed != 0 {
			m.latency.Observe(produced.Sub(a.observed.UTC()).Seconds())
		}
	}
	m.cacheUsers.WithLabelValues(strconv.Itoa(int(w.partition))).Set(float64(w.cache.len()))
}
