package operators

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"github.com/goccy/go-yaml"

	"github.com/riskpipe/riskpipe/schemas"
)

// APIVersion is the version of the policy format.
const APIVersion = "riskpipe/v1"

// Policy is one detection scenario as its YAML file says it. Policies are code:
// an unknown key is an error, units are written out, and every change of the
// logic changes the hash that each alert carries.
type Policy struct {
	APIVersion  string `yaml:"apiVersion"`
	Kind        string `yaml:"kind"`
	Name        string `yaml:"name"`
	Title       string `yaml:"title"`
	Description string `yaml:"description,omitempty"`
	Runbook     string `yaml:"runbook,omitempty"`
	Version     int32  `yaml:"version"`
	// Mode is live (opens alerts) or off.
	Mode string `yaml:"mode"`
	// Trigger brings a person into the policy.
	Trigger Trigger `yaml:"trigger"`
	// HalfScale is the number of evidence points at which the score is 50:
	// score = 100·x/(x+HalfScale).
	HalfScale Thousandths `yaml:"half_scale"`
	// Open says when an alert opens.
	Open Opening `yaml:"open"`
	// Severity holds the scores from which an alert is medium and high.
	Severity Bands `yaml:"severity"`
	// Quiet is how long an alert stays open without a change.
	Quiet Days `yaml:"quiet"`
	// Indicators are what is measured.
	Indicators []Indicator `yaml:"indicators"`
	// Modifiers multiply evidence.
	Modifiers []Modifier `yaml:"modifiers,omitempty"`
}

// Trigger says which departure facts bring a person into the policy and for
// how long.
type Trigger struct {
	// AnyOf lists resignation, termination and account_deletion.
	AnyOf []string `yaml:"any_of"`
	// ActivateFor is how long after the last working day the policy applies.
	ActivateFor Days `yaml:"activate_for"`
}

// Opening says when an alert opens: the score and the least evidence, before
// modifiers, that exfiltration indicators must bring. Collecting alone, or a
// fact about a person alone, never opens one.
type Opening struct {
	Score        Thousandths `yaml:"score"`
	Exfiltration Thousandths `yaml:"exfiltration"`
}

// Bands are lower bounds of scores.
type Bands struct {
	Medium Thousandths `yaml:"medium"`
	High   Thousandths `yaml:"high"`
}

// Indicator measures one kind of activity, day by day.
type Indicator struct {
	Name  string `yaml:"name"`
	Title string `yaml:"title"`
	// Purview is the name of Microsoft Purview's nearest indicator.
	Purview string `yaml:"purview,omitempty"`
	// Category is a stage: collection, exfiltration, obfuscation, deletion or
	// access.
	Category string `yaml:"category"`
	// Activities are the activities that count.
	Activities []string `yaml:"activities"`
	// Select narrows them: field or field|modifier to the wanted value.
	Select Selection `yaml:"select,omitempty"`
	// Measure says what is counted in a day.
	Measure Measure `yaml:"measure"`
	// Thresholds map a day's measure to points, linearly between them.
	Thresholds Thresholds `yaml:"thresholds"`
	// Points are the evidence at the thresholds.
	Points PointScale `yaml:"points"`
	// HalfLife is after how long a day's evidence counts half.
	HalfLife Days `yaml:"half_life"`
	// Limit bounds the evidence of all days together, 0 for no bound.
	Limit Thousandths `yaml:"limit,omitempty"`
}

// Measure says what an indicator counts in a day.
type Measure struct {
	// Type is event_count, value_count (distinct values of Field) or value_sum
	// (of Field).
	Type  string `yaml:"type"`
	Field string `yaml:"field,omitempty"`
}

// Thresholds are three amounts, rising.
type Thresholds struct {
	Low    Amount `yaml:"low"`
	Medium Amount `yaml:"medium"`
	High   Amount `yaml:"high"`
}

// PointScale holds the points at the thresholds, rising.
type PointScale struct {
	Low    Thousandths `yaml:"low"`
	Medium Thousandths `yaml:"medium"`
	High   Thousandths `yaml:"high"`
}

// Modifier multiplies the evidence of days by a fact about the person.
type Modifier struct {
	Name string `yaml:"name"`
	// Curve is the departure curve.
	Curve Curve `yaml:"departure_curve"`
}

// ParsePolicy reads one policy strictly and reports all of its problems.
func ParsePolicy(file string, text []byte) (Policy, error) {
	var p Policy
	if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(&p); err != nil {
		return Policy{}, fmt.Errorf("reading policy %s: %s", file, yaml.FormatError(err, false, true))
	}
	if err := p.Validate(); err != nil {
		return Policy{}, fmt.Errorf("checking policy %s: %w", file, err)
	}
	return p, nil
}

var namePattern = regexp.MustCompile(`^[a-z][a-z0-9_]{2,63}$`)

