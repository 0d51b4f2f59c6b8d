package tenant

import (
	"strconv"
	"strings"
)

// today returns a person as of a day: in most stories themselves, in some with
// another laptop or in another country.
func (t *Tenant) today(p *person, day int) *person {
	s := p.story
	if s == nil || day < s.first || day > s.last {
		return p
	}
	switch s.name {
	case StoryNewLaptop:
		changed := *p
		t.equip(&changed)
		return &changed
	case StoryTraveller:
		away := *p
		t.equip(&away)
		away.place = abroad(p)
		away.office = "198.51.100." + strconv.Itoa(60+p.index%40)
		away.home = "203.0.113." + strconv.Itoa(1+p.index*7%254)
		return &away
	default:
		return p
	}
}

// abroad returns a place in another country.
func abroad(p *person) *place {
	for n := 1; ; n++ {
		if there := &places[(p.index+n)%len(places)]; there.country != p.place.country {
			return there
		}
	}
}

// equip gives a person another laptop.
func (t *Tenant) equip(p *person) {
	d := newDice(t.options.Seed^seedDevices, uint64(p.index))
	p.device = strings.ToUpper(t.name[:min(3, len(t.name))]) + "-LN-" + strconv.Itoa(10_000+p.index)
	p.deviceFull = strings.ToLower(p.device) + "." + t.options.Domain
	p.deviceHash = d.hexText(20)
	p.deviceID = d.guid()
}

// travels tells whether a person spends a day on the way: the first and the last
// of a journey.
func (s *story) travels(day int) bool {
	return s != nil && s.name == StoryTraveller && (day == s.first || day == s.last)
}
