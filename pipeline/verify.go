package pipeline

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/schemas"
)

// Verdict is what a comparison of states with the log came to.
type Verdict string

// The verdicts.
const (
	// StatesEqual says that every state is what the log makes of its user, to
	// the bit.
	StatesEqual Verdict = "equal"
	// StatesDifferent says that some states are not.
	StatesDifferent Verdict = "different"
	// StatesUnproven says that the log cannot tell: the reason is given.
	StatesUnproven Verdict = "unproven"
)

// The kinds of Difference.
const (
	StateAltered   = "altered"   // the state is another than the log's
	StateLost      = "lost"      // the log makes a state of the user, and there is none
	StateUnfounded = "unfounded" // there is a state, and nothing in the log that makes one
)

// Difference is a user whose state is not what the log makes of them.
type Difference struct {
	User schemas.Pseudonym `json:"user"`
	// Offset is where they were compared: what lies before it makes the state.
	Offset int64  `json:"offset"`
	Kind   string `json:"kind"`
}

// PartitionProof is what the comparison of one partition found.
type PartitionProof struct {
	Partition int32   `json:"partition"`
	Verdict   Verdict `json:"verdict"`
	// Reason says why nothing is proved, or what may explain the differences.
	Reason string `json:"reason,omitempty"`
	// Users is how many states were read, Records how many were folded: those
	// from offset From to before To.
	Users   int   `json:"users"`
	Records int64 `json:"records"`
	From    int64 `json:"from_offset"`
	To      int64 `json:"to_offset"`
	// Stored and Folded are digests over all users and their states. Those of
	// two partitions that have scored the same records are the same.
	Stored schemas.Digest `json:"stored_digest"`
	Folded schemas.Digest `json:"folded_digest"`
	Policy schemas.Hash   `json:"policy_hash"`
	// Differences is how many users differ; First are the first ones, by offset.
	Differences int          `json:"differences"`
	First       []Difference `json:"first,omitempty"`
}

// VerifyDeps are what a verification works with: the topic of events, read
// without a group, the states, which it never writes, and the engine that made
// them.
type VerifyDeps struct {
	Cluster []kgo.Opt
	Topics  schemas.Topics
	Engine  Engine
	States  *RedisStates
	Events  *schemas.Codec[schemas.Event]
	Alerts  *schemas.Codec[schemas.Alert]
	Risks   *schemas.Codec[schemas.Risk]
	Log     *slog.Logger
	// UsersAtOnce bounds the states in memory: a partition with more users is
	// read several times. 0 means 250,000, some 300 MB.
	UsersAtOnce int
	// Progress, if not nil, is told how many of a partition's records are folded.
	Progress func(partition int32, folded, total int64)
}

const (
	firstDifferences   = 10
	defaultUsersAtOnce = 250_000
	// verifyAttempts bounds how often a partition is read again because the
	// store went back meanwhile.
	verifyAttempts = 5
)

// errUnsteady means that what was read of the store does not belong together.
var errUnsteady = errors.New("the state store lost writes while it was read: verify again when it is steady")

