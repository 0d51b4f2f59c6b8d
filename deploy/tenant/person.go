package tenant

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// person is an account: somebody's, or a service's.
type person struct {
	index              int
	given, family      string
	display            string
	upn                string // lower case, as SharePoint writes it
	mailUPN            string // as Exchange writes it
	upperUPN           string // as DLP writes it
	sam                string // account name on devices
	sid                string
	object             guid
	puid               string
	employee           string // employee id, known to the HR systems and IdentityInfo
	manager            int
	role               *role
	place              *place
	agent              string
	device, deviceFull string
	deviceHash         string // of Defender
	deviceID           guid   // in Entra
	serial             string // of the USB stick
	office, home       string // addresses
	personalMail       string
	residence          residence
	start, length      schemas.Time // of the working day, from local midnight
	absent             int          // the number of the week of leave, negative for none
	drift              float64      // how busy, 1 on average
	contractor         bool
	service            bool
	story              *story
}

// ascii are the spellings of letters that addresses do without.
var ascii = strings.NewReplacer("ö", "oe", "í", "i")

// invent makes up the people.
func (t *Tenant) invent() {
	d := newDice(t.options.Seed, 1)
	t.id = d.guid()
	t.people = make([]person, t.options.Users)
	taken := make(map[string]int, t.options.Users)
	for i := range t.people {
		p := &t.people[i]
		t.employ(d, p, i)
		base := strings.ToLower(ascii.Replace(p.given) + "." + ascii.Replace(p.family))
		taken[base]++
		if n := taken[base]; n > 1 {
			base += strconv.Itoa(n)
		}
		p.name(base, t.options.Domain)
	}
	t.cast(d)
	t.castSecond()
	for i := range t.people {
		t.settle(&t.people[i])
	}
}

// employ gives a person a place in the organisation.
func (t *Tenant) employ(d dice, p *person, i int) {
	p.index = i
	p.given, p.family = pick(d, givenNames), pick(d, familyNames)
	p.display = p.given + " " + p.family
	p.role = &roles[d.IntN(len(roles))]
	p.place = &places[d.IntN(len(places))]
	p.object, p.deviceID = d.guid(), d.guid()
	p.puid = "10032" + strings.ToUpper(d.hexText(5)) + "A"
	p.employee = fmt.Sprintf("E%06d", 100_000+i)
	p.manager = i / 9
	p.agent = pick(d, userAgents)
	p.device = strings.ToUpper(t.name[:min(3, len(t.name))]) + "-LT-" + strconv.Itoa(10_000+i)
	p.deviceFull = strings.ToLower(p.device) + "." + t.options.Domain
	p.deviceHash = d.hexText(20)
	p.serial = strings.ToUpper(d.hexText(6))
	p.sid = "S-1-12-1"
	for range 3 {
		p.sid += "-" + strconv.Itoa(d.between(1e8, 2e9))
	}
	p.sid += "-" + strconv.Itoa(1000+i)
	p.office = "198.51.100." + strconv.Itoa(10+d.IntN(40))
	p.home = "203.0.113." + strconv.Itoa(d.between(1, 254))
	if d.chance(0.3) {
		p.home = "2001:db8:" + strconv.FormatInt(int64(d.between(1, 0xffff)), 16) + "::" + strconv.FormatInt(int64(d.between(1, 0xffff)), 16)
	}
	p.start = schemas.Time(d.between(7*60+15, 10*60)) * minute
	p.length = schemas.Time(d.between(7*60, 9*60+30)) * minute
	p.drift = 0.6 + 0.8*d.Float64()
	p.absent = d.between(-4, 6)
	p.contractor = d.chance(0.04)
}

// name gives a person the spellings of one account.
func (p *person) name(base, domain string) {
	p.upn = base + "@" + domain
	p.upperUPN = strings.ToUpper(p.upn)
	given, family, _ := strings.Cut(base, ".")
	p.mailUPN = capital(given) + "." + capital(family) + "@" + domain
	p.sam = strings.ReplaceAll(base, ".", "")
	p.personalMail = base + strconv.Itoa(1970+p.index%40) + ".home@" + personalMail[p.index%len(personalMail)]
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// works tells how much a person works on a day: nothing, or around 1 on a
// weekday.
func (g *generator) works(p *person, day int) float64 {
	weekday := g.tenant.midnight(day).UTC().Weekday()
	switch {
	case p.story.travels(day):
		return 0
	case p.absent >= 0 && p.absent == day/7 && p.story == nil:
		return 0
	case weekday == 0 || weekday == 6:
		if g.dice.chance(0.07) {
			return 0.25 * p.drift
		}
		return 0
	case g.dice.chance(0.03) && p.story == nil:
		return 0 // ill, travelling
	default:
		return p.drift
	}
}

// moment returns an instant of a person's working day, which has two humps
// around a lunch break, in UTC.
func (g *generator) moment(p *person, day int) schemas.Time {
	half := p.length / 2
	at := g.dice.span(0, half-20*minute)
	if g.dice.chance(0.5) {
		at += half + 20*minute
	}
	return g.tenant.midnight(day) + p.start + at - schemas.Time(p.place.offset)*hour
}

// address returns where a person works from on a day: the office on most, else
// home.
func (p *person) address(at schemas.Time) string {
	if p.service {
		return p.office
	}
	if (int(at/dayLength)*7+p.index)%5 < 2 {
		return p.home
	}
	return p.office
}
