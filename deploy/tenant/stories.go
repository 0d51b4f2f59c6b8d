package tenant

import "github.com/riskpipe/riskpipe/schemas"

// perform adds what a person's story has on a working day. Volumes are the same
// at every density.
func (g *generator) perform(p *person, day int) {
	s := p.story
	if day < s.first || day > s.last {
		return
	}
	if s.second {
		g.performSecond(p, day)
		return
	}
	switch s.name {
	case StoryTheft, StoryContractor:
		g.steal(p, day)
	case StorySlowTheft:
		g.stealSlowly(p, day)
	case StoryHandover:
		if (day-s.first)%3 == 0 && day < s.first+12 {
			g.handOver(p, day)
		}
	case StoryQuietLeaver:
		if day == s.first+5 || day == s.first+6 {
			g.sendMail(p, g.moment(p, day), []recipient{{address: p.personalMail}}, nil) // the pay slip's link
		}
	case StoryWithdrawn:
		if s.withdrawnDay > 0 && (day-s.withdrawnDay == 7 || day-s.withdrawnDay == 8) {
			g.copyMany(p, day, g.dice.between(20, 40))
		}
	case StoryExternalMail:
		for range g.dice.between(25, 55) {
			f := g.file(p)
			g.sendMail(p, g.moment(p, day), []recipient{{address: g.outsider()}}, []file{f})
		}
	case StoryBackup:
		if n := (day - s.first) % 7; n < 2 {
			g.copyMany(p, day, g.dice.between(60, 140))
		}
	}
}

// steal is a day of somebody who takes much: collects, packs, takes out, cleans
// up. Not every day.
func (g *generator) steal(p *person, day int) {
	if !g.dice.chance(0.6) {
		return
	}
	at := g.moment(p, day)
	var taken []file
	for range g.dice.between(40, 160) {
		f := g.file(p)
		f.site = pick(g.dice, roles).site
		at += g.dice.span(2*second, 40*second)
		g.sharePoint(p, at, "FileDownloaded", &f)
		taken = append(taken, f)
	}
	for i := range g.dice.between(1, 5) {
		at += g.dice.span(minute, 4*minute)
		g.archive(p, at, &taken[i])
	}
	if g.dice.chance(0.6) {
		g.usbMounted(p, at+minute)
		for i := range g.dice.between(10, 40) {
			at += g.dice.span(3*second, 30*second)
			g.copyToUSB(p, at, &taken[i%len(taken)])
		}
	}
	if g.dice.chance(0.5) {
		domain := pick(g.dice, personalCloud)
		for i := range g.dice.between(4, 15) {
			at += g.dice.span(10*second, minute)
			g.uploadToCloud(p, at, &taken[len(taken)-1-i], domain)
		}
	}
	if g.dice.chance(0.4) {
		for i := range g.dice.between(1, 4) {
			at += g.dice.span(minute, 5*minute)
			g.sendMail(p, at, []recipient{{address: p.personalMail}}, taken[i*2:i*2+2])
		}
	}
	if g.dice.chance(0.3) {
		for range g.dice.between(40, 150) {
			f := g.file(p)
			at += g.dice.span(second, 5*second)
			g.sharePoint(p, at, "FileDeleted", &f)
		}
	}
}

// stealSlowly is a day of somebody who takes a little.
func (g *generator) stealSlowly(p *person, day int) {
	some := func(low, high int, take func(at schemas.Time, f *file)) {
		at := g.moment(p, day)
		for range g.dice.between(low, high) {
			f := g.file(p)
			g.sharePoint(p, at-2*minute, "FileDownloaded", &f)
			take(at, &f)
			at += g.dice.span(30*second, 10*minute)
		}
	}
	switch g.dice.IntN(6) { // nothing on every other day
	case 0:
		g.usbMounted(p, g.moment(p, day))
		some(5, 10, func(at schemas.Time, f *file) { g.copyToUSB(p, at, f) })
	case 1:
		domain := personalCloud[p.index%len(personalCloud)]
		some(3, 6, func(at schemas.Time, f *file) { g.uploadToCloud(p, at, f, domain) })
	case 2:
		some(2, 3, func(at schemas.Time, f *file) {
			g.sendMail(p, at, []recipient{{address: p.personalMail}}, []file{*f})
		})
	}
}

// handOver is a day of somebody who leaves their work behind in good order.
func (g *generator) handOver(p *person, day int) {
	at := g.moment(p, day)
	for range g.dice.between(120, 420) {
		f := g.file(p)
		at += g.dice.span(second, 8*second)
		g.sharePoint(p, at, "FileDownloaded", &f)
		if g.dice.chance(0.6) {
			f.site, f.folder = "Operations-Team", "Shared Documents/Handover"
			g.sharePoint(p, at+minute, "FileUploaded", &f)
		}
	}
	for range g.dice.between(4, 10) {
		f := g.file(p)
		at += g.dice.span(10*second, 2*minute)
		g.share(p, at, &f, "")
	}
}

// copyMany is a backup to a stick.
func (g *generator) copyMany(p *person, day, files int) {
	at := g.moment(p, day)
	g.usbMounted(p, at)
	for range files {
		f := g.file(p)
		at += g.dice.span(second, 15*second)
		g.copyToUSB(p, at, &f)
	}
}

// nightlyBackup is a night of the service account.
func (g *generator) nightlyBackup(p *person, day int) {
	at := g.tenant.midnight(day) + 2*hour
	for range g.dice.between(120, 220) {
		f := g.file(p)
		f.site = pick(g.dice, roles).site
		at += g.dice.span(second, 20*second)
		g.sharePoint(p, at, "FileDownloaded", &f)
	}
}
