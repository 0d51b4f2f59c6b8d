package operators

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// macroKey is the key of a selection under which macros stand.
const macroKey = "macro"

// The modifiers, after Sigma's. Text is compared without regard to case unless
// cased; a list of values means any of them unless all; on a field that is
// itself a list, any of its elements.
var modifierNames = []string{
	"in", "contains", "startswith", "endswith", "re", "gt", "gte", "lt", "lte", "exists", // how to compare
	"all", "cased", "not",
}

// modifiers are those of one key.
type modifiers struct {
	compare         string // empty for equality
	all, cased, not bool
}

// parseModifiers reads the part of a key after the field.
func parseModifiers(names []string) (modifiers, error) {
	var m modifiers
	for _, name := range names {
		switch name {
		case "all":
			m.all = true
		case "cased":
			m.cased = true
		case "not":
			m.not = true
		case "cidr":
			return m, fmt.Errorf("modifier cidr is not supported: addresses are keyed hashes in events; " +
				"list the networks in a content rule of the normalisers (normalise.content_rules: networks) and select its mark")
		case "in", "contains", "startswith", "endswith", "re", "gt", "gte", "lt", "lte", "exists":
			if m.compare != "" {
				return m, fmt.Errorf("modifiers %s and %s exclude each other", m.compare, name)
			}
			m.compare = name
		default:
			return m, fmt.Errorf("%s", unknownName("modifier", name, modifierNames))
		}
	}
	if m.compare == "in" {
		m.compare = ""
	}
	return m, nil
}

// weighed is a condition with its cost, in no particular unit.
type weighed struct {
	condition condition
	cost      int
	key       string
}

// selector compiles selections. Its conditions are sorted by their cost, then
// by the text of their keys: never in the order of a map.
type selector struct {
	lists Lists
	// expanding holds the macros that are being compiled, outermost first.
	expanding []string
}

// compile turns the selection into conditions, all of which must hold. Places
// of problems begin at the selection.
func (s Selection) compile(lists Lists) ([]condition, []problem) {
	compiler := &selector{lists: lists}
	found, problems := compiler.selection(s)
	conditions := make([]condition, len(found))
	for i := range found {
		conditions[i] = found[i].condition
	}
	return conditions, problems
}

// compile turns the macro into one condition. Places of problems begin at the
// macro.
func (m Macro) compile(lists Lists) (condition, []problem) {
	compiler := &selector{lists: lists}
	found, problems := compiler.macro(m)
	return found.condition, problems
}

func (c *selector) selection(s Selection) ([]weighed, []problem) {
	var (
		found  []weighed
		wrongs inspection
	)
	for _, key := range slices.Sorted(maps.Keys(s)) {
		at := place("").key(key)
		name, rest, _ := strings.Cut(key, "|")
		var names []string
		if rest != "" || strings.HasSuffix(key, "|") {
			names = strings.Split(rest, "|")
		}
		m, err := parseModifiers(names)
		if err != nil {
			wrongs.add(at.ofKey(), "%s", err)
			continue
		}
		if _, known := fields[name]; !known && name != macroKey {
			wrongs.add(at.ofKey(), "%s", unknownName("field", name, append(slices.Sorted(maps.Keys(fields)), macroKey)))
			continue
		}
		var one weighed
		if name == macroKey {
			one, err = c.macros(m, s[key])
		} else {
			one, err = c.field(fields[name], m, s[key])
		}
		if err != nil {
			wrongs.add(at, "%s", err)
			continue
		}
		if m.not {
			holds := one.condition
			one.condition = func(s *subject) bool { return !holds(s) }
		}
		one.key = key
		found = append(found, one)
	}
	slices.SortFunc(found, func(a, b weighed) int {
		return cmp.Or(cmp.Compare(a.cost, b.cost), strings.Compare(a.key, b.key))
	})
	return found, wrongs.problems
}

