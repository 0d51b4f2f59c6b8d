package normalise

import (
	"encoding/json"
	"hash/fnv"
	"strings"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

// fileHash stands in for the keyed hash.
func fileHash(kind, value string) schemas.Hash {
	h := fnv.New64a()
	h.Write([]byte(kind + "\x00" + value))
	return schemas.Hash(h.Sum64())
}

// fileMapper is a mapper of the invented tenant Contoso.
func fileMapper() *Mapper {
	return New(Options{Hash: fileHash, Domains: NewDomains(map[string][]string{
		ClassInternal:      {"contoso.com", "contoso.onmicrosoft.com", "contoso.sharepoint.com", "contoso-my.sharepoint.com"},
		ClassPartner:       {"fabrikam.com"},
		ClassPersonalMail:  {"gmail.com", "outlook.com"},
		ClassPersonalCloud: {"dropbox.com"},
	})})
}

// fileRecord is an audit record with these members; the common ones that it
// does not give are added.
func fileRecord(members string) []byte {
	defaults := []string{
		`"Id":"5f0c1a52-1111-4c00-9a10-08dc3f1a7a01"`, `"CreationTime":"2026-03-02T09:15:30"`,
		`"OrganizationId":"0a1b2c3d-0000-4000-8000-00000000c0de"`, `"UserId":"ada.byron@contoso.com"`,
		`"UserKey":"i:0h.f|membership|1003200099aa11bb@live.com"`, `"UserType":0`, `"Version":1`, `"ClientIP":"203.0.113.7"`,
	}
	text := "{" + members
	for _, member := range defaults {
		name, _, _ := strings.Cut(member, ":")
		if !strings.Contains(members, name+":") {
			text += "," + member
		}
	}
	return []byte(text + "}")
}

// fileEvent maps a record which must give exactly one event.
func fileEvent(t *testing.T, value []byte) Event {
	t.Helper()
	if !json.Valid(value) {
		t.Fatalf("the fixture is no JSON: %s", value)
	}
	var out Result
	fileMapper().Map(schemas.SourceFile, Raw{Topic: "raw.file", Value: value}, &out)
	if len(out.Events) != 1 || len(out.Rejects) != 0 {
		t.Fatalf("want one event, have %d events, rejects %v, skips %v", len(out.Events), out.Rejects, out.Skips)
	}
	return *out.Events[0]
}

// nameHash is the hash of a file name.
func nameHash(name string) schemas.Hash { return fileHash("file_name", strings.ToLower(name)) }

// want fails the test when a value is not the expected one.
func want[T comparable](t *testing.T, what string, have, expected T) {
	t.Helper()
	if have != expected {
		t.Errorf("%s: want %v, have %v", what, expected, have)
	}
}

const spo = `"Workload":"SharePoint","RecordType":6,"ItemType":"File","SiteUrl":"https://contoso.sharepoint.com/sites/Falcon/",` +
	`"SourceRelativeUrl":"Shared Documents/Plans","SourceFileName":"Q3 plan.docx","SourceFileExtension":"docx",` +
	`"ObjectId":"https:\/\/contoso.sharepoint.com\/sites\/Falcon\/Shared Documents\/Plans\/Q3 plan.docx"`

func TestSharePointOperations(t *testing.T) {
	// Every operation has one stable activity, and an unknown one still gives an
	// event.
	for operation, activity := range map[string]string{
		"FileAccessed": "file.accessed", "FileAccessedExtended": "file.accessed", "FilePreviewed": "file.previewed",
		"FileDownloaded": "file.downloaded", "FileSyncDownloadedFull": "file.synced", "FileSyncDownloadedPartial": "file.synced",
		"FileUploaded": "file.uploaded", "FileSyncUploadedFull": "file.uploaded", "FileModified": "file.modified",
		"FileModifiedExtended": "file.modified", "FileCopied": "file.copied", "FileMoved": "file.moved",
		"FileRenamed": "file.renamed", "FileDeleted": "file.deleted", "FileRecycled": "file.recycled",
		"FileDeletedFirstStageRecycleBin": "file.recycled", "FileDeletedSecondStageRecycleBin": "file.recycled",
		"FileRestored": "file.restored", "FileCheckedOut": "file.checked_out", "FileMalwareDetected": "file.malware_detected",
		"FolderDeleted": "file.deleted", "FolderCreated": "file.created", "FolderMoved": "file.moved",
		"FolderDeletedFirstStageRecycleBin": "file.recycled", "FileVersionsAllDeleted": "file.version_deleted",
		"PageViewed": "file.accessed", "PagePrefetched": "page.prefetched", "ClientViewSignaled": "page.view_signaled",
		"ListViewed": "file.accessed", "ListUpdated": "list.changed", "ListColumnCreated": "list.changed",
		"SiteCollectionCreated": "site.changed", "PermissionLevelAdded": "site.changed", "HubSiteJoined": "site.changed",
		"SiteCollectionAdminAdded": "site.admin_added", "SearchQueryPerformed": "search.performed",
		"FileTeleported": "file.other", "SomethingNew": "file.other", "": "file.other",
	} {
		e := fileEvent(t, fileRecord(`"Operation":"`+operation+`",`+spo))
		want(t, operation, e.Activity, activity)
		want(t, operation+" operation", e.Operation, operation)
		want(t, operation+" source", e.Source, schemas.SourceFile)
	}
}

func TestSharePointFileFacts(t *testing.T) {
	// Name, path, size, device, label and app are read from where upstream puts
	// them, whatever the type of the value.
	e := fileEvent(t, fileRecord(`"Operation":"FileSyncDownloadedFull","Workload":"OneDrive","RecordType":"6","ItemType":"File",
		"ObjectId":"https://contoso-my.sharepoint.com/personal/ada_contoso_com/Documents/R%26D/Budget%202026.XLSX",
		"SiteUrl":"https://contoso-my.sharepoint.com/personal/ada_contoso_com/","SourceRelativeUrl":"Documents/R&D",
		"SourceFileName":"Budget 2026.XLSX","SourceFileExtension":"XLSX","FileSyncBytesCommitted":"1344200",
		"MachineId":"884ecccb-1e44-4dd4-a2b5-b60517893ce0","DeviceDisplayName":"CONTOSO-LT-7","IsManagedDevice":"true",
		"Platform":"WinDesktop","UserAgent":"Microsoft SkyDriveSync 24.010 ship; Windows NT 10.0 (22631)","GeoLocation":"EUR",
		"ApplicationDisplayName":"OneDrive Sync","SensitivityLabelId":"c1d2e3f4-0000-4000-8000-00000000aaaa","ClientIP":"[2001:db8::7]:51023"`))
	want(t, "time", e.Time.String(), "2026-03-02T09:15:30.000Z")
	want(t, "user", e.Actor.UPN, "ada.byron@contoso.com")
	want(t, "actor type", e.ActorType, schemas.ActorPerson)
	want(t, "outcome", e.Outcome, schemas.OutcomeSuccess)
	want(t, "address", e.Clear.SourceIP, "2001:db8::7")
	want(t, "country", e.SourceIP.Country, "") // GeoLocation is the data centre
	want(t, "name", e.File.Name, nameHash("budget 2026.xlsx"))
	want(t, "object", e.File.Object, fileHash("object", "https://contoso-my.sharepoint.com/personal/ada_contoso_com/documents/r&d/budget 2026.xlsx"))
	want(t, "path", e.Clear.FilePath, "Documents/R&D")
	want(t, "extension", e.File.Extension, "xlsx")
	want(t, "size", e.File.Size, int64(1344200))
	want(t, "count", e.File.Count, int32(1))
	want(t, "location", e.File.Location, "onedrive")
	want(t, "item", e.File.ItemType, "file")
	want(t, "label", e.File.Label, "c1d2e3f4-0000-4000-8000-00000000aaaa")
	want(t, "application", e.File.Application, "OneDrive Sync")
	want(t, "device", e.Device.ID, fileHash("device", "884ecccb-1e44-4dd4-a2b5-b60517893ce0"))
	want(t, "device name", e.Clear.DeviceName, "CONTOSO-LT-7")
	want(t, "os", e.Device.OS, "Windows")
	want(t, "managed", e.Device.Managed != nil && *e.Device.Managed, true)
}

func TestSharePointSpellings(t *testing.T) {
	// The same fact in other spellings is the same fact.
	plain := fileEvent(t, fileRecord(`"Operation":"FileDownloaded",`+spo))
	encoded := fileEvent(t, fileRecord(`"Operation":"FileDownloaded","Workload":"SharePoint","RecordType":6,"ItemType":"File",
		"SourceFileName":"Q3%20plan.docx","ObjectId":"https://CONTOSO.sharepoint.com/sites/Falcon/Shared%20Documents/Plans/Q3%20plan.docx"`))
	want(t, "object", encoded.File.Object, plain.File.Object)
	want(t, "name", encoded.File.Name, plain.File.Name)
	want(t, "id", encoded.ID, plain.ID)
	want(t, "path", plain.Clear.FilePath, "Shared Documents/Plans")

	noName := fileEvent(t, fileRecord(`"Operation":"FileDownloaded","Workload":"SharePoint","RecordType":6,
		"ObjectId":"https://contoso.sharepoint.com/sites/Falcon/Shared Documents/Plans/Q3 plan.docx"`))
	want(t, "name from the URL", noName.File.Name, plain.File.Name)

	noObject := fileEvent(t, fileRecord(`"Operation":"FileDownloaded","Workload":"SharePoint","RecordType":6,"ItemType":"File",
		"SiteUrl":"https://contoso.sharepoint.com/sites/Falcon/","SourceRelativeUrl":"Shared Documents/Plans","SourceFileName":"Q3 plan.docx"`))
	want(t, "object from its parts", noObject.File.Object, plain.File.Object)

	repeated := fileEvent(t, fileRecord(`"Operation":"FileDownloaded","Workload":"SharePoint","RecordType":6,"ItemType":"File",
		"SourceRelativeUrl":"Shared Documents/Plans/Q3 plan.docx","SourceFileName":"Q3 plan.docx"`))
	want(t, "path without the name", repeated.Clear.FilePath, "Shared Documents/Plans")
}

func TestSharePointRename(t *testing.T) {
	// After a rename, move or copy the name is the new one and Previous the old
	// one, so that a sequence follows the file.
	for operation, activity := range map[string]string{
		"FileRenamed": "file.renamed", "FileMoved": "file.moved", "FileCopied": "file.copied",
	} {
		e := fileEvent(t, fileRecord(`"Operation":"`+operation+`",`+spo+`,"DestinationFileName":"holiday.jpg",
			"DestinationFileExtension":"jpg","DestinationRelativeUrl":"Shared Documents/Private","DestinationLabel":"label-b"`))
		want(t, "activity", e.Activity, activity)
		want(t, "name", e.File.Name, nameHash("holiday.jpg"))
		want(t, "previous", e.File.Previous, nameHash("Q3 plan.docx"))
		want(t, "extension", e.File.Extension, "jpg")
		want(t, "clear name", e.Clear.FileName, "holiday.jpg")
		want(t, "clear previous name", e.Clear.PreviousName, "Q3 plan.docx")
		want(t, "path", e.Clear.FilePath, "Shared Documents/Private")
		want(t, "previous path", e.Clear.PreviousPath, "Shared Documents/Plans")
		want(t, "label", e.File.Label, "label-b")
	}
	e := fileEvent(t, fileRecord(`"Operation":"FileRenamed",`+spo))
	want(t, "name without a destination", e.File.Name, nameHash("Q3 plan.docx"))
	want(t, "previous without a destination", e.File.Previous, 0)
}

func TestSharePointActors(t *testing.T) {
	// Services are no people, guests are guests, and what is no address is none.
	tests := []struct {
		members string
		kind    schemas.ActorType
		user    string
	}{
		{`"UserId":"app@sharepoint","UserKey":"i:0i.t|00000003-0000-0ff1-ce00-000000000000|app@sharepoint"`, schemas.ActorSystem, "app@sharepoint"},
		{`"UserId":"SHAREPOINT\\system","UserKey":"S-1-0-0"`, schemas.ActorSystem, `sharepoint\system`},
		{`"UserId":"urn:spo:guest#Grace@Fabrikam.com","UserKey":"user"`, schemas.ActorGuest, "grace@fabrikam.com"},
		{`"UserId":"grace_fabrikam.com#EXT#@contoso.onmicrosoft.com"`, schemas.ActorGuest, "grace_fabrikam.com#ext#@contoso.onmicrosoft.com"},
		{`"UserId":"ADA.BYRON@CONTOSO.COM"`, schemas.ActorPerson, "ada.byron@contoso.com"},
		{`"UserId":"urn:spo:anon#5bd1e12f"`, schemas.ActorAnonymous, ""},
		{`"UserId":"NOT-FOUND"`, schemas.ActorUnknown, ""},
		{`"UserId":"i:0#.f|membership|ada.byron@contoso.com","UserKey":"ada"`, schemas.ActorPerson, "ada.byron@contoso.com"},
	}
	for _, test := range tests {
		e := fileEvent(t, fileRecord(`"Operation":"FileDownloaded",`+test.members+`,"DeviceDisplayName":"10.1.2.3",`+spo))
		want(t, test.members, e.ActorType, test.kind)
		want(t, test.members, e.Actor.User(), test.user)
		want(t, "an address as a device name", e.Clear.DeviceName, "")
	}
}

func TestSharePointItems(t *testing.T) {
	// Pages, lists and sites are no files; Teams is told by its place.
	tests := []struct{ members, item, location string }{
		{`"Operation":"PageViewed","Workload":"SharePoint","RecordType":4,"ItemType":"Page","ObjectId":"https://contoso.sharepoint.com/sites/Falcon"`, "page", "sharepoint"},
		{`"Operation":"FileAccessed","Workload":"SharePoint","RecordType":6,"ItemType":"File","SourceFileName":"AllItems.aspx","ObjectId":"https://contoso.sharepoint.com/sites/Falcon/Shared Documents/Forms/AllItems.aspx"`, "page", "sharepoint"},
		{`"Operation":"ListViewed","Workload":"SharePoint","RecordType":36,"ItemType":"List","ListTitle":"Risks","ObjectId":"https://contoso.sharepoint.com/sites/Falcon/Lists/Risks"`, "list", "sharepoint"},
		{`"Operation":"ListColumnCreated","Workload":"OneDrive","RecordType":56,"ItemType":"Field","ObjectId":"https://contoso-my.sharepoint.com/personal/ada/x"`, "list", "onedrive"},
		{`"Operation":"SiteCollectionCreated","Workload":"SharePoint","RecordType":4,"ItemType":"Site","ObjectId":"https://contoso.sharepoint.com/sites/New"`, "site", "sharepoint"},
		{`"Operation":"FolderModified","Workload":"OneDrive","RecordType":6,"ItemType":"Folder","SourceFileName":"Documents","ObjectId":"https://contoso-my.sharepoint.com/personal/ada/Documents"`, "folder", "onedrive"},
		{`"Operation":"FileDownloaded","Workload":"OneDrive","RecordType":6,"ItemType":"File","SourceRelativeUrl":"Documents/Microsoft Teams Chat Files","SourceFileName":"a.pdf","SiteUrl":"https://contoso-my.sharepoint.com/personal/ada/"`, "file", "teams"},
		{`"Operation":"FileDownloaded","Workload":"SharePoint","RecordType":6,"ItemType":"File","SourceFileName":"a.pdf","SiteUrl":"https://contoso.sharepoint.com/teams/Falcon/"`, "file", "teams"},
		{`"Operation":"FileAccessed","Workload":"SharePoint","RecordType":"6","Message":"Notification message"`, "file", "sharepoint"},
	}
	for _, test := range tests {
		e := fileEvent(t, fileRecord(test.members))
		want(t, test.members, e.File.ItemType, test.item)
		want(t, test.members, e.File.Location, test.location)
	}
}

func TestSharePointItem(t *testing.T) {
	// Where ItemType is absent the operation tells what it is about.
	tests := []struct{ itemType, operation, name, item string }{
		{"Document", "FileModified", "a.docx", "file"},
		{"", "FolderCreated", "", "folder"},
		{"", "PageViewed", "", "page"},
		{"", "ListCreated", "", "list"},
		{"", "SiteColumnCreated", "", "site"},
		{"", "WebRequestAccessModified", "", "site"},
		{"", "FileDeleted", "", "file"},
		{"", "Something", "a.docx", "file"},
		{"", "Something", "", ""},
		{"Link", "", "", "link"},
		{"Tenant", "SharingPolicyChanged", "", "site"},
		{"Unheard", "", "", ""},
	}
	for _, test := range tests {
		want(t, test.itemType+test.operation, sharePointItem(test.itemType, test.operation, test.name, ""), test.item)
	}
	folder := fileEvent(t, fileRecord(`"Operation":"FolderRenamed","Workload":"SharePoint","RecordType":6,"ItemType":"Folder","SourceFileName":"Release 2.1","DestinationFileName":"Old.things"`))
	want(t, "a folder has no extension", folder.File.Extension, "")
	want(t, "a folder is renamed too", folder.File.Previous, nameHash("release 2.1"))
}

func TestOSOf(t *testing.T) {
	// The platform tells before the user agent, and services have no system.
	tests := []struct{ platform, agent, os string }{
		{"WinDesktop", "", "Windows"},
		{"MacOSX", "Windows", "macOS"},
		{"iOS", "", "iOS"},
		{"AndroidPhone", "", "Android"},
		{"Service", "OneDriveMpc-Transform_Zip/1.0", ""},
		{"Unknown", "Mozilla/5.0 (X11; Linux x86_64)", "Linux"},
		{"", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X)", "iOS"},
		{"", "Mozilla/5.0 (Linux; Android 14)", "Android"},
		{"", "", ""},
	}
	for _, test := range tests {
		want(t, test.platform+" "+test.agent, osOf(test.platform, test.agent), test.os)
	}
}

func TestFileWithoutTime(t *testing.T) {
	// A record without a time is a dead letter and not an event of today.
	var out Result
	fileMapper().Map(schemas.SourceFile, Raw{Value: []byte(`{"Id":"5f0c1a52-1111-4c00-9a10-08dc3f1a7a01","Operation":"FileDownloaded","RecordType":6,"Workload":"SharePoint"}`)}, &out)
	if len(out.Rejects) != 1 || out.Rejects[0].Reason != ReasonMissingTime {
		t.Errorf("want a reject for want of a time, have %v", out)
	}
}

func FuzzFileRecord(f *testing.F) {
	// No record whatever makes a mapper panic or vanish.
	for _, seed := range []string{
		`"Operation":"FileDownloaded",` + spo,
		`"Operation":"SharingSet","TargetUserOrGroupName":"i:0#.f|membership|grace@fabrikam.com","TargetUserOrGroupType":"Guest","EventData":"<Type>Edit</Type>",` + spo,
		dlpMail, endpointUSB, copilotRecord,
		`"Operation":"SensitivityLabelUpdated","RecordType":94,"Workload":"Aip","SensitivityLabelEventData":{"LabelEventType":2}`,
	} {
		f.Add(fileRecord(seed))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		var out Result
		fileMapper().Map(schemas.SourceFile, Raw{Value: value}, &out)
		if len(out.Events)+len(out.Rejects)+len(out.Skips)+len(out.Findings)+len(out.Links) == 0 {
			t.Errorf("a record came to nothing")
		}
		for _, r := range out.Rejects {
			if r.Reason == ReasonPanic {
				t.Error(r.Detail)
			}
		}
	})
}

func BenchmarkFile(b *testing.B) {
	m := fileMapper()
	value := fileRecord(`"Operation":"FileDownloaded","UserAgent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64)","CorrelationId":"7d3f2a10-0000-4000-8000-00000000beef","FileSizeBytes":16941,` + spo)
	var out Result
	b.SetBytes(int64(len(value)))
	b.ReportAllocs()
	for b.Loop() {
		m.Map(schemas.SourceFile, Raw{Value: value}, &out)
	}
	if len(out.Events) != 1 {
		b.Fatal(out)
	}
}
