package operators

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/riskpipe/riskpipe/schemas"
)

// monday is 2 March 2026, 09:00 UTC.
const monday schemas.Time = 1772442000000

func days(n int) schemas.Time { return schemas.Time(n) * millisPerDay }

// sample is a library apart from the templates, so that the core's tests do not
// move with them: a policy for leavers and one for everybody, over a few
// indicators.
func sample() Library {
	indicator := func(name, category string, measure Measure, low, medium, high Amount, points ...Thousandths) Indicator {
		return Indicator{
			Name: name, Title: name, Category: category, Measure: measure, HalfLife: 30,
			Thresholds: Thresholds{low, medium, high}, Points: PointScale{points[0] * 1000, points[1] * 1000, points[2] * 1000},
		}
	}
	files := Measure{Type: measureValues, Field: "file.name"}
	list := []Indicator{
		indicator("copy_to_usb", "exfiltration", files, 5, 20, 50, 8, 20, 40),
		indicator("upload_to_cloud", "exfiltration", files, 3, 10, 30, 8, 20, 40),
		indicator("email_personal", "exfiltration", Measure{Type: measureValues, Field: "email.message"}, 2, 6, 15, 8, 20, 40),
		indicator("print", "exfiltration", Measure{Type: measureEvents}, 15, 50, 150, 3, 8, 15),
		indicator("download", "collection", files, 100, 300, 1000, 3, 8, 15),
		indicator("rename", "obfuscation", files, 5, 20, 50, 2, 5, 10),
		indicator("archive", "obfuscation", files, 3, 10, 30, 2, 5, 10),
		indicator("delete", "deletion", files, 100, 300, 1000, 2, 5, 10),
		indicator("bytes", "collection", Measure{Type: measureSum, Field: "file.size"}, 50<<20, 500<<20, 5<<30, 2, 4, 8),
		indicator("failed_sign_in", "security", Measure{Type: measureEvents}, 5, 10, 20, 5, 10, 20),
		indicator("new_country", "access", Measure{Type: measureFirstSeen, Field: "source_ip.country"}, 1, 2, 3, 4, 8, 12),
		indicator("travel", "access", Measure{Type: measureTravel}, 1, 2, 3, 5, 8, 12),
		indicator("off_hours", "access", Measure{Type: measureOffHours}, 2, 4, 8, 2, 4, 8),
		indicator("after_departure", "access", Measure{Type: measureAfterLeave}, 1, 4, 8, 10, 20, 30),
		indicator("collect_exfiltrate", "exfiltration", Measure{
			Type: measureSequence, Within: 7, Steps: [][]string{{"download"}, {"copy_to_usb", "upload_to_cloud"}},
		}, 3, 10, 30, 6, 12, 20),
		indicator("collect_hide_exfiltrate", "exfiltration", Measure{
			Type: measureSequence, Within: 7, Steps: [][]string{{"download"}, {"rename", "archive"}, {"copy_to_usb", "upload_to_cloud"}},
		}, 1, 5, 20, 8, 15, 25),
		indicator("cumulative", "exfiltration", Measure{Type: measureCumulative, Of: []string{"copy_to_usb", "upload_to_cloud", "email_personal"}}, 1, 2, 3, 8, 16, 30),
	}
	activities := map[string][]string{
		"copy_to_usb": {"file.copied_to_removable_media"}, "upload_to_cloud": {"file.uploaded_to_cloud"}, "email_personal": {"email.sent_external"},
		"print": {"file.printed"}, "download": {"file.downloaded"}, "rename": {"file.renamed"}, "archive": {"file.archived"}, "delete": {"file.deleted"},
		"bytes": {"file.downloaded"}, "failed_sign_in": {"signin.failed"}, "new_country": {"signin.succeeded"},
	}
	for i := range list {
		list[i].Activities = activities[list[i].Name]
		switch list[i].Name {
		case "copy_to_usb", "upload_to_cloud", "download", "rename", "archive", "delete":
			list[i].Objects, list[i].Habitual = "file.name", true
		case "failed_sign_in":
			list[i].Outcome, list[i].Window = "failure", 1
		}
	}
	list[0].Lanes = map[string]Lane{"sensitive": {Thresholds{1, 4, 10}, PointScale{8000, 20_000, 40_000}}}
	uses := func(names ...string) (all []Use) {
		for _, name := range names {
			all = append(all, Use{Use: name})
		}
		return all
	}
	everything := make([]string, len(list))
	for i := range list {
		everything[i] = list[i].Name
	}
	leaver := Policy{
		APIVersion: APIVersion, Kind: KindPolicy, Name: "leaver", Title: "Leaver", Version: 1, Mode: ModeLive, HalfScale: 58_000,
		Trigger:  Trigger{AnyOf: []TriggerEvent{{HR: "resignation"}, {HR: "termination"}, {HR: "account_deletion"}}, ActivateFor: 90, LookBack: 90},
		Open:     Opening{AnyOf: []OpeningCondition{{Score: 25_000, Evidence: 5000}}},
		Severity: Bands{34_000, 67_000}, Quiet: 30,
		Indicators: uses(everything...),
		Boosters:   []Booster{{Name: "unusual", Minimum: 500, Maximum: 1500}},
		Modifiers: []Modifier{
			{Name: "resignation", Curve: &Curve{Before: 30, AtNotice: 1800, Maximum: 3000, LastWeek: 7, Hold: 30, Fade: 60, Notice: 30}},
			{Name: "plan", HR: &HREffect{Fact: "performance_plan", Factor: 1500, Hold: 90, Fade: 30}},
			{Name: "priority", Group: &GroupEffect{AnyOf: []string{"priority"}, Factor: 1500}},
		},
	}
	leaks := leaver
	leaks.Name, leaks.HalfScale, leaks.Modifiers = "leaks", 80_000, nil
	leaks.Trigger = Trigger{AnyOf: []TriggerEvent{
		{Indicator: "collect_exfiltrate", Level: "medium"},
		{Diversity: 3},
		{Indicator: "copy_to_usb", Lane: "sensitive", Level: "medium"},
		{Indicator: "cumulative", Level: "low"},
		{HR: "performance_plan"},
	}, ActivateFor: 30, LookBack: 30}
	slices.SortFunc(list, func(a, b Indicator) int { return strings.Compare(a.Name, b.Name) })
	return Library{
		Policies: []Policy{leaver, leaks}, Indicators: list,
		Lists: Lists{Macros: map[string]Macro{"lane_sensitive": {{"file.sensitive_count|gte": {"1"}}}}},
	}
}

