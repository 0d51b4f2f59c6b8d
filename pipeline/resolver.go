package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/riskpipe/riskpipe/schemas"
)

// namesOfActor is how many names a person has, roughly.
const namesOfActor = 4

// Pseudonymiser turns identities into pseudonyms; *vault.Key is the one. It must
// be pure and safe for concurrent use.
type Pseudonymiser interface {
	Version() int32
	Pseudonym(identity string) schemas.Pseudonym
}

// ResolverConfig bounds what a resolver remembers. Zero values take the
// defaults.
type ResolverConfig struct {
	// CacheEntries is how many names are kept in memory. Default 200,000, about
	// 40 MB. A quarter as many actors are kept beside them.
	CacheEntries int
	// UnknownFor is how long a name is believed to be unknown before the store
	// is asked again: so long can it take until a name that one service learns
	// is used by another. Default 5 s.
	UnknownFor time.Duration
	// FindingsFor is how long an alert waits for its evidence, and evidence for
	// its alert. Default 7 days.
	FindingsFor time.Duration
}

// Validate reports every problem at once.
func (c ResolverConfig) Validate() error {
	var problems []error
	if c.CacheEntries < 0 {
		problems = append(problems, fmt.Errorf("identity.cache_entries is %d: must not be negative", c.CacheEntries))
	}
	if c.UnknownFor < 0 {
		problems = append(problems, fmt.Errorf("identity.unknown_for is %s: must not be negative", c.UnknownFor))
	}
	if c.FindingsFor < 0 {
		problems = append(problems, fmt.Errorf("identity.findings_for is %s: must not be negative", c.FindingsFor))
	}
	return errors.Join(problems...)
}

// ResolverDeps are what a resolver works with.
type ResolverDeps struct {
	Key    Pseudonymiser
	Names  Names
	Events *schemas.Codec[schemas.Event]
	// Activity names the activity of a detection once its alert's own facts are
	// known; nil leaves activities as they are.
	Activity func(schemas.Detection) string
	// Groups tells which groups a user is in; nil for none.
	Groups *Groups
	// Scope tells who is out of scope; nil for nobody.
	Scope *Scope
	// Named is told which name in clear a pseudonym is made of, once for each
	// time it is met in scope; nil when nobody may know.
	Named func(user schemas.Pseudonym, name string)
	// Now is the clock by which unknown names are asked for again; time.Now
	// when nil.
	Now func() time.Time
}

// Resolver finds out whose an event is. A person is known by the UPN; other
// names (object id, employee id, SID, mail address, account) lead to it once a
// record has carried both. The first user that a name is learned for keeps it,
// so that a shared or made-up name never makes one person of two.
//
// It is safe for concurrent use. What one batch teaches is applied in the order
// of its records.
type Resolver struct {
	config ResolverConfig
	deps   ResolverDeps

	mu      sync.Mutex
	batches uint64 // that met their actors
	actors  *knownActors
	cache   *lru[schemas.Pseudonym, cachedName]
}

// cachedName is the user that a name belongs to; zero means that nobody knew it
// until the given time.
type cachedName struct {
	user    schemas.Pseudonym
	unknown time.Time
}

