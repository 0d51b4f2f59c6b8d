package normalise

import (
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// copilot maps an interaction with Copilot (record type 261): one event,
// however many messages and resources it had. The prompt's text is not in the
// record.
// https://learn.microsoft.com/office/office-365-management-api/copilot-schema
func (m *Mapper) copilot(rec record) {
	e := m.audit(rec, schemas.SourceFile)
	e.Activity = "ai.interaction"
	data := m.embedded(rec.get("CopilotEventData"))
	e.File = &schemas.File{
		Location:    locationCopilot,
		Application: first(data.at("AppHost"), rec.str("AgentName", "AppIdentity")),
	}
	m.objectOf(e, first(data.at("ThreadId"), rec.at("ObjectId")))
	for _, resource := range m.embedded(data.get("AccessedResources")).items() {
		e.File.Count++
		if name := resource.str("Name", "SiteUrl", "Id"); name != "" {
			e.Clear.Resources = append(e.Clear.Resources, name)
		}
		// Ids of labels have no order by themselves: the first one stands for all.
		e.File.Label = first(e.File.Label, resource.str("SensitivityLabelName", "SensitivityLabelId"))
	}
	m.from(e, strings.TrimSpace(rec.at("ClientRegion")), 0, rec.at("ClientIP"))
	m.emit(rec, e)
}
