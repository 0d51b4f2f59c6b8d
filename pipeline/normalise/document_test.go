package normalise

import (
	"fmt"
	"strings"
	"testing"

	"github.com/valyala/fastjson"
	"pgregory.net/rapid"
)

// A general parser is the oracle: both take a text or neither does, and both see
// the same in it.
func agrees(t interface{ Errorf(string, ...any) }, text string) {
	var d document
	failure := d.parse(text, DefaultMaxDepth)
	v, err := fastjson.Parse(text)
	if failure == tooDeep || failure == tooMany {
		return
	}
	if (failure == parsed) != (err == nil) {
		t.Errorf("%q: %d, and the other parser says %v", text, failure, err)
		return
	}
	if failure == parsed {
		same(t, object{document: &d}, v)
	}
}

func same(t interface{ Errorf(string, ...any) }, o object, v *fastjson.Value) {
	kinds := map[fastjson.Type]kind{
		fastjson.TypeNull: kindNull, fastjson.TypeTrue: kindTrue, fastjson.TypeFalse: kindFalse, fastjson.TypeNumber: kindNumber,
		fastjson.TypeString: kindText, fastjson.TypeArray: kindList, fastjson.TypeObject: kindObject,
	}
	if o.kind() != kinds[v.Type()] {
		t.Errorf("kind %d, want %s in %s", o.kind(), v.Type(), v)
		return
	}
	switch o.kind() {
	case kindText:
		if o.content() != string(v.GetStringBytes()) {
			t.Errorf("text %q, want %q", o.content(), v.GetStringBytes())
		}
	case kindNumber:
		if o.span() != v.String() {
			t.Errorf("number %q, want %q", o.span(), v.String())
		}
	case kindList:
		i := 0
		for e := range o.elements() {
			same(t, e, v.GetArray()[i])
			i++
		}
		if i != len(v.GetArray()) || i != o.len() {
			t.Errorf("%d elements, want %d", i, len(v.GetArray()))
		}
	case kindObject:
		var names []string
		var members []*fastjson.Value
		v.GetObject().Visit(func(key []byte, member *fastjson.Value) {
			names, members = append(names, string(key)), append(members, member)
		})
		i := 0
		for name, member := range o.members() {
			if name != names[i] {
				t.Errorf("member %q, want %q", name, names[i])
			}
			same(t, member, members[i])
			i++
		}
		if i != len(names) || i != o.len() {
			t.Errorf("%d members, want %d", i, len(names))
		}
		for i, name := range names {
			found, ok := o.member(name)
			if first := v.GetObject().Get(name); !ok || first == members[i] && found.kind() != kinds[first.Type()] {
				t.Errorf("member %q of %s: %v", name, v, ok)
			}
			if _, ok := o.member(strings.ToUpper(name)); !ok && len(strings.ToUpper(name)) == len(name) && isASCII(name) {
				t.Errorf("member %q of %s is not found in capitals", name, v)
			}
		}
	case kindNull, kindTrue, kindFalse:
	}
}

var documentSeeds = []string{
	`{}`, `[]`, ` { "a" : [ 1 , -2.5e+7 , true , false , null , "x" ] } `, `"text"`, `12`, `nan`, `-Infinity`, `-inf`, `+`, `-`, ``, ` `, `{"a":1}}`, `{"a":1`,
	`{"a":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\ud83d\u0041\ud83d\uZZZZ\u12"}`, `{"\u0041b":1,"ab":2,"AB":3}`, `{"abcdefghij":1,"ABCDEFGHIJ":2}`, `["\\"]`, `["\"]`, `"\`,
	"{\"a\":\"line\nbreak\"}", "{\"a\":\"\xff\"}", `{"a":{"b":{"c":[[],[{}]]}},"":0}`, `[1,]`, `[,1]`, `{"a"}`, `{"a":}`, `{a:1}`, `tru`, `truex`, `nul`, `{"k":NaN,"l":01,"m":1.2.3}`,
	`{"eight888":"12345678","nine99999":"123456789\"0","s":"1234567\"8"}`,
}

func TestDocument(t *testing.T) {
	for _, text := range documentSeeds {
		agrees(t, text)
	}
	var d document
	if d.parse(strings.Repeat("[", 9)+strings.Repeat("]", 9), 9) != parsed || d.parse(strings.Repeat("[", 10), 9) != tooDeep {
		t.Error("the bound on depth is not where it should be")
	}
	if d.parse("["+strings.Repeat("0,", maxValues)+"0]", 9) != tooMany {
		t.Error("too many values were read")
	}
}

func TestDocument_members(t *testing.T) {
	// Members are found among however many, with a table and without, whether the
	// hashes of their names differ or not.
	for _, n := range []int{1, 2, 3, 4, 5, 63, 64, 65, maxTabulated, maxTabulated + 1} {
		for _, format := range []string{"name%04d", "beginning%04dandtheend"} {
			parts := make([]string, 0, n)
			for i := range n {
				parts = append(parts, fmt.Sprintf(`%q:%d`, fmt.Sprintf(format, i), i))
			}
			agrees(t, "{"+strings.Join(parts, ",")+"}")
		}
	}
}

func TestDocumentProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var draw func(depth int) string
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-zA-Z]{0,20}`))
		quoted := func(s string) string { return string(appendQuoted(nil, s)) }
		draw = func(depth int) string {
			switch n := rapid.IntRange(0, 7).Draw(t, "kind"); {
			case n < 2 && depth < 5:
				parts := make([]string, rapid.IntRange(0, 12).Draw(t, "members"))
				for i := range parts {
					parts[i] = quoted(text.Draw(t, "name")) + ":" + draw(depth+1)
				}
				return "{" + strings.Join(parts, ",") + "}"
			case n == 2 && depth < 5:
				parts := make([]string, rapid.IntRange(0, 5).Draw(t, "elements"))
				for i := range parts {
					parts[i] = draw(depth + 1)
				}
				return "[" + strings.Join(parts, ", ") + "]"
			case n < 6:
				return quoted(text.Draw(t, "text"))
			default:
				return rapid.SampledFrom([]string{"null", "true", "false", "0", "-1.5", "1e9", "NaN"}).Draw(t, "scalar")
			}
		}
		json := draw(0)
		agrees(t, json)
		// Its compact form reads the same and is its own compact form.
		var d, again document
		if d.parse(json, DefaultMaxDepth) != parsed {
			t.Fatalf("%s is not read", json)
		}
		compact := string(d.appendJSON(nil, 0))
		if again.parse(compact, DefaultMaxDepth) != parsed || string(again.appendJSON(nil, 0)) != compact {
			t.Errorf("%s becomes %s", json, compact)
		}
	})
}

func FuzzDocument(f *testing.F) {
	for _, text := range documentSeeds {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { agrees(t, text) })
}
