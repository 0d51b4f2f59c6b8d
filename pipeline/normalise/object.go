package normalise

import (
	"iter"
	"math"
	"strconv"
	"strings"
)

// object reads a JSON value of any shape without ever failing: what is absent,
// null or of another type reads as zero. Names match whatever their case, the
// exact spelling first, since collectors fold them.
//
// Strings that it returns are parts of the record's text where that is possible.
type object struct {
	document *document
	index    uint32
}

func (o object) value() *value { return &o.document.values[o.index] }

// kind is the type of the value; what is absent is null.
func (o object) kind() kind {
	if o.document == nil {
		return kindNull
	}
	return o.value().kind
}

// member returns the member of that name, null or not, and whether there is one.
func (o object) member(name string) (object, bool) {
	if o.kind() != kindObject {
		return object{}, false
	}
	self := o.value()
	if self.count == 0 {
		return object{}, false
	}
	d := o.document
	n := sought{name: name, hash: foldedHash(name)}
	if self.count > maxTabulated {
		for i := o.index + 1; i < self.next && !n.found(d, i); {
			i = d.values[i].next
		}
		return object{d, n.index}, n.index != 0
	}
	mask := self.tableMask()
	table := d.slots[self.table : self.table+mask+1]
	for slot := n.hash & mask; table[slot] != 0 && !n.found(d, table[slot]); {
		slot = (slot + 1) & mask
	}
	return object{d, n.index}, n.index != 0 // no member is the first value
}

// sought is a member that is looked for.
type sought struct {
	name  string
	hash  uint32
	index uint32 // of the best one so far, 0 for none
}

// found looks at a member, and tells whether none can be better.
func (s *sought) found(d *document, index uint32) bool {
	v := &d.values[index]
	if v.hash != s.hash {
		return false
	}
	switch name := d.nameOf(v); {
	case name == s.name:
		s.index = index
		return true
	case s.index == 0 && len(name) == len(s.name) && strings.EqualFold(name, s.name):
		s.index = index
	}
	return false
}

// get walks the path and returns the value there, or an empty object.
func (o object) get(path ...string) object {
	for _, name := range path {
		o, _ = o.member(name)
		if o.index == 0 {
			return object{}
		}
	}
	if !o.ok() {
		return object{}
	}
	return o
}

// ok tells whether there is a value other than null.
func (o object) ok() bool { return o.kind() != kindNull }

func (o object) isObject() bool { return o.kind() == kindObject }
func (o object) isArray() bool  { return o.kind() == kindList }
func (o object) isString() bool { return o.kind() == kindText }

// has tells whether every name is a member, null or not.
func (o object) has(names ...string) bool {
	for _, name := range names {
		if _, found := o.member(name); !found {
			return false
		}
	}
	return o.isObject()
}

// len is the number of members or elements.
func (o object) len() int {
	if o.document == nil {
		return 0
	}
	return int(o.value().count)
}

// members yields the members of an object in order, nulls included.
func (o object) members() iter.Seq2[string, object] {
	return func(yield func(string, object) bool) {
		if !o.isObject() {
			return
		}
		for i, end := o.index+1, o.value().next; i < end; {
			v := &o.document.values[i]
			if !yield(o.document.nameOf(v), object{o.document, i}) {
				return
			}
			i = v.next
		}
	}
}

// elements yields the elements of an array, nulls included, or the value itself
// when it is none: upstream writes single elements bare.
func (o object) elements() iter.Seq[object] {
	return func(yield func(object) bool) {
		if !o.isArray() {
			if o.ok() {
				yield(o)
			}
			return
		}
		for i, end := o.index+1, o.value().next; i < end; {
			if !yield(object{o.document, i}) {
				return
			}
			i = o.document.values[i].next
		}
	}
}

// content is a string as it is, empty when the value is none.
func (o object) content() string {
	if !o.isString() {
		return ""
	}
	return o.document.textOf(o.value())
}

// text returns a string, number or boolean as trimmed text. Placeholders that
// upstream writes for "nothing" read as empty.
func (o object) text() string {
	switch o.kind() {
	case kindText:
		return plainText(o.content())
	case kindNumber, kindTrue, kindFalse:
		return o.span()
	default:
		return ""
	}
}

// span is the value as it is written, brackets included, quotes not.
func (o object) span() string {
	v := o.value()
	return o.document.text[v.start:v.end]
}

// plainText trims a text and returns nothing for the placeholders of "nothing".
func plainText(s string) string {
	s = strings.TrimSpace(s)
	switch s {
	case "<null>", "null", "NULL", "(null)", "N/A", "n/a":
		return ""
	}
	return s
}

// str returns the text of the first of the names that has one.
func (o object) str(names ...string) string {
	for _, name := range names {
		if s := o.get(name).text(); s != "" {
			return s
		}
	}
	return ""
}

// at returns the text at the end of the path.
func (o object) at(path ...string) string { return o.get(path...).text() }

// number returns a whole number written as a number (also 1156492.00) or as a
// string, saturated to int64, and whether there was one.
func (o object) number() (int64, bool) {
	s := o.text()
	if s == "" {
		return 0, false
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) {
		return 0, false
	}
	switch {
	case f >= math.MaxInt64:
		return math.MaxInt64, true
	case f <= math.MinInt64:
		return math.MinInt64, true
	}
	return int64(f), true
}

// size returns a count or a number of bytes: never negative.
func (o object) size(names ...string) int64 {
	for _, name := range names {
		if n, ok := o.get(name).number(); ok {
			return max(n, 0)
		}
	}
	return 0
}

// truth returns a boolean written as true/false, 0/1, or a string of these, and
// whether there was one.
func (o object) truth() (value, ok bool) { return truthOf(o.text()) }

func truthOf(text string) (value, ok bool) {
	var f folding
	switch f.lower(text) {
	case "true", "1", "yes":
		return true, true
	case "false", "0", "no":
		return false, true
	default:
		return false, false
	}
}

// flag is the truth of a member, false when not said.
func (o object) flag(names ...string) bool {
	for _, name := range names {
		if value, ok := o.get(name).truth(); ok {
			return value
		}
	}
	return false
}

// maybe is the truth of a member, nil when not said.
func (o object) maybe(names ...string) *bool {
	for _, name := range names {
		if value, ok := o.get(name).truth(); ok {
			return &value
		}
	}
	return nil
}

// items returns the elements that are not null.
func (o object) items() []object {
	if !o.ok() {
		return nil
	}
	list := make([]object, 0, max(o.len(), 1))
	for e := range o.elements() {
		if e.ok() {
			list = append(list, e)
		}
	}
	return list
}

// texts returns the non-empty texts of an array.
func (o object) texts() []string {
	var list []string
	for _, item := range o.items() {
		if s := item.text(); s != "" {
			list = append(list, s)
		}
	}
	return list
}

// named looks a value up in upstream's list form [{"Name":…,"Value":…}].
func (o object) named(name string) object {
	for _, item := range o.items() {
		if strings.EqualFold(item.str("Name", "Key"), name) {
			return item.get("Value")
		}
	}
	return object{}
}

// raw returns the value as compact JSON.
func (o object) raw() []byte {
	if o.document == nil {
		return nil
	}
	return o.document.appendJSON(make([]byte, 0, len(o.span())+2), o.index)
}
