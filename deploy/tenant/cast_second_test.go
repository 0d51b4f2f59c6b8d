package tenant

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

// staged is a tenant that plays the second cast once, with little else.
func staged(t testing.TB, seed uint64) *Tenant {
	t.Helper()
	return small(t, Options{Seed: seed, Users: secondCastUsers, Days: 42, Density: 0.05})
}

// actor returns the person of a story.
func actor(t testing.TB, tenant *Tenant, story string) *person {
	t.Helper()
	for i := range tenant.people {
		if p := &tenant.people[i]; p.story != nil && p.story.name == story {
			return p
		}
	}
	t.Fatalf("nobody has the story %s", story)
	return nil
}

// upstream returns the upstream records of whole stories by person and day, as
// they are before carriers bundle them.
func upstream(tenant *Tenant, each func(day int, it item)) {
	g := newGenerator(tenant)
	for day := range tenant.Days() {
		g.generate(day)
		for _, it := range g.pending {
			each(day, it)
		}
		g.pending = g.pending[:0]
	}
}

func TestSecondCastNeedsRoom(t *testing.T) {
	t.Parallel()
	// Below 100 people nobody has a second story; from there on each is told once per cast, by people of their own.
	for users, want := range map[int]int{MinUsers: 0, secondCastUsers - 1: 0, secondCastUsers: 1, 299: 1, 300: 2, 450: 3} {
		told := map[string]int{}
		for _, l := range small(t, Options{Seed: 9, Users: users, Days: 42}).Labels() {
			told[l.Story]++
		}
		for _, story := range secondCast {
			if told[story] != want {
				t.Errorf("with %d users the story %s is told %d times, want %d", users, story, told[story], want)
			}
		}
		if told[StoryTheft] != max(1, users/castPer) {
			t.Errorf("with %d users the story %s is told %d times", users, StoryTheft, told[StoryTheft])
		}
	}
}

func TestEveryScenarioHasBothKinds(t *testing.T) {
	t.Parallel()
	// Every policy template has somebody to find and somebody to leave alone.
	type both struct{ due, benign int }
	scenarios := map[string]both{}
	for _, l := range staged(t, 1).Labels() {
		b := scenarios[l.Scenario]
		if l.AlertDue() {
			b.due++
		} else {
			b.benign++
		}
		scenarios[l.Scenario] = b
	}
	for _, scenario := range []string{
		"data_theft_departing_user", "data_leaks", "data_leaks_priority_user", "data_leaks_risky_user", "security_violation",
		"security_violation_departing_user", "security_violation_risky_user", "healthcare_data_misuse", "risky_browsing", "risky_ai_use",
	} {
		if b := scenarios[scenario]; b.due == 0 || b.benign == 0 {
			t.Errorf("%s has %d people to find and %d benign ones", scenario, b.due, b.benign)
		}
		delete(scenarios, scenario)
	}
	if len(scenarios) > 0 {
		t.Errorf("labels name other scenarios: %v", scenarios)
	}
}

func TestLabelsOfOlderVersionsAreRead(t *testing.T) {
	t.Parallel()
	// A label without a scenario keeps all else, and still says whether an alert is due.
	var l Label
	text := `{"user":"ada@contoso.example","kind":"theft","story":"leaver_theft","from":"2026-03-15T00:00:00.000Z","to":"2026-04-07T00:00:00.000Z"}`
	if err := json.Unmarshal([]byte(text), &l); err != nil {
		t.Fatal(err)
	}
	if l.User != "ada@contoso.example" || l.Scenario != "" || l.Story != StoryTheft || !l.AlertDue() || l.From >= l.To {
		t.Errorf("read as %+v", l)
	}
}

// within tells whether the day is one of the story's.
func (s *story) within(day int) bool { return day >= s.first && day <= s.last }

