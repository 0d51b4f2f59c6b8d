package chaos

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/pipeline"
	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
)

// normalised is what normalising the raw topics can come to without any fault.
// Feeds are read side by side, and whose an event is, or what an alert says that
// it is evidence of, can depend on which record came first: so the raw records
// are normalised in several orders, and an event has as many contents as those
// differ.
type normalised struct {
	contents map[schemas.UUID]map[string]bool // encoded, without what is sealed
	clear    map[schemas.UUID]map[string]bool // evidence in clear
	letters  ledger                           // raw records that are dead letters
	people   ledger                           // UPNs by pseudonym
	orders   int
}

// normaliseCleanly normalises the records that the raw topics hold in several
// orders. Directory says how many records of each partition were read before
// all others.
func (in *installation) normaliseCleanly(t *testing.T, raw map[string]map[int32][]*kgo.Record, directory map[string]map[int32]int64, c codecs) *normalised {
	t.Helper()
	options := in.mapping(t)
	n := &normalised{contents: map[schemas.UUID]map[string]bool{}, clear: map[schemas.UUID]map[string]bool{}, letters: ledger{}, people: ledger{}}
	for _, order := range orders(raw, directory) {
		if err := in.normaliseInOrder(t.Context(), n, order, options, c); err != nil {
			t.Fatal(err)
		}
		n.orders++
	}
	return n
}

// orders are ways to read the raw topics that services might take: by time, and
// one partition after the other, forwards and backwards.
func orders(raw map[string]map[int32][]*kgo.Record, directory map[string]map[int32]int64) [][]*kgo.Record {
	var first, byTime []*kgo.Record
	var partitions [][]*kgo.Record
	for _, topic := range slices.Sorted(maps.Keys(raw)) {
		for _, partition := range slices.Sorted(maps.Keys(raw[topic])) {
			records := raw[topic][partition]
			known := directory[topic][partition]
			first = append(first, records[:known]...)
			partitions = append(partitions, records[known:])
			byTime = append(byTime, records[known:]...)
		}
	}
	slices.SortStableFunc(byTime, func(a, b *kgo.Record) int { return a.Timestamp.Compare(b.Timestamp) })
	forwards := slices.Concat(partitions...)
	slices.Reverse(partitions)
	backwards := slices.Concat(partitions...)
	var all [][]*kgo.Record
	for _, rest := range [][]*kgo.Record{byTime, forwards, backwards} {
		all = append(all, slices.Concat(first, rest))
	}
	return all
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
	for i := range out.Events {
		e := &out.Events[i]
		content, err := contentOf(e, c)
		if err != nil {
			return err
		}
		evidence, err := evidenceOf(&out.Clear[i].Clear)
		if err != nil {
			return err
		}
		note(n.contents, e.ID, content)
		note(n.clear, e.ID, evidence)
	}
	return nil
}

func note(variants map[schemas.UUID]map[string]bool, id schemas.UUID, content string) {
	if variants[id] == nil {
		variants[id] = map[string]bool{}
	}
	variants[id][content] = true
}

// contentOf is an event without what is sealed, whose bytes differ each time.
func contentOf(e *schemas.Event, c codecs) (string, error) {
	open := *e
	open.Evidence, open.EvidenceKey = nil, ""
	content, err := c.events.Append(nil, &open)
	return string(content), err
}

// evidenceOf is evidence as it is sealed, empty when there is none.
func evidenceOf(e *normalise.Evidence) (string, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(e); err != nil {
		return "", err
	}
	if evidence := strings.TrimSuffix(text.String(), "\n"); evidence != "{}" {
		return evidence, nil
	}
	return "", nil
}

// variants are how many events have more than one content, by the orders.
func (n *normalised) variants() (count int) {
	for _, contents := range n.contents {
		if len(contents) > 1 {
			count++
		}
	}
	return count
}

// settled is the one content of each event, by which others are compared: the
// first in the order of bytes.
func settled(variants map[schemas.UUID]map[string]bool) ledger {
	all := ledger{}
	for id, contents := range variants {
		all[id.String()] = slices.Sorted(maps.Keys(contents))[0]
	}
	return all
}

// mapping are the options that the services' mappers have: riskpipe's defaults,
// as it prints them, and the company's own domain.
func (in *installation) mapping(t *testing.T) normalise.Options {
	t.Helper()
	text, err := exec.CommandContext(t.Context(), in.settings.binary, "config", "defaults").Output()
	if err != nil {
		t.Fatalf("asking for the defaults: %v", err)
	}
	var defaults struct {
		Normalise struct {
			MaxRecordBytes int `yaml:"max_record_bytes"`
			Domains        []struct {
				Class   string
				Domains []string
			}
			SiteCategories []struct {
				Category string
				Domains  []string
			} `yaml:"site_categories"`
			ContentRules []normalise.ContentRule `yaml:"content_rules"`
		}
	}
	if err := yaml.Unmarshal(text, &defaults); err != nil {
		t.Fatalf("reading the defaults: %v", err)
	}
	d := &defaults.Normalise
	lists := map[string][]string{normalise.ClassInternal: {domain}}
	for _, list := range d.Domains {
		lists[list.Class] = append(lists[list.Class], list.Domains...)
	}
	categories := map[string][]string{}
	for _, list := range d.SiteCategories {
		categories[list.Category] = append(categories[list.Category], list.Domains...)
	}
	if len(d.Domains) == 0 || len(d.ContentRules) == 0 || len(d.ContentRules[0].Paths) == 0 {
		t.Fatal("reading the defaults: there are no domains or content rules in them")
	}
	return normalise.Options{
		Hash: in.key.Hash, Domains: normalise.NewDomains(lists), Categories: categories, Content: d.ContentRules, MaxBytes: d.MaxRecordBytes,
	}
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