// macros compiles the macros of the names, all of which must hold.
func (c *selector) macros(m modifiers, names Values) (weighed, error) {
	if m.compare != "" || m.all || m.cased {
		return weighed{}, fmt.Errorf("macro takes no modifier but not")
	}
	if len(names) == 0 {
		return weighed{}, fmt.Errorf("no macro is named")
	}
	var (
		all  []condition
		cost int
	)
	for _, name := range names {
		macro, known := c.lists.Macros[name]
		if !known {
			return weighed{}, fmt.Errorf("%s", unknownName("macro", name, slices.Sorted(maps.Keys(c.lists.Macros))))
		}
		if slices.Contains(c.expanding, name) {
			return weighed{}, fmt.Errorf("macro %s uses itself: %s", name, strings.Join(append(c.expanding, name), " > "))
		}
		c.expanding = append(c.expanding, name)
		one, problems := c.macro(macro)
		c.expanding = c.expanding[:len(c.expanding)-1]
		if len(problems) > 0 {
			return weighed{}, fmt.Errorf("macro %s: %s: %s", name, strings.Trim(string(problems[0].at), "/#"), problems[0].text)
		}
		all = append(all, one.condition)
		cost += one.cost
	}
	return weighed{condition: allOf(all), cost: cost}, nil
}

// macro compiles one macro: any of its selections must hold.
func (c *selector) macro(m Macro) (weighed, []problem) {
	var (
		anyOf  []condition
		cost   int
		wrongs inspection
	)
	for i, alternative := range m {
		found, problems := c.selection(alternative)
		wrongs.include(place("").index(i), problems)
		wrongs.want(len(alternative) > 0, place("").index(i), "a macro without a condition would always hold")
		all := make([]condition, len(found))
		for j := range found {
			all[j] = found[j].condition
			cost += found[j].cost
		}
		anyOf = append(anyOf, allOf(all))
	}
	wrongs.want(len(m) > 0, "", "a macro without a selection would never hold")
	return weighed{cost: cost, condition: func(s *subject) bool {
		for _, holds := range anyOf {
			if holds(s) {
				return true
			}
		}
		return false
	}}, wrongs.problems
}

func allOf(all []condition) condition {
	if len(all) == 1 {
		return all[0]
	}
	return func(s *subject) bool {
		for _, holds := range all {
			if !holds(s) {
				return false
			}
		}
		return true
	}
}

// field compiles one line of a selection but its not.
func (c *selector) field(f field, m modifiers, given Values) (weighed, error) {
	values, err := c.resolve(given)
	if err != nil {
		return weighed{}, err
	}
	if m.compare == "exists" {
		return f.exists(values)
	}
	switch f.kind {
	case kindText, kindList:
		matches, cost, err := m.text(f, values)
		if err != nil {
			return weighed{}, err
		}
		all := make([]condition, len(matches))
		for i, match := range matches {
			all[i] = func(s *subject) bool { return match(f.text(s)) }
			if f.kind == kindList {
				all[i] = func(s *subject) bool { return slices.ContainsFunc(f.list(s), match) }
			}
		}
		return weighed{cost: cost, condition: allOf(all)}, nil
	case kindTruth:
		return f.truths(m, values)
	default:
		return f.numbers(m, values)
	}
}

// resolve puts in the values of lists: @name.
func (c *selector) resolve(given Values) ([]string, error) {
	var values []string
	for _, value := range given {
		name, isList := strings.CutPrefix(value, "@")
		if !isList {
			if value == "" {
				return nil, fmt.Errorf("a value is empty: use exists: false for what is absent")
			}
			values = append(values, value)
			continue
		}
		members, known := c.lists.Lists[name]
		if !known {
			return nil, fmt.Errorf("%s", unknownName("list", name, slices.Sorted(maps.Keys(c.lists.Lists))))
		}
		values = append(values, members...)
	}
	// A list that an organisation left empty holds nothing, so nothing is in it.
	if len(given) == 0 {
		return nil, fmt.Errorf("no value is given")
	}
	return values, nil
}
