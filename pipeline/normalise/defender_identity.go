package normalise

import (
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// identityLogon maps a row of IdentityLogonEvents: an authentication at a
// domain controller or a Microsoft cloud service.
// https://learn.microsoft.com/defender-xdr/advanced-hunting-identitylogonevents-table
func (m *Mapper) identityLogon(rec record) {
	activity, outcome := logon(rec.at("ActionType"))
	if activity == "" {
		rec.skip(SkipCategory)
		return
	}
	e := m.row(rec, "identitylogonevents", activity, rec.report())
	e.Outcome = outcome
	e.Actor = named{
		upn: rec.at("AccountUpn"), objectID: rec.at("AccountObjectId"), sid: rec.at("AccountSid"),
		domain: rec.at("AccountDomain"), name: rec.at("AccountName"),
	}.actor()
	target := rec.str("DestinationDeviceName", "TargetDeviceName")
	e.Clear.TargetName = target
	e.SignIn = &schemas.SignIn{
		Application: rec.at("Application"), Resource: m.hostToken(target),
		Client: rec.str("Protocol", "LogonType"), Interactive: isInteractive(rec.at("LogonType")),
	}
	e.Clear.DisplayName = rec.at("AccountDisplayName")
	e.Clear.Remarks = rec.at("FailureReason")
	e.Clear.UserAgent = rec.at("UserAgent")
	m.on(e, rec.at("DeviceId"), rec.at("DeviceName"), rec.at("OSPlatform"), nil)
	m.from(e, rec.str("CountryCode", "Location"), 0, rec.at("IPAddress"))
	m.emit(rec, e)
}

// deviceLogon maps a row of DeviceLogonEvents: an authentication on a device.
// https://learn.microsoft.com/defender-xdr/advanced-hunting-devicelogonevents-table
func (m *Mapper) deviceLogon(rec record) {
	activity, outcome := logon(rec.at("ActionType"))
	if activity == "" {
		rec.skip(SkipDeviceAction)
		return
	}
	e := m.row(rec, "devicelogonevents", activity, rec.at("DeviceId"), rec.report())
	e.Outcome = outcome
	e.Actor = named{
		upn: rec.at("AccountUpn"), objectID: rec.at("AccountObjectId"), sid: rec.at("AccountSid"),
		domain: rec.at("AccountDomain"), name: rec.at("AccountName"), host: rec.at("DeviceName"),
	}.actor()
	e.SignIn = &schemas.SignIn{
		Resource: m.hostToken(rec.at("DeviceName")), Client: rec.at("LogonType"), Interactive: isInteractive(rec.at("LogonType")),
	}
	e.Clear.Remarks = rec.at("FailureReason")
	m.on(e, rec.at("DeviceId"), rec.at("DeviceName"), rec.at("OSPlatform"), nil)
	m.from(e, "", 0, rec.at("RemoteIP"))
	m.emit(rec, e)
}

// logon gives the activity of a logon's action; nothing for one that is none,
// or whose end is not known.
func logon(action string) (string, schemas.Outcome) {
	switch strings.TrimSuffix(lowercase(action), "aggregatedreport") {
	case "logonsuccess":
		return "signin.succeeded", schemas.OutcomeSuccess
	case "logonfailed":
		return "signin.failed", schemas.OutcomeFailure
	default:
		return "", schemas.OutcomeUnknown
	}
}

// isInteractive tells Windows logon types that have a person at a keyboard,
// here or by remote desktop.
func isInteractive(logonType string) bool {
	switch lowercase(strings.ReplaceAll(logonType, " ", "")) {
	case "interactive", "remoteinteractive", "remoteinteractive(rdp)logons", "cachedinteractive", "cachedremoteinteractive", "unlock":
		return true
	default:
		return false
	}
}

// identityInfo learns from a row of IdentityInfo, the directory as Defender
// sees it, which names belong to one person.
// https://learn.microsoft.com/defender-xdr/advanced-hunting-identityinfo-table
func (m *Mapper) identityInfo(rec record) {
	a := named{
		upn: rec.at("AccountUpn"), objectID: rec.at("AccountObjectId"), sid: rec.str("OnPremSid", "AccountSid"),
		domain: rec.at("AccountDomain"), name: rec.at("AccountName"),
	}.actor()
	if mail := lowercase(rec.str("EmailAddress", "MailAddress")); isUPN(mail) {
		a.Mail = mail
	}
	if id := rec.at("EmployeeId"); !isPlaceholder(id) {
		a.EmployeeID = strings.ToUpper(id)
	}
	if strings.EqualFold(rec.at("Type"), "ServiceAccount") {
		a.Type = schemas.ActorService
	}
	a.Profile = Profile{
		DisplayName: rec.at("AccountDisplayName"), Department: rec.at("Department"), Manager: rec.at("Manager"), Title: rec.at("JobTitle"),
	}.known()
	rec.link(a)
	// A person has one security identifier on premises and another in Entra.
	if sid := windowsSID(rec.at("CloudSid")); sid != "" && sid != a.SID {
		rec.link(Actor{Type: a.Type, UPN: a.UPN, ObjectID: a.ObjectID, SID: sid})
	}
	for _, other := range m.list(rec.get("OtherMailAddresses")) {
		if mail := lowercase(other); isUPN(mail) && mail != a.Mail {
			rec.link(Actor{Type: a.Type, UPN: a.UPN, ObjectID: a.ObjectID, Mail: mail})
		}
	}
	rec.skip(SkipDirectory)
}

// link teaches that the names are one person's, if there are two at least or
// more is said of the person.
func (rec record) link(a Actor) {
	names := len(a.Aliases())
	if a.UPN != "" {
		names++
	}
	if (names > 1 || a.Profile != nil) && isPerson(a) {
		rec.out.Links = append(rec.out.Links, a)
	}
}

// list reads texts from an array, a string which holds one, or a bare string.
func (m *Mapper) list(o object) []string {
	if inner := m.embedded(o); inner.ok() {
		o = inner
	}
	return o.texts()
}
