package pipeline

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/riskpipe/riskpipe/schemas"
)

// survey is what the store holds of a partition while somebody may be scoring
// it: each state with the offset of which it is.
type survey struct {
	first, last Fence // as the survey began and ended
	begun       bool
	fenced      bool  // there is a fence at all
	to          int64 // the largest offset of which a state was read
	users       map[schemas.Pseudonym]sighting
}

// sighting is one user's state as it was read, and what the fold makes of it.
type sighting struct {
	asOf           int64
	stored, folded stateDigest
}

// surveyedAtOnce bounds the states of one answer.
const surveyedAtOnce = 500

// takeSurvey reads the states of all users. It fails with errUnsteady when the
// store goes back meanwhile: users could then be missing rightly.
func takeSurvey(ctx context.Context, states *RedisStates, partition int32) (*survey, error) {
	s := &survey{users: map[schemas.Pseudonym]sighting{}}
	if err := s.read(ctx, states, partition, nil); err != nil {
		return nil, err
	}
	s.first, s.begun = s.last, true
	err := states.Users(ctx, partition, func(users []schemas.Pseudonym) error {
		users = slices.DeleteFunc(users, func(user schemas.Pseudonym) bool {
			_, again := s.users[user]
			return again
		})
		for some := range slices.Chunk(users, surveyedAtOnce) {
			if err := s.read(ctx, states, partition, some); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := s.read(ctx, states, partition, nil); err != nil {
		return nil, err
	}
	return s, nil
}

// read reads some users' states and the fence, all of one instant.
func (s *survey) read(ctx context.Context, states *RedisStates, partition int32, users []schemas.Pseudonym) error {
	stored, values, err := states.Load(ctx, partition, users)
	if err != nil {
		return err
	}
	fence := Fence{Next: earliest}
	if stored != "" {
		if fence, err = ParseFence(stored); err != nil {
			return err
		}
	}
	fenced := stored != ""
	if s.begun && (fenced != s.fenced || fence.Next < s.last.Next || fence.Format != s.last.Format) {
		return errUnsteady
	}
	s.fenced = fenced
	s.last, s.to = fence, max(s.to, fence.Next)
	for i, user := range users {
		if values[i] == nil {
			return errUnsteady // listed a moment ago
		}
		s.users[user] = sighting{asOf: fence.Next, stored: digestState(values[i])}
	}
	return nil
}

// unprovable tells the cases in which folding would prove nothing, with an empty
// verdict when it would.
func (s *survey) unprovable(engine Engine, log bounds) (Verdict, string) {
	switch {
	case !s.fenced && len(s.users) > 0:
		return StatesDifferent, "there are states and no fence that says of which offset they are; riskpipe rebuild --discard makes them anew"
	case !s.fenced && log.end > log.start:
		return StatesUnproven, "there are neither states nor a fence: nothing was scored yet; riskpipe rebuild scores it"
	case !s.fenced:
		return StatesEqual, ""
	case s.last.Format == formatDiscarding:
		return StatesUnproven, errDiscarding.Error()
	case s.last.Policy != engine.Hash():
		return StatesUnproven, fmt.Sprintf("policy set %s made the states, and the one configured here is %s: verify with the policies that the scorers have",
			hashText(s.last.Policy), hashText(engine.Hash()))
	case s.last.Format != engine.StateFormat():
		return StatesUnproven, fmt.Sprintf("the states have format %d, and this riskpipe writes %d: verify with the build that the scorers have",
			s.last.Format, engine.StateFormat())
	case s.first.Policy != s.last.Policy:
		return StatesUnproven, "the policy set was changed while the states were read: verify again"
	case s.last.Next != earliest && s.last.Next < log.start:
		return StatesUnproven, fmt.Sprintf("the states are of offset %d and the log begins at %d: what lies between is gone by retention", s.last.Next, log.start)
	case s.to > log.end:
		return StatesDifferent, fmt.Sprintf("the states are of offset %d and the log ends at %d: the topic was made anew or lost records; "+
			"riskpipe rebuild --discard makes the states of what is there", s.to, log.end)
	default:
		return "", ""
	}
}

func hashText(h schemas.Hash) string {
	text, _ := h.MarshalText() // a hash always has a text
	return string(text)
}

// stillLost looks once more for users who were not found. One who is there now
// came back meanwhile or was not listed by a cluster on the move, and the
// survey says nothing of them.
func (s *survey) stillLost(ctx context.Context, states *RedisStates, partition int32, lost map[schemas.Pseudonym]stateDigest) error {
	for some := range slices.Chunk(slices.Collect(maps.Keys(lost)), surveyedAtOnce) {
		_, values, err := states.Load(ctx, partition, some)
		if err != nil {
			return err
		}
		for _, value := range values {
			if value != nil {
				return errUnsteady
			}
		}
	}
	return nil
}
