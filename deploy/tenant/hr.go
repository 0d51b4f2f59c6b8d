package tenant

import (
	"strconv"

	"github.com/riskpipe/riskpipe/schemas"
)

// workersPerFile bounds the rows of one Kafka record of the worker file.
const workersPerFile = 500

// hr are the files of the HR systems of one day. Each is a full snapshot: what
// was in it yesterday is in it again.
func (g *generator) hr(day int) {
	at := g.tenant.midnight(day) + 4*hour
	g.throw(streamHR, day)
	g.resignations(day, at+g.dice.span(0, 30*minute))
	g.workers(day, at+g.dice.span(40*minute, 60*minute))
	if day%28 == 8 {
		g.reviews(at + 90*minute)
	}
	if day%28 == 15 {
		g.levels(at + 95*minute)
	}
	if day%14 == 9 {
		g.scim(at + 2*hour)
	}
	if g.tenant.hasSecondCast() {
		g.throw(streamFacts, day)
		g.facts(day, at+g.dice.span(10*minute, 25*minute))
		if day%15 == 1 {
			g.profiles(at + g.dice.span(3*hour, 4*hour))
		}
	}
}

// csv publishes the lines at hand.
func (g *generator) csv(at schemas.Time) {
	g.pending = append(g.pending, item{at: at, source: schemas.SourceHR, value: g.keep()})
}

// date appends a date in one of the spellings that a single file mixes; a person
// keeps theirs.
func (g *generator) date(day int, p *person) {
	w, at := &g.w, g.tenant.midnight(day)+9*hour
	switch p.index % 3 {
	case 0:
		w.b = appendTime(w.b, at, layoutTicks)
	case 1:
		w.b = appendTime(w.b, at, layoutNoZone)
		w.b = append(w.b, ".4675041+05:30"...)
	default:
		w.b = appendTime(w.b, at, layoutNoZone)
		w.b = append(w.b, ".7117540"...)
	}
}

// resignations publishes the resignation scenario of Purview's HR connector.
// https://learn.microsoft.com/purview/import-hr-data
func (g *generator) resignations(day int, at schemas.Time) {
	w := &g.w
	w.reset()
	w.b = append(w.b, "EmailAddress,ResignationDate,LastWorkingDate,ResignationStatus\n"...)
	for i := range g.tenant.people {
		p := &g.tenant.people[i]
		s := p.story
		if s == nil || !s.leaves() || day < s.heardDay {
			continue
		}
		w.b = append(w.b, choose(i%2 == 0, p.upn, p.mailUPN)...)
		w.b = append(w.b, ',')
		g.date(s.noticeDay, p)
		w.b = append(w.b, ',')
		g.date(s.lastDayAs(day), p)
		w.b = append(w.b, choose(s.withdrawnDay > 0 && day >= s.withdrawnDay, ",Withdrawn\n", ",Submitted\n")...)
	}
	g.csv(at)
}

// workers publishes the worker file, which knows no mail addresses: contractors
// on most days, everybody on Mondays.
func (g *generator) workers(day int, at schemas.Time) {
	monday := g.tenant.midnight(day).UTC().Weekday() == 1
	w := &g.w
	rows := 0
	for i := range g.tenant.people {
		p := &g.tenant.people[i]
		if p.service || !p.contractor && !monday {
			continue
		}
		if rows%workersPerFile == 0 {
			if rows > 0 {
				g.csv(at)
				at += second
			}
			w.reset()
			w.b = append(w.b, "WorkerID,WorkerStatus,WorkerType,UserID,ManagerID,HireDate,OnLeave,Department,Company,Location,JobTitle,CountryCode,IsTerminated,TerminationDate\n"...)
		}
		rows++
		ended := p.story != nil && p.story.terminated() && day >= p.story.heardDay
		w.b = append(w.b, p.employee...)
		w.b = append(w.b, choose(ended, ",Inactive,", ",Active,")...)
		w.b = append(w.b, choose(p.contractor, "Contractor,", "Employee,")...)
		w.b = append(w.b, p.employee...)
		w.b = append(w.b, ',')
		w.b = append(w.b, g.tenant.people[p.manager].employee...)
		w.b = append(w.b, ',')
		w.b = strconv.AppendInt(w.b, int64(2008+i%16), 10)
		w.b = append(w.b, '-')
		w.b = appendPadded(w.b, int64(1+i%12), 2)
		w.b = append(w.b, "-01,False,"...)
		w.b = append(w.b, p.role.department...)
		w.b = append(w.b, ',')
		w.b = append(w.b, capital(g.tenant.name)...)
		w.b = append(w.b, ',')
		w.b = append(w.b, p.place.city...)
		w.b = append(w.b, ',')
		w.b = append(w.b, p.role.title...)
		w.b = append(w.b, ',')
		w.b = append(w.b, p.place.country...)
		if ended {
			w.b = append(w.b, ",True,"...)
			w.b = g.tenant.midnight(p.story.lastDay).UTC().AppendFormat(w.b, "2006-01-02")
			w.b = append(w.b, '\n')
		} else {
			w.b = append(w.b, ",False,\n"...)
		}
	}
	if rows > 0 {
		g.csv(at)
	}
}

