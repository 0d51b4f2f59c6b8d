package pipeline

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
)

// ScopeReason says why an event is out of scope.
type ScopeReason string

// The reasons. An event that is in scope has none.
const (
	InScope                  ScopeReason = ""
	ScopeExcluded            ScopeReason = "excluded"             // by an exclude rule
	ScopeNotIncluded         ScopeReason = "not_included"         // by none of the include rules
	ScopeUnknown             ScopeReason = "unknown_person"       // whose groups nobody can tell
	ScopeTemporarilyExcluded ScopeReason = "temporarily_excluded" // by a temporary scope
)

// Scope decides whose events are recorded. What is out of scope is dropped before
// anything of it is stored, sealed, sent or learned, and only counted. Scope knows
// people by pseudonym alone, and is safe for concurrent use. The nil Scope has
// everybody in scope.
type Scope struct {
	include, exclude []scopeRule
	recordUnknown    bool
	temporary        []temporaryRule
	unsigned         []string
	people           map[schemas.Pseudonym]membership
	digest           schemas.Digest
}

// membership is which rules are about a person: bit i is set when the person is
// in a group of rule i.
type membership struct {
	user             schemas.Pseudonym
	include, exclude uint64
	temporary        []int // indices of the temporary scopes
}

// NewScope returns the scope of a valid configuration. Groups are the names of
// each person's groups, by canonical UPN in lower case.
func NewScope(config ScopeConfig, key Pseudonymiser, groups map[string][]string) *Scope {
	s := &Scope{
		include: scopeRules(config.Include), exclude: scopeRules(config.Exclude), recordUnknown: config.RecordUnknown,
		unsigned: config.Unsigned, people: map[schemas.Pseudonym]membership{},
	}
	for _, t := range config.Temporary {
		s.temporary = append(s.temporary, t.rule())
	}
	pseudonym := func(upn string) schemas.Pseudonym {
		return key.Pseudonym(normalise.Actor{UPN: strings.ToLower(upn)}.Key())
	}
	for upn, names := range groups {
		m := membership{include: rulesOf(names, config.Include), exclude: rulesOf(names, config.Exclude)}
		for i, t := range config.Temporary {
			if anyIn(t.Groups, names) {
				m.temporary = append(m.temporary, i)
			}
		}
		if m.include != 0 || m.exclude != 0 || m.temporary != nil {
			m.user = pseudonym(upn)
			s.people[m.user] = m
		}
	}
	for i, t := range config.Temporary {
		for _, name := range t.Users {
			var user schemas.Pseudonym
			if user.UnmarshalText([]byte(name)) != nil {
				user = pseudonym(name)
			}
			if m := s.people[user]; !slices.Contains(m.temporary, i) {
				m.user, m.temporary = user, append(m.temporary, i)
				s.people[user] = m
			}
		}
	}
	s.digest = s.sum(config)
	for user, m := range maps.Clone(s.people) {
		s.people[outOfScope(key, user)] = m
	}
	return s
}

// outOfScope is what names of people who are out of scope lead to: it tells them
// from others, and is nobody's pseudonym.
func outOfScope(key Pseudonymiser, user schemas.Pseudonym) schemas.Pseudonym {
	return key.Pseudonym("out of scope:" + string(user[:]))
}

func rulesOf(groups []string, rules []ScopeRule) uint64 {
	bits := uint64(0)
	for i, r := range rules {
		if anyIn(r.Groups, groups) {
			bits |= 1 << i
		}
	}
	return bits
}

func anyIn(some, list []string) bool {
	return slices.ContainsFunc(some, func(name string) bool { return slices.Contains(list, name) })
}

// active tells whether anybody may be out of scope.
func (s *Scope) active() bool {
	return s != nil && (len(s.include) > 0 || len(s.exclude) > 0 || len(s.temporary) > 0)
}

// Digest identifies the scope in force: its rules, who is in the groups that they
// name, and the temporary scopes that are signed. It changes whenever somebody
// may have come into scope or gone out of it, except by the passing of time.
func (s *Scope) Digest() schemas.Digest {
	if s == nil {
		return sha256.Sum256(nil)
	}
	return s.digest
}

// Unsigned says of each temporary scope that is not applied why.
func (s *Scope) Unsigned() []string {
	if s == nil {
		return nil
	}
	return s.unsigned
}

// sum computes the digest. Members are pseudonyms, so that nobody without the key
// can try names.
func (s *Scope) sum(config ScopeConfig) schemas.Digest {
	if !s.active() {
		return sha256.Sum256(nil)
	}
	hash := sha256.New()
	fmt.Fprintf(hash, "riskpipe scope v1\n%q\n%q\n%t\n", config.Include, config.Exclude, config.RecordUnknown)
	for _, t := range config.Temporary {
		fmt.Fprintln(hash, t.Digest())
	}
	people := make([]schemas.Pseudonym, 0, len(s.people))
	for user := range s.people {
		people = append(people, user)
	}
	slices.SortFunc(people, func(a, b schemas.Pseudonym) int { return strings.Compare(string(a[:]), string(b[:])) })
	for _, user := range people {
		m := s.people[user]
		fmt.Fprintln(hash, user, m.include, m.exclude, m.temporary)
	}
	return schemas.Digest(hash.Sum(nil))
}

// Description says in a line what is in scope. It names groups, never people.
func (s *Scope) Description() string {
	if !s.active() {
		return "everybody"
	}
	var parts []string
	add := func(word string, rules []scopeRule) {
		for _, r := range rules {
			parts = append(parts, word+" "+r.text)
		}
	}
	add("include", s.include)
	add("exclude", s.exclude)
	if s.recordUnknown {
		parts = append(parts, "include unknown people")
	} else {
		parts = append(parts, "exclude unknown people")
	}
	for _, t := range s.temporary {
		word := ScopeInclude
		if t.exclude {
			word = ScopeExclude
		}
		parts = append(parts, fmt.Sprintf("temporarily %s from %s until %s by %s", word, t.from, t.until, t.digest[:8]))
	}
	return strings.Join(parts, "; ")
}
