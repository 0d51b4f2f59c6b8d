package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
)

// catalogue are the fields of events that are in clear on purpose: what the
// organisation calls its own things, which policies select and people search by. A
// name of somebody whom the event does not name can stand there, from the members of
// records named here and no others.
var catalogue = map[string]struct{ from, why string }{
	"operation": {
		"Operation ActionType EmailDirection category riskEventType",
		"programmers' identifiers, which indicators select; one of tomorrow has a word that no list knows",
	},
	"sign_in.application": {
		"appDisplayName properties_appDisplayName_s servicePrincipalName Application ApplicationId",
		"people know a sign-in by it; who has an application registered names it",
	},
	"sign_in.resource":   {"resourceDisplayName ID ObjectId", "as applications"},
	"sign_in.risk_types": {"riskEventTypes_v2", "as operations"},
	"file.application": {
		"ApplicationDisplayName Application AppHost",
		"as applications; programs are known ones, or keyed hashes",
	},
	"file.label": {
		"SensitivityLabelName SensitivityLabelId SensitivityLabelNames SensitivityLabel SensitivitySubLabel DestinationLabel",
		"lists of labels say what is sensitive",
	},
	"email.label":               {"LabelName SensitivityLabel", "as those of files"},
	"file.sensitive_types":      {"SensitiveInfoTypeName", "some are of the organisation's own making"},
	"detection.sensitive_types": {"SensitiveInformationTypeName SensitiveType", "as those of files"},
	"detection.policy": {
		"PolicyName Policy Name AlertDisplayName riskEventType",
		"a rule that matched is known by its name alone",
	},
}

// isCatalogued tells whether a text of that path may be in that field.
func isCatalogued(field, path string) bool {
	member := strings.TrimRight(path[strings.LastIndexByte(path, '.')+1:], "[]$")
	return slices.Contains(strings.Fields(catalogue[field].from), member)
}

// storedNames keeps what a resolver stores.
type storedNames struct {
	*MemoryNames
	stored [][]byte
}

func (s *storedNames) Learn(ctx context.Context, names []Name) ([]bool, error) {
	for _, name := range names {
		s.stored = append(s.stored, name.Value)
	}
	return s.MemoryNames.Learn(ctx, names)
}

// Whatever text of a record a name stands in, it is nowhere in what the normaliser
// writes in clear: events, names in the store, and what is said of rejects and skips.
func TestTaint(t *testing.T) {
	samples := taintSamples(t)
	for name, who := range map[string]struct {
		is    func(sample) sample
		every map[bool]int // which of the spellings are tried, by whether a record is of testdata
	}{
		"of others":   {func(s sample) sample { return s }, map[bool]int{true: 1, false: 6}},
		"of the user": {func(s sample) sample { return s.of("xanthippe.quill", "Xanthippe Quill") }, map[bool]int{true: 3, false: 6}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newTaintedNormaliser(t)
			records, leaves := 0, 0
			for _, s := range samples {
				s = who.is(s)
				for _, leaf := range s.leaves() {
					leaves++
					for i, shape := range taints(leaf.was) {
						if step := who.every[s.ours]; (i+leaves)%step != 0 {
							continue // each spelling meets each field many times all the same
						}
						records++
						n.normalise(s, leaf.path, leaf.with(shape))
					}
				}
			}
			t.Logf("%d samples, %d texts, %d records, %d events", len(samples), leaves, records, n.events)
			if n.events < records/4 {
				t.Errorf("%d events of %d records prove little", n.events, records)
			}
			n.report()
			for field := range catalogue {
				if name == "of others" && !n.used[field] {
					t.Errorf("no name is ever in %s, which may have one", field)
				}
			}
		})
	}
}

// taintedNormaliser normalises tainted records and keeps what leaked.
type taintedNormaliser struct {
	t      *testing.T
	batch  *BatchNormaliser
	names  *storedNames
	codec  *schemas.Codec[schemas.Event]
	out    Batch
	offset int64
	events int
	leaks  map[string][]string // examples by where it leaked
	used   map[string]bool     // fields of the catalogue in which a name stood
	path   string              // of the text at hand
}

