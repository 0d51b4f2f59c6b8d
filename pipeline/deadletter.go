package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
)

// The headers of a dead letter. Key and value are the original's bytes.
const (
	HeaderTopic     = "dlq.topic"
	HeaderPartition = "dlq.partition"
	HeaderOffset    = "dlq.offset"
	HeaderTimestamp = "dlq.timestamp" // RFC 3339, UTC
	HeaderStage     = "dlq.stage"     // normalise or score
	HeaderReason    = "dlq.reason"    // code; several are separated by commas
	HeaderIndex     = "dlq.index"     // which parts of an envelope, separated by commas; the others were processed
	HeaderError     = "dlq.error"     // in words, without the payload
	HeaderComponent = "dlq.component" // riskpipe-normalise-file and so on
	HeaderVersion   = "dlq.version"   // of riskpipe
	// HeaderTruncated says that the broker refused the whole record: key and
	// value are cut, and these headers say what they were.
	HeaderTruncated = "dlq.truncated"
	HeaderKeySize   = "dlq.key_size"
	HeaderSize      = "dlq.size"
	HeaderSHA256    = "dlq.sha256"
)

// The reasons of stage score.
const (
	ReasonUndecodable = "undecodable_event"
	ReasonUnscorable  = "unscorable_event"
	// ReasonUnencodable is of stage normalise: the mapping gave a value which
	// the schema does not know.
	ReasonUnencodable = "unencodable_event"
)

// Bounds of a dead letter.
const (
	letterHeaders     = 10        // that record adds
	maxHeaderText     = 4 << 10   // of error texts, stacks included
	maxHeaderIndex    = 100       // indexes listed
	truncatedKey      = 1 << 10   // bytes of key kept in a truncated letter
	truncatedValue    = 256 << 10 // bytes of value kept; any broker takes that
	defaultLetterSize = 16 << 20  // producer's limit, and the topic's
)

// deadLetter is a record that could not be processed, and why.
type deadLetter struct {
	record *kgo.Record
	reason string
	index  string
	detail string
}

// deadLetters writes dead letters of one service.
type deadLetters struct {
	topics    schemas.Topics
	stage     string
	component string
	version   string
	produce   func(context.Context, []*kgo.Record) error
}

// rejectedLetter makes one dead letter of a record, however many of its parts
// were rejected.
func rejectedLetter(record *kgo.Record, rejects []normalise.Reject) deadLetter {
	letter := deadLetter{record: record}
	var reasons, indexes []string
	for i, reject := range rejects {
		if !slices.Contains(reasons, reject.Reason) {
			reasons = append(reasons, reject.Reason)
		}
		switch {
		case i < maxHeaderIndex:
			indexes = append(indexes, strconv.Itoa(reject.Index))
		case i == maxHeaderIndex:
			indexes = append(indexes, fmt.Sprintf("and %d more", len(rejects)-maxHeaderIndex))
		}
	}
	letter.reason, letter.index = strings.Join(reasons, ","), strings.Join(indexes, ",")
	if len(rejects) > 0 {
		letter.detail = rejects[0].Detail
	}
	return letter
}

// write produces the letters and returns when they are acknowledged.
func (d *deadLetters) write(ctx context.Context, letters []deadLetter) error {
	if len(letters) == 0 {
		return nil
	}
	records := make([]*kgo.Record, len(letters))
	for i, letter := range letters {
		records[i] = d.record(letter)
	}
	err := d.produce(ctx, records)
	if !errors.Is(err, kerr.MessageTooLarge) {
		return wrapLetters(err)
	}
	// The broker refuses a batch as a whole: one by one tells which it was.
	for i, letter := range letters {
		err := d.produce(ctx, []*kgo.Record{d.record(letter)})
		if errors.Is(err, kerr.MessageTooLarge) {
			err = d.produce(ctx, []*kgo.Record{truncated(records[i])})
		}
		if err != nil {
			return wrapLetters(err)
		}
	}
	return nil
}

func wrapLetters(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("writing dead letters: %w", err)
}

func (d *deadLetters) record(l deadLetter) *kgo.Record {
	r := &kgo.Record{Topic: d.topics.DeadLetter(l.record.Topic), Key: l.record.Key, Value: l.record.Value}
	r.Headers = append(r.Headers, l.record.Headers...)
	add := func(key, value string) {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: key, Value: []byte(value)})
	}
	add(HeaderTopic, l.record.Topic)
	add(HeaderPartition, strconv.Itoa(int(l.record.Partition)))
	add(HeaderOffset, strconv.FormatInt(l.record.Offset, 10))
	add(HeaderTimestamp, schemas.TimeOf(l.record.Timestamp).String())
	add(HeaderStage, d.stage)
	add(HeaderReason, l.reason)
	add(HeaderIndex, l.index)
	add(HeaderError, l.detail[:min(len(l.detail), maxHeaderText)])
	add(HeaderComponent, d.component)
	add(HeaderVersion, d.version)
	return r
}

// truncated is a letter that any broker takes: where the original lies, its size
// and digest, and how it begins.
func truncated(r *kgo.Record) *kgo.Record {
	sum := sha256.Sum256(r.Value)
	cut := &kgo.Record{
		Topic: r.Topic,
		Key:   r.Key[:min(len(r.Key), truncatedKey)],
		Value: r.Value[:min(len(r.Value), truncatedValue)],
	}
	// The original's own headers, which come first, may be what is too large.
	cut.Headers = append(cut.Headers, r.Headers[len(r.Headers)-letterHeaders:]...)
	for _, header := range [][2]string{
		{HeaderTruncated, "true"},
		{HeaderKeySize, strconv.Itoa(len(r.Key))},
		{HeaderSize, strconv.Itoa(len(r.Value))},
		{HeaderSHA256, hex.EncodeToString(sum[:])},
	} {
		cut.Headers = append(cut.Headers, kgo.RecordHeader{Key: header[0], Value: []byte(header[1])})
	}
	return cut
}
