package normalise

import (
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// deviceEvent maps a row of DeviceEvents, a table of hundreds of action types
// of which a few move data off the device.
// https://learn.microsoft.com/defender-xdr/advanced-hunting-deviceevents-table
func (m *Mapper) deviceEvent(rec record) {
	switch lowercase(rec.at("ActionType")) {
	case "usbdrivemounted":
		m.removableMedia(rec, "device.removable_media_mounted")
	case "usbdriveunmounted":
		m.removableMedia(rec, "device.removable_media_unmounted")
	case "pnpdeviceconnected":
		m.removableMedia(rec, "device.removable_media_connected")
	case "removablestoragefileevent":
		m.deviceEventFile(rec, "file.copied_to_removable_media", locationRemovableMedia)
	case "sensitivefileread":
		m.deviceEventFile(rec, "file.sensitive_read", locationDevice)
	case "dlppocprintjob", "printjobblocked":
		m.deviceEventFile(rec, "file.printed", locationDevice)
	case "screenshottaken":
		m.emit(rec, m.deviceEventRow(rec, "device.screenshot_taken"))
	case "getclipboarddata":
		m.emit(rec, m.deviceEventRow(rec, "device.clipboard_read"))
	case "smartscreenurlwarning", "smartscreenappwarning", "smartscreenuseroverride", "browserlaunchedtoopenurl",
		"exploitguardnetworkprotectionaudited", "exploitguardnetworkprotectionblocked":
		m.webVisit(rec)
	default:
		rec.skip(SkipDeviceAction)
	}
}

// deviceEventRow starts an event and looks for the person behind it: the
// account of the process, the account which the row is about, or the one who is
// logged on. With several logged on, nobody can tell whose drive it is.
func (m *Mapper) deviceEventRow(rec record, activity string) *Event {
	e := m.deviceRow(rec, "deviceevents", activity)
	if isPerson(e.Actor) {
		return e
	}
	about := named{
		upn: rec.at("AccountUpn"), objectID: rec.at("AccountObjectId"), sid: rec.at("AccountSid"),
		domain: rec.at("AccountDomain"), name: rec.at("AccountName"), host: rec.at("DeviceName"),
	}.actor()
	if isPerson(about) {
		e.Actor = about
		return e
	}
	if people := m.loggedOn(m.additional(rec).get("LoggedOnUsers"), rec.at("DeviceName")); len(people) == 1 {
		e.Actor = settled(people[0])
	}
	return e
}

// loggedOn reads a list of logged-on users, which may be a string.
func (m *Mapper) loggedOn(list object, host string) []Actor {
	var people []Actor
	for _, user := range m.embedded(list).items() {
		people = addPerson(people, named{
			upn: user.str("UserPrincipalName", "Upn"), objectID: user.str("AadUserId", "AccountObjectId", "azureAdUserId"), sid: user.str("Sid", "UserSid", "AccountSid"),
			domain: user.str("DomainName", "AccountDomain", "Domain"), name: user.str("UserName", "AccountName", "Name"), host: host,
		}.entity())
	}
	return people
}

// removableMedia maps the coming and going of a drive. Plug and play speaks of
// every device; only storage that can be carried away counts.
func (m *Mapper) removableMedia(rec record, activity string) {
	more := m.additional(rec)
	if !isRemovableStorage(more, strings.HasSuffix(activity, "_connected")) {
		rec.skip(SkipNotStorage)
		return
	}
	e := m.deviceEventRow(rec, activity)
	e.File = &schemas.File{ItemType: itemVolume, Location: locationRemovableMedia, Count: 1}
	m.objectOf(e, first(serialNumber(more), more.str("Volume", "DeviceId", "DriveLetter")))
	e.Clear.Removable = removable(more)
	e.Clear.FilePath = more.str("DriveLetter", "Volume")
	m.emit(rec, e)
}

// isRemovableStorage tells storage that can be carried away from other devices
// and from drives that are files or virtual machines' disks. One stick is
// several devices to plug and play; the disk stands for all of them, and a
// phone or camera, which is no disk, for itself.
func isRemovableStorage(more object, plugged bool) bool {
	id, bus := lowercase(more.at("DeviceId")), lowercase(more.at("BusType"))
	text := strings.Join([]string{bus, id, lowercase(more.at("DeviceDescription")), lowercase(more.at("ProductName"))}, " ")
	if strings.Contains(text, "virtual") || strings.Contains(text, "filebacked") {
		return false
	}
	if !plugged {
		return true // a mounted USB drive says so by its action
	}
	switch lowercase(more.at("ClassName")) {
	case "diskdrive", "cdrom", "floppydisk":
		return strings.Contains(id, "usb") || strings.HasPrefix(id, `sd\`) || bus == "usb" || bus == "sd" || bus == "mmc" || bus == "1394"
	case "wpd":
		return !strings.Contains(id, "usbstor")
	default:
		return false
	}
}

// deviceEventFile maps what was done to a file by the ways that a device offers.
func (m *Mapper) deviceEventFile(rec record, activity, location string) {
	more := m.additional(rec)
	e := m.deviceEventRow(rec, activity)
	e.File = &schemas.File{
		ItemType: itemFile, Location: location, Count: 1, Label: sensitivityLabel(rec),
		Size: rec.size("FileSize"),
	}
	e.ran(rec.at("InitiatingProcessFileName"))
	if e.File.Size == 0 {
		e.File.Size = more.size("FileSizeInBytes", "FileSize")
	}
	m.localFile(e, first(rec.at("FolderPath"), more.str("FilePath", "TargetFilePath")),
		first(rec.at("FileName"), more.str("FileName", "JobOrDocumentName", "DocumentName")), rec.at("SHA256"))
	if location == locationRemovableMedia {
		e.Clear.Removable = removable(more)
	}
	if strings.Contains(lowercase(e.Operation), "blocked") || strings.EqualFold(more.at("RemovableStoragePolicyVerdict"), "deny") {
		e.Outcome = schemas.OutcomeFailure
	}
	m.emit(rec, e)
}

// removable is the drive's maker, model and serial number.
func removable(more object) string {
	parts := []string{
		more.str("Manufacturer", "MediaVendorId", "VendorId"),
		more.str("ProductName", "MediaName", "Model", "DeviceDescription", "MediaProductId", "ProductId"),
		serialNumber(more),
	}
	return strings.Join(strings.Fields(strings.Join(parts, " ")), " ")
}

func serialNumber(more object) string {
	serial := more.str("SerialNumber", "MediaSerialNumber", "SerialNumberId")
	if isPlaceholder(serial) {
		return ""
	}
	return serial
}
