package chaos

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// storm lets the faults of a schedule happen, each at its time, several at once.
// What is broken already is not broken a second time: a fault waits for that to be
// mended, and is left out when that takes too long.
type storm struct {
	installation *installation
	log          func(format string, args ...any)

	busy sync.Map // of targets that are broken

	mu       sync.Mutex
	happened map[faultKind]int
	skipped  int
	amounts  map[faultKind]int64 // bytes that Redis forgot
	problems error
}

func newStorm(in *installation, log func(format string, args ...any)) *storm {
	return &storm{installation: in, log: log, happened: map[faultKind]int{}, amounts: map[faultKind]int64{}}
}

// rage returns when the last fault is mended.
func (s *storm) rage(ctx context.Context, faults []fault) error {
	start := time.Now()
	var wg sync.WaitGroup
	for _, f := range faults {
		wg.Go(func() {
			pause(ctx, time.Until(start.Add(f.at)))
			s.happen(ctx, f)
		})
	}
	wg.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.problems
}

func (s *storm) happen(ctx context.Context, f fault) {
	key := f.broken()
	if err := eventually(ctx, key+" is whole", 20*time.Second, func(context.Context) error {
		if _, taken := s.busy.LoadOrStore(key, true); taken {
			return errors.New("it is broken")
		}
		return nil
	}); err != nil {
		s.mu.Lock()
		s.skipped++
		s.mu.Unlock()
		s.log("%s: left out, it is broken already", f)
		return
	}
	defer s.busy.Delete(key)
	s.log("%s", f)
	err := s.do(ctx, f)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.happened[f.kind]++
	if err != nil {
		s.problems = errors.Join(s.problems, fmt.Errorf("%s: %w", f, err))
	}
}

// broken names what a fault keeps others from breaking: a link is not cut while
// it leads elsewhere.
func (f fault) broken() string {
	switch f.kind {
	case tearRedis, failOverRedis:
		return "redis"
	case killKafka:
		return "broker"
	case killClickHouse:
		return "engine"
	default:
		return f.target
	}
}

func (s *storm) do(ctx context.Context, f fault) error {
	in := s.installation
	switch f.kind {
	case killService:
		p := in.named(f.target)
		p.kill()
		pause(ctx, f.length)
		return p.start()
	case freezeService:
		p := in.named(f.target)
		if err := p.freeze(); err != nil {
			return err
		}
		pause(ctx, f.length)
		return p.thaw()
	case tearRedis:
		in.redis.mu.Lock()
		defer in.redis.mu.Unlock()
		torn, err := in.redis.tear(ctx, f.amount)
		s.forgot(f.kind, torn)
		return err
	case failOverRedis:
		in.redis.mu.Lock()
		defer in.redis.mu.Unlock()
		lost, err := in.redis.failOver(ctx, f.length)
		s.forgot(f.kind, lost)
		return err
	case killKafka:
		in.kafka.process.kill()
		pause(ctx, f.length)
		return in.kafka.start(ctx)
	case killClickHouse:
		in.clickHouse.process.kill()
		pause(ctx, f.length)
		return in.clickHouse.start(ctx)
	case cutLink:
		l := in.linkTo(f.target)
		l.cut()
		pause(ctx, f.length)
		return l.mend()
	case slowLink:
		return in.linkTo(f.target).slow(ctx, f.length)
	case loseAnswers:
		return in.linkTo(f.target).loseAnswers(ctx, f.length)
	default:
		return fmt.Errorf("unknown fault %q", f.kind)
	}
}

func (s *storm) forgot(kind faultKind, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.amounts[kind] += bytes
}

// table says what happened.
func (s *storm) table() [][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var rows [][]string
	for _, kind := range slices.Sorted(maps.Keys(s.happened)) {
		note := ""
		if n := s.amounts[kind]; n > 0 {
			note = fmt.Sprintf("%d bytes of acknowledged writes forgotten", n)
		}
		rows = append(rows, []string{string(kind), fmt.Sprint(s.happened[kind]), note})
	}
	return append(rows, []string{"left out, the target was broken already", fmt.Sprint(s.skipped), ""})
}

// named returns the service of the name.
func (in *installation) named(name string) *service {
	i := slices.IndexFunc(in.services, func(s *service) bool { return s.name == name })
	return in.services[i]
}

// linkTo returns the link to a server.
func (in *installation) linkTo(name string) *link {
	switch name {
	case "kafka":
		return in.kafka.link
	case "redis":
		return in.redis.link
	default:
		return in.clickHouse.link
	}
}
