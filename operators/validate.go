package operators

import (
	"maps"
	"regexp"
	"slices"
)

const (
	maxPoints    = 1_000_000 // 1000 points, in thousandths
	maxHalfLife  = 365
	maxQuiet     = 365
	maxDailySeen = 2048 // events of one day, where its count saturates
	maxRepeat    = 100_000
)

var (
	levelNames    = []string{"low", "medium", "high"}
	triggerFacts  = []string{"resignation", "termination", "account_deletion", "performance_plan", "poor_review", "level_down"}
	modifierFacts = []string{"performance_plan", "poor_review", "level_down", "level_up"}
	tagPattern    = regexp.MustCompile(`^[a-z0-9_-]+\.[a-z0-9._-]+$`)
)

// catalogue is what policies and indicators may refer to.
type catalogue struct {
	indicators  map[string]Indicator
	lists       Lists
	expressions *expressions
}

func (c catalogue) indicatorNames() []string { return slices.Sorted(maps.Keys(c.indicators)) }

// problems tells all that is wrong with the policy, whatever it extends already
// being part of it.
func (p Policy) problems(c catalogue) []problem {
	r := &inspection{}
	r.want(namePattern.MatchString(p.Name), "/name", "name is %q: want 3 to 64 lower-case letters, digits and underscores, beginning with a letter", p.Name)
	r.want(p.Title != "", "/title", "title is missing")
	r.want(p.Version >= 1, "/version", "version is %d: want 1 or more, and one more with every change of the logic", p.Version)
	r.oneOf("/mode", "mode", p.Mode, []string{ModeOff, ModeShadow, ModeLive})
	for i, tag := range p.Tags {
		r.want(tagPattern.MatchString(tag), place("/tags").index(i), "tag %q is none as Sigma writes them: attack.t1052.001", tag)
	}
	r.groups("/scope/include", p.Scope.Include)
	r.groups("/scope/exclude", p.Scope.Exclude)

	r.want(p.HalfScale > 0, "/half_scale", "half_scale is missing: it is the points of evidence that give a score of 50")
	r.want(0 < p.Severity.Medium && p.Severity.Medium < p.Severity.High && p.Severity.High <= 100_000, "/severity",
		"severity is medium %s and high %s: want 0 < medium < high ≤ 100", p.Severity.Medium, p.Severity.High)
	r.want(p.Quiet >= 1 && p.Quiet <= maxQuiet, "/quiet", "quiet is %s: want 1d to %dd", p.Quiet, maxQuiet)
	r.want(p.Reopen <= maxQuiet, "/reopen", "reopen is %s: want up to %dd", p.Reopen, maxQuiet)
	if p.Throttle != nil {
		r.want(p.Throttle.Alerts >= 1, "/throttle/alerts", "alerts is %d: want 1 or more", p.Throttle.Alerts)
		r.want(p.Throttle.Per >= 1 && p.Throttle.Per <= maxQuiet, "/throttle/per", "per is %s: want 1d to %dd", p.Throttle.Per, maxQuiet)
	}

	r.trigger(p, c)
	r.opening(p, c)
	r.exclusions(p.Exclusions, c.lists)
	r.uses(p.Indicators, c)
	r.effects(p, c)
	r.policyTests(p)
	return r.problems
}

// oneOf wants a word of a list.
func (r *inspection) oneOf(at place, what, word string, options []string) {
	switch {
	case word == "":
		r.add(at, "%s is missing: want %s", what, either(options))
	case !slices.Contains(options, word):
		r.add(at, "%s", unknownName(what, word, options))
	}
}

func (r *inspection) groups(at place, names []string) {
	for i, name := range names {
		r.want(name != "", at.index(i), "a group has a name")
		r.want(slices.Index(names, name) == i, at.index(i), "group %s is given twice", name)
	}
}

