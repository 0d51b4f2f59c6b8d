package tenant

import (
	"cmp"
	"slices"

	"github.com/riskpipe/riskpipe/schemas"
)

// carrier is what a record travels in.
type carrier uint8

const (
	carrierAlone    carrier = iota // a Kafka record of its own
	carrierEnvelope                // Event Hubs: {"records":[…]}
	carrierAudit                   // Office 365: whatever the collector makes of it
)

// item is one upstream record on its way to Kafka.
type item struct {
	at        schemas.Time // of publication
	source    schemas.Source
	carrier   carrier
	value     []byte
	created   schemas.Time // event time, for the rows that collectors make
	operation string
	user      string
	kind      int // RecordType
}

// generator makes one run's records. It is used by one caller at a time.
type generator struct {
	tenant  *Tenant
	dice    dice
	w       writer // the record at hand
	inner   writer // JSON inside a string of it
	line    []byte
	pending []item
	health  []access // to health records, on the day at hand
	chunk   []byte

	auditOperation string // of the audit record at hand
	auditKind      int    // its RecordType
}

func newGenerator(t *Tenant) *generator { return &generator{tenant: t, dice: newDice(0, 0)} }

// throw starts the chance of one person and day.
func (g *generator) throw(stream, day int) {
	g.dice.pcg.Seed(g.tenant.options.Seed^uint64(stream)*0x9e3779b97f4a7c15, uint64(day)+1<<32)
}

// keep returns the record at hand in memory of its own.
func (g *generator) keep() []byte {
	const size = 1 << 20
	n := len(g.w.b)
	if len(g.chunk) < n {
		g.chunk = make([]byte, max(size, n))
	}
	value := g.chunk[:n:n]
	g.chunk = g.chunk[n:]
	copy(value, g.w.b)
	return value
}

// published takes what is published before the instant, in order.
func (g *generator) published(before schemas.Time, day int) []Record {
	g.throw(streamPublish, day)
	slices.SortStableFunc(g.pending, func(a, b item) int { return cmp.Compare(a.at, b.at) })
	n, _ := slices.BinarySearchFunc(g.pending, before, func(i item, t schemas.Time) int { return cmp.Compare(i.at, t) })
	due := g.pending[:n]
	records := make([]Record, 0, n/2)
	groups := map[groupKey]*group{}
	for i := range due {
		it := &due[i]
		if it.carrier == carrierAlone {
			records = append(records, Record{it.source, it.at, it.value})
			continue
		}
		key := groupKey{it.source, it.carrier}
		open := groups[key]
		if open == nil {
			open = &group{}
			groups[key] = open
		}
		// What is published together was published within minutes.
		if len(open.items) > 0 && it.at-open.items[0].at > 3*minute {
			records = g.flush(records, key, open)
		}
		if len(open.items) == 0 {
			open.want = g.groupSize(it.carrier)
		}
		if open.items = append(open.items, it); len(open.items) == open.want {
			records = g.flush(records, key, open)
		}
	}
	for _, s := range schemas.Sources() {
		for _, c := range []carrier{carrierEnvelope, carrierAudit} {
			if open := groups[groupKey{s, c}]; open != nil && len(open.items) > 0 {
				records = g.flush(records, groupKey{s, c}, open)
			}
		}
	}
	g.pending = append([]item(nil), g.pending[n:]...)
	slices.SortStableFunc(records, func(a, b Record) int { return cmp.Compare(a.Time, b.Time) })
	return records
}

type groupKey struct {
	source  schemas.Source
	carrier carrier
}

// group is a Kafka record being filled.
type group struct {
	items []*item
	want  int
}

func (g *generator) groupSize(c carrier) int {
	if c == carrierAudit && g.dice.chance(0.5) {
		return 1
	}
	return g.dice.between(1, 8)
}

