package normalise

import (
	"bytes"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"
)

// The codes of rejects and skips of the HR feed's CSV.
const (
	ReasonNoHeader = "csv_without_header"
	ReasonNotCSV   = "not_csv"
	SkipCSVHeader  = "csv_header"
	SkipPreamble   = "csv_preamble" // lines above the header: titles, dates
)

// maxPreamble is how many lines may stand above the header; reports of HR
// systems print a title there.
const maxPreamble = 10

// maxBroken is how many broken lines a file may have before its cells may no
// longer go over several lines.
const maxBroken = 16

// separators are the ones tried on a header, the most common first: Excel writes
// semicolons where the comma is the decimal point.
const separators = ",;\t|"

// hrHeader is a header that was understood.
type hrHeader struct {
	fields    []hrField
	health    []healthField // of a health record system's export; else nil
	separator byte          // 0: whatever each line seems to have
}

// csvOrigin is where a header stays in force.
type csvOrigin struct {
	topic     string
	partition int32
}

// headerOf assigns fields to the columns of a header.
func (c *hrColumns) headerOf(names []string, separator byte) hrHeader {
	header := hrHeader{fields: make([]hrField, len(names)), separator: separator}
	for i, name := range names {
		header.fields[i] = c.field(name)
	}
	return header
}

// names tells whether the header has a column of any of the fields.
func (h hrHeader) names(fields ...hrField) bool {
	return slices.ContainsFunc(h.fields, func(f hrField) bool { return slices.Contains(fields, f) })
}

// findHeader reads a line as a header. A line is one when a cell is the column
// of a person's name and another a known column, or there is no other cell: rows
// hold names and dates there.
func (c *hrColumns) findHeader(line []byte) (hrHeader, bool) {
	best, most := byte(0), 0
	for _, separator := range []byte(separators) {
		if known := c.knownColumns(line, separator); known > most {
			best, most = separator, known
		}
	}
	if most == 0 {
		return hrHeader{}, false
	}
	names, _, problem := csvCells(line, best, false)
	return c.headerOf(names, best), problem == ""
}

// knownColumns returns how many known columns the line has as a header; 0 when
// it is none. It runs on every line, so it allocates nothing; folding takes the
// quotes off.
func (c *hrColumns) knownColumns(line []byte, separator byte) int {
	var (
		seen   uint64
		person bool
		buffer [64]byte
	)
	cells := 0
	for more := true; more; cells++ {
		var cell []byte
		cell, line, more = bytes.Cut(line, []byte{separator})
		if bytes.IndexByte(cell, '@') >= 0 || cells == maxColumns {
			return 0
		}
		if len(cell) > maxColumnName {
			continue
		}
		if field := c.fields[string(appendFolded(buffer[:0], cell))]; field != hrNone {
			seen |= 1 << field
			person = person || slices.Contains(hrIdentity, field)
		}
	}
	known := bits.OnesCount64(seen)
	if !person || known == 1 && cells > 1 {
		return 0
	}
	return known
}

// csv maps a Kafka record which holds lines of CSV: a file with its header,
// lines under a header that an earlier record of the partition or the setting
// normalise.hr.header gave, or a header alone. Every line is a record of its own.
func (m *Mapper) csv(rec record, text []byte) {
	origin := csvOrigin{rec.raw.Topic, rec.raw.Partition}
	header, known := m.headers[origin]
	if !known && m.hr.header != nil {
		header, known = *m.hr.header, true
	}
	if start := bytes.TrimSpace(text); len(start) > 0 && start[0] == '<' {
		rec.out.Records = 1
		rec.reject(ReasonNotJSON, "neither JSON nor CSV but markup")
		return
	}
	if !known {
		// Without a header nothing can be read, so look for one first.
		if reason, detail := m.headless(text); reason != "" {
			rec.out.Records = 1
			rec.reject(reason, detail)
			return
		}
	}
	multiline, broken := true, 0
	for len(text) > 0 {
		line, rest := cutLine(text)
		if len(bytes.TrimSpace(line)) == 0 {
			text = rest
			continue
		}
		rec.index = rec.out.Records
		rec.out.Records++
		if found, ok := m.hr.findHeader(line); ok {
			header, known = found, true
			names, _, _ := csvCells(line, header.separator, false)
			header.health = m.healthHeader(names)
			m.headers[origin] = header
			rec.skip(SkipCSVHeader)
			text = rest
			continue
		}
		if !known {
			rec.skip(SkipPreamble)
			text = rest
			continue
		}
		cells, after, problem := csvCells(text, header.separatorOf(line), multiline)
		if problem != "" {
			// A quote which opens and never closes reads all that follows: a file
			// of such lines may not have it read again for each of them.
			broken++
			multiline = broken < maxBroken
			rec.reject(ReasonNotCSV, problem)
			text = rest
			continue
		}
		guard(rec, func() { m.csvRow(rec, header, text[:len(text)-len(after)], cells) })
		text = after
	}
}

