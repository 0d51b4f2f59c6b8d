package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/valyala/fastjson"

	"github.com/riskpipe/riskpipe/deploy/tenant"
	"github.com/riskpipe/riskpipe/schemas"
)

// generateOptions are the flags of generate.
type generateOptions struct {
	tenant  tenant.Options
	start   string
	out     string
	split   string
	labels  string
	groups  string
	topics  []string
	publish bool
}

func newGenerateCommand() *cobra.Command {
	var o generateOptions
	c := &cobra.Command{
		Use:   "generate",
		Short: "Invent an organisation and what its systems publish",
		Long: `generate writes the raw records of a made-up organisation in the shapes that the
real systems publish, one a line as kcat -J prints them and in order of their
Kafka times:

  {"topic":"raw.signin","ts":1772442000123,"key":null,"payload":"…"}

Some of its people do harm, others only look as if; --labels says who, a line
each:

  {"user":"ada@…","kind":"theft","scenario":"data_theft_departing_user","story":"leaver_theft","from":"…","to":"…"}

An alert is due for the kinds theft and misuse, and none for benign. scenario is
the policy template that is to find the person, or that a benign one might
deceive. With 100 people or more every template has some of both. --groups
writes the organisation's groups, priority users among them, as a list for the
setting normalise.groups.

The same flags give the same bytes. With --publish the records go to the raw
topics instead.`,
		Example: `  riskpipe generate --users 50 | riskpipe replay --in - --out result --reveal
  riskpipe generate --split records --labels labels.ndjson --groups groups.yaml
  riskpipe generate --topic hr --days 7 | jq -r .payload
  riskpipe generate --publish`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, _, err := load(cmd)
			if err != nil {
				return err
			}
			return generate(cmd.Context(), config, o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := c.Flags()
	f.Uint64Var(&o.tenant.Seed, "seed", 1, "another seed is another organisation")
	f.IntVar(&o.tenant.Users, "users", 300, "people in it")
	f.IntVar(&o.tenant.Days, "days", 42, "days of work")
	f.StringVar(&o.start, "start", "", "first `day` (default 2026-03-02; with --publish, such that the last day is three days ago)")
	f.StringVar(&o.tenant.Domain, "domain", "contoso.example", "its mail `domain`; set normalise.internal_domains to the same")
	f.Float64Var(&o.tenant.Density, "density", 1, "how much everyday work there is; stories stay as they are")
	f.StringVarP(&o.out, "out", "o", "-", "`file` to write, - for standard output")
	f.StringVar(&o.split, "split", "", "`folder` to write a file a topic into, instead of --out")
	f.StringVar(&o.labels, "labels", "", "`file` to write who is who into, one JSON object a line")
	f.StringVar(&o.groups, "groups", "", "`file` to write the groups into, for normalise.groups; YAML that is JSON, too")
	f.StringSliceVar(&o.topics, "topic", nil, "only these `topics`: signin, email, file, defender, hr, or their full names")
	f.BoolVar(&o.publish, "publish", false, "publish to the raw topics instead of writing")
	c.MarkFlagsMutuallyExclusive("out", "split", "publish")
	return c
}

func generate(ctx context.Context, config Config, o generateOptions, out, talk io.Writer) error {
	start, err := o.firstDay(time.Now())
	if err != nil {
		return &exitError{exitRejects, err}
	}
	sources, err := sourcesOf(config.Topics.names(), o.topics)
	if err != nil {
		return &exitError{exitRejects, err}
	}
	o.tenant.Start = start
	company, err := tenant.New(o.tenant)
	if err != nil {
		return &exitError{exitRejects, err}
	}
	if o.labels != "" {
		if err := writeLabels(o.labels, company.Labels()); err != nil {
			return err
		}
	}
	if o.groups != "" {
		if err := writeGroups(o.groups, company.Groups()); err != nil {
			return err
		}
	}
	records := onlyFrom(company.Records(), sources)
	if o.publish {
		total := int64(0)
		for range records { // to invent them is quick beside publishing them
			total++
		}
		bar := newProgress(talk, "publishing", "records", total)
		defer bar.done()
		if err := publishTenant(ctx, config, records, bar); err != nil {
			return err
		}
		bar.done()
		fmt.Fprintf(talk, "%d records published\n", total)
		return nil
	}
	return writeRecords(ctx, config.Topics.names(), records, o, out, talk)
}

// firstDay is the tenant's first day. What is published should be of late: tables
// forget old rows.
func (o generateOptions) firstDay(now time.Time) (time.Time, error) {
	switch {
	case o.start == "" && o.publish:
		return now.UTC().AddDate(0, 0, -o.tenant.Days-3), nil // the last records come two days late
	case o.start == "":
		return time.Date(2026, time.March, 2, 0, 0, 0, 0, time.UTC), nil
	}
	start, err := time.Parse(time.DateOnly, o.start)
	if err != nil {
		return time.Time{}, fmt.Errorf("--start is %q: want a day such as 2026-03-02", o.start)
	}
	return start, nil
}

// sourcesOf reads names of raw topics, short or full; none is all.
func sourcesOf(topics schemas.Topics, names []string) ([]schemas.Source, error) {
	if len(names) == 0 {
		return schemas.Sources(), nil
	}
	var (
		sources  []schemas.Source
		problems []error
	)
	for _, name := range names {
		source := schemas.Source(strings.TrimPrefix(strings.TrimPrefix(name, topics.Prefix), "raw."))
		if err := sourceArgument(string(source)); err != nil {
			problems = append(problems, err)
			continue
		}
		sources = append(sources, source)
	}
	return sources, errors.Join(problems...)
}

func onlyFrom(records iter.Seq[tenant.Record], sources []schemas.Source) iter.Seq[tenant.Record] {
	return func(yield func(tenant.Record) bool) {
		for r := range records {
			if slices.Contains(sources, r.Source) && !yield(r) {
				return
			}
		}
	}
}

// writeRecords writes the records to one place, or to a file a topic.
func writeRecords(ctx context.Context, topics schemas.Topics, records iter.Seq[tenant.Record], o generateOptions, out, talk io.Writer) (err error) {
	files := recordFiles{writers: map[schemas.Source]*bufio.Writer{}}
	defer func() { err = errors.Join(err, files.close()) }()
	switch {
	case o.split != "":
		err = files.split(o.split)
	case o.out == "-":
		files.all(bufio.NewWriterSize(out, 1<<18))
	default:
		var w *bufio.Writer
		if w, err = files.create(o.out); err == nil {
			files.all(w)
		}
	}
	if err != nil {
		return err
	}
	bar := newProgress(talk, "generating", "days", int64(o.tenant.Days))
	defer bar.done()
	first := schemas.TimeOf(o.tenant.Start)
	var line []byte
	for r := range records {
		if err := ctx.Err(); err != nil {
			return err
		}
		day := int64(r.Time-first) / (24 * time.Hour).Milliseconds()
		bar.set(min(day, int64(o.tenant.Days)))
		line = appendConsumed(line[:0], topics.Raw(r.Source), r)
		if _, err := files.writers[r.Source].Write(line); err != nil {
			return fmt.Errorf("writing the records: %w", err)
		}
	}
	return nil
}

// appendConsumed appends a record as kcat -J prints it.
func appendConsumed(b []byte, topic string, r tenant.Record) []byte {
	var arena fastjson.Arena
	b = append(b, `{"topic":`...)
	b = arena.NewString(topic).MarshalTo(b)
	b = append(b, `,"ts":`...)
	b = strconv.AppendInt(b, int64(r.Time), 10)
	b = append(b, `,"key":null,"payload":`...)
	b = arena.NewStringBytes(r.Value).MarshalTo(b)
	return append(b, "}\n"...)
}

// recordFiles are where records of each source go, perhaps all to one.
type recordFiles struct {
	writers map[schemas.Source]*bufio.Writer
	files   []*os.File
}

func (f *recordFiles) create(path string) (*bufio.Writer, error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("making the output: %w", err)
	}
	f.files = append(f.files, file)
	return bufio.NewWriterSize(file, 1<<18), nil
}

func (f *recordFiles) all(w *bufio.Writer) {
	for _, s := range schemas.Sources() {
		f.writers[s] = w
	}
}

// split makes a file for each topic, named by its source.
func (f *recordFiles) split(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making the output folder: %w", err)
	}
	for _, s := range schemas.Sources() {
		w, err := f.create(filepath.Join(dir, string(s)+".ndjson"))
		if err != nil {
			return err
		}
		f.writers[s] = w
	}
	return nil
}

// close flushes and closes. Flushing a shared writer again does nothing.
func (f *recordFiles) close() error {
	var problems []error
	for _, s := range schemas.Sources() {
		if w := f.writers[s]; w != nil {
			problems = append(problems, w.Flush())
		}
	}
	for _, file := range f.files {
		problems = append(problems, file.Close())
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("writing the records: %w", err)
	}
	return nil
}

// namedGroup is an element of the setting normalise.groups.
type namedGroup struct {
	Name  string   `json:"name"`
	Users []string `json:"users"`
}

// writeGroups writes groups in the order of their names. JSON is YAML as well,
// so that one form serves both.
func writeGroups(path string, groups map[string][]string) error {
	list := make([]namedGroup, 0, len(groups))
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		list = append(list, namedGroup{Name: name, Users: groups[name]})
	}
	text, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the groups: %w", err)
	}
	if err := os.WriteFile(path, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("writing the groups: %w", err)
	}
	return nil
}

func writeLabels(path string, labels []tenant.Label) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("making the labels: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	encoder := json.NewEncoder(file)
	for _, l := range labels {
		if err := encoder.Encode(l); err != nil {
			return fmt.Errorf("writing the labels: %w", err)
		}
	}
	return nil
}
