package operators

import "slices"

// sighting is when a person was seen in one place on one day: the first minute
// and the last.
type sighting struct {
	day                 day
	observed            day   // newest arrival
	latitude, longitude int32 // whole degrees
	first, last         int32 // minutes of the day
}

const (
	// maxSightings bounds them: two or three places a day, for a week and more.
	maxSightings = 128
	// airspeed is that of an airliner, in kilometres a minute.
	airspeed = 15
	// coarseness is what two places in whole degrees may be nearer than they
	// look, in kilometres.
	coarseness = 300
	// leastJourney is how far apart places must be to count, in kilometres:
	// mobile networks and gateways are placed hundreds of kilometres off.
	leastJourney = 500
)

// sight notes where the person was; false when that was known. The days whose
// journeys may have changed are d and the next.
func (s *State) sight(d, observed day, minute, latitude, longitude int32) bool {
	i, found := slices.BinarySearchFunc(s.sightings, sighting{day: d, latitude: latitude, longitude: longitude}, func(a, b sighting) int {
		if a.day != b.day {
			return int(a.day - b.day)
		}
		if a.latitude != b.latitude {
			return int(a.latitude - b.latitude)
		}
		return int(a.longitude - b.longitude)
	})
	if !found {
		if len(s.sightings) >= maxSightings {
			return false
		}
		s.sightings = slices.Insert(s.sightings, i, sighting{d, observed, latitude, longitude, minute, minute})
		return true
	}
	g := &s.sightings[i]
	before := *g
	g.observed, g.first, g.last = max(g.observed, observed), min(g.first, minute), max(g.last, minute)
	return *g != before
}

// journeys returns how many pairs of places the person was seen in on the day,
// or the day before and the day, that nobody can travel between in the time.
func (s *State) journeys(d day) int64 {
	n := int64(0)
	for i, b := range s.sightings {
		if b.day != d {
			continue
		}
		for j, a := range s.sightings {
			if j != i && (a.day == d-1 || a.day == d && j < i) && impossible(a, b) {
				n++
			}
		}
	}
	return n
}

// impossible tells whether some sighting at a and some at b lie too near in time
// for the distance.
func impossible(a, b sighting) bool {
	squared := distanceSquared(a, b)
	if squared < leastJourney*leastJourney {
		return false
	}
	apart := int64(1 << 30)
	for _, ta := range [...]int32{a.first, a.last} {
		for _, tb := range [...]int32{b.first, b.last} {
			gap := int64(tb-ta) + int64(b.day-a.day)*24*60
			apart = min(apart, max(gap, -gap))
		}
	}
	reach := apart*airspeed + coarseness
	return squared > reach*reach
}

// distanceSquared returns the square of the distance in kilometres, by the
// equirectangular approximation, in integers: exact enough beside whole degrees.
func distanceSquared(a, b sighting) int64 {
	const kilometresADegree = 111
	north := int64(a.latitude-b.latitude) * kilometresADegree
	east := int64(a.longitude - b.longitude)
	if east < 0 {
		east = -east
	}
	east = min(east, 360-east) * kilometresADegree
	// Bhaskara's approximation of the cosine, at the middle latitude.
	middle := int64(a.latitude+b.latitude) / 2
	east = east * (32400 - 4*middle*middle) / (32400 + middle*middle)
	return north*north + east*east
}
