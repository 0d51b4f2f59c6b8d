package operators

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"regexp"

	"github.com/riskpipe/riskpipe/schemas"
)

// APIVersion is the version of the policy format.
const APIVersion = "riskpipe/v1"

// The kinds of policy file.
const (
	KindPolicy     = "Policy"
	KindIndicators = "Indicators"
	KindLists      = "Lists"
)

// The modes of a policy.
const (
	ModeOff    = "off"    // not run
	ModeShadow = "shadow" // run and explained by the tools, but silent: no alert, no part in the risk score
	ModeLive   = "live"
)

// Policy is one detection scenario as its YAML file says it. Policies are code:
// an unknown key is an error, units are written out, and every change of the
// logic changes the hash that each alert carries.
type Policy struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	// Name is stable: it is part of the identity of alerts.
	Name string `yaml:"name"`
	// Extends is the name of another policy, of which this one is a variant:
	// every key that it does not write itself is that policy's.
	Extends     string `yaml:"extends,omitempty"`
	Title       string `yaml:"title,omitempty"`
	Description string `yaml:"description,omitempty"`
	// Runbook tells an analyst what to do about an alert.
	Runbook string `yaml:"runbook,omitempty"`
	// FalsePositives are the known good reasons for an alert.
	FalsePositives []string `yaml:"falsepositives,omitempty"`
	// Tags are MITRE ATT&CK references as Sigma writes them: attack.t1052.001.
	Tags    []string `yaml:"tags,omitempty"`
	Version int32    `yaml:"version,omitempty"`
	Mode    string   `yaml:"mode,omitempty"`
	// Scope says whom the policy is for.
	Scope Scope `yaml:"scope,omitempty"`
	// Trigger brings a person into the policy.
	Trigger Trigger `yaml:"trigger,omitempty"`
	// HalfScale is the number of evidence points at which the score is 50:
	// score = 100·x/(x+HalfScale).
	HalfScale Thousandths `yaml:"half_scale,omitempty"`
	// Open says when an alert opens.
	Open Opening `yaml:"open,omitempty"`
	// Severity holds the scores from which an alert is medium and high.
	Severity Bands `yaml:"severity,omitempty"`
	// Quiet is how long an alert stays open without a change.
	Quiet Days `yaml:"quiet,omitempty"`
	// Reopen is how long after its closing an alert is opened again instead of
	// another; 0 for never.
	Reopen Days `yaml:"reopen,omitempty"`
	// Throttle bounds how many alerts of one person may open.
	Throttle *Throttle `yaml:"throttle,omitempty"`
	// Exclusions are events that the policy does not count.
	Exclusions []Exclusion `yaml:"exclusions,omitempty"`
	// Indicators are what is measured: uses of the catalogue, with changes.
	Indicators []Use `yaml:"indicators,omitempty"`
	// Boosters multiply the evidence of a day by how unusual it is.
	Boosters []Booster `yaml:"boosters,omitempty"`
	// Modifiers multiply evidence by a fact about the person.
	Modifiers []Modifier `yaml:"modifiers,omitempty"`
	// Tests are run by riskpipe policy test.
	Tests []Test `yaml:"tests,omitempty"`
}

// Scope names groups of people, as the normalisers' configuration has them.
type Scope struct {
	// Include limits the policy to members of any of the groups; all people when
	// empty.
	Include []string `yaml:"include,omitempty"`
	// Exclude leaves members of any of the groups out, and wins.
	Exclude []string `yaml:"exclude,omitempty"`
}

// Trigger says what brings a person into a policy, and for how long.
type Trigger struct {
	AnyOf []TriggerEvent `yaml:"any_of"`
	// ActivateFor is how long the policy applies after the trigger: after the
	// last working day for a departure, after the day of the event for others.
	ActivateFor Days `yaml:"activate_for"`
	// LookBack is how far before the trigger evidence counts, up to 90d.
	LookBack Days `yaml:"look_back"`
}

// TriggerEvent is one thing that brings a person into a policy: exactly one of
// its keys is given.
type TriggerEvent struct {
	// HR is a fact of the HR feed or of the directory: resignation,
	// termination, account_deletion, performance_plan, poor_review or
	// level_down.
	HR string `yaml:"hr,omitempty"`
	// Indicator is the name of an indicator of the catalogue that reaches Level
	// on a day.
	Indicator string `yaml:"indicator,omitempty"`
	// Level is low, medium or high, of Lane's thresholds when one is given.
	Level string `yaml:"level,omitempty"`
	Lane  string `yaml:"lane,omitempty"`
	// Unusual asks for a day above the person's own habit as well: a robust z
	// of 3 or more.
	Unusual bool `yaml:"unusual,omitempty"`
	// Diversity is the number of different exfiltration indicators of the
	// policy which reach low within a week.
	Diversity int `yaml:"diversity,omitempty"`
	// Always is true for policies that score everybody in scope at all times.
	Always bool `yaml:"always,omitempty"`
}

// Opening says when an alert opens: when any of the conditions holds for a
// person who was brought into the policy. A fact about a person alone never
// does, since each condition asks for evidence.
type Opening struct {
	AnyOf []OpeningCondition `yaml:"any_of"`
}

