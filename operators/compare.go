package operators

import (
	"fmt"
	"slices"
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// exists compiles field|exists: true or false.
func (f field) exists(values []string) (weighed, error) {
	if len(values) != 1 || values[0] != "true" && values[0] != "false" {
		return weighed{}, fmt.Errorf("exists takes true or false")
	}
	want := values[0] == "true"
	var holds condition
	switch f.kind {
	case kindText:
		holds = func(s *subject) bool { return (f.text(s) != "") == want }
	case kindTruth:
		holds = func(s *subject) bool { _, said := f.truth(s); return said == want }
	case kindList:
		holds = func(s *subject) bool { return (len(f.list(s)) > 0) == want }
	case kindHashes:
		holds = func(s *subject) bool { return (len(f.hashes(s)) > 0) == want }
	default:
		holds = func(s *subject) bool { return (f.number(s) != 0) == want }
	}
	return weighed{condition: holds, cost: 1}, nil
}

// truths compiles a field that is true or false. What is not said is neither.
func (f field) truths(m modifiers, values []string) (weighed, error) {
	if m.compare != "" || m.all || m.cased || len(values) != 1 || values[0] != "true" && values[0] != "false" {
		return weighed{}, fmt.Errorf("the field takes true or false, and no modifier but exists and not")
	}
	want := values[0] == "true"
	return weighed{cost: 1, condition: func(s *subject) bool { value, said := f.truth(s); return said && value == want }}, nil
}

// numbers compiles numbers, which are compared, and hashes, which are equal or
// not: 16 hexadecimal digits, as the timeline shows them.
func (f field) numbers(m modifiers, values []string) (weighed, error) {
	if m.all || m.cased {
		return weighed{}, fmt.Errorf("modifiers all and cased need text")
	}
	if f.kind != kindNumber && m.compare != "" {
		return weighed{}, fmt.Errorf("the field is a %s: it is equal or not, and takes no modifier but exists and not", f.kind)
	}
	bounds := make([]int64, len(values))
	for i, value := range values {
		var err error
		if bounds[i], err = f.number64(value); err != nil {
			return weighed{}, err
		}
	}
	switch m.compare {
	case "contains", "startswith", "endswith", "re":
		return weighed{}, fmt.Errorf("modifier %s needs text, the field is a %s", m.compare, f.kind)
	case "":
		if f.kind == kindHashes {
			return weighed{cost: 3, condition: func(s *subject) bool {
				for _, hash := range f.hashes(s) {
					if slices.Contains(bounds, int64(hash)) {
						return true
					}
				}
				return false
			}}, nil
		}
		return weighed{cost: 1, condition: func(s *subject) bool { return slices.Contains(bounds, f.number(s)) }}, nil
	}
	if len(bounds) != 1 {
		return weighed{}, fmt.Errorf("modifier %s takes one number", m.compare)
	}
	bound := bounds[0]
	holds := map[string]condition{
		"gt":  func(s *subject) bool { return f.number(s) > bound },
		"gte": func(s *subject) bool { return f.number(s) >= bound },
		"lt":  func(s *subject) bool { return f.number(s) < bound },
		"lte": func(s *subject) bool { return f.number(s) <= bound },
	}[m.compare]
	return weighed{condition: holds, cost: 1}, nil
}

// number64 reads a number with an optional sign and unit, or a hash.
func (f field) number64(value string) (int64, error) {
	if f.kind != kindNumber {
		var hash schemas.Hash
		if err := hash.UnmarshalText([]byte(value)); err != nil || len(value) != 16 {
			return 0, fmt.Errorf("%q is no hash: want 16 hexadecimal digits, as the timeline shows them", value)
		}
		return int64(hash), nil
	}
	digits, negative := strings.CutPrefix(value, "-")
	var amount Amount
	if err := amount.UnmarshalText([]byte(digits)); err != nil {
		return 0, fmt.Errorf("%q is no number: write a whole number, for bytes with KiB, MiB or GiB", value)
	}
	if negative {
		amount = -amount
	}
	return int64(amount), nil
}
