package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

// NormaliserConfig is what users write about one normaliser. Zero values take
// the defaults.
type NormaliserConfig struct {
	Source schemas.Source
	// Topic is the raw topic; by default the source's own.
	Topic string
	// Group is the consumer group. Default riskpipe-normalise-<source>.
	Group string
	// BatchRecords and BatchBytes bound what is normalised and acknowledged at
	// once. Default 1,000 records and 8 MiB.
	BatchRecords int
	BatchBytes   int
	// BatchTimeout bounds the writes of one batch. Default 20 s; it must stay
	// well below the group's rebalance timeout of 60 s.
	BatchTimeout time.Duration
	// DeadLetterBytes is the largest dead letter that is tried whole. Default
	// 16 MiB; the topic's max.message.bytes must allow it.
	DeadLetterBytes int32
	Breaker         BreakerConfig
}

// Validate reports every problem at once.
func (c NormaliserConfig) Validate() error {
	var problems []error
	known := false
	for _, source := range schemas.Sources() {
		known = known || source == c.Source
	}
	if !known {
		problems = append(problems, fmt.Errorf("normalise.source is %q: must be one of %v", c.Source, schemas.Sources()))
	}
	for _, bound := range []struct {
		name  string
		value int
	}{
		{"normalise.batch_records", c.BatchRecords},
		{"normalise.batch_bytes", c.BatchBytes},
		{"normalise.dead_letter_bytes", int(c.DeadLetterBytes)},
	} {
		if bound.value < 0 {
			problems = append(problems, fmt.Errorf("%s is %d: must not be negative", bound.name, bound.value))
		}
	}
	problems = append(problems, validTimeout("normalise.batch_timeout", c.BatchTimeout), c.Breaker.Validate())
	return errors.Join(problems...)
}

// maxBatchTimeout leaves a batch time to be given up before the group's
// rebalance timeout of 60 s has passed.
const maxBatchTimeout = 50 * time.Second

func validTimeout(name string, timeout time.Duration) error {
	if timeout < 0 || timeout > maxBatchTimeout {
		return fmt.Errorf("%s is %s: must be 0 to %s, since the group waits 60 s for a batch before it gives the partition away", name, timeout, maxBatchTimeout)
	}
	return nil
}

// NormaliserDeps are what a normaliser works with.
type NormaliserDeps struct {
	// Input and Output reach the cluster of the raw topics and the internal
	// one: brokers, TLS, SASL.
	Input, Output []kgo.Opt
	Topics        schemas.Topics
	// Mapper returns a mapper for one partition.
	Mapper func() Mapper
	// Resolver is of this normaliser alone: with its actors it keeps what the vault
	// was told. Its names are closed when Run ends, if they can be.
	Resolver *Resolver
	Events   *schemas.Codec[schemas.Event]
	// Sealing is for evidence and identities; nil leaves both out.
	Sealing *Sealing
	Version string // of riskpipe, for dead letters
	Log     *slog.Logger
	Metrics prometheus.Registerer // nil for none
}

// Normaliser turns the records of one raw topic into events.
type Normaliser struct {
	config   NormaliserConfig
	deps     NormaliserDeps
	metrics  *normaliserMetrics
	breaker  *breaker
	consumer *consumer
	output   *kgo.Client
	letters  *deadLetters
	escrow   *escrow         // nil without sealing
	dataKeys *vault.DataKeys // likewise
	notices  *scopeNotices

	workspaces chan *workspace
	outcomes   outcomes
}

