package pipeline

import (
	"bytes"
	"context"
	"sync"

	"github.com/riskpipe/riskpipe/schemas"
)

// StateStore keeps, for each partition of the events topic, the fence and the
// states of the users whose events it carries.
//
// Implementations must be safe for concurrent use, must keep what they are
// given and hand out copies.
type StateStore interface {
	// Claim replaces the partition's fence by the one that next makes of it, in
	// one atomic step, and returns the new one. Found is false when the
	// partition has no fence yet. After an error it is not known whether the
	// claim was made; claim again.
	Claim(ctx context.Context, partition int32, next func(current Fence, found bool) (Fence, error)) (Fence, error)

	// Load returns the stored form of the fence, empty when there is none, and
	// the users' states, nil for users never seen, all from one instant: states
	// read apart from the fence may be those of a later owner.
	Load(ctx context.Context, partition int32, users []schemas.Pseudonym) (fence string, states [][]byte, err error)

	// Commit stores the states, removes those that are nil, and replaces fence
	// from by fence to, all or nothing. It returns ErrFenced when the fence was another and nothing was
	// written; after any other error both are possible, and Load tells.
	Commit(ctx context.Context, partition int32, from, to string, states []UserState) error
}

// UserState is one user's state in its binary form; a nil one is no state, as
// if the user had never been seen.
type UserState struct {
	User  schemas.Pseudonym
	State []byte
}

// MemoryStates is a StateStore for replay and tests.
type MemoryStates struct {
	mu         sync.Mutex
	partitions map[int32]*memoryPartition
}

type memoryPartition struct {
	fence  string
	states map[schemas.Pseudonym][]byte
}

// NewMemoryStates returns an empty store.
func NewMemoryStates() *MemoryStates { return &MemoryStates{partitions: map[int32]*memoryPartition{}} }

func (m *MemoryStates) of(partition int32) *memoryPartition {
	p := m.partitions[partition]
	if p == nil {
		p = &memoryPartition{states: map[schemas.Pseudonym][]byte{}}
		m.partitions[partition] = p
	}
	return p
}

// Claim implements StateStore.
func (m *MemoryStates) Claim(_ context.Context, partition int32, next func(Fence, bool) (Fence, error)) (Fence, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.of(partition)
	claimed, err := claimNext(p.fence, next)
	if err != nil {
		return Fence{}, err
	}
	p.fence = claimed.String()
	return claimed, nil
}

// claimNext asks next for the successor of a stored fence, which may be empty.
func claimNext(stored string, next func(Fence, bool) (Fence, error)) (Fence, error) {
	if stored == "" {
		return next(Fence{}, false)
	}
	current, err := ParseFence(stored)
	if err != nil {
		return Fence{}, fatalError{err}
	}
	return next(current, true)
}

// Load implements StateStore.
func (m *MemoryStates) Load(_ context.Context, partition int32, users []schemas.Pseudonym) (string, [][]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.of(partition)
	states := make([][]byte, len(users))
	for i, user := range users {
		states[i] = bytes.Clone(p.states[user])
	}
	return p.fence, states, nil
}

// Commit implements StateStore.
func (m *MemoryStates) Commit(_ context.Context, partition int32, from, to string, states []UserState) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.of(partition)
	if p.fence != from {
		return ErrFenced
	}
	for _, s := range states {
		if s.State == nil {
			delete(p.states, s.User)
			continue
		}
		p.states[s.User] = bytes.Clone(s.State)
	}
	p.fence = to
	return nil
}
