package operators

import (
	"slices"
	"strings"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

// act is one event of a story about files: what, when in hours, name and former
// name.
type act struct {
	activity   string
	at         int64
	name, from schemas.Hash
}

func acts(list ...act) (events []schemas.Event) {
	for _, a := range list {
		e := event(a.activity, monday+schemas.Time(a.at)*millisPerHour, "")
		e.ID = schemas.NewUUID(a.activity, e.Time.String(), string(rune(a.name)), string(rune(a.from)))
		e.ObservedTime = monday + days(12)
		e.File = &schemas.File{Name: a.name, Previous: a.from}
		events = append(events, e)
	}
	return events
}

const (
	downloaded = "file.downloaded"
	renamed    = "file.renamed"
	archived   = "file.archived"
	copied     = "file.copied_to_removable_media"
)

// Things are followed through renaming and packing, in order, within the time,
// and whatever is told of last.
func TestSequence(t *testing.T) {
	for name, c := range map[string]struct {
		acts         []act
		short, whole int64 // things through collect→exfiltrate and collect→hide→exfiltrate
	}{
		"in order":                        {[]act{{downloaded, 0, 1, 0}, {copied, 2, 1, 0}}, 1, 0},
		"out of order":                    {[]act{{copied, 0, 1, 0}, {downloaded, 2, 1, 0}}, 0, 0},
		"another thing":                   {[]act{{downloaded, 0, 1, 0}, {copied, 2, 2, 0}}, 0, 0},
		"a week later":                    {[]act{{downloaded, 0, 1, 0}, {copied, 7 * 24, 1, 0}}, 1, 0},
		"more than a week later":          {[]act{{downloaded, 0, 1, 0}, {copied, 8 * 24, 1, 0}}, 0, 0},
		"renamed on the way":              {[]act{{downloaded, 0, 1, 0}, {renamed, 1, 2, 1}, {copied, 2, 2, 0}}, 1, 1},
		"renamed twice":                   {[]act{{downloaded, 0, 1, 0}, {renamed, 1, 2, 1}, {renamed, 2, 3, 2}, {copied, 3, 3, 0}}, 1, 1},
		"renamed too late":                {[]act{{downloaded, 0, 1, 0}, {copied, 2, 1, 0}, {renamed, 24, 2, 1}}, 1, 0},
		"packed with others":              {[]act{{downloaded, 0, 1, 0}, {downloaded, 0, 2, 0}, {archived, 1, 9, 1}, {archived, 1, 9, 2}, {copied, 2, 9, 0}}, 1, 1},
		"packed, then the archive hidden": {[]act{{downloaded, 0, 1, 0}, {archived, 1, 9, 1}, {renamed, 2, 10, 9}, {copied, 3, 10, 0}}, 1, 1},
		"only hidden":                     {[]act{{renamed, 1, 2, 1}, {copied, 2, 2, 0}}, 0, 0},
		"copied twice on a day":           {[]act{{downloaded, 0, 1, 0}, {copied, 2, 1, 0}, {copied, 3, 1, 0}}, 1, 0},
		"copied on two days":              {[]act{{downloaded, 0, 1, 0}, {copied, 2, 1, 0}, {copied, 26, 1, 0}}, 2, 0},
		"nothing said of names":           {[]act{{downloaded, 0, 0, 0}, {copied, 2, 0, 0}}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			events := acts(c.acts...)
			for _, order := range [][]schemas.Event{events, reversed(events)} {
				p := newStory(t).fold(order...)
				if short, whole := p.things("collect_exfiltrate"), p.things("collect_hide_exfiltrate"); short != c.short || whole != c.whole {
					t.Errorf("%d and %d things went through, want %d and %d", short, whole, c.short, c.whole)
				}
			}
		})
	}
}

func reversed(events []schemas.Event) []schemas.Event {
	list := slices.Clone(events)
	slices.Reverse(list)
	return list
}

// things is what the indicator measured on all days.
func (p *story) things(indicator string) (n int64) {
	m := p.state.find(keyOf(indicator))
	if m == nil {
		return 0
	}
	for _, a := range m.days {
		n += a.n
	}
	return n
}

// An alert names the events of the steps, not only of the last one, and its
// ledger calls a sequence a sequence.
func TestSequence_explained(t *testing.T) {
	p := newStory(t)
	for i := range schemas.Hash(15) {
		p.fold(acts(act{downloaded, 0, 100 + i, 0}, act{renamed, 1, 200 + i, 100 + i}, act{copied, 2, 200 + i, 0})...)
	}
	a := p.last("leaks")
	i := slices.IndexFunc(a.Contributions, func(c schemas.Contribution) bool { return c.Name == "collect_hide_exfiltrate" })
	if i < 0 || a.Contributions[i].Kind != schemas.KindSequence || !strings.HasPrefix(a.Contributions[i].Detail, "15 went through all steps on 2026-03-02") {
		t.Fatalf("contributions are %+v", a.Contributions)
	}
	if a.Trigger != "collect_exfiltrate reached medium on 2026-03-02" || len(a.EventIDs) == 0 {
		t.Errorf("trigger %q, %d events", a.Trigger, len(a.EventIDs))
	}
}

// Names of one thing are bounded, however much is renamed.
func TestSequence_bounds(t *testing.T) {
	p := newStory(t)
	for i := range schemas.Hash(500) {
		p.fold(acts(act{renamed, int64(i % 100), i + 2, i + 1})...)
	}
	if n := len(p.state.links); n != maxLinks {
		t.Errorf("%d new names are kept", n)
	}
	if n := len(p.state.family(nil, p.state.links[0].newer)); n > maxFamily {
		t.Errorf("%d names of one thing", n)
	}
}
