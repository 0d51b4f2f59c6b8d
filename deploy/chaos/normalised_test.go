package chaos

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/pipeline"
	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
)

// normalised is what normalising the raw topics comes to without any fault. The
// raw records are normalised in several orders, since feeds are read side by
// side. Whose an event is depends on what was read before it: it may also be whose it is
// when its partition is ahead of all others, and nothing is known that only they
// teach. One fact can be published twice, by two feeds or in two records, so that
// an event has one content or several.
type normalised struct {
	said
	letters ledger   // raw records that are dead letters
	people  ledger   // UPNs by pseudonym
	always  variants // joined in every order
	orders  int
}

// said is what events say.
type said struct {
	contents variants // encoded, without what is sealed and whose they are
	users    variants // whose they are
	clear    variants // evidence in clear
	// joined are events of Defender's alerts, which come in two records that are
	// joined by what Redis remembers: when the records come, and what Redis
	// forgets, decides whether evidence goes out complete at once, twice, or
	// incomplete. They are compared apart, without their origin.
	joined variants
}

// variants are the different contents that something was seen with.
type variants map[schemas.UUID]map[string]bool

func newSaid() said {
	return said{contents: variants{}, users: variants{}, clear: variants{}, joined: variants{}}
}

// add takes an event in, and its evidence in clear.
func (s said) add(e *schemas.Event, evidence string, c codecs) error {
	open := *e
	open.Evidence, open.EvidenceKey = nil, "" // other bytes each time
	open.User, open.Groups = schemas.Pseudonym{}, nil
	to := s.contents
	if e.Source == schemas.SourceDefender && e.Operation == "AlertEvidence" {
		open.Origin, open.ObservedTime = schemas.Origin{}, 0
		to = s.joined
	} else {
		note(s.clear, e.ID, evidence)
		note(s.users, e.ID, fmt.Sprintf("%s in groups %v", e.User, e.Groups))
	}
	content, err := c.events.Append(nil, &open)
	if err != nil {
		return err
	}
	note(to, e.ID, string(content))
	return nil
}

// normaliseCleanly normalises the records that the raw topics hold in several
// orders. Directory says how many records of each partition were read before
// all others.
func (in *installation) normaliseCleanly(
	t *testing.T, raw map[string]map[int32][]*kgo.Record, directory map[string]map[int32]int64, options normalise.Options, c codecs,
) *normalised {
	t.Helper()
	n := &normalised{said: newSaid(), letters: ledger{}, people: ledger{}}
	read := func(order []*kgo.Record) *normalised {
		one := &normalised{said: newSaid(), letters: n.letters, people: n.people}
		if err := in.normaliseInOrder(t.Context(), one, order, options, c); err != nil {
			t.Fatal(err)
		}
		return one
	}
	known, rest := byPartition(raw, directory)
	for _, order := range orders(known, rest) {
		n.merge(read(order))
	}
	for _, order := range ahead(known, rest) {
		n.users.merge(read(order).users)
	}
	return n
}

// byPartition are the records of each partition that were read before all others,
// who is who, and the others of each.
func byPartition(raw map[string]map[int32][]*kgo.Record, directory map[string]map[int32]int64) (known, rest [][]*kgo.Record) {
	for _, topic := range slices.Sorted(maps.Keys(raw)) {
		for _, partition := range slices.Sorted(maps.Keys(raw[topic])) {
			records := raw[topic][partition]
			end := directory[topic][partition]
			known = append(known, records[:end])
			rest = append(rest, records[end:])
		}
	}
	return known, rest
}

// orders are ways to read the raw topics that services might take, who is who
// first: by time and all the rest once more, and one partition after the other,
// forwards and backwards.
func orders(known, rest [][]*kgo.Record) [][]*kgo.Record {
	again := byTime(rest) // as after a crash, when Redis knows already
	return [][]*kgo.Record{
		slices.Concat(byTime(known), again, again),
		slices.Concat(slices.Concat(known...), slices.Concat(rest...)),
		slices.Concat(backwards(known), backwards(rest)),
	}
}

// ahead are the beginnings of the orders in which one partition is ahead of all
// others, of who is who and of the rest.
func ahead(known, rest [][]*kgo.Record) [][]*kgo.Record {
	all := slices.Clone(known)
	for _, first := range [][]*kgo.Record{slices.Concat(known...), backwards(known)} {
		for _, partition := range rest {
			all = append(all, slices.Concat(first, partition))
		}
	}
	return all
}

func byTime(partitions [][]*kgo.Record) []*kgo.Record {
	all := slices.Concat(partitions...)
	slices.SortStableFunc(all, func(a, b *kgo.Record) int { return a.Timestamp.Compare(b.Timestamp) })
	return all
}

func backwards(partitions [][]*kgo.Record) []*kgo.Record {
	reversed := slices.Clone(partitions)
	slices.Reverse(reversed)
	return slices.Concat(reversed...)
}

// merge takes the outcome of another order in.
func (n *normalised) merge(one *normalised) {
	if n.orders == 0 {
		n.always = maps.Clone(one.joined)
	}
	maps.DeleteFunc(n.always, func(id schemas.UUID, _ map[string]bool) bool { return one.joined[id] == nil })
	n.contents.merge(one.contents)
	n.users.merge(one.users)
	n.clear.merge(one.clear)
	n.joined.merge(one.joined)
	n.orders++
}

