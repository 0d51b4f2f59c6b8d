package tenant

import "github.com/riskpipe/riskpipe/schemas"

// Streams of chance that belong to no person.
const (
	streamPublish = -1
	streamHR      = -2
	streamMachine = -3
	streamFacts   = -4
	streamHealth  = -5
)

// generate makes everything that happens on a day. People work on their local
// clocks, so a day's events reach into the next one.
func (g *generator) generate(day int) {
	if day == 0 {
		g.throw(streamMachine, -1)
		for i := range g.tenant.people {
			g.identityInfo(&g.tenant.people[i], g.tenant.start+g.dice.span(0, 20*minute))
		}
	}
	g.hr(day)
	for i := range g.tenant.people {
		p := &g.tenant.people[i]
		g.throw(i, day)
		if p.service {
			g.nightlyBackup(p, day)
			continue
		}
		if p.story != nil && p.story.terminated() && day > p.story.lastDay || p.story != nil && p.story.leaves() && p.story.withdrawnDay == 0 && day > p.story.lastDayAs(day) {
			continue // gone
		}
		if busy := g.works(p, day); busy > 0 {
			p = g.tenant.today(p, day)
			g.work(p, day, busy*g.tenant.options.Density)
			if p.story != nil {
				g.perform(p, day)
			}
		}
	}
	g.throw(streamMachine, day)
	g.machines(day)
	g.throw(streamHealth, day)
	g.accesses(day)
}

// work is an ordinary working day.
func (g *generator) work(p *person, day int, busy float64) {
	g.signIns(p, day, busy)
	g.mails(p, day, busy)
	g.files(p, day, busy)
	g.device(p, day, busy)
}

// device is what Defender and endpoint DLP see of a day at the laptop.
func (g *generator) device(p *person, day int, busy float64) {
	for range g.dice.some(p.role.endpoint * busy) {
		f, at := g.file(p), g.moment(p, day)
		switch n := g.dice.IntN(100); {
		case n < 60:
			g.endpoint(p, at, "FileModified", &f, nil)
		case n < 80:
			g.endpoint(p, at, "FileCopiedToClipboard", &f, nil)
		case n < 90:
			g.endpoint(p, at, "FileCopiedToNetworkShare", &f, nil)
		case n < 97:
			g.endpoint(p, at, "FileRenamed", &f, func(w *writer) { w.text("PreviousFileName", "Copy of "+f.name) })
		case p.story == nil:
			g.uploadToCloud(p, at, &f, pick(g.dice, businessCloud))
		}
	}
	for range g.dice.some(p.role.printed * busy) {
		f := g.file(p)
		g.printFile(p, g.moment(p, day), &f)
	}
	for range g.dice.some(1.2 * busy) {
		f := g.file(p)
		g.deviceFile(p, g.moment(p, day), pick(g.dice, []string{"FileCreated", "FileModified", "FileModified", "FileRenamed", "FileDeleted"}), `C:\Users\`+p.sam+`\Documents\`+f.name, &f)
	}
	for range g.dice.some(0.8 * busy) {
		g.deviceNetwork(p, g.moment(p, day), pick(g.dice, partners))
	}
	for range g.dice.some(0.8 * busy) {
		g.identityLogon(p, g.moment(p, day))
	}
	for range g.dice.some(0.6 * busy) {
		f, at := g.file(p), g.moment(p, day)
		raw := g.sharePoint(p, at, "FileAccessed", &f)
		g.cloudApp(p, at, "FileAccessed", &f, raw)
	}
	if g.dice.chance(0.02 * busy) { // a projector, a customer's stick
		at := g.moment(p, day)
		g.usbMounted(p, at)
		if p.story == nil {
			for range g.dice.between(0, 3) {
				f := g.file(p)
				at += g.dice.span(20*second, 2*minute)
				g.copyToUSB(p, at, &f)
			}
		}
	}
	if g.dice.chance(0.004 * busy) {
		at := g.moment(p, day)
		g.alert(p, at, pick(g.dice, alertKinds))
	}
	if g.dice.chance(0.0015 * busy) {
		at := g.moment(p, day)
		g.graphAlert(p, at, pick(g.dice, alertKinds))
	}
}

// machines are what runs without anybody.
func (g *generator) machines(day int) {
	from := g.tenant.midnight(day)
	anytime := func() schemas.Time { return from + g.dice.span(0, dayLength-1) }
	people := float64(len(g.tenant.people)) * g.tenant.options.Density
	for n := range g.dice.some(10 + 0.2*people) {
		g.workloadSignIn(anytime(), n)
	}
	for range g.dice.some(1 + 0.05*people) {
		g.systemMail(anytime())
	}
	for range g.dice.some(1 + 0.1*people) {
		g.noise(anytime())
	}
	for range g.dice.some(1 + 0.01*people) {
		g.directoryAudit(g.colleague(), &g.tenant.people[1], anytime())
	}
}
