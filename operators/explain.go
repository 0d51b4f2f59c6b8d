package operators

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// Explanation is a policy in words, for people who do not read YAML.
type Explanation struct {
	Name        string `json:"name"`
	Title       string `json:"title"`
	Version     int32  `json:"version"`
	Mode        string `json:"mode"`
	Description string `json:"description"`
	// Scope says whom the policy is for.
	Scope string `json:"scope"`
	// Triggers are what brings a person in, and Activation for how long and how
	// far back.
	Triggers   []string `json:"triggers"`
	Activation string   `json:"activation"`
	// Indicators are in the order of Categories.
	Indicators []ExplainedIndicator `json:"indicators"`
	Boosters   []Named              `json:"boosters"`
	Modifiers  []Named              `json:"modifiers"`
	HalfScale  Thousandths          `json:"half_scale"`
	// Opens are the conditions any of which opens an alert.
	Opens          []string `json:"opens"`
	Severity       string   `json:"severity"`
	Life           []string `json:"life"`
	Exclusions     []Named  `json:"exclusions"`
	FalsePositives []string `json:"false_positives"`
	Runbook        string   `json:"runbook"`
	Tags           []string `json:"tags"`
}

// Named is a name and what stands behind it.
type Named struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// ExplainedIndicator is an indicator in words, as a policy uses it or as the
// catalogue has it.
type ExplainedIndicator struct {
	Name     string `json:"name"`
	Title    string `json:"title"`
	Meaning  string `json:"meaning"`
	Category string `json:"category"`
	Purview  string `json:"purview,omitempty"`
	// Counts says what is counted.
	Counts string `json:"counts"`
	// Scale says which amount gives how many points, and Lanes the same for what
	// matters more.
	Scale string  `json:"scale"`
	Lanes []Named `json:"lanes"`
	// Fades says how evidence ages.
	Fades string `json:"fades"`
	// Changed is true when the policy differs from the catalogue.
	Changed bool `json:"changed"`
}

// Explain returns the policy of the name in words; false when there is none.
func (l Library) Explain(name string) (Explanation, bool) {
	i := slices.IndexFunc(l.Policies, func(p Policy) bool { return p.Name == name })
	if i < 0 {
		return Explanation{}, false
	}
	p := &l.Policies[i]
	e := Explanation{
		Name: p.Name, Title: p.Title, Version: p.Version, Mode: p.Mode, Description: p.Description, Scope: p.Scope.words(),
		Triggers: p.Trigger.Words(), Activation: p.Trigger.activation(), HalfScale: p.HalfScale,
		Severity: fmt.Sprintf("low below %s, medium from %s, high from %s", p.Severity.Medium, p.Severity.Medium, p.Severity.High),
		Life:     p.life(), FalsePositives: p.FalsePositives, Runbook: p.Runbook, Tags: p.Tags,
	}
	for _, category := range Categories {
		for _, use := range p.Indicators {
			if ind := l.indicator(use.Use); ind != nil && ind.Category == category {
				changed := use.Thresholds != nil || use.Points != nil || use.Lanes != nil || use.HalfLife != 0 || use.Limit != nil
				e.Indicators = append(e.Indicators, use.apply(*ind).explain(changed, l.briefly))
			}
		}
	}
	for _, b := range p.Boosters {
		e.Boosters = append(e.Boosters, Named{b.Name, b.Words()})
	}
	for _, m := range p.Modifiers {
		e.Modifiers = append(e.Modifiers, Named{m.Name, m.Words()})
	}
	for _, o := range p.Open.AnyOf {
		e.Opens = append(e.Opens, o.words())
	}
	for _, x := range slices.Concat(l.Lists.Exclusions, p.Exclusions) {
		e.Exclusions = append(e.Exclusions, Named{x.Name, strings.TrimSpace(x.Reason)})
	}
	return e, true
}

// ExplainIndicator returns the indicator of the catalogue in words; false when
// there is none of the name.
func (l Library) ExplainIndicator(name string) (ExplainedIndicator, bool) {
	ind := l.indicator(name)
	if ind == nil {
		return ExplainedIndicator{}, false
	}
	return ind.explain(false, alternatives), true
}

// ScoreOf returns the score of so much evidence under the policy, boosters and
// modifiers being part of it.
func (e Explanation) ScoreOf(evidence Thousandths) schemas.Points {
	return scored(int64(evidence), int64(e.HalfScale))
}

func (s Scope) words() string {
	text := "everybody"
	if len(s.Include) > 0 {
		text = "members of " + joined(s.Include, "or")
	}
	if len(s.Exclude) > 0 {
		text += ", except members of " + joined(s.Exclude, "or")
	}
	return text
}

func (t Trigger) activation() string {
	if slices.ContainsFunc(t.AnyOf, func(e TriggerEvent) bool { return e.Always }) {
		return fmt.Sprintf("Evidence of the last %s counts.", t.LookBack)
	}
	return fmt.Sprintf("The policy applies for %s from then on (after a departure, from the last working day on); evidence counts from %s before it.", t.ActivateFor, t.LookBack)
}

func (p *Policy) life() []string {
	list := []string{fmt.Sprintf("closes after %s without a change", p.Quiet)}
	if p.Reopen > 0 {
		list = append(list, fmt.Sprintf("opens again, instead of another one, for %s after closing", p.Reopen))
	}
	if p.Throttle != nil {
		list = append(list, fmt.Sprintf("at most %d of one person in %s; more are recorded, and held", p.Throttle.Alerts, p.Throttle.Per))
	}
	return list
}

func (ind *Indicator) explain(changed bool, steps func([]string) string) ExplainedIndicator {
	e := ExplainedIndicator{
		Name: ind.Name, Title: ind.Title, Meaning: strings.TrimSpace(ind.Meaning), Category: ind.Category, Purview: ind.Purview,
		Counts: ind.counts(steps), Scale: ind.Measure.scale(ind.Thresholds, ind.Points), Changed: changed,
		Fades: fmt.Sprintf("counts half after %s", ind.HalfLife),
	}
	if ind.Limit > 0 {
		e.Fades += fmt.Sprintf(", %s points at most", ind.Limit)
	}
	if ind.Habitual {
		e.Fades += ", compared with the person's own habit"
	}
	for _, name := range slices.Sorted(maps.Keys(ind.Lanes)) {
		e.Lanes = append(e.Lanes, Named{laneWords(name), ind.Measure.scale(ind.Lanes[name].Thresholds, ind.Lanes[name].Points)})
	}
	return e
}

// scale says which amount gives how many points.
func (m Measure) scale(t Thresholds, p PointScale) string {
	return fmt.Sprintf("%s → %s, %s → %s, %s → %s", m.amountText(t.Low), p.Low, m.amountText(t.Medium), p.Medium, m.amountText(t.High), p.High)
}
