package operators

import (
	"maps"
	"slices"
	"strings"
)

// onlyInTests are the fields of an event that tests may give beside those that
// selections speak of: dates of the HR body, and the hashes that are compared.
var onlyInTests = []string{
	"actor_type", "hr.effective", "hr.resigned", "hr.last_day", "hr.family_name", "hr.address", "hr.street",
	"health.family_name", "health.address", "health.street",
}

// testFields lists what a test's event may give. What is derived, or has a key
// of its own, is not among it.
func testFields() []string {
	names := slices.Clone(onlyInTests)
	for name := range maps.Keys(fields) {
		if name != "activity" && name != "user.groups" && !strings.HasPrefix(name, "health.same_") {
			names = append(names, name)
		}
	}
	return names
}

// policyTests wants tests of a policy that runs: one that alerts, and one that
// does not.
func (r *inspection) policyTests(p Policy) {
	var positive, negative bool
	for i, test := range p.Tests {
		at := place("/tests").index(i)
		r.testCase(at, test.Name, test.Events)
		expect := at.key("expect")
		if test.Expect.Alert != nil {
			positive = positive || *test.Expect.Alert
			negative = negative || !*test.Expect.Alert
		}
		if test.Expect.Severity != "" {
			r.oneOf(expect.key("severity"), "severity", test.Expect.Severity, levelNames)
		}
		if test.Expect.Status != "" {
			r.oneOf(expect.key("status"), "status", test.Expect.Status, []string{"open", "closed"})
		}
		if between := test.Expect.Score; between != nil && between.LTE != nil {
			r.want(between.GTE <= *between.LTE, expect.key("score"), "gte is more than lte")
		}
	}
	if p.Mode == ModeLive || p.Mode == ModeShadow {
		r.want(positive, "/tests", "a policy that runs needs a test that expects an alert (expect: {alert: true})")
		r.want(negative, "/tests", "a policy that runs needs a test that expects none (expect: {alert: false})")
	}
}

// indicatorTests wants a test of each kind.
func (r *inspection) indicatorTests(i Indicator) {
	kinds := []string{"positive", "negative", "boundary"}
	seen := map[string]bool{}
	for j, test := range i.Tests {
		at := place("/tests").index(j)
		r.testCase(at, test.Name, test.Events)
		r.oneOf(at.key("kind"), "kind", test.Kind, kinds)
		r.want(test.Amount >= 0, at.key("amount"), "amount is %d: want 0 or more", test.Amount)
		r.want(test.Kind != "positive" || test.Amount > 0, at.key("amount"), "a positive test measures something")
		seen[test.Kind] = true
	}
	for _, kind := range kinds {
		r.want(seen[kind], "/tests", "tests have none of kind %s", kind)
	}
}

func (r *inspection) testCase(at place, name string, events []TestEvent) {
	r.want(name != "", at.key("name"), "name is missing: say what the test shows")
	r.want(len(events) > 0, at.key("events"), "events is missing")
	known := testFields()
	for i, event := range events {
		below := at.key("events").index(i)
		r.want(activityPattern.MatchString(event.Activity), below.key("activity"), "activity %q is no dotted verb such as file.downloaded", event.Activity)
		r.want(0 <= event.Repeat && event.Repeat <= maxRepeat, below.key("repeat"), "repeat is %d: want up to %d", event.Repeat, maxRepeat)
		for j, distinct := range event.Distinct {
			kind := fields[distinct].kind
			r.want(kind == kindHash || kind == kindHashes, below.key("distinct").index(j), "%q is no hash that can differ from one event to the next", distinct)
		}
		for _, key := range slices.Sorted(maps.Keys(event.Fields)) {
			if !slices.Contains(known, key) {
				r.add(below.key(key), "%s", unknownName("field", key, append(known, "at", "arrives", "repeat", "every", "distinct")))
				continue
			}
			if f, selectable := fields[key]; selectable {
				r.testValue(below.key(key), f, event.Fields[key])
			}
		}
	}
}

// testValue wants a value of the field's kind. Hashes take any text.
func (r *inspection) testValue(at place, f field, value any) {
	switch f.kind {
	case kindText:
		text, ok := value.(string)
		r.want(ok, at, "want text, in quotes where it looks like a number")
		if ok && f.values != nil && text != "" {
			r.oneOf(at, "value", text, f.values)
		}
	case kindTruth:
		_, ok := value.(bool)
		r.want(ok, at, "want true or false")
	case kindNumber:
		text, ok := value.(string)
		if _, whole := value.(int64); whole {
			return
		}
		_, err := f.number64(text)
		r.want(ok && err == nil, at, "want a whole number, for bytes with KiB, MiB or GiB")
	case kindList, kindHashes:
		_, ok := value.([]any)
		r.want(ok, at, "want a list")
	case kindHash:
		_, ok := value.([]any)
		r.want(!ok, at, "want one text, which stands for a hash")
	}
}
