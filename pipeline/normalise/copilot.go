package normalise

import (
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// The activities of AI assistants. An interaction is risky when upstream found
// an attempt to get round the assistant's rules, by the prompt (jailbreak) or by
// something that it read (cross-prompt injection).
const (
	activityAIInteraction = "ai.interaction"
	activityRiskyPrompt   = "ai.risky_prompt"
)

// copilot maps an interaction with Copilot (record type 261): one event,
// however many messages and resources it had. The prompt's text is not in the
// record.
// https://learn.microsoft.com/office/office-365-management-api/copilot-schema
func (m *Mapper) copilot(rec record) {
	e := m.audit(rec, schemas.SourceFile)
	e.Activity = activityAIInteraction
	data := m.embedded(rec.get("CopilotEventData"))
	e.File = &schemas.File{
		Location:    locationCopilot,
		Application: first(data.at("AppHost"), rec.str("AgentName", "AppIdentity")),
	}
	m.objectOf(e, first(data.at("ThreadId"), rec.at("ObjectId")))
	for _, message := range m.embedded(data.get("Messages")).items() {
		if message.flag("JailbreakDetected") {
			e.Activity = activityRiskyPrompt
		}
	}
	m.resources(e, m.embedded(data.get("AccessedResources")))
	if isThirdPartyAI(rec.at("Workload"), e.Operation) {
		e.Destination = &schemas.Destination{Class: ClassAI, External: true, Category: CategoryLLM}
	}
	m.from(e, strings.TrimSpace(rec.at("ClientRegion")), 0, rec.at("ClientIP"))
	m.emit(rec, e)
}

// resources fills in what the assistant read. The most sensitive resource, the
// one with the most matches of sensitive information, says which label and which
// types stand for all; ids of labels have no order by themselves, so that among
// equals the first one that has a label does.
func (m *Mapper) resources(e *Event, list object) {
	for _, resource := range list.items() {
		e.File.Count++
		if name := resource.str("Name", "SiteUrl", "Id"); name != "" {
			e.Clear.Resources = append(e.Clear.Resources, name)
		}
		if resource.flag("XPIADetected") {
			e.Activity = activityRiskyPrompt
		}
		label := resource.str("SensitivityLabelName", "SensitivityLabelId")
		types, matches := m.sensitiveTypes(firstOf(resource, "SensitiveInfoTypeData", "SensitiveInformation", "SensitiveInfoTypes"))
		switch {
		case matches > e.File.SensitiveCount || len(types) > 0 && len(e.File.SensitiveTypes) == 0:
			e.File.SensitiveTypes, e.File.SensitiveCount = types, matches
			e.File.Label = first(label, e.File.Label)
		default:
			e.File.Label = first(e.File.Label, label)
		}
	}
}

// firstOf returns the first of the members that is there.
func firstOf(o object, names ...string) object {
	for _, name := range names {
		if member := o.get(name); member.ok() {
			return member
		}
	}
	return object{}
}

// isThirdPartyAI tells interactions with assistants other than Microsoft's own,
// which Purview records as AI apps and connected AI apps.
// https://learn.microsoft.com/purview/audit-copilot
func isThirdPartyAI(workload, operation string) bool {
	for _, text := range []string{lowercase(workload), lowercase(operation)} {
		if strings.HasPrefix(text, "aiapp") || strings.HasPrefix(text, "connectedaiapp") {
			return true
		}
	}
	return false
}
