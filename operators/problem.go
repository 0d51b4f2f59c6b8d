package operators

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// place is where in a file something stands, as a JSON pointer (RFC 6901,
// without escapes): /indicators/2/thresholds. The root is empty. With a # at the
// end it is the key, not the value.
type place string

func (p place) key(key string) place { return p + "/" + place(key) }
func (p place) index(i int) place    { return p.key(strconv.Itoa(i)) }
func (p place) ofKey() place         { return p + "#" }

// problem is one thing that is wrong with a file.
type problem struct {
	at   place
	text string
}

// inspection collects problems.
type inspection struct{ problems []problem }

func (r *inspection) add(at place, format string, args ...any) {
	r.problems = append(r.problems, problem{at: at, text: fmt.Sprintf(format, args...)})
}

// want reports unless ok.
func (r *inspection) want(ok bool, at place, format string, args ...any) {
	if !ok {
		r.add(at, format, args...)
	}
}

// include takes over problems that were found below a place.
func (r *inspection) include(at place, problems []problem) {
	for _, p := range problems {
		r.problems = append(r.problems, problem{at: at + p.at, text: p.text})
	}
}

// Mistake is something that is wrong in a file.
type Mistake struct {
	File string `json:"file"`
	// Line and Column count from 1; a column is a character.
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Text   string `json:"text"`
	// Frame shows the line, its neighbours, and a caret below the column.
	Frame string `json:"-"`
}

// String begins with file:line:column, as editors expect it.
func (m Mistake) String() string {
	return fmt.Sprintf("%s:%d:%d: %s\n%s", m.File, m.Line, m.Column, m.Text, m.Frame)
}

// Mistakes are all that is wrong with a set of files, in the order of file and
// line.
type Mistakes []Mistake

func (m Mistakes) Error() string {
	parts := make([]string, len(m))
	for i, one := range m {
		parts[i] = one.String()
	}
	return strings.Join(parts, "\n")
}

// sorted puts mistakes in order and drops those said twice.
func (m Mistakes) sorted() Mistakes {
	slices.SortFunc(m, func(a, b Mistake) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), strings.Compare(a.Text, b.Text))
	})
	return slices.Compact(m)
}

// sourceFile is the text of a file.
type sourceFile struct {
	name  string
	lines []string
}

func (s *sourceFile) mistake(line, column int, text string) Mistake {
	return Mistake{File: s.name, Line: line, Column: column, Text: text, Frame: s.frame(line, column)}
}

// frame shows the line, the one before and the one after, and a caret.
func (s *sourceFile) frame(line, column int) string {
	var b strings.Builder
	for n := max(1, line-1); n <= min(line+1, len(s.lines)); n++ {
		if n != line {
			fmt.Fprintf(&b, "  %4d | %s\n", n, s.lines[n-1])
			continue
		}
		fmt.Fprintf(&b, "> %4d | %s\n", n, s.lines[n-1])
		fmt.Fprintf(&b, "       | %s^\n", strings.Repeat(" ", max(0, column-1)))
	}
	return b.String()
}
