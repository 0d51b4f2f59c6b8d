package chaos

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/operators"
	"github.com/riskpipe/riskpipe/pipeline"
)

// prove compares everything that the services have left behind with what must be
// there. What it proves stands in README.md.
func (in *installation) prove(t *testing.T, l load, directory map[string]map[int32]int64, samples []sample) {
	t.Helper()
	ctx := t.Context()
	begin := time.Now()
	c := newCodecs(t)
	raw, err := in.raw(ctx)
	if err != nil {
		t.Fatal(err)
	}
	twice, err := l.whole(raw)
	if err != nil {
		t.Fatal(err)
	}
	p, err := in.read(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	f, err := fold(newEngine(t), c, in.topics, p.events, samples)
	if err != nil {
		t.Fatal(err)
	}
	clean := in.normaliseCleanly(t, raw, directory, in.mapping(t), c)
	aspects, err := in.aspects(ctx, p, f, clean, c)
	if err != nil {
		t.Fatal(err)
	}
	in.writeCleanly(t, p, f)
	tables, err := in.tables(ctx)
	if err != nil {
		t.Fatal(err)
	}
	report(t, append(aspects, tables...))
	events := len(inOrder(p.events))
	t.Logf("%d raw records, %d of them twice → %d events, %d of them repeated, %d with evidence that opens; by fate: %v\n"+
		"repeated: %v\n"+
		"%d events are published with several contents, as upstream has them twice; %d events of alerts, %d of which come in every one of %d orders\n"+
		"%d samples of Redis in the storm; compared in %s",
		count(raw), twice, events, p.repeated[in.topics.Events()], p.sealed, f.dispositions,
		p.repeated,
		clean.contents.several(), len(p.joined), len(clean.always), clean.orders,
		len(samples), time.Since(begin).Round(time.Second))
}

func count(raw map[string]map[int32][]*kgo.Record) (total int) {
	for _, partitions := range raw {
		for _, records := range partitions {
			total += len(records)
		}
	}
	return total
}

// aspects are what is compared beside the tables.
func (in *installation) aspects(ctx context.Context, p *published, f *folded, clean *normalised, c codecs) ([]*aspect, error) {
	states, fences, err := in.states(ctx)
	if err != nil {
		return nil, err
	}
	wantFences := ledger{}
	ends, err := in.kafka.ends(ctx, in.topics.Events())
	if err != nil {
		return nil, err
	}
	for partition, end := range ends {
		var fence pipeline.Fence
		fence.Next, fence.Watermark, fence.Policy, fence.Format = end, f.watermarks[partition], f.policies, operators.StateFormat
		if end == 0 {
			fence.Next = -1 // nothing was ever scored
		}
		wantFences[fmt.Sprintf("partition %d", partition)] = position(fence)
	}
	rowEvidence, err := in.evidenceRows(ctx)
	if err != nil {
		return nil, err
	}
	names, err := in.names(ctx)
	if err != nil {
		return nil, err
	}
	known := ledger{}
	for user := range clean.people {
		if name, found := names[user]; found {
			known[user] = name
		}
	}
	// A row has one of the evidences that its event was published with.
	rows := rowEvidence.within(clean.clear)
	allowed := named(clean.always)
	for id := range p.joined {
		allowed[id.String()] = permitted
	}
	logged, stored, err := in.learned(ctx)
	if err != nil {
		return nil, err
	}
	forgotten := ""
	if in.forgot {
		forgotten = "not judged: Redis has forgotten what waited"
	}
	repetitions := ledger{}
	for name := range p.again {
		repetitions[name] = permitted
	}
	return []*aspect{
		{name: "Redis states in the storm", compared: "each user's state in each sample, every byte", want: f.prefixes, got: f.sampled, tell: inHex, mayBeEmpty: true},
		{name: "Redis states", compared: "each user's state, every byte", want: f.states, got: states, tell: inHex},
		{name: "Redis fences", compared: "position, watermark, policies, format", leftOut: "epoch and nonce: whose it is", want: wantFences, got: fences},
		{name: "topic alerts", compared: "each version, every byte", leftOut: "how often it is there", want: f.alerts, got: p.alerts, tell: tellOf(c.alerts)},
		{name: "topic risk", compared: "each change, every byte", leftOut: "how often it is there", want: f.risks, got: p.risks, tell: tellOf(c.risks)},
		{name: "topic risk, newest of each user", compared: "what readers keep, every byte", want: f.latest, got: p.latest, tell: tellOf(c.risks)},
		{name: "repetitions in topics", compared: "each as it was before, every byte", want: repetitions, got: p.again, mayBeEmpty: true},
		{name: "topic events", compared: "each event, every byte", leftOut: "what is sealed; whose it is; how often it is there", want: clean.contents.settled(), got: p.contents.settled()},
		{name: "learned names", compared: "those in the log are those in Redis", want: logged, got: stored},
		{name: "whose events are", compared: "pseudonym and groups: those that some order gives", want: named(clean.users), got: p.users.within(clean.users)},
		{name: "events of alerts", compared: "each is one of those that some order gives", leftOut: strings.Trim("what is sealed; origin; "+forgotten, " ;"), mayDiffer: in.forgot, want: allowed, got: p.joined.within(clean.joined)},
		{name: "evidence in events", compared: "each event's, opened", want: clean.clear.settled(), got: p.clear.settled()},
		{name: "evidence in ClickHouse", compared: "each row's, opened by the keys there", want: named(clean.clear), got: rows},
		{name: "identities in ClickHouse", compared: "each person's UPN, opened", leftOut: "other names: services know different ones", want: clean.people, got: known},
		{name: "dead letters", compared: "each record, every byte", leftOut: "how often it is there", want: clean.letters, got: p.letters},
	}, nil
}

func inHex(bytes string) string { return fmt.Sprintf("%x", bytes) }
