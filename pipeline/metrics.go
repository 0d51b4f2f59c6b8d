package pipeline

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// Buckets in seconds. Alerts are promised within a second of arrival; batches
// take milliseconds.
var (
	latencyBuckets = []float64{.025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600}
	delayBuckets   = []float64{1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 24 * 3600, 3 * 24 * 3600}
	batchBuckets   = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
)

// consumerMetrics are those of any service that reads a topic. They are counted
// by batch; no label tells a user.
type consumerMetrics struct {
	records  *prometheus.CounterVec // partition
	lag      *prometheus.GaugeVec   // partition
	behind   *prometheus.GaugeVec   // partition
	batch    prometheus.Histogram
	failures *prometheus.CounterVec // partition
}

type normaliserMetrics struct {
	consumerMetrics
	events     prometheus.Counter
	rejects    *prometheus.CounterVec // reason
	skips      *prometheus.CounterVec // reason
	letters    prometheus.Counter
	unresolved prometheus.Counter
	conflicts  prometheus.Counter
	dataKeys   prometheus.Counter
	identities prometheus.Counter
	upstream   prometheus.Counter
	outOfScope *prometheus.CounterVec // reason
	scope      *prometheus.GaugeVec   // digest
	temporary  *prometheus.GaugeVec   // state
}

type scorerMetrics struct {
	consumerMetrics
	events     *prometheus.CounterVec // disposition
	exclusions *prometheus.CounterVec // exclusion
	alerts     prometheus.Counter
	risks      prometheus.Counter
	letters    *prometheus.CounterVec // reason
	latency    prometheus.Histogram
	delay      prometheus.Histogram
	fenced     prometheus.Counter
	inDoubt    prometheus.Counter
	rewinds    prometheus.Counter
	gaps       prometheus.Counter
	cacheUsers *prometheus.GaugeVec     // partition
	redis      *prometheus.HistogramVec // operation
}

// collectors builds metrics of one component and registers them together.
type collectors struct {
	prefix string
	all    []prometheus.Collector
}

func (c *collectors) counter(name, help string) prometheus.Counter {
	m := prometheus.NewCounter(prometheus.CounterOpts{Name: c.prefix + name, Help: help})
	c.all = append(c.all, m)
	return m
}

func (c *collectors) counters(name, help, label string) *prometheus.CounterVec {
	m := prometheus.NewCounterVec(prometheus.CounterOpts{Name: c.prefix + name, Help: help}, []string{label})
	c.all = append(c.all, m)
	return m
}

func (c *collectors) gauges(name, help, label string) *prometheus.GaugeVec {
	m := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: c.prefix + name, Help: help}, []string{label})
	c.all = append(c.all, m)
	return m
}

func (c *collectors) histogram(name, help string, buckets []float64) prometheus.Histogram {
	m := prometheus.NewHistogram(prometheus.HistogramOpts{Name: c.prefix + name, Help: help, Buckets: buckets})
	c.all = append(c.all, m)
	return m
}

func (c *collectors) histograms(name, help, label string, buckets []float64) *prometheus.HistogramVec {
	m := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: c.prefix + name, Help: help, Buckets: buckets}, []string{label})
	c.all = append(c.all, m)
	return m
}

func (c *collectors) consumer() consumerMetrics {
	return consumerMetrics{
		records:  c.counters("records_consumed_total", "Records read and done with.", "partition"),
		lag:      c.gauges("lag_records", "Records that the partition has beyond those done with.", "partition"),
		behind:   c.gauges("lag_seconds", "Age of the newest record done with, 0 when none waits.", "partition"),
		batch:    c.histogram("batch_seconds", "Time to process what one poll brought for one partition.", batchBuckets),
		failures: c.counters("partition_failures_total", "Times a partition was put back to be tried again.", "partition"),
	}
}

// register registers all on r, which may be nil for none.
func (c *collectors) register(r prometheus.Registerer) error {
	if r == nil {
		return nil
	}
	var problems []error
	for _, m := range c.all {
		problems = append(problems, r.Register(m))
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("registering the metrics %s…: %w", c.prefix, err)
	}
	return nil
}

// newNormaliserMetrics labels all with the source, so that several normalisers
// can live in one process.
func newNormaliserMetrics(r prometheus.Registerer, source string) (*normaliserMetrics, error) {
	c := &collectors{prefix: "riskpipe_normalise_"}
	m := &normaliserMetrics{
		consumerMetrics: c.consumer(),
		events:          c.counter("events_produced_total", "Events written to the events topic."),
		rejects:         c.counters("rejects_total", "Upstream records that could not be normalised.", "reason"),
		skips:           c.counters("skips_total", "Sound upstream records that give no event.", "reason"),
		letters:         c.counter("dead_letters_total", "Kafka records written to the dead letters."),
		unresolved:      c.counter("identities_unresolved_total", "Events of people whose UPN is not known."),
		conflicts:       c.counter("alias_conflicts_total", "Names taught for one user that belong to another."),
		dataKeys:        c.counter("data_keys_written_total", "Data keys drawn, sealed to the vault and written."),
		identities:      c.counter("identities_written_total", "Identities sealed to the vault and written; ones of which more is known count again."),
		upstream:        c.counter("upstream_records_total", "Upstream records in the Kafka records read; an envelope holds many."),
		outOfScope:      c.counters("out_of_scope_total", "Events dropped because whom they are about is out of scope.", "reason"),
		scope:           c.gauges("scope_info", "1 for the digest of the scope in force.", "digest"),
		temporary:       c.gauges("temporary_scopes", "Temporary scopes: ahead, in_force, ended, and unsigned, which are not applied.", "state"),
	}
	if r != nil {
		r = prometheus.WrapRegistererWith(prometheus.Labels{"source": source}, r)
	}
	return m, c.register(r)
}

func newScorerMetrics(r prometheus.Registerer) (*scorerMetrics, error) {
	c := &collectors{prefix: "riskpipe_score_"}
	m := &scorerMetrics{
		consumerMetrics: c.consumer(),
		events:          c.counters("events_total", "Events by what became of them: scored, duplicate, ignored, late, excluded, nobody, dead_letter.", "disposition"),
		exclusions:      c.counters("exclusions_total", "Counts that an exclusion kept from being made: a blind spot, on purpose.", "exclusion"),
		alerts:          c.counter("alerts_produced_total", "Alert versions written; re-written ones count again."),
		risks:           c.counter("risks_produced_total", "Risk changes written; re-written ones count again."),
		letters:         c.counters("dead_letters_total", "Events written to the dead letters.", "reason"),
		latency:         c.histogram("alert_latency_seconds", "From the raw record's arrival on Kafka to the acknowledged alert.", latencyBuckets),
		delay:           c.histogram("alert_event_delay_seconds", "From the event's own time to the acknowledged alert.", delayBuckets),
		fenced:          c.counter("fenced_total", "Batches given up because the partition's fence had changed."),
		inDoubt:         c.counter("commits_in_doubt_total", "Commits of state whose outcome had to be read back."),
		rewinds:         c.counter("rewinds_total", "Claims that went back to an older position: the store had lost writes."),
		gaps:            c.counter("offset_gaps_total", "Jumps in the offsets read: records that are gone."),
		cacheUsers:      c.gauges("cached_users", "Users whose state is in memory.", "partition"),
		redis:           c.histograms("redis_seconds", "Time of one operation on the state store.", "operation", batchBuckets),
	}
	return m, c.register(r)
}
