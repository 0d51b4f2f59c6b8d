package tenant

import (
	"strconv"
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// row begins a row of an advanced hunting table; columns follow, then
// hunted.
func (g *generator) row(at schemas.Time) *writer {
	w := &g.w
	w.reset()
	w.open("")
	w.time("Timestamp", at, layoutTicks)
	return w
}

// hunted publishes the row at hand as the streaming API does.
// https://learn.microsoft.com/defender-xdr/streaming-api-event-hub
func (g *generator) hunted(at schemas.Time, table string) {
	g.w.text("MachineGroup", "UnassignedGroup")
	g.w.close()
	published := at + g.dice.span(60*second, 300*second)
	if g.dice.chance(0.01) {
		published += g.dice.span(hour, 20*hour)
	}
	g.inner.b = append(g.inner.b[:0], g.w.b...)
	properties := g.inner.b
	w := &g.w
	w.reset()
	w.open("")
	w.time("time", published-g.dice.span(second, 20*second), layoutTicks)
	w.id("tenantId", g.tenant.id)
	w.text("operationName", "Publish")
	w.text("category", "AdvancedHunting-"+table)
	w.time("_TimeReceivedBySvc", published-g.dice.span(30*second, 50*second), layoutTicks)
	w.raw("properties", properties)
	w.text("Tenant", "DefaultTenant")
	w.close()
	g.pending = append(g.pending, item{at: published, source: schemas.SourceDefender, carrier: carrierEnvelope, value: g.keep()})
}

// reportID numbers rows within a device.
func (g *generator) reportID() int64 { return int64(g.dice.between(1000, 99_999_999)) }

// deviceColumns appends the device and the process, with most columns null.
func (g *generator) deviceColumns(p *person, process string) {
	w := &g.w
	w.texts("DeviceId", p.deviceHash, "DeviceName", p.deviceFull)
	w.number("ReportId", g.reportID())
	w.texts("InitiatingProcessAccountDomain", "azuread", "InitiatingProcessAccountName", p.sam, "InitiatingProcessAccountSid", p.sid, "InitiatingProcessAccountUpn", p.upn)
	w.id("InitiatingProcessAccountObjectId", p.object)
	w.texts("InitiatingProcessFileName", process, "InitiatingProcessFolderPath", `c:\windows\`+process, "InitiatingProcessCommandLine", process)
	w.number("InitiatingProcessId", int64(g.dice.between(1000, 30_000)))
	w.null("InitiatingProcessMD5", "InitiatingProcessSHA1", "InitiatingProcessSHA256", "InitiatingProcessVersionInfoCompanyName", "InitiatingProcessVersionInfoProductName",
		"InitiatingProcessParentFileName", "InitiatingProcessRemoteSessionIP", "AppGuardContainerId")
}

// deviceFile publishes a row of DeviceFileEvents.
func (g *generator) deviceFile(p *person, at schemas.Time, action, path string, f *file) {
	w := g.row(at)
	w.texts("ActionType", action, "FileName", f.name, "FolderPath", path, "SHA256", g.dice.hexText(32))
	w.number("FileSize", f.size)
	g.deviceColumns(p, "explorer.exe")
	w.null("FileOriginUrl", "FileOriginReferrerUrl", "FileOriginIP", "ShareName", "RequestProtocol", "RequestSourceIP",
		"RequestAccountName", "RequestAccountDomain", "RequestAccountSid", "SensitivityLabel", "SensitivitySubLabel", "IsAzureInfoProtectionApplied", "SHA1", "MD5")
	if action == "FileRenamed" {
		w.texts("PreviousFileName", "Copy of "+f.name, "PreviousFolderPath", path[:len(path)-len(f.name)])
	} else {
		w.null("PreviousFileName", "PreviousFolderPath")
	}
	w.text("AdditionalFields", `{"FileType":"`+strings.ToUpper(f.extension)+`"}`)
	g.hunted(at, "DeviceFileEvents")
}

// usbMounted publishes that a stick was plugged in, the person named only in the
// additional fields.
func (g *generator) usbMounted(p *person, at schemas.Time) {
	w := g.row(at)
	w.texts("ActionType", "UsbDriveMounted", "DeviceId", p.deviceHash, "DeviceName", p.deviceFull)
	w.number("ReportId", g.reportID())
	w.null("AccountDomain", "AccountName", "AccountSid", "FileName", "FolderPath", "FileSize", "SHA1", "SHA256", "RemoteUrl", "RemoteIP", "LocalIP",
		"InitiatingProcessAccountUpn", "InitiatingProcessAccountObjectId", "InitiatingProcessAccountName", "InitiatingProcessFileName", "ProcessCommandLine")
	inner := &g.inner
	inner.reset()
	inner.open("")
	inner.texts("DriveLetter", "E:", "BusType", "7", "ProductName", "Slim 64", "Manufacturer", "Lexington", "SerialNumber", p.serial, "Volume", `\\?\Volume{`+p.deviceID.String()+`}\`)
	inner.list("LoggedOnUsers")
	inner.open("")
	inner.texts("UserName", p.sam, "DomainName", "AzureAD", "Sid", p.sid)
	inner.close()
	inner.end()
	inner.close()
	w.text("AdditionalFields", string(inner.b))
	g.hunted(at, "DeviceEvents")
}

// deviceNetwork publishes a connection to a host.
func (g *generator) deviceNetwork(p *person, at schemas.Time, host string) {
	w := g.row(at)
	w.texts("ActionType", "ConnectionSuccess", "RemoteUrl", host, "RemoteIP", "192.0.2."+strconv.Itoa(g.dice.between(50, 99)), "LocalIP", "10.20.0."+strconv.Itoa(1+p.index%250), "Protocol", "Tcp")
	w.number("RemotePort", 443)
	w.number("LocalPort", int64(g.dice.between(49_152, 65_000)))
	g.deviceColumns(p, "msedge.exe")
	w.null("LocalIPType", "RemoteIPType", "AdditionalFields")
	g.hunted(at, "DeviceNetworkEvents")
}

// identityLogon publishes a row of IdentityLogonEvents.
func (g *generator) identityLogon(p *person, at schemas.Time) {
	failed := g.dice.chance(0.04)
	w := g.row(at)
	w.texts("ActionType", choose(failed, "LogonFailed", "LogonSuccess"), "Application", "Microsoft 365", "LogonType", "Interactive", "Protocol", "OAuth2")
	if failed {
		w.text("FailureReason", "WrongPassword")
	} else {
		w.null("FailureReason")
	}
	w.texts("AccountName", p.sam, "AccountDomain", g.tenant.options.Domain, "AccountUpn", p.upn, "AccountSid", p.sid, "AccountDisplayName", p.display)
	w.id("AccountObjectId", p.object)
	w.texts("DeviceName", p.deviceFull, "DeviceType", "Workstation", "OSPlatform", "Windows11", "IPAddress", p.address(at), "Location", p.place.country, "ISP", "Example Net")
	w.null("Port", "DestinationDeviceName", "DestinationIPAddress", "DestinationPort", "TargetDeviceName", "TargetAccountDisplayName")
	w.id("ReportId", g.dice.guid())
	w.open("AdditionalFields")
	w.close()
	g.hunted(at, "IdentityLogonEvents")
}

// cloudApp publishes an Office 365 record again, as Defender for Cloud Apps
// tells of it.
func (g *generator) cloudApp(p *person, at schemas.Time, action string, f *file, raw []byte) {
	w := g.row(at)
	w.text("ActionType", action)
	w.texts("Application", "Microsoft SharePoint Online")
	w.number("ApplicationId", 20892)
	w.id("AccountObjectId", p.object)
	w.id("AccountId", p.object)
	w.texts("AccountDisplayName", p.display, "AccountType", "Regular", "DeviceType", "Desktop", "OSPlatform", "Windows 11", "IPAddress", p.address(at), "CountryCode", p.place.country,
		"City", p.place.city, "ISP", "Example Net", "UserAgent", p.agent)
	w.truth("IsAnonymousProxy", false)
	w.truth("IsAdminOperation", false)
	w.truth("IsExternalUser", false)
	w.truth("IsImpersonated", false)
	w.list("ActivityObjects")
	w.open("")
	w.texts("Type", "File", "Role", "Target object", "Name", f.name)
	w.close()
	w.end()
	w.texts("ObjectName", f.name, "ObjectType", "File")
	w.id("ReportId", g.dice.guid())
	w.raw("RawEventData", raw)
	w.open("AdditionalFields")
	w.close()
	g.hunted(at, "CloudAppEvents")
}

// identityInfo publishes what Defender knows of a person: it ties the UPN to the
// object id and the employee id.
func (g *generator) identityInfo(p *person, at schemas.Time) {
	w := g.row(at)
	w.id("ReportId", g.dice.guid())
	w.id("AccountObjectId", p.object)
	w.texts("AccountUpn", p.upn, "AccountName", p.sam, "AccountDomain", g.tenant.options.Domain, "CloudSid", p.sid, "AccountDisplayName", p.display,
		"GivenName", p.given, "Surname", p.family, "Department", p.role.department, "JobTitle", p.role.title, "EmailAddress", p.mailUPN,
		"Manager", g.tenant.people[p.manager].display, "City", p.place.city, "Country", p.place.country, "Type", choose(p.service, "ServiceAccount", "User"))
	if !p.service {
		w.text("EmployeeId", p.employee)
	} else {
		w.null("EmployeeId")
	}
	w.number("IsAccountEnabled", 1)
	w.null("OnPremSid", "SipProxyAddress", "Phone", "ChangeSource", "DistinguishedName", "OtherMailAddresses", "RiskLevel", "AssignedRoles")
	g.hunted(at, "IdentityInfo")
}
