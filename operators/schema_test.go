package operators

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

const schemaPath = "policies/policy.v1.schema.json"

type jsonObject = map[string]any

// generator makes the schema from the structs and their doc comments, so that
// neither can be changed without the other.
type generator struct {
	docs map[string]string // "Policy" and "Policy.Name" to their comments
	defs jsonObject
}

// The schema has the keys, types and descriptions of the structs.
func TestSchema_generated(t *testing.T) {
	g := &generator{docs: readDocs(t), defs: jsonObject{}}
	var kinds []any
	for kind, file := range map[string]reflect.Type{
		KindPolicy: reflect.TypeFor[Policy](), KindIndicators: reflect.TypeFor[IndicatorFile](), KindLists: reflect.TypeFor[Lists](),
	} {
		kinds = append(kinds, jsonObject{
			"if":   jsonObject{"properties": jsonObject{"kind": jsonObject{"const": kind}}},
			"then": g.of(file),
		})
	}
	slices.SortFunc(kinds, func(a, b any) int {
		one, _ := json.Marshal(a)
		other, _ := json.Marshal(b)
		return bytes.Compare(one, other)
	})
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(jsonObject{
		"$schema":     "https://json-schema.org/draft/2020-12/schema",
		"$id":         "https://raw.githubusercontent.com/riskpipe/riskpipe/main/operators/" + schemaPath,
		"title":       "riskpipe policy, indicators or lists",
		"description": "A file of riskpipe's policy format: a policy, a part of the indicator catalogue, or lists and macros.",
		"type":        "object",
		"required":    []string{"apiVersion", "kind"},
		"properties": jsonObject{
			"apiVersion": jsonObject{"const": APIVersion, "description": "Version of the format."},
			"kind":       jsonObject{"enum": []string{KindPolicy, KindIndicators, KindLists}, "description": "What the file holds."},
		},
		"allOf": kinds,
		"$defs": g.defs,
	}); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(schemaPath, text.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	stored, err := os.ReadFile(schemaPath)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(stored, text.Bytes()) {
		t.Errorf("%s is not what the structs say: run the test with -update", schemaPath)
	}
}

// readDocs reads the comments of the structs.
func readDocs(t *testing.T) map[string]string {
	t.Helper()
	docs := map[string]string{}
	for _, name := range []string{"policy.go", "indicator.go", "lists.go", "test.go", "curve.go", "selection.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			declaration, ok := n.(*ast.GenDecl)
			if !ok {
				return true
			}
			for _, spec := range declaration.Specs {
				named, ok := spec.(*ast.TypeSpec)
				if !ok {
					continue
				}
				docs[named.Name.Name] = oneLine(declaration.Doc.Text())
				fields, ok := named.Type.(*ast.StructType)
				if !ok {
					continue
				}
				for _, field := range fields.Fields.List {
					for _, name := range field.Names {
						docs[named.Name.Name+"."+name.Name] = oneLine(field.Doc.Text())
					}
				}
			}
			return false
		})
	}
	return docs
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// enums are the words that keys take.
func enums() map[string][]string {
	return map[string][]string{
		"Policy.mode":                 {ModeOff, ModeShadow, ModeLive},
		"TriggerEvent.hr":             triggerFacts,
		"TriggerEvent.level":          levelNames,
		"TriggerEvent.lane":           LaneNames,
		"OpeningCondition.categories": Categories,
		"HREffect.fact":               modifierFacts,
		"IndicatorEffect.level":       levelNames,
		"Indicator.category":          Categories,
		"Indicator.outcome":           {"success", "failure", "any"},
		"Indicator.objects":           objectFields,
		"Measure.type":                slices.Sorted(maps.Keys(measureNeeds)),
		"Measure.field":               slices.Sorted(maps.Keys(fields)),
		"IndicatorTest.kind":          {"positive", "negative", "boundary"},
		"Expectation.severity":        levelNames,
		"Expectation.status":          {"open", "closed"},
	}
}

// optional are keys that may be left out although their zero has a meaning.
func optional() []string {
	return []string{
		"Trigger.activate_for", "Trigger.look_back", "HREffect.before", "HREffect.hold", "HREffect.fade",
		"TestEvent.at", "IndicatorTest.amount",
	}
}

