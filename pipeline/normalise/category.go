package normalise

import "strings"

// The categories of Destination.Category, as event.avsc lists them.
const (
	CategoryAdult            = "adult"
	CategoryChildAbuse       = "child_abuse"
	CategoryCriminalActivity = "criminal_activity"
	CategoryCult             = "cult"
	CategoryGambling         = "gambling"
	CategoryHacking          = "hacking"
	CategoryHate             = "hate"
	CategoryIllegalSoftware  = "illegal_software"
	CategoryKeylogger        = "keylogger"
	CategoryMalware          = "malware"
	CategoryPhishing         = "phishing"
	CategoryViolence         = "violence"
	CategoryLLM              = "llm"
)

// Categories lists the categories of visited sites.
func Categories() []string {
	return []string{
		CategoryAdult, CategoryChildAbuse, CategoryCriminalActivity, CategoryCult, CategoryGambling, CategoryHacking,
		CategoryHate, CategoryIllegalSoftware, CategoryKeylogger, CategoryMalware, CategoryPhishing, CategoryViolence, CategoryLLM,
	}
}

// categorise fills in the category of a visited site by the configured lists. A
// site of class ai is a language model's when no list says otherwise.
func (m *Mapper) categorise(e *Event, host string) {
	if e.Destination == nil {
		return
	}
	category, found := listed(m.categories, host)
	if !found && e.Destination.Class == ClassAI {
		category = CategoryLLM
	}
	e.Destination.Category = category
}

// upstreamCategory reads what SmartScreen, network protection and web content
// filtering call the kind of a site; nothing when they only say that a rule of
// the organisation matched (CustomBlockList, CustomPolicy, CasbPolicy).
// https://learn.microsoft.com/defender-endpoint/network-protection
func upstreamCategory(text string) string {
	switch foldColumn(text) {
	case "phishing", "techscam":
		return CategoryPhishing
	case "malware", "malicious", "exploit", "commandandcontrol":
		return CategoryMalware
	case "pornography", "pornographysexuallyexplicit", "nudity", "adult", "adultcontent":
		return CategoryAdult
	case "childabuse", "childabuseimages":
		return CategoryChildAbuse
	case "criminalactivity":
		return CategoryCriminalActivity
	case "cults", "cult":
		return CategoryCult
	case "gambling":
		return CategoryGambling
	case "hacking":
		return CategoryHacking
	case "hate", "hateintolerance", "hateandintolerance":
		return CategoryHate
	case "illegalsoftware":
		return CategoryIllegalSoftware
	case "violence":
		return CategoryViolence
	default:
		return ""
	}
}

// isBlocking tells answers by which upstream stops a visit.
func isBlocking(text string) bool {
	folded := lowercase(text)
	return strings.Contains(folded, "block") || strings.Contains(folded, "deny")
}