// OpeningCondition holds when all that it says holds.
type OpeningCondition struct {
	// Score is the least score.
	Score Thousandths `yaml:"score,omitempty"`
	// Evidence is the least evidence, before boosters and modifiers, that
	// indicators of Categories must bring. More than 0.
	Evidence Thousandths `yaml:"evidence"`
	// Categories are those that count for Evidence; exfiltration when empty.
	Categories []string `yaml:"categories,omitempty"`
	// Diversity is the least number of different indicators of Categories with
	// the evidence of their low threshold within the last week.
	Diversity int `yaml:"diversity,omitempty"`
	// Indicator must bring evidence of at least Evidence by itself: a completed
	// sequence, for example.
	Indicator string `yaml:"indicator,omitempty"`
}

// Bands are lower bounds of scores.
type Bands struct {
	Medium Thousandths `yaml:"medium"`
	High   Thousandths `yaml:"high"`
}

// Throttle bounds new alerts: those above the limit are recorded as held.
type Throttle struct {
	Alerts int  `yaml:"alerts"`
	Per    Days `yaml:"per"`
}

// Exclusion is a named selection of events which do not count.
type Exclusion struct {
	Name   string    `yaml:"name"`
	Reason string    `yaml:"reason"`
	Select Selection `yaml:"select"`
}

// Use puts an indicator of the catalogue into a policy. What is given here
// replaces what the catalogue says; what is measured is the catalogue's alone,
// so that policies share the measures.
type Use struct {
	Use        string          `yaml:"use"`
	Thresholds *Thresholds     `yaml:"thresholds,omitempty"`
	Points     *PointScale     `yaml:"points,omitempty"`
	Lanes      map[string]Lane `yaml:"lanes,omitempty"`
	HalfLife   Days            `yaml:"half_life,omitempty"`
	Limit      *Thousandths    `yaml:"limit,omitempty"`
}

// Booster multiplies the evidence of a day by how unusual it is for the person:
// by Minimum for what they usually do, by Maximum for six spreads above it, and
// by 1 while their history is too short to tell. See Usual.
type Booster struct {
	Name    string      `yaml:"name"`
	Minimum Thousandths `yaml:"minimum"`
	Maximum Thousandths `yaml:"maximum"`
}

// Modifier multiplies the evidence of days by a fact about the person: exactly
// one of the kinds is given.
type Modifier struct {
	Name string `yaml:"name"`
	// Curve is the departure curve.
	Curve *Curve `yaml:"departure_curve,omitempty"`
	// HR is the effect of another HR fact.
	HR *HREffect `yaml:"hr,omitempty"`
	// Group multiplies for members.
	Group *GroupEffect `yaml:"group,omitempty"`
	// Indicator multiplies while another indicator has evidence.
	Indicator *IndicatorEffect `yaml:"indicator,omitempty"`
}

// HREffect multiplies from the day of an HR fact on.
type HREffect struct {
	// Fact is performance_plan, poor_review, level_down or level_up.
	Fact   string      `yaml:"fact"`
	Factor Thousandths `yaml:"factor"`
	// Before is how long before the fact it rises from 1, Hold how long after
	// it stays, Fade how long it falls back to 1.
	Before Days `yaml:"before"`
	Hold   Days `yaml:"hold"`
	Fade   Days `yaml:"fade"`
}

// GroupEffect multiplies for members of any of the groups.
type GroupEffect struct {
	AnyOf  []string    `yaml:"any_of"`
	Factor Thousandths `yaml:"factor"`
}

// IndicatorEffect multiplies the evidence of days on which, or less than Within
// after which, the indicator reached Level: an open Defender alert, for example.
type IndicatorEffect struct {
	Name   string      `yaml:"name"`
	Level  string      `yaml:"level"`
	Within Days        `yaml:"within"`
	Factor Thousandths `yaml:"factor"`
}

var namePattern = regexp.MustCompile(`^[a-z][a-z0-9_]{2,63}$`)

// Hash identifies the logic of the policy: everything that can change a score,
// nothing that only describes it.
func (p Policy) Hash() schemas.Hash { return hashOf(p.bare()) }

// bare returns the policy without what only describes it.
func (p Policy) bare() Policy {
	p.Title, p.Description, p.Runbook, p.FalsePositives, p.Tags, p.Tests, p.Extends = "", "", "", nil, nil, nil, ""
	p.Exclusions = append([]Exclusion(nil), p.Exclusions...)
	for i := range p.Exclusions {
		p.Exclusions[i].Reason = ""
	}
	return p
}

// hashOf is the beginning of digestOf.
func hashOf(v any) schemas.Hash {
	digest := digestOf(v)
	return schemas.Hash(binary.BigEndian.Uint64(digest[:8]))
}

// digestOf hashes plain data by its JSON: keys of maps are sorted there.
func digestOf(v any) schemas.Digest {
	text, err := json.Marshal(v)
	if err != nil {
		// Policies are plain data, so this cannot happen; a hash of nothing
		// would be worse than none.
		return schemas.Digest{}
	}
	return sha256.Sum256(text)
}
