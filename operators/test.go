package operators

// Test is a story in a policy file and what must come of it.
type Test struct {
	Name string `yaml:"name"`
	// Groups are those of the person.
	Groups []string    `yaml:"groups,omitempty"`
	Events []TestEvent `yaml:"events"`
	Expect Expectation `yaml:"expect"`
}

// TestEvent is one event of a test, or several alike. Its fields are those of
// event.avsc by path, such as file.size: 2MiB, or destination.class: ai; hashes
// take any text, equal texts being equal hashes; times of the HR body take days
// from the beginning of the test, such as hr.last_day: 14d.
type TestEvent struct {
	// At is when it happens, from the beginning of the test, which is a Monday,
	// 09:00: 2h, 3d, or 3d 2h.
	At Offset `yaml:"at"`
	// Arrives is when it is known, At when empty.
	Arrives  *Offset `yaml:"arrives,omitempty"`
	Activity string  `yaml:"activity"`
	// Repeat makes so many of them, Every apart. Distinct names hashes that differ
	// from one to the next: the n-th of two such events of a test that give the
	// field the same text have the same hash.
	Repeat   int      `yaml:"repeat,omitempty"`
	Every    Offset   `yaml:"every,omitempty"`
	Distinct []string `yaml:"distinct,omitempty"`
	// Fields are the others.
	Fields map[string]any `yaml:",inline"`
}

// Expectation is what must come of a test. What is not given is not checked.
type Expectation struct {
	Alert    *bool    `yaml:"alert,omitempty"`
	Severity string   `yaml:"severity,omitempty"`
	Score    *Between `yaml:"score,omitempty"`
	// Because lists lines that the last alert's ledger must have.
	Because []string `yaml:"because,omitempty"`
	// Status is that of the last version: open or closed.
	Status string `yaml:"status,omitempty"`
	// Hold is that of the last version.
	Hold string `yaml:"hold,omitempty"`
	// Alerts is how many alerts there must be.
	Alerts *int `yaml:"alerts,omitempty"`
	// Level is that of the last risk record.
	Level string `yaml:"level,omitempty"`
}

// Between bounds a number.
type Between struct {
	GTE Thousandths  `yaml:"gte,omitempty"`
	LTE *Thousandths `yaml:"lte,omitempty"`
}

// IndicatorTest is a test of an indicator by itself.
type IndicatorTest struct {
	Name string `yaml:"name"`
	// Kind is positive, negative or boundary.
	Kind   string      `yaml:"kind"`
	Groups []string    `yaml:"groups,omitempty"`
	Events []TestEvent `yaml:"events"`
	// Amount is the measure of the last day with any, 0 for none.
	Amount int64 `yaml:"amount"`
	// Points is the evidence of that day before decay, boosters and modifiers;
	// not checked when absent.
	Points *Thousandths `yaml:"points,omitempty"`
}
