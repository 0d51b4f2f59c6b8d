package main

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
)

// consumed is a record as `kcat -J` prints it.
type consumed struct {
	source schemas.Source // empty when the topic is none of the raw ones
	raw    normalise.Raw
}

// recorded is a set of files of consumed records, read in the order of their
// Kafka times. Only where each line lies is kept in memory.
type recorded struct {
	files []*os.File
	lines []recordedLine
	bytes int64
}

type recordedLine struct {
	ts     int64
	file   int
	offset int64
	length int
}

// openRecorded indexes the files; "-" is standard input, kept in a temporary
// file. Records of the same time stay in the order of the files and lines.
func openRecorded(paths []string, stdin io.Reader) (_ *recorded, err error) {
	r := &recorded{}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.close())
		}
	}()
	for _, path := range paths {
		var f *os.File
		if path == "-" {
			f, err = spool(stdin)
		} else {
			f, err = os.Open(path)
		}
		if err != nil {
			return nil, fmt.Errorf("opening the input: %w", err)
		}
		r.files = append(r.files, f)
		if err := r.index(len(r.files)-1, path); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(r.lines, func(a, b recordedLine) int { return cmp.Compare(a.ts, b.ts) })
	return r, nil
}

// spool copies what cannot be read twice into an unlinked temporary file.
func spool(in io.Reader) (*os.File, error) {
	f, err := os.CreateTemp("", "riskpipe-replay-")
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(f, in); err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	_, err = f.Seek(0, io.SeekStart)
	return f, err
}

func (r *recorded) index(file int, path string) error {
	var (
		in     = bufio.NewReaderSize(r.files[file], 1<<20)
		parser fastjson.Parser
		offset int64
	)
	for number := 1; ; number++ {
		line, err := in.ReadBytes('\n')
		if text := bytes.TrimSpace(line); len(text) > 0 {
			v, parseErr := parser.ParseBytes(text)
			if parseErr != nil || !v.Exists("topic") || v.Get("ts") == nil {
				return fmt.Errorf("reading %s, line %d: want a record as kcat -J prints it, with topic, ts and payload", path, number)
			}
			// Kafka writes -1 for a record without a time.
			r.lines = append(r.lines, recordedLine{ts: max(v.GetInt64("ts"), 0), file: file, offset: offset, length: len(line)})
		}
		offset += int64(len(line))
		if errors.Is(err, io.EOF) {
			r.bytes += offset
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading %s: %w", path, err)
		}
	}
}

// all yields the records. A record's bytes are its own.
func (r *recorded) all(topics schemas.Topics) iter.Seq2[consumed, error] {
	return func(yield func(consumed, error) bool) {
		var (
			parser fastjson.Parser
			buf    []byte
			next   = map[string]int64{} // offsets of records which do not tell theirs
		)
		for _, at := range r.lines {
			buf = slices.Grow(buf[:0], at.length)[:at.length]
			if _, err := r.files[at.file].ReadAt(buf, at.offset); err != nil {
				yield(consumed{}, fmt.Errorf("reading the input again: %w", err))
				return
			}
			v, err := parser.ParseBytes(bytes.TrimSpace(buf))
			if err != nil {
				yield(consumed{}, fmt.Errorf("reading the input again: %w", err))
				return
			}
			topic := string(v.GetStringBytes("topic"))
			offset := next[topic]
			if v.Exists("offset") {
				offset = v.GetInt64("offset")
			}
			next[topic] = offset + 1
			c := consumed{source: sourceOf(topics, topic), raw: normalise.Raw{
				Topic: topic, Partition: int32(v.GetInt("partition")), Offset: offset, Time: schemas.Time(at.ts), Value: payloadOf(v.Get("payload")),
			}}
			if !yield(c, nil) {
				return
			}
		}
	}
}

// payloadOf returns the record's value: kcat writes it as a string; JSON that
// was put in as such counts as its text.
func payloadOf(v *fastjson.Value) []byte {
	switch {
	case v == nil || v.Type() == fastjson.TypeNull:
		return nil
	case v.Type() == fastjson.TypeString:
		return bytes.Clone(v.GetStringBytes())
	default:
		return v.MarshalTo(nil)
	}
}

func sourceOf(topics schemas.Topics, topic string) schemas.Source {
	for _, s := range schemas.Sources() {
		if topic == topics.Raw(s) || strings.HasSuffix(topic, "raw."+string(s)) {
			return s
		}
	}
	return ""
}

func (r *recorded) close() error {
	var problems []error
	for _, f := range r.files {
		problems = append(problems, f.Close())
	}
	return errors.Join(problems...)
}
