package operators_test

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/riskpipe/riskpipe/deploy/tenant"
	"github.com/riskpipe/riskpipe/operators"
	"github.com/riskpipe/riskpipe/pipeline"
	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

// events are those of a company, and who of its people misbehaves.
type events struct {
	list     []schemas.Event
	culprits map[schemas.Pseudonym]bool
}

// quarter is 90 days of a made-up company of 120 people, normalised.
var quarter = sync.OnceValues(func() (events, error) {
	company, err := tenant.New(tenant.Options{Users: 120, Days: 90, Seed: 3})
	if err != nil {
		return events{}, err
	}
	key, err := vault.NewKey(1, []byte("a key for tests, 32 bytes at least"))
	if err != nil {
		return events{}, err
	}
	codec, err := schemas.NewCodec[schemas.Event](schemas.EventSchema)
	if err != nil {
		return events{}, err
	}
	all := events{culprits: map[schemas.Pseudonym]bool{}}
	due := map[string]bool{}
	for _, label := range company.Labels() {
		due[label.User] = label.AlertDue()
	}
	resolver, err := pipeline.NewResolver(pipeline.ResolverConfig{}, pipeline.ResolverDeps{
		Key: key, Names: pipeline.NewMemoryNames(), Events: codec, Activity: normalise.DetectionActivity,
		Named: func(user schemas.Pseudonym, name string) { all.culprits[user] = due[name] },
	})
	if err != nil {
		return events{}, err
	}
	options := normalise.Options{Hash: key.Hash, Domains: normalise.NewDomains(map[string][]string{
		normalise.ClassInternal: {"contoso.example", "contoso.sharepoint.com"}, normalise.ClassPersonalMail: {"gmail.com", "outlook.com", "gmx.de"},
		normalise.ClassPersonalCloud: {"dropbox.com", "drive.google.com", "mega.nz", "wetransfer.com"}, normalise.ClassAI: {"chatgpt.com", "claude.ai"},
	})}
	normalisers := map[schemas.Source]*pipeline.BatchNormaliser{}
	var batch pipeline.Batch
	for r := range company.Records() {
		n := normalisers[r.Source]
		if n == nil {
			n = pipeline.NewBatchNormaliser(normalise.New(options), resolver)
			normalisers[r.Source] = n
		}
		raw := normalise.Raw{Topic: "raw." + string(r.Source), Time: r.Time, Value: r.Value}
		if err := n.Process(context.Background(), r.Source, []normalise.Raw{raw}, &batch); err != nil {
			return events{}, err
		}
		for _, e := range batch.Events {
			all.list = append(all.list, e.Event)
		}
	}
	return all, nil
})

// fold folds all events into the states, and calls before for each of them.
func (all events) fold(engine *operators.Engine, states map[schemas.Pseudonym]*operators.State, before func(*schemas.Event)) {
	var out operators.Output
	for i := range all.list {
		e := &all.list[i]
		before(e)
		state := states[e.User]
		if state == nil {
			state = &operators.State{}
			states[e.User] = state
		}
		out.Reset()
		engine.Score(state, e, &out)
	}
}

func templates(t testing.TB) (*operators.Engine, events) {
	t.Helper()
	library, err := operators.Templates()
	if err != nil {
		t.Fatal(err)
	}
	engine, err := operators.NewEngine(library, operators.Options{})
	if err != nil {
		t.Fatal(err)
	}
	all, err := quarter()
	if err != nil {
		t.Fatal(err)
	}
	return engine, all
}

