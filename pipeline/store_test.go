package pipeline

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/riskpipe/riskpipe/schemas"
)

// redisServers are the Redis servers to test with.
func redisServers(t *testing.T, f func(t *testing.T, r *Redis)) {
	redisAddresses(t, func(t *testing.T, address string) { f(t, openRedis(t, address)) })
}

// redisAddresses are where they listen: miniredis, and a real one where
// RISKPIPE_TEST_REDIS names it.
func redisAddresses(t *testing.T, f func(t *testing.T, address string)) {
	t.Run("miniredis", func(t *testing.T) { f(t, miniredis.RunT(t).Addr()) })
	t.Run("redis", func(t *testing.T) { f(t, realRedis(t)) })
}

// realRedis is where RISKPIPE_TEST_REDIS says that one listens. Without it the test ends.
func realRedis(t *testing.T) (address string) {
	t.Helper()
	address = os.Getenv("RISKPIPE_TEST_REDIS")
	if address == "" {
		if os.Getenv("RISKPIPE_REQUIRE_REAL") != "" {
			t.Fatal("RISKPIPE_REQUIRE_REAL is set and RISKPIPE_TEST_REDIS is not")
		}
		t.Skip("RISKPIPE_TEST_REDIS names no server")
	}
	return address
}

func openRedis(t testing.TB, address string) *Redis {
	t.Helper()
	r, err := NewRedis(RedisConfig{Addresses: []string{address}, Prefix: "test:" + rand.Text() + ":"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// Every store of states keeps the contract of StateStore.
func TestStateStore(t *testing.T) {
	t.Run("memory", func(t *testing.T) { stateStoreContract(t, NewMemoryStates()) })
	redisServers(t, func(t *testing.T, r *Redis) { stateStoreContract(t, r.States("1")) })
}

func stateStoreContract(t *testing.T, store StateStore) {
	ctx := t.Context()
	ada, ben := schemas.Pseudonym{1}, schemas.Pseudonym{2, 0xff, '\n'}
	claim := func(t *testing.T, partition int32, nonce string) Fence {
		t.Helper()
		fence, err := store.Claim(ctx, partition, func(current Fence, found bool) (Fence, error) {
			if !found {
				current.Next = earliest
			}
			current.Epoch++
			current.Nonce = nonce
			return current, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return fence
	}
	load := func(t *testing.T, partition int32, users ...schemas.Pseudonym) (string, []string) {
		t.Helper()
		fence, states, err := store.Load(ctx, partition, users)
		if err != nil {
			t.Fatal(err)
		}
		texts := make([]string, len(states))
		for i, state := range states {
			texts[i] = string(state)
			if state == nil {
				texts[i] = "unseen"
			}
		}
		return fence, texts
	}

	t.Run("an unseen partition has no fence and no states", func(t *testing.T) {
		if fence, states := load(t, 1, ada); fence != "" || states[0] != "unseen" {
			t.Errorf("fence %q, states %q", fence, states)
		}
	})
	t.Run("a commit is read back by whoever claims next", func(t *testing.T) {
		first := claim(t, 2, "a")
		next := first
		next.Next = 10
		binary := []byte{0, 1, 0xff, '\r', '\n'}
		if err := store.Commit(ctx, 2, first.String(), next.String(), []UserState{{ada, binary}, {ben, []byte("b")}}); err != nil {
			t.Fatal(err)
		}
		binary[0] = 9 // the store keeps a copy
		fence, states := load(t, 2, ada, schemas.Pseudonym{3}, ben)
		if fence != next.String() || states[0] != "\x00\x01\xff\r\n" || states[1] != "unseen" || states[2] != "b" {
			t.Errorf("fence %q, states %q", fence, states)
		}
		if second := claim(t, 2, "b"); second.Next != 10 || second.Epoch != first.Epoch+1 {
			t.Errorf("claimed %v", second)
		}
	})
	t.Run("a state that is nil is removed with the commit, and no other", func(t *testing.T) {
		first := claim(t, 8, "a")
		next := first
		next.Next = 1
		if err := store.Commit(ctx, 8, first.String(), next.String(), []UserState{{ada, []byte("a")}, {ben, []byte("b")}}); err != nil {
			t.Fatal(err)
		}
		last := next
		last.Next = 2
		if err := store.Commit(ctx, 8, first.String(), last.String(), []UserState{{ada, nil}}); !errors.Is(err, ErrFenced) {
			t.Errorf("error %v, want ErrFenced", err)
		}
		if _, states := load(t, 8, ada); states[0] != "a" {
			t.Errorf("who is fenced removed it: %q", states)
		}
		if err := store.Commit(ctx, 8, next.String(), last.String(), []UserState{{ada, nil}, {schemas.Pseudonym{9}, nil}}); err != nil {
			t.Fatal(err)
		}
		if fence, states := load(t, 8, ada, ben); fence != last.String() || states[0] != "unseen" || states[1] != "b" {
			t.Errorf("fence %q, states %q", fence, states)
		}
	})
	t.Run("who is fenced writes nothing", func(t *testing.T) {
		old := claim(t, 3, "a")
		owner := claim(t, 3, "b")
		next := old
		next.Next = 5
		if err := store.Commit(ctx, 3, old.String(), next.String(), []UserState{{ada, []byte("zombie")}}); !errors.Is(err, ErrFenced) {
			t.Errorf("error %v, want ErrFenced", err)
		}
		if fence, states := load(t, 3, ada); fence != owner.String() || states[0] != "unseen" {
			t.Errorf("fence %q, states %q", fence, states)
		}
	})
	t.Run("a commit without states moves the fence", func(t *testing.T) {
		first := claim(t, 4, "a")
		next := first
		next.Next = 7
		if err := store.Commit(ctx, 4, first.String(), next.String(), nil); err != nil {
			t.Fatal(err)
		}
		if fence, _ := load(t, 4); fence != next.String() {
			t.Errorf("fence %q", fence)
		}
	})
	t.Run("a claim that is refused changes nothing", func(t *testing.T) {
		first := claim(t, 5, "a")
		refusal := errors.New("refused")
		if _, err := store.Claim(ctx, 5, func(Fence, bool) (Fence, error) { return Fence{}, refusal }); !errors.Is(err, refusal) {
			t.Errorf("error %v", err)
		}
		if fence, _ := load(t, 5); fence != first.String() {
			t.Errorf("fence %q", fence)
		}
	})
	t.Run("of many who commit from one fence one succeeds", func(t *testing.T) {
		first := claim(t, 6, "a")
		var wg sync.WaitGroup
		wins := make([]bool, 8)
		for i := range wins {
			wg.Go(func() {
				next := first
				next.Next, next.Nonce = 1, fmt.Sprint("n", i)
				wins[i] = store.Commit(ctx, 6, first.String(), next.String(), []UserState{{ada, []byte(next.Nonce)}}) == nil
			})
		}
		wg.Wait()
		winner := -1
		for i, won := range wins {
			if won && winner >= 0 {
				t.Fatalf("%d and %d both committed", winner, i)
			}
			if won {
				winner = i
			}
		}
		fence, states := load(t, 6, ada)
		if parsed, err := ParseFence(fence); winner < 0 || err != nil || parsed.Nonce != fmt.Sprint("n", winner) || states[0] != parsed.Nonce {
			t.Errorf("winner %d, fence %q, states %q", winner, fence, states)
		}
	})
	t.Run("a thousand users go in one commit", func(t *testing.T) {
		first := claim(t, 7, "a")
		next := first
		next.Next = 1000
		var states []UserState
		var users []schemas.Pseudonym
		for i := range 1000 {
			user := schemas.Pseudonym{byte(i), byte(i >> 8), 9}
			users = append(users, user)
			states = append(states, UserState{user, fmt.Append(nil, i)})
		}
		if err := store.Commit(ctx, 7, first.String(), next.String(), states); err != nil {
			t.Fatal(err)
		}
		_, texts := load(t, 7, users...)
		for i, text := range texts {
			if text != fmt.Sprint(i) {
				t.Fatalf("state %d is %q", i, text)
			}
		}
	})
}

// Every store of names keeps the contract of Names.
func TestNames(t *testing.T) {
	t.Run("memory", func(t *testing.T) { namesContract(t, NewMemoryNames()) })
	redisServers(t, func(t *testing.T, r *Redis) { namesContract(t, r.Names()) })
}

func namesContract(t *testing.T, names Names) {
	ctx := t.Context()
	one, two, three := schemas.Pseudonym{1}, schemas.Pseudonym{2}, schemas.Pseudonym{3}
	stored, err := names.Learn(ctx, []Name{
		{Key: one, Value: []byte("first")},
		{Key: one, Value: []byte("second")},
		{Key: two, Value: []byte("old"), For: time.Hour},
		{Key: two, Value: []byte{0, 0xff}, For: time.Hour},
	})
	if err != nil {
		t.Fatal(err)
	}
	if !stored[0] || stored[1] || !stored[2] || !stored[3] {
		t.Errorf("stored %v", stored)
	}
	values, err := names.Lookup(ctx, []schemas.Pseudonym{three, two, one, two})
	if err != nil {
		t.Fatal(err)
	}
	if values[0] != nil || string(values[1]) != "\x00\xff" || string(values[2]) != "first" || string(values[3]) != "\x00\xff" {
		t.Errorf("values %q", values)
	}
	if values, err := names.Lookup(ctx, nil); err != nil || len(values) != 0 {
		t.Errorf("nothing looked up: %q, %v", values, err)
	}
	if _, err := names.Learn(ctx, nil); err != nil {
		t.Errorf("nothing learned: %v", err)
	}
	if stored, err := names.Learn(ctx, []Name{{Key: one, Value: []byte("third"), Replace: true}, {Key: one, Value: []byte("fourth")}}); err != nil || !stored[0] || stored[1] {
		t.Errorf("replaced: %v, %v", stored, err)
	}
	if values, err := names.Lookup(ctx, []schemas.Pseudonym{one}); err != nil || string(values[0]) != "third" {
		t.Errorf("after replacing: %q, %v", values, err)
	}
}

// Names of alerts to be joined expire in Redis.
func TestRedisNames_expire(t *testing.T) {
	server := miniredis.RunT(t)
	names := openRedis(t, server.Addr()).Names()
	key := schemas.Pseudonym{1}
	if _, err := names.Learn(t.Context(), []Name{{Key: key, Value: []byte("x"), For: time.Hour}}); err != nil {
		t.Fatal(err)
	}
	server.FastForward(2 * time.Hour)
	if values, err := names.Lookup(t.Context(), []schemas.Pseudonym{key}); err != nil || values[0] != nil {
		t.Errorf("values %q, error %v", values, err)
	}
}

// A server that cannot be reached is an error of the operation, not of opening.
func TestRedis_unreachable(t *testing.T) {
	server := miniredis.RunT(t)
	r := openRedis(t, server.Addr())
	server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, _, err := r.States("1").Load(ctx, 0, nil); err == nil {
		t.Error("reading states succeeded")
	}
	if err := r.States("1").Commit(ctx, 0, "a", "b", nil); err == nil || errors.Is(err, ErrFenced) {
		t.Errorf("committing: %v", err)
	}
	if _, err := r.Names().Lookup(ctx, []schemas.Pseudonym{{1}}); err == nil {
		t.Error("looking up succeeded")
	}
}

// What is written wrong in the configuration is said all at once.
func TestRedisConfig_Validate(t *testing.T) {
	err := RedisConfig{Addresses: []string{"here", "there:6379"}, Database: -1, Username: "u", Timeout: -1}.Validate()
	for _, problem := range []string{`"here" is not host:port`, "several servers", "redis.database is -1", "without redis.password", "redis.timeout"} {
		if err == nil || !contains(err.Error(), problem) {
			t.Errorf("%v\ndoes not say: %s", err, problem)
		}
	}
}
