package pipeline

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/operators"
	"github.com/riskpipe/riskpipe/schemas"
)

// Engine is the fold as the workers see it; ScoringEngine makes one of an
// *operators.Engine. It must be deterministic and safe for concurrent use.
type Engine interface {
	// Hash identifies its rules.
	Hash() schemas.Hash
	// StateFormat is the version of the binary form of its states.
	StateFormat() int
	// NewState returns the state of a user never seen.
	NewState() State
	// Score folds the event into a state of NewState and appends what follows.
	Score(state State, event *schemas.Event, out *operators.Output)
	// Forget makes the state that of a user never seen, and appends what ends
	// with it. Observed is when that was ordered.
	Forget(state State, user schemas.Pseudonym, observed schemas.Time, out *operators.Output)
}

// State is one user's state.
type State interface {
	AppendBinary(b []byte) ([]byte, error)
	UnmarshalBinary(b []byte) error
	// Changed tells whether the last Score altered it.
	Changed() bool
}

// ScoringEngine returns the fold of a set of policies as an Engine.
func ScoringEngine(e *operators.Engine) Engine { return scoringEngine{e} }

type scoringEngine struct{ *operators.Engine }

func (scoringEngine) StateFormat() int { return operators.StateFormat }

func (scoringEngine) NewState() State { return &operators.State{} }

func (e scoringEngine) Score(state State, event *schemas.Event, out *operators.Output) {
	e.Engine.Score(state.(*operators.State), event, out) //nolint:errcheck // made by NewState above
}

func (e scoringEngine) Forget(state State, user schemas.Pseudonym, observed schemas.Time, out *operators.Output) {
	e.Engine.Forget(state.(*operators.State), user, observed, out) //nolint:errcheck // made by NewState above
}

// ScorerConfig is what users write about the scoring service. Zero values take
// the defaults.
type ScorerConfig struct {
	// Group is the consumer group. Default riskpipe-score.
	Group string
	// BatchRecords bounds the events of one transaction. Default 5,000.
	BatchRecords int
	// BatchTimeout bounds the writes of one batch. Default 20 s; it must stay
	// well below the group's rebalance timeout of 60 s.
	BatchTimeout time.Duration
	// CachedUsers is how many users' states are kept in memory for each
	// partition. Default 50,000.
	CachedUsers int
	// Partitions is how many the events topic had when the states were begun. They
	// say where a user's events go, so that another number ends Run. 0 takes any.
	Partitions int32
	Breaker    BreakerConfig
}

// Validate reports every problem at once.
func (c ScorerConfig) Validate() error {
	var problems []error
	if c.BatchRecords < 0 {
		problems = append(problems, fmt.Errorf("score.batch_records is %d: must not be negative", c.BatchRecords))
	}
	if c.CachedUsers < 0 {
		problems = append(problems, fmt.Errorf("score.cached_users is %d: must not be negative", c.CachedUsers))
	}
	if c.Partitions < 0 {
		problems = append(problems, fmt.Errorf("topics.partitions is %d: must not be negative", c.Partitions))
	}
	problems = append(problems, validTimeout("score.batch_timeout", c.BatchTimeout), c.Breaker.Validate())
	return errors.Join(problems...)
}

func (c *ScorerConfig) setDefaults() {
	if c.Group == "" {
		c.Group = "riskpipe-score"
	}
	if c.BatchRecords == 0 {
		c.BatchRecords = 5000
	}
	if c.BatchTimeout == 0 {
		c.BatchTimeout = 20 * time.Second
	}
	if c.CachedUsers == 0 {
		c.CachedUsers = 50_000
	}
}

// ScorerDeps are what the scoring service works with.
type ScorerDeps struct {
	// Cluster reaches the internal cluster: brokers, TLS, SASL.
	Cluster []kgo.Opt
	Topics  schemas.Topics
	Engine  Engine
	States  StateStore
	Events  *schemas.Codec[schemas.Event]
	Alerts  *schemas.Codec[schemas.Alert]
	Risks   *schemas.Codec[schemas.Risk]
	Version string // of riskpipe, for dead letters
	Log     *slog.Logger
	Metrics prometheus.Registerer // nil for none
}

