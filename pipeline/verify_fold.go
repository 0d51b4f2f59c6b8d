package pipeline

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/operators"
	"github.com/riskpipe/riskpipe/schemas"
)

// foldAll folds the log up to the survey's offsets and notes each user's state.
// It returns the users who had one when the survey began and were not found.
// A partition with many users is folded some of them at a time.
func (d VerifyDeps) foldAll(ctx context.Context, partition int32, s *survey, log bounds, proof *PartitionProof) (map[schemas.Pseudonym]stateDigest, error) {
	lost := map[schemas.Pseudonym]stateDigest{}
	passes := uint32(1 + len(s.users)/d.UsersAtOnce)
	total := (proof.To - proof.From) * int64(passes)
	for pass := range passes {
		f := &plainFold{
			deps: d, survey: s, lost: lost, states: map[schemas.Pseudonym][]byte{}, poison: map[int64]bool{},
			erased: map[schemas.Pseudonym]bool{},
			wanted: func(user schemas.Pseudonym) bool { return binary.BigEndian.Uint32(user[:])%passes == pass },
		}
		err := d.readLog(ctx, partition, proof.From, proof.To, func(records []*kgo.Record) error {
			proof.Records += int64(len(records))
			if d.Progress != nil {
				d.Progress(partition, proof.Records, total)
			}
			return f.batch(records)
		})
		if err != nil {
			return nil, err
		}
		for user := range maps.Keys(f.states) {
			f.finish(user)
		}
		for user := range maps.Keys(f.erased) {
			delete(lost, user)
		}
	}
	proof.Records /= int64(passes)
	return lost, nil
}

// readLog hands the records of [from, to) to each, in order.
func (d VerifyDeps) readLog(ctx context.Context, partition int32, from, to int64, each func([]*kgo.Record) error) error {
	if from >= to {
		return nil
	}
	topic := d.Topics.Events()
	client, err := kgo.NewClient(append(append([]kgo.Opt(nil), d.Cluster...), kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {partition: kgo.NewOffset().At(from)}}))...)
	if err != nil {
		return fmt.Errorf("opening the internal cluster: %w", err)
	}
	defer client.Close()
	for from < to {
		fetches := client.PollRecords(ctx, foldedAtOnce)
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := fetches.Err(); err != nil {
			return readError(topic, partition, err)
		}
		records := fetches.Records()
		for len(records) > 0 && records[len(records)-1].Offset >= to {
			records = records[:len(records)-1]
			from = to
		}
		if len(records) == 0 {
			continue
		}
		if err := each(records); err != nil {
			return err
		}
		from = max(from, records[len(records)-1].Offset+1)
	}
	return nil
}

// foldedAtOnce bounds the records of a batch: enough that a user's state is
// seldom read for one event alone.
const foldedAtOnce = 10_000

func readError(topic string, partition int32, err error) error {
	if isDataLoss(err) {
		return fmt.Errorf("records of partition %d of %s are gone before they were read, by retention or because the topic was made anew: %w", partition, topic, err)
	}
	return fmt.Errorf("reading partition %d of %s: %w", partition, topic, err)
}

// plainFold is the fold as it is defined: each user's events in the order of the
// log, no cache, no batch that matters. It shares the engine with the scorer and
// nothing else, so that neither hides the other's mistakes.
type plainFold struct {
	deps   VerifyDeps
	survey *survey
	wanted func(schemas.Pseudonym) bool
	states map[schemas.Pseudonym][]byte // of users who have not come to their offset
	poison map[int64]bool               // offsets of events over which the engine failed
	lost   map[schemas.Pseudonym]stateDigest
	erased map[schemas.Pseudonym]bool // users erased since the survey began, who need not have been found
	out    operators.Output
	buf    []byte
}

// foldedEvent is an event, or the erasure of its user, and its offset.
type foldedEvent struct {
	offset  int64
	event   schemas.Event
	erasure bool
}

