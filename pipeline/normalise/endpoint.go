package normalise

import (
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// endpointActivity is what an operation of endpoint DLP means: the activity and
// where the object then lies, if the operation tells.
type endpointActivity struct{ activity, location string }

// endpointActivities holds the operations in lower case.
// https://learn.microsoft.com/purview/audit-log-activities (endpoint activities)
var endpointActivities = map[string]endpointActivity{
	"filecopiedtoremovablemedia":        {"file.copied_to_removable_media", locationRemovableMedia},
	"filecreatedonremovablemedia":       {"file.copied_to_removable_media", locationRemovableMedia},
	"fileuploadedtocloud":               {"file.uploaded_to_cloud", locationCloudApp},
	"fileprinted":                       {"file.printed", ""},
	"webpageprinted":                    {"file.printed", ""},
	"filecopiedtoclipboard":             {"file.copied_to_clipboard", ""},
	"webpagecopiedtoclipboard":          {"file.copied_to_clipboard", ""},
	"filecopiedtonetworkshare":          {"file.copied_to_network_share", locationNetworkShare},
	"filecreatedonnetworkshare":         {"file.copied_to_network_share", locationNetworkShare},
	"filecopiedtoremotedesktopsession":  {"file.copied_to_remote_desktop", ""},
	"filetransferredbybluetooth":        {"file.copied_to_bluetooth", ""},
	"filetransferredtobluetooth":        {"file.copied_to_bluetooth", ""},
	"filecopiedtobluetooth":             {"file.copied_to_bluetooth", ""},
	"filecopiedbyunallowedbluetoothapp": {"file.copied_to_bluetooth", ""},
	"pastedtobrowser":                   {"file.pasted_to_browser", locationCloudApp},
	"textuploadedtocloud":               {"file.pasted_to_browser", locationCloudApp},
	"filedownloadedfrombrowser":         {"file.downloaded_from_browser", locationDevice},
	"webpagesavedtolocal":               {"file.downloaded_from_browser", locationDevice},
	"filerenamed":                       {"file.renamed", ""},
	"fileextensionchanged":              {"file.renamed", ""},
	"filearchived":                      {"file.archived", ""},
	"archivecreated":                    {"file.archived", ""},
	"fileread":                          {"file.accessed", ""},
	"fileaccessed":                      {"file.accessed", ""},
	"fileopened":                        {"file.accessed", ""},
	"fileaccessedbyunallowedapp":        {"file.accessed_by_unallowed_app", ""},
	"accessbyunallowedapp":              {"file.accessed_by_unallowed_app", ""},
	"filecreated":                       {"file.created", ""},
	"filemodified":                      {"file.modified", ""},
	"filedeleted":                       {"file.deleted", ""},
	"filemoved":                         {"file.moved", ""},
	"filecopied":                        {"file.copied", ""},
	"removablemediamount":               {"device.removable_media_mounted", locationRemovableMedia},
	"removablemediaunlockedmount":       {"device.removable_media_mounted", locationRemovableMedia},
	"removablemediaunmount":             {"device.removable_media_unmounted", locationRemovableMedia},
}

// endpoint maps a record of endpoint DLP (record type 63): what was done with a
// file on a device that Purview watches.
func (m *Mapper) endpoint(rec record) {
	e := m.audit(rec, schemas.SourceFile)
	m.endpointFile(rec, e)
	var f folding
	operation, blocked := strings.CutSuffix(f.lower(e.Operation), "blocked")
	known, ok := endpointActivities[operation]
	switch {
	case ok:
		e.Activity = known.activity
		e.File.Location = first(known.location, e.File.Location)
	case strings.Contains(operation, "sensitivitylabel"):
		m.labelOperation(rec, e, operation)
	default:
		e.Activity = fileOther
	}
	if blocked && e.File.Enforcement == "" {
		e.File.Enforcement = "block"
	}
	switch e.File.Enforcement {
	case "block":
		e.Outcome = schemas.OutcomeFailure
	case "warn":
		e.Outcome = schemas.OutcomeUnknown // stopped unless the user insists, which is a record of its own
	}
	m.endpointTarget(rec, e)
	m.emit(rec, e)
}

// endpointTarget fills in where the file went and what it is called there.
func (m *Mapper) endpointTarget(rec record, e *Event) {
	path, site := rec.at("TargetFilePath"), rec.at("TargetUrl")
	e.Clear.TargetPath, e.Clear.TargetName = path, rec.at("TargetPrinterName")
	e.Clear.URL = first(site, rec.at("TargetDomain"), rec.at("OriginatingDomain"))
	e.Clear.Removable = m.removableDevice(rec)
	switch e.Activity {
	case "file.uploaded_to_cloud", "file.pasted_to_browser":
		target := first(rec.at("TargetDomain"), site)
		m.to(e, target)
		if e.Destination == nil {
			e.Destination = &schemas.Destination{Class: ClassExternal, External: true}
		}
		m.categorise(e, domainOf(target))
	case "file.downloaded_from_browser":
		origin := first(rec.at("OriginatingDomain"), site)
		m.to(e, origin)
		m.categorise(e, domainOf(origin))
	case "file.renamed", "file.moved", "file.copied", "file.archived",
		"file.copied_to_removable_media", "file.copied_to_network_share", "file.copied_to_remote_desktop":
		m.localRename(rec, e)
	case "device.removable_media_mounted", "device.removable_media_unmounted":
		e.File.ItemType = itemVolume
	}
}

// endpointFile fills in what records from devices say of the file, the device and
// the labels.
func (m *Mapper) endpointFile(rec record, e *Event) {
	path := rec.at("ObjectId")
	label := m.embedded(rec.get("SensitivityLabelEventData"))
	e.File = &schemas.File{
		Count:       1,
		ItemType:    itemFile,
		Size:        rec.size("FileSize", "SizeInBytes"),
		Extension:   lowercase(strings.TrimPrefix(rec.at("FileExtension"), ".")),
		Enforcement: enforcement(rec.at("EnforcementMode")),
		Location:    localLocation(rec.at("SourceLocationType"), path),
		Label: first(label.at("SensitivityLabelName"), label.at("SensitivityLabelId"), rec.at("SensitivityLabelId"),
			first(rec.get("SensitivityLabelNames").texts()...), first(rec.get("SensitivityLabelIds").texts()...)),
	}
	e.ran(baseName(rec.str("Application", "ApplicationName")))
	e.File.SensitiveTypes, e.File.SensitiveCount = m.sensitiveTypes(rec.get("SensitiveInfoTypeData"))
	m.objectOf(e, path)
	name := first(baseName(path), rec.str("FileName", "ItemName"))
	m.nameOf(e, name)
	e.Clear.FilePath = strings.TrimRight(strings.TrimSuffix(path, name), `/\`)
	e.Clear.SHA256 = rec.at("Sha256")
	policy := m.embedded(rec.get("PolicyMatchInfo"))
	e.Clear.Title = first(policy.at("RuleName"), policy.at("PolicyName"))
	m.on(e, rec.str("MDATPDeviceId", "DeviceId"), rec.at("DeviceName"), platform(rec.at("Platform")), rec.maybe("IsManagedDevice"))
}

// localRename gives the file the name that it has after a rename, or that its
// copy or archive has.
func (m *Mapper) localRename(rec record, e *Event) {
	here, there := e.Clear.FileName, baseName(rec.at("TargetFilePath"))
	previous := baseName(rec.at("PreviousFileName"))
	if e.Activity == "file.archived" {
		if archive, member := packed(here, there, previous); archive != "" {
			m.renamed(e, member, archive)
			return
		}
	}
	if previous != "" && !strings.EqualFold(previous, here) {
		m.renamed(e, previous, here)
		return
	}
	if there != "" && !strings.EqualFold(there, here) && extensionOf(there) != "" {
		m.renamed(e, here, there)
	}
}

// packed tells the archive among the names of a record and the file that went
// into it; empty where the record does not name them.
func packed(names ...string) (archive, member string) {
	for _, name := range names {
		switch {
		case archive == "" && isArchive(extensionOf(name)):
			archive = name
		case member == "" && !strings.EqualFold(name, archive):
			member = name
		}
	}
	return archive, member
}

// removableDevice names a removable device by maker, model and serial number.
func (m *Mapper) removableDevice(rec record) string {
	device := m.embedded(rec.get("RemovableMediaDeviceAttributes"))
	if !device.isObject() {
		return rec.at("RemovableMediaDeviceAttributes")
	}
	var parts []string
	for _, name := range []string{"Manufacturer", "Model", "SerialNumber"} {
		if part := device.at(name); part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, " ")
}

// enforcement reads EnforcementMode, a number or its name.
// https://learn.microsoft.com/defender-xdr/advanced-hunting-datasecurityevents-table
func enforcement(mode string) string {
	var f folding
	switch f.lower(mode) {
	case "1", "audit", "auditonly":
		return "audit"
	case "2", "warn":
		return "warn"
	case "3", "bypass", "warnandbypass", "warnbypass":
		return "bypass"
	case "4", "block":
		return "block"
	case "5", "allow":
		return "allow"
	default:
		return ""
	}
}

// localLocation reads where the file lies: by type of location (0 unknown,
// 1 local, 2 remote, 3 removable, 4 cloud, 5 file share), else by its path.
func localLocation(kind, path string) string {
	var f folding
	switch f.lower(kind) {
	case "1", "local":
		return locationDevice
	case "2", "5", "remote", "fileshare", "networkshare":
		return locationNetworkShare
	case "3", "removable", "removablemedia":
		return locationRemovableMedia
	case "4", "cloud":
		return locationCloudApp
	}
	switch {
	case isShare(path):
		return locationNetworkShare
	case strings.Contains(path, "://"):
		return sharePointLocation("", path, path, "")
	default:
		return locationDevice
	}
}

// platform names the operating system of a device record, a number or a name.
func platform(text string) string {
	switch text {
	case "1":
		return "Windows"
	case "2":
		return "macOS"
	default:
		return osOf(text, "")
	}
}
