package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/riskpipe/riskpipe/operators"
	"github.com/riskpipe/riskpipe/pipeline"
	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

func newReplayCommand() *cobra.Command {
	var (
		in, out = []string{}, ""
		events  bool
		options replayOptions
	)
	c := &cobra.Command{
		Use:   "replay --in FILE… --out DIR",
		Short: "Run recorded raw records through the services' own code, without servers",
		Long: `replay normalises and scores recorded raw records in the order of their Kafka
times and writes what the services would have written:

  alerts.ndjson   every version of every alert
  risk.ndjson     every change of a risk score
  events.ndjson   with --events, the normalised events
  summary.json    what was read, rejected and found

With --labels, the labels.ndjson of riskpipe generate, it also says how many of the
people of whom alerts should tell were found, by scenario and by story, and who
else has alerts: on stderr, and in summary.json under detection. It counts, and
names nobody.

With --without it leaves a modifier or a booster out of all policies, to see what
it does: --without resignation scores as if nobody left, --without
unusual_for_user as if nobody had habits. That changes the hashes of the policies.

People out of scope (normalise.scope) are left out as the services leave them out,
and only counted in summary.json, under events_out_of_scope. Temporary scopes that are not
signed are not applied.

Input files hold one record a line as kcat -J prints it:
{"topic":"raw.signin","ts":1772442000123,"key":null,"payload":"…"}. Several files
are merged by ts. The same input gives the same output, byte for byte. Users are
pseudonyms; with --reveal they are the clear names, which the input holds anyway.`,
		Example: `  kcat -C -b broker:9092 -t raw.file -J -e > file.ndjson
  riskpipe replay --in signin.ndjson --in file.ndjson --in hr.ndjson --out result
  riskpipe generate --users 50 | riskpipe replay --in - --out result --reveal
  riskpipe replay --in records.ndjson --out plain --without resignation --policies policies/
  riskpipe replay --in records.ndjson --out result --labels labels.ndjson`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			in = append(in, args...)
			if len(in) == 0 || out == "" {
				return &exitError{exitRejects, errors.New("--in and --out are needed; see riskpipe replay --help")}
			}
			config, err := loadScoring(cmd)
			if err != nil {
				return err
			}
			r, err := newReplay(config, cmd.ErrOrStderr(), options)
			if err != nil {
				return err
			}
			return r.run(cmd.Context(), in, cmd.InOrStdin(), out, events)
		},
	}
	c.Flags().StringArrayVarP(&in, "in", "i", nil, "input `file`, - for standard input; may be given several times")
	c.Flags().StringVarP(&out, "out", "o", "", "output `folder`, made when it does not exist")
	c.Flags().BoolVar(&events, "events", false, "write the events, too")
	c.Flags().BoolVar(&options.reveal, "reveal", false, "name users in clear")
	c.Flags().StringArrayVar(&options.without, "without", nil, "leave the modifier or booster of the `name` out; may be given several times")
	c.Flags().StringVar(&options.labels, "labels", "", "compare the alerts with the labels in the `file`")
	addPoliciesFlag(c)
	return c
}

// replayOptions are what replay can do beside replaying.
type replayOptions struct {
	reveal  bool
	without []string
	labels  string
}

// replay is the chain of the services in one process, over memory.
type replay struct {
	config      Config
	talk        io.Writer
	reveal      bool
	names       map[schemas.Pseudonym]string
	resolver    *pipeline.Resolver
	normalisers map[schemas.Source]*pipeline.BatchNormaliser
	options     normalise.Options
	engine      *operators.Engine
	states      map[schemas.Pseudonym]*operators.State
	out         operators.Output
	summary     replaySummary
	alerts      map[schemas.UUID]schemas.Alert
	observer    *observer // nil without labels
}

// replayKey makes pseudonyms where no key is configured. It is public, so they
// hide names from nobody; who replays holds the names anyway.
const replayKey = "riskpipe replay without a configured pseudonym key"

func newReplay(config Config, talk io.Writer, o replayOptions) (*replay, error) {
	key, err := vault.NewKey(1, []byte(replayKey))
	if config.Pseudonym.Key != "" || config.Pseudonym.KeyFile != "" {
		key, err = config.Pseudonym.open()
	} else if !o.reveal {
		fmt.Fprintln(talk, "no pseudonym key is configured: pseudonyms are made with a public one")
	}
	if err != nil {
		return nil, err
	}
	r := &replay{
		config: config, talk: talk, reveal: o.reveal,
		names: map[schemas.Pseudonym]string{}, normalisers: map[schemas.Source]*pipeline.BatchNormaliser{},
		options: config.Normalise.options(key.Hash),
		states:  map[schemas.Pseudonym]*operators.State{}, alerts: map[schemas.UUID]schemas.Alert{},
	}
	if r.engine, err = config.Score.engine(o.without...); err != nil {
		return nil, err
	}
	events, err := schemas.NewCodec[schemas.Event](schemas.EventSchema)
	if err != nil {
		return nil, err
	}
	scope, err := config.scope(key)
	if err != nil {
		return nil, err
	}
	for _, problem := range scope.Unsigned() {
		fmt.Fprintln(talk, "a temporary scope is not applied:", problem)
	}
	deps := pipeline.ResolverDeps{
		Key: key, Names: pipeline.NewMemoryNames(), Events: events, Activity: normalise.DetectionActivity,
		Groups: pipeline.NewGroups(key, config.Normalise.groups()), Scope: scope,
	}
	if o.labels != "" {
		labels, err := readLabels(o.labels)
		if err != nil {
			return nil, err
		}
		r.observer = newObserver(labels)
		// Labels are in clear: they are compared in here, and nothing is written.
		deps.Named = func(user schemas.Pseudonym, name string) { r.observer.names[user] = name }
	}
	if o.reveal {
		observe := deps.Named
		deps.Named = func(user schemas.Pseudonym, name string) {
			r.names[user] = name
			if observe != nil {
				observe(user, name)
			}
		}
	}
	r.resolver, err = pipeline.NewResolver(pipeline.ResolverConfig{}, deps)
	return r, err
}

