package operators

import (
	"maps"
	"regexp"
	"slices"
)

var activityPattern = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$`)

// objectFields are the fields by which sequences follow things.
var objectFields = []string{"file.name", "email.attachment_names"}

// needs says which keys a measure must have. Those it does not name must not be
// there.
type needs struct {
	field  []fieldKind
	steps  bool // and within
	of     bool
	counts bool // single events: activities, select, when, window, lanes
}

var measureNeeds = map[string]needs{
	measureEvents:     {counts: true},
	measureSum:        {counts: true, field: []fieldKind{kindNumber}},
	measureValues:     {counts: true, field: []fieldKind{kindHash, kindHashes, kindNumber, kindText, kindList}},
	measureFirstSeen:  {counts: true, field: []fieldKind{kindHash, kindNumber, kindText}},
	measureTravel:     {},
	measureOffHours:   {},
	measureAfterLeave: {},
	measureSequence:   {steps: true},
	measureCumulative: {of: true},
}

// problems tells all that is wrong with the indicator.
func (i Indicator) problems(c catalogue) []problem {
	r := &inspection{}
	r.name("", i.Name, map[string]bool{})
	r.want(i.Title != "", "/title", "title is missing")
	r.want(i.Meaning != "", "/meaning", "meaning is missing: say what it tells about, and from which source events")
	r.oneOf("/category", "category", i.Category, Categories)
	r.measure(i, c)
	r.thresholds("/thresholds", i.Thresholds, i)
	r.points("/points", i.Points)
	r.lanes("/lanes", i.Lanes, i, c)
	r.want(i.HalfLife >= 1 && i.HalfLife <= maxHalfLife, "/half_life", "half_life is %s: want 1d to %dd", i.HalfLife, maxHalfLife)
	r.indicatorTests(i)
	return r.problems
}

func (r *inspection) measure(i Indicator, c catalogue) {
	m := i.Measure
	need, known := measureNeeds[m.Type]
	if !known {
		r.oneOf("/measure/type", "type", m.Type, slices.Sorted(maps.Keys(measureNeeds)))
		return
	}
	r.measured(m, need)
	r.want(need.steps == (len(m.Steps) > 0), "/measure/steps", "steps belong to a sequence, and only there")
	if need.steps {
		r.want(m.Within >= 1 && m.Within <= 7, "/measure/within", "within is %s: want 1d to 7d", m.Within)
		r.steps(m.Steps, c)
	} else {
		r.want(m.Within == 0, "/measure/within", "within belongs to a sequence")
	}
	r.want(need.of == (len(m.Of) > 0), "/measure/of", "of belongs to a cumulative measure, and only there")
	for j, name := range m.Of {
		at := place("/measure/of").index(j)
		r.indicator(at, name, nil, c)
		if indicator, ok := c.indicators[name]; ok {
			r.want(indicator.Category == "exfiltration", at, "indicator %s is of category %s: cumulative measures take exfiltration", name, indicator.Category)
			r.want(indicator.Measure.matches(), at, "indicator %s counts no single events", name)
		}
	}
	if !need.counts {
		r.want(len(i.Activities)+len(i.Select) == 0 && i.When == "" && i.Outcome == "" && i.Window == 0 && i.Objects == "" && !i.Habitual,
			"/measure/type", "%s takes no activities, outcome, select, when, window, objects and habitual: it is not measured on single events", m.Type)
		return
	}
	r.want(len(i.Activities) > 0, "/activities", "activities is missing: say which activities count")
	for j, activity := range i.Activities {
		at := place("/activities").index(j)
		r.want(activityPattern.MatchString(activity), at, "activity %q is no dotted verb such as file.downloaded", activity)
		r.want(slices.Index(i.Activities, activity) == j, at, "activity %s is given twice", activity)
	}
	if i.Outcome != "" {
		r.oneOf("/outcome", "outcome", i.Outcome, []string{"success", "failure", "any"})
	}
	_, problems := i.Select.compile(c.lists)
	r.include("/select", problems)
	if i.When != "" {
		if _, err := c.expressions.compile(i.When); err != nil {
			r.add("/when", "when %s", err)
		}
	}
	if i.Window > 0 && i.Window < 24 {
		r.want(m.Type != measureValues && m.Type != measureFirstSeen, "/window", "%s is kept by day: want a window of whole days, such as 1d", m.Type)
	}
	if i.Objects != "" {
		r.oneOf("/objects", "objects", i.Objects, objectFields)
	}
}

// measured checks the field that is summed or counted.
func (r *inspection) measured(m Measure, need needs) {
	if need.field == nil {
		r.want(m.Field == "", "/measure/field", "%s takes no field", m.Type)
		return
	}
	f, known := fields[m.Field]
	switch {
	case m.Field == "":
		r.add("/measure", "field is missing: say of which field")
	case !known:
		r.add("/measure/field", "%s", unknownName("field", m.Field, slices.Sorted(maps.Keys(fields))))
	default:
		kinds := make([]string, len(need.field))
		for i, kind := range need.field {
			kinds[i] = string(kind)
		}
		r.want(slices.Contains(need.field, f.kind), "/measure/field", "%s is %s: %s takes %s", m.Field, f.kind, m.Type, either(kinds))
	}
}

// steps checks that each alternative of each step can be followed.
func (r *inspection) steps(steps [][]string, c catalogue) {
	r.want(len(steps) >= 2 && len(steps) <= 8, "/measure/steps", "a sequence has 2 to 8 steps, this one %d", len(steps))
	for i, step := range steps {
		at := place("/measure/steps").index(i)
		r.want(len(step) > 0, at, "a step names indicators")
		for j, name := range step {
			r.indicator(at.index(j), name, nil, c)
			if indicator, known := c.indicators[name]; known {
				r.want(indicator.Objects != "", at.index(j), "indicator %s has no objects, by which a sequence would follow it", name)
			}
		}
	}
}

// thresholds wants three that rise, within what a day can count.
func (r *inspection) thresholds(at place, t Thresholds, i Indicator) {
	r.want(0 < t.Low && t.Low < t.Medium && t.Medium < t.High, at, "thresholds must rise: want 0 < low < medium < high, not %d, %d, %d", t.Low, t.Medium, t.High)
	if i.Measure.Type == measureEvents {
		most := Amount(maxDailySeen * max(1, i.Window/24))
		r.want(t.High <= most, at.key("high"), "high is %d: a day counts up to %d events, so the window up to %d", t.High, maxDailySeen, most)
	}
}

func (r *inspection) points(at place, p PointScale) {
	r.want(0 < p.Low && p.Low <= p.Medium && p.Medium <= p.High && p.High <= maxPoints, at,
		"points must rise: want 0 < low ≤ medium ≤ high ≤ 1000, not %s, %s, %s", p.Low, p.Medium, p.High)
}

func (r *inspection) lanes(at place, lanes map[string]Lane, i Indicator, c catalogue) {
	for _, name := range slices.Sorted(maps.Keys(lanes)) {
		below := at.key(name)
		if !slices.Contains(LaneNames, name) {
			r.add(below, "%s", unknownName("lane", name, LaneNames))
			continue
		}
		r.want(i.Measure.matches(), below, "%s has no lanes: it is not measured on single events", i.Measure.Type)
		_, defined := c.lists.Macros["lane_"+name]
		r.want(defined, below, "no list file has the macro lane_%s, which says which events are in the lane", name)
		r.thresholds(below.key("thresholds"), lanes[name].Thresholds, i)
		r.points(below.key("points"), lanes[name].Points)
	}
}
