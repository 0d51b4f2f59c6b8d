package tenant

// performSecond adds what a story of the second cast has on a working day. Those
// which are missing here are told by who the person is, by the HR files or by
// the device alone.
func (g *generator) performSecond(p *person, day int) {
	s := p.story
	switch s.name {
	case StoryEmployeeTheft:
		g.takeAlong(p, day)
	case StoryMailDiversion:
		g.divertMail(p, day)
	case StoryPublicLinks:
		g.publishLinks(p, day)
	case StoryTampering, StoryLeaverTampering, StoryDemotedTampering:
		g.tamper(p, day)
	case StoryPatientSnooping:
		g.nurse(p, day, g.dice.between(18, 35))
		g.snoop(p, day)
	case StoryBusyNurse:
		g.nurse(p, day, g.dice.between(60, 95))
	case StoryRiskySites:
		g.browse(p, day)
	case StoryAILeak:
		g.leakToAI(p, day)
	case StoryHandIn:
		g.handIn(p, day)
	case StoryNewLaptop:
		if day == s.first {
			g.syncAnew(p, day)
		}
	case StoryUSBHabit:
		if int(g.tenant.midnight(day).UTC().Weekday()) == 1+p.index%5 {
			g.copyMany(p, day, g.dice.between(20, 40))
		}
	case StoryCorrespondence:
		for range g.dice.between(8, 20) {
			g.sendMail(p, g.moment(p, day), []recipient{{address: g.outsider()}}, g.someFiles(p, 1, 3))
		}
	case StoryLowAlerts:
		g.minorAlerts(p, day, 0.35)
	case StoryLeaverAlerts, StoryDemotedAlerts:
		g.minorAlerts(p, day, 0.12)
	case StoryStraySites:
		g.stray(p, day)
	case StoryDailyAI:
		g.useAI(p, day)
	}
}
