package pipeline

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/riskpipe/riskpipe/schemas"
)

// Names remembers which names belong to whom, and which alerts are still to be
// joined. Keys are keyed hashes of what they stand for, so that a store holds
// no name.
//
// Implementations must be safe for concurrent use and must keep what they are
// given.
type Names interface {
	// Lookup returns the value of each key, nil when there is none.
	Lookup(ctx context.Context, keys []schemas.Pseudonym) ([][]byte, error)

	// Learn stores the names and tells for each whether it was stored. A name
	// for good is stored only when its key has no value yet; one that expires, or
	// says so, replaces the value. After an error some may have been stored; learn again.
	Learn(ctx context.Context, names []Name) (stored []bool, err error)
}

// Name is one entry of Names.
type Name struct {
	Key   schemas.Pseudonym
	Value []byte
	// For is how long it is kept; 0 is for good.
	For time.Duration
	// Replace is for a name for good that takes the place of another value.
	Replace bool
}

// maxMemoryFindings bounds the alerts that wait in memory.
const maxMemoryFindings = 100_000

// MemoryNames is Names for replay and tests. What would expire elsewhere is
// kept here until there is too much of it, since replay has no clock.
type MemoryNames struct {
	mu       sync.Mutex
	names    map[schemas.Pseudonym][]byte
	expiring *lru[schemas.Pseudonym, []byte]
}

// NewMemoryNames returns an empty store.
func NewMemoryNames() *MemoryNames {
	return &MemoryNames{names: map[schemas.Pseudonym][]byte{}, expiring: newLRU[schemas.Pseudonym, []byte]()}
}

// Lookup implements Names.
func (m *MemoryNames) Lookup(_ context.Context, keys []schemas.Pseudonym) ([][]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	values := make([][]byte, len(keys))
	for i, key := range keys {
		value, found := m.names[key]
		if !found {
			value, _ = m.expiring.get(key)
		}
		values[i] = bytes.Clone(value)
	}
	return values, nil
}

// Learn implements Names.
func (m *MemoryNames) Learn(_ context.Context, names []Name) ([]bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	stored := make([]bool, len(names))
	for i, name := range names {
		if name.For > 0 {
			m.expiring.put(name.Key, bytes.Clone(name.Value))
			stored[i] = true
		} else if _, known := m.names[name.Key]; !known || name.Replace {
			m.names[name.Key] = bytes.Clone(name.Value)
			stored[i] = true
		}
	}
	m.expiring.trim(maxMemoryFindings)
	return stored, nil
}
