package normalise

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"github.com/riskpipe/riskpipe/schemas"
)

// byteOrderMark is UTF-8's, which Excel and PowerShell put before text.
var byteOrderMark = []byte("\xEF\xBB\xBF")

// split takes the envelope apart and routes every record in it: {"records":[…]}
// of Event Hubs, {"value":[…]} of Graph, the lists of Workday and SCIM, arrays,
// bare objects, JSON lines (also with CRLF) and, on the HR feed, CSV.
func (m *Mapper) split(rec record) {
	text := bytes.TrimSpace(bytes.TrimPrefix(rec.raw.Value, byteOrderMark))
	switch {
	case len(rec.raw.Value) > m.maxBytes:
		rec.out.Records = 1
		rec.reject(ReasonTooLarge, fmt.Sprintf("%d bytes, the limit is %d", len(rec.raw.Value), m.maxBytes))
		return
	case len(text) == 0:
		rec.out.Records = 1
		rec.reject(ReasonEmpty, "no content")
		return
	}
	if text[0] != '{' && text[0] != '[' {
		m.splitPlain(rec, text)
		return
	}
	o, reason, err := m.parse(text)
	if err == nil {
		m.expand(rec, o, utf8.Valid(text))
		return
	}
	if lines := jsonLines(text); len(lines) > 1 {
		for _, line := range lines {
			rec.index = rec.out.Records
			m.used = 0
			if o, reason, err := m.parse(line); err != nil {
				rec.out.Records++
				rec.reject(reason, err.Error())
			} else {
				m.expand(rec, o, utf8.Valid(line))
			}
		}
		return
	}
	rec.out.Records = 1
	rec.reject(reason, err.Error())
}

// splitPlain takes text that is no JSON object or list: JSON in a JSON string,
// null, CSV on the HR feed, else a reject.
func (m *Mapper) splitPlain(rec record, text []byte) {
	if text[0] == '"' {
		if o, _, err := m.parse(text); err == nil {
			if inner := m.embedded(o); inner.ok() {
				m.expand(rec, inner, utf8.Valid(text))
				return
			}
		}
	}
	switch {
	case bytes.Equal(text, []byte("null")):
		rec.out.Records = 1
		rec.skip(SkipNull)
	case rec.source == schemas.SourceHR:
		// Not the trimmed text: a blank at the start of a line may be an empty cell.
		m.csv(rec, bytes.TrimPrefix(rec.raw.Value, byteOrderMark))
	case !utf8.Valid(text):
		rec.out.Records = 1
		rec.reject(ReasonNotUTF8, "no valid UTF-8")
	default:
		rec.out.Records = 1
		rec.reject(ReasonNotJSON, errNotJSON.Error())
	}
}

// jsonLines splits text of one JSON object a line; nothing when it is not.
func jsonLines(text []byte) [][]byte {
	var lines [][]byte
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		if line[0] != '{' && line[0] != '[' {
			return nil
		}
		lines = append(lines, line)
	}
	return lines
}

// expand routes the records of a parsed document. Valid says that all of its
// text is UTF-8, which spares looking at each record.
func (m *Mapper) expand(rec record, o object, valid bool) {
	if list := envelopeList(o); list.ok() {
		m.each(rec, o, list, valid)
		return
	}
	m.one(rec, o, valid)
}

// each routes the records of an envelope.
func (m *Mapper) each(rec record, envelope, list object, valid bool) {
	if envelope.has(workdayList) {
		rec.source = schemas.SourceHR // its entries do not tell what they are
	}
	elements := list.v.GetArray()
	if len(elements) == 0 {
		rec.out.Records++
		rec.skip(SkipNull)
	}
	for _, element := range elements {
		m.one(rec, object{element}, valid)
	}
}

// envelopeList returns the array of records that the document is an envelope
// of, or nothing.
func envelopeList(o object) object {
	if o.isArray() {
		return o
	}
	for _, name := range []string{"records", "value"} {
		if list := o.get(name); list.isArray() && !o.has("category") && !o.has("id") {
			return list
		}
	}
	if list := hrList(o); list.ok() {
		return list
	}
	return object{}
}

// one routes a single record and counts it.
func (m *Mapper) one(rec record, o object, valid bool) {
	rec.index = rec.out.Records
	rec.out.Records++
	alive := m.used   // the parsers of JSON strings in the record are free after it
	o = m.embedded(o) // a record may itself be a string which holds JSON
	switch {
	case !o.ok():
		rec.skip(SkipNull)
	case !o.isObject():
		rec.reject(ReasonNotARecord, "neither an object nor a list of objects")
	case !valid && !validText(o.v):
		rec.reject(ReasonNotUTF8, "no valid UTF-8")
	default:
		if list := hrList(o); list.ok() { // a report or bulk request inside a collector's envelope
			rec.out.Records--
			m.each(rec, o, list, valid)
			break
		}
		rec.object = o
		guard(rec, func() { m.route(rec) })
	}
	m.used = alive
}