func TestStoriesShowInTheRecords(t *testing.T) {
	t.Parallel()
	// A story leaves its traces, in volume and over days, within its time only; a benign one never those of harm.
	tenant := staged(t, 4)
	tests := []struct {
		story, trace string
		count, days  int  // at least; a count of -1 is never
		always       bool // also from everyday work, at any time
	}{
		{StoryEmployeeTheft, `"Operation":"FileRenamed"`, 9, 3, true},
		{StoryEmployeeTheft, `"Operation":"FileArchived"`, 6, 3, false},
		{StoryEmployeeTheft, `"Operation":"FileCopiedToRemovableMedia"`, 8, 1, false},
		{StoryEmployeeTheft, `"Operation":"FileUploadedToCloud"`, 3, 1, false},
		{StoryEmployeeTheft, `"Operation":"FileDeleted"`, 60, 3, true},
		{StoryMailDiversion, `"ForwardingSmtpAddress"`, 1, 1, false},
		{StoryMailDiversion, `"Name":"ForwardTo"`, 1, 1, false},
		{StoryMailDiversion, `"EmailDirection":"Outbound"`, 12, 4, true},
		{StoryPublicLinks, `"LabelEventType":2`, 12, 4, true},
		{StoryPublicLinks, `"Operation":"AnonymousLinkCreated"`, 12, 4, false},
		{StoryTampering, `TamperingAttempt"`, 2, 2, false},
		{StoryLeaverTampering, `TamperingAttempt"`, 2, 2, false},
		{StoryDemotedTampering, `TamperingAttempt"`, 2, 2, false},
		{StoryRiskySites, `"SmartScreenUrlWarning"`, 8, 4, false},
		{StoryRiskySites, `"SmartScreenUserOverride"`, 3, 2, false},
		{StoryRiskySites, `"ConnectionSuccess"`, 40, 5, true},
		{StoryAILeak, `"SensitiveInfoTypeName"`, 12, 4, false},
		{StoryAILeak, `"Operation":"PastedToBrowser"`, 5, 3, false},
		{StoryAILeak, `"Action":"Read","SiteUrl"`, 2, 1, true},
		{StoryHandIn, `"Operation":"FilePrinted"`, 50, 1, true},
		{StoryHandIn, `"Operation":"FileDownloaded"`, 380, 1, true},
		{StoryNewLaptop, `"Operation":"FileSyncDownloadedFull"`, 150, 1, true},
		{StoryUSBHabit, `"Operation":"FileCopiedToRemovableMedia"`, 100, 5, true},
		{StoryCorrespondence, `"EmailDirection":"Outbound"`, 150, 20, true},
		{StoryCorrespondence, `"ForwardTo"`, -1, 0, true},
		{StoryDailyAI, `"Operation":"PastedToBrowser"`, 8, 5, false},
		{StoryDailyAI, `"SensitiveInfoTypeName"`, -1, 0, true},
		{StoryStraySites, `"SmartScreenUserOverride"`, -1, 0, true},
		{StoryPoorReview, `TamperingAttempt"`, -1, 0, true},
		{StoryPromoted, `"Operation":"FileUploadedToCloud"`, -1, 0, true},
		{StoryLowAlerts, `TamperingAttempt"`, -1, 0, true},
	}
	people := make([]*person, len(tests))
	counts, days := make([]int, len(tests)), make([]map[int]bool, len(tests))
	for i, test := range tests {
		people[i], days[i] = actor(t, tenant, test.story), map[int]bool{}
	}
	upstream(tenant, func(day int, it item) {
		for i, test := range tests {
			p := people[i]
			if !mine(p, it) || !bytes.Contains(it.value, []byte(test.trace)) {
				continue
			}
			counts[i]++
			days[i][day] = true
			if !test.always && !p.story.within(day) {
				t.Errorf("%s: %s on day %d, outside the story's %d to %d", test.story, test.trace, day, p.story.first, p.story.last)
			}
		}
	})
	for i, test := range tests {
		switch {
		case test.count < 0 && counts[i] > 0:
			t.Errorf("%s: %s is there %d times, want never", test.story, test.trace, counts[i])
		case counts[i] < test.count || len(days[i]) < test.days:
			t.Errorf("%s: %s is there %d times on %d days, want at least %d on %d", test.story, test.trace, counts[i], len(days[i]), test.count, test.days)
		}
	}
}

// mine tells whether a record is of what a person did.
func mine(p *person, it item) bool {
	if it.carrier == carrierAudit {
		return strings.EqualFold(it.user, p.upn)
	}
	for _, column := range []string{"InitiatingProcessAccountUpn", "AccountUpn", "SenderFromAddress", "userPrincipalName"} {
		if bytes.Contains(it.value, []byte(`"`+column+`":"`+p.upn+`"`)) {
			return true
		}
	}
	return false
}

