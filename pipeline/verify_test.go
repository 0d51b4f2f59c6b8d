package pipeline

import (
	"bytes"
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/schemas"
)

// otherRules is the tiny engine under another policy set.
type otherRules struct{ tinyEngine }

func (otherRules) Hash() schemas.Hash { return 8 }

// newerStates is the tiny engine with another binary form.
type newerStates struct{ tinyEngine }

func (newerStates) StateFormat() int { return 2 }

// Whatever is wrong with one state is found, with its user and offset, and with
// what may explain it.
func TestVerify_finds(t *testing.T) {
	t.Parallel()
	_, reach := newCluster(t)
	server := miniredis.RunT(t)
	r := openRedis(t, server.Addr())
	states := r.States("1")
	rng := rand.New(rand.NewPCG(1, 1))
	score := func() {
		t.Helper()
		if err := rebuildAll(t, reach, states); err != nil {
			t.Fatal(err)
		}
	}
	produceEvents(t, reach, rng, 0, 500)
	score()
	const partition = 2
	var users []schemas.Pseudonym
	if err := states.Users(t.Context(), partition, func(some []schemas.Pseudonym) error {
		users = append(users, some...)
		return nil
	}); err != nil || len(users) < 3 {
		t.Fatalf("%d users, %v", len(users), err)
	}
	user := users[1]
	_, old, err := states.Load(t.Context(), partition, []schemas.Pseudonym{user})
	if err != nil {
		t.Fatal(err)
	}
	produceEvents(t, reach, rng, 500, 500)
	score()
	provedEqual(t, verifyAll(t, reach, states, nil))
	// Erased users have no state, and those who come again begin anew.
	order(t, reach, users[2])
	score()
	provedEqual(t, verifyAll(t, reach, states, nil))
	produceEvents(t, reach, rng, 1000, 500)
	score()
	provedEqual(t, verifyAll(t, reach, states, nil))
	stored, now, err := states.Load(t.Context(), partition, []schemas.Pseudonym{user})
	if err != nil || bytes.Equal(old[0], now[0]) {
		t.Fatalf("the state has not moved, %v", err)
	}
	fence, err := ParseFence(stored)
	if err != nil {
		t.Fatal(err)
	}
	tag := states.tag(partition)
	set := func(key string, value []byte) {
		t.Helper()
		if err := r.client.Set(context.WithoutCancel(t.Context()), key, value, 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	altered := bytes.Clone(now[0])
	altered[len(altered)-1] ^= 1
	stranger := schemas.Pseudonym{0xee}
	key := userKey(tag, user)
	later := fence
	later.Since = 10
	ahead := fence
	ahead.Next += 1000
	tests := []struct {
		name    string
		plant   func()
		change  func(*VerifyDeps)
		verdict Verdict
		kind    string
		user    schemas.Pseudonym
		reason  string
	}{
		{"one bit of a state", func() { set(key, altered) }, nil, StatesDifferent, StateAltered, user, "another build"},
		{"a stale state", func() { set(key, old[0]) }, nil, StatesDifferent, StateAltered, user, "another build"},
		{"a lost state", func() { server.Del(key) }, nil, StatesDifferent, StateLost, user, "another build"},
		{"a state of nobody", func() { set(userKey(tag, stranger), old[0]) }, nil, StatesDifferent, StateUnfounded, stranger, "another build"},
		{"a state of another offset's fence", func() {
			behind := fence
			behind.Next--
			set(fenceKey(tag), []byte(behind.String()))
		}, nil, StatesDifferent, StateAltered, schemas.Pseudonym{}, "another build"},
		{"no fence", func() { server.Del(fenceKey(tag)) }, nil, StatesDifferent, "", user, "no fence"},
		{"a fence beyond the log", func() { set(fenceKey(tag), []byte(ahead.String())) }, nil, StatesDifferent, "", user, "made anew"},
		{"a change of policies", func() {
			set(key, altered)
			set(fenceKey(tag), []byte(later.String()))
		}, nil, StatesUnproven, StateAltered, user, "changed at offset 10"},
		{"a change of policies that changed nothing", func() { set(fenceKey(tag), []byte(later.String())) }, nil, StatesEqual, "", user, ""},
		{"other policies here", func() {}, func(d *VerifyDeps) { d.Engine = otherRules{} }, StatesUnproven, "", user, "the policies that the scorers have"},
		{"another format here", func() {}, func(d *VerifyDeps) { d.Engine = newerStates{} }, StatesUnproven, "", user, "format 1"},
		{"one bit, folded in passes", func() { set(key, altered) }, func(d *VerifyDeps) { d.UsersAtOnce = 2 }, StatesDifferent, StateAltered, user, "another build"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.plant()
			p := verifyAll(t, reach, states, test.change)[partition]
			if p.Verdict != test.verdict || !strings.Contains(p.Reason, test.reason) {
				t.Errorf("%+v", p)
			}
			if (test.kind != "") != (p.Differences > 0) || (p.Differences > 0) != (p.Stored != p.Folded) {
				t.Errorf("%+v", p)
			}
			want := Difference{test.user, fence.Next, test.kind}
			if test.kind != "" && test.user != (schemas.Pseudonym{}) && (p.Differences != 1 || p.First[0] != want) {
				t.Errorf("found %+v, want %+v", p.First, want)
			}
			set(key, now[0])
			set(fenceKey(tag), []byte(stored))
			server.Del(userKey(tag, stranger))
		})
	}
	provedEqual(t, verifyAll(t, reach, states, func(d *VerifyDeps) { d.UsersAtOnce = 2 }))
}

// Events that cannot be read or scored count for nothing, in the fold as in the
// scorer.
func TestVerify_deadLetters(t *testing.T) {
	t.Parallel()
	_, reach := newCluster(t)
	states := openRedis(t, miniredis.RunT(t).Addr()).States("1")
	c := newCodecs(t)
	rng := rand.New(rand.NewPCG(2, 1))
	client := newClient(t, reach)
	for i := range int64(300) {
		e := tinyEvent(rng.IntN(23), i)
		switch {
		case i%17 == 3:
			e.Activity = "bug"
		case i%19 == 3:
			e.User = schemas.Pseudonym{}
		}
		value, err := c.events.Append(nil, &e)
		if err != nil {
			t.Fatal(err)
		}
		if i%23 == 3 {
			value = []byte("no event")
		}
		r := &kgo.Record{Topic: "events", Key: []byte(e.User.String()), Value: value}
		if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	if err := rebuildAll(t, reach, states); err != nil {
		t.Fatal(err)
	}
	provedEqual(t, verifyAll(t, reach, states, nil))
	if letters := readAll(t, reach, "dlq.events"); len(letters) < 20 {
		t.Errorf("%d dead letters", len(letters))
	}
}

// The fence remembers since when the policies have been those that they are.
func TestScorer_remembersPolicyChange(t *testing.T) {
	w := tinyWorker(t, newCodecs(t), NewMemoryStates(), nil)
	for _, step := range []struct {
		engine Engine
		next   int64
		since  int64
	}{
		{tinyEngine{}, 50, earliest},
		{tinyEngine{}, 60, earliest},
		{otherRules{}, 70, 60},
		{otherRules{}, 80, 60},
		{tinyEngine{}, 90, 80},
	} {
		w.engine = step.engine
		if _, err := w.claim(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if w.fence.Since != step.since {
			t.Errorf("fence %v, want since %d", w.fence, step.since)
		}
		next := w.fence
		next.Next = step.next
		if err := w.store.Commit(t.Context(), 0, w.stored, next.String(), nil); err != nil {
			t.Fatal(err)
		}
	}
}

// A store that goes back while it is read, again and again, is said to, and not
// taken for a loss.
func TestVerify_unsteady(t *testing.T) {
	states := openRedis(t, miniredis.RunT(t).Addr()).States("1")
	ahead, behind := Fence{Nonce: "a", Next: 9}, Fence{Nonce: "a", Next: 5}
	s := &survey{users: map[schemas.Pseudonym]sighting{}}
	for _, step := range []struct {
		from, to Fence
		steady   bool
	}{{Fence{}, behind, true}, {behind, ahead, true}, {ahead, behind, false}} {
		from := ""
		if s.begun {
			from = step.from.String()
		}
		if err := states.Commit(t.Context(), 0, from, step.to.String(), nil); err != nil {
			t.Fatal(err)
		}
		err := s.read(t.Context(), states, 0, nil)
		if (err == nil) != step.steady {
			t.Errorf("%v: %v", step, err)
		}
		s.begun = true
	}
	lost := map[schemas.Pseudonym]stateDigest{{1}: {}}
	if err := s.stillLost(t.Context(), states, 0, lost); err != nil {
		t.Error(err)
	}
	if err := states.Commit(t.Context(), 0, behind.String(), ahead.String(), []UserState{{schemas.Pseudonym{1}, []byte("back")}}); err != nil {
		t.Fatal(err)
	}
	if err := s.stillLost(t.Context(), states, 0, lost); err == nil {
		t.Error("a user who is there is lost")
	}
	if users := slices.Collect(func(yield func(schemas.Pseudonym) bool) {
		if err := states.Users(t.Context(), 0, func(some []schemas.Pseudonym) error {
			for _, user := range some {
				yield(user)
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
	}); len(users) != 1 || users[0] != (schemas.Pseudonym{1}) {
		t.Errorf("users %v", users)
	}
}

// order orders a user's erasure.
func order(t *testing.T, reach []kgo.Opt, user schemas.Pseudonym) {
	t.Helper()
	client, err := kgo.NewClient(reach...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.ProduceSync(t.Context(), ErasureRecord(schemas.Topics{}, user)).FirstErr(); err != nil {
		t.Fatal(err)
	}
}
