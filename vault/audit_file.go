package vault

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/riskpipe/riskpipe/schemas"
)

// AuditFile is an AuditStore of two files that are only ever appended to: a
// record a line in the one, a checkpoint a line in the other, both as JSON. A
// line is on the disk when Append returns.
type AuditFile struct {
	mu          sync.Mutex
	records     *os.File
	checkpoints *os.File
	ends        []int64 // where each record's line ends
}

// OpenAuditFile continues the chain in the file, or begins one there. Nobody
// else can open it for writing until it is closed. Put the checkpoints where the
// writer of the records cannot change what is written; together they prove what
// neither does alone.
//
// A last line that was not finished, since the process died over it, is cut off:
// nobody was told that it is kept. That is recorded, with the time at.
func OpenAuditFile(records, checkpoints string, at schemas.Time, options AuditOptions) (*AuditChain, error) {
	store, dropped, err := openAuditStore(records, checkpoints)
	if err != nil {
		return nil, err
	}
	chain, err := NewAuditChain(store, options)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the audit log %s: %w", records, err), store.Close())
	}
	if dropped > 0 {
		err := chain.append(AuditEntry{Time: at, Action: "audit.recovered", Detail: fmt.Sprintf(`{"dropped_bytes":%d}`, dropped)})
		if err != nil {
			return nil, errors.Join(err, store.Close())
		}
	}
	return chain, nil
}

// openAuditStore returns the store and how many bytes of unfinished lines it cut
// off.
func openAuditStore(records, checkpoints string) (store *AuditFile, dropped int64, err error) {
	store = &AuditFile{}
	opened := store
	defer func() {
		if err != nil {
			err = errors.Join(err, opened.Close())
		}
	}()
	if store.records, err = openAppend(records); err != nil {
		return nil, 0, err
	}
	if store.checkpoints, err = openAppend(checkpoints); err != nil {
		return nil, 0, err
	}
	for _, file := range []*os.File{store.records, store.checkpoints} {
		cut, err := cutUnfinished(file)
		if err != nil {
			return nil, 0, fmt.Errorf("cutting an unfinished line off %s: %w", file.Name(), err)
		}
		dropped += cut
	}
	text, err := readFrom(store.records, 0)
	if err != nil {
		return nil, 0, err
	}
	for i, b := range text {
		if b == '\n' {
			store.ends = append(store.ends, int64(i)+1)
		}
	}
	return store, dropped, nil
}

// openAppend opens or makes a file for its owner, and locks it.
func openAppend(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the audit log: %w", err)
	}
	if err := lockFile(file); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the audit log %s: another process writes it: %w", path, err), file.Close())
	}
	if err := syncFolder(file); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the audit log %s: %w", path, err), file.Close())
	}
	return file, nil
}

// cutUnfinished cuts off what stands behind the last line end.
func cutUnfinished(file *os.File) (int64, error) {
	text, err := readFrom(file, 0)
	if err != nil {
		return 0, err
	}
	whole := int64(bytes.LastIndexByte(text, '\n') + 1)
	if whole == int64(len(text)) {
		return 0, nil
	}
	return int64(len(text)) - whole, errors.Join(file.Truncate(whole), file.Sync())
}

func readFrom(file *os.File, offset int64) ([]byte, error) {
	text, err := io.ReadAll(io.NewSectionReader(file, offset, 1<<62))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", file.Name(), err)
	}
	return text, nil
}

// Append implements AuditStore.
func (f *AuditFile) Append(record *schemas.Audit) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := appendLine(f.records, record)
	if err != nil {
		return err
	}
	f.ends = append(f.ends, f.end(len(f.ends))+n)
	return nil
}

// AppendCheckpoint implements AuditStore.
func (f *AuditFile) AppendCheckpoint(signed []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, err := appendLine(f.checkpoints, string(signed))
	return err
}

func appendLine(file *os.File, value any) (int64, error) {
	line, err := json.Marshal(value)
	if err != nil {
		return 0, fmt.Errorf("encoding a line of %s: %w", file.Name(), err)
	}
	n, err := file.Write(append(line, '\n'))
	if err == nil {
		err = file.Sync()
	}
	if err != nil {
		return 0, fmt.Errorf("writing %s: %w", file.Name(), err)
	}
	return int64(n), nil
}

// end is where the first n lines end.
func (f *AuditFile) end(n int) int64 {
	if n == 0 {
		return 0
	}
	return f.ends[n-1]
}

// Records implements AuditStore.
func (f *AuditFile) Records(after int64, limit int) ([]schemas.Audit, error) {
	f.mu.Lock()
	from, to := window(len(f.ends), after, limit)
	begin, end := f.end(from), f.end(to)
	f.mu.Unlock()
	records, err := ReadAudit(io.NewSectionReader(f.records, begin, end-begin))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", f.records.Name(), err)
	}
	return records, nil
}

// Checkpoints implements AuditStore.
func (f *AuditFile) Checkpoints() ([][]byte, error) {
	return ReadCheckpoints(io.NewSectionReader(f.checkpoints, 0, 1<<62))
}

// Close implements AuditStore. It gives up the lock.
func (f *AuditFile) Close() error {
	var err error
	for _, file := range []*os.File{f.records, f.checkpoints} {
		if file != nil {
			err = errors.Join(err, file.Close())
		}
	}
	return err
}
