package operators

import (
	"strings"
	"testing"
)

// Expressions read the same fields as selections do.
func TestExpressions_compile(t *testing.T) {
	compiler, err := newExpressions()
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{
		`file.size >= 5 * 1024 * 1024 && destination.external`:                       true,
		`file.size > email.size && file.label.startsWith("Streng")`:                  true,
		`"IBAN" in file.sensitive_types`:                                             true,
		`file.sensitive_types.exists(t, t.contains("Passport"))`:                     false,
		`size(detection.techniques) == 0 && hr.scenario == ""`:                       true,
		`email.attachment_names.exists(n, n == file.name)`:                           true,
		`outcome == "success" && source == "file" && !device.managed`:                true,
		`"leavers" in user.groups && !("leavers" in groups) && "project_x" in marks`: true,
		`health.same_family_name && !health.same_address`:                            true,
		`1 / email.size == 1`: false, // an error holds not
		`file.extension in ["DOCX", "PDF"] ? file.count > 0 : file.sensitive_count > 9`: true,
	} {
		holds, err := compiler.compile(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := holds(example()); got != want {
			t.Errorf("%s holds: %t", text, got)
		}
	}
}

// What is wrongly typed, has no bound or costs too much is refused at load.
func TestExpressions_compile_errors(t *testing.T) {
	compiler, err := newExpressions()
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		`file.size > "5MiB"`:           "ERROR: when:1:11: found no matching overload for '_>_' applied to '(int, string)'\n | file.size > \"5MiB\"\n | ..........^",
		`file.sise > 5`:                "when:1:5: undeclared reference to 'file.sise' (did you mean 'file.size'?)\n | file.sise > 5\n | ....^",
		`file.size`:                    "want true or false, the expression is of type int\n | file.size\n | ....^",
		`file.label.matches("^a+")`:    "use select with the modifier re\n | file.label.matches",
		`file.size > `:                 "Syntax error",
		strings.Repeat("true||", 1000): "size",
		`file.sensitive_types.all(a, file.sensitive_types.all(b, file.sensitive_types.all(c, a + b != c)))`: "do not walk a list inside a walk",
		`file.sensitive_types.exists(a, detection.sensitive_types.exists(b, a == b))`:                       "do not walk a list inside a walk",
	} {
		_, err := compiler.compile(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: error is %v, want %q", text, err, want)
		}
	}
}

func BenchmarkWhen(b *testing.B) {
	compiler, err := newExpressions()
	if err != nil {
		b.Fatal(err)
	}
	holds, err := compiler.compile(`file.size > 1024 && file.extension in ["DOCX", "PDF"] && file.label.startsWith("Streng") && "IBAN" in file.sensitive_types`)
	if err != nil {
		b.Fatal(err)
	}
	s := example()
	b.ReportAllocs()
	for b.Loop() {
		holds(s)
	}
}
