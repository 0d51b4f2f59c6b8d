package normalise

import (
	"bytes"
	"fmt"
	"unicode/utf8"
	"unsafe"

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
	case len(rec.raw.Value) > m.limits.Bytes:
		rec.out.Records = 1
		rec.reject(ReasonTooLarge, fmt.Sprintf("%d bytes, the limit is %d", len(rec.raw.Value), m.limits.Bytes))
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
	o, reason, err := m.parse(borrowed(text))
	if err == nil {
		m.expand(rec, o, utf8.Valid(text))
		return
	}
	if lines := jsonLines(text); len(lines) > 1 {
		for _, line := range lines {
			rec.index = rec.out.Records
			m.used = 0
			if o, reason, err := m.parse(borrowed(line)); err != nil {
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
		if o, _, err := m.parse(borrowed(text)); err == nil {
			if inner := m.unwrapped(o); inner.ok() {
				m.expand(rec, inner, utf8.Valid(text))
				return
			}
			if m.over.reason != "" {
				rec.out.Records = 1
				rec.reject(m.over.reason, m.over.detail)
				return
			}
			if rec.source == schemas.SourceHR { // lines of CSV, as Kafka Connect's JSON writes them
				m.csv(rec, []byte(o.content()))
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
	bundle := isBundle(envelope)
	if list.isArray() && list.len() == 0 {
		rec.out.Records++
		rec.skip(SkipNull)
	}
	for o := range list.elements() {
		if rec.out.Records >= maxRecords {
			rec.index = rec.out.Records
			rec.reject(ReasonTooLarge, fmt.Sprintf("more than %d records in one; those behind are in the dead letter", maxRecords))
			return
		}
		if bundle {
			o = o.get("resource")
		}
		m.one(rec, o, valid)
	}
}

// maxRecords bounds the records of one envelope. A real record takes some
// hundreds of bytes, so that the bound on bytes is reached long before.
const maxRecords = 100_000

// maxEnvelope is how many members an envelope inside another may have; records
// have more, and are not searched for a list.
const maxEnvelope = 8

// envelopeList returns the array of records that the document is an envelope
// of, or nothing.
func envelopeList(o object) object {
	if o.isArray() {
		return o
	}
	if list := listMember(o); list.ok() {
		return list
	}
	return hrList(o)
}

// listMember returns the list of records that Event Hubs or Graph wrap.
func listMember(o object) object {
	for _, name := range []string{"records", "value"} {
		if list := o.get(name); list.isArray() && !o.has("category") && !o.has("id") {
			return list
		}
	}
	if single := o.get("records"); single.isObject() && !o.has("category") && !o.has("id") {
		return single // its writer leaves the brackets out when there is one
	}
	if list := o.get("d", "results"); list.isArray() { // OData's older JSON, of the reporting web service
		return list
	}
	return object{}
}

// one routes a single record and counts it.
func (m *Mapper) one(rec record, o object, valid bool) {
	rec.index = rec.out.Records
	rec.out.Records++
	alive := m.used // the parsers of JSON strings in the record are free after it
	m.over = excess{}
	o = m.unwrapped(o) // a record may itself be a string which holds JSON
	switch {
	case m.over.reason != "":
		rec.reject(m.over.reason, m.over.detail)
	case !o.ok():
		rec.skip(SkipNull)
	case !o.isObject():
		rec.reject(ReasonNotARecord, "neither an object nor a list of objects")
	case !valid && !utf8.ValidString(o.span()):
		rec.reject(ReasonNotUTF8, "no valid UTF-8")
	default:
		if o.len() <= maxEnvelope {
			if list := envelopeList(o); list.ok() { // a message, report or bulk request inside a collector's envelope
				rec.out.Records--
				m.each(rec, o, list, valid)
				break
			}
		}
		if m.values > min(m.limits.Fields, m.limits.Items) { // else it cannot be over either
			if over := m.limits.of(o); over.reason != "" {
				rec.reject(over.reason, over.detail)
				break
			}
		}
		rec.object = o
		m.bounded(rec)
	}
	m.used = alive
}

// borrowed is the text without a copy of it: Raw.Value must not change any more, and
// strings of events keep it alive.
func borrowed(text []byte) string { return unsafe.String(unsafe.SliceData(text), len(text)) }

// bounded routes a record, and rejects it as a whole when JSON in one of its
// strings turns out to be over a limit.
func (m *Mapper) bounded(rec record) {
	before := *rec.out
	guard(rec, func() { m.route(rec) })
	if over := m.over; over.reason != "" {
		out := rec.out
		clear(out.Events[len(before.Events):])
		out.Events, out.Rejects, out.Skips = out.Events[:len(before.Events)], out.Rejects[:len(before.Rejects)], out.Skips[:len(before.Skips)]
		out.Findings, out.Links = out.Findings[:len(before.Findings)], out.Links[:len(before.Links)]
		rec.reject(over.reason, over.detail)
	}
}
