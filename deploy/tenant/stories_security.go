package tenant

import "github.com/riskpipe/riskpipe/schemas"

// violations are what the endpoint's protection finds of somebody who works
// against it.
var violations = []alertKind{
	{"Attempt to turn off Microsoft Defender Antivirus protection", "DefenseEvasion", "T1562.001", "Disable or Modify Tools", "High"},
	{"Suspicious exclusion added to Microsoft Defender Antivirus", "DefenseEvasion", "T1562.001", "Disable or Modify Tools", "Medium"},
	{"Event log was cleared", "DefenseEvasion", "T1070.001", "Clear Windows Event Logs", "Medium"},
	{"Hacktool was detected", "Malware", "T1588.002", "Tool", "High"},
	{"Malware was detected in an archive", "Malware", "T1204.002", "Malicious File", "Medium"},
	{"Unwanted software was detected", "UnwantedSoftware", "T1204.002", "Malicious File", "Medium"},
}

// trifles are what a developer's tools, or anybody's download, set off.
var trifles = []alertKind{
	{"Suspicious script was run", "Execution", "T1059.001", "PowerShell", "Low"},
	{"Unsigned driver was loaded", "Persistence", "T1543.003", "Windows Service", "Low"},
	{"Process memory was read by a debugger", "CredentialAccess", "T1003", "OS Credential Dumping", "Low"},
	{"Unwanted software was blocked", "UnwantedSoftware", "T1204.002", "Malicious File", "Informational"},
}

// tamper is a day of somebody who works against the protection of their laptop.
// Not every day; those with a fact of HR's begin after it.
func (g *generator) tamper(p *person, day int) {
	if (p.story.fact != factNone || p.story.leaves()) && day < p.story.first+2 || !g.dice.chance(0.6) {
		return
	}
	at := g.moment(p, day)
	for range g.dice.between(1, 4) {
		k := pick(g.dice, violations)
		if k.category == "DefenseEvasion" {
			g.tamperingAttempt(p, at-g.dice.span(second, 20*second))
		}
		if g.dice.chance(0.7) {
			g.alert(p, at, k)
		} else {
			g.graphAlert(p, at, k)
		}
		at += g.dice.span(5*minute, 50*minute)
	}
}

// minorAlerts gives a day an alert of no weight with a probability.
func (g *generator) minorAlerts(p *person, day int, probability float64) {
	if g.dice.chance(probability) {
		g.alert(p, g.moment(p, day), pick(g.dice, trifles))
	}
}

// tamperingAttempt publishes the row of DeviceEvents of an attempt to switch
// protection off, with the person as the process's account.
func (g *generator) tamperingAttempt(p *person, at schemas.Time) {
	w := g.row(at)
	w.text("ActionType", "TamperingAttempt")
	g.deviceColumns(p, "powershell.exe")
	w.null("AccountDomain", "AccountName", "AccountSid", "FileName", "FolderPath", "FileSize", "SHA1", "SHA256", "RemoteUrl", "RemoteIP", "LocalIP", "ProcessCommandLine")
	inner := &g.inner
	inner.reset()
	inner.open("")
	inner.texts("TamperingAction", "RegistryModification", "Status", choose(g.dice.chance(0.7), "Blocked", "Ignored"), "OriginalValue", "0", "TamperingAttemptedValue", "1",
		"Target", `\REGISTRY\MACHINE\SOFTWARE\Policies\Microsoft\Windows Defender\DisableAntiSpyware`)
	inner.close()
	w.text("AdditionalFields", string(inner.b))
	g.hunted(at, "DeviceEvents")
}
