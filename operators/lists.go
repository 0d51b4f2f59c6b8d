package operators

// Lists are named values and selections that indicators and policies share, so
// that an organisation can say once what is sensitive. The file _lists.yaml of
// an organisation's own folder replaces lists and macros by name.
type Lists struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	// Lists are named lists of values: a selection refers to one as @name.
	Lists map[string]Values `yaml:"lists,omitempty"`
	// Macros are named selections: the key macro of a selection takes their
	// names, all of which must hold.
	Macros map[string]Macro `yaml:"macros,omitempty"`
	// Exclusions are events that no policy counts.
	Exclusions []Exclusion `yaml:"exclusions,omitempty"`
	// Levels are the bands of the user's risk score.
	Levels *Levels `yaml:"levels,omitempty"`
	// Suppressions silence alerts for a time.
	Suppressions []Suppression `yaml:"suppressions,omitempty"`
}

// Macro is a selection, or a list of selections any of which holds.
type Macro []Selection

// Suppression holds the alerts of a person, a policy or both for a time.
type Suppression struct {
	// User is the full pseudonym; everybody when empty.
	User string `yaml:"user,omitempty"`
	// Policy is the policy's name; all policies when empty.
	Policy string `yaml:"policy,omitempty"`
	// From and Until bound it, in event time: 2026-03-31 or RFC 3339.
	From  Date `yaml:"from,omitempty"`
	Until Date `yaml:"until"`
	// Reason is written into every alert that is held.
	Reason string `yaml:"reason"`
	By     string `yaml:"by"`
}
