package pipeline

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/schemas"
)

// behindProxy opens the same states twice: through a proxy, and past it.
func behindProxy(t *testing.T, address string) (proxy *redisProxy, through, past *RedisStates) {
	t.Helper()
	proxy = newRedisProxy(t, address)
	direct := openRedis(t, address)
	indirect, err := NewRedis(RedisConfig{Addresses: []string{proxy.listener.Addr().String()}, Prefix: direct.prefix})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { indirect.Close() })
	return proxy, indirect.States("1"), direct.States("1")
}

func claimAs(t *testing.T, states StateStore, nonce string) Fence {
	t.Helper()
	fence, err := states.Claim(t.Context(), 0, func(current Fence, _ bool) (Fence, error) {
		current.Epoch++
		current.Nonce = nonce
		return current, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return fence
}

// holds reads the fence and the states of the two users.
func holds(t *testing.T, states StateStore) (fence, values string) {
	t.Helper()
	fence, both, err := states.Load(t.Context(), 0, twoUsers)
	if err != nil {
		t.Fatal(err)
	}
	return fence, fmt.Sprintf("%s %s", both[0], both[1])
}

var twoUsers = []schemas.Pseudonym{{1}, {2}}

func bothStates(value string) []UserState {
	return []UserState{{twoUsers[0], []byte(value)}, {twoUsers[1], []byte(value)}}
}

// A transaction whose answer is lost was made all the same, and the store does
// not say otherwise.
func TestRedisStates_answerLost(t *testing.T) {
	redisAddresses(t, func(t *testing.T, address string) {
		proxy, through, past := behindProxy(t, address)
		from := claimAs(t, through, "a")
		to := from
		to.Next = 10
		proxy.interfere(onExec(func(piece []byte) ([]byte, afterwards) { return piece, loseAnswer }))
		if err := through.Commit(t.Context(), 0, from.String(), to.String(), bothStates("new")); err == nil || errors.Is(err, ErrFenced) {
			t.Errorf("error %v, want one that says nothing", err)
		}
		if fence, values := holds(t, past); fence != to.String() || values != "new new" {
			t.Errorf("fence %s, states %s", fence, values)
		}
	})
}

// A scorer whose transaction's answer is lost asks, and goes on without doing
// anything again.
func TestScoreWorker_answerLost(t *testing.T) {
	redisAddresses(t, func(t *testing.T, address string) {
		proxy, through, _ := behindProxy(t, address)
		c := newCodecs(t)
		out := newOutbox(c)
		w := tinyWorker(t, c, through, func(_ context.Context, records []*kgo.Record) (err error) {
			for _, r := range records {
				err = errors.Join(err, out.add(r))
			}
			return err
		})
		log := tinyLog(t, c, rand.New(rand.NewPCG(4, 2)), 60, 3)
		if _, err := w.claim(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		proxy.interfere(onExec(func(piece []byte) ([]byte, afterwards) { return piece, loseAnswer }))
		if next, err := w.process(t.Context(), log); err != nil || next != 60 {
			t.Fatalf("came to %d: %v", next, err)
		}
		if err := sameAlerts(out.alerts, foldLog(t, c, log).alerts); err != nil || out.repeats > 0 {
			t.Errorf("%d alerts were written twice; %v", out.repeats, err)
		}
	})
}

// Who claims between a commit's comparison and its write is not written over,
// whether the transaction arrives late or its connection is lost: the client
// must not send it again on another connection, which watches nothing.
func TestRedisStates_claimedWithinCommit(t *testing.T) {
	for name, act := range map[string]func([]byte) ([]byte, afterwards){
		"arrives late":       func(piece []byte) ([]byte, afterwards) { return piece, goOn },
		"connection is lost": func([]byte) ([]byte, afterwards) { return nil, hangUp },
		"answer is lost":     func(piece []byte) ([]byte, afterwards) { return piece, loseAnswer },
	} {
		t.Run(name, func(t *testing.T) {
			redisAddresses(t, func(t *testing.T, address string) {
				proxy, through, past := behindProxy(t, address)
				zombie := claimAs(t, through, "zombie")
				to := zombie
				to.Next = 10
				var owner Fence
				proxy.interfere(onExec(func(piece []byte) ([]byte, afterwards) {
					owner = claimAs(t, past, "owner")
					return act(piece)
				}))
				if err := through.Commit(t.Context(), 0, zombie.String(), to.String(), bothStates("zombie")); err == nil {
					t.Error("the commit was accepted")
				}
				if fence, values := holds(t, past); fence != owner.String() || values != " " {
					t.Errorf("fence %s, states %q", fence, values)
				}
			})
		})
	}
}

// Wherever the connection breaks, states and position are written together or
// not at all.
func TestRedisStates_torn(t *testing.T) {
	redisAddresses(t, func(t *testing.T, address string) {
		proxy, through, past := behindProxy(t, address)
		outcomes := map[string]int{}
		for cut := 1; outcomes["whole"] < 3; cut += 11 {
			from := claimAs(t, past, "a")
			to := from
			to.Next = int64(cut)
			before := fmt.Sprint("before ", cut)
			if err := past.Commit(t.Context(), 0, from.String(), from.String(), bothStates(before)); err != nil {
				t.Fatal(err)
			}
			left := cut
			proxy.interfere(func(piece []byte) ([]byte, afterwards) {
				if strings.Contains(strings.ToLower(string(piece)), "hello") {
					return piece, goOn
				}
				if left < len(piece) {
					return piece[:left], hangUp
				}
				left -= len(piece)
				return piece, goOn
			})
			err := through.Commit(t.Context(), 0, from.String(), to.String(), bothStates("after"))
			proxy.interfere(nil)
			switch fence, values := holds(t, past); {
			case fence == to.String() && values == "after after":
				outcomes["whole"]++
			case fence == from.String() && values == before+" "+before && err != nil:
				outcomes["nothing"]++
			default:
				t.Fatalf("cut at %d: error %v, fence %s, states %s", cut, err, fence, values)
			}
		}
		if outcomes["nothing"] < 10 {
			t.Errorf("outcomes %v", outcomes)
		}
	})
}
