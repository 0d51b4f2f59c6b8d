package normalise

import "testing"

func TestRecordType(t *testing.T) {
	// A record goes to one mapper whether its type is a number, text or a name in
	// either spelling.
	for members, want := range map[string][]string{
		`"Operation":"FilePrinted","Workload":"Endpoint","ObjectId":"C:\\a.docx","PolicyDetails":[{"PolicyName":"p"}]`: {`63`, `"63"`, `"DLPEndpoint"`, `"dlpEndpoint"`, "file.printed"},
		`"Operation":"CopilotInteraction","Workload":"Copilot"`:                                                        {`261`, `"261"`, `"CopilotInteraction"`, `"copilotInteraction"`, "ai.interaction"},
		`"Operation":"Protect","Workload":"Aip","ProtectionEventData":{"IsProtected":true}`:                            {`95`, `"95"`, `"AipProtectionAction"`, `"aipProtectionAction"`, "file.protection_applied"},
		`"Operation":"SensitivityLabelRemoved","Workload":"PublicEndpoint","ObjectId":"C:\\a.docx"`:                    {`83`, `"83"`, `"SensitivityLabelAction"`, `"sensitivityLabelAction"`, "file.label_removed"},
	} {
		kinds, activity := want[:len(want)-1], want[len(want)-1]
		for _, kind := range kinds {
			e := fileEvent(t, fileRecord(members+`,"RecordType":`+kind))
			if e.Activity != activity {
				t.Errorf("%s: got %s, want %s", kind, e.Activity, activity)
			}
		}
	}
}
