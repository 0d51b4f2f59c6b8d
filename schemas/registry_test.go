package schemas

import (
	"errors"
	"testing"

	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"
)

// With a registry, records carry the registered id, a codec that never saw the
// id looks it up, and records written without a registry are still read.
func TestCodec_Register(t *testing.T) {
	registry := srfake.New()
	defer registry.Close()
	client, err := sr.NewClient(sr.URLs(registry.URL()))
	if err != nil {
		t.Fatal(err)
	}
	writer, reader := codec[Event](t, EventSchema), codec[Event](t, EventSchema)
	e := fileEvent()
	before, err := writer.Append(nil, &e)
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.Register(t.Context(), client, "events"); err != nil {
		t.Fatal(err)
	}
	if err := reader.Register(t.Context(), client, "other"); err != nil {
		t.Fatal(err)
	}
	after, err := writer.Append(nil, &e)
	if err != nil {
		t.Fatal(err)
	}
	if after[0] != 0 {
		t.Errorf("magic byte is %x", after[0])
	}
	for _, b := range [][]byte{before, after} {
		var got Event
		if err := reader.Decode(b, &got); err != nil || got.ID != e.ID {
			t.Errorf("decoding %x…: %v", b[:5], err)
		}
	}
	unknown := append([]byte{0, 0, 0, 0xFF, 0xFF}, after[5:]...)
	var got Event
	if err := reader.Decode(unknown, &got); !errors.Is(err, ErrMalformed) {
		t.Errorf("an id that the registry does not know: %v", err)
	}
	subject, err := client.SchemaByVersion(t.Context(), "events-value", -1)
	if err != nil || subject.Schema.Schema == "" {
		t.Errorf("no schema under events-value: %v", err)
	}
}
