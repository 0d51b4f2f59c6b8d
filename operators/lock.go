package operators

import (
	_ "embed" // for the shipped lock
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// LockFile is the name of the lock beside the policies it locks.
const LockFile = "policies.lock"

//go:embed policies/policies.lock
var shippedLock string

// ShippedLock returns the lock of the policies that ship.
func ShippedLock() (Lock, error) { return ParseLock(LockFile, []byte(shippedLock)) }

// Lock says of each policy which version its logic is, by name. It is kept beside
// the policies, so that no logic changes under the version of another.
type Lock []LockEntry

// LockEntry is one line of a lock.
type LockEntry struct {
	Name    string       `json:"name"`
	Version int32        `json:"version"`
	Hash    schemas.Hash `json:"hash"`
}

// Lock returns the lock that the library must have.
func (l Library) Lock() (Lock, error) {
	hashes, err := l.Hashes()
	if err != nil {
		return nil, err
	}
	lock := make(Lock, len(l.Policies))
	for i, p := range l.Policies {
		lock[i] = LockEntry{p.Name, p.Version, hashes[p.Name]}
	}
	return lock, nil
}

const lockHead = "# Policy, version and hash of its logic, as riskpipe policy lock --write writes them.\n"

// String returns the text of the file: a comment, and a line for each policy.
func (l Lock) String() string {
	var b strings.Builder
	b.WriteString(lockHead)
	for _, e := range l {
		fmt.Fprintf(&b, "%s %d %016x\n", e.Name, e.Version, uint64(e.Hash))
	}
	return b.String()
}

// ParseLock reads what String writes. Name is the file's, for errors.
func ParseLock(name string, text []byte) (Lock, error) {
	lock := Lock{}
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		var e LockEntry
		words := strings.Fields(line)
		if len(words) != 3 {
			return nil, fmt.Errorf("reading %s, line %d: want a policy's name, version and hash", name, number)
		}
		version, err := strconv.ParseInt(words[1], 10, 32)
		if err != nil {
			return nil, fmt.Errorf("reading %s, line %d: version %q is no number", name, number, words[1])
		}
		e.Name, e.Version = words[0], int32(version)
		if err := e.Hash.UnmarshalText([]byte(words[2])); err != nil {
			return nil, fmt.Errorf("reading %s, line %d: %w", name, number, err)
		}
		lock = append(lock, e)
	}
	slices.SortFunc(lock, func(a, b LockEntry) int { return strings.Compare(a.Name, b.Name) })
	return lock, nil
}

// LockChange is how a policy differs from the lock.
type LockChange struct {
	Name string `json:"policy"`
	// Text says it in words, and what to do about it.
	Text string `json:"text"`
	// Bump is true when the logic changed and the version did not rise.
	Bump bool `json:"bump_missing"`
}

// Compare tells how policies changed since the lock, by name.
func (l Lock) Compare(now Lock) []LockChange {
	changes := []LockChange{}
	add := func(name string, bump bool, format string, args ...any) {
		changes = append(changes, LockChange{name, fmt.Sprintf(format, args...), bump})
	}
	for _, e := range now {
		before, locked := l.find(e.Name)
		switch {
		case !locked:
			add(e.Name, false, "added, version %d", e.Version)
		case e == before:
		case e.Version < before.Version:
			add(e.Name, true, "version %d is locked already: versions only rise, so set version to %d or more", before.Version, before.Version+1)
		case e.Version == before.Version:
			add(e.Name, true, "the logic changed under version %d: set version to %d (the policy's own logic, an indicator that it uses, or a list changed)", e.Version, e.Version+1)
		default:
			add(e.Name, false, "version %d instead of %d", e.Version, before.Version)
		}
	}
	for _, before := range l {
		if _, there := now.find(before.Name); !there {
			add(before.Name, false, "removed")
		}
	}
	slices.SortStableFunc(changes, func(a, b LockChange) int { return strings.Compare(a.Name, b.Name) })
	return changes
}

func (l Lock) find(name string) (LockEntry, bool) {
	i := slices.IndexFunc(l, func(e LockEntry) bool { return e.Name == name })
	if i < 0 {
		return LockEntry{}, false
	}
	return l[i], true
}
