package normalise

import "github.com/riskpipe/riskpipe/schemas"

// DetectionActivity names the activity of a finding by its category; the
// pipeline asks again once it has joined an alert with its evidence. What data
// loss prevention found is a rule match, as its own records have it.
func DetectionActivity(d schemas.Detection) string {
	if d.Category == dlpCategory {
		return dlpRuleMatch
	}
	return detectionActivity(d.Category)
}