// A person's state stays small: under all templates, over the days of the last
// month of a quarter, the median takes less than 1 KB in Redis and 99 of 100 less
// than 4 KB. Who is just taking files by the thousand takes more, for a week; the
// tenant has far more of those than any company, so they are counted apart.
func TestState_size(t *testing.T) {
	engine, all := templates(t)
	states := map[schemas.Pseudonym]*operators.State{}
	var (
		sizes, culpritSize []int
		b                  []byte
		err                error
	)
	measure := func() {
		for user, state := range states {
			if b, err = state.AppendBinary(b[:0]); err != nil {
				t.Fatal(err)
			}
			if all.culprits[user] {
				culpritSize = append(culpritSize, len(b))
			} else {
				sizes = append(sizes, len(b))
			}
		}
	}
	const day = schemas.Time(24 * 60 * 60 * 1000)
	next := all.list[0].ObservedTime + 60*day
	all.fold(engine, states, func(e *schemas.Event) {
		if e.ObservedTime >= next {
			measure()
			next += day
		}
	})
	slices.Sort(sizes)
	slices.Sort(culpritSize)
	share := func(list []int, percent int) int { return list[(len(list)-1)*percent/100] }
	t.Logf("%d states of ordinary people: median %d bytes, 99th percentile %d, largest %d", len(sizes), share(sizes, 50), share(sizes, 99), share(sizes, 100))
	t.Logf("%d states of culprits: median %d bytes, 99th percentile %d, largest %d", len(culpritSize), share(culpritSize, 50), share(culpritSize, 99), share(culpritSize, 100))
	if share(sizes, 50) >= 1<<10 || share(sizes, 99) >= 4<<10 || share(culpritSize, 100) >= 16<<10 {
		t.Error("states have grown")
	}
}

// A state that was stored and read back goes on as one that stayed in memory, to the
// byte, under all templates: also when feeds are worked off side by side, so that
// what one of them tells comes weeks after the others.
func TestFold_reloaded(t *testing.T) {
	engine, all := templates(t)
	feeds := slices.Clone(all.list)
	slices.SortStableFunc(feeds, func(a, b schemas.Event) int { return cmp.Compare(a.Source, b.Source) })
	type kept struct {
		live   operators.State
		stored []byte
	}
	users := map[schemas.Pseudonym]*kept{}
	var out operators.Output
	for i := range feeds {
		e := &feeds[i]
		if !all.culprits[e.User] && e.User[0]%16 != 0 {
			continue
		}
		k := users[e.User]
		if k == nil {
			k = &kept{}
			users[e.User] = k
		}
		var reloaded operators.State
		if k.stored != nil {
			if err := reloaded.UnmarshalBinary(k.stored); err != nil {
				t.Fatal(err)
			}
		}
		out.Reset()
		engine.Score(&k.live, e, &out)
		out.Reset()
		engine.Score(&reloaded, e, &out)
		want, err := k.live.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := reloaded.AppendBinary(nil); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("event %d, %s of %s: the state that was read back differs (%v)", i, e.Activity, e.User.Short(), err)
		}
		k.stored = want
	}
}

// The whole fold allocates little: what alerts say is nearly all of it.
func TestFold_allocations(t *testing.T) {
	engine, all := templates(t)
	allocations := testing.AllocsPerRun(1, func() {
		all.fold(engine, map[schemas.Pseudonym]*operators.State{}, func(*schemas.Event) {})
	})
	each := allocations / float64(len(all.list))
	t.Logf("%.2f allocations an event", each)
	if each > 2 {
		t.Error("the fold allocates more than twice an event")
	}
}

// BenchmarkFold folds a quarter of a company's events in the order in which
// they were published, all templates live: the cost of an average event.
func BenchmarkFold(b *testing.B) {
	engine, all := templates(b)
	b.ReportAllocs()
	var (
		states map[schemas.Pseudonym]*operators.State
		out    operators.Output
		i      int
	)
	for b.Loop() {
		if i%len(all.list) == 0 {
			i, states = 0, map[schemas.Pseudonym]*operators.State{}
		}
		e := &all.list[i]
		state := states[e.User]
		if state == nil {
			state = &operators.State{}
			states[e.User] = state
		}
		out.Reset()
		engine.Score(state, e, &out)
		i++
	}
}
