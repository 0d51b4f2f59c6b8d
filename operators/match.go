package operators

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxPattern bounds regular expressions. RE2 takes time in proportion to
	// pattern × text, so both have a bound.
	maxPattern = 256
	// maxMatched is how many bytes of a text a regular expression sees. Names
	// and labels, which the fields hold, are far shorter.
	maxMatched = 1024
	// smallSet is up to how many values a walk is faster than a map.
	smallSet = 6
)

// text compiles the comparison of texts into matches, each of which must hold
// for the text or for some element of the list.
func (m modifiers) text(f field, values []string) ([]func(string) bool, int, error) {
	switch m.compare {
	case "gt", "gte", "lt", "lte":
		return nil, 0, fmt.Errorf("modifier %s needs a number, the field is a %s", m.compare, f.kind)
	case "":
		for _, value := range values {
			if strings.ContainsAny(value, "*?") {
				return nil, 0, fmt.Errorf("%q has a wildcard: use the modifiers contains, startswith or endswith", value)
			}
			if f.values != nil && !slices.ContainsFunc(f.values, func(v string) bool { return strings.EqualFold(v, value) }) {
				return nil, 0, fmt.Errorf("%s", unknownName("value", value, f.values))
			}
		}
		if m.all && f.kind == kindText && len(values) > 1 {
			return nil, 0, fmt.Errorf("modifier all asks one text to equal several values")
		}
	}
	if !m.all {
		one, cost, err := m.anyOf(values)
		return []func(string) bool{one}, cost, err
	}
	each := make([]func(string) bool, len(values))
	total := 0
	for i, value := range values {
		one, cost, err := m.anyOf([]string{value})
		if err != nil {
			return nil, 0, err
		}
		each[i], total = one, total+cost
	}
	return each, total, nil
}

// anyOf compiles the comparison of one text with alternatives. An absent text
// is never as wanted.
func (m modifiers) anyOf(values []string) (func(string) bool, int, error) {
	if m.compare == "re" {
		return m.patterns(values)
	}
	if m.compare == "" {
		return m.equal(values), 2 + len(values)/8, nil
	}
	matches := map[string]func(text, value string) bool{
		"contains": containsFold, "startswith": prefixFold, "endswith": suffixFold,
	}[m.compare]
	if m.cased {
		matches = map[string]func(text, value string) bool{
			"contains": strings.Contains, "startswith": strings.HasPrefix, "endswith": strings.HasSuffix,
		}[m.compare]
	} else {
		values = lowered(values)
	}
	return func(text string) bool {
		for _, value := range values {
			if matches(text, value) {
				return true
			}
		}
		return false
	}, 5 * max(1, len(values)), nil
}

// equal compiles equality with any of the values.
func (m modifiers) equal(values []string) func(string) bool {
	if m.cased {
		if len(values) == 1 {
			value := values[0]
			return func(text string) bool { return text == value }
		}
		return func(text string) bool { return slices.Contains(values, text) }
	}
	if len(values) == 1 {
		value := values[0]
		return func(text string) bool { return text == value || strings.EqualFold(text, value) }
	}
	walk := func(text string) bool {
		for _, value := range values {
			if text == value || strings.EqualFold(text, value) {
				return true
			}
		}
		return false
	}
	if len(values) <= smallSet {
		return walk
	}
	set := make(map[string]struct{}, len(values))
	for _, value := range lowered(values) {
		set[value] = struct{}{}
	}
	return func(text string) bool {
		var lower [64]byte
		if len(text) > len(lower) {
			return walk(text)
		}
		for i := range len(text) {
			b := text[i]
			switch {
			case b >= utf8.RuneSelf:
				return walk(text)
			case 'A' <= b && b <= 'Z':
				b += 'a' - 'A'
			}
			lower[i] = b
		}
		_, found := set[string(lower[:len(text)])]
		return found
	}
}

// patterns compiles regular expressions.
func (m modifiers) patterns(values []string) (func(string) bool, int, error) {
	var expressions []*regexp.Regexp
	for _, value := range values {
		if len(value) > maxPattern {
			return nil, 0, fmt.Errorf("the pattern has %d characters: up to %d are allowed", len(value), maxPattern)
		}
		if !m.cased {
			value = "(?i)" + value
		}
		expression, err := regexp.Compile(value)
		if err != nil {
			return nil, 0, fmt.Errorf("is no regular expression (RE2): %w", err)
		}
		expressions = append(expressions, expression)
	}
	return func(text string) bool {
		if text == "" {
			return false
		}
		text = text[:min(len(text), maxMatched)]
		for _, expression := range expressions {
			if expression.MatchString(text) {
				return true
			}
		}
		return false
	}, 50 * len(values), nil
}

func lowered(values []string) []string {
	lower := make([]string, len(values))
	for i, value := range values {
		lower[i] = strings.Map(unicode.ToLower, value)
	}
	return lower
}

// containsFold is strings.Contains for a value in lower case.
func containsFold(text, value string) bool {
	first := value[0]
	for i := range text {
		b := text[i]
		if 'A' <= b && b <= 'Z' {
			b += 'a' - 'A'
		}
		// Beyond ASCII a letter can be equal to one within: the Kelvin sign is a k.
		if (b == first || b >= utf8.RuneSelf) && prefixFold(text[i:], value) {
			return true
		}
	}
	return false
}

// prefixFold is strings.HasPrefix for a value in lower case. It walks both,
// since a letter may be longer in one case than in the other.
func prefixFold(text, value string) bool {
	for value != "" {
		if text == "" {
			return false
		}
		got, n := utf8.DecodeRuneInString(text)
		want, m := utf8.DecodeRuneInString(value)
		if got != want && unicode.ToLower(got) != want {
			return false
		}
		text, value = text[n:], value[m:]
	}
	return true
}

// suffixFold is strings.HasSuffix for a value in lower case.
func suffixFold(text, value string) bool {
	for value != "" {
		if text == "" {
			return false
		}
		got, n := utf8.DecodeLastRuneInString(text)
		want, m := utf8.DecodeLastRuneInString(value)
		if got != want && unicode.ToLower(got) != want {
			return false
		}
		text, value = text[:len(text)-n], value[:len(value)-m]
	}
	return true
}
