package sink

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are counted per block, and have no label that could tell of a person.
type metrics struct {
	rows        *prometheus.CounterVec   // topic
	events      *prometheus.CounterVec   // source
	batches     *prometheus.CounterVec   // topic
	insert      *prometheus.HistogramVec // topic
	latency     *prometheus.HistogramVec // topic
	errors      *prometheus.CounterVec   // stage, class
	deadLetters *prometheus.CounterVec   // topic, reason
	lag         *lag
}

func newMetrics(registerer prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "riskpipe_sink_" + name, Help: help}, labels)
	}
	m := &metrics{
		rows:    counter("rows_total", "Rows written to ClickHouse.", "topic"),
		events:  counter("events_total", "Activities written to ClickHouse, by feed.", "source"),
		batches: counter("batches_total", "Blocks written to ClickHouse.", "topic"),
		insert: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "riskpipe_sink_insert_seconds", Help: "Time to fill and insert one block.",
			Buckets: prometheus.ExponentialBuckets(0.005, 2, 14),
		}, []string{"topic"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "riskpipe_sink_latency_seconds",
			Help:    "Time from the raw record reaching Kafka to its row, for the oldest row of each block.",
			Buckets: []float64{0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 300, 900, 3600, 86400},
		}, []string{"topic"}),
		errors:      counter("errors_total", "Attempts that failed.", "stage", "class"),
		deadLetters: counter("dead_letters_total", "Records sent to a dead-letter topic.", "topic", "reason"),
		lag:         newLag(),
	}
	// A counter that appears with its first count hides that count from rate().
	for _, stage := range []string{stageInsert, stageCommit, stageDeadLetter, stagePoll} {
		m.errors.WithLabelValues(stage, "transient")
		m.errors.WithLabelValues(stage, "fatal")
	}
	if registerer == nil {
		return m, nil
	}
	var problems []error
	for _, c := range []prometheus.Collector{m.rows, m.events, m.batches, m.insert, m.latency, m.errors, m.deadLetters, m.lag} {
		problems = append(problems, registerer.Register(c))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("registering metrics: %w", err)
	}
	return m, nil
}

// Stages that can fail.
const (
	stagePoll       = "poll"
	stageInsert     = "insert"
	stageCommit     = "commit"
	stageDeadLetter = "dead_letter"
)

func (m *metrics) failed(stage string, err error) {
	class := "transient"
	if isFatal(err) {
		class = "fatal"
	}
	m.errors.WithLabelValues(stage, class).Inc()
}

// lag is worked out when it is asked for: while nothing moves, its seconds must grow.
type lag struct {
	records, seconds *prometheus.Desc

	mu         sync.Mutex
	partitions map[topicPartition]waiting
}

type topicPartition struct {
	topic string
	id    int32
}

// waiting is what a partition has to write yet.
type waiting struct {
	records int64
	oldest  time.Time // of the records read; zero without any
}

func newLag() *lag {
	labels := []string{"topic", "partition"}
	return &lag{
		records: prometheus.NewDesc("riskpipe_sink_lag_records",
			"Records behind the end of the partition that are not written yet.", labels, nil),
		seconds: prometheus.NewDesc("riskpipe_sink_lag_seconds",
			"Age of the oldest record that was read and is not written yet, 0 without any.", labels, nil),
		partitions: map[topicPartition]waiting{},
	}
}

// set replaces all partitions by those given.
func (l *lag) set(partitions map[topicPartition]*partition) {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.partitions)
	for key, p := range partitions {
		var w waiting
		if p.committed >= 0 {
			w.records = max(0, p.end-p.committed)
		}
		if len(p.records) > 0 {
			w.oldest = p.records[0].Timestamp
			w.records = max(w.records, int64(len(p.records)))
		}
		l.partitions[key] = w
	}
}

// Describe implements prometheus.Collector.
func (l *lag) Describe(out chan<- *prometheus.Desc) {
	out <- l.records
	out <- l.seconds
}

// Collect implements prometheus.Collector.
func (l *lag) Collect(out chan<- prometheus.Metric) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, w := range l.partitions {
		age := 0.0
		if !w.oldest.IsZero() {
			age = max(0, time.Since(w.oldest).Seconds())
		}
		id := strconv.Itoa(int(key.id))
		out <- prometheus.MustNewConstMetric(l.records, prometheus.GaugeValue, float64(w.records), key.topic, id)
		out <- prometheus.MustNewConstMetric(l.seconds, prometheus.GaugeValue, age, key.topic, id)
	}
}
