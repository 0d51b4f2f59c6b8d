package operators

import (
	"testing"
)

// The tests of every policy and indicator that ship pass.
func TestTemplates_tests(t *testing.T) {
	library, err := Templates()
	if err != nil {
		t.Fatal(err)
	}
	results, err := library.RunTests(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(results) < 3*len(library.Indicators)+2*len(library.Policies) {
		t.Errorf("only %d tests ran", len(results))
	}
	for _, r := range results {
		for _, problem := range r.Problems {
			t.Errorf("%s: %s: %s (score %s, ledger %v)", r.Subject, r.Test, problem, r.Score, r.Ledger)
		}
	}
}
