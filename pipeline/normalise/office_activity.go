package normalise

import (
	"maps"
	"slices"
	"strings"
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
	rec.object = m.auditRecord(rec.object)
	m.routeAudit(rec)
}

// auditRecord is the row as the audit record that it was made of.
func (m *Mapper) auditRecord(row object) object {
	changes := map[string]string{} // JSON by member
	for _, pair := range officeActivityNames {
		column, member := pair[0], pair[1]
		if value := row.get(column); value.text() != "" && row.at(member) == "" {
			changes[member] = string(value.raw())
		}
	}
	for _, name := range officeActivityJSON {
		if value := row.get(name); value.isString() {
			if inner := m.embedded(value); inner.ok() {
				changes[name] = string(inner.raw())
			}
		}
	}
	if number, known := logonTypes[lowercase(first(row.at("LogonType"), row.at("Logon_Type")))]; known {
		changes["LogonType"] = number
	}
	audit, _, err := m.parse(row.with(changes))
	if err != nil { // as deep as may be, and deeper with the JSON that was in strings
		return row
	}
	return audit
}

// with is the object as JSON, with members replaced or added.
func (o object) with(changes map[string]string) string {
	b := []byte{'{'}
	member := func(name string, value []byte) {
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(append(appendQuoted(b, name), ':'), value...)
	}
	for name, value := range o.members() {
		if _, changes := changes[name]; !changes {
			member(name, value.raw())
		}
	}
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		member(name, []byte(changes[name]))
	}
	return string(append(b, '}'))
}