func TestAlertsTellHarmFromTrifles(t *testing.T) {
	t.Parallel()
	// Who tampers has findings of medium and high severity on several days; the others low ones only.
	tenant := staged(t, 6)
	severities := map[string]map[string]int{} // by person, from the evidence's alert
	titles := map[string]string{}
	for _, list := range [][]alertKind{violations, trifles} {
		for _, k := range list {
			titles[k.title] = k.severity
		}
	}
	stories := map[string]string{}
	for _, l := range tenant.Labels() {
		stories[l.User] = l.Story
	}
	upstream(tenant, func(_ int, it item) {
		evidence, graph := bytes.Contains(it.value, []byte(`"AdvancedHunting-AlertEvidence"`)), bytes.Contains(it.value, []byte(`"status":"new"`))
		if !evidence && !graph {
			return
		}
		for user, story := range stories {
			if !bytes.Contains(it.value, []byte(`"`+user+`"`)) {
				continue
			}
			for title, severity := range titles {
				if bytes.Contains(it.value, []byte(`"`+title+`"`)) {
					if severities[story] == nil {
						severities[story] = map[string]int{}
					}
					severities[story][severity]++
				}
			}
		}
	})
	for _, story := range []string{StoryTampering, StoryLeaverTampering, StoryDemotedTampering} {
		if s := severities[story]; s["High"] == 0 || s["High"]+s["Medium"] < 5 {
			t.Errorf("%s has the alerts %v", story, s)
		}
	}
	for _, story := range []string{StoryLowAlerts, StoryLeaverAlerts, StoryDemotedAlerts, StoryPostponed, StoryPoorReview} {
		if s := severities[story]; s["High"]+s["Medium"] > 0 {
			t.Errorf("%s has the alerts %v", story, s)
		}
	}
	if s := severities[StoryLowAlerts]; s["Low"] < 3 {
		t.Errorf("%s has the alerts %v", StoryLowAlerts, s)
	}
}

func TestTravellersAndNewLaptops(t *testing.T) {
	t.Parallel()
	// A journey is to one other country with a day on the way there and back, on another device; a new laptop stays.
	tenant := small(t, Options{Seed: 5, Users: secondCastUsers, Days: 42, Density: 1})
	traveller, changed, night := actor(t, tenant, StoryTraveller), actor(t, tenant, StoryNewLaptop), actor(t, tenant, StoryNightShift)
	countries, devices := map[int]map[string]bool{}, map[string]map[int]bool{}
	shift, hours := 0, 0
	upstream(tenant, func(day int, it item) {
		var record struct {
			Category   string
			Properties struct {
				CreatedDateTime   time.Time
				UserPrincipalName string
				Location          struct{ CountryOrRegion string }
				DeviceName        string
				AccountUpn        string `json:"InitiatingProcessAccountUpn"`
			}
		}
		if it.carrier != carrierEnvelope || json.Unmarshal(it.value, &record) != nil {
			return
		}
		properties := record.Properties
		if record.Category == "SignInLogs" && properties.UserPrincipalName == traveller.upn {
			if countries[day] == nil {
				countries[day] = map[string]bool{}
			}
			countries[day][properties.Location.CountryOrRegion] = true
		}
		if record.Category == "SignInLogs" && properties.UserPrincipalName == night.upn {
			hours++
			if h := (properties.CreatedDateTime.UTC().Hour() + night.place.offset + 24) % 24; h >= 22 || h < 6 {
				shift++
			}
		}
		if properties.AccountUpn == changed.upn {
			if devices[properties.DeviceName] == nil {
				devices[properties.DeviceName] = map[int]bool{}
			}
			devices[properties.DeviceName][day] = true
		}
	})
	away := tenant.today(traveller, traveller.story.first+1).place.country
	if away == traveller.place.country || tenant.today(traveller, traveller.story.first+1).deviceHash == traveller.deviceHash {
		t.Error("the traveller is at home, or without another laptop")
	}
	abroad := 0
	for day, seen := range countries {
		want := traveller.place.country
		if traveller.story.within(day) {
			want = away
			abroad++
		}
		if len(seen) != 1 || !seen[want] || traveller.story.travels(day) {
			t.Errorf("on day %d the traveller signs in from %v, want %s", day, seen, want)
		}
	}
	if abroad == 0 || abroad == len(countries) {
		t.Errorf("%d of %d days are abroad", abroad, len(countries))
	}
	if len(devices) != 2 || devices[changed.deviceFull] == nil {
		t.Errorf("the laptops are %v", devices)
	}
	for name, days := range devices {
		for day := range days {
			if (name == changed.deviceFull) == changed.story.within(day) {
				t.Errorf("%s is used on day %d", name, day)
			}
		}
	}
	if hours == 0 || shift != hours {
		t.Errorf("%d of %d sign-ins of the night shift are at night", shift, hours)
	}
}

func TestGroups(t *testing.T) {
	t.Parallel()
	// Priority users are who has a story of priority users, and the top of the organisation; small tenants have the top alone.
	tenant := staged(t, 1)
	priority := tenant.Groups()[GroupPriority]
	for _, l := range tenant.Labels() {
		if want := l.Scenario == ScenarioPriorityLeaks; slices.Contains(priority, l.User) != want {
			t.Errorf("%s is a priority user: %v", l.Story, !want)
		}
	}
	if len(priority) != 4 { // one of the three at the top leaves
		t.Errorf("%d priority users: %v", len(priority), priority)
	}
	if few := small(t, Options{Users: MinUsers, Days: 1}).Groups()[GroupPriority]; len(few) > topPeople {
		t.Errorf("a small tenant has %v", few)
	}
}
