package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
)

// payload stands in every field of the raw records of these tests.
const payload = "ZQPAYLOAD"

// sharedLog is a log that goroutines write side by side.
type sharedLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *sharedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *sharedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// spoiledRecords are records of every feed which are malformed in some way and
// full of the payload.
func spoiledRecords() []string {
	const p = payload
	return []string{
		p, `{"` + p, `["` + p + `"]`, "\xff" + p, p + "," + p + "\n\"" + p, `"` + p + `"`,
		`{"Id":"` + p + `","CreationTime":"` + p + `","RecordType":6,"Operation":"` + p + `","UserId":"` + p + `","ObjectId":"` + p + `"}`,
		`{"Id":"` + p + `","CreationTime":"` + p + `","RecordType":2,"Operation":"Send","UserId":"` + p + `","Item":{"Subject":"` + p + `"}}`,
		`{"records":[{"category":"SignInLogs","properties":{"id":"` + p + `","createdDateTime":"` + p + `","userPrincipalName":"` + p + `"}},"` + p + `"]}`,
		`{"records":[{"category":"AdvancedHunting-DeviceFileEvents","properties":{"Timestamp":"` + p + `","ActionType":"FileCreated","FileName":"` + p + `","AdditionalFields":"` + p + `"}}]}`,
		`{"HRScenario":"` + p + `","EmailAddress":"` + p + `","ResignationDate":"` + p + `"}`,
		`{"EmailAddress":"ida@contoso.com","ResignationDate":"` + p + `","Remarks":"` + p + `"}`,
		strings.Repeat(`{"`+p+`":[`, 100), `{"` + p + `":"` + strings.Repeat(p, 20_000) + `"}`,
	}
}

// Whatever is wrong with a raw record, of its bytes nothing is in the headers that
// its dead letter gets, in the log, or in the error that stops the service; the
// letter's own key and value are the original's.
func TestNormaliser_payloadStays(t *testing.T) {
	for _, source := range schemas.Sources() {
		t.Run(string(source), func(t *testing.T) {
			topic := "raw." + string(source)
			_, reach := newCluster(t, kfake.SeedTopics(1, topic))
			client := newClient(t, reach)
			var log sharedLog
			run := func(percent int) *service {
				n, err := NewNormaliser(NormaliserConfig{Source: source, Breaker: BreakerConfig{Percent: percent, MinRecords: 1}}, NormaliserDeps{
					Input: reach, Output: reach, Resolver: newResolver(t, NewMemoryNames(), nil), Events: newCodecs(t).events, Version: "test",
					Mapper: func() Mapper {
						return normalise.New(normalise.Options{Hash: testKey(t).Hash, Limits: normalise.Limits{Bytes: 64 << 10}})
					},
					Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
				})
				if err != nil {
					t.Fatal(err)
				}
				return start(t, n.Run)
			}
			for i, value := range spoiledRecords() {
				r := &kgo.Record{Topic: topic, Key: fmt.Append(nil, payload, i), Value: []byte(value)}
				if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
					t.Fatal(err)
				}
			}
			s := run(1)
			err := s.wait(t)
			if !errors.Is(err, ErrSchemaBreak) || strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), payload) {
				t.Errorf("it stops with %v", err)
			}
			s = run(101)
			eventually(t, func() error { return committedAll(t, reach, "riskpipe-normalise-"+string(source), topic) })
			s.end(t)
			letters := readAll(t, reach, "dlq."+topic)
			if len(letters) < len(spoiledRecords())/2 {
				t.Errorf("%d dead letters of %d records", len(letters), len(spoiledRecords()))
			}
			for _, r := range letters {
				if !strings.Contains(string(r.Key)+string(r.Value), payload) {
					t.Errorf("not the original's bytes: %.100s", r.Value)
				}
				for _, h := range r.Headers {
					if strings.Contains(strings.ToUpper(h.Key+string(h.Value)), payload) {
						t.Errorf("header %s quotes the record: %s", h.Key, h.Value)
					}
				}
			}
			if text := log.String(); text == "" || strings.Contains(strings.ToUpper(text), payload) {
				t.Errorf("the log is silent, or quotes a record:\n%s", text)
			}
		})
	}
}

// slip maps every record to an event with a value that the schema does not know,
// as a mistake in the mapping would.
type slip struct{ plain }

func (m slip) Map(source schemas.Source, raw normalise.Raw, out *normalise.Result) {
	m.plain.Map(source, raw, out)
	for i := range out.Events {
		out.Events[i].Outcome = payload
	}
}

// Not even a mistake in the mapping gets the payload into a header.
func TestNormaliser_unencodableStays(t *testing.T) {
	_, reach := newCluster(t)
	n, err := NewNormaliser(NormaliserConfig{Source: schemas.SourceFile}, NormaliserDeps{
		Input: reach, Output: reach, Mapper: func() Mapper { return slip{} }, Resolver: newResolver(t, NewMemoryNames(), nil),
		Events: newCodecs(t).events, Version: "test", Log: quiet,
	})
	if err != nil {
		t.Fatal(err)
	}
	publish(t, reach, rows(0, 3)...)
	s := start(t, func(ctx context.Context) error { return n.Run(ctx) })
	eventually(t, func() error { return committedAll(t, reach, "riskpipe-normalise-file", "raw.file") })
	s.end(t)
	letters := readAll(t, reach, "dlq.raw.file")
	if len(letters) != 3 {
		t.Fatalf("%d dead letters", len(letters))
	}
	for _, h := range letters[0].Headers {
		if strings.Contains(string(h.Value), payload) || h.Key == HeaderError && !strings.Contains(string(h.Value), "field outcome") {
			t.Errorf("%s: %s", h.Key, h.Value)
		}
	}
}