// NewResolver returns a resolver with an empty cache.
func NewResolver(config ResolverConfig, deps ResolverDeps) (*Resolver, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	if config.CacheEntries == 0 {
		config.CacheEntries = 200_000
	}
	if config.UnknownFor == 0 {
		config.UnknownFor = 5 * time.Second
	}
	if config.FindingsFor == 0 {
		config.FindingsFor = 7 * 24 * time.Hour
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	return &Resolver{
		config: config, deps: deps, actors: newKnownActors(config.CacheEntries / namesOfActor), cache: newLRU[schemas.Pseudonym, cachedName](),
	}, nil
}

// The prefix that normalise gives to the key of a UPN.
const upnPrefix = "upn:"

// resolution is the work on one batch. Nothing of it reaches the cache before
// the store has it, so that a batch which failed can be done again. It is used for one
// batch after the other.
type resolution struct {
	resolver *Resolver
	out      *Batch
	// known is what the batch knows of names: the user, or zero for nobody.
	known map[schemas.Pseudonym]schemas.Pseudonym
	// learned are the names that the batch has taught, in order.
	learned  []Name
	findings findings
	wanted   []schemas.Pseudonym // names of the people met
}

// resolve gives every event of the steps its user and appends it to out.
func (s *resolution) resolve(ctx context.Context, steps []step, out *Batch) error {
	clear(s.known)
	s.out, s.learned, s.findings, s.wanted = out, nil, findings{}, s.wanted[:0]
	if err := s.prepare(ctx, steps); err != nil {
		return err
	}
	for i := range steps {
		s.take(&steps[i])
	}
	return s.finish(ctx)
}

// prepare reads what the batch will need in one go.
func (s *resolution) prepare(ctx context.Context, steps []step) error {
	r := s.resolver
	s.meet(steps)
	missing := r.cached(s.wanted, s.known)
	names := len(missing)
	missing = append(missing, s.findings.keys()...)
	if len(missing) == 0 {
		return nil
	}
	values, err := r.deps.Names.Lookup(ctx, missing)
	if err != nil {
		return err
	}
	for i, key := range missing[:names] {
		if len(values[i]) == len(key) {
			s.known[key] = schemas.Pseudonym(values[i])
		}
	}
	r.remember(missing[:names], s.known)
	return s.loadFindings(values[names:])
}

// meet finds out who the actors of the steps are by their names alone, and whose names
// are wanted.
func (s *resolution) meet(steps []step) {
	r := s.resolver
	r.mu.Lock()
	defer r.mu.Unlock()
	r.batches++
	for i := range steps {
		st := &steps[i]
		actor := st.link
		if st.event != nil {
			actor = &st.event.Actor
			actor.Type = st.event.ActorType // the mapper's last word on it
			s.findings.want(r, st.event.Finding)
		}
		if st.finding != nil {
			s.findings.want(r, st.finding.ID)
			continue
		}
		st.actor = r.actors.of(r.deps.Key, actor)
		if st.actor.wantedBy == r.batches || st.actor.key == "" || !isHuman(actor.Type) {
			continue
		}
		st.actor.wantedBy = r.batches
		s.wanted = append(append(s.wanted, st.actor.self), st.actor.aliases...)
	}
}

// cached copies what the cache knows into known and returns the other keys,
// each once.
func (r *Resolver) cached(keys []schemas.Pseudonym, known map[schemas.Pseudonym]schemas.Pseudonym) []schemas.Pseudonym {
	now := r.deps.Now()
	var missing []schemas.Pseudonym
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, key := range keys {
		if _, done := known[key]; done {
			continue
		}
		entry, found := r.cache.get(key)
		if !found || entry.user == (schemas.Pseudonym{}) && now.After(entry.unknown) {
			missing = append(missing, key)
		}
		known[key] = entry.user
	}
	return missing
}

// remember puts names into the cache.
func (r *Resolver) remember(keys []schemas.Pseudonym, known map[schemas.Pseudonym]schemas.Pseudonym) {
	unknown := r.deps.Now().Add(r.config.UnknownFor)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, key := range keys {
		r.cache.put(key, cachedName{user: known[key], unknown: unknown})
	}
	r.cache.trim(r.config.CacheEntries)
}

// finish stores what the batch has taught.
func (s *resolution) finish(ctx context.Context) error {
	r := s.resolver
	names := s.learned
	expiring, err := s.findings.changed(r)
	if err != nil {
		return err
	}
	all := slices.Concat(names, expiring)
	if len(all) == 0 {
		return nil
	}
	stored, err := r.deps.Names.Learn(ctx, all)
	if err != nil {
		return err
	}
	keys := make([]schemas.Pseudonym, 0, len(names))
	r.mu.Lock()
	for i, name := range names {
		if stored[i] {
			keys = append(keys, name.Key)
		} else {
			// Another process was first, perhaps for another user: ask again.
			r.cache.remove(name.Key)
		}
	}
	r.mu.Unlock()
	r.remember(keys, s.known)
	return s.recheck(ctx)
}
