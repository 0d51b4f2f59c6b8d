package tenant

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/riskpipe/riskpipe/schemas"
)

// patient is somebody with a health record.
type patient struct {
	id            string
	given, family string
	residence     residence
	restricted    bool
}

// access is one look at a health record.
type access struct {
	at      schemas.Time
	by      *person
	patient patient
	event   string
	reason  string // for a restricted record
	comment string
	section string
}

// patientsPerCity is how many people have records in each city.
const patientsPerCity = 4000

// patient returns one of the patients of a city, always the same by number.
func (t *Tenant) patient(city *place, n int) patient {
	d := newDice(t.options.Seed^seedPatients, uint64(city.asn)<<32|uint64(n))
	return patient{
		id: "P" + strconv.FormatInt(city.asn%10, 10) + strconv.Itoa(100_000+n), given: pick(d, givenNames), family: pick(d, familyNames),
		residence: homeIn(d, city), restricted: d.chance(0.02),
	}
}

// asPatient returns the record of somebody of the staff.
func (p *person) asPatient() patient {
	return patient{id: "P9" + strconv.Itoa(100_000+p.index), given: p.given, family: p.family, residence: p.residence}
}

// look notes an access to a health record.
func (g *generator) look(by *person, at schemas.Time, who patient, reason, comment string) {
	a := access{
		at: at, by: by, patient: who, event: pick(g.dice, []string{"Chart opened", "Chart opened", "Results reviewed", "Medication list viewed", "Demographics viewed"}),
		section: pick(g.dice, []string{"Chart Review", "Results", "Medications", "Demographics"}),
	}
	if who.restricted {
		a.event, a.reason, a.comment = "Break the Glass", reason, comment
	}
	g.health = append(g.health, a)
}

// accesses publishes the day's looks at health records in the columns of
// Purview's healthcare connector: an export on the next day, by time.
// https://learn.microsoft.com/purview/import-healthcare-data
func (g *generator) accesses(day int) {
	if len(g.health) == 0 {
		return
	}
	slices.SortStableFunc(g.health, func(a, b access) int { return cmp.Compare(a.at, b.at) })
	// Shifts on the other side of the ocean end on the next day.
	at := g.tenant.midnight(day+1) + 14*hour + g.dice.span(0, 30*minute)
	w := &g.w
	for list := range slices.Chunk(g.health, workersPerFile) {
		w.reset()
		w.b = append(w.b, "Creation Time,Event Name,Workstation Id,Event Section,Event Category,Patient Reg Id,Patient First Name,Patient Last Name,Patient Address Line 1,Patient City,Patient Zip Code,Patient State,Patient Country,Patient Department,Restricted Access Reason,Restricted Access Comment,Email Address,Employee User Name,Employee Id,Employee Last Name,Employee First Name\n"...)
		for i := range list {
			a := &list[i]
			w.b = appendTime(w.b, a.at, layoutSeconds)
			w.b = append(w.b, ',')
			w.cells(a.event, a.by.device, a.section, "Access", a.patient.id, a.patient.given, a.patient.family, a.patient.residence.line(), a.patient.residence.place.city,
				a.patient.residence.zip, a.patient.residence.place.state, a.patient.residence.place.country, "General Practice", a.reason, a.comment,
				a.by.upn, a.by.sam, a.by.employee, a.by.family, a.by.given)
		}
		g.csv(at)
		at += second
	}
	g.health = g.health[:0]
}