// NewNormaliser returns the normaliser of one source. It joins its group at
// once; call Run.
func NewNormaliser(config NormaliserConfig, deps NormaliserDeps) (*Normaliser, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	config.setDefaults(deps.Topics)
	component := "riskpipe-normalise-" + string(config.Source)
	metrics, err := newNormaliserMetrics(deps.Metrics, string(config.Source))
	if err != nil {
		return nil, err
	}
	n := &Normaliser{config: config, deps: deps, metrics: metrics, breaker: newBreaker(config.Breaker, time.Now)}
	n.letters = &deadLetters{topics: deps.Topics, stage: "normalise", component: component, version: deps.Version, produce: n.produce}
	if deps.Sealing != nil {
		n.dataKeys = vault.NewDataKeys(deps.Sealing.Vault)
		n.escrow = newEscrow(deps.Topics, config.Source, deps.Sealing, deps.Resolver.deps.Key)
	}
	n.workspaces = make(chan *workspace, runtime.GOMAXPROCS(0))
	for range cap(n.workspaces) {
		n.workspaces <- n.newWorkspace()
	}
	n.notices = &scopeNotices{scope: deps.Resolver.deps.Scope, log: deps.Log, metrics: metrics, now: time.Now}
	n.notices.start()
	if n.output, err = kgo.NewClient(producerOptions(deps.Output, component, deps.Topics, config.DeadLetterBytes)...); err != nil {
		return nil, fmt.Errorf("opening the internal cluster: %w", err)
	}
	n.consumer = &consumer{
		topic: config.Topic, log: deps.Log.With("topic", config.Topic), metrics: &metrics.consumerMetrics,
		perPoll: 4 * config.BatchRecords, claimLimit: config.BatchTimeout, newWorker: n.worker, partitions: map[int32]*assigned{},
	}
	input := append([]kgo.Opt{kgo.ClientID(component)}, deps.Input...)
	if n.consumer.client, err = kgo.NewClient(append(input, n.consumer.groupOptions(config.Group, false)...)...); err != nil {
		n.output.Close()
		return nil, fmt.Errorf("opening the cluster of %s: %w", config.Topic, err)
	}
	return n, nil
}

func (c *NormaliserConfig) setDefaults(topics schemas.Topics) {
	if c.Topic == "" {
		c.Topic = topics.Raw(c.Source)
	}
	if c.Group == "" {
		c.Group = "riskpipe-normalise-" + string(c.Source)
	}
	if c.BatchRecords == 0 {
		c.BatchRecords = 1000
	}
	if c.BatchBytes == 0 {
		c.BatchBytes = 8 << 20
	}
	if c.BatchTimeout == 0 {
		c.BatchTimeout = 20 * time.Second
	}
	if c.DeadLetterBytes == 0 {
		c.DeadLetterBytes = defaultLetterSize
	}
}

// producerOptions are those of every producer: idempotent and acknowledged by
// all in-sync replicas, which are the client's defaults, and compressed. Only
// dead letters may be large: a batch as large as they are would be refused by
// the other topics.
func producerOptions(cluster []kgo.Opt, component string, topics schemas.Topics, letterBytes int32) []kgo.Opt {
	const ordinary = 1_000_012 // the client's default, which brokers' defaults allow
	letters := topics.DeadLetter("")
	return append([]kgo.Opt{
		kgo.ClientID(component),
		// Batches are in memory anyway. At its limit the client would start a goroutine for each record.
		kgo.MaxBufferedRecords(math.MaxInt32),
		kgo.ProducerBatchCompression(kgo.SnappyCompression(), kgo.NoCompression()),
		kgo.ProducerBatchMaxBytesFn(func(topic string) int32 {
			if strings.HasPrefix(topic, letters) {
				return max(letterBytes, ordinary)
			}
			return ordinary
		}),
	}, cluster...)
}

// Run normalises until ctx ends. An error means that going on would be wrong:
// a schema break upstream, or access denied.
func (n *Normaliser) Run(ctx context.Context) error {
	defer n.output.Close()
	if names, ok := n.deps.Resolver.deps.Names.(interface{ Close() }); ok {
		defer names.Close()
	}
	defer n.consumer.client.CloseAllowingRebalance()
	if err := n.consumer.run(ctx); err != nil {
		return fmt.Errorf("normalising %s: %w", n.config.Topic, err)
	}
	return nil
}

// Ready tells why the normaliser is not doing its work, nil when it is.
func (n *Normaliser) Ready() error { return n.consumer.ready() }

func (n *Normaliser) produce(ctx context.Context, records []*kgo.Record) error {
	return produceAll(ctx, n.output, records)
}

// produceAll returns when all records are acknowledged, or with the first error.
func produceAll(ctx context.Context, client *kgo.Client, records []*kgo.Record) error {
	if len(records) == 0 {
		return nil
	}
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return fmt.Errorf("producing to %s: %w", records[0].Topic, err)
	}
	return nil
}

func (n *Normaliser) worker(*kgo.Client, int32) partitionWorker {
	return &normaliserWorker{service: n, mapper: n.deps.Mapper()}
}

var _ Mapper = (*normalise.Mapper)(nil)
