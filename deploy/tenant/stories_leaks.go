package tenant

import (
	"strconv"
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// someFiles makes up files from where a person works.
func (g *generator) someFiles(p *person, low, high int) []file {
	files := make([]file, g.dice.between(low, high))
	for i := range files {
		files[i] = g.file(p)
	}
	return files
}

// takeAlong is a day of somebody who takes data along and stays: collects, gives
// it harmless names, packs it, takes it out and cleans up. Not every day.
func (g *generator) takeAlong(p *person, day int) {
	if day != p.story.first && !g.dice.chance(0.5) {
		return
	}
	at := g.moment(p, day)
	taken := g.someFiles(p, 30, 110)
	for i := range taken {
		at += g.dice.span(2*second, 40*second)
		g.sharePoint(p, at, "FileDownloaded", &taken[i])
	}
	var out []file
	for i := range g.dice.between(3, 10) {
		at += g.dice.span(10*second, minute)
		hidden := taken[i]
		hidden.name = pick(g.dice, []string{"Holiday", "Recipes", "Invitation", "Playlist"}) + " " + strconv.Itoa(g.dice.between(1, 400)) + "." + hidden.extension
		g.endpoint(p, at, "FileRenamed", &hidden, func(w *writer) { w.text("PreviousFileName", taken[i].name) })
		out = append(out, hidden)
	}
	for i := range g.dice.between(2, 3) {
		at += g.dice.span(minute, 4*minute)
		g.archive(p, at, &out[i])
		out[i] = out[i].packed()
	}
	out = append(out, taken[len(out):]...)
	if g.dice.chance(0.7) {
		at += g.dice.span(minute, 5*minute)
		g.usbMounted(p, at)
		for i := range g.dice.between(8, 30) {
			at += g.dice.span(3*second, 30*second)
			g.copyToUSB(p, at, &out[i])
		}
	}
	if g.dice.chance(0.6) {
		domain := personalCloud[p.index%len(personalCloud)]
		for i := range g.dice.between(3, 12) {
			at += g.dice.span(10*second, minute)
			g.uploadToCloud(p, at, &out[i], domain)
		}
	}
	for i := range g.dice.between(20, len(taken)) {
		at += g.dice.span(second, 5*second)
		if i < len(out) && g.dice.chance(0.5) {
			g.endpoint(p, at, "FileDeleted", &out[i], nil)
		} else {
			g.sharePoint(p, at, "FileDeleted", &taken[i])
		}
	}
}

// divertMail is a day of somebody who has their mail forwarded to a private
// mailbox, which they arrange on the first day, and sends files there.
func (g *generator) divertMail(p *person, day int) {
	if day == p.story.first || day == p.story.first+1 && g.dice.chance(0.5) {
		g.forward(p, g.moment(p, day))
	}
	if !g.dice.chance(0.6) {
		return
	}
	at := g.moment(p, day)
	for range g.dice.between(2, 7) {
		files := g.someFiles(p, 1, 3)
		for i := range files {
			g.sharePoint(p, at-2*minute, "FileDownloaded", &files[i])
		}
		g.sendMail(p, at, []recipient{{address: p.personalMail}}, files)
		at += g.dice.span(minute, 20*minute)
	}
}

// forward publishes that a person has all mail forwarded to the private mailbox:
// by a setting of the mailbox and by a rule.
// https://learn.microsoft.com/powershell/module/exchange/set-mailbox
func (g *generator) forward(p *person, at schemas.Time) {
	g.audit(p.mailUPN, p.puid, at, "Set-Mailbox", 1, "Exchange", "True", p.address(at))
	w := &g.w
	w.texts("ObjectId", p.mailUPN, "OrganizationName", g.tenant.name+".onmicrosoft.com")
	w.truth("ExternalAccess", false)
	w.list("Parameters")
	g.property("Identity", p.mailUPN)
	g.property("ForwardingSmtpAddress", "smtp:"+p.personalMail)
	g.property("DeliverToMailboxAndForward", "True")
	w.end()
	g.audited(schemas.SourceEmail, at, p.mailUPN)

	at += g.dice.span(minute, 5*minute)
	g.audit(p.mailUPN, p.puid, at, "New-InboxRule", 1, "Exchange", "True", p.address(at))
	w.texts("ObjectId", p.mailUPN+"\\Copy", "OrganizationName", g.tenant.name+".onmicrosoft.com")
	w.truth("ExternalAccess", false)
	w.list("Parameters")
	g.property("Name", "Copy")
	g.property("ForwardTo", p.personalMail)
	g.property("HasAttachment", "True")
	w.end()
	g.audited(schemas.SourceEmail, at, p.mailUPN)
}

// publishLinks is a day of somebody who lowers the labels of files and shares
// them with anyone who has the link. Not every day, and not before HR's plan.
func (g *generator) publishLinks(p *person, day int) {
	if day < p.story.first+2 || !g.dice.chance(0.6) {
		return
	}
	at := g.moment(p, day)
	files := g.someFiles(p, 3, 12)
	for i := range files {
		f := &files[i]
		f.label = labelConfidential
		at += g.dice.span(20*second, 4*minute)
		g.sharePoint(p, at, "FileAccessed", f)
		at += g.dice.span(20*second, 2*minute)
		g.lowerLabel(p, at, f)
		f.label = labelGeneral
		at += g.dice.span(20*second, 2*minute)
		g.shareWithAnyone(p, at, f)
	}
}

// lowerLabel publishes that a person gave a file a lower sensitivity label.
func (g *generator) lowerLabel(p *person, at schemas.Time, f *file) {
	g.audit(p.upn, p.puid, at, "SensitivityLabelUpdated", 84, "PublicEndpoint", "", p.address(at))
	w := &g.w
	w.text("ObjectId", "https://"+g.tenant.host+"/sites/"+f.site+"/"+f.folder+"/"+f.name)
	w.open("SensitivityLabelEventData")
	w.texts("SensitivityLabelId", labelGeneral, "OldSensitivityLabelId", labelConfidential)
	w.number("LabelEventType", 2)
	w.number("ActionSource", 3)
	w.text("JustificationText", "Previous label no longer applies")
	w.close()
	w.texts("Application", "Word", "DeviceName", p.deviceFull, "Platform", "1")
	g.audited(schemas.SourceFile, at, p.upn)
}

// shareWithAnyone publishes one click on Share with an anonymous link, and at
// times that somebody used it.
func (g *generator) shareWithAnyone(p *person, at schemas.Time, f *file) {
	correlation, item, sharing := g.dice.guid(), g.dice.guid(), g.dice.guid()
	site := "https://" + g.tenant.host + "/sites/" + f.site
	one := func(at schemas.Time, operation, user, key, ip, data string) {
		g.audit(user, key, at, operation, 14, "SharePoint", "", ip)
		w := &g.w
		w.text("ObjectId", site+"/"+f.folder+"/"+f.name)
		w.id("CorrelationId", correlation)
		w.texts("EventSource", "SharePoint", "ItemType", "File")
		w.id("ListItemUniqueId", item)
		w.id("UniqueSharingId", sharing)
		w.texts("UserAgent", p.agent, "EventData", data)
		if operation == "SharingSet" {
			w.texts("TargetUserOrGroupName", "SharingLinks."+item.String()+".AnonymousEdit."+sharing.String(), "TargetUserOrGroupType", "SharePointGroup")
		}
		if f.label != "" {
			w.text("SensitivityLabelId", f.label)
		}
		w.texts("SourceFileExtension", f.extension, "SiteUrl", site+"/", "SourceFileName", f.name, "SourceRelativeUrl", f.folder)
		g.audited(schemas.SourceFile, at, user)
	}
	key := "i:0h.f|membership|" + p.puid + "@live.com"
	one(at, "SharingInheritanceBroken", p.upn, key, p.address(at), "<Inherited>True</Inherited>")
	one(at+200, "SharingSet", p.upn, key, p.address(at), "<Permissions granted>Contribute</Permissions granted>")
	one(at+500, "AnonymousLinkCreated", p.upn, key, p.address(at), "<Type>Edit</Type>")
	if g.dice.chance(0.4) {
		correlation = g.dice.guid()
		visitor := "urn:spo:anon#" + strings.Repeat(g.dice.hexText(8), 4)
		one(at+g.dice.span(10*minute, 4*hour), "AnonymousLinkUsed", "anonymous", visitor, "192.0.2."+strconv.Itoa(g.dice.between(150, 250)), "<Type>Edit</Type>")
	}
}

// handIn is the day on which a project is handed in: hundreds of files read once
// more, and printed.
func (g *generator) handIn(p *person, day int) {
	at := g.tenant.midnight(day) + p.start - schemas.Time(p.place.offset)*hour
	files := g.someFiles(p, 380, 420)
	for i := range files {
		at += g.dice.span(second, 40*second)
		g.sharePoint(p, at, "FileDownloaded", &files[i])
	}
	for i := range g.dice.between(50, 70) {
		at += g.dice.span(10*second, 2*minute)
		g.printFile(p, at, &files[i])
	}
}

// syncAnew is the first day of a laptop, which fetches what the old one had.
func (g *generator) syncAnew(p *person, day int) {
	at := g.tenant.midnight(day) + p.start - schemas.Time(p.place.offset)*hour
	g.signIn(p, at, "SignInLogs", succeeded)
	files := g.someFiles(p, 150, 300)
	for i := range files {
		at += g.dice.span(second, 15*second)
		g.sharePoint(p, at, "FileSyncDownloadedFull", &files[i])
	}
}
