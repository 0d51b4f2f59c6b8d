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

func TestCopilotRisky(t *testing.T) {
	// A prompt or a resource in which upstream found an attack makes the
	// interaction risky, and nothing else of it changes.
	interaction := func(data string) Event {
		return fileEvent(t, fileRecord(`"Operation":"CopilotInteraction","RecordType":261,"Workload":"Copilot","CopilotEventData":{`+data+`}`))
	}
	for data, activity := range map[string]string{
		`"Messages":[{"Id":"1","isPrompt":true,"JailbreakDetected":false},{"Id":"2","JailbreakDetected":true}]`: "ai.risky_prompt",
		`"AccessedResources":[{"Id":"x"},{"Id":"y","XPIADetected":true}]`:                                       "ai.risky_prompt",
		`"Messages":[{"Id":"1","JailbreakDetected":false}],"AccessedResources":[{"XPIADetected":false}]`:        "ai.interaction",
	} {
		e := interaction(data)
		want(t, data, e.Activity, activity)
		want(t, "enforcement", e.File.Enforcement, "")
	}
}

func TestCopilotSensitive(t *testing.T) {
	// The most sensitive of the resources says the label, the types and the count.
	e := fileEvent(t, fileRecord(`"Operation":"CopilotInteraction","RecordType":261,"Workload":"Copilot","CopilotEventData":{"AccessedResources":[
		{"Id":"1","SensitivityLabelId":"general"},
		{"Id":"2","SensitivityLabelId":"secret","SensitiveInfoTypeData":[{"SensitiveInfoTypeName":"Card","Count":4},{"SensitiveInfoTypeName":"IBAN","Count":1}]},
		{"Id":"3","SensitivityLabelId":"other","SensitiveInfoTypeData":[{"SensitiveInfoTypeName":"Card","Count":2}]}]}`))
	want(t, "label", e.File.Label, "secret")
	want(t, "types", strings.Join(e.File.SensitiveTypes, ","), "Card,IBAN")
	want(t, "matches", e.File.SensitiveCount, 5)
	want(t, "resources", e.File.Count, 3)
	want(t, "destination", e.Destination, nil)
}

func TestCopilotThirdParty(t *testing.T) {
	// Assistants of others lie outside; Microsoft's own does not.
	for _, members := range []string{`"Operation":"ConnectedAIAppInteraction","RecordType":334,"Workload":"ConnectedAIApp"`, `"Operation":"AIAppInteraction","RecordType":335,"Workload":"AIApp"`} {
		e := fileEvent(t, fileRecord(members+`,"CopilotEventData":{"AppHost":"Bot"}`))
		if e.Destination == nil {
			t.Fatalf("%s has no destination", members)
		}
		want(t, members, *e.Destination, schemas.Destination{Class: ClassAI, External: true, Category: CategoryLLM})
	}
}
