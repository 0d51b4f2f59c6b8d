package sink

import "strings"

// statements cuts a script into its statements at the semicolons outside of strings, quoted
// names and comments. Comments before a statement are left out, those inside stay with it.
func statements(script string) []string {
	var found []string
	start := 0
	add := func(end int) {
		if text := trimComments(script[start:end]); text != "" {
			found = append(found, text)
		}
	}
	for i := 0; i < len(script); {
		if script[i] == ';' {
			add(i)
			i++
			start = i
			continue
		}
		i += tokenLen(script[i:])
	}
	add(len(script))
	return found
}

// tokenLen is the length of the comment or quoted text at the beginning of s, else 1.
func tokenLen(s string) int {
	switch {
	case strings.HasPrefix(s, "--"):
		return until(s, "\n")
	case strings.HasPrefix(s, "/*"):
		return 2 + until(s[2:], "*/")
	case s[0] == '\'' || s[0] == '"' || s[0] == '`':
		return quotedLen(s)
	}
	return 1
}

// until is the length of s up to and with the mark, all of s when there is none.
func until(s, mark string) int {
	if i := strings.Index(s, mark); i >= 0 {
		return i + len(mark)
	}
	return len(s)
}

// quotedLen: a backslash takes the next character along. A doubled quote needs no care, since it
// reads as an end and a beginning.
func quotedLen(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case s[0]:
			return i + 1
		}
	}
	return len(s)
}

func trimComments(s string) string {
	for {
		s = strings.TrimSpace(s)
		if !strings.HasPrefix(s, "--") && !strings.HasPrefix(s, "/*") {
			return s
		}
		s = s[tokenLen(s):]
	}
}
