package normalise

import (
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

const officeActivityRow = `{"TenantId":"0a1b2c3d-0000-4000-8000-00000000c0de","TimeGenerated":"2026-03-02T09:15:30Z","Type":"OfficeActivity","SourceSystem":"OfficeActivityManager",
	"OfficeId":"5f0c1a52-1111-4c00-9a10-08dc3f1a7a01","RecordType":"SharePointFileOperation","OfficeWorkload":"SharePoint","Operation":"FileDownloaded",
	"UserId_":"ada.byron@contoso.com","UserType":"Regular","Client_IPAddress":"203.0.113.7:443","OfficeObjectId":"https://contoso.sharepoint.com/sites/Falcon/Shared Documents/Plans/Q3 plan.docx",
	"Site_Url":"https://contoso.sharepoint.com/sites/Falcon/","SourceRelativeUrl":"Shared Documents/Plans","SourceFileName":"Q3 plan.docx","SourceFileExtension":"docx","ItemType":"File",
	"ExternalAccess":"False","Folders":""}`

// officeActivityEvent maps a row directly, whatever else the router would make
// of it.
func officeActivityEvent(t *testing.T, row string) Event {
	t.Helper()
	m := fileMapper()
	o, _, err := m.parse(row)
	if err != nil {
		t.Fatal(err)
	}
	if !isOfficeActivity(o) {
		t.Fatal("not taken for a row of OfficeActivity")
	}
	var out Result
	m.officeActivity(record{object: o, source: schemas.SourceFile, out: &out})
	if len(out.Events) != 1 {
		t.Fatalf("want one event, have %v", out)
	}
	return *out.Events[0]
}

func TestOfficeActivity(t *testing.T) {
	// A row of OfficeActivity is the same fact as the audit record that it holds.
	row := officeActivityEvent(t, officeActivityRow)
	classic := fileEvent(t, fileRecord(`"Operation":"FileDownloaded",`+spo))
	want(t, "id", row.ID, classic.ID)
	want(t, "time", row.Time, classic.Time)
	want(t, "user", row.Actor.Key(), classic.Actor.Key())
	want(t, "activity", row.Activity, classic.Activity)
	want(t, "object", row.File.Object, classic.File.Object)
	want(t, "name", row.File.Name, classic.File.Name)
	want(t, "address", row.Clear.SourceIP, classic.Clear.SourceIP)
	want(t, "site", row.Clear.URL, classic.Clear.URL)
	want(t, "outcome", row.Outcome, classic.Outcome)
}

func TestOfficeActivitySharing(t *testing.T) {
	// The differing names of the sharing columns are read too.
	e := officeActivityEvent(t, `{"TimeGenerated":"2026-03-02T09:15:30Z","OfficeId":"5f0c1a52-1111-4c00-9a10-08dc3f1a7a02","RecordType":"SharePointSharingOperation",
		"OfficeWorkload":"OneDrive","Operation":"SharingSet","UserId":"ada.byron@contoso.com","TargetUserOrGroupName":"grace@fabrikam.com","TargetUserOrGroupType":"Guest",
		"Event_Data":"<Permissions granted>Limited Access</Permissions granted>","OfficeObjectId":"https://contoso-my.sharepoint.com/personal/ada/x.docx"}`)
	want(t, "activity", e.Activity, "file.permission_changed")
	want(t, "location", e.File.Location, "onedrive")
}

func TestOfficeActivityShapes(t *testing.T) {
	// JSON in strings becomes JSON, a broken string stays, and what the row already
	// has under the classic name wins.
	m := fileMapper()
	o, _, err := m.parse(`{"Operation":"MailItemsAccessed","OfficeWorkload":"Exchange","OfficeId":"a","Id":"b","Logon_Type":"Owner",
		"Folders":"[{\"Path\":\"\\\\Inbox\"}]","Item":"[draft] plan","Parameters":"[{\"Name\":\"Identity\",\"Value\":\"x\"}]"}`)
	if err != nil {
		t.Fatal(err)
	}
	o = m.auditRecord(o)
	want(t, "folders", o.get("Folders").items()[0].at("Path"), `\Inbox`)
	want(t, "parameters", o.get("Parameters").named("Identity").text(), "x")
	want(t, "broken", o.at("Item"), "[draft] plan")
	want(t, "id", o.at("Id"), "b")
	want(t, "workload", o.at("Workload"), "Exchange")
	want(t, "logon type", o.at("LogonType"), "0")
}
