package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// detection says how well alerts tell those of whom they should, by labels. It
// counts, and names nobody.
type detection struct {
	// Due are labelled users of whom an alert should tell, Found those of whom one
	// did after their story began.
	found
	ByScenario map[string]*found `json:"by_scenario"`
	ByStory    map[string]*found `json:"by_story"`
	// Benign are the labelled users who only look like the others.
	Benign           int `json:"benign"`
	BenignAlerted    int `json:"benign_with_alerts"`
	BenignNotAlerted int `json:"benign_without_alerts"`
	// Others are users without a label.
	Others        int `json:"others"`
	OthersAlerted int `json:"others_with_alerts"`
	OthersAlerts  int `json:"alerts_of_others"`
	// Missing are labelled users of whom the input holds no event.
	Missing int `json:"labelled_without_events"`
	// Users are those with any event, Days the calendar days from the first event
	// to the last, UTC, HR facts aside.
	Users  int `json:"users"`
	Days   int `json:"days"`
	Alerts int `json:"alerts"`
	// Rate is the number of alerts for 1,000 users and a day.
	Rate schemas.Points `json:"alerts_per_1000_users_per_day"`
}

// found is recall.
type found struct {
	Due    int            `json:"due"`
	Found  int            `json:"found"`
	Recall schemas.Points `json:"recall"`
}

func (f *found) add(hit bool) {
	f.Due++
	if hit {
		f.Found++
	}
	f.Recall = schemas.Points(1000 * f.Found / f.Due)
}

// observer notes during a replay what detection needs.
type observer struct {
	labels []label
	// names are those of users with any event.
	names       map[schemas.Pseudonym]string
	users       map[schemas.Pseudonym]bool
	first, last schemas.Time
	// alerts holds, by user, when versions of alerts came that were not held.
	alerts map[schemas.Pseudonym][]schemas.Time
	ids    map[schemas.Pseudonym]map[schemas.UUID]bool
}

func newObserver(labels []label) *observer {
	return &observer{
		labels: labels, names: map[schemas.Pseudonym]string{}, users: map[schemas.Pseudonym]bool{},
		alerts: map[schemas.Pseudonym][]schemas.Time{}, ids: map[schemas.Pseudonym]map[schemas.UUID]bool{},
	}
}

func (o *observer) event(e *schemas.Event) {
	if e.User == (schemas.Pseudonym{}) || e.ActorType != schemas.ActorPerson && e.ActorType != schemas.ActorGuest {
		return
	}
	o.users[e.User] = true
	if e.Source == schemas.SourceHR {
		return // they speak of other days
	}
	if o.first == 0 || e.Time < o.first {
		o.first = e.Time
	}
	o.last = max(o.last, e.Time)
}

func (o *observer) alert(a *schemas.Alert) {
	if a.Hold != "" || a.Status != schemas.AlertOpen {
		return
	}
	o.alerts[a.User] = append(o.alerts[a.User], a.UpdatedAt)
	if o.ids[a.User] == nil {
		o.ids[a.User] = map[schemas.UUID]bool{}
	}
	o.ids[a.User][a.ID] = true
}

// detection compares the alerts with the labels.
func (o *observer) detection() *detection {
	d := &detection{ByScenario: map[string]*found{}, ByStory: map[string]*found{}, Users: len(o.users)}
	if o.last != 0 {
		d.Days = int(o.last.UTC().Unix()/secondsPerDay-o.first.UTC().Unix()/secondsPerDay) + 1
	}
	for _, ids := range o.ids {
		d.Alerts += len(ids)
	}
	if d.Users > 0 && d.Days > 0 {
		d.Rate = schemas.Points(int64(d.Alerts) * 1_000_000 / int64(d.Users*d.Days))
	}
	byName := map[string]schemas.Pseudonym{}
	for user := range o.users {
		byName[strings.ToLower(o.names[user])] = user
	}
	labelled := map[schemas.Pseudonym]bool{}
	for _, l := range o.labels {
		user, seen := byName[l.User]
		if !seen {
			d.Missing++
		}
		labelled[user] = true
		hit := slices.ContainsFunc(o.alerts[user], func(at schemas.Time) bool { return seen && at >= l.From })
		switch {
		case l.due():
			d.add(hit)
			counter(d.ByScenario, l.Scenario).add(hit)
			counter(d.ByStory, l.Story).add(hit)
		case hit:
			d.Benign++
			d.BenignAlerted++
		default:
			d.Benign++
			d.BenignNotAlerted++
		}
	}
	for user := range o.users {
		if labelled[user] {
			continue
		}
		d.Others++
		if n := len(o.ids[user]); n > 0 {
			d.OthersAlerted++
			d.OthersAlerts += n
		}
	}
	return d
}

const secondsPerDay = 24 * 60 * 60

func counter(by map[string]*found, name string) *found {
	name = cmp.Or(name, "unnamed")
	if by[name] == nil {
		by[name] = &found{}
	}
	return by[name]
}

// tell says the counts.
func (d *detection) tell(w io.Writer) {
	fmt.Fprintf(w, "detection: %s\n", d.text())
	for _, by := range []struct {
		what   string
		counts map[string]*found
	}{{"scenario", d.ByScenario}, {"story", d.ByStory}} {
		for _, name := range slices.Sorted(maps.Keys(by.counts)) {
			fmt.Fprintf(w, "  %s %s: %s\n", by.what, name, by.counts[name].text())
		}
	}
	fmt.Fprintf(w, "  %d benign: %d with alerts, %d without\n", d.Benign, d.BenignAlerted, d.BenignNotAlerted)
	fmt.Fprintf(w, "  %d others: %d with alerts (%s)\n", d.Others, d.OthersAlerted, counted(d.OthersAlerts, "alert"))
	if d.Missing > 0 {
		fmt.Fprintf(w, "  %d labelled without any event\n", d.Missing)
	}
	fmt.Fprintf(w, "  %s alerts per 1,000 users per day (%d alerts, %d users, %d days)\n", d.Rate, d.Alerts, d.Users, d.Days)
}

func (f *found) text() string {
	if f.Due == 0 {
		return "nobody is due"
	}
	return fmt.Sprintf("%d of %d found, recall %d%%", f.Found, f.Due, 100*f.Found/f.Due)
}
