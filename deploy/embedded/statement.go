package embedded

import (
	"strings"
)

// statement is what the HTTP interface has to know of a query before it can run it;
// everything else is the engine's business.
type statement struct {
	sql    string // one statement, without a trailing semicolon
	format string // of its FORMAT clause, "" if it has none

	selects   bool   // DESCRIBE works on it
	described string // sql without its FORMAT clause

	// For an INSERT that brings its data along, insertAt is where the engine wants to
	// read FROM INFILE, formatAt where the data's FORMAT or VALUES clause begins and
	// dataAt where the data does. dataAt is -1 for any other statement.
	insertAt, formatAt, dataAt int
	dataFormat                 string
}

// parseStatement finds its way through strings, comments and parentheses.
func parseStatement(text string) (statement, error) {
	st := statement{sql: text, dataAt: -1}
	s := scanner{text: text}
	first := s.next()
	if first.kind == tokenEnd {
		return st, newException(62, "SYNTAX_ERROR", "Empty query")
	}
	if first.is("INSERT") {
		return parseInsert(&s, st)
	}
	st.selects = first.is("SELECT") || first.is("WITH") || first.kind == tokenOpen
	tokens := []token{first}
	for tokens[len(tokens)-1].kind != tokenEnd {
		tokens = append(tokens, s.next())
	}
	end := len(tokens) - 1
	for i, t := range tokens[:end] {
		if t.kind == tokenSemicolon {
			if i+1 < end {
				return st, newException(62, "SYNTAX_ERROR", "Syntax error (Multi-statements are not allowed): send one statement a request")
			}
			st.sql, end = text[:t.start], i
		}
	}
	// "format" may also be a column: the clause is what only SETTINGS or the end follows.
	for i := range tokens[:end] {
		if tokens[i].is("FORMAT") && i+1 < end && tokens[i+1].kind == tokenWord &&
			(i+2 == end || tokens[i+2].is("SETTINGS") || tokens[i+2].is("INTO")) {
			st.format = tokens[i+1].text
			st.described = text[:tokens[i].start]
		}
	}
	if st.described == "" {
		st.described = st.sql
	}
	return st, nil
}

func parseInsert(s *scanner, st statement) (statement, error) {
	depth, settingsAt := 0, -1
	// INSERT [INTO] [TABLE] [FUNCTION] name: the name may read like a keyword.
	t := s.next()
	for t.is("INTO") || t.is("TABLE") || t.is("FUNCTION") {
		t = s.next()
	}
	if t.kind == tokenEnd {
		return st, nil // the engine says what is wrong with it
	}
	for t = s.next(); t.kind != tokenEnd; t = s.next() {
		switch {
		case t.kind == tokenOpen:
			depth++
		case t.kind == tokenClose:
			depth--
		case t.kind == tokenSemicolon:
			st.sql = s.text[:t.start]
			return st, nil
		case depth > 0 || t.kind != tokenWord:
		case t.is("SETTINGS"):
			settingsAt = t.start
		case t.is("SELECT") || t.is("WITH") || t.is("WATCH") || t.is("FROM"):
			return st, nil // no data of its own
		case t.is("VALUES"):
			st.dataFormat, st.formatAt, st.dataAt = "Values", t.start, s.pos
		case t.is("FORMAT"):
			name := s.next()
			if name.kind != tokenWord {
				return st, nil
			}
			st.dataFormat, st.formatAt, st.dataAt = name.text, t.start, dataStart(s.text, s.pos)
		}
		if st.dataAt >= 0 {
			st.insertAt = st.formatAt
			if settingsAt >= 0 {
				st.insertAt = settingsAt
			}
			return st, nil
		}
	}
	return st, nil
}

// dataStart skips what may stand between the format's name and the data: blanks and at
// most one line end. More would eat data.
func dataStart(text string, pos int) int {
	for pos < len(text) && (text[pos] == ' ' || text[pos] == '\t' || text[pos] == '\f') {
		pos++
	}
	if pos < len(text) && text[pos] == '\r' {
		pos++
	}
	if pos < len(text) && text[pos] == '\n' {
		pos++
	}
	return pos
}

// fromFile rewrites the INSERT to read its data from a file, the only way the engine
// takes data of any content: in its own text it stops at the first blank line.
func (st statement) fromFile(path string) string {
	return st.sql[:st.insertAt] + " FROM INFILE " + quote(path) + " COMPRESSION 'none' " +
		st.sql[st.insertAt:st.formatAt] + " FORMAT " + st.dataFormat
}

var quoter = strings.NewReplacer(`\`, `\\`, `'`, `\'`)

func quote(s string) string { return "'" + quoter.Replace(s) + "'" }

func quoteName(s string) string {
	return "`" + strings.NewReplacer(`\`, `\\`, "`", "\\`").Replace(s) + "`"
}
