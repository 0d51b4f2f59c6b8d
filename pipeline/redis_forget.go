package pipeline

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/riskpipe/riskpipe/schemas"
)

// Remembered is what Redis holds of some users.
type Remembered struct {
	// Names are the learned names that lead to the users. Each is also the
	// pseudonym that the name had before it was known whose it is.
	Names []schemas.Pseudonym
	// Waiting is in how many alerts the users' evidence waits to be joined.
	Waiting int
	// States counts the states that the scorer folds into, StaleStates those of
	// earlier generations, which nobody reads any more.
	States, StaleStates int
}

// Remembered looks through everything for what is held of the users. Generation
// is that of the states in force. A name needs no guessing: its value tells whose
// it is.
func (r *Redis) Remembered(ctx context.Context, users []schemas.Pseudonym, generation string, events *schemas.Codec[schemas.Event]) (Remembered, error) {
	return r.search(ctx, users, generation, events, false)
}

// Forget removes all that Remembered finds but the states in force: the scorer
// has those in memory, and removes them at the erasure's place in the log.
func (r *Redis) Forget(ctx context.Context, users []schemas.Pseudonym, generation string, events *schemas.Codec[schemas.Event]) error {
	_, err := r.search(ctx, users, generation, events, true)
	return err
}

func (r *Redis) search(ctx context.Context, users []schemas.Pseudonym, generation string, events *schemas.Codec[schemas.Event], remove bool) (Remembered, error) {
	s := &redisSearch{users: users, events: events, remove: remove, seen: map[string]bool{}, names: r.prefix + "name:", current: "{" + r.prefix + "events:" + generation + ":p"}
	for _, begin := range []string{s.names, "{" + r.prefix + "events:"} {
		if err := r.scan(ctx, begin, s.page); err != nil {
			return Remembered{}, fmt.Errorf("searching redis for users: %w", err)
		}
	}
	return s.found, nil
}

// redisSearch goes through pages of keys.
type redisSearch struct {
	users   []schemas.Pseudonym
	events  *schemas.Codec[schemas.Event]
	remove  bool
	seen    map[string]bool // what was found, since a scan may give a key twice
	names   string          // what names begin with
	current string          // what the states in force begin with
	found   Remembered
}

// page takes some keys, which are all on the node of the client.
func (s *redisSearch) page(ctx context.Context, client *redis.Client, keys []string) error {
	var names []string
	for _, key := range keys {
		if strings.HasPrefix(key, s.names) {
			names = append(names, key)
			continue
		}
		if err := s.state(ctx, client, key); err != nil {
			return err
		}
	}
	if len(names) == 0 {
		return nil
	}
	replies := make([]*redis.StringCmd, len(names))
	_, err := client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, key := range names {
			replies[i] = p.Get(ctx, key)
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return err
	}
	for i, reply := range replies {
		value, err := reply.Bytes()
		if errors.Is(err, redis.Nil) {
			continue // it has expired
		}
		if err == nil {
			err = s.name(ctx, client, names[i], value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// state counts a state of the users, and removes one that nobody owns.
func (s *redisSearch) state(ctx context.Context, client *redis.Client, key string) error {
	if !slices.ContainsFunc(s.users, func(user schemas.Pseudonym) bool { return strings.HasSuffix(key, userKey("", user)) }) || s.again(key) {
		return nil
	}
	if strings.HasPrefix(key, s.current) {
		s.found.States++
		return nil
	}
	s.found.StaleStates++
	if s.remove {
		return client.Del(ctx, key).Err()
	}
	return nil
}

// name counts and removes a name, or what waits, where it is of the users.
func (s *redisSearch) name(ctx context.Context, client *redis.Client, key string, value []byte) error {
	var user schemas.Pseudonym
	if len(value) == len(user) {
		if user = schemas.Pseudonym(value); !slices.Contains(s.users, user) || s.again(key) {
			return nil
		}
		if suffix := key[len(s.names):]; len(suffix) == len(user) {
			s.found.Names = append(s.found.Names, schemas.Pseudonym([]byte(suffix)))
		}
		if s.remove {
			return client.Del(ctx, key).Err()
		}
		return nil
	}
	rest, theirs := s.others(value)
	if !theirs || s.again(key) {
		return nil
	}
	s.found.Waiting++
	switch {
	case !s.remove:
		return nil
	case len(rest) == 0:
		return client.Del(ctx, key).Err()
	default:
		return client.SetArgs(ctx, key, rest, redis.SetArgs{KeepTTL: true, Mode: "XX"}).Err()
	}
}

func (s *redisSearch) again(key string) bool {
	again := s.seen[key]
	s.seen[key] = true
	return again
}

// others returns the waiting evidence that is not of the users, and whether some
// was theirs. What is no list of evidence is nobody's.
func (s *redisSearch) others(waiting []byte) (rest []byte, theirs bool) {
	for len(waiting) > 0 {
		size, n := binary.Uvarint(waiting)
		if n <= 0 || size > uint64(len(waiting)-n) {
			return nil, false
		}
		entry := waiting[:n+int(size)]
		var e schemas.Event
		if err := s.events.Decode(entry[n:], &e); err != nil {
			return nil, false
		}
		if slices.Contains(s.users, e.User) {
			theirs = true
		} else {
			rest = append(rest, entry...)
		}
		waiting = waiting[len(entry):]
	}
	return rest, theirs
}

// scan calls page with all keys that begin so, some at a time; a key may come
// twice.
func (r *Redis) scan(ctx context.Context, begin string, page func(context.Context, *redis.Client, []string) error) error {
	node := func(ctx context.Context, client *redis.Client) error {
		var cursor uint64
		for {
			keys, next, err := client.Scan(ctx, cursor, escapeGlob(begin)+"*", 1000).Result()
			if err != nil {
				return err
			}
			if err := page(ctx, client, keys); err != nil {
				return err
			}
			if cursor = next; cursor == 0 {
				return nil
			}
		}
	}
	switch client := r.client.(type) {
	case *redis.ClusterClient:
		var mu sync.Mutex // the masters are asked side by side
		var masters []*redis.Client
		if err := client.ForEachMaster(ctx, func(_ context.Context, master *redis.Client) error {
			mu.Lock()
			defer mu.Unlock()
			masters = append(masters, master)
			return nil
		}); err != nil {
			return err
		}
		for _, master := range masters {
			if err := node(ctx, master); err != nil {
				return err
			}
		}
		return nil
	case *redis.Client:
		return node(ctx, client)
	default:
		return fmt.Errorf("a client of type %T cannot be searched", client)
	}
}

// escapeGlob takes their meaning from the characters of Redis's patterns.
func escapeGlob(text string) string {
	var b bytes.Buffer
	for i := range len(text) {
		if strings.IndexByte(`*?[]\^`, text[i]) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(text[i])
	}
	return b.String()
}
