package normalise

import (
	"bytes"
	"fmt"
)

// Bounds on a line. HR systems have some dozens of columns with names of some
// dozens of characters.
const (
	maxColumns    = 1024
	maxColumnName = 128
)

// cutLine returns the first line without its end, and what follows it. Lines end
// with LF, CR LF, or CR alone as collectors leave it.
func cutLine(text []byte) (line, rest []byte) {
	end := lineEnd(text)
	rest = text[end:]
	switch {
	case bytes.HasPrefix(rest, []byte("\r\n")):
		rest = rest[2:]
	case len(rest) > 0:
		rest = rest[1:]
	}
	return text[:end], rest
}

func lineEnd(text []byte) int {
	for i, c := range text {
		if c == '\n' || c == '\r' {
			return i
		}
	}
	return len(text)
}

// csvCells reads one record of RFC 4180 from the start of text and returns what
// follows it, or what is wrong. Blanks around a cell do not count, a quote inside
// a bare cell is a quote, and a quoted cell goes over several lines if allowed.
func csvCells(text []byte, separator byte, multiline bool) (cells []string, rest []byte, problem string) {
	end := lineEnd(text) // of the line that is being read
	for {
		if len(cells) == maxColumns {
			return nil, nil, fmt.Sprintf("more than %d columns", maxColumns)
		}
		cell, length, problem := csvCell(text, end, separator, multiline)
		if problem != "" {
			return nil, nil, problem
		}
		cells = append(cells, cell)
		if length > end { // a quoted cell went over the end of the line
			end = length + lineEnd(text[length:])
		}
		if length == end {
			_, rest = cutLine(text[end:])
			return cells, rest, ""
		}
		text, end = text[length+1:], end-length-1
	}
}

// csvCell reads one cell and returns its length in the text, up to the separator
// or the end of the line.
func csvCell(text []byte, end int, separator byte, multiline bool) (cell string, length int, problem string) {
	start := 0
	for start < end && (text[start] == ' ' || text[start] == '\t' && separator != '\t') {
		start++
	}
	if start == end || text[start] != '"' {
		length = end
		if i := bytes.IndexByte(text[:end], separator); i >= 0 {
			length = i
		}
		return string(bytes.TrimSpace(text[:length])), length, ""
	}
	if multiline {
		end = len(text)
	}
	var plain []byte
	for i := start + 1; i < end; i++ {
		switch {
		case text[i] != '"':
			plain = append(plain, text[i])
		case i+1 < end && text[i+1] == '"':
			plain = append(plain, '"')
			i++
		default:
			for i++; i < len(text) && text[i] == ' '; i++ {
			}
			if i < len(text) && text[i] != separator && text[i] != '\r' && text[i] != '\n' {
				return "", 0, "text behind a closing quote"
			}
			return string(bytes.TrimSpace(plain)), i, ""
		}
	}
	return "", 0, "a quote that opens and does not close"
}
