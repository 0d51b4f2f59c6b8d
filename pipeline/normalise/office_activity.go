package normalise

import (
	"strings"

	"github.com/valyala/fastjson"
)

// isOfficeActivity tells rows of Sentinel's OfficeActivity table, which are
// audit records under other names.
func isOfficeActivity(o object) bool {
	return o.has("Operation") && (o.has("OfficeWorkload") || strings.EqualFold(o.at("Type"), "OfficeActivity"))
}

// officeActivityNames pairs the columns of OfficeActivity with the members of
// the audit record that they hold.
// https://learn.microsoft.com/azure/azure-monitor/reference/tables/officeactivity
var officeActivityNames = [...][2]string{
	{"OfficeId", "Id"},
	{"TimeGenerated", "CreationTime"},
	{"OfficeWorkload", "Workload"},
	{"OfficeObjectId", "ObjectId"},
	{"OfficeTenantId", "OrganizationId"},
	{"UserId_", "UserId"},
	{"Client_IPAddress", "ClientIPAddress"},
	{"Logon_Type", "LogonType"},
	{"Site_Url", "SiteUrl"},
	{"Site_", "Site"},
	{"Event_Data", "EventData"},
	{"Source_Name", "SourceFileName"},
	{"Start_Time", "StartTime"},
}

// officeActivityJSON are the columns that hold JSON in a string.
var officeActivityJSON = [...]string{
	"Folders", "Folder", "DestFolder", "Item", "AffectedItems", "Messages", "Parameters", "ModifiedProperties",
	"ExtendedProperties", "OperationProperties", "ExtraProperties", "Members", "AppAccessContext", "Actor", "Target",
	"PolicyDetails", "ExchangeMetaData", "SharePointMetaData", "SensitivityLabelEventData", "CopilotEventData",
}

// logonTypes gives the numbers of LogonType, which the table has by name.
var logonTypes = map[string]string{"owner": "0", "admin": "1", "delegate": "2", "delegated": "2"}

// officeActivity gives a row of OfficeActivity the names and shapes of an audit
// record and routes it as one: the same fact has the same event id by either
// way, since OfficeId is the record's Id.
func (m *Mapper) officeActivity(rec record) {
	for _, pair := range officeActivityNames {
		column, member := pair[0], pair[1]
		if value := rec.get(column); value.text() != "" && rec.at(member) == "" {
			rec.v.Set(member, value.v)
		}
	}
	for _, name := range officeActivityJSON {
		if value := rec.get(name); value.isString() {
			if parsed := m.embedded(value); parsed.ok() {
				rec.v.Set(name, parsed.v)
			}
		}
	}
	if number, known := logonTypes[strings.ToLower(rec.at("LogonType"))]; known {
		var arena fastjson.Arena
		rec.v.Set("LogonType", arena.NewNumberString(number))
	}
	m.routeAudit(rec)
}
