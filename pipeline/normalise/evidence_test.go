package normalise

import (
	"encoding/json"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

func TestEvidence_AppendJSON(t *testing.T) {
	// What is appended reads as what encoding/json writes, whichever fields are
	// filled with whatever text.
	texts := rapid.OneOf(rapid.Just(""), rapid.String(), rapid.StringMatching(`[ -~]{0,40}`),
		rapid.SampledFrom([]string{`C:\Users\ada`, `"`, "\x00\x1f\x7f", "1234567\\", "line\nbreak", "<&>\u2028", "caf\xe9"}))
	rapid.Check(t, func(t *rapid.T) {
		var evidence Evidence
		v := reflect.ValueOf(&evidence).Elem()
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			switch field := v.Field(i).Addr().Interface().(type) {
			case *string:
				*field = texts.Draw(t, name)
			case *[]string:
				*field = rapid.SliceOfN(texts, 0, 3).Draw(t, name)
			default:
				t.Fatalf("no text of %s", name)
			}
		}
		want, err := json.Marshal(evidence)
		if err != nil {
			t.Fatal(err)
		}
		got := evidence.AppendJSON([]byte("before"))
		var fromGot, fromWant Evidence
		if err := json.Unmarshal(want, &fromWant); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(got[len("before"):], &fromGot); err != nil {
			t.Fatalf("%s: %v", got, err)
		}
		if !reflect.DeepEqual(fromGot, fromWant) {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
	})
	if got := (&Evidence{}).AppendJSON(nil); string(got) != "{}" {
		t.Errorf("got %s of nothing", got)
	}
}
