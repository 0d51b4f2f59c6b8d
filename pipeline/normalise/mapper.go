package normalise

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/riskpipe/riskpipe/schemas"
)

// Options are what a mapper needs to know beyond the record.
type Options struct {
	// Hash is the keyed hash of a personal value of the given kind; equal
	// values of one kind have equal hashes. It must be pure, and keep no value.
	Hash func(kind, value string) schemas.Hash
	// Domains sorts recipients and targets into classes.
	Domains Domains
	// Categories lists, by category, the domains of sites that belong to it;
	// subdomains belong to them.
	Categories map[string][]string
	// Content are the rules whose names become an event's marks.
	Content []ContentRule
	// HR names the columns of the HR feed.
	HR HRMapping
	// Clear is what may travel in clear beside what everybody has.
	Clear Clear
	// Limits bound records.
	Limits Limits
}

// What is kept from one Kafka record to the next, in bytes of JSON and in events:
// the usual maximum of a message, and more than usual inside it.
const (
	keptDocument = 1 << 20
	keptEmbedded = 64 << 10
	keptEvents   = 8 << 10
)

// Raw is one Kafka record of a raw topic.
type Raw struct {
	Topic     string
	Partition int32
	Offset    int64
	Time      schemas.Time // Kafka record time
	// Value must not change any more: strings of events are parts of it.
	Value []byte
}

// Mapper maps raw records to events. It keeps no state between records but
// buffers and the CSV header last seen per partition; it is not safe for
// concurrent use.
type Mapper struct {
	hash    func(kind, value string) schemas.Hash
	folded  scratch // for what is hashed
	domains Domains
	hr      *hrColumns
	limits  Limits

	everybodys everybodys

	categories map[string]string // by domain
	content    *contentRules     // nil when there are none

	healthColumns map[string]healthField // by folded column

	parsers []*parser
	used    int
	values  int    // about how many the largest JSON text of this Kafka record has
	over    excess // of JSON strings in the current upstream record
	headers map[csvOrigin]hrHeader
}

// parser is a document that is used again and again, and the length of the longest
// text that it read.
type parser struct {
	document
	most int
}

// New returns a mapper.
func New(o Options) *Mapper {
	o.Limits.setDefaults()
	return &Mapper{
		hash: o.Hash, domains: o.Domains, categories: domainTable(o.Categories), content: compileContent(o.Content),
		healthColumns: healthColumns(),
		hr:            newHRColumns(o.HR), limits: o.Limits, everybodys: newEverybodys(o.Clear), headers: map[csvOrigin]hrHeader{},
	}
}

// record is one upstream record on its way through a mapper.
type record struct {
	object                  // what upstream says of the fact: `properties` of a diagnostic envelope, else the record itself
	envelope object         // the diagnostic envelope around it, empty when there is none
	source   schemas.Source // the feed of the topic, for records that do not tell
	raw      Raw
	index    int
	out      *Result
}

// Map normalises one Kafka record into out, whose earlier content is dropped.
// Source is the feed of the topic; it decides only for records that do not say
// themselves what they are. Strings in the result outlive the next call, and keep
// raw.Value in memory.
func (m *Mapper) Map(source schemas.Source, raw Raw, out *Result) {
	if cap(out.Events) > keptEvents || cap(out.Rejects) > keptEvents || cap(out.Skips) > keptEvents {
		*out = Result{}
	}
	out.reset()
	m.used, m.values, m.over = 0, 0, excess{}
	m.split(record{source: source, raw: raw, out: out})
	m.shrink()
}

// shrink gives back what an unusual record made the mapper hold: a parser keeps
// the memory of the largest text that it ever read.
func (m *Mapper) shrink() {
	if len(m.parsers) > maxEmbedded {
		clear(m.parsers[maxEmbedded:])
		m.parsers = m.parsers[:maxEmbedded]
	}
	for i, p := range m.parsers {
		if p.most > keptDocument || i > 0 && p.most > keptEmbedded {
			m.parsers[i] = &parser{}
		}
	}
}

// parse reads JSON text within the bounds; the object is valid until Map is
// called again.
func (m *Mapper) parse(text string) (object, string, error) {
	if m.used == len(m.parsers) {
		m.parsers = append(m.parsers, &parser{})
	}
	p := m.parsers[m.used]
	p.most = max(p.most, len(text))
	switch p.parse(text, m.limits.Depth) {
	case tooDeep:
		return object{}, ReasonTooDeep, fmt.Errorf("nested deeper than %d", m.limits.Depth)
	case tooMany:
		return object{}, ReasonTooLarge, fmt.Errorf("more than %d values", maxValues)
	case notJSON:
		return object{}, ReasonNotJSON, errNotJSON
	case parsed:
	}
	m.values = max(m.values, len(p.values))
	m.used++
	return object{document: &p.document}, "", nil
}

