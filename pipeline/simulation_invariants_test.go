package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/schemas"
)

func (p *memoryPartition) clone() *memoryPartition {
	return &memoryPartition{fence: p.fence, states: maps.Clone(p.states)}
}

func (s *simulation) failf(format string, args ...any) {
	if s.broken == nil {
		s.broken = fmt.Errorf(format, args...)
	}
}

// commit is the store's, looked at.
func (s *simulation) commit(from, to string, states []UserState) error {
	if err := s.store.Commit(context.Background(), 0, from, to, states); err != nil {
		return err
	}
	s.written()
	old, err := ParseFence(from)
	if err != nil {
		return err
	}
	now, err := ParseFence(to)
	if err != nil {
		return err
	}
	// A mutant is to be caught by what comes of it, not by the rule it breaks.
	if s.mutant == nil && (now.Nonce != old.Nonce || now.Epoch != old.Epoch || now.Next <= old.Next || now.Watermark < old.Watermark) {
		s.failf("fence %s was replaced by %s", from, to)
	}
	return nil
}

// claimedBy looks at a claim: nothing but the owner changes.
func (s *simulation) claimedBy(before string, claimed Fence) {
	s.written()
	if s.nonces[claimed.Nonce] {
		s.failf("nonce %s claims twice", claimed.Nonce)
	}
	s.nonces[claimed.Nonce] = true
	if before == "" {
		return
	}
	old, err := ParseFence(before)
	if err != nil || claimed.Next != old.Next || claimed.Watermark != old.Watermark || claimed.Epoch <= old.Epoch {
		s.failf("fence %s was claimed as %s: %v", before, claimed, err)
	}
}

// written checks, after every write, that the states are those of the fence.
func (s *simulation) written() {
	s.remember()
	p := s.store.of(0)
	fence, err := ParseFence(p.fence)
	if err != nil {
		s.failf("%w", err)
		return
	}
	s.highest = max(s.highest, fence.Next)
	at := max(fence.Next, 0)
	if want := s.oracle.watermarks[at]; fence.Watermark != want {
		s.failf("the watermark at offset %d is %d, want %d", at, fence.Watermark, want)
	}
	want := s.oracle.states[at]
	for user, state := range p.states {
		if !bytes.Equal(state, want[user]) {
			s.failf("the state of %s is not that of offset %d", user.Short(), at)
		}
	}
	for user := range want {
		if _, found := p.states[user]; !found {
			s.failf("the state of %s is missing at offset %d", user.Short(), at)
		}
	}
}

// remember keeps what the store holds now, which a rollback may come back to.
func (s *simulation) remember() {
	s.writes++
	s.history = append(s.history, *s.store.of(0).clone())
}

// arrived looks at records that are in Kafka now: no alert may be there that the
// fold does not have, or with other bytes.
func (s *simulation) arrived(records []*kgo.Record) {
	for _, r := range records {
		if err := s.outbox.add(r); err != nil {
			s.failf("%w", err)
		}
		if r.Topic != "alerts" || r.Value == nil {
			continue
		}
		var a schemas.Alert
		if err := s.outbox.codecs.alerts.Decode(r.Value, &a); err != nil {
			s.failf("%w", err)
		} else if !bytes.Equal(s.oracle.alerts[alertKey{a.ID, a.Version}], r.Value) {
			s.failf("alert %s version %d is not of the fold", a.ID, a.Version)
		}
	}
}

// committed is an offset committed to Kafka: it may lag behind the store, and
// lead only over what the store has forgotten.
func (s *simulation) committed(offset int64) {
	s.kafka = offset
	if offset > s.highest {
		s.failf("offset %d was committed to Kafka, and the store was never beyond %d", offset, s.highest)
	}
}

// complete looks at the end: nothing is missing, and the dead letters are the
// poisoned events.
func (s *simulation) complete() error {
	if err := sameAlerts(s.outbox.alerts, s.oracle.alerts); err != nil {
		return err
	}
	if told, want := slices.Sorted(maps.Keys(s.outbox.erased)), slices.Sorted(maps.Keys(s.oracle.erased)); !slices.Equal(told, want) {
		return fmt.Errorf("%v were told to forget, want %v", told, want)
	}
	for offset := range s.poison {
		if s.outbox.letters[offset] == nil {
			return fmt.Errorf("offset %d is no dead letter", offset)
		}
	}
	if len(s.outbox.letters) != len(s.poison) {
		return fmt.Errorf("%d dead letters, want %d", len(s.outbox.letters), len(s.poison))
	}
	return nil
}
