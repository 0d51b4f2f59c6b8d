package operators

import (
	"fmt"
	"slices"
	"strings"
)

// Words says what brings a person into the policy, one phrase for each event.
func (t Trigger) Words() []string {
	phrases := make([]string, len(t.AnyOf))
	for i, event := range t.AnyOf {
		phrases[i] = event.words()
	}
	return phrases
}

func (t TriggerEvent) words() string {
	switch {
	case t.Always:
		return "everybody, always"
	case t.HR != "":
		return factText(factNamed(t.HR))
	case t.Diversity > 0:
		return fmt.Sprintf("%d different ways out within a week", t.Diversity)
	default:
		text := t.Indicator
		if t.Lane != "" {
			text += " " + laneWords(t.Lane)
		}
		text += " reaches " + t.Level
		if t.Unusual {
			text += ", unusually for the person"
		}
		return text
	}
}

// laneWords says what a lane is of.
func laneWords(lane string) string {
	if lane == "unallowed" {
		return "to unallowed destinations"
	}
	return "of " + lane + " content"
}

// words says when the condition holds.
func (o OpeningCondition) words() string {
	var parts []string
	if o.Score > 0 {
		parts = append(parts, "the score is "+o.Score.String()+" or more")
	}
	switch {
	case o.Indicator != "":
		parts = append(parts, o.Indicator+" brings "+o.Evidence.String()+" or more points of evidence by itself")
	default:
		parts = append(parts, "indicators of "+joined(compileOpening(o).Categories, "and")+" bring "+o.Evidence.String()+" or more points of evidence")
	}
	if o.Diversity > 0 {
		parts = append(parts, fmt.Sprintf("%d different ones of them reached low within the last week", o.Diversity))
	}
	return joined(parts, "and")
}

// Words says what the booster does.
func (b Booster) Words() string {
	return fmt.Sprintf("a day that is usual for the person counts %s-fold, one that is three spreads above their habit 1-fold, six spreads %s-fold; 1-fold while the history is short", b.Minimum, b.Maximum)
}

// Words says what the modifier does.
func (m Modifier) Words() string {
	switch {
	case m.Curve != nil:
		c := m.Curve
		return fmt.Sprintf("the nearer a departure, the more: from 1-fold %s before the notice to %s-fold on it, on to %s-fold from %s before the last working day until %s after it, back to 1-fold over the %s that follow",
			c.Before, c.AtNotice, c.Maximum, c.LastWeek, c.Hold, c.Fade)
	case m.HR != nil:
		text := fmt.Sprintf("%s-fold from a %s on, for %s", m.HR.Factor, factText(factNamed(m.HR.Fact)), m.HR.Hold)
		if m.HR.Before > 0 {
			text += fmt.Sprintf(", rising over the %s before", m.HR.Before)
		}
		if m.HR.Fade > 0 {
			text += fmt.Sprintf(", falling back over the %s after", m.HR.Fade)
		}
		return text
	case m.Group != nil:
		return fmt.Sprintf("%s-fold for members of %s", m.Group.Factor, joined(m.Group.AnyOf, "or"))
	case m.Indicator != nil:
		return fmt.Sprintf("%s-fold on days on which %s reached %s, and for %s from then on", m.Indicator.Factor, m.Indicator.Name, m.Indicator.Level, m.Indicator.Within)
	default:
		return "nothing"
	}
}

// joined lists words: a, b and c.
func joined(words []string, last string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " " + last + " " + words[len(words)-1]
}

// nouns are what the values of fields are called.
var nouns = map[string]string{
	"file.name": "files", "file.object": "files", "email.message": "messages", "email.messages": "messages",
	"detection.finding": "findings", "health.record": "patient records",
	"source_ip.country": "countries", "source_ip.asn": "networks", "device.id": "devices",
}

func noun(field string) string {
	if name, known := nouns[field]; known {
		return name
	}
	return "values of " + field
}

// counts says what is counted, and over which time.
func (ind *Indicator) counts(steps func([]string) string) string {
	window := ind.over()
	switch m := ind.Measure; m.Type {
	case measureEvents:
		return "events" + window
	case measureSum:
		if strings.HasSuffix(m.Field, "size") {
			return "bytes" + window
		}
		return noun(m.Field) + window
	case measureValues:
		return "different " + noun(m.Field) + window
	case measureFirstSeen:
		return noun(m.Field) + window + " that were never seen of the person before"
	case measureTravel:
		return "journeys" + window + " faster than an airliner"
	case measureOffHours:
		return "hours of work" + window + " in which the person does not usually work"
	case measureAfterLeave:
		return "hours with activity" + window + " after the last working day"
	case measureSequence:
		words := make([]string, len(m.Steps))
		for i, step := range m.Steps {
			words[i] = steps(step)
		}
		return fmt.Sprintf("things%s that within %s went through %s", window, m.Within, strings.Join(words, ", then "))
	case measureCumulative:
		return fmt.Sprintf("how significant it is (1 in %d, %d, %d) that on more of the last %d days than the person's own rate explains there was %s",
			falseAlarms[0], falseAlarms[1], falseAlarms[2], cumulativeDays, steps(m.Of))
	default:
		return m.Type
	}
}

// over says over which time is counted.
func (ind *Indicator) over() string {
	switch {
	case ind.Measure.Type == measureCumulative:
		return ""
	case ind.Window != 0 && ind.Window != 24:
		return " within " + ind.Window.String()
	default:
		return " a day"
	}
}

// alternatives names all indicators of a step.
func alternatives(step []string) string { return joined(step, "or") }

// fewAlternatives is up to how many indicators of a step a policy's explanation
// names.
const fewAlternatives = 3

// briefly names the indicators of a step, or only says how many of which
// categories they are.
func (l Library) briefly(step []string) string {
	if len(step) <= fewAlternatives {
		return alternatives(step)
	}
	var categories []string
	for _, name := range step {
		if ind := l.indicator(name); ind != nil && !slices.Contains(categories, ind.Category) {
			categories = append(categories, ind.Category)
		}
	}
	return fmt.Sprintf("any of %d indicators of %s", len(step), joined(categories, "and"))
}

// amountText says an amount with its unit.
func (m Measure) amountText(n Amount) string {
	return string(m.appendAmount(nil, int64(n)))
}
