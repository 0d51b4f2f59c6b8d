package normalise

import (
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// The scenarios of HR.Scenario.
const (
	scenarioResignation = "resignation"
	scenarioLevel       = "job_level_change"
	scenarioReview      = "performance_review"
	scenarioImprovement = "performance_improvement_plan"
	scenarioProfile     = "employee_profile"
	scenarioWorker      = "worker"
)

var hrScenarios = []string{
	scenarioResignation, scenarioLevel, scenarioReview, scenarioImprovement, scenarioProfile, scenarioWorker,
}

// hrRow maps one row of the HR feed.
func (m *Mapper) hrRow(rec record, r *hrRow) {
	scenario := m.hr.scenarioOf(r)
	if scenario == "" {
		rec.reject(ReasonMissing, "neither a scenario nor columns that tell it; name the columns in the setting normalise.hr.columns, or the scenario in normalise.hr.scenario")
		return
	}
	e := &Event{Actor: r.hrActor(scenario == scenarioWorker)}
	e.Operation = r.text[hrScenarioText]
	if len(e.Operation) > 64 {
		e.Operation = ""
	}
	if !e.Actor.IsNamed() {
		rec.reject(r.errNobody())
		return
	}
	e.Clear.DisplayName = r.displayName()
	e.Clear.Remarks = r.remarks()
	body := schemas.HR{Scenario: scenario, EmployeeType: r.text[hrEmployeeType]}
	body.OnLeave, _ = r.truth(hrOnLeave)

	dates, err := m.hrDates(r, scenario)
	if err != nil {
		rec.reject(ReasonBadTime, err.Error())
		return
	}
	body.Effective = dates.effective
	switch scenario {
	case scenarioResignation:
		if dates.resigned == 0 && dates.lastDay == 0 && dates.effective == 0 {
			rec.reject(ReasonMissing, "a resignation without resignation_date, last_working_date and effective_date")
			return
		}
		e.Activity = "hr.resignation"
		body.Resigned, body.LastDay = dates.resigned, dates.lastDay
		if body.Resigned == 0 {
			body.Resigned = dates.effective
		}
		if r.withdrawn() {
			e.Activity, body.Withdrawn = "hr.resignation_withdrawn", true
		}
	case scenarioLevel:
		e.Activity = "hr.job_level_changed"
		body.Direction = levelDirection(r.text[hrOldLevel], r.text[hrNewLevel])
	case scenarioReview:
		e.Activity = "hr.performance_review"
		body.Direction = ratingDirection(r.text[hrRating])
	case scenarioImprovement:
		e.Activity = "hr.performance_improvement_plan"
		body.Direction = ratingDirection(r.text[hrRating])
	case scenarioProfile:
		e.Activity = "hr.profile_updated"
	default:
		m.worker(r, e, &body, dates)
	}
	if body.Effective == 0 && e.Clear.Remarks == "" && (scenario == scenarioLevel || scenario == scenarioReview || scenario == scenarioImprovement) {
		rec.reject(ReasonMissing, "neither effective_date nor anything else beside the scenario "+scenario)
		return
	}
	m.finish(rec, r, e, body)
}

// hrDates reads the dates that the scenario needs. In files which combine
// scenarios a change of level or a review has its date in whatever date column:
// Microsoft's own example has it in ResignationDate.
func (m *Mapper) hrDates(r *hrRow, scenario string) (dates hrDates, err error) {
	read := func(into *schemas.Time, fields ...hrField) {
		var failed error
		for _, f := range fields {
			t, problem := m.date(r, f)
			if t != 0 {
				*into = t
				return
			}
			if failed == nil {
				failed = problem
			}
		}
		if err == nil {
			err = failed
		}
	}
	switch scenario {
	case scenarioLevel, scenarioReview, scenarioImprovement:
		read(&dates.effective, hrEffectiveDate, hrResignationDate, hrLastWorkingDate)
	case scenarioProfile:
		read(&dates.effective, hrEffectiveDate)
	case scenarioResignation:
		read(&dates.resigned, hrResignationDate)
		read(&dates.lastDay, hrLastWorkingDate, hrTerminationDate)
		read(&dates.effective, hrEffectiveDate)
	default:
		read(&dates.resigned, hrResignationDate)
		read(&dates.lastDay, hrLastWorkingDate)
		read(&dates.terminated, hrTerminationDate)
		read(&dates.contractEnd, hrContractEndDate)
		read(&dates.effective, hrEffectiveDate)
		dates.hired, _ = m.date(r, hrHireDate) // only compared with the others
	}
	return dates, err
}

// scenarioOf returns the scenario of a row: the one it names, else the one that
// its cells tell, else the one that its columns tell, else the configured one.
func (c *hrColumns) scenarioOf(r *hrRow) string {
	if text := r.text[hrScenarioText]; text != "" {
		folded := foldColumn(text)
		if scenario := c.scenarios[folded]; scenario != "" {
			return scenario
		}
		if scenario := scenarioNamed(folded); scenario != "" {
			return scenario
		}
	}
	if scenario := r.scenarioBy(r.filled); scenario != "" {
		if byColumns := r.scenarioBy(r.columned); scenario == scenarioReview && r.isOnly(byColumns) {
			return byColumns // remarks and ratings belong to every scenario of this kind
		}
		return scenario
	}
	if c.scenario != "" && !r.columned(hrResignationDate, hrOldLevel, hrNewLevel, hrImprovementRemarks) {
		return c.scenario
	}
	if r.text[hrScenarioText] != "" && r.combines() {
		return c.scenario // an unknown scenario, and the columns are those of all
	}
	return first(r.scenarioBy(r.columned), c.scenario)
}

// isOnly tells whether the columns are those of a file of the given scenario
// alone, a change of level or an improvement plan.
func (r *hrRow) isOnly(scenario string) bool {
	switch scenario {
	case scenarioLevel:
		return !r.columned(hrRating) && !r.combines()
	case scenarioImprovement:
		return !r.columned(hrRemarks) && !r.combines()
	default:
		return false
	}
}

// combines tells whether the columns are those of several scenarios.
func (r *hrRow) combines() bool {
	kinds := 0
	for _, there := range []bool{
		r.columned(hrResignationDate), r.columned(hrOldLevel, hrNewLevel), r.columned(hrRating, hrImprovementRemarks),
	} {
		if there {
			kinds++
		}
	}
	return kinds > 1
}

// scenarioNamed reads Microsoft's scenario texts and their like.
func scenarioNamed(folded string) string {
	has := func(parts ...string) bool {
		for _, part := range parts {
			if strings.Contains(folded, part) {
				return true
			}
		}
		return false
	}
	switch {
	case has("improvement") || folded == "pip":
		return scenarioImprovement
	case has("joblevel", "levelchange", "promotion", "demotion", "gradechange"):
		return scenarioLevel
	case has("performance", "review", "appraisal"):
		return scenarioReview
	case has("resign"):
		return scenarioResignation
	case has("profile"):
		return scenarioProfile
	case has("terminat", "worker", "offboard", "leaver", "dismiss"):
		return scenarioWorker
	default:
		return ""
	}
}

// scenarioBy tells the scenario by which fields are there, the most telling
// first. Rows that carry nothing but a date and a person tell nothing.
func (r *hrRow) scenarioBy(there func(...hrField) bool) string {
	switch {
	case there(hrWorkerStatus, hrIsTerminated, hrTerminationDate, hrAccountEnabled, hrContractEndDate):
		return scenarioWorker
	case there(hrImprovementRemarks):
		return scenarioImprovement
	case there(hrOldLevel, hrNewLevel):
		return scenarioLevel
	case there(hrRating):
		return scenarioReview
	case there(hrResignationDate, hrWithdrawn), there(hrLastWorkingDate) && r.columned(hrResignationDate):
		return scenarioResignation
	case there(hrLastWorkingDate, hrHireDate, hrOnLeave, hrManagerID):
		return scenarioWorker
	case there(hrRemarks) && there(hrEffectiveDate):
		return scenarioReview
	case there(hrFirstName, hrLastName, hrUserName, hrAddress, hrDepartment, hrJobTitle, hrEmployeeType):
		return scenarioProfile
	default:
		return ""
	}
}

// withdrawn tells whether the row takes a resignation back.
func (r *hrRow) withdrawn() bool {
	if yes, ok := r.truth(hrWithdrawn); ok {
		return yes
	}
	for _, f := range []hrField{hrWithdrawn, hrScenarioText, hrWorkerStatus} {
		folded := foldColumn(r.text[f])
		for _, word := range []string{"withdr", "rescind", "cancelled", "canceled", "revoked", "retracted", "takenback"} {
			if strings.Contains(folded, word) {
				return true
			}
		}
	}
	return false
}

// remarks returns what is sensitive free text in a row.
func (r *hrRow) remarks() string {
	var parts []string
	add := func(label, text string) {
		if text != "" {
			parts = append(parts, label+text)
		}
	}
	add("", first(r.text[hrRemarks], r.text[hrImprovementRemarks]))
	add("rating: ", r.text[hrRating])
	add("old level: ", r.text[hrOldLevel])
	add("new level: ", r.text[hrNewLevel])
	return strings.Join(parts, "; ")
}
