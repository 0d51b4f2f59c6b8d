package tenant

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/riskpipe/riskpipe/schemas"
)

// table returns the rows of all CSV files with a column, by the header's names.
func table(t testing.TB, tenant *Tenant, column string, each func(day int, row map[string]string)) {
	t.Helper()
	for r := range tenant.Records() {
		header, _, _ := bytes.Cut(r.Value, []byte("\n"))
		if r.Source != schemas.SourceHR || !slices.Contains(strings.Split(string(header), ","), column) {
			continue
		}
		rows, err := csv.NewReader(bytes.NewReader(r.Value)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, cells := range rows[1:] {
			row := map[string]string{}
			for i, name := range rows[0] {
				row[name] = cells[i]
			}
			each(int((r.Time-tenant.start)/dayLength), row)
		}
	}
}

func TestHealthRecords(t *testing.T) {
	t.Parallel()
	// The nurse who snoops looks up colleagues and neighbours, known by the employee profiles; the busy one has many patients and hardly any of these.
	tenant := staged(t, 2)
	streets, homes := map[string]string{}, map[string]bool{}
	street := func(line string) string { _, name, _ := strings.Cut(line, " "); return name }
	profiles := 0
	table(t, tenant, "EmployeeAddressLine1", func(_ int, row map[string]string) {
		profiles++
		homes[row["EmployeeLastName"]+row["EmployeeAddressLine1"]+row["EmployeeZipCode"]] = true
		streets[row["EmailAddress"]] = street(row["EmployeeAddressLine1"]) + row["EmployeeZipCode"]
	})
	if services := 1; profiles != 3*(secondCastUsers-services) {
		t.Errorf("%d rows of profiles: want three files of everybody", profiles)
	}
	type seen struct{ looks, colleagues, neighbours, restricted int }
	by := map[string]*seen{actor(t, tenant, StoryPatientSnooping).upn: {}, actor(t, tenant, StoryBusyNurse).upn: {}}
	table(t, tenant, "Patient Reg Id", func(day int, row map[string]string) {
		s := by[row["Email Address"]]
		if s == nil {
			t.Fatalf("%s is no nurse", row["Email Address"])
		}
		at, err := time.Parse(time.RFC3339, row["Creation Time"])
		if err != nil || schemas.TimeOf(at) >= tenant.midnight(day+1) {
			t.Errorf("an access at %q in the file of day %d (%v)", row["Creation Time"], day, err)
		}
		s.looks++
		if homes[row["Patient Last Name"]+row["Patient Address Line 1"]+row["Patient Zip Code"]] {
			s.colleagues++
		} else if street(row["Patient Address Line 1"])+row["Patient Zip Code"] == streets[row["Email Address"]] {
			s.neighbours++
		}
		if broke := row["Event Name"] == "Break the Glass"; broke != (row["Restricted Access Reason"] != "") {
			t.Errorf("%s with the reason %q", row["Event Name"], row["Restricted Access Reason"])
		} else if broke {
			s.restricted++
		}
	})
	snoop, busy := by[actor(t, tenant, StoryPatientSnooping).upn], by[actor(t, tenant, StoryBusyNurse).upn]
	if snoop.colleagues < 12 || snoop.neighbours < 6 || snoop.restricted == 0 {
		t.Errorf("the snooping nurse's looks: %+v", *snoop)
	}
	if busy.looks < 2*snoop.looks || (busy.colleagues+busy.neighbours)*50 > busy.looks {
		t.Errorf("the busy nurse's looks: %+v beside %+v", *busy, *snoop)
	}
}

func TestHRNotesWhatStoriesNeed(t *testing.T) {
	t.Parallel()
	// Facts stay in the daily file from the day after; chance adds none to people of the second cast.
	tenant := staged(t, 3)
	last := tenant.Days() - 1
	for story, want := range map[string]struct{ scenario, column, value string }{
		StoryPublicLinks:      {"Performance improvement plan", "Rating", "1-Unsatisfactory"},
		StoryDemotedTampering: {"Job level change", "NewLevel", "Level 61 - Specialist"},
		StoryDemotedAlerts:    {"Job level change", "NewLevel", "Level 61 - Specialist"},
		StoryPoorReview:       {"Performance review", "Rating", "2-Below expectations"},
		StoryPromoted:         {"Job level change", "NewLevel", "Level 62 - Lead"},
	} {
		p := actor(t, tenant, story)
		days := 0
		table(t, tenant, "HRScenario", func(day int, row map[string]string) {
			if !strings.EqualFold(row["EmailAddress"], p.upn) {
				return
			}
			days++
			if day <= p.story.factDay || row["HRScenario"] != want.scenario || row[want.column] != want.value || row["EffectiveDate"] == "" {
				t.Errorf("%s on day %d: %v", story, day, row)
			}
		})
		if days != last-p.story.factDay {
			t.Errorf("%s: %d days have the fact of day %d", story, days, p.story.factDay)
		}
	}
	table(t, tenant, "Rating", func(_ int, row map[string]string) {
		for i := range tenant.people {
			p := &tenant.people[i]
			if row["HRScenario"] == "" && p.story != nil && p.story.second && row["EmailAddress"] == p.upn {
				t.Errorf("%s has a review by chance", p.story.name)
			}
		}
	})
}

func TestLastDayIsMovedTwice(t *testing.T) {
	t.Parallel()
	// The daily resignation file has three last days, each later than the one before, and nothing happens afterwards.
	tenant := staged(t, 8)
	p := actor(t, tenant, StoryPostponed)
	var dates []string
	table(t, tenant, "LastWorkingDate", func(_ int, row map[string]string) {
		if row["HRScenario"] == "" && strings.EqualFold(row["EmailAddress"], p.upn) {
			dates = append(dates, row["LastWorkingDate"])
		}
	})
	if !slices.IsSorted(dates) || len(slices.Compact(dates)) != 3 {
		t.Errorf("the last days are %v", dates)
	}
	end := p.story.lastDayAs(tenant.Days())
	worked := 0
	upstream(tenant, func(day int, it item) {
		if it.source != schemas.SourceHR && day > 0 && mine(p, it) {
			if worked++; day > end {
				t.Errorf("at work on day %d, after the last one, %d", day, end)
			}
		}
	})
	if worked == 0 {
		t.Error("never at work")
	}
}