// indicator wants one that a policy uses, or at least one of the catalogue.
func (r *inspection) indicator(at place, name string, p *Policy, c catalogue) {
	if _, known := c.indicators[name]; !known {
		r.add(at, "%s", unknownName("indicator", name, c.indicatorNames()))
		return
	}
	if p != nil && !slices.ContainsFunc(p.Indicators, func(u Use) bool { return u.Use == name }) {
		r.add(at, "the policy does not use indicator %s: add it to indicators", name)
	}
}

func (r *inspection) trigger(p Policy, c catalogue) {
	always := false
	r.want(len(p.Trigger.AnyOf) > 0, "/trigger", "trigger has no any_of: say what brings a person into the policy, or always: true")
	for i, event := range p.Trigger.AnyOf {
		at := place("/trigger/any_of").index(i)
		always = always || event.Always
		given := 0
		for _, is := range []bool{event.HR != "", event.Indicator != "", event.Diversity != 0, event.Always} {
			if is {
				given++
			}
		}
		r.want(given == 1, at, "want exactly one of hr, indicator, diversity and always: true")
		if event.HR != "" {
			r.oneOf(at.key("hr"), "fact", event.HR, triggerFacts)
		}
		r.want(event.Diversity >= 0 && event.Diversity != 1, at.key("diversity"), "diversity is %d: want 2 or more", event.Diversity)
		if event.Indicator == "" {
			r.want(event.Level == "" && event.Lane == "" && !event.Unusual, at, "level, lane and unusual belong to an indicator")
			continue
		}
		r.indicator(at.key("indicator"), event.Indicator, nil, c)
		r.oneOf(at.key("level"), "level", event.Level, levelNames)
		if event.Lane != "" {
			_, has := c.indicators[event.Indicator].Lanes[event.Lane]
			for _, use := range p.Indicators {
				if _, given := use.Lanes[event.Lane]; given && use.Use == event.Indicator {
					has = true
				}
			}
			r.want(has, at.key("lane"), "indicator %s has no lane %q", event.Indicator, event.Lane)
		}
	}
	r.want(p.Trigger.LookBack <= historyDays, "/trigger/look_back", "look_back is %s: evidence is kept for %dd", p.Trigger.LookBack, historyDays)
	if len(p.Trigger.AnyOf) > 0 && !always {
		r.want(p.Trigger.ActivateFor >= 1, "/trigger/activate_for", "activate_for is missing: say for how long the policy applies after the trigger, such as 30d")
	}
}

func (r *inspection) opening(p Policy, c catalogue) {
	r.want(len(p.Open.AnyOf) > 0, "/open", "open has no any_of: say when an alert opens")
	for i, condition := range p.Open.AnyOf {
		at := place("/open/any_of").index(i)
		r.want(condition.Evidence > 0, at.key("evidence"), "evidence is missing: without it a fact about a person alone would open an alert")
		r.want(condition.Score > 0 || condition.Diversity > 0 || condition.Indicator != "", at, "want score, diversity or indicator beside evidence")
		r.want(condition.Score < 100_000, at.key("score"), "score is %s: want less than 100, which no score reaches", condition.Score)
		r.want(condition.Diversity >= 0 && condition.Diversity <= 32, at.key("diversity"), "diversity is %d: want 1 to 32", condition.Diversity)
		for j, category := range condition.Categories {
			r.oneOf(at.key("categories").index(j), "category", category, Categories)
		}
		if condition.Indicator != "" {
			r.indicator(at.key("indicator"), condition.Indicator, &p, c)
		}
	}
}

func (r *inspection) exclusions(all []Exclusion, lists Lists) {
	names := map[string]bool{}
	for i, exclusion := range all {
		at := place("/exclusions").index(i)
		r.name(at, exclusion.Name, names)
		r.want(exclusion.Reason != "", at.key("reason"), "reason is missing: say why these events do not count")
		r.want(len(exclusion.Select) > 0, at.key("select"), "select is missing: an exclusion without a condition would exclude everything")
		_, problems := exclusion.Select.compile(lists)
		r.include(at.key("select"), problems)
	}
}

// name wants a name that no other of the list has.
func (r *inspection) name(at place, name string, seen map[string]bool) {
	r.want(namePattern.MatchString(name), at.key("name"), "name is %q: want 3 to 64 lower-case letters, digits and underscores, beginning with a letter", name)
	r.want(!seen[name], at.key("name"), "name %s is given twice", name)
	seen[name] = true
}