// Validate reports every problem of the policy at once.
func (p Policy) Validate() error {
	var problems []error
	bad := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	bad(p.APIVersion == APIVersion, "apiVersion is %q: this riskpipe reads %s", p.APIVersion, APIVersion)
	bad(p.Kind == "Policy", "kind is %q: want Policy", p.Kind)
	bad(namePattern.MatchString(p.Name), "name is %q: want lower-case letters, digits and underscores", p.Name)
	bad(p.Title != "", "title is missing")
	bad(p.Version >= 1, "version is %d: want 1 or more", p.Version)
	bad(p.Mode == "live" || p.Mode == "off", "mode is %q: want live or off", p.Mode)
	bad(len(p.Trigger.AnyOf) > 0, "trigger.any_of is empty: name resignation, termination or account_deletion")
	for _, t := range p.Trigger.AnyOf {
		bad(triggerKind(t) != departureNone, "trigger.any_of has %q: want resignation, termination or account_deletion", t)
	}
	bad(p.HalfScale > 0, "half_scale is missing: the evidence at which the score is 50")
	bad(p.Open.Score > 0 && p.Open.Score <= 100_000, "open.score is %s: want more than 0 and at most 100", p.Open.Score)
	bad(p.Open.Exfiltration > 0, "open.exfiltration is missing: a fact about a person alone must never open an alert")
	bad(p.Severity.Medium > 0 && p.Severity.Medium < p.Severity.High && p.Severity.High <= 100_000,
		"severity is medium %s, high %s: want 0 < medium < high <= 100", p.Severity.Medium, p.Severity.High)
	bad(p.Quiet >= 1, "quiet is %s: want 1d or more", p.Quiet)
	bad(len(p.Indicators) > 0, "indicators is empty")
	seen := map[string]bool{}
	for i, ind := range p.Indicators {
		bad(!seen[ind.Name], "indicators[%d]: name %q is used twice", i, ind.Name)
		seen[ind.Name] = true
		for _, err := range ind.problems() {
			problems = append(problems, fmt.Errorf("indicators[%d] %s: %w", i, ind.Name, err))
		}
	}
	for i, m := range p.Modifiers {
		bad(namePattern.MatchString(m.Name) && !seen[m.Name], "modifiers[%d]: name %q is not usable or used twice", i, m.Name)
		seen[m.Name] = true
		for _, err := range m.Curve.problems() {
			problems = append(problems, fmt.Errorf("modifiers[%d] %s: %w", i, m.Name, err))
		}
	}
	return errors.Join(problems...)
}

var categories = map[string]bool{"collection": true, "exfiltration": true, "obfuscation": true, "deletion": true, "access": true}

func (ind Indicator) problems() []error {
	var problems []error
	bad := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	bad(namePattern.MatchString(ind.Name), "name is not usable: want lower-case letters, digits and underscores")
	bad(ind.Title != "", "title is missing")
	bad(categories[ind.Category], "category is %q: want collection, exfiltration, obfuscation, deletion or access", ind.Category)
	bad(len(ind.Activities) > 0, "activities is empty")
	t, p := ind.Thresholds, ind.Points
	bad(0 < t.Low && t.Low < t.Medium && t.Medium < t.High, "thresholds must rise: 0 < low < medium < high")
	bad(0 < p.Low && p.Low <= p.Medium && p.Medium <= p.High, "points must rise: 0 < low <= medium <= high")
	bad(p.High <= 1_000_000, "points are at most 1000")
	bad(ind.HalfLife >= 1 && ind.HalfLife <= 365, "half_life is %s: want 1d to 365d", ind.HalfLife)
	if _, err := ind.Select.compile(); err != nil {
		problems = append(problems, err)
	}
	switch ind.Measure.Type {
	case "event_count":
		bad(ind.Measure.Field == "", "measure event_count takes no field")
		bad(t.High <= maxDistinct, "thresholds.high is over %d: a day's count saturates there", maxDistinct)
	case "value_count", "value_sum":
		f, ok := fields[ind.Measure.Field]
		bad(ok && f.number != nil, "measure.field %q is not a number or hash of an event", ind.Measure.Field)
		bad(ind.Measure.Type == "value_sum" || t.High <= maxDistinct, "thresholds.high is over %d: a day's count saturates there", maxDistinct)
	default:
		bad(false, "measure.type is %q: want event_count, value_count or value_sum", ind.Measure.Type)
	}
	return problems
}

// Hash identifies the logic of the policy: everything that can change a score,
// nothing that only describes it.
func (p Policy) Hash() schemas.Hash {
	p.Title, p.Description, p.Runbook = "", "", ""
	p.Indicators = append([]Indicator(nil), p.Indicators...)
	for i := range p.Indicators {
		p.Indicators[i].Title, p.Indicators[i].Purview = "", ""
	}
	text, err := json.Marshal(p)
	if err != nil {
		// A policy is plain data, so this cannot happen; a hash of nothing
		// would be worse than none.
		return 0
	}
	sum := sha256.Sum256(text)
	return schemas.Hash(binary.BigEndian.Uint64(sum[:8]))
}
