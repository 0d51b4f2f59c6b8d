package normalise

import (
	"bytes"
	"math"
	"strconv"
	"strings"

	"github.com/valyala/fastjson"
)

// object reads a JSON value of any shape without ever failing: what is absent,
// null or of another type reads as zero. Names match whatever their case, the
// exact spelling first, since collectors fold them.
//
// Strings that it returns are copies and outlive the record.
type object struct{ v *fastjson.Value }

// get walks the path and returns the value there, or an empty object.
func (o object) get(path ...string) object {
	v := o.v
	for _, name := range path {
		if v == nil || v.Type() != fastjson.TypeObject {
			return object{}
		}
		members := v.GetObject()
		if next := members.Get(name); next != nil {
			v = next
			continue
		}
		var folded *fastjson.Value
		members.Visit(func(key []byte, value *fastjson.Value) {
			if folded == nil && len(key) == len(name) && bytes.EqualFold(key, []byte(name)) {
				folded = value
			}
		})
		v = folded
	}
	if v == nil || v.Type() == fastjson.TypeNull {
		return object{}
	}
	return object{v}
}

// ok tells whether there is a value other than null.
func (o object) ok() bool { return o.v != nil && o.v.Type() != fastjson.TypeNull }

func (o object) isObject() bool { return o.v != nil && o.v.Type() == fastjson.TypeObject }
func (o object) isArray() bool  { return o.v != nil && o.v.Type() == fastjson.TypeArray }
func (o object) isString() bool { return o.v != nil && o.v.Type() == fastjson.TypeString }

// has tells whether every name is a member, null or not.
func (o object) has(names ...string) bool {
	if !o.isObject() {
		return false
	}
	for _, name := range names {
		found := false
		o.v.GetObject().Visit(func(key []byte, _ *fastjson.Value) {
			found = found || len(key) == len(name) && bytes.EqualFold(key, []byte(name))
		})
		if !found {
			return false
		}
	}
	return true
}

// text returns a string, number or boolean as trimmed text. Placeholders that
// upstream writes for "nothing" read as empty.
func (o object) text() string {
	if o.v == nil {
		return ""
	}
	switch o.v.Type() {
	case fastjson.TypeString:
		return plainText(string(o.v.GetStringBytes()))
	case fastjson.TypeNumber, fastjson.TypeTrue, fastjson.TypeFalse:
		return string(o.v.MarshalTo(nil))
	default:
		return ""
	}
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
	switch strings.ToLower(text) {
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

// items returns the elements of an array, or the value itself when it is none:
// upstream writes single elements bare.
func (o object) items() []object {
	if !o.ok() {
		return nil
	}
	if !o.isArray() {
		return []object{o}
	}
	elements := o.v.GetArray()
	list := make([]object, 0, len(elements))
	for _, e := range elements {
		if e.Type() != fastjson.TypeNull {
			list = append(list, object{e})
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
	if o.v == nil {
		return nil
	}
	return o.v.MarshalTo(nil)
}
