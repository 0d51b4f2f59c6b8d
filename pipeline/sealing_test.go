package pipeline

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

// evident is plain with evidence: every event has a file of its own.
type evident struct{ plain }

func (m evident) Map(source schemas.Source, raw normalise.Raw, out *normalise.Result) {
	m.plain.Map(source, raw, out)
	for i := range out.Events {
		out.Events[i].Clear = evidenceOf(out.Events[i].ID)
	}
}

func evidenceOf(id schemas.UUID) schemas.Evidence {
	return schemas.Evidence{
		FileName: "merger <plan> " + id.String() + ".docx", Subject: "Übernahme", SourceIP: "203.0.113.7", Recipients: []string{"eve@rival.example"},
	}
}

// newSealing returns what normalisers seal with, and the vault's key.
func newSealing(t testing.TB) (*Sealing, *vault.PrivateKey) {
	t.Helper()
	key, _, err := vault.GeneratePrivateKey()
	keys, err2 := schemas.NewCodec[schemas.EvidenceKey](schemas.EvidenceKeySchema)
	identities, err3 := schemas.NewCodec[schemas.Identity](schemas.IdentitySchema)
	if err := errors.Join(err, err2, err3); err != nil {
		t.Fatal(err)
	}
	return &Sealing{Vault: key.Public(), Keys: keys, Identities: identities}, key
}

