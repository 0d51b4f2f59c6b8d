package normalise

import (
	"strings"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

const copilotRecord = `"Operation":"CopilotInteraction","RecordType":261,"Workload":"Copilot","ClientIP":"ffff:10.11.0.229","ClientRegion":"DE",
	"CopilotEventData":{"AppHost":"Word","ThreadId":"19:thread-1","Messages":[{"Id":"1","isPrompt":true,"Size":120},{"Id":"2","isPrompt":false}],
	"AccessedResources":[{"Id":"x1","Name":"Offer.docx","SiteUrl":"https://contoso.sharepoint.com/sites/x/Offer.docx?web=1","Type":"docx","Action":"Read"},
	{"Id":"x2","SiteUrl":"https://contoso.sharepoint.com/sites/x/Prices.xlsx","SensitivityLabelId":"label-a"},{"Id":"x3","SensitivityLabelId":"label-b"}]}`

func TestCopilot(t *testing.T) {
	// An interaction is one event that counts what was read and keeps the names
	// for those who may see them.
	e := fileEvent(t, fileRecord(copilotRecord))
	want(t, "activity", e.Activity, "ai.interaction")
	want(t, "source", e.Source, schemas.SourceFile)
	want(t, "user", e.Actor.UPN, "ada.byron@contoso.com")
	want(t, "location", e.File.Location, "copilot")
	want(t, "count", e.File.Count, 3)
	want(t, "label", e.File.Label, "label-a")
	want(t, "application", e.File.Application, "Word")
	want(t, "address that is none", e.Clear.SourceIP, "")
	want(t, "country", e.SourceIP.Country, "DE")
	want(t, "resources", strings.Join(e.Clear.Resources, " "), "Offer.docx https://contoso.sharepoint.com/sites/x/Prices.xlsx x3")
	want(t, "object", e.Clear.Object, "19:thread-1")
}

func TestCopilotShapes(t *testing.T) {
	// An interaction that read nothing counts nothing; nested JSON in strings reads
	// alike; region and address stand together.
	none := fileEvent(t, fileRecord(`"Operation":"CopilotInteraction","RecordType":"CopilotInteraction","Workload":"Copilot","CopilotEventData":{"AppHost":"Teams","AccessedResources":[]}`))
	want(t, "count", none.File.Count, 0)
	want(t, "address", none.Clear.SourceIP, "203.0.113.7")
	text := fileEvent(t, fileRecord(`"Operation":"CopilotInteraction","RecordType":261,"Workload":"Copilot","ClientRegion":"NLD","CopilotEventData":"{\"AppHost\":\"Teams\",\"AccessedResources\":\"[{\\\"Name\\\":\\\"a.docx\\\"}]\"}"`))
	want(t, "count of text", text.File.Count, 1)
	want(t, "country", text.SourceIP.Country, "")
	agent := fileEvent(t, fileRecord(`"Operation":"ConnectedAIAppInteraction","RecordType":999,"Workload":"ConnectedAIApp","CopilotEventData":{"AppHost":"Agent"}`))
	want(t, "activity of another record type", agent.Activity, "ai.interaction")
	bare := fileEvent(t, fileRecord(`"Operation":"CopilotInteraction","RecordType":261,"Workload":"Copilot"`))
	want(t, "activity without data", bare.Activity, "ai.interaction")
}
