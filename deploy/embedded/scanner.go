package embedded

import "strings"

type tokenKind int

const (
	tokenEnd tokenKind = iota
	tokenWord
	tokenOther // strings, quoted names, numbers, operators
	tokenOpen
	tokenClose
	tokenSemicolon
)

type token struct {
	kind  tokenKind
	start int
	text  string // of a word
}

func (t token) is(keyword string) bool {
	return t.kind == tokenWord && strings.EqualFold(t.text, keyword)
}

// scanner splits SQL just far enough not to be fooled by what stands inside strings,
// quoted names and comments.
type scanner struct {
	text string
	pos  int
}

func (s *scanner) next() token {
	s.skipBlank()
	start := s.pos
	if start >= len(s.text) {
		return token{kind: tokenEnd, start: start}
	}
	c := s.text[start]
	switch {
	case c == '(':
		s.pos++
		return token{kind: tokenOpen, start: start}
	case c == ')':
		s.pos++
		return token{kind: tokenClose, start: start}
	case c == ';':
		s.pos++
		return token{kind: tokenSemicolon, start: start}
	case c == '\'' || c == '"' || c == '`':
		s.skipQuoted(c)
	case isWord(c):
		for s.pos < len(s.text) && isWord(s.text[s.pos]) {
			s.pos++
		}
		return token{kind: tokenWord, start: start, text: s.text[start:s.pos]}
	case c == '$':
		s.skipHeredoc()
	default:
		s.pos++
	}
	return token{kind: tokenOther, start: start}
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

func (s *scanner) skipBlank() {
	for s.pos < len(s.text) {
		rest := s.text[s.pos:]
		switch {
		case strings.IndexByte(" \t\n\r\f\v", rest[0]) >= 0:
			s.pos++
		case strings.HasPrefix(rest, "--"), strings.HasPrefix(rest, "# "), strings.HasPrefix(rest, "#!"):
			s.skipTo("\n")
		case strings.HasPrefix(rest, "/*"):
			s.skipTo("*/")
		default:
			return
		}
	}
}

func (s *scanner) skipTo(end string) {
	if i := strings.Index(s.text[s.pos:], end); i >= 0 {
		s.pos += i + len(end)
		return
	}
	s.pos = len(s.text)
}

// skipQuoted leaves a string or a quoted name; both a backslash and doubling escape.
func (s *scanner) skipQuoted(quote byte) {
	for s.pos++; s.pos < len(s.text); s.pos++ {
		switch s.text[s.pos] {
		case '\\':
			s.pos++
		case quote:
			if s.pos+1 < len(s.text) && s.text[s.pos+1] == quote {
				s.pos++
				continue
			}
			s.pos++
			return
		}
	}
	s.pos = len(s.text)
}

// skipHeredoc leaves $tag$ … $tag$, or just the dollar when there is no tag.
func (s *scanner) skipHeredoc() {
	rest := s.text[s.pos+1:]
	n := 0
	for n < len(rest) && isWord(rest[n]) {
		n++
	}
	if n == len(rest) || rest[n] != '$' {
		s.pos++
		return
	}
	tag := s.text[s.pos : s.pos+n+2]
	s.pos += len(tag)
	s.skipTo(tag)
}
