package chaos

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/deploy/tenant"
	"github.com/riskpipe/riskpipe/schemas"
)

// load is what is published: who is who first, then everything else.
type load struct {
	directory []*kgo.Record
	rest      []*kgo.Record
	poison    int // records of rest that no feed would publish
}

// newLoad lays the company's records out on the raw topics. So many of a
// thousand records are followed by one that nobody can read.
func newLoad(company *tenant.Tenant, topics schemas.Topics, dice *rand.Rand, poisonPerMille int) load {
	var l load
	var first schemas.Time
	for r := range company.Records() {
		if first == 0 {
			first = r.Time
		}
		record := &kgo.Record{Topic: topics.Raw(r.Source), Partition: dice.Int32N(rawPartitions), Value: r.Value, Timestamp: r.Time.UTC()}
		// What Defender says on the first day is who is who. Elsewhere that is
		// known for long when the first day of work begins.
		if r.Source == schemas.SourceDefender && r.Time <= first+24*60*60*1000 {
			l.directory = append(l.directory, record)
			continue
		}
		l.rest = append(l.rest, record)
	}
	plain := len(l.rest)
	l.rest = withPoison(l.rest, dice, poisonPerMille)
	l.poison = len(l.rest) - plain
	return l
}

// withPoison follows so many of a thousand records by one that nobody can read.
func withPoison(records []*kgo.Record, dice *rand.Rand, perMille int) []*kgo.Record {
	var all []*kgo.Record
	for _, r := range records {
		all = append(all, r)
		if dice.IntN(1000) < perMille {
			all = append(all, poisoned(r, dice))
		}
	}
	return all
}

// withHotUser follows every record by an activity of one and the same person.
func withHotUser(records []*kgo.Record, topics schemas.Topics, dice *rand.Rand) []*kgo.Record {
	var all []*kgo.Record
	for i, r := range records {
		id := schemas.NewUUID("hot user", fmt.Sprint(i))
		value := fmt.Sprintf(`{"CreationTime":%q,"Id":%q,"Operation":"FileDownloaded","RecordType":6,"Workload":"SharePoint","UserId":"hot.user@%s",`+
			`"ClientIP":"198.51.100.7","ObjectId":"https://contoso.example/sites/sales/Docs/%d.xlsx","SourceFileName":"%[4]d.xlsx","SourceFileExtension":"xlsx","ItemType":"File"}`,
			r.Timestamp.UTC().Format("2006-01-02T15:04:05"), id, domain, i)
		all = append(all, r, &kgo.Record{
			Topic: topics.Raw(schemas.SourceFile), Partition: dice.Int32N(rawPartitions), Timestamp: r.Timestamp, Value: []byte(value),
		})
	}
	return all
}

// withNewcomers follows every so many records by the first sign-in of somebody new, which tells
// two names of theirs: so names are learned at any time.
func withNewcomers(records []*kgo.Record, topics schemas.Topics, dice *rand.Rand, every int) []*kgo.Record {
	var all []*kgo.Record
	for i, r := range records {
		if all = append(all, r); i%every > 0 {
			continue
		}
		id, object := schemas.NewUUID("newcomer", fmt.Sprint(i)), schemas.NewUUID("newcomer's account", fmt.Sprint(i))
		value := fmt.Sprintf(`{"CreationTime":%q,"Id":%q,"Operation":"UserLoggedIn","RecordType":15,"Workload":"AzureActiveDirectory","ResultStatus":"Success",`+
			`"UserId":"newcomer.%d@%s","ClientIP":"198.51.100.9","Actor":[{"ID":%q,"Type":0},{"ID":"newcomer.%[3]d@%[4]s","Type":5}]}`,
			r.Timestamp.UTC().Format("2006-01-02T15:04:05"), id, i, domain, object)
		all = append(all, &kgo.Record{
			Topic: topics.Raw(schemas.SourceSignIn), Partition: dice.Int32N(rawPartitions), Timestamp: r.Timestamp, Value: []byte(value),
		})
	}
	return all
}

// poisoned is the record as something that went wrong upstream would leave it.
func poisoned(r *kgo.Record, dice *rand.Rand) *kgo.Record {
	bad := &kgo.Record{Topic: r.Topic, Partition: dice.Int32N(rawPartitions), Timestamp: r.Timestamp}
	switch dice.IntN(4) {
	case 0:
		bad.Value = r.Value[:1+len(r.Value)/2] // cut off
	case 1:
		bad.Value = []byte(`{"records":17}`)
	case 2:
		bad.Value = []byte("<html><body>502 Bad Gateway</body></html>")
	default:
		for range 100 {
			bad.Value = append(bad.Value, byte(dice.IntN(256)))
		}
	}
	return bad
}

// publisher writes to the broker directly: what is published is no fault's
// business.
type publisher struct {
	client *kgo.Client
	failed atomic.Pointer[error]
}

func newPublisher(t *testing.T, k *kafkaServer) *publisher {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(k.direct), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(kgo.SnappyCompression()), kgo.ProducerLinger(5*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &publisher{client: client}
}

// publish spreads the records over the time, all at once for 0, and returns when
// they are acknowledged.
func (p *publisher) publish(ctx context.Context, records []*kgo.Record, over time.Duration) error {
	start := time.Now()
	for i, r := range records {
		due := start.Add(time.Duration(float64(over) * float64(i) / float64(len(records))))
		if wait := time.Until(due); wait > 2*time.Millisecond {
			pause(ctx, wait)
		}
		if err := p.problem(); err != nil {
			return err
		}
		p.client.Produce(ctx, r, func(_ *kgo.Record, err error) {
			if err != nil {
				p.failed.CompareAndSwap(nil, &err)
			}
		})
	}
	if err := p.client.Flush(ctx); err != nil {
		return fmt.Errorf("publishing: %w", err)
	}
	return p.problem()
}

func (p *publisher) problem() error {
	if err := p.failed.Load(); err != nil {
		return fmt.Errorf("publishing: %w", *err)
	}
	return nil
}

// whole tells whether everything that was published lies in the raw topics. A
// record can lie there twice when its acknowledgement was lost: upstream
// duplicates, which riskpipe must bear.
func (l load) whole(raw map[string]map[int32][]*kgo.Record) (twice int, err error) {
	lacking := map[string]int{}
	for _, r := range append(slices.Clone(l.directory), l.rest...) {
		lacking[fingerprint(r)]++
	}
	for _, partitions := range raw {
		for _, records := range partitions {
			for _, r := range records {
				lacking[fingerprint(r)]--
			}
		}
	}
	for _, n := range lacking {
		if n > 0 {
			return 0, errors.New("a record that was published is not in its topic: the input itself is not whole")
		}
		twice -= n
	}
	return twice, nil
}

func fingerprint(r *kgo.Record) string {
	return fmt.Sprintf("%s %d %d %x", r.Topic, r.Partition, r.Timestamp.UnixMilli(), sha256.Sum256(r.Value))
}
