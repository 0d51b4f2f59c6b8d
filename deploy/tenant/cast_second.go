package tenant

import (
	"time"

	"github.com/riskpipe/riskpipe/schemas"
)

// The stories of the second cast: first those of harm, then those which only
// look like it.
const (
	StoryEmployeeTheft    = "employee_theft"    // collects, renames, packs, takes out and cleans up; stays
	StoryMailDiversion    = "mail_diversion"    // a priority user forwards mail to a private mailbox, and sends files there
	StoryPublicLinks      = "public_links"      // under an improvement plan: lowers labels and shares with anyone
	StoryTampering        = "tampering"         // switches protection off, brings malware and unwanted software
	StoryLeaverTampering  = "leaver_tampering"  // the same while serving notice
	StoryDemotedTampering = "demoted_tampering" // the same after a demotion
	StoryPatientSnooping  = "patient_snooping"  // looks up the records of colleagues, neighbours and family
	StoryRiskySites       = "risky_sites"       // gambling, hacking and illegal software, for weeks
	StoryAILeak           = "ai_leak"           // pastes and uploads what is sensitive into AI sites

	StoryHandIn         = "project_hand_in"         // one day of hundreds of downloads and prints
	StoryTraveller      = "traveller"               // works abroad for some days, with a laptop on loan
	StoryNewLaptop      = "new_laptop"              // changes the laptop, which syncs everything anew
	StoryNightShift     = "night_shift"             // always works at night
	StoryUSBHabit       = "usb_habit"               // a backup to a stick every week, from the first on
	StoryCorrespondence = "priority_correspondence" // a priority user who sends partners files all day
	StoryPoorReview     = "poor_review"             // a poor review, and nothing else
	StoryPromoted       = "promoted"                // a level up, and nothing else
	StoryLowAlerts      = "developer_low_alerts"    // alerts of low severity all the time
	StoryLeaverAlerts   = "leaver_low_alerts"       // a few of them while serving notice
	StoryDemotedAlerts  = "demoted_low_alerts"      // a few of them after a demotion
	StoryPostponed      = "leaver_postponed"        // the last day is moved twice; nothing else
	StoryBusyNurse      = "busy_nurse"              // looks up very many patients, all of them their own
	StoryStraySites     = "stray_sites"             // mistypes an address now and then, and is warned
	StoryDailyAI        = "daily_ai"                // asks AI sites every day, with nothing sensitive
)

// secondCast are its parts in order.
var secondCast = []string{
	StoryEmployeeTheft, StoryMailDiversion, StoryPublicLinks, StoryTampering, StoryLeaverTampering, StoryDemotedTampering,
	StoryPatientSnooping, StoryRiskySites, StoryAILeak,
	StoryHandIn, StoryTraveller, StoryNewLaptop, StoryNightShift, StoryUSBHabit, StoryCorrespondence, StoryPoorReview, StoryPromoted,
	StoryLowAlerts, StoryLeaverAlerts, StoryDemotedAlerts, StoryPostponed, StoryBusyNurse, StoryStraySites, StoryDailyAI,
}

// secondCastUsers is how many people a tenant needs for the second cast.
const secondCastUsers = 100

// The roles that only the second cast has.
var (
	assistant = role{"Executive Office", "Executive Assistant", "Executive", 4.0, .15, .3, 3.4, .5, .4, true}
	nurse     = role{"Health Services", "Nurse", "Health", 1.0, .05, .1, 1.2, .3, .2, false}
)

// fact is what the HR system notes of somebody besides leaving.
type fact uint8

const (
	factNone fact = iota
	factImprovementPlan
	factPoorReview
	factDemotion
	factPromotion
)

// move is a new last working day, as the HR feed has it from a day on.
type move struct{ day, lastDay int }

// lastDayAs returns the last working day as the HR feed of a day has it.
func (s *story) lastDayAs(day int) int {
	last := s.lastDay
	for _, m := range s.moves {
		if m.day <= day {
			last = m.lastDay
		}
	}
	return last
}

