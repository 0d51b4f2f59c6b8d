package normalise

import (
	"strings"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

func TestLabelChanges(t *testing.T) {
	// The order of labels is upstream's to tell; without it the operation's name
	// decides.
	tests := []struct{ members, activity, change, label string }{
		{`"Operation":"SensitivityLabelApplied","RecordType":83,"SensitivityLabelEventData":{"SensitivityLabelId":"b","LabelEventType":1,"ActionSource":3}`, "file.labelled", "applied", "b"},
		{`"Operation":"SensitivityLabelApplied","RecordType":83,"SensitivityLabelEventData":{"SensitivityLabelId":"b"}`, "file.labelled", "applied", "b"},
		{`"Operation":"SensitivityLabelUpdated","RecordType":83,"SensitivityLabelEventData":{"SensitivityLabelId":"b","OldSensitivityLabelId":"a","LabelEventType":1}`, "file.label_upgraded", "upgraded", "b"},
		{`"Operation":"SensitivityLabelUpdated","RecordType":"SensitivityLabelAction","SensitivityLabelEventData":{"SensitivityLabelId":"b","OldSensitivityLabelId":"a","LabelEventType":"2"}`, "file.label_downgraded", "downgraded", "b"},
		{`"Operation":"SensitivityLabelUpdated","RecordType":94,"SensitivityLabelEventData":"{\"SensitivityLabelId\":\"b\",\"LabelEventType\":\"LabelDowngraded\"}"`, "file.label_downgraded", "downgraded", "b"},
		{`"Operation":"SensitivityLabelUpdated","RecordType":94,"SensitivityLabelEventData":{"SensitivityLabelId":"b","OldSensitivityLabelId":"a","LabelEventType":4}`, "file.labelled", "changed", "b"},
		{`"Operation":"SensitivityLabelUpdated","RecordType":94,"SensitivityLabelEventData":{"OldSensitivityLabelId":"a","LabelEventType":3}`, "file.label_removed", "removed", "a"},
		{`"Operation":"SensitivityLabelRemoved","RecordType":84,"SensitivityLabelEventData":{"OldSensitivityLabelId":"a","LabelEventType":0}`, "file.label_removed", "removed", "a"},
		{`"Operation":"SensitivityLabelPolicyMatched","RecordType":84,"SensitivityLabelEventData":{"SensitivityLabelId":"b"}`, "file.label_recommended", "", "b"},
		{`"Operation":"SensitivityLabeledFileOpened","RecordType":82,"SensitivityLabelEventData":{"SensitivityLabelId":"b"}`, "file.accessed", "", "b"},
		{`"Operation":"FileSensitivityLabelApplied","SensitivityLabelId":"b",` + spo, "file.labelled", "applied", "b"},
		{`"Operation":"FileSensitivityLabelChanged","SourceLabel":"a","DestinationLabel":"b",` + spo, "file.labelled", "changed", "b"},
		{`"Operation":"FileSensitivityLabelChanged","LabelEventType":2,"SourceLabel":"a","DestinationLabel":"b",` + spo, "file.label_downgraded", "downgraded", "b"},
		{`"Operation":"FileSensitivityLabelRemoved","SourceLabel":"a",` + spo, "file.label_removed", "removed", "a"},
		{`"Operation":"FileSensitivityLabelRemoved","SourceLabel":"a",` + strings.Replace(spo, `"RecordType":6`, `"RecordType":83`, 1), "file.label_removed", "removed", "a"},
		{`"Operation":"SensitivityLabeledFileOpened","SensitivityLabelId":"b",` + spo, "file.accessed", "", "b"},
		{`"Operation":"SensitivityLabelJudged","RecordType":83`, "file.other", "", ""},
		{`"Operation":"SiteSensitivityLabelRemoved","RecordType":4,"Workload":"SharePoint","ItemType":"Site","ObjectId":"https://contoso.sharepoint.com/sites/x"`, "file.label_removed", "removed", ""},
	}
	for _, test := range tests {
		e := fileEvent(t, fileRecord(test.members))
		want(t, test.members, e.Activity, test.activity)
		want(t, test.members, e.File.LabelChange, test.change)
		want(t, test.members, e.File.Label, test.label)
	}
}

func TestLabelFacts(t *testing.T) {
	// A label change on a device says which file on which device, by which app.
	e := fileEvent(t, fileRecord(`"Operation":"SensitivityLabelRemoved","RecordType":83,"Workload":"PublicEndpoint","ObjectId":"C:\\Users\\ada\\Q3 plan.docx",
		"Application":"Word","DeviceName":"LT-7","ApplicationMode":"Standard","SensitivityLabelEventData":{"OldSensitivityLabelId":"a","JustificationText":"was wrong"}`))
	want(t, "name", e.File.Name, nameHash("Q3 plan.docx"))
	want(t, "device", e.Clear.DeviceName, "LT-7")
	want(t, "application", e.File.Application, "Word")
	want(t, "location", e.File.Location, "device")
	want(t, "justification", e.Clear.Remarks, "was wrong")

	sharePoint := fileEvent(t, fileRecord(`"Operation":"FileSensitivityLabelApplied","SensitivityLabelId":"b",`+strings.Replace(spo, `"RecordType":6`, `"RecordType":83`, 1)))
	want(t, "SharePoint's shape: path", sharePoint.Clear.FilePath, "Shared Documents/Plans")
	want(t, "SharePoint's shape: location", sharePoint.File.Location, "sharepoint")

	renamed := fileEvent(t, fileRecord(`"Operation":"SensitivityLabeledFileRenamed","RecordType":82,"Workload":"PublicEndpoint","ObjectId":"C:\\Users\\ada\\cat.jpg","PreviousFileName":"Q3 plan.docx"`))
	want(t, "renamed", renamed.Activity, "file.renamed")
	want(t, "renamed: previous", renamed.File.Previous, nameHash("Q3 plan.docx"))
}

func TestInformationProtection(t *testing.T) {
	// The client's and scanner's records give what was done, on which device; its
	// sign of life gives none.
	common := `,"Workload":"Aip","ObjectId":"\\\\srv\\share\\Q3 plan.docx","Common":{"ApplicationName":"Word Add-In","ProcessName":"WINWORD","DeviceName":"LT-7","Platform":1,"Location":"On-premises file shares"}`
	tests := []struct{ members, activity string }{
		{`"Operation":"Access","RecordType":93`, "file.accessed"},
		{`"Operation":"Discover","RecordType":"AipDiscover"`, "file.discovered"},
		{`"Operation":"SensitivityLabelApplied","RecordType":94`, "file.labelled"},
		{`"Operation":"ProtectionApplied","RecordType":95,"ProtectionEventData":{"IsProtected":true,"IsProtectedBefore":false}`, "file.protection_applied"},
		{`"Operation":"ProtectionRemoved","RecordType":95,"ProtectionEventData":{"IsProtected":false,"IsProtectedBefore":true}`, "file.protection_removed"},
		{`"Operation":"ProtectionChanged","RecordType":95,"ProtectionEventData":{"IsProtected":true,"IsProtectedBefore":true}`, "file.protection_changed"},
		{`"Operation":"ProtectionApplied","RecordType":95,"ProtectionEventData":{}`, "file.other"},
		{`"Operation":"ProtectionApplied","RecordType":95,"ProtectionEventData":{"IsProtected":false}`, "file.other"},
		{`"Operation":"FileDeleted","RecordType":96`, "file.deleted"},
	}
	for _, test := range tests {
		e := fileEvent(t, fileRecord(test.members+common))
		want(t, test.members, e.Activity, test.activity)
		want(t, "device", e.Clear.DeviceName, "LT-7")
		want(t, "os", e.Device.OS, "Windows")
		want(t, "location", e.File.Location, "network_share")
		want(t, "name", e.File.Name, nameHash("q3 plan.docx"))
	}
	var out Result
	fileMapper().Map(schemas.SourceFile, Raw{Value: fileRecord(`"Operation":"HeartBeat","RecordType":97,"Workload":"Aip"`)}, &out)
	if len(out.Events) != 0 || len(out.Skips) != 1 || out.Skips[0].Reason != SkipHeartbeat {
		t.Errorf("heartbeat: %v", out)
	}
}

func TestMailSubject(t *testing.T) {
	// What Outlook labels is a message whose subject is no path.
	e := fileEvent(t, fileRecord(`"Operation":"SensitivityLabelRemoved","RecordType":94,"Workload":"Aip","ObjectId":"RE: offer and/or terms","Common":{"ApplicationName":"Outlook Add-In"}`))
	want(t, "subject", e.Clear.Subject, "RE: offer and/or terms")
	want(t, "file name", e.Clear.FileName, "")
	want(t, "name", e.File.Name, 0)
}
