package tenant

// nurse is a day at the clinic: patients in turn, each looked at some times, a
// restricted record for a good reason, at times somebody of the staff.
func (g *generator) nurse(p *person, day, patients int) {
	for range patients {
		at := g.moment(p, day)
		who := g.tenant.patient(p.residence.place, g.dice.IntN(patientsPerCity))
		if g.dice.chance(0.005) {
			who = g.employee().asPatient()
		}
		for range g.dice.between(1, 3) {
			g.look(p, at, who, "Direct patient care", "")
			at += g.dice.span(10*second, 3*minute)
		}
	}
}

// snoop is a day of a nurse who looks up people they know: colleagues, who lives
// in their street, who has their name. Not every day.
func (g *generator) snoop(p *person, day int) {
	if day != p.story.first && !g.dice.chance(0.6) {
		return
	}
	at := g.moment(p, day)
	for range g.dice.between(4, 11) {
		who := g.tenant.patient(p.residence.place, g.dice.IntN(patientsPerCity))
		switch n := g.dice.IntN(10); {
		case n < 5:
			who = g.employee().asPatient()
		case n < 8:
			who.id = "P8" + who.id[1:]
			who.residence = p.residence
			who.residence.house += g.dice.between(1, 9)
		case n < 9:
			who.id, who.family, who.residence = "P7"+who.id[1:], p.family, p.residence
		default:
			who.restricted = true
		}
		g.look(p, at, who, "Other", "Checking an appointment")
		at += g.dice.span(20*second, 6*minute)
	}
}

// employee is somebody of the staff, no service.
func (g *generator) employee() *person {
	for {
		if p := g.colleague(); !p.service {
			return p
		}
	}
}
