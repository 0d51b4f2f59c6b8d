package operators

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

// The policies that ship with riskpipe are valid.
func TestTemplates(t *testing.T) {
	policies, err := Templates()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewEngine(policies...); err != nil {
		t.Fatal(err)
	}
}

// What is wrong with a policy file is said all at once, by name and place.
func TestParsePolicy_problems(t *testing.T) {
	sound, err := os.ReadFile("policies/data_theft_departing_user.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		replace, with string
		want          []string
	}{
		"unknown key":      {"half_scale: 58", "half_scal: 58", []string{"half_scal", "unknown field", "policies/x.yaml"}},
		"bad unit":         {"quiet: 30d", "quiet: 30", []string{`"30" is no length of time`}},
		"two problems":     {"open: {score: 25, exfiltration: 5}", "open: {score: 0, exfiltration: 0}", []string{"open.score is 0", "open.exfiltration is missing"}},
		"unknown field":    {"email.rule:", "email.rules:", []string{`an event has no field "email.rules"`}},
		"unknown modifier": {"email.attachments|gte: 1", "email.attachments|least: 1", []string{`modifier "least" is unknown`}},
		"falling":          {"{low: 5, medium: 20, high: 50}", "{low: 5, medium: 4, high: 50}", []string{"thresholds must rise"}},
		"bad measure":      {"field: email.message}", "field: email.direction}", []string{"is not a number or hash"}},
		"bad mode":         {"mode: live", "mode: alive", []string{`mode is "alive"`}},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(string(sound), c.replace) {
				t.Fatalf("the policy has no %q", c.replace)
			}
			_, err := ParsePolicy("policies/x.yaml", []byte(strings.ReplaceAll(string(sound), c.replace, c.with)))
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
		})
	}
}

// The hash covers the logic and nothing else.
func TestPolicy_Hash(t *testing.T) {
	policies, err := Templates()
	if err != nil {
		t.Fatal(err)
	}
	p := policies[0]
	before := p.Hash()
	p.Title, p.Runbook, p.Description = "other", "other", "other"
	if p.Hash() != before {
		t.Error("a title changed the hash")
	}
	p.Indicators = append([]Indicator(nil), p.Indicators...)
	p.Indicators[0].Thresholds.Low++
	if p.Hash() == before {
		t.Error("a threshold did not change the hash")
	}
}

// A folder of policies is read whole, and its problems come together.
func TestLoadPolicies(t *testing.T) {
	sound, err := os.ReadFile("policies/data_theft_departing_user.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, err = LoadPolicies(fstest.MapFS{
		"p/a.yaml": {Data: sound}, "p/b.yaml": {Data: sound}, "p/c.yaml": {Data: []byte("kind: [")},
	}, "p")
	if err == nil || !strings.Contains(err.Error(), "p/a.yaml and p/b.yaml") || !strings.Contains(err.Error(), "p/c.yaml") {
		t.Errorf("error is %v", err)
	}
	if _, err := LoadPolicies(fstest.MapFS{}, "p"); err == nil {
		t.Error("an empty folder is no error")
	}
}
