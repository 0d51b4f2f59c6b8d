package schemas

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/linkedin/goavro/v2"
	"pgregory.net/rapid"
)

// evidence draws any of its fields with any text.
func evidence(t *rapid.T) Evidence {
	texts := rapid.OneOf(rapid.Just(""), rapid.String(), rapid.StringMatching(`[ -~]{0,90}`),
		rapid.SampledFrom([]string{`C:\Users\ada`, `"`, "\x00\x1f\x7f", "line\nbreak", "<&>\u2028", "Zoë"}))
	var drawn Evidence
	v := reflect.ValueOf(&drawn).Elem()
	for i := range v.NumField() {
		switch field := v.Field(i).Addr().Interface().(type) {
		case *string:
			*field = texts.Draw(t, v.Type().Field(i).Name)
		case *[]string:
			*field = rapid.SliceOfN(texts, 0, 40).Draw(t, v.Type().Field(i).Name)
		default:
			t.Fatalf("%s is neither a text nor a list", v.Type().Field(i).Name)
		}
	}
	return drawn
}

func TestEvidence_schema(t *testing.T) {
	// What is written is what the schema says, to a library that knows nothing else, and
	// its kinds are the names that the JSON has.
	codec, err := goavro.NewCodec(EvidenceSchema)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		v := evidence(t)
		b := v.Append(nil)
		if len(b) == 0 {
			return
		}
		native, rest, err := codec.NativeFromBinary(b)
		if err != nil || len(rest) > 0 {
			t.Fatalf("%v, %d bytes left", err, len(rest))
		}
		got := map[string][]string{}
		for _, fact := range native.(map[string]any)["facts"].([]any) {
			fact := fact.(map[string]any)
			kind := fact["kind"].(string)
			got[kind] = append(got[kind], fact["text"].(string))
		}
		want := map[string][]string{}
		fields := reflect.ValueOf(v)
		for i := range fields.NumField() {
			name, _, _ := strings.Cut(fields.Type().Field(i).Tag.Get("json"), ",")
			switch field := fields.Field(i).Interface().(type) {
			case string:
				if field != "" {
					want[name] = []string{field}
				}
			case []string:
				if len(field) > 0 {
					want[name] = field
				}
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
	})
}

func TestReadEvidence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := evidence(t)
		earlier, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		for name, b := range map[string][]byte{"facts": want.Append([]byte("before"))[len("before"):], "JSON of earlier releases": earlier} {
			got, err := ReadEvidence(b)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
				t.Fatalf("%s: %s", name, d)
			}
		}
	})
}

// The bytes that this version seals, for every version after it.
const evidenceGolden = "0c0018416461204c6f76656c61636502183139382e35312e3130302e370e166f72646572732e786c7378241a616c69636540" +
	"6578616d706c6524187a6fc3ab406578616d706c6538086ec3a96500"

func TestReadEvidence_golden(t *testing.T) {
	want := Evidence{
		DisplayName: "Ada Lovelace", SourceIP: "198.51.100.7", FileName: "orders.xlsx",
		Recipients: []string{"alice@example", "zoë@example"}, Withheld: []string{"née"},
	}
	if got := hex.EncodeToString(want.Append(nil)); got != evidenceGolden {
		t.Errorf("got %s", got)
	}
	b, err := hex.DecodeString(evidenceGolden)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ReadEvidence(b)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestReadEvidence_malformed(t *testing.T) {
	whole := (&Evidence{Object: "https://contoso.example/a", Targets: []string{"ida", "eva"}}).Append(nil)
	for name, b := range map[string][]byte{
		"cut off":          whole[:len(whole)-1],
		"bytes behind":     append(slices.Clone(whole), 0),
		"a kind to come":   {2, 2 * 29, 2, 'a', 0},
		"too many facts":   {0xFE, 0xFF, 0xFF, 0xFF, 0x0F, 0},
		"half of the JSON": []byte(`{"object":`),
	} {
		if got, err := ReadEvidence(b); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if got, err := ReadEvidence(nil); err != nil || !reflect.DeepEqual(got, Evidence{}) {
		t.Errorf("nothing: %+v, %v", got, err)
	}
}

func TestEvidence_Append(t *testing.T) {
	if got := (&Evidence{}).Append([]byte("before")); string(got) != "before" {
		t.Errorf("got %q of nothing", got)
	}
	// A file of an HR system may be in any encoding, and Avro's strings are UTF-8.
	got, err := ReadEvidence((&Evidence{Remarks: "caf\xe9"}).Append(nil))
	if err != nil || got.Remarks != "caf\uFFFD" {
		t.Errorf("%q, %v", got.Remarks, err)
	}
}

// Whatever the bytes are, they are read or refused, and what was read stays the same from
// then on.
func FuzzReadEvidence(f *testing.F) {
	for _, seed := range []Evidence{{}, {Object: "https://contoso.example/a", Targets: []string{"ida", "eva"}}, {Remarks: "caf\xe9"}} {
		f.Add(seed.Append(nil))
	}
	f.Add([]byte(`{"recipients":["alice@example",""],"subject":"\ud800"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		read, err := ReadEvidence(b)
		if err != nil {
			return
		}
		written := read.Append(nil) // texts that are no UTF-8 become so
		again, err := ReadEvidence(written)
		if err != nil {
			t.Fatal(err)
		}
		if got := again.Append(nil); string(got) != string(written) {
			t.Errorf("%q became %q", written, got)
		}
	})
}