// until is the offset to which the user is folded. Of one who was not found it
// is the survey's first: who had a state then must have been found.
func (f *plainFold) until(user schemas.Pseudonym) int64 {
	if seen, found := f.survey.users[user]; found {
		return seen.asOf
	}
	return f.survey.first.Next
}

func (f *plainFold) batch(records []*kgo.Record) error {
	byUser := map[schemas.Pseudonym][]foldedEvent{}
	for _, r := range records {
		e := foldedEvent{offset: r.Offset, erasure: r.Value == nil}
		var err error
		if e.erasure {
			e.event.User, err = erasedUser(r)
			e.event.ObservedTime = schemas.TimeOf(r.Timestamp)
		} else {
			err = f.deps.Events.Decode(r.Value, &e.event)
		}
		switch {
		case errors.Is(err, schemas.ErrMalformed):
			continue // a dead letter
		case err != nil:
			return fmt.Errorf("decoding the event at offset %d: %w", r.Offset, err)
		}
		user := e.event.User
		if user == (schemas.Pseudonym{}) || !f.wanted(user) {
			continue
		}
		if e.erasure && r.Offset >= f.survey.first.Next {
			f.erased[user] = true
		}
		if r.Offset < f.until(user) {
			byUser[user] = append(byUser[user], e)
		} else if len(byUser[user]) == 0 {
			f.finish(user) // sooner than at the end, for the memory
		}
	}
	for user, events := range byUser {
		if err := f.user(user, events); err != nil {
			return err
		}
	}
	return nil
}

// user folds some of a user's events. An event over which the engine fails
// counts for nothing: they are folded again without it.
func (f *plainFold) user(user schemas.Pseudonym, events []foldedEvent) error {
	for {
		state := f.deps.Engine.NewState()
		if stored, found := f.states[user]; found {
			if err := state.UnmarshalBinary(stored); err != nil {
				return fmt.Errorf("reading back the state of %s: %w", user.Short(), err)
			}
		}
		changed, sound, erased := false, true, false
		for i := range events {
			if f.poison[events[i].offset] {
				continue
			}
			if sound = f.score(state, &events[i]); !sound {
				f.poison[events[i].offset] = true
				break
			}
			if state.Changed() {
				changed, erased = true, events[i].erasure
			}
		}
		if !sound {
			continue
		}
		if erased {
			delete(f.states, user)
		} else if changed {
			stored, err := state.AppendBinary(nil)
			if err != nil {
				return fmt.Errorf("encoding the state of %s: %w", user.Short(), err)
			}
			f.states[user] = stored
		}
		return nil
	}
}

// score tells whether the event can be scored, and what follows be written.
func (f *plainFold) score(state State, e *foldedEvent) (sound bool) {
	defer func() {
		if recover() != nil {
			sound = false // the scorer has logged it and written a dead letter
		}
	}()
	f.out.Reset()
	if e.erasure {
		f.deps.Engine.Forget(state, e.event.User, e.event.ObservedTime, &f.out)
	} else {
		f.deps.Engine.Score(state, &e.event, &f.out)
	}
	var err error
	for i := range f.out.Alerts {
		if f.buf, err = f.deps.Alerts.Append(f.buf[:0], &f.out.Alerts[i]); err != nil {
			return false
		}
	}
	for i := range f.out.Risks {
		if f.buf, err = f.deps.Risks.Append(f.buf[:0], &f.out.Risks[i]); err != nil {
			return false
		}
	}
	return true
}

// finish notes the state to which the user has come.
func (f *plainFold) finish(user schemas.Pseudonym) {
	state, found := f.states[user]
	if !found {
		return
	}
	delete(f.states, user)
	if seen, found := f.survey.users[user]; found {
		seen.folded = digestState(state)
		f.survey.users[user] = seen
	} else {
		f.lost[user] = digestState(state)
	}
}
