package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
)

func newCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check signin|email|file|defender|hr [FILE]",
		Short: "Normalise upstream records from a file and show what becomes of each",
		Long: `check runs the normaliser's own code over records, one a line, from FILE or
standard input, and prints one line of JSON for each:

  {"record":1,"events":[…],"rejects":[{"index":0,"reason":"…"}],"skipped":[…]}

record counts lines from 1; index counts within the record's envelope from 0.
Users and evidence are in clear, and nobody is out of scope, since you hold the
input. A JSON file that
spans several lines is one record. For hr, lines may be CSV under a header line.

Exit status: 0 when nothing was rejected, 2 when something was.`,
		Example: `  riskpipe check signin signins.ndjson
  kcat -C -t raw.file -e | riskpipe check file | jq .rejects
  riskpipe check hr resignations.csv`,
		Args:              checkArguments,
		ValidArgsFunction: completeSource,
		RunE: func(cmd *cobra.Command, args []string) error {
			config, _, err := load(cmd)
			if err != nil {
				return err
			}
			in := cmd.InOrStdin()
			if len(args) > 1 && args[1] != "-" {
				file, err := os.Open(args[1])
				if err != nil {
					return fmt.Errorf("opening the input: %w", err)
				}
				defer file.Close()
				in = file
			}
			options := config.Normalise.options(func(string, string) schemas.Hash { return 0 })
			return check(in, cmd.OutOrStdout(), cmd.ErrOrStderr(), schemas.Source(args[0]), options, config.Normalise.groups())
		},
	}
}

func checkArguments(cmd *cobra.Command, args []string) error {
	if err := cobra.RangeArgs(1, 2)(cmd, args); err != nil {
		return &exitError{exitRejects, fmt.Errorf("%w; see riskpipe check --help", err)}
	}
	return sourceArgument(args[0])
}

func sourceArgument(name string) error {
	if slices.Contains(schemas.Sources(), schemas.Source(name)) {
		return nil
	}
	return &exitError{exitRejects, fmt.Errorf("%q is no source: want signin, email, file, defender or hr", name)}
}

func completeSource(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	var names []string
	for _, s := range schemas.Sources() {
		names = append(names, string(s))
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// checked is one line of check's output.
type checked struct {
	Record  int                `json:"record"`
	Events  []*normalise.Event `json:"events"`
	Rejects []normalise.Reject `json:"rejects"`
	Skipped []normalise.Skip   `json:"skipped"`
}

// check normalises every record of in and writes what it came to.
func check(in io.Reader, out, talk io.Writer, source schemas.Source, options normalise.Options, groups map[string][]string) error {
	var (
		mapper                          = normalise.New(options)
		result                          normalise.Result
		buffered                        = bufio.NewWriterSize(out, 1<<16)
		encoder                         = json.NewEncoder(buffered)
		records, events, rejects, skips int
	)
	encoder.SetEscapeHTML(false)
	for value, err := range recordsOf(in) {
		if err != nil {
			return errors.Join(fmt.Errorf("reading the input: %w", err), buffered.Flush())
		}
		records++
		raw := normalise.Raw{Topic: "raw." + string(source), Offset: int64(records - 1), Value: value}
		mapper.Map(source, raw, &result)
		if undated(result.Rejects) {
			// Directory rows of HR hold no date: they are known from when they
			// are published on, which here is now.
			raw.Time = schemas.TimeOf(time.Now())
			mapper.Map(source, raw, &result)
		}
		for i := range result.Events {
			result.Events[i].Groups = groups[result.Events[i].Actor.User()]
		}
		line := checked{records, orEmpty(result.Events), orEmpty(result.Rejects), orEmpty(result.Skips)}
		if err := encoder.Encode(line); err != nil {
			return fmt.Errorf("writing the output: %w", err)
		}
		events, rejects, skips = events+len(result.Events), rejects+len(result.Rejects), skips+len(result.Skips)
	}
	if err := buffered.Flush(); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	fmt.Fprintf(talk, "%d records: %d events, %d rejected, %d skipped\n", records, events, rejects, skips)
	if rejects > 0 {
		return &exitError{exitRejects, errors.New("")}
	}
	return nil
}

func undated(rejects []normalise.Reject) bool {
	return slices.ContainsFunc(rejects, func(r normalise.Reject) bool { return r.Reason == normalise.ReasonMissingTime })
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// recordsOf yields the records of a file: its lines, or the whole file when it
// is one JSON document written over several lines.
func recordsOf(in io.Reader) func(func([]byte, error) bool) {
	return func(yield func([]byte, error) bool) {
		r := bufio.NewReaderSize(in, 1<<20)
		head, _ := r.Peek(1 << 20)
		if spansLines(head) {
			text, err := io.ReadAll(r)
			if err != nil || json.Valid(text) {
				yield(text, err)
				return
			}
			r = bufio.NewReader(bytes.NewReader(text))
		}
		for {
			line, err := r.ReadBytes('\n')
			if len(bytes.TrimSpace(line)) > 0 && !yield(bytes.TrimRight(line, "\r\n"), nil) {
				return
			}
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// spansLines tells a document written over several lines from one a line: its
// first line opens a bracket and is no JSON by itself.
func spansLines(head []byte) bool {
	first, _, more := bytes.Cut(head, []byte("\n"))
	text := strings.TrimSpace(string(first))
	return more && (strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[")) && !json.Valid(first) && len(text) < 80
}
