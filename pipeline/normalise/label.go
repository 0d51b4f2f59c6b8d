package normalise

import (
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// labelled fills in the change of a sensitivity label: of a file in SharePoint,
// of a site, or of a document in an Office application.
func (m *Mapper) labelled(rec record, e *Event, operation string) {
	data := m.embedded(rec.get("SensitivityLabelEventData"))
	after := first(data.at("SensitivityLabelId"), rec.str("DestinationLabel", "SensitivityLabelName", "SensitivityLabelId"))
	before := first(data.at("OldSensitivityLabelId"), rec.str("SourceLabel", "OldSensitivityLabelId", "PreviousSensitivityLabelId"))
	kind := first(data.at("LabelEventType"), rec.at("LabelEventType"))
	change := labelChange(operation, kind, before)
	e.File.LabelChange, e.Activity = change, labelActivity(change)
	e.File.Label = after
	if change == "removed" {
		e.File.Label = first(before, after) // what it had is what matters
	}
	e.Clear.Remarks = first(data.at("JustificationText"), rec.str("SensitivityLabelJustificationText", "JustificationText"))
}

// labelChange says how a label changed by the order of the labels, which only
// upstream knows, else by the name of the operation in lower case.
// https://learn.microsoft.com/office/office-365-management-api/office-365-management-activity-api-schema
func labelChange(operation, kind, before string) string {
	applied := strings.Contains(operation, "applied") && before == ""
	switch lowercase(kind) {
	case "1", "labelupgraded", "upgraded":
		if applied {
			return "applied" // the first label is above none
		}
		return "upgraded"
	case "2", "labeldowngraded", "downgraded":
		return "downgraded"
	case "3", "labelremoved", "removed":
		return "removed"
	case "4", "labelchangedsameorder", "labelchanged", "changed":
		return "changed"
	}
	switch {
	case strings.Contains(operation, "removed"):
		return "removed"
	case strings.Contains(operation, "applied"):
		return "applied"
	case strings.Contains(operation, "updated"), strings.Contains(operation, "changed"):
		return "changed"
	default:
		return ""
	}
}

// labelActivity returns the activity of a label change; a label of the same
// order in place of another is a labelling like the first one.
func labelActivity(change string) string {
	switch change {
	case "upgraded":
		return "file.label_upgraded"
	case "downgraded":
		return "file.label_downgraded"
	case "removed":
		return "file.label_removed"
	case "applied", "changed":
		return "file.labelled"
	default:
		return fileOther
	}
}

// labelOperation maps an operation, in lower case, that speaks of sensitivity
// labels: a change, the opening or renaming of a labelled file, a recommendation.
func (m *Mapper) labelOperation(rec record, e *Event, operation string) {
	switch {
	case strings.Contains(operation, "opened"):
		e.Activity = "file.accessed"
	case strings.Contains(operation, "renamed"):
		e.Activity = "file.renamed"
		m.localRename(rec, e)
	case strings.Contains(operation, "match"), strings.Contains(operation, "recommend"):
		e.Activity = "file.label_recommended"
	default:
		m.labelled(rec, e, operation)
	}
}

// label maps what is reported of sensitivity labels under record types 82, 83
// and 84: by Office applications, or by SharePoint in its own shape.
func (m *Mapper) label(rec record) {
	switch lowercase(rec.at("Workload")) {
	case "sharepoint", "onedrive":
		m.sharePoint(rec)
		return
	}
	e := m.audit(rec, schemas.SourceFile)
	m.endpointFile(rec, e)
	e.ran(first(e.File.Application, rec.at("ProcessName")))
	mailSubject(e)
	m.labelOperation(rec, e, lowercase(e.Operation))
	m.emit(rec, e)
}

// informationProtection maps the records of the Azure Information Protection
// client and scanner (record types 93 to 97).
// https://learn.microsoft.com/office/office-365-management-api/aip-unified-audit-logs-best-practices
func (m *Mapper) informationProtection(rec record) {
	kind := recordType(rec.object)
	if kind == "97" {
		rec.skip(SkipHeartbeat)
		return
	}
	e := m.audit(rec, schemas.SourceFile)
	m.endpointFile(rec, e)
	common := m.embedded(rec.get("Common"))
	e.ran(first(common.at("ApplicationName"), common.at("ProcessName"), e.File.Application))
	mailSubject(e)
	m.on(e, "", common.at("DeviceName"), platform(common.at("Platform")), nil)
	operation := lowercase(e.Operation)
	switch {
	case kind == "96":
		e.Activity = "file.deleted"
	case kind == "95":
		e.Activity = protectionActivity(m.embedded(rec.get("ProtectionEventData")))
	case kind == "94", strings.HasPrefix(operation, "sensitivitylabel"):
		m.labelled(rec, e, operation)
	case operation == "access":
		e.Activity = "file.accessed"
	default:
		e.Activity = "file.discovered"
	}
	m.emit(rec, e)
}

// protectionActivity says whether encryption was put on a file or taken off.
func protectionActivity(data object) string {
	after, known := data.get("IsProtected").truth()
	before, _ := data.get("IsProtectedBefore").truth()
	switch {
	case !known:
		return fileOther
	case after && !before:
		return "file.protection_applied"
	case before && !after:
		return "file.protection_removed"
	case after:
		return "file.protection_changed"
	default:
		return fileOther
	}
}

// mailSubject tells messages from files: of a message that is being written,
// Outlook reports the subject where the path of a file would be.
func mailSubject(e *Event) {
	if strings.Contains(lowercase(e.File.Application), "outlook") && extensionOf(e.Clear.Object) == "" {
		e.Clear.Subject = e.Clear.Object
		e.Clear.FileName, e.Clear.FilePath = "", ""
		e.File.Name, e.File.ItemType = 0, ""
	}
}
