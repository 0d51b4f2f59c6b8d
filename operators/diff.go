package operators

import (
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Change is how a policy, an indicator of the catalogue or something of the lists
// differs between two libraries.
type Change struct {
	// Kind is policy, indicator, list, macro or lists.
	Kind string `json:"kind"`
	Name string `json:"name"`
	// Texts say in words what changed.
	Texts []string `json:"texts"`
	// Logic is true when the change can change a score.
	Logic bool `json:"logic"`
	// Bump is true for a policy whose logic changed, through an indicator or a
	// list maybe, and whose version did not rise.
	Bump bool `json:"bump_missing"`
}

// Diff says in words what changed from one library to the other, in the order of
// policies, indicators and lists, each by name. Nothing that is the same is
// named. An error is one of a library.
func Diff(before, after Library) ([]Change, error) {
	changes, err := diffPolicies(before, after)
	if err != nil {
		return nil, err
	}
	changes = append(changes, diffIndicators(before, after)...)
	return append(changes, diffLists(&before.Lists, &after.Lists)...), nil
}

func diffPolicies(before, after Library) ([]Change, error) {
	old, err := before.Hashes()
	if err != nil {
		return nil, err
	}
	// The version is part of the hash: under the old ones the logic alone tells.
	unversioned := after
	unversioned.Policies = slices.Clone(after.Policies)
	versions := map[string]int32{}
	for _, p := range before.Policies {
		versions[p.Name] = p.Version
	}
	for i := range unversioned.Policies {
		if p := &unversioned.Policies[i]; versions[p.Name] != 0 {
			p.Version = versions[p.Name]
		}
	}
	hashes, err := unversioned.Hashes()
	if err != nil {
		return nil, err
	}
	changes := []Change{}
	for _, pair := range paired(before.Policies, after.Policies, func(p Policy) string { return p.Name }) {
		c := Change{Kind: "policy", Name: pair.name}
		switch {
		case pair.before == nil:
			c.Texts, c.Logic = []string{"added: " + pair.after.Title}, true
		case pair.after == nil:
			c.Texts, c.Logic = []string{"removed: " + pair.before.Title}, true
		default:
			c.Logic = old[c.Name] != hashes[c.Name]
			c.Bump = c.Logic && pair.after.Version <= pair.before.Version
			c.Texts = changeTexts(*pair.before, *pair.after, "")
			if len(c.Texts) == 0 && c.Logic {
				c.Texts = []string{"its own text is the same; an indicator that it uses or a list changed"}
			}
		}
		changes = append(changes, c)
	}
	return slices.DeleteFunc(changes, func(c Change) bool { return len(c.Texts) == 0 }), nil
}

func diffIndicators(before, after Library) (changes []Change) {
	for _, pair := range paired(before.Indicators, after.Indicators, func(ind Indicator) string { return ind.Name }) {
		c := Change{Kind: "indicator", Name: pair.name}
		switch {
		case pair.before == nil:
			c.Texts = []string{"added: " + pair.after.Title}
		case pair.after == nil:
			c.Texts = []string{"removed: " + pair.before.Title}
		default:
			c.Texts = changeTexts(*pair.before, *pair.after, pair.after.over())
			c.Logic = hashOf(pair.before.logic()) != hashOf(pair.after.logic())
		}
		if len(c.Texts) > 0 {
			changes = append(changes, c)
		}
	}
	return changes
}

// diffLists compares what all policies share; each list and macro is one change.
func diffLists(before, after *Lists) (changes []Change) {
	rest := Change{Kind: "lists", Name: "lists"}
	named := map[string]*Change{}
	for _, d := range differences(nil, reflect.ValueOf(*before), reflect.ValueOf(*after)) {
		if d.path[0] != "lists" && d.path[0] != "macros" {
			rest.Texts = append(rest.Texts, d.text())
			rest.Logic = rest.Logic || !d.wording()
			continue
		}
		key := strings.Join(d.path[:2], "/")
		if named[key] == nil {
			named[key] = &Change{Kind: strings.TrimSuffix(d.path[0], "s"), Name: d.path[1], Logic: true}
		}
		d.path = d.path[2:]
		named[key].Texts = append(named[key].Texts, d.listText())
	}
	for _, key := range slices.Sorted(maps.Keys(named)) {
		changes = append(changes, *named[key])
	}
	if len(rest.Texts) > 0 {
		changes = append(changes, rest)
	}
	return changes
}

// changeTexts says how two versions of one thing differ: first what changes
// scores, then in one line what only describes. Over is the time over which
// amounts are counted, in words.
func changeTexts[T any](before, after T, over string) (texts []string) {
	var wording []string
	for _, d := range differences(nil, reflect.ValueOf(before), reflect.ValueOf(after)) {
		if d.wording() {
			if what := d.subject(); !slices.Contains(wording, what) {
				wording = append(wording, what)
			}
			continue
		}
		d.over = over
		texts = append(texts, d.text())
	}
	if len(wording) > 0 {
		text := "described otherwise: " + strings.Join(wording, ", ")
		if len(texts) == 0 {
			text = "description only: " + strings.Join(wording, ", ")
		}
		texts = append(texts, text)
	}
	return texts
}

// pair is what two lists have of one name, nil where there is nothing.
type pair[T any] struct {
	name          string
	before, after *T
}

func paired[T any](before, after []T, name func(T) string) []pair[T] {
	all := map[string]*pair[T]{}
	at := func(name string) *pair[T] {
		if all[name] == nil {
			all[name] = &pair[T]{name: name}
		}
		return all[name]
	}
	for i := range before {
		at(name(before[i])).before = &before[i]
	}
	for i := range after {
		at(name(after[i])).after = &after[i]
	}
	var list []pair[T]
	for _, key := range slices.Sorted(maps.Keys(all)) {
		list = append(list, *all[key])
	}
	return list
}
