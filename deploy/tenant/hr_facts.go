package tenant

import (
	"strconv"

	"github.com/riskpipe/riskpipe/schemas"
)

// facts publishes the multi-scenario file of Purview's HR connector, a full
// snapshot every day: the improvement plans, reviews and changes of level that
// HR has noted of the second cast.
// https://learn.microsoft.com/purview/import-hr-data
func (g *generator) facts(day int, at schemas.Time) {
	w := &g.w
	w.reset()
	w.b = append(w.b, "HRScenario,EmailAddress,ResignationDate,LastWorkingDate,EffectiveDate,Remarks,Rating,OldLevel,NewLevel\n"...)
	rows := 0
	for i := range g.tenant.people {
		p := &g.tenant.people[i]
		s := p.story
		if s == nil || s.fact == factNone || day <= s.factDay {
			continue
		}
		scenario, rest := s.fact.row()
		w.b = append(w.b, scenario...)
		w.b = append(w.b, ',')
		w.b = append(w.b, choose(i%2 == 0, p.upn, p.mailUPN)...)
		w.b = append(w.b, ",,,"...)
		g.date(s.factDay, p)
		w.b = append(w.b, rest...)
		rows++
	}
	if rows > 0 {
		g.csv(at)
	}
}

// row returns the scenario of a fact and the cells after its date.
func (f fact) row() (scenario, rest string) {
	switch f {
	case factImprovementPlan:
		return "Performance improvement plan", ",\"Deadlines missed, plan agreed\",1-Unsatisfactory,,\n"
	case factPoorReview:
		return "Performance review", ",Deadlines slipped,2-Below expectations,,\n"
	case factDemotion:
		return "Job level change", ",,,Level 62 - Lead,Level 61 - Specialist\n"
	default:
		return "Job level change", ",,,Level 61 - Specialist,Level 62 - Lead\n"
	}
}

// profiles publishes the employee profiles of everybody, which Purview wants
// anew every 15 to 20 days, in files of bounded size.
func (g *generator) profiles(at schemas.Time) {
	w := &g.w
	rows := 0
	for i := range g.tenant.people {
		p := &g.tenant.people[i]
		if p.service {
			continue
		}
		if rows%workersPerFile == 0 {
			if rows > 0 {
				g.csv(at)
				at += second
			}
			w.reset()
			w.b = append(w.b, "EmailAddress,UserName,EmployeeFirstName,EmployeeLastName,EmployeeAddressLine1,EmployeeAddressLine2,EmployeeCity,EmployeeState,EmployeeZipCode,EmployeeCountry,EmployeeDepartment,EmployeeType,EmployeeRole\n"...)
		}
		rows++
		w.cells(p.upn, p.sam, p.given, p.family, p.residence.line(), choose(i%5 == 0, "Flat "+strconv.Itoa(1+i%9), ""), p.residence.place.city,
			p.residence.place.state, p.residence.zip, p.residence.place.country, p.role.department, choose(p.contractor, "Contractor", "Employee"), p.role.title)
	}
	if rows > 0 {
		g.csv(at)
	}
}

// cells appends a line of CSV. None of this package's values needs quotes.
func (w *writer) cells(values ...string) {
	for i, value := range values {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.b = append(w.b, value...)
	}
	w.b = append(w.b, '\n')
}
