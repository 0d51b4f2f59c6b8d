package normalise

import (
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// worker maps a row that says how things stand with a worker, as the worker file
// of an HR system, a directory's user or a SCIM resource does.
//
// The end of a contract is the last day of a worker who stays until then, and no
// termination: contracts run out on paper long before anybody leaves, and are
// prolonged.
func (m *Mapper) worker(r *hrRow, e *Event, body *schemas.HR, dates hrDates) {
	status := workerStatus(r.text[hrWorkerStatus])
	if terminated, ok := r.truth(hrIsTerminated); ok && terminated {
		status = statusEnded
	} else if ok && status == "" {
		status = statusActive
	}
	enabled, said := r.truth(hrAccountEnabled)
	switch {
	case status == statusEnded || said && !enabled && status != statusActive:
		body.Active = new(bool)
	case status != "" || said:
		active := true
		body.Active = &active
	}
	body.OnLeave = body.OnLeave || status == statusLeave
	if e.Operation == "" {
		e.Operation = operationText(r.text[hrWorkerStatus])
	}

	// Hired again: the dates are those of the earlier employment.
	if dates.hired != 0 && status != statusEnded {
		for _, t := range []*schemas.Time{&dates.terminated, &dates.lastDay, &dates.resigned} {
			if *t < dates.hired {
				*t = 0
			}
		}
	}
	body.Resigned, body.LastDay = dates.resigned, dates.lastDay
	if body.LastDay == 0 {
		body.LastDay = dates.terminated
	}
	switch {
	case r.withdrawn():
		e.Activity, body.Withdrawn = "hr.resignation_withdrawn", true
	case dates.resigned != 0:
		e.Activity = "hr.resignation"
	case status == statusEnded || body.LastDay != 0 || namesTermination(r.text[hrScenarioText]):
		e.Activity = "hr.termination"
		if body.LastDay == 0 {
			body.LastDay = dates.contractEnd
		}
	case said && !enabled:
		e.Activity = "hr.account_disabled"
	default:
		e.Activity = "hr.worker_updated"
		body.LastDay = dates.contractEnd
	}
	if dates.terminated != 0 && body.Effective == 0 {
		body.Effective = dates.terminated
	}
}

func namesTermination(scenario string) bool {
	return strings.Contains(foldColumn(scenario), "terminat") || strings.Contains(foldColumn(scenario), "dismiss")
}

// The meanings of a worker status; empty when it says none of them.
const (
	statusActive = "active"
	statusLeave  = "leave"
	statusEnded  = "ended"
)

// workerStatus reads the words and codes of HR systems, and booleans.
func workerStatus(text string) string {
	folded := foldColumn(text)
	switch folded {
	case "":
		return ""
	case "active", "a", "true", "1", "yes", "y", "employed", "current", "probation", "hired", "working":
		return statusActive
	case "inactive", "i", "t", "false", "0", "no", "n", "r", "left", "former", "ended", "exited", "deceased", "leaver", "quit":
		return statusEnded
	case "l", "p", "loa", "sabbatical", "furlough", "furloughed", "suspended", "s":
		return statusLeave
	}
	switch {
	case strings.Contains(folded, "terminat"), strings.Contains(folded, "separat"), strings.Contains(folded, "retired"),
		strings.Contains(folded, "dismiss"), strings.Contains(folded, "resigned"), strings.Contains(folded, "offboard"):
		return statusEnded
	case strings.Contains(folded, "leave"):
		return statusLeave
	case strings.HasPrefix(folded, "inactive"):
		return statusEnded
	case strings.HasPrefix(folded, "active"):
		return statusActive
	}
	return ""
}

// operationText bounds what upstream calls an operation: a status is a word, and
// longer text may be about a person.
func operationText(text string) string {
	if len(text) > 32 {
		return ""
	}
	return text
}
