package tenant

import (
	"strconv"

	"github.com/riskpipe/riskpipe/schemas"
)

// The sites that stories visit: real ones by name, as with the personal clouds,
// since it is their names by which filters know them.
var (
	riskySites = []string{
		"bet365.com", "pokerstars.com", "williamhill.com", // gambling
		"hackforums.net", "nulled.to", "exploit-db.com", // hacking
		"thepiratebay.org", "1337x.to", "rutracker.org", // illegal software
	}
	aiSites = []string{"chatgpt.com", "claude.ai", "gemini.google.com", "perplexity.ai", "deepseek.com"}
)

// classifiers are what is found in files that should not go out.
var classifiers = []sensitive{
	{"50842eb7-edc8-4019-85dd-5a5c1f2bb085", "Credit Card Number", 0},
	{"e7dc4711-11b7-4cb0-b88b-2c394a771f0e", "International Banking Account Number (IBAN)", 0},
	{"a44669fe-0d48-453d-a9b1-2cc83f2cba77", "U.S. Social Security Number (SSN)", 0},
}

// browse is a day of somebody who spends hours on sites they should not visit
// at work. Not every day.
func (g *generator) browse(p *person, day int) {
	if day != p.story.first && !g.dice.chance(0.65) {
		return
	}
	at := g.moment(p, day)
	for range g.dice.between(6, 25) {
		host := pick(g.dice, riskySites)
		if g.dice.chance(0.3) {
			host = favourite(p, riskySites)
		}
		g.visit(p, at, host)
		if g.dice.chance(0.25) {
			g.smartScreen(p, at+g.dice.span(100, second), "SmartScreenUrlWarning", host)
			if g.dice.chance(0.6) {
				g.smartScreen(p, at+g.dice.span(2*second, 9*second), "SmartScreenUserOverride", host)
			}
		}
		at += g.dice.span(20*second, 9*minute)
	}
}

// favourite is the site that a person returns to.
func favourite(p *person, sites []string) string { return sites[p.index%len(sites)] }

// stray is a day of somebody who mistypes an address now and then, and goes no
// further.
func (g *generator) stray(p *person, day int) {
	if g.dice.chance(0.08) {
		at, host := g.moment(p, day), "wwww."+pick(g.dice, partners)
		g.visit(p, at, host)
		g.smartScreen(p, at+g.dice.span(100, second), "SmartScreenUrlWarning", host)
	}
}

// visit publishes a connection of the browser, with a host or a whole address.
func (g *generator) visit(p *person, at schemas.Time, host string) {
	g.deviceNetwork(p, at, choose(g.dice.chance(0.5), host, "https://www."+host+"/"+strconv.Itoa(g.dice.between(1, 9999))))
}

// smartScreen publishes a row of DeviceEvents of SmartScreen: a warning, or that
// somebody went on in spite of it.
func (g *generator) smartScreen(p *person, at schemas.Time, action, host string) {
	w := g.row(at)
	w.texts("ActionType", action, "RemoteUrl", "https://"+host+"/")
	g.deviceColumns(p, "msedge.exe")
	w.null("AccountDomain", "AccountName", "AccountSid", "FileName", "FolderPath", "FileSize", "SHA1", "SHA256", "RemoteIP", "LocalIP", "ProcessCommandLine")
	inner := &g.inner
	inner.reset()
	inner.open("")
	inner.text("ActivityId", g.dice.guid().String())
	inner.text("Experience", pick(g.dice, []string{"CustomPolicy", "CustomPolicy", "Malware", "Phishing"}))
	inner.close()
	w.text("AdditionalFields", string(inner.b))
	g.hunted(at, "DeviceEvents")
}

// secret marks a file as what it is: labelled, with sensitive information.
func (g *generator) secret(f *file) {
	f.label = labelConfidential
	found := pick(g.dice, classifiers)
	found.count = g.dice.between(3, 400)
	f.sensitive = []sensitive{found}
}

// leakToAI is a day of somebody who gives sensitive files and passages to AI
// sites, and has Copilot read what is confidential. Not every day.
func (g *generator) leakToAI(p *person, day int) {
	if day != p.story.first && !g.dice.chance(0.65) {
		return
	}
	at := g.moment(p, day)
	for range g.dice.between(3, 10) {
		f := g.file(p)
		g.secret(&f)
		site := favourite(p, aiSites)
		g.deviceNetwork(p, at, site)
		at += g.dice.span(20*second, 2*minute)
		if g.dice.chance(0.5) {
			g.uploadToCloud(p, at, &f, site)
		} else {
			g.paste(p, at, &f, site)
		}
		at += g.dice.span(minute, 12*minute)
	}
	for range g.dice.between(0, 3) {
		files := g.someFiles(p, 1, 4)
		for i := range files {
			g.secret(&files[i])
		}
		g.copilot(p, g.moment(p, day), files...)
	}
}

// useAI is a day of somebody who works with AI sites on what is public anyway.
func (g *generator) useAI(p *person, day int) {
	for range g.dice.between(4, 15) {
		at, site := g.moment(p, day), pick(g.dice, aiSites)
		g.deviceNetwork(p, at, site)
		if g.dice.chance(0.15) {
			f := g.file(p)
			g.paste(p, at+g.dice.span(20*second, 2*minute), &f, site)
		}
	}
}

// paste publishes that a passage of a file was pasted into the browser.
func (g *generator) paste(p *person, at schemas.Time, f *file, domain string) {
	g.endpoint(p, at, "PastedToBrowser", f, func(w *writer) {
		w.number("DestinationLocationType", 4)
		w.texts("TargetDomain", domain, "TargetUrl", "https://"+domain+"/")
	})
}