func newTaintedNormaliser(t *testing.T) *taintedNormaliser {
	names := &storedNames{MemoryNames: NewMemoryNames()}
	mapper := normalise.New(normalise.Options{
		Hash:       testKey(t).Hash,
		Domains:    normalise.NewDomains(map[string][]string{normalise.ClassInternal: {"contoso.com"}, normalise.ClassPersonalMail: {"gmail.com"}}),
		Categories: map[string][]string{normalise.CategoryGambling: {"bets.example"}},
		Content:    []normalise.ContentRule{{Name: "priority", Keywords: []string{"plan"}}},
	})
	resolver := newResolver(t, names, func(d *ResolverDeps) { d.Activity = normalise.DetectionActivity })
	return &taintedNormaliser{
		t: t, batch: NewBatchNormaliser(mapper, resolver), names: names, codec: newCodecs(t).events,
		leaks: map[string][]string{}, used: map[string]bool{},
	}
}

func (n *taintedNormaliser) normalise(s sample, path string, value []byte) {
	n.offset++
	n.path = path
	n.names.stored = n.names.stored[:0]
	raw := normalise.Raw{Topic: "raw." + string(s.source), Offset: n.offset, Time: 1772452800000, Value: value}
	if err := n.batch.Process(n.t.Context(), s.source, []normalise.Raw{raw}, &n.out); err != nil {
		n.t.Fatal(err)
	}
	leak := func(where, what string) {
		n.leaks[where] = append(n.leaks[where], fmt.Sprintf("%s, %s: %s", s.kind, path, what))
	}
	for _, e := range n.out.Events {
		n.events++
		wire, err := n.codec.Append(nil, &e.Event)
		if err != nil {
			n.t.Fatalf("%s: %v", value, err)
		}
		if what := tainted(wire); what != "" {
			n.fields(e, leak)
		}
	}
	for _, value := range n.names.stored {
		if what := tainted(value); what != "" {
			var e schemas.Event
			if n.codec.Decode(value, &e) != nil {
				leak("the store of names", what)
				continue
			}
			n.fields(&normalise.Event{Event: e}, leak)
		}
	}
	for reason := range n.out.Skips {
		if what := tainted([]byte(reason)); what != "" {
			leak("a skip's reason", what)
		}
	}
	for _, rejected := range n.out.Rejected {
		letter := rejectedLetter(&kgo.Record{Topic: raw.Topic, Offset: raw.Offset}, rejected.Rejects)
		if what := tainted([]byte(letter.reason + " " + letter.index + " " + letter.detail)); what != "" {
			leak("a dead letter's header", what)
		}
	}
}

// fields tells in which fields of an event the name stands.
func (n *taintedNormaliser) fields(e *normalise.Event, leak func(where, what string)) {
	text, err := json.Marshal(e.Event)
	if err != nil {
		n.t.Fatal(err)
	}
	var fields any
	if err := json.Unmarshal(text, &fields); err != nil {
		n.t.Fatal(err)
	}
	found := false
	var walk func(path string, value any)
	walk = func(path string, value any) {
		switch v := value.(type) {
		case string:
			what := tainted([]byte(v))
			if what == "" {
				return
			}
			found = true
			own := strings.HasPrefix(e.Actor.UPN+e.Actor.Mail, "xanthippe.quill@")
			form := v
			if strings.HasSuffix(path, "label") {
				form = strings.TrimPrefix(strings.TrimSuffix(v, `\Finance`), `Confidential\`) // sublabels
			}
			if !isCatalogued(path, n.path) || own || !isCatalogueForm(form) {
				leak(path, what)
			}
			n.used[path] = true
		case []any:
			for _, element := range v {
				walk(path, element)
			}
		case map[string]any:
			for name, member := range v {
				walk(strings.TrimPrefix(path+"."+name, "."), member)
			}
		}
	}
	walk("", fields)
	if !found {
		leak("an event's bytes", string(text))
	}
}

func (n *taintedNormaliser) report() {
	for _, where := range slices.Sorted(maps.Keys(n.leaks)) {
		examples := n.leaks[where]
		slices.Sort(examples)
		examples = slices.Compact(examples)
		shown := examples[:min(len(examples), 12)]
		n.t.Errorf("%s: %d leaks, such as\n\t%s", where, len(n.leaks[where]), strings.Join(shown, "\n\t"))
	}
}
