package schemas

import (
	"bytes"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

func TestAppendEvent(t *testing.T) {
	// The encoding by hand is the library's, whatever is in an event.
	c := codec[Event](t, EventSchema)
	rapid.Check(t, func(t *rapid.T) {
		var e Event
		fill(t, reflect.ValueOf(&e).Elem(), "event")
		e.Source = rapid.SampledFrom(append(Sources(), SourceUnknown, "", "other")).Draw(t, "source")
		e.ActorType = rapid.SampledFrom([]ActorType{
			ActorUnknown, ActorPerson, ActorGuest, ActorService, ActorSystem, ActorAnonymous, "other",
		}).Draw(t, "actor type")
		e.Outcome = rapid.SampledFrom([]Outcome{OutcomeUnknown, OutcomeSuccess, OutcomeFailure, "other"}).Draw(t, "outcome")
		want, err := c.schema.AppendEncode(nil, &e)
		got, ok := appendEvent([]byte("before"), &e)
		if ok != (err == nil) {
			t.Fatalf("encoded %v, and the library says %v", ok, err)
		}
		if ok && !bytes.Equal(got, append([]byte("before"), want...)) {
			t.Fatalf("%+v:\ngot  %q\nwant before%q", e, got, want)
		}
		if _, err := c.Append(nil, &e); (err == nil) != ok {
			t.Fatalf("the codec says %v", err)
		}
	})
}

// fill draws all that a value can hold.
func fill(t *rapid.T, v reflect.Value, name string) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i), name+"."+v.Type().Field(i).Name)
		}
	case reflect.Pointer:
		if rapid.Bool().Draw(t, name) {
			v.Set(reflect.New(v.Type().Elem()))
			fill(t, v.Elem(), name)
		}
	case reflect.Slice:
		if n := rapid.IntRange(-1, 3).Draw(t, name); n >= 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
		}
		for i := range v.Len() {
			fill(t, v.Index(i), name)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(t, v.Index(i), name)
		}
	case reflect.String:
		v.SetString(rapid.String().Draw(t, name))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, name))
	case reflect.Int32:
		v.SetInt(int64(rapid.Int32().Draw(t, name)))
	case reflect.Int64:
		v.SetInt(rapid.Int64().Draw(t, name))
	case reflect.Uint8:
		v.SetUint(uint64(rapid.Byte().Draw(t, name)))
	default:
		t.Fatalf("no values of %s", name)
	}
}
