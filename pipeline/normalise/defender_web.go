package normalise

import (
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// activityWebVisited is a visit of a site that upstream noticed: a browser was
// sent there, or a filter said what kind of site it is.
const activityWebVisited = "web.visited"

// webVisit maps what SmartScreen, network protection and the browser's launcher
// say of a site or a download. A warning is no block: who insists goes on.
// https://learn.microsoft.com/defender-endpoint/network-protection#advanced-hunting
func (m *Mapper) webVisit(rec record) {
	more := m.additional(rec)
	e := m.deviceEventRow(rec, activityWebVisited)
	e.Clear.URL = first(rec.at("RemoteUrl"), more.str("Uri", "Url", "DisplayName"))
	e.Clear.Object = first(e.Clear.URL, rec.at("RemoteIP"))
	e.Clear.FileName, e.Clear.SHA256 = rec.at("FileName"), rec.at("SHA256")
	m.toHost(e, e.Clear.URL)
	said := more.str("Experience", "ResponseCategory", "Category")
	if category := upstreamCategory(said); category != "" {
		if e.Destination == nil { // an address or a file: what kind of place it came from is known all the same
			e.Destination = &schemas.Destination{External: true}
		}
		e.Destination.Category = category
	}
	if audited := more.flag("IsAudit") || hasSuffixFold(e.Operation, "Audited"); !audited && (hasSuffixFold(e.Operation, "Blocked") || isBlocking(said)) {
		e.Outcome = schemas.OutcomeFailure
	}
	m.emit(rec, e)
}

// hasSuffixFold is strings.HasSuffix whatever the case.
func hasSuffixFold(s, suffix string) bool {
	return len(s) >= len(suffix) && strings.EqualFold(s[len(s)-len(suffix):], suffix)
}
