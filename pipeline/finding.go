package pipeline

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
)

// maxWaiting bounds the users for whom one alert's evidence waits.
const maxWaiting = 16

// findings are the alerts that a batch speaks of. Defender tells of an alert in
// two records that come in any order: AlertInfo says what it is, AlertEvidence
// whose it is. Evidence goes out at once, and once more, completed and under an
// id of its own, when the alert's own facts come later.
type findings struct {
	byID  map[string]*finding
	order []*finding
}

// finding is what is known of one alert.
type finding struct {
	infoKey    schemas.Pseudonym
	waitingKey schemas.Pseudonym
	info       *schemas.Event // only its Detection means anything
	origin     schemas.Origin // of the record that told, when this batch had it
	observed   schemas.Time   // likewise
	waiting    []waiting      // evidence that went out without the alert's facts
	told       bool           // the batch brought the alert's facts
	grown      bool           // the batch changed what waits
	completed  map[schemas.UUID]bool
}

// waiting is evidence that waits for its alert.
type waiting struct {
	event schemas.Event
	who   scoped
}

// want notes that the batch needs what is known of an alert.
func (f *findings) want(r *Resolver, id string) {
	if id == "" || f.byID[id] != nil {
		return
	}
	if f.byID == nil {
		f.byID = map[string]*finding{}
	}
	known := &finding{
		infoKey:    r.deps.Key.Pseudonym("finding:" + id),
		waitingKey: r.deps.Key.Pseudonym("waiting:" + id),
		completed:  map[schemas.UUID]bool{},
	}
	f.byID[id] = known
	f.order = append(f.order, known)
}

// keys are what to look up: two for each alert. They are never cached, since
// other processes change them.
func (f *findings) keys() []schemas.Pseudonym {
	keys := make([]schemas.Pseudonym, 0, 2*len(f.order))
	for _, known := range f.order {
		keys = append(keys, known.infoKey, known.waitingKey)
	}
	return keys
}

// loadFindings takes the values of the findings' keys.
func (s *resolution) loadFindings(values [][]byte) error {
	for i, known := range s.findings.order {
		if err := s.load(known, values[2*i], values[2*i+1]); err != nil {
			return err
		}
	}
	return nil
}

// load takes what the store has. What cannot be read counts as not there: a
// join that is missed costs less than a partition that stands still. Evidence of
// people who have gone out of scope since it was stored is dropped, and the store
// is told.
func (s *resolution) load(f *finding, info, stored []byte) error {
	r := s.resolver
	if info != nil && f.info == nil {
		var e schemas.Event
		switch err := r.deps.Events.Decode(info, &e); {
		case err == nil:
			f.info = &e
		case !errors.Is(err, schemas.ErrMalformed):
			return fmt.Errorf("reading a stored alert: %w", err)
		}
	}
	for len(stored) > 0 {
		entry, event, unknown := nextWaiting(stored)
		if entry == nil {
			return nil
		}
		var e schemas.Event
		switch err := r.deps.Events.Decode(event, &e); {
		case err == nil:
			who := r.deps.Scope.of(e.User, e.User, e.ActorType, !unknown)
			if s.drop(r.deps.Scope.event(who, &e)) {
				f.grown = true
			} else {
				f.wait(e, who)
			}
		case !errors.Is(err, schemas.ErrMalformed):
			return fmt.Errorf("reading evidence that waits for its alert: %w", err)
		}
		stored = stored[len(entry):]
	}
	return nil
}

// nextWaiting takes the first entry off a list of evidence that waits: its event, and
// whether nobody knew the UPN of whom it is about. Entry is nil when it is no list.
func nextWaiting(list []byte) (entry, event []byte, unknown bool) {
	head, n := binary.Uvarint(list)
	size := head >> 1
	if n <= 0 || size > uint64(len(list)-n) {
		return nil, nil, false
	}
	entry = list[:n+int(size)]
	return entry, entry[n:], head&1 != 0
}

// appendWaiting appends an entry to such a list.
func appendWaiting(list, event []byte, unknown bool) []byte {
	head := uint64(len(event)) << 1
	if unknown {
		head |= 1
	}
	return append(binary.AppendUvarint(list, head), event...)
}

// wait keeps the first evidence of each user.
func (f *finding) wait(e schemas.Event, who scoped) bool {
	same := func(other waiting) bool { return other.event.User == e.User }
	if len(f.waiting) >= maxWaiting || slices.ContainsFunc(f.waiting, same) {
		return false
	}
	e.Evidence, e.EvidenceKey = nil, ""
	if e.Detection != nil {
		incomplete := *e.Detection // the event's own may be completed below
		e.Detection = &incomplete
	}
	f.waiting = append(f.waiting, waiting{e, who})
	return true
}