// sampleEngine runs the sample as it is.
var sampleEngine = sync.OnceValues(func() (*Engine, error) { return NewEngine(sample(), Options{}) })

func newSample(t testing.TB, change ...func(*Library)) *Engine {
	t.Helper()
	e, err := sampleEngine()
	if len(change) > 0 {
		library := sample()
		for _, f := range change {
			f(&library)
		}
		e, err = NewEngine(library, Options{})
	}
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// story folds events of one person and keeps what came of them.
type story struct {
	t      testing.TB
	engine *Engine
	state  State
	out    Output
}

func newStory(t testing.TB, change ...func(*Library)) *story {
	return &story{t: t, engine: newSample(t, change...)}
}

func (p *story) fold(events ...schemas.Event) *story {
	for _, e := range events {
		p.engine.Score(&p.state, &e, &p.out)
	}
	return p
}

// of returns the versions of the policy's alerts.
func (p *story) of(policy string) (list []schemas.Alert) {
	for _, a := range p.out.Alerts {
		if a.Policy == policy {
			list = append(list, a)
		}
	}
	return list
}

func (p *story) last(policy string) schemas.Alert {
	p.t.Helper()
	list := p.of(policy)
	if len(list) == 0 {
		p.t.Fatalf("no alert of %s", policy)
	}
	return list[len(list)-1]
}

// score is the person's score under the policy right now, written or not.
func (p *story) score(policy string) schemas.Points { return scoreNow(p.engine, &p.state, policy) }

func scoreNow(e *Engine, s *State, policy string) schemas.Points {
	var room scratch
	for i := range e.policies {
		if c := &e.policies[i]; c.Name == policy {
			g, in := c.triggered(s, &room)
			if !in {
				return 0
			}
			a := c.assess(s, g, &room)
			return a.score
		}
	}
	return -1
}

func event(activity string, at schemas.Time, id string) schemas.Event {
	return schemas.Event{
		ID: schemas.NewUUID("test", activity, id), Source: schemas.SourceFile, Activity: activity,
		Time: at, ObservedTime: at, User: schemas.Pseudonym{7}, ActorType: schemas.ActorPerson, Outcome: schemas.OutcomeSuccess,
	}
}

// files are n events about distinct files, a second apart.
func files(activity string, n int, at schemas.Time) []schemas.Event {
	var list []schemas.Event
	for i := range n {
		e := event(activity, at+schemas.Time(i)*1000, fmt.Sprint(at, i))
		e.File = &schemas.File{Name: schemas.Hash(int64(at)*1000 + int64(i) + 1)}
		list = append(list, e)
	}
	return list
}

func copies(n int, at schemas.Time) []schemas.Event {
	return files("file.copied_to_removable_media", n, at)
}

func hr(activity string, known schemas.Time, body schemas.HR) schemas.Event {
	e := event(activity, known, fmt.Sprint(body))
	e.Source, e.HR = schemas.SourceHR, &body
	return e
}

func resignation(known, notice, last schemas.Time) schemas.Event {
	return hr("hr.resignation", known, schemas.HR{Scenario: "resignation", Resigned: notice, LastDay: last})
}

func withdrawal(known schemas.Time) schemas.Event {
	return hr("hr.resignation_withdrawn", known, schemas.HR{Scenario: "resignation", Withdrawn: true})
}

func termination(known, last schemas.Time) schemas.Event {
	return hr("hr.termination", known, schemas.HR{Scenario: "worker", LastDay: last})
}

func location(t *testing.T, name string) *time.Location {
	t.Helper()
	l, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return l
}