func (r *inspection) uses(all []Use, c catalogue) {
	r.want(len(all) > 0, "/indicators", "indicators is missing: a policy measures something")
	seen := map[string]bool{}
	for i, use := range all {
		at := place("/indicators").index(i)
		r.want(!seen[use.Use], at.key("use"), "indicator %s is used twice", use.Use)
		seen[use.Use] = true
		indicator, known := c.indicators[use.Use]
		if !known {
			r.indicator(at.key("use"), use.Use, nil, c)
			continue
		}
		if use.Thresholds != nil {
			r.thresholds(at.key("thresholds"), *use.Thresholds, indicator)
		}
		if use.Points != nil {
			r.points(at.key("points"), *use.Points)
		}
		r.lanes(at.key("lanes"), use.Lanes, indicator, c)
		r.want(use.HalfLife <= maxHalfLife, at.key("half_life"), "half_life is %s: want 1d to %dd", use.HalfLife, maxHalfLife)
	}
}

// effects checks boosters and modifiers.
func (r *inspection) effects(p Policy, c catalogue) {
	seen := map[string]bool{}
	for i, booster := range p.Boosters {
		at := place("/boosters").index(i)
		r.name(at, booster.Name, seen)
		r.want(100 <= booster.Minimum && booster.Minimum <= 1000, at.key("minimum"), "minimum is %s: want 0.1 to 1", booster.Minimum)
		r.want(1000 <= booster.Maximum && booster.Maximum <= 5000, at.key("maximum"), "maximum is %s: want 1 to 5", booster.Maximum)
	}
	for i, modifier := range p.Modifiers {
		at := place("/modifiers").index(i)
		r.name(at, modifier.Name, seen)
		given := 0
		for _, is := range []bool{modifier.Curve != nil, modifier.HR != nil, modifier.Group != nil, modifier.Indicator != nil} {
			if is {
				given++
			}
		}
		r.want(given == 1, at, "want exactly one of departure_curve, hr, group and indicator")
		if modifier.Curve != nil {
			r.curve(at.key("departure_curve"), *modifier.Curve)
		}
		if effect := modifier.HR; effect != nil {
			r.oneOf(at.key("hr/fact"), "fact", effect.Fact, modifierFacts)
			r.factor(at.key("hr/factor"), effect.Factor)
			r.want(effect.Before+effect.Hold+effect.Fade >= 1, at.key("hr"), "before, hold and fade are all 0: the effect would last for no day")
		}
		if effect := modifier.Group; effect != nil {
			r.want(len(effect.AnyOf) > 0, at.key("group"), "any_of is missing: name groups")
			r.groups(at.key("group/any_of"), effect.AnyOf)
			r.factor(at.key("group/factor"), effect.Factor)
		}
		if effect := modifier.Indicator; effect != nil {
			r.indicator(at.key("indicator/name"), effect.Name, nil, c)
			r.oneOf(at.key("indicator/level"), "level", effect.Level, levelNames)
			r.want(effect.Within >= 1 && effect.Within <= historyDays, at.key("indicator/within"), "within is %s: want 1d to %dd", effect.Within, historyDays)
			r.factor(at.key("indicator/factor"), effect.Factor)
		}
	}
}

func (r *inspection) curve(at place, c Curve) {
	r.want(c.AtNotice >= 1000, at.key("at_notice"), "at_notice is %s: want 1 or more", c.AtNotice)
	r.want(c.Maximum >= c.AtNotice && c.Maximum <= 10_000, at.key("maximum"), "maximum is %s: want at_notice to 10", c.Maximum)
	r.want(c.Before >= 1 && c.Fade >= 1 && c.Notice >= 1, at, "before, fade and notice are 1d or more")
}

func (r *inspection) factor(at place, factor Thousandths) {
	r.want(100 <= factor && factor <= 10_000, at, "factor is %s: want 0.1 to 10", factor)
}
