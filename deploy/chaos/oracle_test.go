package chaos

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/operators"
	"github.com/riskpipe/riskpipe/schemas"
)

// codecs read and write what crosses the topics.
type codecs struct {
	events *schemas.Codec[schemas.Event]
	alerts *schemas.Codec[schemas.Alert]
	risks  *schemas.Codec[schemas.Risk]
	keys   *schemas.Codec[schemas.EvidenceKey]
}

func newCodecs(t *testing.T) codecs {
	t.Helper()
	events, err1 := schemas.NewCodec[schemas.Event](schemas.EventSchema)
	alerts, err2 := schemas.NewCodec[schemas.Alert](schemas.AlertSchema)
	risks, err3 := schemas.NewCodec[schemas.Risk](schemas.RiskSchema)
	keys, err4 := schemas.NewCodec[schemas.EvidenceKey](schemas.EvidenceKeySchema)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	return codecs{events, alerts, risks, keys}
}

// folded is what the plain fold makes of a topic of events: one loop, no batch,
// no store, no Kafka.
type folded struct {
	states       ledger // of users, by partition
	alerts       ledger // versions of alerts
	risks        ledger // changes of risk scores
	latest       ledger // the newest change of each user
	records      []*kgo.Record
	dispositions map[string]int
	watermarks   map[int32]schemas.Time
	policies     schemas.Hash
	prefixes     ledger // states of the fold at the fences of the samples
	sampled      ledger // and what the samples had
}

func newEngine(t *testing.T) *operators.Engine {
	t.Helper()
	library, err := operators.Templates()
	if err != nil {
		t.Fatal(err)
	}
	engine, err := operators.NewEngine(library, operators.Options{Location: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	return engine
}

// fold folds the events, each partition in its order, and holds the samples of
// the store that were taken meanwhile against the states on the way.
func fold(engine *operators.Engine, c codecs, topics schemas.Topics, events map[int32][]*kgo.Record, samples []sample) (*folded, error) {
	f := &folded{
		states: ledger{}, alerts: ledger{}, risks: ledger{}, latest: ledger{}, dispositions: map[string]int{}, watermarks: map[int32]schemas.Time{},
		policies: engine.Hash(), prefixes: ledger{}, sampled: ledger{},
	}
	for _, partition := range slices.Sorted(maps.Keys(events)) {
		here := slices.DeleteFunc(slices.Clone(samples), func(s sample) bool { return s.partition != partition })
		slices.SortFunc(here, func(a, b sample) int { return cmp.Compare(a.next, b.next) })
		p := foldedPartition{folded: f, engine: engine, codecs: c, topics: topics, partition: partition, states: map[schemas.Pseudonym]*operators.State{}, kept: map[schemas.Pseudonym]bool{}}
		for _, r := range events[partition] {
			for len(here) > 0 && here[0].next <= r.Offset {
				if err := p.check(here[0]); err != nil {
					return nil, err
				}
				here = here[1:]
			}
			if err := p.score(r); err != nil {
				return nil, err
			}
		}
		for _, s := range here {
			if err := p.check(s); err != nil {
				return nil, err
			}
		}
		for user := range p.kept {
			text, err := p.states[user].AppendBinary(nil)
			if err != nil {
				return nil, fmt.Errorf("folding: %w", err)
			}
			f.states[stateName(partition, user)] = string(text)
		}
	}
	return f, nil
}

func stateName(partition int32, user schemas.Pseudonym) string {
	return fmt.Sprintf("partition %d, %s", partition, user)
}

// foldedPartition is the fold of one partition on its way.
type foldedPartition struct {
	*folded
	engine    *operators.Engine
	codecs    codecs
	topics    schemas.Topics
	partition int32
	states    map[schemas.Pseudonym]*operators.State
	kept      map[schemas.Pseudonym]bool // whose state was ever changed: nothing else is stored
	out       operators.Output
}

func (p *foldedPartition) score(r *kgo.Record) error {
	var e schemas.Event
	if err := p.codecs.events.Decode(r.Value, &e); err != nil {
		return fmt.Errorf("folding partition %d, offset %d: %w", p.partition, r.Offset, err)
	}
	if e.User == (schemas.Pseudonym{}) {
		p.dispositions["nobody"]++
		return nil
	}
	state := p.states[e.User]
	if state == nil {
		state = &operators.State{}
		p.states[e.User] = state
	}
	p.out.Reset()
	p.engine.Score(state, &e, &p.out)
	p.dispositions[[]string{"ignored", "scored", "duplicate", "late", "excluded"}[p.out.Disposition]]++
	if state.Changed() {
		p.kept[e.User] = true
	}
	at := e.Time
	if e.ObservedTime != 0 {
		at = min(at, e.ObservedTime+5*60*1000) // as the scorer bounds a clock that is ahead
	}
	p.watermarks[p.partition] = max(p.watermarks[p.partition], at)
	for i := range p.out.Alerts {
		a := &p.out.Alerts[i]
		value, err := p.codecs.alerts.Append(nil, a)
		if err != nil {
			return fmt.Errorf("folding: %w", err)
		}
		p.add(p.alerts, p.topics.Alerts(), alertName(a), a.User, value)
	}
	for i := range p.out.Risks {
		risk := &p.out.Risks[i]
		value, err := p.codecs.risks.Append(nil, risk)
		if err != nil {
			return fmt.Errorf("folding: %w", err)
		}
		p.add(p.risks, p.topics.Risk(), riskName(risk), risk.User, value)
		p.latest[risk.User.String()] = string(value)
	}
	return nil
}

func (p *foldedPartition) add(to ledger, topic, name string, user schemas.Pseudonym, value []byte) {
	to[name] = string(value)
	p.records = append(p.records, &kgo.Record{Topic: topic, Key: []byte(user.String()), Value: value})
}

func alertName(a *schemas.Alert) string { return fmt.Sprintf("alert %s version %d", a.ID, a.Version) }

func riskName(r *schemas.Risk) string {
	return fmt.Sprintf("change %d of the risk of %s", r.Sequence, r.User)
}

// check holds what the store had at a moment against the fold up to its fence.
func (p *foldedPartition) check(s sample) error {
	name := func(user schemas.Pseudonym) string {
		return fmt.Sprintf("%s at %s, the fence at offset %d", stateName(s.partition, user), s.at.Format("15:04:05.000"), s.next)
	}
	for user, stored := range s.states {
		p.sampled[name(user)] = stored
	}
	for user := range p.kept {
		text, err := p.states[user].AppendBinary(nil)
		if err != nil {
			return fmt.Errorf("folding: %w", err)
		}
		p.prefixes[name(user)] = string(text)
	}
	return nil
}
