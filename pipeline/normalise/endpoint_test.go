package normalise

import (
	"strings"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

const endpointBase = `"RecordType":63,"Workload":"Endpoint","UserType":0,"DeviceName":"lt-7.contoso.com","MDATPDeviceId":"AB12CD34","Platform":1,` +
	`"ObjectId":"C:\\Users\\ada\\Documents\\Q3 plan.docx","FileExtension":"docx","FileType":"Word","FileSize":20480,"SourceLocationType":1,` +
	`"Sha256":"9f86d081","Application":"C:\\Windows\\explorer.exe"`

const endpointUSB = `"Operation":"FileCopiedToRemovableMedia","TargetFilePath":"E:\\stuff\\Q3 plan.docx","DestinationLocationType":3,
	"RemovableMediaDeviceAttributes":{"Manufacturer":"Initech","Model":"Stick 3","SerialNumber":"S-0042"},
	"PolicyMatchInfo":{"PolicyName":"Plans","RuleName":"No sticks"},"EnforcementMode":1,"SensitivityLabelEventData":{"SensitivityLabelId":"label-a"},
	"SensitiveInfoTypeData":[{"SensitiveInfoTypeName":"Card","Count":3}],` + endpointBase

func TestEndpointCopyToUSB(t *testing.T) {
	// A copy to a stick says which file, which device, which stick and what the
	// policy did.
	e := fileEvent(t, fileRecord(endpointUSB))
	want(t, "activity", e.Activity, "file.copied_to_removable_media")
	want(t, "user", e.Actor.UPN, "ada.byron@contoso.com")
	want(t, "outcome", e.Outcome, schemas.OutcomeSuccess)
	want(t, "address", e.Clear.SourceIP, "203.0.113.7")
	want(t, "device", e.Device.ID, fileHash("device", "ab12cd34"))
	want(t, "os", e.Device.OS, "Windows")
	want(t, "object", e.Clear.Object, `C:\Users\ada\Documents\Q3 plan.docx`)
	want(t, "name", e.File.Name, nameHash("q3 plan.docx"))
	want(t, "path", e.Clear.FilePath, `C:\Users\ada\Documents`)
	want(t, "target", e.Clear.TargetPath, `E:\stuff\Q3 plan.docx`)
	want(t, "previous", e.File.Previous, 0)
	want(t, "size", e.File.Size, 20480)
	want(t, "location", e.File.Location, "removable_media")
	want(t, "enforcement", e.File.Enforcement, "audit")
	want(t, "label", e.File.Label, "label-a")
	want(t, "types", strings.Join(e.File.SensitiveTypes, ","), "Card")
	want(t, "matches", e.File.SensitiveCount, 3)
	want(t, "application", e.File.Application, "explorer.exe")
	want(t, "stick", e.Clear.Removable, "Initech Stick 3 S-0042")
	want(t, "rule", e.Clear.Title, "No sticks")
	want(t, "hash", e.Clear.SHA256, "9f86d081")

	cloud := fileEvent(t, fileRecord(`"Operation":"FileDownloaded",`+spo))
	want(t, "the name follows the file from the cloud", e.File.Name, cloud.File.Name)
}

func TestEndpointOperations(t *testing.T) {
	// Every operation has one stable activity, and an unknown one still gives an
	// event.
	tests := []struct{ operation, activity, location, item string }{
		{"FileCreatedOnRemovableMedia", "file.copied_to_removable_media", "removable_media", "file"},
		{"FileUploadedToCloud", "file.uploaded_to_cloud", "cloud_app", "file"},
		{"FilePrinted", "file.printed", "device", "file"},
		{"FileCopiedToClipboard", "file.copied_to_clipboard", "device", "file"},
		{"FileCopiedToNetworkShare", "file.copied_to_network_share", "network_share", "file"},
		{"FileCreatedOnNetworkShare", "file.copied_to_network_share", "network_share", "file"},
		{"FileCopiedToRemoteDesktopSession", "file.copied_to_remote_desktop", "device", "file"},
		{"FileTransferredByBluetooth", "file.copied_to_bluetooth", "device", "file"},
		{"PastedToBrowser", "file.pasted_to_browser", "cloud_app", "file"},
		{"FileDownloadedFromBrowser", "file.downloaded_from_browser", "device", "file"},
		{"FileRenamed", "file.renamed", "device", "file"},
		{"FileArchived", "file.archived", "device", "file"},
		{"FileRead", "file.accessed", "device", "file"},
		{"FileAccessedByUnallowedApp", "file.accessed_by_unallowed_app", "device", "file"},
		{"FileCreated", "file.created", "device", "file"},
		{"FileModified", "file.modified", "device", "file"},
		{"FileDeleted", "file.deleted", "device", "file"},
		{"RemovableMediaMount", "device.removable_media_mounted", "removable_media", "volume"},
		{"RemovableMediaUnmount", "device.removable_media_unmounted", "removable_media", "volume"},
		{"FileFolded", "file.other", "device", "file"},
	}
	for _, test := range tests {
		e := fileEvent(t, fileRecord(`"Operation":"`+test.operation+`",`+endpointBase))
		want(t, test.operation, e.Activity, test.activity)
		want(t, test.operation+": location", e.File.Location, test.location)
		want(t, test.operation+": item", e.File.ItemType, test.item)
	}
}

func TestEndpointUpload(t *testing.T) {
	// The destination of an upload is the site, by domain or URL; an unknown one
	// is still outside.
	tests := []struct {
		members, class string
		external       bool
	}{
		{`"TargetDomain":"www.Dropbox.com"`, ClassPersonalCloud, true},
		{`"TargetUrl":"https://mail.northwind.example/compose?x=1"`, ClassExternal, true},
		{`"TargetDomain":"contoso.sharepoint.com"`, ClassInternal, false},
		{`"TargetDomain":""`, ClassExternal, true},
	}
	for _, test := range tests {
		e := fileEvent(t, fileRecord(`"Operation":"FileUploadedToCloud",`+test.members+`,`+endpointBase))
		want(t, test.members, e.Destination.Class, test.class)
		want(t, test.members, e.Destination.External, test.external)
	}
	print := fileEvent(t, fileRecord(`"Operation":"FilePrinted","TargetPrinterName":"\\\\prn\\third floor",`+endpointBase))
	want(t, "printer", print.Clear.TargetName, `\\prn\third floor`)
}

func TestEndpointRename(t *testing.T) {
	// A rename keeps the earlier name, an archive the name of what went into it.
	renamed := fileEvent(t, fileRecord(`"Operation":"FileRenamed","PreviousFileName":"C:\\Users\\ada\\Documents\\secret.docx",`+endpointBase))
	want(t, "renamed: name", renamed.File.Name, nameHash("Q3 plan.docx"))
	want(t, "renamed: previous", renamed.File.Previous, nameHash("secret.docx"))
	sideways := fileEvent(t, fileRecord(`"Operation":"FileRenamed","TargetFilePath":"C:\\Users\\ada\\Documents\\cat.jpg",`+endpointBase))
	want(t, "target: name", sideways.File.Name, nameHash("cat.jpg"))
	want(t, "target: previous", sideways.File.Previous, nameHash("Q3 plan.docx"))
	want(t, "target: extension", sideways.File.Extension, "jpg")
	archived := fileEvent(t, fileRecord(`"Operation":"FileArchived","TargetFilePath":"C:\\Users\\ada\\x.zip",`+endpointBase))
	want(t, "archived: name", archived.File.Name, nameHash("x.zip"))
	want(t, "archived: previous", archived.File.Previous, nameHash("Q3 plan.docx"))
	toFolder := fileEvent(t, fileRecord(`"Operation":"FileCopiedToNetworkShare","TargetFilePath":"\\\\srv\\share\\drop",`+endpointBase))
	want(t, "into a folder: name", toFolder.File.Name, nameHash("Q3 plan.docx"))
	want(t, "into a folder: previous", toFolder.File.Previous, 0)
}

func TestEndpointEnforcement(t *testing.T) {
	// What was blocked did not happen; what was warned of is a record of its own
	// when the user insists.
	tests := []struct {
		mode, enforcement string
		outcome           schemas.Outcome
	}{
		{"1", "audit", schemas.OutcomeSuccess},
		{"2", "warn", schemas.OutcomeUnknown},
		{"3", "bypass", schemas.OutcomeSuccess},
		{"4", "block", schemas.OutcomeFailure},
		{"5", "allow", schemas.OutcomeSuccess},
		{"0", "", schemas.OutcomeSuccess},
		{`"4"`, "block", schemas.OutcomeFailure},
		{`"Block"`, "block", schemas.OutcomeFailure},
		{"null", "", schemas.OutcomeSuccess},
	}
	for _, test := range tests {
		e := fileEvent(t, fileRecord(`"Operation":"FilePrinted","EnforcementMode":`+test.mode+`,`+endpointBase))
		want(t, test.mode, e.File.Enforcement, test.enforcement)
		want(t, test.mode, e.Outcome, test.outcome)
	}
	e := fileEvent(t, fileRecord(`"Operation":"FileCopiedToRemovableMediaBlocked",`+endpointBase))
	want(t, "suffix", e.Activity, "file.copied_to_removable_media")
	want(t, "suffix", e.Outcome, schemas.OutcomeFailure)
}

func TestEndpointShapes(t *testing.T) {
	// Nested members may be JSON in a string, and the user a Windows account.
	e := fileEvent(t, fileRecord(`"Operation":"FileCopiedToRemovableMedia","UserId":"CONTOSO\\ada","UserKey":"",
		"RemovableMediaDeviceAttributes":"{\"Model\":\"Stick\",\"SerialNumber\":7}","PolicyMatchInfo":"{\"RuleName\":\"r\"}",
		"SensitivityLabelEventData":"{\"SensitivityLabelId\":\"label-a\"}","SensitiveInfoTypeData":"[{\"SensitiveInfoTypeId\":\"guid\",\"Count\":2}]",`+endpointBase))
	want(t, "stick", e.Clear.Removable, "Stick 7")
	want(t, "rule", e.Clear.Title, "r")
	want(t, "label", e.File.Label, "label-a")
	want(t, "matches", e.File.SensitiveCount, 2)
	want(t, "account", e.Actor.Account, `contoso\ada`)
	plain := fileEvent(t, fileRecord(`"Operation":"RemovableMediaMount","RemovableMediaDeviceAttributes":"Stick 3",`+endpointBase))
	want(t, "plain text", plain.Clear.Removable, "Stick 3")
}

func TestLocalLocation(t *testing.T) {
	// The type of location says where a file lies, else its path does.
	tests := []struct{ kind, path, location string }{
		{"1", `\\srv\x`, "device"},
		{"2", `Z:\x`, "network_share"},
		{"3", `E:\x`, "removable_media"},
		{"4", "x", "cloud_app"},
		{"5", `Z:\x`, "network_share"},
		{"0", `C:\x`, "device"},
		{"", `\\srv\share\x`, "network_share"},
		{"", `\\?\C:\x`, "device"},
		{"", "/Users/ada/x", "device"},
		{"", "https://contoso.sharepoint.com/sites/x/y.docx", "sharepoint"},
		{"", "https://contoso-my.sharepoint.com/personal/ada/y.docx", "onedrive"},
	}
	for _, test := range tests {
		want(t, test.kind+" "+test.path, localLocation(test.kind, test.path), test.location)
	}
}
