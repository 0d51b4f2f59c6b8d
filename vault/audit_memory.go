package vault

import (
	"bytes"
	"slices"
	"sync"

	"github.com/riskpipe/riskpipe/schemas"
)

// AuditMemory is an AuditStore that lasts as long as the process, for the demo
// and for tests. Its zero value is ready for use. Another chain may continue on
// it after Close.
type AuditMemory struct {
	mu          sync.Mutex
	records     []schemas.Audit
	checkpoints [][]byte
}

// Append implements AuditStore.
func (m *AuditMemory) Append(record *schemas.Audit) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records = append(m.records, *record)
	return nil
}

// AppendCheckpoint implements AuditStore.
func (m *AuditMemory) AppendCheckpoint(signed []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.checkpoints = append(m.checkpoints, bytes.Clone(signed))
	return nil
}

// Records implements AuditStore.
func (m *AuditMemory) Records(after int64, limit int) ([]schemas.Audit, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	from, to := window(len(m.records), after, limit)
	return slices.Clone(m.records[from:to]), nil
}

// Checkpoints implements AuditStore.
func (m *AuditMemory) Checkpoints() ([][]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.checkpoints), nil
}

// Close implements AuditStore.
func (m *AuditMemory) Close() error { return nil }

// window returns the indices of at most limit of n records behind a sequence.
func window(n int, after int64, limit int) (from, to int) {
	from = int(min(max(after, 0), int64(n)))
	return from, from + min(max(limit, 0), n-from)
}
