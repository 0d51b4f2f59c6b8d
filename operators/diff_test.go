package operators

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Every kind of change is said in words, and told from a change of words alone.
func TestDiff(t *testing.T) {
	before, err := Templates()
	if err != nil {
		t.Fatal(err)
	}
	const theft, leaks = "data_theft_departing_user", "data_leaks"
	tests := []struct {
		name string
		edit func(*Library)
		want []string
	}{
		{"nothing", func(*Library) {}, nil},
		{"words", func(l *Library) {
			p := l.policy(theft)
			p.Title, p.Runbook = "other", "other"
			p.Tests[0].Expect.Severity = "low"
		}, []string{`policy data_theft_departing_user: description only: title, runbook, test "fifty files to a stick in the last week of work"`}},
		{"the reason of an exclusion", func(l *Library) {
			l.policy("healthcare_data_misuse").Exclusions[0].Reason = "other"
		}, []string{`policy healthcare_data_misuse: description only: reason of exclusion own_occupational_health`}},
		{"a policy's numbers", func(l *Library) {
			p := l.policy(theft)
			p.HalfScale, p.Mode, p.Quiet = 60_000, ModeShadow, 20
			p.Open.AnyOf[0].Score = 30_000
			p.Severity.High = 70_000
		}, []string{
			"policy data_theft_departing_user: mode live → shadow (logic, bump missing)",
			"policy data_theft_departing_user: half scale 58 → 60: the same evidence scores less (logic, bump missing)",
			"policy data_theft_departing_user: opens at 30 instead of 25 (logic, bump missing)",
			"policy data_theft_departing_user: severity high from 70 instead of 67 (logic, bump missing)",
			"policy data_theft_departing_user: quiet 30d → 20d (logic, bump missing)",
		}},
		{"a policy's lists, and its version with them", func(l *Library) {
			p := l.policy(theft)
			p.Version++
			p.Trigger.AnyOf = append(p.Trigger.AnyOf[1:], TriggerEvent{Diversity: 4})
			p.Open.AnyOf = append(p.Open.AnyOf, OpeningCondition{Score: 50_000, Evidence: 20_000})
			p.Exclusions = []Exclusion{{Name: "backups", Reason: "Agreed.", Select: Selection{"marks": {"backup"}}}}
			p.Indicators = slices.DeleteFunc(p.Indicators, func(u Use) bool { return u.Use == "print" })
			p.Indicators[0].Thresholds = &Thresholds{2, 4, 8}
			p.Modifiers = p.Modifiers[:len(p.Modifiers)-1]
			curve := *p.Modifiers[0].Curve
			curve.Maximum = 4000
			p.Modifiers[0].Curve = &curve
		}, []string{
			"policy data_theft_departing_user: version 2 → 3 (logic)",
			"policy data_theft_departing_user: no longer triggered by: resignation (logic)",
			"policy data_theft_departing_user: triggered also by: 4 different ways out within a week (logic)",
			"policy data_theft_departing_user: opens also when the score is 50 or more and indicators of exfiltration bring 20 or more points of evidence (logic)",
			"policy data_theft_departing_user: exclusion backups added: Agreed. (logic)",
			"policy data_theft_departing_user: indicators.copy_to_removable_media.thresholds added: 2, 4, 8 (logic)",
			"policy data_theft_departing_user: indicator print removed (logic)",
			"policy data_theft_departing_user: modifiers.resignation.departure_curve.maximum 3 → 4 (logic)",
			"policy data_theft_departing_user: modifier open_defender_alert removed: 1.3-fold on days on which defense_evasion reached low, and for 14d from then on (logic)",
		}},
		{"an indicator, which bumps the policies that use it", func(l *Library) {
			l.Policies = []Policy{*l.policy(theft)}
			ind := l.indicator("copy_to_removable_media")
			ind.Thresholds.High, ind.Points.Low, ind.HalfLife, ind.Meaning = 80, 9000, 20, "other"
		}, []string{
			"policy data_theft_departing_user: its own text is the same; an indicator that it uses or a list changed (logic, bump missing)",
			"indicator copy_to_removable_media: reaches high at 80 instead of 50 a day (logic)",
			"indicator copy_to_removable_media: brings 9 points at low instead of 8 (logic)",
			"indicator copy_to_removable_media: counts half after 20d instead of 30d (logic)",
			"indicator copy_to_removable_media: described otherwise: meaning (logic)",
		}},
		{"lists", func(l *Library) {
			l.Policies = nil
			l.Lists.Lists["ai_categories"] = Values{"chat"}
			delete(l.Lists.Macros, "personal")
		}, []string{
			"list ai_categories: + chat, − llm (logic)",
			"macro personal: removed (logic)",
		}},
		{"a new policy", func(l *Library) { l.policy(leaks).Name = "leaks" }, []string{
			"policy data_leaks: removed: Data leaks (logic)",
			"policy leaks: added: Data leaks (logic)",
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			after, err := Templates()
			if err != nil {
				t.Fatal(err)
			}
			test.edit(&after)
			before := before
			if len(after.Policies) < len(before.Policies) {
				before.Policies = slices.DeleteFunc(slices.Clone(before.Policies), func(p Policy) bool { return after.policy(p.Name) == nil })
			}
			changes, err := Diff(before, after)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, c := range changes {
				end := ""
				switch {
				case c.Bump:
					end = " (logic, bump missing)"
				case c.Logic:
					end = " (logic)"
				}
				for _, text := range c.Texts {
					got = append(got, c.Kind+" "+c.Name+": "+strings.TrimSpace(text)+end)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// policy returns the policy of the name, nil when there is none.
func (l *Library) policy(name string) *Policy {
	i := slices.IndexFunc(l.Policies, func(p Policy) bool { return p.Name == name })
	if i < 0 {
		return nil
	}
	return &l.Policies[i]
}