// Scorer folds events into the states of their users and writes the alerts.
type Scorer struct {
	config   ScorerConfig
	deps     ScorerDeps
	metrics  *scorerMetrics
	breaker  *breaker
	client   *kgo.Client
	consumer *consumer
}

const scorerComponent = "riskpipe-score"

// NewScorer returns the scoring service. It joins its group at once; call Run.
func NewScorer(config ScorerConfig, deps ScorerDeps) (*Scorer, error) {
	s, err := unassignedScorer(config, deps)
	if err != nil {
		return nil, err
	}
	s.consumer = &consumer{
		topic: deps.Topics.Events(), log: deps.Log.With("topic", deps.Topics.Events()), metrics: &s.metrics.consumerMetrics,
		perPoll: s.config.BatchRecords, claimLimit: s.config.BatchTimeout, strict: true, expected: int(s.config.Partitions),
		newWorker: s.worker, partitions: map[int32]*assigned{},
	}
	client, err := s.connect(s.consumer.groupOptions(s.config.Group, true)...)
	if err != nil {
		return nil, err
	}
	s.client, s.consumer.client = client, client
	return s, nil
}

// unassignedScorer makes workers, but is in no group.
func unassignedScorer(config ScorerConfig, deps ScorerDeps) (*Scorer, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	config.setDefaults()
	metrics, err := newScorerMetrics(deps.Metrics)
	if err != nil {
		return nil, err
	}
	return &Scorer{config: config, deps: deps, metrics: metrics, breaker: newBreaker(config.Breaker, time.Now)}, nil
}

// connect returns a client that writes what scoring brings.
func (s *Scorer) connect(opts ...kgo.Opt) (*kgo.Client, error) {
	producing := producerOptions(s.deps.Cluster, scorerComponent, s.deps.Topics, defaultLetterSize)
	client, err := kgo.NewClient(append(producing, opts...)...)
	if err != nil {
		return nil, fmt.Errorf("opening the internal cluster: %w", err)
	}
	return client, nil
}

// Run scores until ctx ends. An error means that going on would be wrong: events
// are gone that were never scored, states are of a newer riskpipe, most events
// cannot be scored, or access is denied.
func (s *Scorer) Run(ctx context.Context) error {
	defer s.client.CloseAllowingRebalance()
	if err := s.consumer.run(ctx); err != nil {
		return fmt.Errorf("scoring: %w", err)
	}
	return nil
}

// Ready tells why the scorer is not doing its work, nil when it is.
func (s *Scorer) Ready() error { return s.consumer.ready() }

// worker is called by the group as soon as the client is made, and has the
// client from it: the scorer may not know it yet.
func (s *Scorer) worker(client *kgo.Client, partition int32) partitionWorker {
	produce := func(ctx context.Context, records []*kgo.Record) error { return produceAll(ctx, client, records) }
	return &scoreWorker{
		partition: partition,
		batchSize: s.config.BatchRecords,
		timeout:   s.config.BatchTimeout,
		cacheSize: s.config.CachedUsers,
		topics:    s.deps.Topics,
		engine:    s.deps.Engine,
		store:     s.deps.States,
		events:    s.deps.Events,
		alerts:    s.deps.Alerts,
		risks:     s.deps.Risks,
		produce:   produce,
		letters: &deadLetters{
			topics: s.deps.Topics, stage: "score", component: scorerComponent, version: s.deps.Version, produce: produce,
		},
		breaker: s.breaker,
		metrics: s.metrics,
		log:     s.deps.Log.With("topic", s.deps.Topics.Events(), "partition", partition),
		now:     time.Now,
		sleep:   sleep,
		nonce:   rand.Text,
		generation: func() int32 {
			_, generation := client.GroupMetadata()
			return generation
		},
		cache: newLRU[schemas.Pseudonym, *cachedState](),
	}
}
