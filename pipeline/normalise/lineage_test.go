package normalise

import (
	"strings"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

// Lineage means the same content under another name: not an editor's scratch
// file, nor a download that got its name.
func TestRenamed_scratch(t *testing.T) {
	for _, test := range []struct {
		before, after string
		lineage       bool
	}{
		{"plan.docx", "holiday.docx", true},
		{"plan.docx", "holiday.tmpx", true},
		{"~WRD0003.tmp", "plan.docx", false},
		{"plan.docx", "~WRL0004.tmp", false},
		{"~$plan.docx", "plan.docx", false},
		{"4F2A1C.TMP", "plan.docx", false},
		{".~lock.plan.docx", "plan.docx", false},
		{"plan.zip.crdownload", "plan.zip", false},
		{"plan.zip.partial", "plan.zip", false},
	} {
		out := mapBytes(newTestMapper(), schemas.SourceDefender, `{"category":"AdvancedHunting-DeviceFileEvents","properties":{"Timestamp":"2026-03-02T08:15:30Z","ActionType":"FileRenamed",
			"FileName":"`+test.after+`","PreviousFileName":"`+test.before+`","FolderPath":"C:\\x\\`+test.after+`","DeviceId":"d1","ReportId":17,"InitiatingProcessAccountUpn":"ida@contoso.com"}}`)
		e := out.Events[0]
		name := test.before + " to " + test.after
		sees(t, name, e.File.Previous != 0, test.lineage)
		sees(t, name, e.File.Name, testHash("file_name", strings.ToLower(test.after)))
		sees(t, name, e.Clear.PreviousName, test.before) // an analyst may want to know
	}
}

// An archive is called after itself and comes from its member, whichever field
// of the record names which.
func TestEndpointArchive(t *testing.T) {
	for _, members := range []string{
		`"ObjectId":"C:\\x\\plan.docx","TargetFilePath":"C:\\x\\Out.zip"`,
		`"ObjectId":"C:\\x\\Out.zip","PreviousFileName":"plan.docx"`,
		`"ObjectId":"C:\\x\\Out.zip","TargetFilePath":"C:\\x\\plan.docx"`,
		`"ObjectId":"C:\\x\\Out.zip","TargetFilePath":"C:\\x\\out.zip","PreviousFileName":"C:\\x\\plan.docx"`,
	} {
		e := fileEvent(t, fileRecord(`"Operation":"FileArchived","RecordType":63,"Workload":"Endpoint",`+members))
		want(t, members, e.Activity, "file.archived")
		want(t, members+" name", e.File.Name, nameHash("out.zip"))
		want(t, members+" previous", e.File.Previous, nameHash("plan.docx"))
		want(t, members+" extension", e.File.Extension, "zip")
	}
	alone := fileEvent(t, fileRecord(`"Operation":"FileArchived","RecordType":63,"Workload":"Endpoint","ObjectId":"C:\\x\\Out.zip"`))
	want(t, "an archive of nobody knows what", alone.File.Previous, 0)
	want(t, "name", alone.File.Name, nameHash("out.zip"))
}
