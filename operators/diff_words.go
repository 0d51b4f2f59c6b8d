package operators

import (
	"fmt"
	"slices"
	"strings"
)

// wording tells differences that only describe, and change no score.
func (d *difference) wording() bool {
	switch d.path[0] {
	case "title", "description", "runbook", "falsepositives", "tags", "tests", "extends", "meaning", "purview":
		return true
	case "exclusions":
		return d.path[len(d.path)-1] == "reason"
	default:
		return false
	}
}

// subject names what a wording is of.
func (d *difference) subject() string {
	switch d.path[0] {
	case "tests":
		return fmt.Sprintf("test %q", d.path[1])
	case "exclusions":
		return "reason of exclusion " + d.path[1]
	case "falsepositives":
		return "false positives"
	default:
		return d.path[0]
	}
}

// text says the difference in words.
func (d *difference) text() string {
	switch last := d.path[len(d.path)-1]; {
	case d.kind != valueChanged && d.matches("indicators", "*"), d.kind != valueChanged && d.matches("modifiers", "*"),
		d.kind != valueChanged && d.matches("boosters", "*"), d.kind != valueChanged && d.matches("exclusions", "*"):
		return strings.TrimSuffix(d.path[0], "s") + " " + d.path[1] + " " + d.addedOrRemoved()
	case d.kind == itemAdded && d.matches("trigger", "any_of", "*"):
		return "triggered also by: " + last
	case d.kind == itemRemoved && d.matches("trigger", "any_of", "*"):
		return "no longer triggered by: " + last
	case d.kind == itemAdded && d.matches("open", "any_of", "*"):
		return "opens also when " + d.after
	case d.kind == itemRemoved && d.matches("open", "any_of", "*"):
		return "no longer opens when " + d.before
	case d.matches("open", "any_of", "*", "score"):
		return fmt.Sprintf("opens at %s instead of %s", orNothing(d.after), orNothing(d.before))
	case d.matches("open", "any_of", "*", "evidence"):
		return fmt.Sprintf("opens from %s points of evidence instead of %s", d.after, d.before)
	case d.matches("half_scale"):
		effect := "more"
		if exceeds(d.after, d.before) {
			effect = "less"
		}
		return fmt.Sprintf("half scale %s → %s: the same evidence scores %s", d.before, d.after, effect)
	case d.matches("severity", "*"):
		return fmt.Sprintf("severity %s from %s instead of %s", last, d.after, d.before)
	case slices.Contains(levelNames, last) && len(d.path) > 1 && d.path[len(d.path)-2] == "thresholds":
		return fmt.Sprintf("%sreaches %s at %s instead of %s%s", d.owner(2), last, d.after, d.before, d.over)
	case slices.Contains(levelNames, last) && len(d.path) > 1 && d.path[len(d.path)-2] == "points":
		return fmt.Sprintf("%sbrings %s points at %s instead of %s", d.owner(2), d.after, last, d.before)
	case last == "half_life":
		return fmt.Sprintf("%scounts half after %s instead of %s", d.owner(1), d.after, d.before)
	case len(d.path) == 1:
		return d.changed(strings.ReplaceAll(last, "_", " "))
	default:
		return d.changed(strings.Join(d.path, "."))
	}
}

// listText says how a list or a macro differs, whose name is not in the path.
func (d *difference) listText() string {
	if d.kind != valueChanged {
		return strings.TrimSpace(strings.Join(d.path, ".") + " " + d.addedOrRemoved())
	}
	before, after := strings.Split(d.before, ", "), strings.Split(d.after, ", ")
	var parts []string
	for _, value := range after {
		if !slices.Contains(before, value) {
			parts = append(parts, "+ "+value)
		}
	}
	for _, value := range before {
		if !slices.Contains(after, value) {
			parts = append(parts, "− "+value)
		}
	}
	if len(parts) == 0 {
		parts = []string{"the same values in another order"}
	}
	text := strings.Join(parts, ", ")
	if len(d.path) > 0 {
		text = strings.Join(d.path, ".") + ": " + text
	}
	return text
}

// matches compares the path with one in which * stands for any key.
func (d *difference) matches(path ...string) bool {
	return slices.EqualFunc(d.path, path, func(key, want string) bool { return want == "*" || key == want })
}

// owner names what the last keys of the path belong to, where that is not the
// whole: the indicator of a policy, the lane of an indicator.
func (d *difference) owner(keys int) string {
	path := slices.Clone(d.path[:len(d.path)-keys])
	switch {
	case len(path) == 0:
		return ""
	case path[0] == "indicators":
		path = path[1:]
	}
	if i := slices.Index(path, "lanes"); i >= 0 {
		path[i] = "lane"
	}
	return strings.Join(path, " ") + ": "
}

func (d *difference) changed(what string) string {
	if d.kind != valueChanged {
		return what + " " + d.addedOrRemoved()
	}
	return fmt.Sprintf("%s %s → %s", what, orNothing(d.before), orNothing(d.after))
}

func (d *difference) addedOrRemoved() string {
	verb, text := "added", d.after
	if d.kind == itemRemoved {
		verb, text = "removed", d.before
	}
	if text == "" || len(d.path) > 0 && text == d.path[len(d.path)-1] {
		return verb
	}
	return verb + ": " + text
}

func orNothing(text string) string {
	if text == "" {
		return "nothing"
	}
	return text
}

// exceeds compares decimal numbers as files write them.
func exceeds(a, b string) bool {
	var x, y Thousandths
	return x.UnmarshalText([]byte(a)) == nil && y.UnmarshalText([]byte(b)) == nil && x > y
}
