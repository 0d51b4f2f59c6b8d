package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/schemas"
)

func newCatCommand() *cobra.Command {
	var (
		topic   string
		number  int
		follow  bool
		payload bool
	)
	c := &cobra.Command{
		Use:   "cat [FILE]",
		Short: "Show the records of a topic, or one record in a file, as JSON",
		Long: `cat decodes records of riskpipe's topics generically, with the schema they were
written with, and prints one line of JSON for each:

  {"topic":"alerts","partition":0,"offset":7,"time":"…","key":"ANON-…","value":{…}}

Dead letters are shown with the reason in their headers; their payload, which
holds names, only with --payload, and that is on record on the topic audit first.
Without --follow it stops at the topic's end.
FILE (or - for standard input) holds one encoded record and needs no Kafka.`,
		Example: `  riskpipe cat --topic alerts -n 1 | jq .value
  riskpipe cat --topic dlq.raw.signin
  riskpipe cat --topic events --follow`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			config, _, err := load(cmd)
			if err != nil {
				return err
			}
			generic, err := config.generic()
			if err != nil {
				return err
			}
			if len(args) == 1 {
				return catFile(cmd.InOrStdin(), cmd.OutOrStdout(), args[0], generic)
			}
			if topic == "" {
				return &exitError{exitRejects, errors.New("name a --topic or a FILE; see riskpipe cat --help")}
			}
			return catTopic(cmd.Context(), cmd.OutOrStdout(), config, topic, number, follow, payload, generic)
		},
	}
	c.Flags().StringVarP(&topic, "topic", "t", "", "`topic` to read, with its prefix")
	c.Flags().IntVarP(&number, "number", "n", 0, "stop after so many `records`, 0 for all")
	c.Flags().BoolVarP(&follow, "follow", "f", false, "wait for more at the end")
	c.Flags().BoolVar(&payload, "payload", false, "show the payload of dead letters and raw records, names and all")
	return c
}

// generic returns a decoder for everything that riskpipe writes.
func (c Config) generic() (*schemas.Generic, error) {
	var lookup func(uint32) (string, error)
	registry, err := c.Registry.client()
	if err != nil {
		return nil, err
	}
	if registry != nil {
		lookup = func(id uint32) (string, error) {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			s, err := registry.SchemaByID(ctx, int(id))
			return s.Schema, err
		}
	}
	return schemas.NewGeneric(lookup, schemas.EventSchema, schemas.AlertSchema, schemas.RiskSchema, schemas.IdentitySchema, schemas.EvidenceKeySchema, schemas.AuditSchema)
}

func catFile(stdin io.Reader, out io.Writer, path string, generic *schemas.Generic) error {
	in := stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return fmt.Errorf("opening the record: %w", err)
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(in)
	if err != nil {
		return fmt.Errorf("reading the record: %w", err)
	}
	text, err := generic.JSON(b)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s\n", text)
	return err
}

// shown is one line of cat's output.
type shown struct {
	Topic     string            `json:"topic"`
	Partition int32             `json:"partition"`
	Offset    int64             `json:"offset"`
	Time      schemas.Time      `json:"time"`
	Key       string            `json:"key,omitempty"`
	Headers   map[string]string `json:"headers,omitempty"`
	Value     json.RawMessage   `json:"value,omitempty"`
	Payload   string            `json:"payload,omitempty"`
	Bytes     int               `json:"bytes,omitempty"`
	Error     string            `json:"error,omitempty"`
}

func catTopic(ctx context.Context, out io.Writer, config Config, topic string, number int, follow, payload bool, generic *schemas.Generic) error {
	kafka := config.Kafka
	raw := strings.HasPrefix(topic, config.Topics.Prefix+"raw.")
	if raw {
		kafka = config.rawKafka()
	}
	client, err := kafka.connect(kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return err
	}
	defer client.Close()
	left, err := recordsLeft(ctx, kadm.NewClient(client), topic)
	if err != nil {
		return err
	}
	personal := raw || strings.Contains(topic, "dlq.")
	if personal && payload {
		if err := config.recordPayload(ctx, topic); err != nil {
			return err
		}
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for n := 0; (follow || left.any()) && (number == 0 || n < number); {
		fetches := client.PollRecords(ctx, 1000)
		if err := fetches.Err0(); err != nil {
			return fmt.Errorf("reading topic %s: %w", topic, err)
		}
		for _, r := range fetches.Records() {
			left.took(r)
			if number > 0 && n == number {
				break
			}
			n++
			if err := encoder.Encode(show(r, personal, payload, generic)); err != nil {
				return fmt.Errorf("writing: %w", err)
			}
		}
	}
	return nil
}

// recordPayload puts on record that somebody is about to see names.
func (c Config) recordPayload(ctx context.Context, topic string) error {
	entry, err := auditEntry("payload.read", "", map[string]string{"topic": topic})
	if err != nil {
		return err
	}
	entry.Actor = localActor()
	return c.record(ctx, "cat", entry)
}

func show(r *kgo.Record, personal, payload bool, generic *schemas.Generic) shown {
	s := shown{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Time: schemas.TimeOf(r.Timestamp)}
	for _, h := range r.Headers {
		if s.Headers == nil {
			s.Headers = map[string]string{}
		}
		s.Headers[h.Key] = string(h.Value)
	}
	if personal {
		s.Bytes = len(r.Value)
		if payload {
			s.Key, s.Payload = string(r.Key), string(r.Value)
		}
		return s
	}
	s.Key = string(r.Key)
	if r.Value == nil { // tells to forget what stood under the key
		return s
	}
	value, err := generic.JSON(r.Value)
	if err != nil {
		s.Error, s.Bytes = err.Error(), len(r.Value)
	}
	s.Value = value
	return s
}

// remaining tells, by partition, up to which offset there is something to read.
type remaining map[int32]int64

// recordsLeft asks for the topic's ends as of now.
func recordsLeft(ctx context.Context, admin *kadm.Client, topic string) (remaining, error) {
	starts, err := admin.ListStartOffsets(ctx, topic)
	if err == nil {
		err = starts.Error()
	}
	if err != nil {
		return nil, &exitError{exitUnreachable, fmt.Errorf("looking at topic %s: %w", topic, err)}
	}
	ends, err := admin.ListEndOffsets(ctx, topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, &exitError{exitUnreachable, fmt.Errorf("looking at topic %s: %w", topic, err)}
	}
	left := remaining{}
	ends.Each(func(o kadm.ListedOffset) {
		if start, ok := starts.Lookup(topic, o.Partition); ok && o.Offset > start.Offset {
			left[o.Partition] = o.Offset
		}
	})
	return left, nil
}

func (l remaining) any() bool { return len(l) > 0 }

func (l remaining) took(r *kgo.Record) {
	if end, ok := l[r.Partition]; ok && r.Offset >= end-1 {
		delete(l, r.Partition)
	}
}
