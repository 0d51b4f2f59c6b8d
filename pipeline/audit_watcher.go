package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

// AuditWatcherDeps are what the watcher works with; all but Metrics are needed.
type AuditWatcherDeps struct {
	Watch   *vault.AuditWatch
	Cluster []kgo.Opt
	Topics  schemas.Topics
	Log     *slog.Logger
	Metrics prometheus.Registerer // nil does without
}

// AuditWatcher gives the topic audit to a watch, from its first record on, and says
// which chains are broken. It pins what nobody pinned while no watcher ran; what
// comes then is for whoever keeps the watch pinned.
type AuditWatcher struct{ deps AuditWatcherDeps }

// NewAuditWatcher returns a watcher that is not running yet.
func NewAuditWatcher(deps AuditWatcherDeps) (*AuditWatcher, error) {
	if deps.Watch == nil || deps.Log == nil {
		return nil, errors.New("making the audit watcher: Watch and Log are needed")
	}
	c := &collectors{prefix: "riskpipe_audit_"}
	for name, gauge := range map[string]struct {
		help  string
		value func() float64
	}{
		"broken_chains": {
			"Chains of other writers on the audit topic that are not what was written; see riskpipe audit verify --kafka.",
			func() float64 { return float64(deps.Watch.BrokenChains()) },
		},
		"unpinned_records": {
			"Records of other writers on the audit topic that no checkpoint pins yet.",
			func() float64 { return float64(deps.Watch.UnpinnedRecords()) },
		},
	} {
		c.all = append(c.all, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: c.prefix + name, Help: gauge.help}, gauge.value))
	}
	return &AuditWatcher{deps}, c.register(deps.Metrics)
}

// Run watches until ctx ends. While Kafka is away it waits and says so once. It
// returns an error when the log of the watch takes no entries any more.
func (w *AuditWatcher) Run(ctx context.Context) error {
	codec, err := newAuditCodec()
	if err != nil {
		return err
	}
	topic := w.deps.Topics.Audit()
	client, err := kgo.NewClient(append(slices.Clip(w.deps.Cluster), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
	if err != nil {
		return fmt.Errorf("opening Kafka: %w", err)
	}
	defer client.Close()
	left, known := w.ends(ctx, client)
	if !known {
		return nil
	}
	if len(left) == 0 {
		if err := w.caughtUp(); err != nil {
			return err
		}
	}
	for failures := 0; ; {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			return nil
		}
		behind := len(left) > 0
		fetches.EachRecord(func(r *kgo.Record) {
			w.add(codec, r)
			if span, reading := left[r.Partition]; reading && r.Offset >= span.end-1 {
				delete(left, r.Partition)
			}
		})
		if behind && len(left) == 0 {
			if err := w.caughtUp(); err != nil {
				return err
			}
		}
		if err := fetches.Err(); err != nil {
			failures++
			w.away(ctx, failures, err)
			continue
		}
		failures = 0
	}
}

// ends returns where the topic ends, once Kafka says it; false when ctx ends before.
func (w *AuditWatcher) ends(ctx context.Context, client *kgo.Client) (map[int32]topicSpan, bool) {
	for failures := 1; ; failures++ {
		left, err := topicSpans(ctx, client, w.deps.Topics.Audit(), time.Time{})
		if err == nil || ctx.Err() != nil {
			return left, err == nil
		}
		w.away(ctx, failures, err)
	}
}

// away says once what keeps the topic from being read, and waits.
func (w *AuditWatcher) away(ctx context.Context, failures int, err error) {
	if failures == 1 {
		w.deps.Log.Warn("the audit topic cannot be read: chains of other services are not verified, nor pinned, until it can",
			"topic", w.deps.Topics.Audit(), "error", err)
	}
	select {
	case <-time.After(backoff(failures)):
	case <-ctx.Done():
	}
}

func (w *AuditWatcher) add(codec *schemas.Codec[schemas.Audit], r *kgo.Record) {
	var record schemas.Audit
	writer := string(r.Key)
	var link *vault.BrokenLink
	if err := decodeAudit(codec, r, &record); err != nil {
		link = w.deps.Watch.AddUnreadable(writer, err.Error())
	} else {
		link = w.deps.Watch.Add(record)
	}
	if link != nil {
		w.broken(writer, link)
	}
}

func (w *AuditWatcher) caughtUp() error {
	for _, report := range w.deps.Watch.CaughtUp() {
		w.broken(report.Writer, report.Broken)
	}
	return w.deps.Watch.Pin()
}

func (w *AuditWatcher) broken(writer string, link *vault.BrokenLink) {
	w.deps.Log.Error("an audit chain is broken, and is not pinned from there on; see riskpipe audit verify --kafka",
		"topic", w.deps.Topics.Audit(), "writer", writer, "record", link.Sequence, "fault", string(link.Fault), "reason", link.Reason)
}
