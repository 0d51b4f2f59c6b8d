package sink

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/deploy/embedded/servertest"
	"github.com/riskpipe/riskpipe/schemas"
)

// world is a Kafka, a migrated database and what publishes records.
type world struct {
	tb         testing.TB
	seeds      []string
	conn       Conn
	config     Config
	events     *schemas.Codec[schemas.Event]
	alerts     *schemas.Codec[schemas.Alert]
	risks      *schemas.Codec[schemas.Risk]
	identities *schemas.Codec[schemas.Identity]
	keys       *schemas.Codec[schemas.EvidenceKey]
	audits     *schemas.Codec[schemas.Audit]
	client     *kgo.Client
	metrics    *prometheus.Registry
}

func newWorld(tb testing.TB) *world {
	conn, database := openMigrated(tb)
	// A merge removes copies, and so would hide that they were written.
	if err := conn.Exec(tb.Context(), "SYSTEM STOP MERGES "+database+".activity"); err != nil {
		tb.Fatal(err)
	}
	name := servertest.Unique(tb)
	w := &world{
		tb: tb, seeds: servertest.TestKafka(tb), conn: conn, metrics: prometheus.NewRegistry(),
		config: Config{
			Database: database, Topics: schemas.Topics{Prefix: name + "."}, Group: name,
			FlushInterval: 50 * time.Millisecond, RetryMax: 100 * time.Millisecond,
		},
		events:     codec[schemas.Event](tb, schemas.EventSchema),
		alerts:     codec[schemas.Alert](tb, schemas.AlertSchema),
		risks:      codec[schemas.Risk](tb, schemas.RiskSchema),
		identities: codec[schemas.Identity](tb, schemas.IdentitySchema),
		keys:       codec[schemas.EvidenceKey](tb, schemas.EvidenceKeySchema),
		audits:     codec[schemas.Audit](tb, schemas.AuditSchema),
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(w.seeds...), kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(client.Close)
	w.client = client
	topics := w.config.Topics
	names := []string{topics.Events(), topics.Alerts(), topics.Risk(), topics.Identities(), topics.EvidenceKeys(), topics.Audit()}
	for _, topic := range names[:6] {
		names = append(names, topics.DeadLetter(topic))
	}
	admin := kadm.NewClient(client)
	created, err := admin.CreateTopics(tb.Context(), 4, 1, nil, names...)
	if err = errors.Join(err, created.Error()); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if _, err := admin.DeleteTopics(context.Background(), names...); err != nil {
			tb.Errorf("deleting topics: %v", err)
		}
	})
	return w
}

func codec[T schemas.Record](tb testing.TB, schema string) *schemas.Codec[T] {
	tb.Helper()
	c, err := schemas.NewCodec[T](schema)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func encode[T schemas.Record](tb testing.TB, c *schemas.Codec[T], v T) []byte {
	tb.Helper()
	b, err := c.Append(nil, &v)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// publish sends a record under the key of its user.
func (w *world) publish(topic string, user schemas.Pseudonym, value []byte) *kgo.Record {
	w.tb.Helper()
	r, err := w.client.ProduceSync(w.tb.Context(), &kgo.Record{Topic: topic, Key: []byte(user.String()), Value: value}).First()
	if err != nil {
		w.tb.Fatal(err)
	}
	return r
}

func (w *world) publishEvents(events ...schemas.Event) {
	w.tb.Helper()
	records := make([]*kgo.Record, len(events))
	for i, e := range events {
		records[i] = &kgo.Record{Topic: w.config.Topics.Events(), Key: []byte(e.User.String()), Value: encode(w.tb, w.events, e)}
	}
	if err := w.client.ProduceSync(w.tb.Context(), records...).FirstErr(); err != nil {
		w.tb.Fatal(err)
	}
}

func (w *world) sink(conn Conn) *Sink {
	w.tb.Helper()
	s, err := New(w.config, Deps{
		Logger: slog.New(slog.NewTextHandler(w.tb.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})), Conn: conn,
		Kafka:  []kgo.Opt{kgo.SeedBrokers(w.seeds...), kgo.MetadataMinAge(50 * time.Millisecond)},
		Events: w.events, Alerts: w.alerts, Risks: w.risks, Identities: w.identities, EvidenceKeys: w.keys, Audits: w.audits,
	})
	if err != nil {
		w.tb.Fatal(err)
	}
	return s
}

// run starts a sink; stop ends it and returns what Run returned.
func (w *world) run(conn Conn) (stop func() error) {
	w.tb.Helper()
	s := w.sink(conn)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	ended := false
	stop = func() error {
		if ended {
			return nil
		}
		ended = true
		cancel()
		return <-done
	}
	w.tb.Cleanup(func() { stop() })
	return stop
}

// waitFor polls until the query counts n.
func (w *world) waitFor(n uint64, query string) {
	w.tb.Helper()
	var got uint64
	eventually(w.tb, func() bool {
		got = count(w.tb, w.conn, query)
		return got == n
	}, func() string { return query + ": got " + itoa(got) + ", want " + itoa(n) })
}

func eventually(tb testing.TB, ok func() bool, otherwise func() string) {
	tb.Helper()
	for deadline := time.Now().Add(90 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			tb.Fatal(otherwise())
		}
	}
}

// flaky stands between the client and ClickHouse, and fails inserts as it is told.
type flaky struct {
	mode atomic.Int32
	hits atomic.Int32 // inserts that were failed
}

const (
	passing      int32 = iota
	refusing           // answers 503 and does nothing
	droppingDone       // does the work and loses the answer
)

// open returns a connection through it.
func (f *flaky) open(tb testing.TB) Conn {
	tb.Helper()
	target := &url.URL{Scheme: "http", Host: servertest.TestClickHouse(tb)}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ModifyResponse = func(r *http.Response) error {
		if f.mode.Load() == droppingDone && isInsert(r.Request) {
			f.hits.Add(1)
			return errors.New("the answer is lost")
		}
		return nil
	}
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { panic(http.ErrAbortHandler) }
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f.mode.Load() == refusing && isInsert(r) {
			f.hits.Add(1)
			http.Error(w, "no", http.StatusServiceUnavailable)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	tb.Cleanup(server.Close)
	conn, err := Open(tb.Context(), ClickHouseConfig{Addresses: []string{server.Listener.Addr().String()}, Protocol: "http"})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { conn.Close() })
	return conn
}

func isInsert(r *http.Request) bool { return r.URL.Query().Get("insert_deduplication_token") != "" }