func newSealingNormaliser(t testing.TB, reach []kgo.Opt, sealing *Sealing) *Normaliser {
	t.Helper()
	n, err := NewNormaliser(NormaliserConfig{Source: schemas.SourceFile, BatchRecords: 50}, NormaliserDeps{
		Input: reach, Output: reach, Mapper: func() Mapper { return evident{} }, Resolver: newResolver(t, NewMemoryNames(), nil),
		Events: newCodecs(t).events, Sealing: sealing, Version: "test", Log: quiet,
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// dataKeys reads the topic of data keys, by id.
func dataKeys(t testing.TB, reach []kgo.Opt, codec *schemas.Codec[schemas.EvidenceKey]) map[string]schemas.EvidenceKey {
	t.Helper()
	keys := map[string]schemas.EvidenceKey{}
	for _, r := range readAll(t, reach, "evidence_keys") {
		var key schemas.EvidenceKey
		if err := codec.Decode(r.Value, &key); err != nil {
			t.Fatal(err)
		}
		if string(r.Key) != key.ID {
			t.Errorf("key %q of data key %s", r.Key, key.ID)
		}
		keys[key.ID] = key
	}
	return keys
}

// Every event's evidence opens in the vault to what the mapper saw, and every
// user's identity to their name, through refused writes and a restart; without
// the vault's key, nothing that is on the topics opens or shows a name.
func TestNormaliser_sealing(t *testing.T) {
	cluster, reach := newCluster(t)
	sealing, vaultKey := newSealing(t)
	for _, topic := range []string{"evidence_keys", "identities", "events"} {
		cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: topic, Err: kerr.InvalidRecord, Count: 2})
	}
	for restart := range 2 {
		publish(t, reach, rows(restart*100, 100)...)
		s := start(t, newSealingNormaliser(t, reach, sealing).Run)
		eventually(t, func() error { return committedAll(t, reach, "riskpipe-normalise-file", "raw.file") })
		s.end(t)
	}
	keys := dataKeys(t, reach, sealing.Keys)
	events := eventsOf(t, readAll(t, reach, "events"))
	if len(events) != 200 {
		t.Errorf("%d events", len(events))
	}
	ring, stranger := newRing(t, vaultKey), newRing(t, nil)
	opener := vault.NewEvidenceOpener(ring)
	users := map[schemas.Pseudonym]bool{}
	for _, e := range events {
		users[e.User] = true
		key := keys[e.EvidenceKey]
		clear, err := opener.Open(t.Context(), &key, e.User, e.ID, e.Evidence)
		if err != nil {
			t.Fatal(err)
		}
		got, err := schemas.ReadEvidence(clear)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(evidenceOf(e.ID), got); d != "" {
			t.Fatal(d)
		}
		if _, err := vault.NewEvidenceOpener(stranger).Open(t.Context(), &key, e.User, e.ID, e.Evidence); !errors.Is(err, vault.ErrUnknownVaultKey) {
			t.Fatalf("without the vault's key: %v", err)
		}
	}
	named := map[schemas.Pseudonym]string{}
	for _, r := range readAll(t, reach, "identities") {
		var sealed schemas.Identity
		if err := sealing.Identities.Decode(r.Value, &sealed); err != nil {
			t.Fatal(err)
		}
		if want := sealed.User.String() + "/file/upn"; string(r.Key) != want {
			t.Errorf("key %q, want %q", r.Key, want)
		}
		identity, err := vault.OpenIdentity(t.Context(), ring, &sealed)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := vault.OpenIdentity(t.Context(), stranger, &sealed); !errors.Is(err, vault.ErrUnknownVaultKey) {
			t.Fatalf("without the vault's key: %v", err)
		}
		if sealed.UpdatedTime == 0 || testKey(t).Pseudonym("upn:"+identity.UPN) != sealed.User {
			t.Errorf("identity of %s at %s", sealed.User, sealed.UpdatedTime)
		}
		named[sealed.User] = identity.UPN
	}
	if len(named) != 7 || len(users) != 7 {
		t.Errorf("%d identities of %d users", len(named), len(users))
	}
	for _, topic := range []string{"events", "evidence_keys", "identities"} {
		for _, r := range readAll(t, reach, topic) {
			for _, secret := range []string{"contoso", "merger", "Übernahme", "203.0.113.7", "rival"} {
				if strings.Contains(string(r.Key), secret) || strings.Contains(string(r.Value), secret) {
					t.Fatalf("%q shows on %s", secret, topic)
				}
			}
		}
	}
}

// newRing returns a keyring of the key, or of a stranger's.
func newRing(t testing.TB, key *vault.PrivateKey) *vault.Keyring {
	t.Helper()
	if key == nil {
		_, key = newSealing(t)
	}
	ring, err := vault.NewKeyring(key)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// While a data key or an identity is refused, no event that needs it is written.
func TestNormaliser_sealingOrder(t *testing.T) {
	for _, topic := range []string{"evidence_keys", "identities"} {
		t.Run(topic, func(t *testing.T) {
			cluster, reach := newCluster(t)
			sealing, _ := newSealing(t)
			refused := make(chan struct{}, 100)
			cluster.Fault(kfake.Fault{
				Keys: []kmsg.Key{kmsg.Produce}, Topic: topic, Err: kerr.InvalidRecord, Count: -1,
				When: func(kmsg.Request) bool {
					select {
					case refused <- struct{}{}:
					default:
					}
					return true
				},
			})
			publish(t, reach, rows(0, 40)...)
			s := start(t, newSealingNormaliser(t, reach, sealing).Run)
			for range 3 {
				select {
				case <-refused:
				case <-time.After(30 * time.Second):
					t.Fatal("it is not tried again")
				}
			}
			s.end(t)
			if n := len(readAll(t, reach, "events")); n != 0 {
				t.Errorf("%d events were written", n)
			}
		})
	}
}

// Without evidence nothing is sealed, a batch without events draws no key, and
// the key is written once for each hour.
func TestEvidenceSealer(t *testing.T) {
	sealing, _ := newSealing(t)
	now := time.Unix(1_700_000_000, 0)
	s := newEvidenceSealer(schemas.Topics{Prefix: "eu."}, sealing.Keys, vault.NewSealer(sealing.Vault), func() time.Time { return now })
	batch := func(evidence ...schemas.Evidence) *Batch {
		out := &Batch{}
		for i, clear := range evidence {
			out.add(&normalise.Event{Event: tinyEvent(0, int64(i))}, provenance{evidence: clear.Append(nil)})
		}
		return out
	}
	seal := func(out *Batch) *kgo.Record {
		t.Helper()
		r, err := s.seal(out)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := seal(batch()); r != nil {
		t.Error("a key for no event")
	}
	out := batch(schemas.Evidence{}, schemas.Evidence{URL: "https://a.example/?a&b"})
	first := seal(out)
	if first == nil || first.Topic != "eu.evidence_keys" || out.Events[0].Evidence != nil || out.Events[0].EvidenceKey != "" ||
		out.Events[1].EvidenceKey != string(first.Key) || out.Events[0].User == (schemas.Pseudonym{}) {
		t.Errorf("record %+v, events %+v", first, out.Events)
	}
	if again := seal(out); again == nil || string(again.Key) != string(first.Key) {
		t.Error("a key that was not acknowledged is not written again")
	}
	s.confirm()
	if r := seal(out); r != nil {
		t.Error("the key is written twice")
	}
	now = now.Add(time.Hour)
	if r := seal(out); r == nil || string(r.Key) == string(first.Key) {
		t.Error("the key outlives its hour")
	}
}

// One batch of 1,000 events of 100 people: what sealing costs an event.
func BenchmarkSealing(b *testing.B) {
	sealing, _ := newSealing(b)
	normaliser := NewBatchNormaliser(evident{}, newResolver(b, NewMemoryNames(), nil))
	normaliser.sealing = true
	var raws []normalise.Raw
	for i := range 1000 {
		raws = append(raws, normalise.Raw{Topic: "raw.file", Offset: int64(i), Time: 1, Value: fmt.Appendf(nil, `{"id":%d,"upn":"user%d@contoso.com"}`, i, i%100)})
	}
	var out Batch
	if err := normaliser.Process(b.Context(), schemas.SourceFile, raws, &out); err != nil {
		b.Fatal(err)
	}
	sealer, escrow := newEvidenceSealer(schemas.Topics{}, sealing.Keys, vault.NewSealer(sealing.Vault), time.Now), newEscrow(schemas.Topics{}, schemas.SourceFile, sealing, testKey(b))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := sealer.seal(&out); err != nil {
			b.Fatal(err)
		}
		escrow.confirm(escrow.collect(&out))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(raws)), "ns/event")
}
