package normalise

import (
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// The codes of Skip.Reason that Defender's mappers add.
const (
	SkipDeviceAction     = "device_action"             // one of the hundreds of action types that say nothing about data
	SkipCloudAppAction   = "cloud_app_action"          // an action in a cloud app that is none on a file
	SkipAlertEntity      = "alert_entity_without_user" // a file, process or address that an alert names
	SkipEmptyIncident    = "incident_without_alerts"   // an incident's facts are its alerts'
	SkipNotStorage       = "device_without_storage"    // a headset, keyboard or virtual drive that was plugged in
	SkipDocumentTemplate = "documentation_template"    // Graph's reference page, "String (timestamp)" for every value
)

// hunting maps a row of an advanced hunting table, as the streaming API
// publishes it. Table is the table's name in lower case.
// https://learn.microsoft.com/defender-xdr/supported-event-types
func (m *Mapper) hunting(rec record, table string) {
	if !rec.isObject() {
		rec.skip(SkipNull)
		return
	}
	switch table {
	case "alertinfo":
		m.alertInfo(rec)
	case "alertevidence":
		m.alertEvidence(rec)
	case "devicefileevents":
		m.deviceFile(rec)
	case "deviceevents":
		m.deviceEvent(rec)
	case "devicelogonevents":
		m.deviceLogon(rec)
	case "devicenetworkevents":
		m.deviceNetwork(rec)
	case "identitylogonevents":
		m.identityLogon(rec)
	case "identityinfo":
		m.identityInfo(rec)
	case "emailevents":
		m.emailEvent(rec)
	case "emailattachmentinfo":
		m.emailAttachment(rec)
	case "urlclickevents":
		m.urlClick(rec)
	case "cloudappevents":
		m.cloudApp(rec)
	default:
		rec.skip(SkipCategory)
	}
}

// routeDefender recognises Defender's records that come without the envelope of
// the streaming API, by their table's name, else by their columns, and maps
// them. It tells whether the record was one of these.
func (m *Mapper) routeDefender(rec record) bool {
	if m.routeAlert(rec) {
		return true
	}
	table := huntingTable(rec.object)
	switch {
	case table == "":
		return false
	case rec.has("properties"): // an envelope around nothing
		rec.skip(SkipNull)
	default:
		m.hunting(rec, table)
	}
	return true
}

// huntingTables are the tables of advanced hunting, by which a row that names
// its table is known.
var huntingTables = map[string]bool{
	"alertinfo": true, "alertevidence": true,
	"devicefileevents": true, "deviceevents": true, "devicelogonevents": true, "devicenetworkevents": true,
	"deviceprocessevents": true, "deviceregistryevents": true, "deviceimageloadevents": true, "deviceinfo": true,
	"devicenetworkinfo": true, "devicefilecertificateinfo": true,
	"emailevents": true, "emailattachmentinfo": true, "emailurlinfo": true, "emailpostdeliveryevents": true,
	"urlclickevents": true, "messageevents": true, "messageurlinfo": true, "messagepostdeliveryevents": true,
	"identitylogonevents": true, "identityqueryevents": true, "identitydirectoryevents": true, "identityinfo": true,
	"cloudappevents": true, "cloudauditevents": true, "cloudprocessevents": true, "behaviorinfo": true, "behaviorentities": true,
}

// huntingTable tells which table a bare row is of, or nothing. Exports of a
// workspace name it in Type; a union over tables has the columns of all, most
// of them empty, so that only what is filled tells.
func huntingTable(o object) string {
	for _, column := range []string{"Type", "TableName", "Table", "$table", "category"} {
		name := strings.TrimPrefix(lowercase(o.at(column)), "advancedhunting-")
		if huntingTables[name] {
			return name
		}
	}
	if o.str("Timestamp", "TimeGenerated") == "" {
		return ""
	}
	action := lowercase(o.at("ActionType"))
	switch {
	case o.at("AlertId") != "" && o.has("EntityType", "EvidenceRole"):
		return "alertevidence"
	case o.at("AlertId") != "" && o.has("Title", "ServiceSource", "DetectionSource"):
		return "alertinfo"
	case o.at("NetworkMessageId") != "" && o.has("EmailDirection", "RecipientEmailAddress"):
		return "emailevents"
	case o.at("NetworkMessageId") != "" && o.has("RecipientEmailAddress", "FileName", "SHA256"):
		return "emailattachmentinfo"
	case o.at("Url") != "" && o.has("AccountUpn", "IsClickedThrough"):
		return "urlclickevents"
	case action != "" && o.at("DeviceId") != "":
		return deviceTable(o, action)
	case isLogon(action) && o.has("AccountUpn", "LogonType"):
		return "identitylogonevents"
	case action != "" && o.at("Application") != "" && (o.get("RawEventData").ok() || o.get("ActivityObjects").ok() || o.at("AppInstanceId") != ""):
		return "cloudappevents"
	case action == "" && o.has("AccountUpn", "AccountObjectId") && (o.has("IsAccountEnabled") || o.has("Department", "JobTitle")):
		return "identityinfo"
	case action != "" && o.has("AccountUpn", "TargetDeviceName"):
		return "identitydirectoryevents"
	default:
		return ""
	}
}

// deviceTable tells the device tables apart by the action.
func deviceTable(o object, action string) string {
	switch {
	case isLogon(action):
		return "devicelogonevents"
	case fileVerb(action) != "" && o.at("FileName") != "":
		return "devicefileevents"
	case strings.Contains(action, "connection") && o.has("RemotePort"):
		return "devicenetworkevents"
	default:
		return "deviceevents" // processes and registry keys have no activity there either
	}
}

func isLogon(action string) bool {
	return strings.HasPrefix(action, "logonsuccess") || strings.HasPrefix(action, "logonfailed") || strings.HasPrefix(action, "logonattempted")
}

// row starts an event from the columns that all tables share. Identity is what,
// with the event time and the action, makes a row unlike any other of its
// table; ReportId alone is unique by device or not at all.
func (m *Mapper) row(rec record, table, activity string, identity ...string) *Event {
	e := &Event{}
	e.Source = schemas.SourceDefender
	e.Activity = activity
	e.Operation = rec.at("ActionType")
	e.Time = rec.when("Timestamp", "TimeGenerated")
	e.ID = m.id(rec, "hunting:"+table+":"+lowercase(e.Operation), append(identity, e.Time.String())...)
	return e
}

// report is the row's ReportId; exports of a workspace append the type to the
// names of columns whose type differs between tables.
func (rec record) report() string { return rec.str("ReportId", "ReportId_string", "ReportId_long") }

// additional is AdditionalFields, an object, a string which holds one, or absent.
func (m *Mapper) additional(rec record) object {
	for _, name := range []string{"AdditionalFields", "AdditionalFields_dynamic", "AdditionalFields_string"} {
		if o := m.embedded(rec.get(name)); o.isObject() {
			return o
		}
	}
	return object{}
}

// named are the names by which Windows and Entra know one account.
type named struct{ upn, objectID, sid, domain, name, host string }

// actor is whoever bears the names.
func (n named) actor() Actor { return settled(n.entity()) }

// settled drops an account name that has neither domain nor device from someone
// who has a better name: the same name elsewhere is somebody else.
func settled(a Actor) Actor {
	if !strings.Contains(a.Account, `\`) && (a.UPN != "" || a.Mail != "" || a.ObjectID != "" || a.SID != "") {
		a.Account = ""
	}
	return a
}

// entity sorts the names and tells people from the accounts of the system. An
// account name alone is enough to know a person again within one alert.
func (n named) entity() Actor {
	upn, name := lowercase(n.upn), lowercase(n.name)
	if !isUPN(upn) && isUPN(name) {
		upn, name = name, ""
	}
	if domain, bare, found := strings.Cut(name, `\`); found {
		n.domain, name = domain, bare
	}
	account := windowsAccount(n.domain, name, n.host)
	if isSystem(lowercase(n.sid)) || isSystem(name) || isSystem(account) || isSystem(upn) {
		return Actor{Type: schemas.ActorSystem, App: first(account, upn, lowercase(n.sid))}
	}
	a := Actor{ObjectID: objectID(n.objectID), SID: windowsSID(n.sid), Account: account}
	if isUPN(upn) {
		a.UPN = upn
	}
	switch {
	case a.UPN != "":
		a.Type = kindOfUPN(a.UPN)
	case a.ObjectID != "" || a.SID != "" || strings.Contains(a.Account, `\`):
		a.Type = schemas.ActorPerson
	default:
		a.Type = schemas.ActorUnknown
	}
	return a
}

// windowsAccount returns domain\name in lower case, with the device's name for
// an account which has no domain; the name alone when there is neither.
func windowsAccount(domain, name, host string) string {
	domain = lowercase(domain)
	if name == "" || isPlaceholder(name) {
		return ""
	}
	if domain == "" || domain == "." || domain == "workgroup" || isPlaceholder(domain) {
		domain = lowercase(host)
	}
	if domain == "" {
		return name
	}
	return domain + `\` + name
}

// windowsSID returns the security identifier of a person in upper case, or
// nothing: people's are of a Windows domain or machine, or of Entra.
func windowsSID(s string) string {
	s = strings.ToUpper(s)
	if strings.HasPrefix(s, "S-1-5-21-") || strings.HasPrefix(s, "S-1-12-1-") {
		return s
	}
	return ""
}

// isPerson tells whether the record names a person who can be told from others.
func isPerson(a Actor) bool {
	return (a.Type == schemas.ActorPerson || a.Type == schemas.ActorGuest || a.Type == schemas.ActorUnknown) && a.IsNamed()
}

// words splits a name in any convention (FileDownloaded, ITEM_DOWNLOAD,
// "Download file") into lower-case words of ASCII letters and digits.
func words(s string) []string {
	var list []string
	start := -1
	flush := func(end int) {
		if start >= 0 {
			list = append(list, lowercase(s[start:end]))
		}
		start = -1
	}
	for i := range len(s) {
		switch {
		case !isAlphanumeric(s[i]):
			flush(i)
			continue
		case start >= 0 && isUpper(s[i]) && (!isUpper(s[i-1]) || i+1 < len(s) && isLower(s[i+1])):
			flush(i)
		}
		if start < 0 {
			start = i
		}
	}
	flush(len(s))
	return list
}

func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }
func isLower(c byte) bool { return c >= 'a' && c <= 'z' }

func isAlphanumeric(c byte) bool { return isUpper(c) || isLower(c) || c >= '0' && c <= '9' }
