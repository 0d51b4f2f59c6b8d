package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

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

// Sought is of whom Redis is searched.
type Sought struct {
	Users []schemas.Pseudonym
	// Keys are the pseudonym keys, if they are known: what names of people out of
	// scope lead to is told from nobody's by them alone.
	Keys []Pseudonymiser
	// Generation is that of the states in force.
	Generation string
	Events     *schemas.Codec[schemas.Event]
}

// Remembered looks through everything for what is held of the users. A name needs
// no guessing: its value tells whose it is.
func (r *Redis) Remembered(ctx context.Context, of Sought) (Remembered, error) {
	return r.search(ctx, of, false)
}

// Forget removes all that Remembered finds but the states in force: the scorer
// has those in memory, and removes them at the erasure's place in the log.
func (r *Redis) Forget(ctx context.Context, of Sought) error {
	_, err := r.search(ctx, of, true)
	return err
}

func (r *Redis) search(ctx context.Context, of Sought, remove bool) (Remembered, error) {
	s := &redisSearch{
		users: of.Users, named: namedBy(of.Users, of.Keys), events: of.Events, remove: remove, seen: map[string]bool{},
		names: r.prefix + "name:", current: "{" + r.prefix + "events:" + of.Generation + ":p",
	}
	for _, begin := range []string{s.names, "{" + r.prefix + "events:"} {
		if err := r.scan(ctx, begin, s.page); err != nil {
			return Remembered{}, fmt.Errorf("searching redis for users: %w", err)
		}
	}
	return s.found, nil
}

// namedBy is what the names of users lead to, be they in scope or not.
func namedBy(users []schemas.Pseudonym, keys []Pseudonymiser) []schemas.Pseudonym {
	named := slices.Clone(users)
	for _, key := range keys {
		for _, user := range users {
			named = append(named, outOfScope(key, user))
		}
	}
	return named
}

// redisSearch goes through pages of keys.
type redisSearch struct {
	users   []schemas.Pseudonym
	named   []schemas.Pseudonym // what their names lead to
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
		if user = schemas.Pseudonym(value); !slices.Contains(s.named, user) || s.again(key) {
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
		entry, event, _ := nextWaiting(waiting)
		var e schemas.Event
		if entry == nil || s.events.Decode(event, &e) != nil {
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