func (in *installation) normaliseInOrder(ctx context.Context, n *normalised, records []*kgo.Record, options normalise.Options, c codecs) error {
	byUPN := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(in.groups)) {
		for _, user := range in.groups[name] {
			byUPN[strings.ToLower(user)] = append(byUPN[strings.ToLower(user)], name)
		}
	}
	resolver, err := pipeline.NewResolver(pipeline.ResolverConfig{}, pipeline.ResolverDeps{
		Key: in.key, Names: pipeline.NewMemoryNames(), Events: c.events, Activity: normalise.DetectionActivity, Groups: pipeline.NewGroups(in.key, byUPN),
		Named: func(user schemas.Pseudonym, name string) {
			if in.key.Pseudonym("upn:"+name) == user {
				n.people[user.String()] = name
			}
		},
	})
	if err != nil {
		return err
	}
	bySource := map[string]*pipeline.BatchNormaliser{}
	var out pipeline.Batch
	for _, r := range records {
		batch := bySource[r.Topic]
		if batch == nil {
			batch = pipeline.NewBatchNormaliser(normalise.New(options), resolver)
			bySource[r.Topic] = batch
		}
		source := schemas.Source(strings.TrimPrefix(r.Topic, "raw."))
		one := []normalise.Raw{{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Time: schemas.TimeOf(r.Timestamp), Value: r.Value}}
		if err := batch.Process(ctx, source, one, &out); err != nil {
			return err
		}
		if len(out.Rejected) > 0 {
			n.letters[letterName(r.Topic, r.Partition, r.Offset)] = string(r.Value)
		}
		if err := n.take(&out, c); err != nil {
			return err
		}
	}
	return nil
}

func letterName(topic string, partition int32, offset int64) string {
	return fmt.Sprintf("%s partition %d offset %d", topic, partition, offset)
}

func (n *normalised) take(out *pipeline.Batch, c codecs) error {
	for _, e := range out.Events {
		evidence, err := evidenceOf(&e.Clear)
		if err != nil {
			return err
		}
		if err := n.add(&e.Event, evidence, c); err != nil {
			return err
		}
	}
	return nil
}

func note(to variants, id schemas.UUID, content string) {
	if to[id] == nil {
		to[id] = map[string]bool{}
	}
	to[id][content] = true
}

// clearOf is evidenceOf what was sealed.
func clearOf(opened []byte) (string, error) {
	evidence, err := schemas.ReadEvidence(opened)
	if err != nil {
		return "", err
	}
	return evidenceOf(&evidence)
}

// evidenceOf is evidence as JSON, empty when there is none.
func evidenceOf(e *schemas.Evidence) (string, error) {
	text, err := json.Marshal(e)
	if err != nil || string(text) == "{}" {
		return "", err
	}
	return string(text), nil
}

// merge takes others in.
func (v variants) merge(others variants) {
	for id, contents := range others {
		for content := range contents {
			note(v, id, content)
		}
	}
}

// several are how many have more than one content.
func (v variants) several() (count int) {
	for _, contents := range v {
		if len(contents) > 1 {
			count++
		}
	}
	return count
}

// settled are the contents of each, in the order of their bytes.
func (v variants) settled() ledger {
	all := ledger{}
	for id, contents := range v {
		all[id.String()] = strings.Join(slices.Sorted(maps.Keys(contents)), "")
	}
	return all
}

// permitted is what a ledger says of a fact that is as it may be.
const permitted = "as it may be"

// within says of each whether all its contents are among the allowed ones; what
// is not stands there itself.
func (v variants) within(allowed variants) ledger {
	agreed := ledger{}
	for id, contents := range v {
		agreed[id.String()] = permitted
		for content := range contents {
			if !allowed[id][content] {
				agreed[id.String()] = content
			}
		}
	}
	return agreed
}

func TestVariants_within(t *testing.T) {
	id, other := schemas.NewUUID("a"), schemas.NewUUID("b")
	allowed := variants{id: {"one": true, "two": true}}
	for _, test := range []struct {
		seen variants
		want ledger
	}{
		{variants{}, ledger{}},
		{variants{id: {"one": true}}, ledger{id.String(): permitted}},
		{variants{id: {"one": true, "two": true}}, ledger{id.String(): permitted}},
		{variants{id: {"one": true, "three": true}}, ledger{id.String(): "three"}},
		{variants{other: {"one": true}}, ledger{other.String(): "one"}},
	} {
		if got := test.seen.within(allowed); !maps.Equal(got, test.want) {
			t.Errorf("%v: got %v, want %v", test.seen, got, test.want)
		}
	}
}

// named permits all of them.
func named(v variants) ledger {
	all := ledger{}
	for id := range v {
		all[id.String()] = permitted
	}
	return all
}

// raw reads all raw topics.
func (in *installation) raw(ctx context.Context) (map[string]map[int32][]*kgo.Record, error) {
	raw := map[string]map[int32][]*kgo.Record{}
	for _, topic := range in.rawTopics() {
		records, err := in.kafka.records(ctx, topic)
		if err != nil {
			return nil, err
		}
		raw[topic] = records
	}
	return raw, nil
}

// inOrder are a topic's records, partition by partition.
func inOrder(records map[int32][]*kgo.Record) []*kgo.Record {
	var all []*kgo.Record
	for _, partition := range slices.SortedFunc(maps.Keys(records), cmp.Compare) {
		all = append(all, records[partition]...)
	}
	return all
}
