package operators

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// decoder fills plain structs from nodes by their yaml tags. Unlike a general
// one it knows no unknown key, converts nothing silently, and goes on after a
// mistake, so that all of them are told at once.
type decoder struct {
	mistakes Mistakes
	// wrong are the nodes that could not be decoded, and those around them.
	wrong map[*node]bool
}

// reject reports a value of the wrong kind.
func (d *decoder) reject(n *node, want string) {
	got := string(n.kind)
	if n.text != "" {
		got = strconv.Quote(n.text)
	}
	d.mistakes = append(d.mistakes, n.mistake(fmt.Sprintf("want %s, got %s", want, got)))
}

func (d *decoder) decode(n *node, into reflect.Value) {
	before := len(d.mistakes)
	d.decodeValue(n, into)
	if len(d.mistakes) > before || n.kind == nodeRefused {
		d.wrong[n] = true
	}
}

func (d *decoder) decodeValue(n *node, into reflect.Value) {
	if n.kind == nodeRefused {
		return
	}
	if n.kind == nodeNull {
		d.mistakes = append(d.mistakes, n.mistake("the key has no value: give it one or leave it out"))
		return
	}
	if into.Kind() == reflect.Pointer {
		into.Set(reflect.New(into.Type().Elem()))
		into = into.Elem()
	}
	if from, ok := reflect.TypeAssert[interface{ decode(*decoder, *node) }](into.Addr()); ok {
		from.decode(d, n)
		return
	}
	if from, ok := reflect.TypeAssert[encoding.TextUnmarshaler](into.Addr()); ok {
		if n.kind == nodeMapping || n.kind == nodeSequence {
			d.reject(n, "one value")
		} else if err := from.UnmarshalText([]byte(n.text)); err != nil {
			d.mistakes = append(d.mistakes, n.mistake(err.Error()))
		}
		return
	}
	switch into.Kind() {
	case reflect.Struct:
		d.decodeStruct(n, into)
	case reflect.Map:
		d.decodeMap(n, into)
	case reflect.Slice:
		if n.kind != nodeSequence {
			d.reject(n, "a list")
			return
		}
		into.Set(reflect.MakeSlice(into.Type(), len(n.items), len(n.items)))
		for i, item := range n.items {
			d.decode(item, into.Index(i))
		}
	case reflect.String:
		if n.kind != nodeText {
			d.reject(n, "text")
			return
		}
		into.SetString(n.text)
	case reflect.Bool:
		if n.kind != nodeBoolean {
			d.reject(n, "true or false")
			return
		}
		into.SetBool(n.text == "true")
	case reflect.Interface:
		if value := d.plain(n); value != nil {
			into.Set(reflect.ValueOf(value))
		}
	default: // int, int32, int64
		value, err := strconv.ParseInt(n.text, 10, into.Type().Bits())
		if n.kind != nodeInteger || err != nil {
			d.reject(n, "a whole number")
			return
		}
		into.SetInt(value)
	}
}

// plain returns a string, an int64, a bool or a list of such.
func (d *decoder) plain(n *node) any {
	switch n.kind {
	case nodeInteger:
		if value, err := strconv.ParseInt(n.text, 10, 64); err == nil {
			return value
		}
		return n.text
	case nodeBoolean:
		return n.text == "true"
	case nodeSequence:
		items := make([]any, 0, len(n.items))
		for _, item := range n.items {
			items = append(items, d.plain(item))
		}
		return items
	case nodeMapping, nodeNull:
		d.reject(n, "a value or a list of values")
		return nil
	default:
		return n.text
	}
}

func (d *decoder) decodeStruct(n *node, into reflect.Value) {
	keys, inline := keysOf(into.Type())
	if n.kind != nodeMapping {
		d.reject(n, "a mapping of "+strings.Join(keys.names, ", "))
		return
	}
	for _, e := range n.entries {
		i, known := keys.fields[e.key.text]
		switch {
		case known:
			d.decode(e.value, into.Field(i))
		case inline >= 0:
			rest := into.Field(inline)
			if rest.IsNil() {
				rest.Set(reflect.MakeMap(rest.Type()))
			}
			value := reflect.New(rest.Type().Elem()).Elem()
			d.decode(e.value, value)
			rest.SetMapIndex(reflect.ValueOf(e.key.text), value)
		default:
			d.mistakes = append(d.mistakes, e.key.mistake(unknownName("key", e.key.text, keys.names)))
		}
	}
}

func (d *decoder) decodeMap(n *node, into reflect.Value) {
	if n.kind != nodeMapping {
		d.reject(n, "a mapping")
		return
	}
	into.Set(reflect.MakeMapWithSize(into.Type(), len(n.entries)))
	for _, e := range n.entries {
		value := reflect.New(into.Type().Elem()).Elem()
		d.decode(e.value, value)
		into.SetMapIndex(reflect.ValueOf(e.key.text), value)
	}
}

// structKeys are those of a struct, in its order.
type structKeys struct {
	names  []string
	fields map[string]int
}

// keysOf reads the yaml tags of a struct. The index of the field which takes
// all other keys is -1 when there is none.
func keysOf(t reflect.Type) (structKeys, int) {
	found, inline := structKeys{fields: map[string]int{}}, -1
	for i := range t.NumField() {
		name, options, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if options == "inline" {
			inline = i
			continue
		}
		found.names = append(found.names, name)
		found.fields[name] = i
	}
	return found, inline
}

// decode reads one value or a list of values, as they are written.
func (v *Values) decode(d *decoder, n *node) {
	items := []*node{n}
	if n.kind == nodeSequence {
		items = n.items
	}
	*v = make(Values, 0, len(items))
	for _, item := range items {
		switch item.kind {
		case nodeText, nodeInteger, nodeDecimal, nodeBoolean:
			*v = append(*v, item.text)
		default:
			d.reject(item, "a value or a list of values")
		}
	}
}

// decode reads one selection or a list of alternatives.
func (m *Macro) decode(d *decoder, n *node) {
	items := []*node{n}
	if n.kind == nodeSequence {
		items = n.items
	}
	*m = make(Macro, len(items))
	for i, item := range items {
		d.decode(item, reflect.ValueOf(&(*m)[i]).Elem())
	}
}