// of returns the schema of a type; those with names are defined once.
func (g *generator) of(t reflect.Type) jsonObject {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	scalar := jsonObject{"type": []string{"string", "number", "boolean"}}
	var def jsonObject
	switch t {
	case reflect.TypeFor[Days]():
		def = jsonObject{"type": "string", "pattern": "^[0-9]+[dw]$", "description": "A length of time in whole days or weeks: 30d, 2w."}
	case reflect.TypeFor[Window]():
		def = jsonObject{"type": "string", "pattern": "^[1-9][0-9]*[hd]$", "description": "A sliding window: 1h to 24h, or 1d to 30d."}
	case reflect.TypeFor[Offset]():
		def = jsonObject{"type": "string", "pattern": "^-?[0-9]+[smhdw]( -?[0-9]+[smhdw])*$", "description": "A time: 90s, 5m, 2h, 3d 2h, -20d."}
	case reflect.TypeFor[Thousandths]():
		def = jsonObject{"type": "number", "minimum": 0, "maximum": 1_000_000, "description": "A decimal number with up to three decimals."}
	case reflect.TypeFor[Amount]():
		def = jsonObject{
			"type": []string{"integer", "string"}, "minimum": 0, "pattern": "^[0-9]+ ?(B|KiB|MiB|GiB|TiB)?$",
			"description": "A count, or a number of bytes with its unit: 20, 50MiB.",
		}
	case reflect.TypeFor[Date]():
		def = jsonObject{"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}(T.+)?$", "description": "A day or an instant: 2026-03-31, 2026-03-31T12:00:00Z."}
	case reflect.TypeFor[Values]():
		def = jsonObject{"anyOf": []any{scalar, jsonObject{"type": "array", "items": scalar}}, "description": g.docs["Values"]}
	case reflect.TypeFor[Macro]():
		selection := g.of(reflect.TypeFor[Selection]())
		def = jsonObject{"anyOf": []any{selection, jsonObject{"type": "array", "items": selection, "minItems": 1}}, "description": g.docs["Macro"]}
	case reflect.TypeFor[Selection]():
		def = g.selection()
	default:
		switch t.Kind() {
		case reflect.Struct:
			return g.structOf(t)
		case reflect.Slice:
			return jsonObject{"type": "array", "items": g.of(t.Elem())}
		case reflect.Map:
			return jsonObject{"type": "object", "additionalProperties": g.of(t.Elem())}
		case reflect.Bool:
			return jsonObject{"type": "boolean"}
		case reflect.String:
			return jsonObject{"type": "string"}
		default:
			return jsonObject{"type": "integer"}
		}
	}
	g.defs[t.Name()] = def
	return jsonObject{"$ref": "#/$defs/" + t.Name()}
}

func (g *generator) structOf(t reflect.Type) jsonObject {
	ref := jsonObject{"$ref": "#/$defs/" + t.Name()}
	if g.defs[t.Name()] != nil {
		return ref
	}
	properties, required := jsonObject{}, []string{}
	def := jsonObject{"type": "object", "description": g.docs[t.Name()], "properties": properties, "additionalProperties": false}
	g.defs[t.Name()] = def
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if options == "inline" {
			for _, field := range testFields() {
				properties[field] = jsonObject{"description": "The event's field, as event.avsc has it: " + string(fields[field].kind) + "."}
			}
			continue
		}
		path := t.Name() + "." + name
		property := g.of(f.Type)
		if words := enums()[path]; words != nil {
			if property["type"] == "array" {
				property["items"] = jsonObject{"enum": words}
			} else {
				property = jsonObject{"enum": words}
			}
		}
		if t == reflect.TypeFor[Indicator]() || t == reflect.TypeFor[Use]() {
			if name == "lanes" {
				property["propertyNames"] = jsonObject{"enum": LaneNames}
			}
		}
		if doc := g.docs[t.Name()+"."+f.Name]; doc != "" {
			property["description"] = doc
		}
		properties[name] = property
		if options != "omitempty" && !slices.Contains(optional(), path) {
			required = append(required, name)
		}
	}
	if len(required) > 0 {
		def["required"] = required
	}
	return ref
}

func (g *generator) selection() jsonObject {
	properties, names := jsonObject{}, []string{}
	for name, f := range fields {
		about := strings.ToUpper(string(f.kind[:1])) + string(f.kind[1:]) + "."
		if f.values != nil {
			about += " One of " + strings.Join(f.values, ", ") + "."
		}
		property := g.of(reflect.TypeFor[Values]())
		property["description"] = about
		properties[name] = property
		names = append(names, strings.ReplaceAll(name, ".", `\.`))
	}
	macro := g.of(reflect.TypeFor[Values]())
	macro["description"] = "Names of macros, all of which must hold."
	properties[macroKey] = macro
	slices.Sort(names)
	return jsonObject{
		"type": "object", "description": g.docs["Selection"], "properties": properties,
		"patternProperties": jsonObject{
			`^(` + strings.Join(names, "|") + `)(\|(` + strings.Join(modifierNames, "|") + `))+$`: g.of(reflect.TypeFor[Values]()),
			`^macro\|not$`: g.of(reflect.TypeFor[Values]()),
		},
		"additionalProperties": false,
	}
}

// The schema accepts every sound file and refuses those with wrong keys.
func TestSchema(t *testing.T) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	if err := compiler.AddResource("schema.json", document); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	validate := func(name string) error {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text, err := yaml.YAMLToJSON(content)
		if err != nil {
			t.Fatal(err)
		}
		instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return compiled.Validate(instance)
	}
	for _, pattern := range []string{"policies/*.yaml", "indicators/*.yaml", "testdata/shipped/*/*.yaml"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: no files: %v", pattern, err)
		}
		for _, name := range names {
			if err := validate(name); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	for name, says := range map[string][]string{
		"policy_keys":         {"half_scal", "/mode", "/quiet", "/falsepositives", "/title"},
		"policy_trigger":      {"/trigger/any_of/0/hr", "/trigger/any_of/3/level", "/trigger/any_of/3/lane"},
		"policy_opening":      {"/open/any_of/0", "file.applicaton", "/indicators/4", "secret"},
		"indicators":          {"/indicators/0/category", "/indicators/0/thresholds/low", "/indicators/1/measure/type", "limt", "destination.clas"},
		"indicators_measures": {"sensitve", "/indicators/0/tests/0/kind"},
		"lists":               {"file.lable|contains", "/suppressions/0"},
		"yaml_list":           {"want object"},
	} {
		err := validate("testdata/bad/" + name + ".yaml")
		if err == nil {
			t.Errorf("%s is not refused", name)
			continue
		}
		for _, say := range says {
			if !strings.Contains(err.Error(), say) {
				t.Errorf("%s: %v does not say %q", name, err, say)
			}
		}
	}
}
