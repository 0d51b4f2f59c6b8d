package operators

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// testStart is when tests begin: Monday, 2 March 2026, 09:00 UTC.
const testStart schemas.Time = 1772442000000

// testUser is whom tests are about.
var testUser = schemas.Pseudonym{1}

// testEvents makes the events of a test, in the order of their arrival.
func testEvents(list []TestEvent, groups []string) ([]schemas.Event, error) {
	var events []schemas.Event
	for i, t := range list {
		for n := range max(t.Repeat, 1) {
			e, err := t.event(i, n)
			if err != nil {
				return nil, err
			}
			e.Groups = append(slices.Clone(groups), e.Groups...)
			slices.Sort(e.Groups)
			events = append(events, e)
		}
	}
	slices.SortStableFunc(events, func(a, b schemas.Event) int { return cmp.Compare(a.ObservedTime, b.ObservedTime) })
	return events, nil
}

// event makes the n-th repetition of the i-th event of a test.
func (t *TestEvent) event(i, n int) (schemas.Event, error) {
	shift := schemas.Time(t.Every) * schemas.Time(n)
	e := schemas.Event{
		ID: schemas.NewUUID("policy test", fmt.Sprint(i), fmt.Sprint(n)), Activity: t.Activity, Source: sourceOf(t.Activity),
		User: testUser, ActorType: schemas.ActorPerson, Outcome: schemas.OutcomeSuccess, Time: testStart + schemas.Time(t.At) + shift,
	}
	e.ObservedTime = e.Time
	if t.Arrives != nil {
		e.ObservedTime = testStart + schemas.Time(*t.Arrives) + shift
	}
	if t.Activity == "signin.failed" {
		e.Outcome = schemas.OutcomeFailure
	}
	for _, path := range slices.Sorted(maps.Keys(t.Fields)) {
		if err := setField(&e, path, t.Fields[path]); err != nil {
			return schemas.Event{}, err
		}
	}
	for _, path := range t.Distinct {
		base, given := t.Fields[path]
		if !given {
			base = i
		}
		value := any(fmt.Sprint(base, " ", n))
		if fields[path].kind == kindHashes {
			value = []any{value}
		}
		if err := setField(&e, path, value); err != nil {
			return schemas.Event{}, err
		}
	}
	return e, nil
}

// sourceOf returns the feed that tells of an activity.
func sourceOf(activity string) schemas.Source {
	object, _, _ := strings.Cut(activity, ".")
	switch object {
	case "signin", "account":
		return schemas.SourceSignIn
	case "email":
		return schemas.SourceEmail
	case "hr":
		return schemas.SourceHR
	case "detection", "web", "network", "device", "browsing":
		return schemas.SourceDefender
	default:
		return schemas.SourceFile
	}
}

// setField sets a field of the event by its path in event.avsc. Only tests do:
// it goes by reflection over the names of the wire.
func setField(e *schemas.Event, path string, value any) error {
	at := reflect.ValueOf(e).Elem()
	for name := range strings.SplitSeq(path, ".") {
		if at.Kind() == reflect.Pointer {
			if at.IsNil() {
				at.Set(reflect.New(at.Type().Elem()))
			}
			at = at.Elem()
		}
		field, found := wireField(at, name)
		if !found {
			return fmt.Errorf("making a test event: an event has no field %q", path)
		}
		at = field
	}
	if err := setValue(at, value); err != nil {
		return fmt.Errorf("making a test event: %s: %w", path, err)
	}
	return nil
}

func wireField(at reflect.Value, name string) (reflect.Value, bool) {
	if at.Kind() != reflect.Struct {
		return reflect.Value{}, false
	}
	for i := range at.NumField() {
		if tag, _, _ := strings.Cut(at.Type().Field(i).Tag.Get("avro"), ","); tag == name {
			return at.Field(i), true
		}
	}
	return reflect.Value{}, false
}

// setValue sets a field to what the YAML says: hashes take any text, equal texts
// being equal hashes; times take days from the start of the test.
func setValue(at reflect.Value, value any) error {
	text := fmt.Sprint(value)
	switch at.Type() {
	case reflect.TypeFor[schemas.Hash]():
		at.SetInt(int64(hashOf(text)))
		return nil
	case reflect.TypeFor[schemas.Time]():
		var offset Offset
		if err := offset.UnmarshalText([]byte(text)); err != nil {
			return err
		}
		at.SetInt(int64(testStart) + int64(offset))
		return nil
	}
	switch at.Kind() {
	case reflect.String:
		at.SetString(text)
	case reflect.Bool:
		at.SetBool(text == "true")
	case reflect.Int32, reflect.Int64:
		var n Amount
		sign, number := int64(1), text
		if rest, negative := strings.CutPrefix(text, "-"); negative {
			sign, number = -1, rest
		}
		if err := n.UnmarshalText([]byte(number)); err != nil {
			return err
		}
		at.SetInt(sign * int64(n))
	case reflect.Pointer:
		at.Set(reflect.New(at.Type().Elem()))
		return setValue(at.Elem(), value)
	case reflect.Slice:
		items, ok := value.([]any)
		if !ok {
			return fmt.Errorf("want a list, not %v", value)
		}
		at.Set(reflect.MakeSlice(at.Type(), len(items), len(items)))
		for i, item := range items {
			if err := setValue(at.Index(i), item); err != nil {
				return err
			}
		}
	default:
		return fmt.Errorf("a test cannot set a %s", at.Type())
	}
	return nil
}
