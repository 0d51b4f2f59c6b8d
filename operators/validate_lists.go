package operators

import (
	"maps"
	"slices"
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// problems tells all that is wrong with a file of lists. Its macros may use the
// lists and macros of all files together.
func (l Lists) problems(all Lists) []problem {
	r := &inspection{}
	for _, name := range slices.Sorted(maps.Keys(l.Lists)) {
		at := place("/lists").key(name)
		r.want(namePattern.MatchString(name), at, "list %q: want a name of 3 to 64 lower-case letters, digits and underscores", name)
		for i, value := range l.Lists[name] {
			r.want(value != "" && !strings.HasPrefix(value, "@"), at.index(i), "%q is no value: a list holds plain texts and numbers, no other lists", value)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.Macros)) {
		at := place("/macros").key(name)
		r.want(namePattern.MatchString(name), at, "macro %q: want a name of 3 to 64 lower-case letters, digits and underscores", name)
		compiler := &selector{lists: all, expanding: []string{name}}
		_, problems := compiler.macro(l.Macros[name])
		r.include(at, problems)
	}
	r.exclusions(l.Exclusions, all)
	if v := l.Levels; v != nil {
		at := place("/levels")
		r.want(0 < v.Minor && v.Minor < v.Moderate && v.Moderate < v.Elevated && v.Elevated <= 100_000, at,
			"levels are minor %s, moderate %s, elevated %s: want 0 < minor < moderate < elevated <= 100", v.Minor, v.Moderate, v.Elevated)
		r.want(v.Hysteresis < v.Minor, at.key("hysteresis"), "hysteresis is %s: want less than minor, or nobody leaves a level", v.Hysteresis)
		r.want(v.Expires >= 1, at.key("expires"), "expires is %s: want 1d or more", v.Expires)
	}
	for i, suppression := range l.Suppressions {
		at := place("/suppressions").index(i)
		r.want(suppression.Reason != "", at.key("reason"), "reason is missing: it is written into every alert that is held")
		r.want(suppression.By != "", at.key("by"), "by is missing: say who decided it")
		r.want(suppression.Until != 0, at.key("until"), "until is missing: a suppression ends")
		r.want(suppression.Until == 0 || suppression.From < suppression.Until, at.key("until"), "until is not after from")
		if suppression.User != "" {
			var user schemas.Pseudonym
			r.want(user.UnmarshalText([]byte(suppression.User)) == nil, at.key("user"), "user %q is no full pseudonym: want ANON- and 26 characters", suppression.User)
		}
	}
	return r.problems
}
