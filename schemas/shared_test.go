package schemas

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// Whatever was decoded before into the same event, nothing of it stays, in the records of every
// released schema; and nothing is written into what was decoded before.
func TestDecodeShared_reused(t *testing.T) {
	c := codec[Event](t, EventSchema)
	texts, err := released(c.schema)
	if err != nil {
		t.Fatal(err)
	}
	versions := []*Codec[Event]{c}
	for _, text := range texts {
		versions = append(versions, codec[Event](t, text))
	}
	events := []Event{fileEvent(), signInEvent(), markedEvent(), emailEvent(), healthEvent(), {Source: SourceUnknown, ActorType: ActorUnknown, Outcome: OutcomeUnknown}}
	rapid.Check(t, func(t *rapid.T) {
		var got Event
		lent := markedEvent()
		lent.SignIn, lent.Email, lent.Health = signInEvent().SignIn, emailEvent().Email, healthEvent().Health
		for range rapid.IntRange(1, 8).Draw(t, "records") {
			if rapid.Bool().Draw(t, "lend bodies") {
				got.Device, got.SourceIP, got.File = lent.Device, lent.SourceIP, lent.File
				got.SignIn, got.Email, got.Health = lent.SignIn, lent.Email, lent.Health
			}
			b, err := rapid.SampledFrom(versions).Draw(t, "version").Append(nil, new(rapid.SampledFrom(events).Draw(t, "event")))
			if err != nil {
				t.Fatal(err)
			}
			before := string(b)
			var want Event
			if err := c.Decode(b, &want); err != nil {
				t.Fatal(err)
			}
			if err := c.DecodeShared(b, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Fatal(diff)
			}
			if string(b) != before {
				t.Fatal("the record was written to")
			}
		}
	})
}
