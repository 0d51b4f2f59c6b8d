package tenant

import (
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// The stories of the first cast.
const (
	StoryTheft          = "leaver_theft"          // downloads, packs, copies and mails much, from weeks before notice
	StorySlowTheft      = "leaver_slow_theft"     // takes a little every day; HR hears of the notice late
	StoryQuietLeaver    = "leaver_quiet"          // resigns and works on as ever
	StoryHandover       = "leaver_handover"       // downloads and uploads hundreds of files, all inside
	StoryWithdrawn      = "resignation_withdrawn" // takes the notice back, makes a backup weeks later
	StoryExternalMail   = "sales_external_mail"   // mails customers all day, does not leave
	StoryBackup         = "usb_backup"            // copies much to a stick, does not leave
	StoryServiceAccount = "service_account"       // downloads by the hundred every night
	StoryContractor     = "contractor_theft"      // terminated, which only the worker file says, by employee id
	StoryContractorDone = "contractor_quiet"      // the same without taking anything
)

// story is somebody's part. Days count from the tenant's first.
type story struct {
	name         string
	first, last  int // days on which something happens
	noticeDay    int // the date of the resignation
	heardDay     int // when the HR feed first has it
	lastDay      int // last working day, may lie beyond the tenant's days
	withdrawnDay int // when the HR feed takes it back, 0 for never
	moves        []move
	second       bool // of the second cast, whose reviews and levels are part of the story
	fact         fact // what HR notes besides, on factDay
	factDay      int
}

// castSize is how many people one first cast has; a tenant has both casts once
// per castPer people, so that larger ones have more leavers.
const (
	castSize = 9
	castPer  = 150
)

// cast gives people their parts.
func (t *Tenant) cast(d dice) {
	casts := max(1, t.options.Users/castPer)
	// Parts are spread over the staff, not given to the first ones employed.
	step := t.options.Users / (casts * castSize)
	for c := range casts {
		for part := range castSize {
			p := &t.people[(c*castSize+part)*step]
			t.play(d, p, c, part)
		}
	}
}

// play gives one person a part. Dates are shares of the tenant's days, in three
// different weeks for the casts.
func (t *Tenant) play(d dice, p *person, c, part int) {
	days := t.options.Days
	on := func(share float64) int { return min(int(share*float64(days)), days-1) }
	shift := -0.04 * float64(c%3)
	s := &story{last: days - 1}
	p.role, p.contractor = &roles[roleScientist], false
	p.start, p.length = schemas.Time(d.between(8*60, 9*60+30))*minute, 8*hour
	switch part {
	case 0:
		*s = story{name: StoryTheft, noticeDay: on(0.66 + shift)}
		s.first, s.last, s.lastDay, s.heardDay = max(0, s.noticeDay-d.between(14, 20)), min(days-1, s.noticeDay+9), s.noticeDay+14, s.noticeDay+1
		p.role = &roles[roleEngineer]
	case 1:
		*s = story{name: StorySlowTheft, noticeDay: on(0.50 + shift), heardDay: on(0.80 + shift), lastDay: on(0.92 + shift)}
		s.first, s.last = on(0.15), min(days-1, s.lastDay)
	case 2:
		*s = story{name: StoryQuietLeaver, noticeDay: on(0.45 + shift)}
		s.heardDay, s.lastDay, s.first, s.last = s.noticeDay+1, s.noticeDay+28, s.noticeDay, days-1
		p.role = &roles[roleOperations]
	case 3:
		*s = story{name: StoryHandover, noticeDay: on(0.50 + shift)}
		s.heardDay, s.lastDay = s.noticeDay+1, s.noticeDay+21
		s.first, s.last = s.noticeDay+3, days-1
		p.role = &roles[roleOperations]
	case 4:
		*s = story{name: StoryWithdrawn, noticeDay: on(0.25), withdrawnDay: on(0.5 + shift)}
		s.heardDay, s.lastDay, s.first, s.last = s.noticeDay+1, s.noticeDay+42, s.noticeDay, days-1
		p.role = &roles[roleEngineer]
	case 5:
		s.name, p.role, p.drift = StoryExternalMail, &roles[roleSales], 1.2
	case 6:
		s.name, s.first, p.role = StoryBackup, on(0.4), &roles[roleMarketing]
	case 7:
		s.name, p.service = StoryServiceAccount, true
		p.given, p.family, p.display = "Service", "Backup", "Backup Service"
		p.name("svc.backup"+strings.Repeat("x", c), t.options.Domain)
		p.office, p.agent = "192.0.2.20", "BackupConnector/4.2"
	default:
		*s = story{name: StoryContractor, noticeDay: on(0.72 + shift)}
		s.heardDay, s.lastDay, p.contractor, p.role = s.noticeDay, s.noticeDay, true, &roles[roleEngineer]
		s.first, s.last = max(0, s.noticeDay-12), s.noticeDay
		if c%2 == 1 {
			s.name = StoryContractorDone
		}
	}
	p.story = s
}

// leaves tells whether the resignation file has the story.
func (s *story) leaves() bool {
	switch s.name {
	case StoryTheft, StorySlowTheft, StoryQuietLeaver, StoryHandover, StoryWithdrawn, StoryPostponed, StoryLeaverTampering, StoryLeaverAlerts:
		return true
	default:
		return false
	}
}

// terminated tells whether the worker file ends the story's employment.
func (s *story) terminated() bool { return s.name == StoryContractor || s.name == StoryContractorDone }