// flush turns a group into Kafka records.
func (g *generator) flush(records []Record, key groupKey, open *group) []Record {
	last := open.items[len(open.items)-1].at
	if key.carrier == carrierEnvelope {
		records = append(records, Record{key.source, last, g.envelope(open.items)})
	} else {
		records = g.collected(records, key.source, last, open.items)
	}
	open.items = open.items[:0]
	return records
}

// envelope is a message of Event Hubs. Now and then it has a null, as real ones
// do.
func (g *generator) envelope(items []*item) []byte {
	size := 32
	for _, it := range items {
		size += len(it.value) + 1
	}
	b := append(make([]byte, 0, size), `{"records":[`...)
	for i, it := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, it.value...)
	}
	if g.dice.chance(0.002) {
		b = append(b, ",null"...)
	}
	return append(b, "]}"...)
}

// collected is what a collector of the Office 365 Management Activity API
// publishes: an array for a whole blob, or a record in one of three shapes.
func (g *generator) collected(records []Record, source schemas.Source, at schemas.Time, items []*item) []Record {
	if len(items) > 1 {
		size := 2
		for _, it := range items {
			size += len(it.value) + 1
		}
		b := append(make([]byte, 0, size), '[')
		for i, it := range items {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, it.value...)
		}
		return append(records, Record{source, at, append(b, ']')})
	}
	it := items[0]
	switch g.dice.IntN(6) {
	case 0:
		return append(records, Record{source, at, g.searchRow(it)})
	case 1:
		return append(records, Record{source, at, g.graphRow(it)})
	default:
		return append(records, Record{source, at, it.value})
	}
}

// searchRow is a row of Search-UnifiedAuditLog, the record a string inside.
// https://learn.microsoft.com/powershell/module/exchange/search-unifiedauditlog
func (g *generator) searchRow(it *item) []byte {
	w := writer{make([]byte, 0, len(it.value)*5/4+400)}
	w.open("")
	w.number("RecordType", int64(it.kind))
	w.time("CreationDate", it.created, layoutSeconds)
	w.text("UserIds", it.user)
	w.text("Operations", it.operation)
	w.key("AuditData")
	w.b = appendQuoted(w.b, it.value)
	w.number("ResultIndex", int64(g.dice.between(1, 5000)))
	w.number("ResultCount", 5000)
	w.id("Identity", g.dice.guid())
	w.truth("IsValid", true)
	w.text("ObjectState", "Unchanged")
	w.close()
	return w.b
}

// recordTypes are the names that Graph gives record types.
var recordTypes = map[int]string{
	1: "exchangeAdmin", 2: "exchangeItem", 3: "exchangeItemGroup", 4: "sharePoint", 6: "sharePointFileOperation", 11: "complianceDLPSharePoint",
	14: "sharePointSharingOperation", 15: "azureActiveDirectoryStsLogon", 50: "exchangeItemAggregated", 63: "dlpEndpoint",
	84: "sensitivityLabeledFileAction", 261: "copilotInteraction",
}

// graphRow is a record of the audit log query API of Graph, the record an object
// inside.
// https://learn.microsoft.com/graph/api/resources/security-auditlogrecord
func (g *generator) graphRow(it *item) []byte {
	w := writer{make([]byte, 0, len(it.value)+500)}
	w.open("")
	w.id("id", g.dice.guid())
	w.time("createdDateTime", it.created, layoutSeconds)
	w.text("auditLogRecordType", recordTypes[it.kind])
	w.text("operation", it.operation)
	w.id("organizationId", g.tenant.id)
	w.text("userType", "Regular")
	w.text("userId", it.user)
	w.text("userPrincipalName", it.user)
	w.null("clientIp")
	w.key("auditData")
	w.b = append(w.b, it.value[:len(it.value)-1]...)
	w.text("RecordType@odata.type", "#Int64")
	w.close()
	w.list("administrativeUnits")
	w.element("")
	w.end()
	w.close()
	return w.b
}