// evidence joins an event with the alert that it is evidence of, or lets it wait.
func (s *resolution) evidence(e *normalise.Event, who scoped) {
	known := s.findings.byID[e.Finding]
	if known.info == nil {
		known.grown = known.wait(e.Event, who) || known.grown
		return
	}
	s.resolver.complete(&e.Event, known.info.Detection)
}

// finding takes an alert's own facts and completes the evidence that waited.
func (s *resolution) finding(st *step) {
	known := s.findings.byID[st.finding.ID]
	detection := st.finding.Detection
	known.info = &schemas.Event{
		Source: schemas.SourceDefender, ActorType: schemas.ActorUnknown, Outcome: schemas.OutcomeUnknown, Detection: &detection,
	}
	known.told = true
	known.observed = st.raw.Time
	known.origin = schemas.Origin{
		Topic: st.raw.Topic, Partition: st.raw.Partition, Offset: st.raw.Offset, Index: int32(st.finding.Index),
	}
	s.release(known)
}

// release sends out, completed, what waited for the alert. The same completion
// has the same id however often and by whomever it is made.
func (s *resolution) release(known *finding) {
	for _, w := range known.waiting {
		e := w.event
		e.ID = schemas.NewUUID("finding", string(known.infoKey[:]), string(e.User[:]), "info")
		if known.completed[e.ID] {
			continue
		}
		known.completed[e.ID] = true
		if known.observed != 0 {
			e.ObservedTime, e.Origin = known.observed, known.origin
		}
		if e.Detection != nil {
			incomplete := *e.Detection
			e.Detection = &incomplete
		}
		s.resolver.complete(&e, known.info.Detection)
		if s.drop(s.resolver.deps.Scope.event(w.who, &e)) {
			continue // by the activity that the alert's facts have told
		}
		s.out.add(&normalise.Event{Event: e}, provenance{})
	}
}

// complete fills what the evidence does not say from the alert's own facts.
func (r *Resolver) complete(e *schemas.Event, info *schemas.Detection) {
	if info == nil {
		return
	}
	if e.Detection == nil {
		e.Detection = &schemas.Detection{}
	}
	d := e.Detection
	for _, field := range []struct {
		to   *string
		from string
	}{
		{&d.Category, info.Category},
		{&d.Severity, info.Severity},
		{&d.Status, info.Status},
		{&d.Service, info.Service},
		{&d.Policy, info.Policy},
		{&d.Action, info.Action},
	} {
		if *field.to == "" {
			*field.to = field.from
		}
	}
	if d.Finding == 0 {
		d.Finding = info.Finding
	}
	if len(d.Techniques) == 0 {
		d.Techniques = info.Techniques
	}
	if len(d.SensitiveTypes) == 0 {
		d.SensitiveTypes, d.SensitiveCount = info.SensitiveTypes, info.SensitiveCount
	}
	if r.deps.Activity != nil {
		e.Activity = r.deps.Activity(*d)
	}
}

// changed returns what the batch has brought, ready to be stored.
func (f *findings) changed(r *Resolver) ([]Name, error) {
	var names []Name
	for _, known := range f.order {
		if known.told {
			value, err := r.deps.Events.Append(nil, known.info)
			if err != nil {
				return nil, fatalError{fmt.Errorf("storing an alert: %w", err)}
			}
			names = append(names, Name{Key: known.infoKey, Value: value, For: r.config.FindingsFor})
		}
		if known.grown {
			var list []byte
			for i := range known.waiting {
				value, err := r.deps.Events.Append(nil, &known.waiting[i].event)
				if err != nil {
					return nil, fatalError{fmt.Errorf("storing evidence that waits for its alert: %w", err)}
				}
				list = appendWaiting(list, value, known.waiting[i].who.unknown)
			}
			names = append(names, Name{Key: known.waitingKey, Value: list, For: r.config.FindingsFor})
		}
	}
	return names, nil
}

// recheck closes the gap between reading and storing. Two processes may hold
// the two halves of an alert: each reads before either has stored, and both
// would go on without the other. Since both store before they read again, at
// least one of them sees the other's half now.
func (s *resolution) recheck(ctx context.Context) error {
	var open []*finding
	var keys []schemas.Pseudonym
	for _, known := range s.findings.order {
		if known.told || known.grown {
			open = append(open, known)
			keys = append(keys, known.infoKey, known.waitingKey)
		}
	}
	if len(open) == 0 {
		return nil
	}
	values, err := s.resolver.deps.Names.Lookup(ctx, keys)
	if err != nil {
		return err
	}
	for i, known := range open {
		if err := s.load(known, values[2*i], values[2*i+1]); err != nil {
			return err
		}
		if known.info != nil {
			s.release(known)
		}
	}
	return nil
}
