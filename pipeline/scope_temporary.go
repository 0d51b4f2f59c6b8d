package pipeline

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
)

// The effects of rules and temporary scopes.
const (
	ScopeInclude = "include"
	ScopeExclude = "exclude"
)

// TemporaryScope brings people into scope, or takes them out of it, for what they
// do in a time. Among temporary scopes, exclude wins over include.
type TemporaryScope struct {
	// Name identifies it in logs and metrics: a lower-case letter, then letters,
	// digits and underscores. It must not tell who.
	Name   string
	Effect string   // ScopeInclude or ScopeExclude
	Users  []string // canonical UPNs, or pseudonyms
	Groups []string
	// From and Until bound the times of events; Until itself is outside.
	From, Until schemas.Time
	Case        string
	Reason      string
}

// maxTemporaryScope keeps what is temporary from becoming permanent.
const maxTemporaryScope = 366 * 24 * time.Hour

// Validate reports every problem at once, and quotes no user. Groups are the names
// of the groups that there are.
func (t TemporaryScope) Validate(groups []string) error {
	var problems []error
	bad := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	bad(normalise.IsIdentifier(t.Name), "it has no name of a lower-case letter, then letters, digits and underscores")
	bad(t.Effect == ScopeInclude || t.Effect == ScopeExclude, "it has no effect: want include or exclude")
	bad(len(t.Users)+len(t.Groups) > 0, "it is about nobody: name users or groups")
	for i, user := range t.Users {
		var pseudonym schemas.Pseudonym
		bad(strings.Contains(user, "@") || pseudonym.UnmarshalText([]byte(user)) == nil, "users[%d] is neither a user principal name nor a pseudonym", i)
	}
	for i, name := range t.Groups {
		bad(slices.Contains(groups, name), "groups[%d] is not among normalise.groups", i)
	}
	length := t.Until.UTC().Sub(t.From.UTC())
	bad(t.From > 0 && length > 0 && length <= maxTemporaryScope, "it needs from and a later until, at most 366 days apart")
	bad(strings.TrimSpace(t.Case) != "", "it names no case")
	bad(strings.TrimSpace(t.Reason) != "", "it gives no reason")
	return errors.Join(problems...)
}

// Digest is what HR and Legal sign: all of it, people in any order.
func (t TemporaryScope) Digest() schemas.Digest {
	users := make([]string, 0, len(t.Users))
	for _, user := range t.Users {
		users = append(users, strings.ToLower(user))
	}
	groups := slices.Clone(t.Groups)
	slices.Sort(users)
	slices.Sort(groups)
	return sha256.Sum256(fmt.Appendf(nil, "riskpipe temporary scope v1\n%q\n%q\n%q\n%q\n%d\n%d\n%q\n%q\n",
		t.Name, t.Effect, slices.Compact(users), slices.Compact(groups), t.From, t.Until, t.Case, t.Reason))
}

// TemporaryState is where a temporary scope is in its time.
type TemporaryState string

// The states.
const (
	TemporaryAhead   TemporaryState = "ahead"
	TemporaryInForce TemporaryState = "in_force"
	TemporaryEnded   TemporaryState = "ended"
)

// State is where it is in its time by a clock. Events are judged by their own
// times, so that it is the same whenever they arrive: of one that has ended, late
// events still count.
func (t TemporaryScope) State(now schemas.Time) TemporaryState { return t.rule().state(now) }

// temporaryRule is a TemporaryScope, ready to decide by.
type temporaryRule struct {
	name        string
	exclude     bool
	from, until schemas.Time
	digest      string
}

func (t TemporaryScope) rule() temporaryRule {
	return temporaryRule{name: t.Name, exclude: t.Effect == ScopeExclude, from: t.From, until: t.Until, digest: t.Digest().String()}
}

func (t temporaryRule) state(now schemas.Time) TemporaryState {
	switch {
	case now < t.from:
		return TemporaryAhead
	case now < t.until:
		return TemporaryInForce
	default:
		return TemporaryEnded
	}
}