// headless says why text of which no header is known cannot be read; nothing
// when its own header is among its first lines.
func (m *Mapper) headless(text []byte) (reason, detail string) {
	table := false
	lines := 0
	for lines <= maxPreamble && len(text) > 0 {
		var line []byte
		line, text = cutLine(text)
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if lines++; lines == 1 && bytes.IndexByte(line, 0) >= 0 {
			return ReasonNotJSON, "neither JSON nor CSV in UTF-8"
		}
		if _, ok := m.hr.findHeader(line); ok {
			return "", ""
		}
		table = table || bytes.ContainsAny(line, separators)
	}
	if !table {
		return ReasonNotJSON, "neither JSON nor CSV"
	}
	return ReasonNoHeader, "CSV whose columns are not known: send the header as its first line, or before it on the same partition, " +
		"or give it in the setting normalise.hr.header; if the first line is a header, name its columns in normalise.hr.columns"
}

// csvRow maps the cells of one line.
func (m *Mapper) csvRow(rec record, header hrHeader, line []byte, cells []string) {
	if !utf8.Valid(line) {
		rec.reject(ReasonNotUTF8, "no valid UTF-8; save the file as UTF-8")
		return
	}
	if surplus := len(cells) - len(header.fields); surplus > 0 {
		cells = header.fold(cells, surplus, header.separatorOf(line))
	}
	if header.health != nil {
		var row healthRow
		for i, field := range header.health {
			if i < len(cells) && field < healthFieldCount && row[field] == "" {
				row[field] = plainText(cells[i])
			}
		}
		m.healthRow(rec, &row)
		return
	}
	var row hrRow
	empty := true
	for i, field := range header.fields {
		text := ""
		if i < len(cells) { // rows end early when their last columns are empty
			text = plainText(cells[i])
		}
		empty = empty && text == ""
		row.set(field, text)
	}
	if empty {
		rec.skip(SkipNull)
		return
	}
	m.hrRow(rec, &row)
}

// fold takes back a separator that stands in a remark without quotes: the cells
// that are too many belong to the remark. Rows of headers without remarks keep
// their first cells.
func (h hrHeader) fold(cells []string, surplus int, separator byte) []string {
	i := slices.IndexFunc(h.fields, func(f hrField) bool { return f == hrRemarks || f == hrImprovementRemarks })
	if i < 0 {
		return cells
	}
	last := cells[len(cells)-surplus:]
	if !slices.ContainsFunc(last, func(s string) bool { return s != "" }) {
		return cells // only separators at the end
	}
	joined := strings.Join(cells[i:i+1+surplus], string(separator))
	return append(append(slices.Clone(cells[:i]), joined), cells[i+1+surplus:]...)
}

// separatorOf returns the separator of a line.
func (h hrHeader) separatorOf(line []byte) byte {
	if h.separator != 0 {
		return h.separator
	}
	best, most := byte(','), 0
	for _, separator := range []byte(separators) {
		if n := bytes.Count(line, []byte{separator}); n > most {
			best, most = separator, n
		}
	}
	return best
}
