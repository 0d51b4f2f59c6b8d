package pipeline

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/operators"
	"github.com/riskpipe/riskpipe/schemas"
)

// tinyEngine counts each user's events, each event once, and alerts at every
// third. An activity of "bug" makes it panic half-way.
type tinyEngine struct{}

type tinyState struct {
	count   uint64
	seen    []uint64
	changed bool
}

func (tinyEngine) Hash() schemas.Hash { return 7 }
func (tinyEngine) StateFormat() int   { return 1 }
func (tinyEngine) NewState() State    { return &tinyState{} }

func (tinyEngine) Score(state State, e *schemas.Event, out *operators.Output) {
	s := state.(*tinyState)
	s.changed = false
	id := binary.BigEndian.Uint64(e.ID[:8])
	if slices.Contains(s.seen, id) {
		out.Disposition = operators.Duplicate
		return
	}
	s.count++
	if e.Activity == "bug" {
		panic("secret of " + e.User.String())
	}
	s.changed = true
	if s.seen = append(s.seen, id); len(s.seen) > 32 {
		s.seen = s.seen[1:]
	}
	out.Disposition = operators.Scored
	if s.count%3 != 0 {
		return
	}
	out.Alerts = append(out.Alerts, schemas.Alert{
		ID: schemas.NewUUID(string(e.ID[:]), "tiny"), Version: int32(s.count / 3), User: e.User, Policy: "tiny", PolicyVersion: 1,
		Status: schemas.AlertOpen, Severity: schemas.SeverityLow, Score: schemas.Points(s.count), UpdatedAt: e.Time,
		ObservedTime: e.ObservedTime, EventIDs: []schemas.UUID{e.ID},
	})
	out.Risks = append(out.Risks, schemas.Risk{User: e.User, Time: e.Time, Score: schemas.Points(s.count), Level: schemas.LevelMinor, Policy: "tiny", Cause: e.ID})
}

func (tinyEngine) Forget(state State, _ schemas.Pseudonym, _ schemas.Time, _ *operators.Output) {
	*state.(*tinyState) = tinyState{changed: true}
}

func (s *tinyState) AppendBinary(b []byte) ([]byte, error) {
	b = binary.AppendUvarint(b, s.count)
	for _, id := range s.seen {
		b = binary.BigEndian.AppendUint64(b, id)
	}
	return b, nil
}

func (s *tinyState) UnmarshalBinary(b []byte) error {
	count, n := binary.Uvarint(b)
	if n <= 0 || (len(b)-n)%8 != 0 {
		return errors.New("no tiny state")
	}
	s.count = count
	for b = b[n:]; len(b) > 0; b = b[8:] {
		s.seen = append(s.seen, binary.BigEndian.Uint64(b))
	}
	return nil
}

func (s *tinyState) Changed() bool { return s.changed }

// codecs are the codecs of a test, and metrics which nobody reads.
type codecs struct {
	metrics *scorerMetrics
	events  *schemas.Codec[schemas.Event]
	alerts  *schemas.Codec[schemas.Alert]
	risks   *schemas.Codec[schemas.Risk]
}

func newCodecs(t testing.TB) codecs {
	t.Helper()
	events, err := schemas.NewCodec[schemas.Event](schemas.EventSchema)
	alerts, err2 := schemas.NewCodec[schemas.Alert](schemas.AlertSchema)
	risks, err3 := schemas.NewCodec[schemas.Risk](schemas.RiskSchema)
	if err := errors.Join(err, err2, err3); err != nil {
		t.Fatal(err)
	}
	metrics, err := newScorerMetrics(nil)
	if err != nil {
		t.Fatal(err)
	}
	return codecs{metrics, events, alerts, risks}
}

var quiet = slog.New(slog.DiscardHandler)

// tinyEvent is event i of a user.
func tinyEvent(user int, i int64) schemas.Event {
	return schemas.Event{
		ID: schemas.NewUUID("event", fmt.Sprint(i)), Source: schemas.SourceFile, Activity: "file.downloaded",
		Time: schemas.Time(1_700_000_000_000 + i*1000), ObservedTime: schemas.Time(1_700_000_000_500 + i*1000),
		User: schemas.Pseudonym{byte(user + 1)}, KeyVersion: 1, ActorType: schemas.ActorPerson, Outcome: schemas.OutcomeSuccess,
	}
}

// tinyLog is a log of n events of a few users, some of them delivered twice.
func tinyLog(t testing.TB, c codecs, rng *rand.Rand, n, users int) []*kgo.Record {
	t.Helper()
	var records []*kgo.Record
	for i := range int64(n) {
		e := tinyEvent(rng.IntN(users), i)
		value, err := c.events.Append(nil, &e)
		if err != nil {
			t.Fatal(err)
		}
		if i > 5 && rng.IntN(20) == 0 {
			value = records[i-1-rng.Int64N(5)].Value
		}
		records = append(records, &kgo.Record{Topic: "events", Offset: i, Value: value, Timestamp: e.ObservedTime.UTC()})
	}
	return records
}

