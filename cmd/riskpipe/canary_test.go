package main

import (
	"bytes"
	"context"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

// syncBuffer is a log that services write side by side.
type syncBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *syncBuffer) bytes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Clone(b.buffer.Bytes())
}

// watched is an installation all of whose outputs are kept.
type watched struct {
	*live
	logs    syncBuffer
	metrics map[string]*prometheus.Registry // by service
}

// newWatched starts the services, each with the metrics that its process has.
func newWatched(t *testing.T) *watched {
	t.Helper()
	w := &watched{live: newLive(t), metrics: map[string]*prometheus.Registry{}}
	w.config.Normalise.InternalDomains = []string{canary + ".example"}
	w.config.Normalise.PoisonPercent = 100 // there is poison on purpose
	w.log = slog.New(slog.NewTextHandler(&w.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	ctx, stop := context.WithCancel(t.Context())
	w.stop = stop
	w.services, ctx = errgroup.WithContext(ctx)
	run := func(name string, start func(prometheus.Registerer) (service, error)) {
		registry := newRegistry()
		w.metrics[name] = registry
		w.services.Go(func() error {
			s, err := start(registry)
			if err != nil {
				return err
			}
			return s.Run(ctx)
		})
	}
	for _, source := range schemas.Sources() {
		run("normalise "+string(source), func(r prometheus.Registerer) (service, error) {
			return newNormaliser(ctx, w.config, w.log, r, source, w.redis)
		})
	}
	run("score", func(r prometheus.Registerer) (service, error) { return newScorer(ctx, w.config, w.log, r, w.redis) })
	run("sink", func(r prometheus.Registerer) (service, error) { return newSink(ctx, w.config, w.log, r, w.conn) })
	return w
}

// stored is one place where data rests, with all that it holds.
type stored struct {
	place string
	data  []byte
}

// everything yields all that the product wrote anywhere: it is what a thief of
// the servers would have. The raw topics are upstream's, and a dead letter is a
// raw record which nobody could read, so that nothing can be sealed in it: both
// are of the raw class, with its access and retention.
func (w *watched) everything() iter.Seq[stored] {
	return func(yield func(stored) bool) {
		for _, part := range []iter.Seq[stored]{w.kafka(), w.redisKeys(), w.clickHouse(), w.outputs()} {
			for s := range part {
				if !yield(s) {
					return
				}
			}
		}
	}
}

func (w *watched) kafka() iter.Seq[stored] {
	return func(yield func(stored) bool) {
		topics, err := w.admin.ListTopics(w.t.Context())
		if err != nil {
			w.t.Fatal(err)
		}
		names := w.config.Topics.names()
		raw := map[string]bool{}
		for _, source := range schemas.Sources() {
			raw[names.Raw(source)] = true
		}
		for _, topic := range topics.Names() {
			if !strings.HasPrefix(topic, w.config.Topics.Prefix) || raw[topic] || strings.HasPrefix(topic, names.DeadLetter("")) {
				continue
			}
			for _, r := range w.read(topic) {
				data := slices.Concat(r.Key, []byte{0}, r.Value)
				for _, h := range r.Headers {
					data = slices.Concat(data, []byte{0}, []byte(h.Key), []byte{0}, h.Value)
				}
				if !yield(stored{"Kafka " + strings.TrimPrefix(topic, w.config.Topics.Prefix), data}) {
					return
				}
			}
		}
	}
}

func (w *watched) redisClient() *redis.Client {
	client := redis.NewClient(&redis.Options{Addr: w.config.Redis.Addresses[0]})
	w.t.Cleanup(func() { client.Close() })
	return client
}

func (w *watched) redisKeys() iter.Seq[stored] {
	return func(yield func(stored) bool) {
		client, ctx := w.redisClient(), w.t.Context()
		keys := client.Scan(ctx, 0, w.config.Redis.Prefix+"*", 1000).Iterator()
		for keys.Next(ctx) {
			// Everything is a string; another type would fail here and be taught.
			value, err := client.Get(ctx, keys.Val()).Bytes()
			if err != nil {
				w.t.Fatalf("reading %s: %v", keys.Val(), err)
			}
			if !yield(stored{"Redis", slices.Concat([]byte(keys.Val()), []byte{0}, value)}) {
				return
			}
		}
		if err := keys.Err(); err != nil {
			w.t.Fatal(err)
		}
	}
}

// clickHouse yields every column of every table and view.
func (w *watched) clickHouse() iter.Seq[stored] {
	return func(yield func(stored) bool) {
		var columns []struct {
			Table  string `ch:"table"`
			Column string `ch:"name"`
		}
		const list = "SELECT table, name FROM system.columns WHERE database = currentDatabase() ORDER BY table, position"
		if err := w.conn.Select(w.t.Context(), &columns, list); err != nil {
			w.t.Fatal(err)
		}
		for _, c := range columns {
			rows, err := w.conn.Query(w.t.Context(), "SELECT DISTINCT ifNull(toString(`"+c.Column+"`), '') AS text FROM `"+c.Table+"`")
			if err != nil {
				w.t.Fatalf("%s.%s: %v", c.Table, c.Column, err)
			}
			for rows.Next() {
				var text string
				if err := rows.Scan(&text); err != nil {
					w.t.Fatal(err)
				}
				if !yield(stored{"ClickHouse " + c.Table + "." + c.Column, []byte(text)}) {
					rows.Close()
					return
				}
			}
			if err := rows.Err(); err != nil {
				w.t.Fatalf("%s.%s: %v", c.Table, c.Column, err)
			}
			rows.Close()
		}
	}
}

// outputs yields the logs and what /metrics answers.
func (w *watched) outputs() iter.Seq[stored] {
	return func(yield func(stored) bool) {
		if !yield(stored{"logs", w.logs.bytes()}) {
			return
		}
		for name, registry := range w.metrics {
			answer := httptest.NewRecorder()
			request := httptest.NewRequestWithContext(w.t.Context(), http.MethodGet, "/metrics", http.NoBody)
			adminHandler(registry, nil).ServeHTTP(answer, request)
			if !yield(stored{"metrics of " + name, answer.Body.Bytes()}) {
				return
			}
		}
	}
}

// leaks counts by place what of the canaries shows, with an example.
func (w *watched) leaks(s *canarySearch) (count map[string]int, example map[string]string, looked map[string]int) {
	count, example, looked = map[string]int{}, map[string]string{}, map[string]int{}
	for part := range w.everything() {
		store, _, _ := strings.Cut(part.place, " ")
		looked[store] += len(part.data)
		if found := s.in(part.data); found != "" {
			count[part.place]++
			example[part.place] = found
		}
	}
	return count, example, looked
}

// What is personal is nowhere but in sealed form, whichever feed it came by.
func TestCanary(t *testing.T) {
	w := newWatched(t)
	publisher, err := newPublisher(w.config)
	if err != nil {
		t.Fatal(err)
	}
	defer publisher.close()
	records := canaryRecords(t)
	for _, r := range records {
		if err := publisher.publish(t.Context(), r, r.Time.UTC()); err != nil {
			t.Fatal(err)
		}
	}
	if err := publisher.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.waitUntilRead()

	events := map[schemas.Source]int{}
	sealed := 0
	for _, e := range decoded[schemas.Event](t, w.live, schemas.EventSchema, w.config.Topics.names().Events()) {
		events[e.Source]++
		if e.Evidence != nil {
			sealed++
		}
	}
	total := 0
	for _, source := range schemas.Sources() {
		if events[source] == 0 {
			t.Errorf("no event of %s", source)
		}
		total += events[source]
	}
	t.Logf("%d records gave %d events %v, %d with evidence", len(records), total, events, sealed)
	if total < 10_000 {
		t.Errorf("%d events prove little, want 10000", total)
	}
	search := newCanarySearch(append(canaryAddresses(), canary)...)
	count, example, looked := w.leaks(search)
	t.Logf("looked through bytes: %v", looked)
	for place, n := range count {
		t.Errorf("%s: %d leaks, such as %s", place, n, example[place])
	}
	for _, store := range []string{"Kafka", "Redis", "ClickHouse", "logs", "metrics"} {
		if looked[store] == 0 {
			t.Errorf("nothing was looked at in %s", store)
		}
	}
	if !t.Failed() {
		w.stolen(t)
		w.leakEverywhere(t, search)
	}
}

// leakEverywhere proves the search: what leaks into a store is found there.
func (w *watched) leakEverywhere(t *testing.T, s *canarySearch) {
	ctx := t.Context()
	opts, err := w.config.Kafka.options()
	if err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(opts...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	names := w.config.Topics.names()
	if err := w.failure(); err != nil { // nobody reads the leaks
		t.Fatal(err)
	}
	topics := []string{names.Events(), names.Alerts(), names.Risk(), names.Identities(), names.EvidenceKeys()}
	for _, topic := range topics {
		if err := client.ProduceSync(ctx, &kgo.Record{Topic: topic, Key: []byte("k"), Value: []byte("Ada.ZQCanary")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.redisClient().Set(ctx, w.config.Redis.Prefix+"leak", "203.0.113.9", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if err := w.conn.Exec(ctx, "INSERT INTO activity (event_id, operation, time) VALUES (generateUUIDv4(), 'enFjYW5hcnk', now())"); err != nil {
		t.Fatal(err)
	}
	w.log.Debug("leak", "user", canary)
	counter := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "leak", Help: "A leak."}, []string{"user"})
	w.metrics["sink"].MustRegister(counter)
	counter.WithLabelValues(canary).Inc()

	count, _, _ := w.leaks(s)
	want := []string{"Redis", "ClickHouse activity.operation", "ClickHouse soc_timeline.operation", "logs", "metrics of sink"}
	for _, topic := range topics {
		want = append(want, "Kafka "+strings.TrimPrefix(topic, w.config.Topics.Prefix))
	}
	for _, place := range want {
		if count[place] != 1 {
			t.Errorf("%s: %d leaks were found, want the one made", place, count[place])
		}
	}
}

// stolen tries to open all that a thief has who took every server but the
// vault, and the pseudonym key with them; the vault opens it all.
func (w *watched) stolen(t *testing.T) {
	ctx := t.Context()
	names := w.config.Topics.names()
	keys := map[string]schemas.EvidenceKey{}
	for _, key := range decoded[schemas.EvidenceKey](t, w.live, schemas.EvidenceKeySchema, names.EvidenceKeys()) {
		keys[key.ID] = key
	}
	mine, err := vault.NewKeyring(w.vault)
	if err != nil {
		t.Fatal(err)
	}
	var thieves []vault.Opener
	for range 2 {
		other, _, err := vault.GeneratePrivateKey()
		if err != nil {
			t.Fatal(err)
		}
		thieves = append(thieves, impostor{other})
	}
	secret := pseudonymAsVaultKey(t, string(w.config.Pseudonym.Key))
	thieves = append(thieves, impostor{secret})

	identities := decoded[schemas.Identity](t, w.live, schemas.IdentitySchema, names.Identities())
	evidence := decoded[schemas.Event](t, w.live, schemas.EventSchema, names.Events())
	evidence = slices.DeleteFunc(evidence, func(e schemas.Event) bool { return e.Evidence == nil })
	opener := vault.NewEvidenceOpener(mine)
	branded := 0
	for _, e := range evidence {
		key := keys[e.EvidenceKey]
		text, err := opener.Open(ctx, &key, e.User, e.ID, e.Evidence)
		if err != nil {
			t.Fatalf("the vault: %v", err)
		}
		if bytes.Contains(bytes.ToLower(text), []byte(canary)) {
			branded++
		}
	}
	if len(keys) == 0 || len(identities) < 100 || branded < len(evidence)/2 {
		t.Errorf("%d data keys, %d identities, canaries in %d of %d evidences", len(keys), len(identities), branded, len(evidence))
	}
	facts := map[string]int{}
	for i := range identities {
		identity, err := vault.OpenIdentity(ctx, mine, &identities[i])
		if err != nil {
			t.Fatalf("the vault: %v", err)
		}
		for fact, text := range map[string]string{
			"upn": identity.UPN, "display_name": identity.DisplayName, "object_id": identity.ObjectID, "employee_id": identity.EmployeeID,
			"aliases": strings.Join(identity.Aliases, ""), "department": identity.Department, "manager": identity.Manager, "title": identity.Title,
		} {
			if text != "" {
				facts[fact]++
			}
		}
		for _, thief := range thieves {
			if _, err := vault.OpenIdentity(ctx, thief, &identities[i]); err == nil {
				t.Fatal("an identity opened without the vault")
			}
		}
	}
	for _, fact := range vault.RevealFields() {
		if facts[fact] == 0 {
			t.Errorf("no identity has a %s", fact)
		}
	}
	for _, thief := range thieves {
		opener := vault.NewEvidenceOpener(thief)
		for _, e := range evidence {
			key := keys[e.EvidenceKey]
			if _, err := opener.Open(ctx, &key, e.User, e.ID, e.Evidence); err == nil {
				t.Fatal("evidence opened without the vault")
			}
		}
	}
}

// impostor opens with its key whatever the record says it was sealed to.
type impostor struct{ key *vault.PrivateKey }

func (i impostor) Open(_ context.Context, _ string, sealed, additional []byte) ([]byte, error) {
	return i.key.Open(additional, sealed)
}

// pseudonymAsVaultKey is the pseudonym key's secret in the place of the vault's.
func pseudonymAsVaultKey(t *testing.T, text string) *vault.PrivateKey {
	t.Helper()
	_, encoded, _ := strings.Cut(text, ":")
	key, err := vault.ParsePrivateKey("rpvsecret1:" + encoded)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