func (t *Tenant) hasSecondCast() bool { return t.options.Users >= secondCastUsers }

// castSecond gives the parts of the second cast to people who have none, spread
// over the staff. Its chance is its own, so that the first cast stays as it is.
func (t *Tenant) castSecond() {
	if !t.hasSecondCast() {
		return
	}
	d := newDice(t.options.Seed, 2)
	casts := max(1, t.options.Users/castPer)
	step := t.options.Users / (casts * len(secondCast))
	for c := range casts {
		for part, name := range secondCast {
			i := max((c*len(secondCast)+part)*step, topPeople)
			for t.people[i].story != nil {
				i = (i + 1) % len(t.people)
			}
			t.playSecond(d, &t.people[i], c, name)
		}
	}
}

// playSecond gives one person a part of the second cast. Stories begin in
// different weeks for the casts.
func (t *Tenant) playSecond(d dice, p *person, c int, name string) {
	days := t.options.Days
	on := func(share float64) int { return min(int((share-0.05*float64(c%3))*float64(days)), days-1) }
	s := &story{name: name, second: true, last: days - 1}
	lasts := func(first, low, high int) {
		s.first = t.workday(first)
		s.last = min(days-1, s.first+d.between(low, high))
	}
	p.contractor = false
	p.start, p.length = schemas.Time(d.between(8*60, 9*60+30))*minute, 8*hour
	p.role = &roles[d.between(roleAccountant, len(roles)-1)]
	switch name {
	case StoryEmployeeTheft:
		lasts(on(0.45), 12, 18)
		p.role = &roles[roleEngineer]
	case StoryMailDiversion, StoryCorrespondence:
		lasts(on(0.4), 14, 24)
		p.role = &assistant
		if name == StoryCorrespondence {
			s.first, s.last = 0, days-1
		}
	case StoryPublicLinks:
		s.fact, s.factDay = factImprovementPlan, on(0.35)
		lasts(s.factDay, 16, 24)
	case StoryDemotedTampering, StoryDemotedAlerts:
		s.fact, s.factDay = factDemotion, on(0.4)
		lasts(s.factDay, 12, 20)
	case StoryPoorReview, StoryPromoted:
		s.fact, s.factDay = factPoorReview, on(0.3)
		if name == StoryPromoted {
			s.fact = factPromotion
		}
		s.first = s.factDay
	case StoryTampering:
		lasts(on(0.5), 8, 14)
		p.role = &roles[roleOperations]
	case StoryLeaverTampering, StoryLeaverAlerts, StoryPostponed:
		s.noticeDay = on(0.4)
		s.heardDay, s.first, s.lastDay = s.noticeDay+1, s.noticeDay, s.noticeDay+d.between(20, 28)
		if name == StoryPostponed {
			s.lastDay = s.noticeDay + 10
			s.moves = []move{{s.noticeDay + 5, s.lastDay + 7}, {s.noticeDay + 12, s.lastDay + 14}}
		}
	case StoryPatientSnooping:
		lasts(on(0.4), 14, 24)
		p.role = &nurse
	case StoryBusyNurse:
		p.role = &nurse
	case StoryRiskySites, StoryAILeak:
		lasts(on(0.45), 12, 20)
	case StoryHandIn:
		s.first = t.workday(on(0.6))
		s.last = s.first
	case StoryTraveller:
		lasts(on(0.5), 7, 9)
	case StoryNewLaptop:
		s.first = t.workday(on(0.55))
	case StoryNightShift:
		p.start, p.role = 22*hour, &roles[roleSupport]
	case StoryLowAlerts:
		p.role = &roles[roleEngineer]
	case StoryDailyAI:
		p.role = &roles[roleMarketing]
	}
	p.story = s
}

// workday returns the day, or the next Monday when it is of a weekend; never a
// day beyond the tenant's.
func (t *Tenant) workday(day int) int {
	for next := day; next < t.options.Days; next++ {
		if weekday := t.midnight(next).UTC().Weekday(); weekday != time.Saturday && weekday != time.Sunday {
			return next
		}
	}
	return day
}
