package operators

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// difference is one place in which two values of the policy format differ.
type difference struct {
	// path are the keys from the root; an item of a list stands by its name, or by
	// its number from 1.
	path []string
	// before and after are the texts of the values, empty where there is none.
	before, after string
	// kind is how it differs.
	kind differenceKind
	// over is the time over which amounts are counted, in words.
	over string
}

type differenceKind int

const (
	valueChanged differenceKind = iota
	itemAdded
	itemRemoved
)

// differences walks two values of the same type by the keys of their YAML.
func differences(path []string, a, b reflect.Value) (list []difference) {
	if text, plain := plainText(a); plain {
		if other, _ := plainText(b); other != text {
			list = append(list, difference{path: path, before: text, after: other})
		}
		return list
	}
	switch a.Kind() {
	case reflect.Struct:
		for i := range a.NumField() {
			name, _, _ := strings.Cut(a.Type().Field(i).Tag.Get("yaml"), ",")
			list = append(list, differences(below(path, name), a.Field(i), b.Field(i))...)
		}
	case reflect.Pointer:
		switch {
		case a.IsNil() && b.IsNil():
		case a.IsNil():
			list = append(list, difference{path: path, after: wordsOf(b.Elem()), kind: itemAdded})
		case b.IsNil():
			list = append(list, difference{path: path, before: wordsOf(a.Elem()), kind: itemRemoved})
		default:
			list = differences(path, a.Elem(), b.Elem())
		}
	case reflect.Slice:
		list = itemDifferences(path, items(a), items(b))
	case reflect.Map:
		list = itemDifferences(path, entries(a), entries(b))
	default:
		if before, after := fmt.Sprint(a), fmt.Sprint(b); before != after {
			list = append(list, difference{path: path, before: before, after: after})
		}
	}
	return list
}

// below returns a copy of the path with one more key.
func below(path []string, key string) []string { return append(slices.Clip(path), key) }

// plainText returns the text of a value that has no parts.
func plainText(v reflect.Value) (string, bool) {
	switch value := v.Interface().(type) {
	case encoding.TextMarshaler:
		if v.Kind() == reflect.Pointer && v.IsNil() {
			return "", true
		}
		text, err := value.MarshalText()
		return string(text), err == nil
	case string:
		return value, true
	case Values:
		return strings.Join(value, ", "), true
	default:
		return "", false
	}
}

// item is an element of a list by its name, or an entry of a map by its key.
type item struct {
	key   string
	value reflect.Value
}

func items(list reflect.Value) []item {
	all := make([]item, list.Len())
	for i := range all {
		all[i] = item{fmt.Sprint(i + 1), list.Index(i)}
		switch v := list.Index(i).Interface().(type) {
		case string:
			all[i].key = v
		case Use:
			all[i].key = v.Use
		case Indicator:
			all[i].key = v.Name
		case Booster:
			all[i].key = v.Name
		case Modifier:
			all[i].key = v.Name
		case Exclusion:
			all[i].key = v.Name
		case Test:
			all[i].key = v.Name
		case IndicatorTest:
			all[i].key = v.Name
		case TriggerEvent:
			all[i].key = v.words()
		}
	}
	return all
}

func entries(m reflect.Value) []item {
	var all []item
	for _, key := range m.MapKeys() {
		all = append(all, item{key.String(), m.MapIndex(key)})
	}
	slices.SortFunc(all, func(a, b item) int { return strings.Compare(a.key, b.key) })
	return all
}

// itemDifferences compares items of the same key.
func itemDifferences(path []string, before, after []item) (list []difference) {
	in := func(all []item, key string) int {
		return slices.IndexFunc(all, func(i item) bool { return i.key == key })
	}
	for _, old := range before {
		if i := in(after, old.key); i >= 0 {
			list = append(list, differences(below(path, old.key), unwrapped(old.value), unwrapped(after[i].value))...)
		} else {
			list = append(list, difference{path: below(path, old.key), before: wordsOf(old.value), kind: itemRemoved})
		}
	}
	for _, added := range after {
		if in(before, added.key) < 0 {
			list = append(list, difference{path: below(path, added.key), after: wordsOf(added.value), kind: itemAdded})
		}
	}
	return list
}

// unwrapped returns what an interface holds; its text, since two may hold
// values of different types.
func unwrapped(v reflect.Value) reflect.Value {
	if v.Kind() == reflect.Interface {
		return reflect.ValueOf(fmt.Sprint(v.Interface()))
	}
	return v
}

// wordsOf says a value that one side alone has, empty when its key says all.
func wordsOf(v reflect.Value) string {
	switch value := v.Interface().(type) {
	case OpeningCondition:
		return value.words()
	case Modifier:
		return value.Words()
	case Booster:
		return value.Words()
	case Exclusion:
		return strings.TrimSpace(value.Reason)
	case Thresholds:
		return fmt.Sprintf("%d, %d, %d", value.Low, value.Medium, value.High)
	case PointScale:
		return fmt.Sprintf("%s, %s, %s", value.Low, value.Medium, value.High)
	case Throttle:
		return fmt.Sprintf("%d alerts in %s", value.Alerts, value.Per)
	}
	if text, plain := plainText(v); plain {
		return text
	}
	return ""
}