// Verify compares the partitions' stored states with the plain fold of the log,
// one partition after the other, and stops nobody. Each state is read together
// with the fence, so it is known of which offset it is, and the log is folded to
// that very offset.
func Verify(ctx context.Context, deps VerifyDeps) ([]PartitionProof, error) {
	if deps.UsersAtOnce <= 0 {
		deps.UsersAtOnce = defaultUsersAtOnce
	}
	client, err := kgo.NewClient(deps.Cluster...)
	if err != nil {
		return nil, fmt.Errorf("opening the internal cluster: %w", err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	partitions, err := logBounds(ctx, admin, deps.Topics.Events())
	if err != nil {
		return nil, err
	}
	var proofs []PartitionProof
	for _, partition := range slices.Sorted(maps.Keys(partitions)) {
		proof, err := deps.partition(ctx, admin, partition)
		if err != nil {
			return proofs, fmt.Errorf("verifying partition %d: %w", partition, err)
		}
		proofs = append(proofs, proof)
	}
	return proofs, nil
}

// bounds are the offsets of a partition's first record and behind its last one.
type bounds struct{ start, end int64 }

func logBounds(ctx context.Context, admin *kadm.Client, topic string) (map[int32]bounds, error) {
	starts, err := admin.ListStartOffsets(ctx, topic)
	if err == nil {
		err = starts.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("finding the first records of %s: %w", topic, err)
	}
	ends, err := admin.ListEndOffsets(ctx, topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("finding the ends of %s: %w", topic, err)
	}
	all := map[int32]bounds{}
	ends.Each(func(end kadm.ListedOffset) {
		start, _ := starts.Lookup(topic, end.Partition)
		all[end.Partition] = bounds{start.Offset, end.Offset}
	})
	return all, nil
}

// partition verifies one partition, again when the store went back meanwhile.
func (d VerifyDeps) partition(ctx context.Context, admin *kadm.Client, partition int32) (PartitionProof, error) {
	for attempt := 1; ; attempt++ {
		proof, err := d.attempt(ctx, admin, partition)
		if attempt == verifyAttempts || !errors.Is(err, errUnsteady) {
			return proof, err
		}
		d.Log.Warn("the store lost writes while it was read; reading it again", "partition", partition)
		if err := sleep(ctx, backoff(attempt)); err != nil {
			return PartitionProof{}, err
		}
	}
}

func (d VerifyDeps) attempt(ctx context.Context, admin *kadm.Client, partition int32) (PartitionProof, error) {
	s, err := takeSurvey(ctx, d.States, partition)
	if err != nil {
		return PartitionProof{}, err
	}
	logs, err := logBounds(ctx, admin, d.Topics.Events())
	if err != nil {
		return PartitionProof{}, err
	}
	log := logs[partition]
	proof := PartitionProof{Partition: partition, Users: len(s.users), From: log.start, To: log.start, Policy: d.Engine.Hash()}
	if proof.Verdict, proof.Reason = s.unprovable(d.Engine, log); proof.Verdict != "" {
		return proof, nil
	}
	proof.To = max(s.to, log.start)
	lost, err := d.foldAll(ctx, partition, s, log, &proof)
	if err != nil {
		return proof, err
	}
	if err := s.stillLost(ctx, d.States, partition, lost); err != nil {
		return proof, err
	}
	proof.compare(s, lost)
	if proof.Verdict == StatesDifferent {
		proof.explain(s, log)
	}
	return proof, nil
}

// compare draws the conclusion from both sides' digests.
func (p *PartitionProof) compare(s *survey, lost map[schemas.Pseudonym]stateDigest) {
	var all []Difference
	for user, seen := range s.users {
		switch seen.folded {
		case seen.stored:
		case stateDigest{}:
			all = append(all, Difference{user, seen.asOf, StateUnfounded})
		default:
			all = append(all, Difference{user, seen.asOf, StateAltered})
		}
	}
	for user := range lost {
		all = append(all, Difference{user, s.first.Next, StateLost})
	}
	slices.SortFunc(all, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(a.Offset, b.Offset), bytes.Compare(a.User[:], b.User[:]))
	})
	p.Verdict, p.Differences, p.First = StatesEqual, len(all), all[:min(len(all), firstDifferences)]
	if len(all) > 0 {
		p.Verdict = StatesDifferent
	}
	stored, folded := map[schemas.Pseudonym]stateDigest{}, maps.Clone(lost)
	for user, seen := range s.users {
		stored[user] = seen.stored
		if seen.folded != (stateDigest{}) {
			folded[user] = seen.folded
		}
	}
	p.Stored, p.Folded = digestOf(stored), digestOf(folded)
}

// explain turns differences that may have come about rightly into no proof.
func (p *PartitionProof) explain(s *survey, log bounds) {
	switch {
	case s.last.Since > log.start:
		p.Verdict = StatesUnproven
		p.Reason = fmt.Sprintf("the policy set was changed at offset %d, and what lies before was scored by another one; "+
			"riskpipe rebuild --discard scores all of the log by the one in force", s.last.Since)
	case log.start > 0:
		p.Verdict = StatesUnproven
		p.Reason = fmt.Sprintf("the log begins at offset %d: what lay before is gone by retention, and the states may still hold it", log.start)
	default:
		p.Reason = "the states are not what this riskpipe makes of the log: if another build made some of them, that may be why; " +
			"riskpipe rebuild --discard makes all of them anew"
	}
}

// stateDigest is the first half of the SHA-256 of a state; the zero digest
// stands for no state.
type stateDigest [16]byte

func digestState(state []byte) stateDigest {
	sum := sha256.Sum256(state)
	return stateDigest(sum[:])
}

// digestOf is one digest over the states of many users.
func digestOf(states map[schemas.Pseudonym]stateDigest) schemas.Digest {
	users := slices.SortedFunc(maps.Keys(states), func(a, b schemas.Pseudonym) int { return bytes.Compare(a[:], b[:]) })
	hash := sha256.New()
	for _, user := range users {
		digest := states[user]
		hash.Write(user[:])
		hash.Write(digest[:])
	}
	return schemas.Digest(hash.Sum(nil))
}
