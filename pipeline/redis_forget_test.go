package pipeline

import (
	"slices"
	"testing"
	"time"

	"github.com/riskpipe/riskpipe/schemas"
)

// Of a user every name, all evidence that waits and states of earlier generations go, whatever
// bytes are in the keys; the state in force and all that is others' stays.
func TestRedis_Forget(t *testing.T) {
	redisServers(t, func(t *testing.T, r *Redis) {
		ctx, c := t.Context(), newCodecs(t)
		r.prefix += "[a*]?:"
		ada, ben := schemas.Pseudonym{1, '*', ']'}, schemas.Pseudonym{2, '\n', '\\'}
		waiting := func(users ...schemas.Pseudonym) (list []byte) {
			for _, user := range users {
				e := tinyEvent(0, 1)
				e.User = user
				value, err := c.events.Append(nil, &e)
				if err != nil {
					t.Fatal(err)
				}
				list = appendWaiting(list, value, user == ben)
			}
			return list
		}
		sought := func(user schemas.Pseudonym) Sought {
			return Sought{Users: []schemas.Pseudonym{user}, Keys: []Pseudonymiser{testKey(t)}, Generation: "g1x3", Events: c.events}
		}
		hidden := outOfScope(testKey(t), ada)
		info := tinyEvent(0, 2)
		info.User = schemas.Pseudonym{}
		alert, err := c.events.Append(nil, &info)
		if err != nil {
			t.Fatal(err)
		}
		names := []Name{
			{Key: schemas.Pseudonym{10}, Value: ada[:]},
			{Key: schemas.Pseudonym{11}, Value: ben[:]},
			{Key: ada, Value: ada[:]},
			{Key: schemas.Pseudonym{16}, Value: hidden[:]}, // learned while she was out of scope
			{Key: schemas.Pseudonym{12}, Value: waiting(ada, ben), For: time.Hour},
			{Key: schemas.Pseudonym{13}, Value: waiting(ada), For: time.Hour},
			{Key: schemas.Pseudonym{14}, Value: waiting(ben), For: time.Hour},
			{Key: schemas.Pseudonym{15}, Value: alert, For: time.Hour},
		}
		if _, err := r.Names().Learn(ctx, names); err != nil {
			t.Fatal(err)
		}
		for _, generation := range []string{"g1x2", "g1x3"} {
			for partition := range int32(2) {
				store := r.States(generation)
				fence, err := store.Claim(ctx, partition, func(f Fence, _ bool) (Fence, error) { return f, nil })
				if err != nil {
					t.Fatal(err)
				}
				user := []schemas.Pseudonym{ada, ben}[partition]
				if err := store.Commit(ctx, partition, fence.String(), fence.String(), []UserState{{user, []byte("x")}}); err != nil {
					t.Fatal(err)
				}
			}
		}
		want := func(user schemas.Pseudonym, names []schemas.Pseudonym, waiting, states, stale int) {
			t.Helper()
			found, err := r.Remembered(ctx, sought(user))
			slices.SortFunc(found.Names, func(a, b schemas.Pseudonym) int { return slices.Compare(a[:], b[:]) })
			if err != nil || !slices.Equal(found.Names, names) || found.Waiting != waiting || found.States != states || found.StaleStates != stale {
				t.Errorf("%s: found %+v (%v)", user.Short(), found, err)
			}
		}
		want(ada, []schemas.Pseudonym{ada, {10}, {16}}, 2, 1, 1)
		for range 2 {
			if err := r.Forget(ctx, sought(ada)); err != nil {
				t.Fatal(err)
			}
			want(ada, nil, 0, 1, 0)
			want(ben, []schemas.Pseudonym{{11}}, 2, 1, 1)
		}
		left, err := r.Names().Lookup(ctx, []schemas.Pseudonym{{12}, {13}, {14}, {15}})
		if err != nil || string(left[0]) != string(waiting(ben)) || left[1] != nil || string(left[2]) != string(waiting(ben)) || string(left[3]) != string(alert) {
			t.Errorf("left %q (%v)", left, err)
		}
		if ttl := r.client.TTL(ctx, r.prefix+"name:"+string(names[4].Key[:])).Val(); ttl <= 0 || ttl > time.Hour {
			t.Errorf("what waits for others lives for %s", ttl)
		}
	})
}
