package pipeline

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/schemas"
)

// namesTestRun sets this run's keys apart from those of earlier ones.
var namesTestRun = "test:" + rand.Text() + ":"

// loggedNames are names over a Redis that a test can rob, behind a proxy that can be cut.
func loggedNames(t *testing.T, address string, reach []kgo.Opt) (names *LoggedNames, cut func()) {
	t.Helper()
	proxy := newRedisProxy(t, address)
	r, err := NewRedis(RedisConfig{Addresses: []string{proxy.listener.Addr().String()}, Prefix: namesTestRun + t.Name() + ":"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	if names, err = NewLoggedNames(r.Names(), reach, schemas.Topics{}, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(names.Close)
	return names, func() {
		proxy.interfere(func(piece []byte) ([]byte, afterwards) {
			proxy.interfere(nil)
			return nil, hangUp
		})
	}
}

// rob takes a name away from Redis, as a failover to a replica does which has not got it yet.
func rob(t *testing.T, names *LoggedNames, key schemas.Pseudonym) {
	t.Helper()
	n, err := names.store.client.Del(t.Context(), names.store.prefix+string(key[:])).Result()
	if err != nil || n != 1 {
		t.Fatalf("took %d names away: %v", n, err)
	}
}

func learn(t *testing.T, names Names, key, user schemas.Pseudonym) bool {
	t.Helper()
	stored, err := names.Learn(t.Context(), []Name{{Key: key, Value: user[:]}})
	if err != nil {
		t.Fatal(err)
	}
	return stored[0]
}

func leadsTo(t *testing.T, names Names, key, want schemas.Pseudonym) {
	t.Helper()
	values, err := names.Lookup(t.Context(), []schemas.Pseudonym{key})
	if err != nil {
		t.Fatal(err)
	}
	if want == (schemas.Pseudonym{}) && values[0] != nil || want != (schemas.Pseudonym{}) && !slices.Equal(values[0], want[:]) {
		t.Errorf("%s leads to %x, want %s", key, values[0], want)
	}
}

// Names that Redis loses while it is away are there again for whoever asks first, whoever learned them.
func TestLoggedNames_failover(t *testing.T) {
	address := miniredis.RunT(t).Addr() // which does not say who it is
	_, reach := newCluster(t)
	ada, ben, mail, object := schemas.Pseudonym{1}, schemas.Pseudonym{2}, schemas.Pseudonym{3}, schemas.Pseudonym{4}
	signIns, cut := loggedNames(t, address, reach)
	files, _ := loggedNames(t, address, reach)
	learn(t, signIns, mail, ada)
	learn(t, files, object, ben)
	leadsTo(t, signIns, object, ben)
	rob(t, files, mail)
	rob(t, files, object)
	leadsTo(t, signIns, object, schemas.Pseudonym{}) // nobody can know
	cut()
	leadsTo(t, signIns, object, ben)
	leadsTo(t, files, mail, ada)
}

// A process that starts after all others were killed makes good what Redis lost meanwhile.
func TestLoggedNames_start(t *testing.T) {
	redisAddresses(t, func(t *testing.T, address string) {
		_, reach := newCluster(t)
		before, _ := loggedNames(t, address, reach)
		ada, mail := schemas.Pseudonym{1}, schemas.Pseudonym{3}
		learn(t, before, mail, ada)
		rob(t, before, mail)
		after, _ := loggedNames(t, address, reach)
		leadsTo(t, after, mail, ada)
	})
}

// The log comes to say what Redis says when two processes learn a name for two users, and an
// error of either leaves nothing to be learned that the log does not have.
func TestLoggedNames_conflict(t *testing.T) {
	redisAddresses(t, func(t *testing.T, address string) {
		_, reach := newCluster(t)
		a, _ := loggedNames(t, address, reach)
		b, _ := loggedNames(t, address, reach)
		ada, ben, mail := schemas.Pseudonym{1}, schemas.Pseudonym{2}, schemas.Pseudonym{3}
		if !learn(t, a, mail, ada) || learn(t, b, mail, ben) {
			t.Error("the first is not the one who stored it")
		}
		if !learn(t, a, mail, ada) {
			t.Error("what was done again is not there")
		}
		restored := NewMemoryNames()
		n, err := RestoreNames(t.Context(), reach, schemas.Topics{}, restored)
		if err != nil || n != (RestoredNames{Logged: 1, Missing: 1}) {
			t.Errorf("restored %+v: %v", n, err)
		}
		leadsTo(t, restored, mail, ada)
		found, err := NamesOf(t.Context(), reach, schemas.Topics{}, []schemas.Pseudonym{ada}, nil)
		if err != nil || !slices.Equal(found, []schemas.Pseudonym{mail}) {
			t.Errorf("names of one: %v, %v", found, err)
		}
	})
}

// A name that was taken out of the log is not restored; what expires never stands there.
func TestLoggedNames_forgotten(t *testing.T) {
	redisAddresses(t, func(t *testing.T, address string) {
		_, reach := newCluster(t)
		names, _ := loggedNames(t, address, reach)
		ada, mail := schemas.Pseudonym{1}, schemas.Pseudonym{3}
		learn(t, names, mail, ada)
		if _, err := names.Learn(t.Context(), []Name{{Key: schemas.Pseudonym{9}, Value: ada[:], For: time.Hour}}); err != nil {
			t.Fatal(err)
		}
		if err := produceAll(t.Context(), newClient(t, reach), []*kgo.Record{ForgottenName(schemas.Topics{}, mail)}); err != nil {
			t.Fatal(err)
		}
		if n, err := RestoreNames(t.Context(), reach, schemas.Topics{}, NewMemoryNames()); err != nil || n.Logged != 0 {
			t.Errorf("restored %+v: %v", n, err)
		}
	})
}

// Nothing is learned that the log does not take, and nothing is looked up while it cannot be read.
func TestLoggedNames_logAway(t *testing.T) {
	address := miniredis.RunT(t).Addr() // which does not say who it is
	cluster, reach := newCluster(t)
	names, cut := loggedNames(t, address, reach)
	ada, mail := schemas.Pseudonym{1}, schemas.Pseudonym{3}
	learn(t, names, mail, ada)
	cluster.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if _, err := names.Learn(ctx, []Name{{Key: schemas.Pseudonym{5}, Value: ada[:]}}); err == nil {
		t.Error("learned what the log does not have")
	}
	leadsTo(t, names, mail, ada)
	cut()
	if _, err := names.Lookup(ctx, []schemas.Pseudonym{mail}); err == nil {
		t.Error("asked a Redis that may have lost names")
	}
}

// A connection more to the same server is none to another; one that was started again, or made the primary, is.
func TestServers(t *testing.T) {
	info := func(run, replication string) string {
		return "# Server\r\nredis_version:7.0.15\r\nrun_id:" + run + "\r\n\r\n# Replication\r\nrole:master\r\nmaster_replid:" + replication + "\r\nmaster_replid2:0\r\n"
	}
	ids := map[string]bool{}
	for _, text := range []string{info("a", "1"), info("a", "1"), info("b", "1"), info("a", "2")} {
		ids[serverID(text)] = true
	}
	if len(ids) != 3 || serverID("# Clients\nconnected_clients:1\n") != "" {
		t.Errorf("told apart: %v", ids)
	}
	r := openRedis(t, realRedis(t))
	var connections sync.WaitGroup
	for range 8 {
		connections.Go(func() {
			if err := r.client.BLPop(t.Context(), 300*time.Millisecond, r.prefix+"nothing").Err(); !errors.Is(err, redis.Nil) {
				t.Error(err)
			}
		})
	}
	connections.Wait()
	if met := r.Names().Servers(); met != 1 || r.client.PoolStats().TotalConns < 8 {
		t.Errorf("%d servers over %d connections", met, r.client.PoolStats().TotalConns)
	}
}

// A partition whose last offset is no record to read ends all the same; one that cannot be read is none
// that has ended.
func TestRestoreNames_end(t *testing.T) {
	t.Parallel()
	cluster, reach := newCluster(t)
	ada, mail := schemas.Pseudonym{1}, schemas.Pseudonym{3}
	client := newClient(t, reach, kgo.TransactionalID("names"))
	if err := client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := produceAll(t.Context(), client, []*kgo.Record{{Topic: schemas.Topics{}.Names(), Key: mail[:], Value: ada[:]}}); err != nil {
		t.Fatal(err)
	}
	if err := client.EndTransaction(t.Context(), kgo.TryCommit); err != nil { // its marker takes the last offset
		t.Fatal(err)
	}
	if n, err := RestoreNames(t.Context(), reach, schemas.Topics{}, NewMemoryNames()); err != nil || n.Logged != 1 {
		t.Errorf("restored %+v: %v", n, err)
	}
	reader := newClient(t, reach)
	cluster.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	left := map[int32]topicSpan{0: {0, 1}}
	if err := readSpans(ctx, reader, schemas.Topics{}.Names(), left, func(*kgo.Record) error { return nil }); err == nil {
		t.Error("read all of a cluster that is away")
	}
}
