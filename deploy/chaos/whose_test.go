package chaos

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/deploy/tenant"
	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/vault"
)

// Partitions are read side by side, those of who is who as well. Whichever comes
// first, an event belongs to somebody whom the comparison permits; nobody else is
// permitted.
func TestNormaliseCleanly_users(t *testing.T) {
	const seed = 2
	company, err := tenant.New(tenant.Options{Seed: seed, Users: 110, Days: 2, Domain: domain, Density: 0.5})
	if err != nil {
		t.Fatal(err)
	}
	in := &installation{groups: company.Groups()}
	if in.key, err = vault.ParseKey(keyOf(seed)); err != nil {
		t.Fatal(err)
	}
	options := normalise.Options{Hash: in.key.Hash, Domains: normalise.NewDomains(map[string][]string{normalise.ClassInternal: {domain}})}
	c := newCodecs(t)
	l := newLoad(company, in.topics, rand.New(rand.NewPCG(seed, 3)), 0)
	raw, directory := lying(l.directory), map[string]map[int32]int64{}
	for topic, partitions := range raw {
		directory[topic] = map[int32]int64{}
		for partition, records := range partitions {
			directory[topic][partition] = int64(len(records))
		}
	}
	known, _ := byPartition(raw, directory)
	if len(known) != rawPartitions {
		t.Fatalf("who is who lies in %d partitions, want %d", len(known), rawPartitions)
	}
	clean := in.normaliseCleanly(t, lying(slices.Concat(l.directory, l.rest)), directory, options, c)
	seen := variants{}
	for _, order := range [][3]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		one := &normalised{said: newSaid(), letters: ledger{}, people: ledger{}}
		records := slices.Concat(known[order[0]], known[order[1]], known[order[2]])
		if err := in.normaliseInOrder(t.Context(), one, records, options, c); err != nil {
			t.Fatal(err)
		}
		for id, is := range one.users.within(clean.users) {
			if is != permitted {
				t.Errorf("read in order %v, event %s is under %s, which is not permitted", order, id, is)
			}
		}
		seen.merge(one.users)
	}
	if seen.several() == 0 {
		t.Error("no event depends on the order: there is nothing to judge")
	}
	for id := range seen {
		if stranger := (variants{id: {"somebody else": true}}); stranger.within(clean.users)[id.String()] == permitted {
			t.Fatalf("event %s may be anybody's", id)
		}
	}
}

// lying are the records as they lie in the topics when they are published in this
// order.
func lying(records []*kgo.Record) map[string]map[int32][]*kgo.Record {
	raw := map[string]map[int32][]*kgo.Record{}
	for _, r := range records {
		if raw[r.Topic] == nil {
			raw[r.Topic] = map[int32][]*kgo.Record{}
		}
		r.Offset = int64(len(raw[r.Topic][r.Partition]))
		raw[r.Topic][r.Partition] = append(raw[r.Topic][r.Partition], r)
	}
	return raw
}