func (r *replay) run(ctx context.Context, in []string, stdin io.Reader, dir string, withEvents bool) (err error) {
	input, err := openRecorded(in, stdin)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, input.close()) }()
	w, err := newReplayOutput(dir, withEvents)
	if err != nil {
		return err
	}
	s := &r.summary
	*s = replaySummary{BySource: map[schemas.Source]int{}, Rejects: map[string]int{}, Skips: map[string]int{}, OutOfScope: map[pipeline.ScopeReason]int{}, Exclusions: map[string]int{}, BySeverity: map[string]int{}, Policies: r.engine.Hash()}
	bar := newProgress(r.talk, "replaying", "records", int64(len(input.lines)))
	defer bar.done()
	var batch pipeline.Batch
	for c, err := range input.all(r.config.Topics.names()) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return errors.Join(err, w.close())
		}
		bar.add(1)
		s.KafkaRecords++
		if c.source == "" {
			s.OtherTopics++
			continue
		}
		if err := r.normaliser(c.source).Process(ctx, c.source, []normalise.Raw{c.raw}, &batch); err != nil {
			return errors.Join(fmt.Errorf("normalising: %w", err), w.close())
		}
		r.count(&batch)
		for _, e := range batch.Events {
			r.score(&e.Event, w)
		}
	}
	s.Users, s.Alerts = len(r.states), len(r.alerts)
	for _, a := range r.alerts {
		s.BySeverity[string(a.Severity)]++
	}
	if r.observer != nil {
		s.Detection = r.observer.detection()
	}
	if err := errors.Join(w.summary(s), w.close()); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	bar.done()
	fmt.Fprintf(r.talk, "%d Kafka records: %d events, %d alerts in %d versions, %d risk changes → %s\n",
		s.KafkaRecords, s.Events, s.Alerts, s.Versions, s.RiskChanges, dir)
	if s.Detection != nil {
		s.Detection.tell(r.talk)
	}
	return nil
}

func (r *replay) normaliser(source schemas.Source) *pipeline.BatchNormaliser {
	n := r.normalisers[source]
	if n == nil {
		n = pipeline.NewBatchNormaliser(normalise.New(r.options), r.resolver)
		r.normalisers[source] = n
	}
	return n
}

func (r *replay) count(b *pipeline.Batch) {
	s := &r.summary
	s.Records += b.Records
	s.Events += len(b.Events)
	s.Unresolved += b.Unresolved
	for reason, n := range b.OutOfScope {
		s.OutOfScope[reason] += n
	}
	s.Conflicts += b.Conflicts
	for reason, n := range b.Skips {
		s.Skips[reason] += n
	}
	for _, rejected := range b.Rejected {
		for _, reject := range rejected.Rejects {
			s.Rejects[reject.Reason]++
		}
	}
	for _, e := range b.Events {
		s.BySource[e.Source]++
		if s.From == 0 || e.Time < s.From {
			s.From = e.Time
		}
		s.To = max(s.To, e.Time)
	}
}

// score folds one event and writes what comes of it.
func (r *replay) score(e *schemas.Event, w *replayOutput) {
	out := &r.out
	out.Reset()
	if r.observer != nil {
		r.observer.event(e)
	}
	state := r.states[e.User]
	if state == nil {
		state = &operators.State{}
	}
	r.engine.Score(state, e, out)
	if state.Changed() {
		r.states[e.User] = state
	}
	switch out.Disposition {
	case operators.Scored:
		r.summary.Scored++
	case operators.Duplicate:
		r.summary.Duplicates++
	case operators.Late:
		r.summary.Late++
	case operators.Excluded:
		r.summary.Excluded++
	case operators.Ignored:
	}
	for _, name := range out.Exclusions {
		r.summary.Exclusions[name]++
	}
	if w.events != nil {
		w.write(w.events, named[schemas.Event]{*e, r.user(e.User)})
	}
	for _, a := range out.Alerts {
		r.summary.Versions++
		r.alerts[a.ID] = a
		if r.observer != nil {
			r.observer.alert(&a)
		}
		w.write(w.alerts, named[schemas.Alert]{a, r.user(a.User)})
	}
	for _, risk := range out.Risks {
		r.summary.RiskChanges++
		w.write(w.risk, named[schemas.Risk]{risk, r.user(risk.User)})
	}
}

// user is how the output names a user.
func (r *replay) user(p schemas.Pseudonym) string {
	if name, known := r.names[p]; known {
		return name
	}
	return p.String()
}
