package normalise

import (
	"regexp"
	"strings"
)

// glob is a pattern made ready for use: * is any text without a slash, ** any
// text, ? any character but a slash. A leading **/ stands for no folder, too.
type glob struct {
	literal string // the longest text without wildcards, which every match has
	whole   *regexp.Regexp
}

// compileGlobs makes patterns ready.
func compileGlobs(patterns []string) []glob {
	var globs []glob
	for _, pattern := range patterns {
		globs = append(globs, compileGlob(pattern))
	}
	return globs
}

func compileGlob(pattern string) glob {
	pattern = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(pattern)), `\`, "/")
	var g glob
	var expression, literal strings.Builder
	flush := func() {
		if literal.Len() > len(g.literal) {
			g.literal = literal.String()
		}
		expression.WriteString(regexp.QuoteMeta(literal.String()))
		literal.Reset()
	}
	expression.WriteString(`(?s)^`)
	if rest, anywhere := strings.CutPrefix(pattern, "**/"); anywhere {
		expression.WriteString(`(?:.*/)?`)
		pattern = rest
	}
	for rest := pattern; rest != ""; {
		switch {
		case strings.HasPrefix(rest, "**"):
			flush()
			expression.WriteString(`.*`)
			rest = strings.TrimLeft(rest, "*")
		case rest[0] == '*':
			flush()
			expression.WriteString(`[^/]*`)
			rest = rest[1:]
		case rest[0] == '?':
			flush()
			expression.WriteString(`[^/]`)
			rest = rest[1:]
		default:
			literal.WriteByte(rest[0])
			rest = rest[1:]
		}
	}
	flush()
	expression.WriteByte('$')
	// Whatever the pattern, what was built of it is valid, but for bytes that
	// are no UTF-8: these match nothing.
	g.whole, _ = regexp.Compile(expression.String())
	return g
}

// match tells whether a text in lower case with slashes only matches. Most texts
// lack the literal, and are told by it at little cost.
func (g glob) match(text string) bool {
	return g.whole != nil && strings.Contains(text, g.literal) && g.whole.MatchString(text)
}

func matchesAny(globs []glob, text string) bool {
	for _, g := range globs {
		if g.match(text) {
			return true
		}
	}
	return false
}
