package tenant

import "strconv"

// residence is a home address.
type residence struct {
	street string
	house  int
	zip    string
	place  *place
}

// line is the first line of the address.
func (r residence) line() string { return strconv.Itoa(r.house) + " " + r.street }

var (
	streetNames = []string{
		"Alder", "Ash", "Beech", "Birch", "Cedar", "Cherry", "Chestnut", "Church", "Elm", "Garden", "Harbour", "Hawthorn", "Hazel", "Heather", "Hill", "Juniper",
		"Larch", "Laurel", "Lime", "Linden", "Maple", "Meadow", "Mill", "Oak", "Orchard", "Park", "Pine", "Poplar", "Priory", "Quarry", "River", "Rose",
		"Rowan", "Spring", "Station", "Sycamore", "Thorn", "Walnut", "Willow", "Yew",
	}
	streetKinds = []string{"Street", "Road", "Lane", "Avenue", "Close", "Court", "Drive", "Grove", "Hill", "Place", "Row", "Way"}
)

// homeIn makes up an address in a city. Who lives in a street of one postal code
// are neighbours.
func homeIn(d dice, city *place) residence {
	n := d.IntN(len(streetNames) * len(streetKinds))
	return residence{
		street: streetNames[n/len(streetKinds)] + " " + streetKinds[n%len(streetKinds)],
		house:  d.between(1, 140),
		zip:    strconv.Itoa(10_000 + int(city.asn%10)*1000 + n/8),
		place:  city,
	}
}

// settle gives a person a home near the office.
func (t *Tenant) settle(p *person) {
	p.residence = homeIn(newDice(t.options.Seed^seedHomes, uint64(p.index)), p.place)
}

// The streams of chance of what each person or patient has for good, apart from
// the one that invents the people.
const (
	seedHomes    = 0x686f6d65 << 16
	seedPatients = 0x70617469 << 16
	seedDevices  = 0x64657669 << 16
)