// hashFolded is the hash of the value in lower case.
func (m *Mapper) hashFolded(kind, value string) schemas.Hash {
	m.folded.reset()
	return m.hash(kind, m.folded.lower(value))
}

// errNotJSON does not quote the input.
var errNotJSON = errors.New("no valid JSON")

// embedded returns a member that is an object, or a string which holds JSON:
// AuditData, AdditionalFields and their like come either way. When that is over a
// limit, the record is.
func (m *Mapper) embedded(o object) object {
	inner := m.unwrapped(o)
	if inner.ok() && m.values > min(m.limits.Fields, m.limits.Items) {
		if over := m.limits.of(inner); over.reason != "" {
			m.over = over
			return object{}
		}
	}
	return inner
}

// unwrapped is embedded for what may be an envelope, whose records are looked at
// one by one.
func (m *Mapper) unwrapped(o object) object {
	if !o.isString() {
		return o
	}
	text := o.content()
	if text == "" || text[0] != '{' && text[0] != '[' {
		return object{}
	}
	if m.used > maxAlive {
		m.over = excess{ReasonTooLarge, fmt.Sprintf("more than %d JSON texts in strings", maxAlive)}
		return object{}
	}
	inner, reason, err := m.parse(text)
	if err != nil {
		if reason != ReasonNotJSON {
			m.over = excess{reason, err.Error()}
		}
		return object{}
	}
	return inner
}

// guard calls f and turns a panic into a reject, so that a record which finds a
// bug is a dead letter and not a crash loop.
func guard(rec record, f func()) {
	defer func() {
		if p := recover(); p != nil {
			// The panic's value may quote the record; the stack does not.
			rec.reject(ReasonPanic, fmt.Sprintf("%T at %s", p, debug.Stack()))
		}
	}()
	f()
}

func (rec record) reject(reason, detail string) {
	rec.out.Rejects = append(rec.out.Rejects, Reject{Index: rec.index, Reason: reason, Detail: detail})
}

func (rec record) skip(reason string) {
	rec.out.Skips = append(rec.out.Skips, Skip{Index: rec.index, Reason: reason})
}

// emit finishes an event and adds it to the result, whose it is from now on. An event without a time is
// a reject: nothing sensible can be done with it, and guessing would misdate it.
func (m *Mapper) emit(rec record, e *Event) {
	if e.Time == 0 {
		// Which operation it is would be upstream's text.
		rec.reject(ReasonMissingTime, "no readable event time in a record of "+string(e.Source))
		return
	}
	if e.ActorType == "" {
		e.ActorType = e.Actor.Type
	}
	if e.ActorType == "" {
		e.ActorType = schemas.ActorUnknown
	}
	if e.Outcome == "" {
		e.Outcome = schemas.OutcomeUnknown
	}
	if m.content != nil {
		e.Marks = m.content.marks(e)
	}
	m.withhold(e)
	e.ObservedTime = rec.raw.Time
	e.Origin = schemas.Origin{Topic: rec.raw.Topic, Partition: rec.raw.Partition, Offset: rec.raw.Offset, Index: int32(rec.index)}
	rec.out.Events = append(rec.out.Events, e)
}

// id derives an event id from the record's own ids. Ids that are missing or
// placeholders are replaced by the content of the record itself (never of the
// envelope around it, whose clock differs with every delivery).
func (m *Mapper) id(rec record, kind string, native ...string) schemas.UUID {
	parts := append(make([]string, 0, 8), kind)
	return schemas.NewUUID(append(parts, rec.native(native...)...)...)
}

// keyedKind is the kind of an event id with the keyed hash of what is personal about the
// event: ids are in clear, and who knows all else that one is made of could try the
// names of everybody. It is valid until the next text is folded.
func (m *Mapper) keyedKind(kind string, personal ...string) string {
	m.folded.reset()
	b := m.folded.free
	for _, text := range personal {
		b = append(append(b, text...), 0)
	}
	hash := m.hash("event_id", borrowed(b))
	m.folded.free = appendToken(append(append(b[:0], kind...), ':'), hash)
	return borrowed(m.folded.free)
}

// native returns the record's own ids, or what stands in for them. Events that
// share one record share it: its content may be megabytes.
func (rec record) native(ids ...string) []string {
	if slices.ContainsFunc(ids, isPlaceholder) {
		sum := sha256.Sum256(rec.object.raw())
		return []string{"content", string(sum[:])}
	}
	return ids
}
