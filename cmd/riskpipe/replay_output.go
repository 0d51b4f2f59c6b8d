package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/riskpipe/riskpipe/schemas"
)

// named is a record with its user as the output names them.
type named[T any] struct {
	record T
	user   string
}

// MarshalJSON writes the record's own fields, the user replaced in place.
func (n named[T]) MarshalJSON() ([]byte, error) {
	switch record := any(n.record).(type) {
	case schemas.Event:
		type wire schemas.Event
		return json.Marshal(struct {
			wire
			User string `json:"user"`
		}{wire(record), n.user})
	case schemas.Alert:
		type wire schemas.Alert
		return json.Marshal(struct {
			wire
			User string `json:"user"`
		}{wire(record), n.user})
	case schemas.Risk:
		type wire schemas.Risk
		return json.Marshal(struct {
			wire
			User string `json:"user"`
		}{wire(record), n.user})
	default:
		return nil, fmt.Errorf("writing %T: not a record of replay", record)
	}
}

// replayOutput is the output folder. The first error of a write is kept and
// reported by close.
type replayOutput struct {
	dir                  string
	alerts, risk, events *bufio.Writer
	files                []*os.File
	err                  error
}

func newReplayOutput(dir string, withEvents bool) (*replayOutput, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the output folder: %w", err)
	}
	w := &replayOutput{dir: dir}
	w.alerts, w.risk = w.create("alerts.ndjson"), w.create("risk.ndjson")
	if withEvents {
		w.events = w.create("events.ndjson")
	}
	if w.err != nil {
		return nil, fmt.Errorf("making the output: %w", w.close())
	}
	return w, nil
}

func (w *replayOutput) create(name string) *bufio.Writer {
	f, err := os.Create(filepath.Join(w.dir, name))
	if err != nil {
		w.err = errors.Join(w.err, err)
		return bufio.NewWriter(io.Discard)
	}
	w.files = append(w.files, f)
	return bufio.NewWriterSize(f, 1<<16)
}

func (w *replayOutput) write(to *bufio.Writer, v any) {
	encoder := json.NewEncoder(to)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil && w.err == nil {
		w.err = err
	}
}

func (w *replayOutput) summary(s *replaySummary) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(w.dir, "summary.json"), append(text, '\n'), 0o644)
}

func (w *replayOutput) close() error {
	problems := []error{w.err}
	for _, b := range []*bufio.Writer{w.alerts, w.risk, w.events} {
		if b != nil {
			problems = append(problems, b.Flush())
		}
	}
	for _, f := range w.files {
		problems = append(problems, f.Close())
	}
	return errors.Join(problems...)
}