// reviews publishes performance reviews of a tenth of the people.
func (g *generator) reviews(at schemas.Time) {
	w := &g.w
	w.reset()
	w.b = append(w.b, "EmailAddress,EffectiveDate,Remarks,Rating\n"...)
	for i := range g.tenant.people {
		p := &g.tenant.people[i]
		if p.service || !g.dice.chance(0.1) {
			continue
		}
		review := pick(g.dice, []string{",Met expectations,3-Met\n", ",\"Reliable, helpful\",4-Exceeds expectations\n", ",,3-Met\n", ",Deadlines slipped,2-Below expectations\n"})
		if p.story != nil && p.story.second {
			continue
		}
		w.b = append(w.b, p.upn...)
		w.b = append(w.b, ',')
		w.b = appendTime(w.b, at-dayLength, layoutSeconds)
		w.b = append(w.b, review...)
	}
	g.csv(at)
}

// levels publishes changes of job level, few of them down.
func (g *generator) levels(at schemas.Time) {
	w := &g.w
	w.reset()
	w.b = append(w.b, "EmailAddress,EffectiveDate,OldLevel,NewLevel\n"...)
	for i := range g.tenant.people {
		p := &g.tenant.people[i]
		if p.service || p.story != nil || !g.dice.chance(0.02) {
			continue
		}
		w.b = append(w.b, p.upn...)
		w.b = append(w.b, ',')
		w.b = appendTime(w.b, at-3*dayLength, layoutSeconds)
		w.b = append(w.b, choose(g.dice.chance(0.85), ",Level 61 - Specialist,Level 62 - Lead\n", ",Level 62 - Lead,Level 61 - Specialist\n")...)
	}
	g.csv(at)
}

// scim publishes a bulk request with a few people's new data.
// RFC 7644, section 3.7.
func (g *generator) scim(at schemas.Time) {
	w := &g.w
	w.reset()
	w.open("")
	w.list("schemas")
	w.element("urn:ietf:params:scim:api:messages:2.0:BulkRequest")
	w.end()
	w.list("Operations")
	for n := range 4 {
		p := g.colleague()
		for p.story != nil { // there is always somebody: casts leave room
			p = g.colleague()
		}
		w.open("")
		w.texts("method", "POST", "bulkId", strconv.Itoa(n+1), "path", "/Users")
		w.open("data")
		w.list("schemas")
		w.element("urn:ietf:params:scim:schemas:core:2.0:User")
		w.element("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User")
		w.end()
		w.texts("externalId", p.employee, "userName", p.upn, "displayName", p.display, "title", p.role.title, "userType", choose(p.contractor, "Contractor", "Employee"))
		w.open("name")
		w.texts("familyName", p.family, "givenName", p.given)
		w.close()
		w.list("emails")
		w.open("")
		w.texts("value", p.mailUPN, "type", "work")
		w.truth("primary", true)
		w.close()
		w.end()
		w.truth("active", true)
		w.open("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User")
		w.texts("employeeNumber", p.employee, "department", p.role.department, "division", "EMEA", "costCenter", "CC-"+strconv.Itoa(100+p.index%20))
		w.open("manager")
		w.text("value", g.tenant.people[p.manager].employee)
		w.close()
		w.close()
		w.close()
		w.close()
	}
	w.end()
	w.close()
	g.csv(at)
}