// alertKey identifies one version of one alert.
type alertKey struct {
	id      schemas.UUID
	version int32
}

// outbox keeps what was produced and complains when a version of an alert comes
// again with other bytes.
type outbox struct {
	codecs  codecs
	alerts  map[alertKey][]byte
	letters map[int64]*kgo.Record // by offset
	erased  map[string]int        // records without a value, by topic and key
	repeats int
}

func newOutbox(c codecs) *outbox {
	return &outbox{codecs: c, alerts: map[alertKey][]byte{}, letters: map[int64]*kgo.Record{}, erased: map[string]int{}}
}

func (o *outbox) add(r *kgo.Record) error {
	if r.Value == nil {
		o.erased[r.Topic+" "+string(r.Key)]++
		return nil
	}
	switch r.Topic {
	case "alerts":
		var a schemas.Alert
		if err := o.codecs.alerts.Decode(r.Value, &a); err != nil {
			return err
		}
		key := alertKey{a.ID, a.Version}
		if earlier, again := o.alerts[key]; again {
			o.repeats++
			if !bytes.Equal(earlier, r.Value) {
				return fmt.Errorf("alert %s version %d came again with other content", a.ID, a.Version)
			}
		}
		o.alerts[key] = bytes.Clone(r.Value)
	case "dlq.events":
		var offset int64
		if _, err := fmt.Sscan(header(r, HeaderOffset), &offset); err != nil {
			return err
		}
		o.letters[offset] = r
	}
	return nil
}

func header(r *kgo.Record, key string) string {
	value := ""
	for _, h := range r.Headers {
		if h.Key == key {
			value = string(h.Value)
		}
	}
	return value
}

// fold is the oracle: the plain fold over the log. States holds, for each offset,
// the users' states before it, and the newest event time.
type fold struct {
	states     []map[schemas.Pseudonym][]byte
	watermarks []schemas.Time
	alerts     map[alertKey][]byte
	erased     map[string]bool // topics and keys of records without a value
}

func foldLog(t testing.TB, c codecs, log []*kgo.Record) fold {
	t.Helper()
	engine := tinyEngine{}
	f := fold{alerts: map[alertKey][]byte{}, erased: map[string]bool{}}
	live := map[schemas.Pseudonym]State{}
	stored := map[schemas.Pseudonym][]byte{}
	f.states = append(f.states, map[schemas.Pseudonym][]byte{})
	watermark := schemas.Time(0)
	f.watermarks = append(f.watermarks, watermark)
	for _, r := range log {
		var e schemas.Event
		if user, err := erasedUser(r); r.Value == nil && err == nil {
			delete(live, user)
			delete(stored, user)
			f.erased["alerts "+user.String()], f.erased["risk "+user.String()] = true, true
		} else if err := c.events.Decode(r.Value, &e); err == nil && e.Activity != "bug" {
			if live[e.User] == nil {
				live[e.User] = engine.NewState()
			}
			var out operators.Output
			engine.Score(live[e.User], &e, &out)
			for i := range out.Alerts {
				value, _ := c.alerts.Append(nil, &out.Alerts[i])
				f.alerts[alertKey{out.Alerts[i].ID, out.Alerts[i].Version}] = value
			}
			stored[e.User], _ = live[e.User].AppendBinary(nil)
			watermark = max(watermark, e.Time)
		}
		f.states = append(f.states, maps.Clone(stored))
		f.watermarks = append(f.watermarks, watermark)
	}
	return f
}

// sameAlerts compares alert sets.
func sameAlerts(got, want map[alertKey][]byte) error {
	for key := range want {
		if _, found := got[key]; !found {
			return fmt.Errorf("alert %s version %d is missing (%d of %d)", key.id, key.version, len(got), len(want))
		}
	}
	for key, value := range got {
		if expected, found := want[key]; !found {
			return fmt.Errorf("alert %s version %d is a phantom", key.id, key.version)
		} else if !bytes.Equal(expected, value) {
			return fmt.Errorf("alert %s version %d has other content", key.id, key.version)
		}
	}
	return nil
}

// tinyWorker is a scoring worker over the tiny engine.
func tinyWorker(t testing.TB, c codecs, store StateStore, produce func(context.Context, []*kgo.Record) error) *scoreWorker {
	t.Helper()
	generation := int32(0)
	return &scoreWorker{
		batchSize: 16, timeout: time.Minute, cacheSize: 4, engine: tinyEngine{}, store: store,
		events: c.events, alerts: c.alerts, risks: c.risks, produce: produce,
		letters: &deadLetters{stage: "score", component: "test", produce: produce},
		breaker: newBreaker(BreakerConfig{Percent: 101}, time.Now), metrics: c.metrics, log: quiet, now: time.Now,
		sleep:      func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		nonce:      func() string { return fmt.Sprint(rand.Uint64()) },
		generation: func() int32 { generation++; return generation },
		cache:      newLRU[schemas.Pseudonym, *cachedState](),
	}
}
