package operators

import (
	"math"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

func signIn(at schemas.Time, latitude, longitude int32) schemas.Event {
	e := event("signin.succeeded", at, "")
	e.ID = schemas.NewUUID("sign-in", at.String())
	e.Source, e.SourceIP = schemas.SourceSignIn, &schemas.SourceIP{Latitude: latitude, Longitude: longitude}
	e.ObservedTime = monday + days(2)
	return e
}

// A journey counts when no airliner makes it in the time.
func TestTravel(t *testing.T) {
	berlin, singapore, paris := [2]int32{53, 13}, [2]int32{1, 104}, [2]int32{49, 2}
	go2 := func(at schemas.Time, place [2]int32) schemas.Event { return signIn(at, place[0], place[1]) }
	for name, c := range map[string]struct {
		events []schemas.Event
		want   int64
	}{
		"in two hours":             {[]schemas.Event{go2(at(0, 9), berlin), go2(at(0, 11), singapore)}, 1},
		"overnight by air":         {[]schemas.Event{go2(at(0, 9), berlin), go2(at(1, 0), singapore)}, 0},
		"over midnight":            {[]schemas.Event{go2(at(0, 23), berlin), go2(at(1, 1), singapore)}, 1},
		"there and back":           {[]schemas.Event{go2(at(0, 9), berlin), go2(at(0, 11), singapore), go2(at(0, 13), berlin)}, 1},
		"next door":                {[]schemas.Event{go2(at(0, 9), berlin), go2(at(0, 9)+1000, paris)}, 1},
		"next door, an hour later": {[]schemas.Event{go2(at(0, 9), berlin), go2(at(0, 10), paris)}, 0},
		"the same place":           {[]schemas.Event{go2(at(0, 9), berlin), go2(at(0, 9)+1000, berlin)}, 0},
		"a place that is not told": {[]schemas.Event{go2(at(0, 9), berlin), signIn(at(0, 9)+1000, 0, 0)}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			for _, order := range [][]schemas.Event{c.events, reversed(c.events)} {
				if got := newStory(t).fold(order...).things("travel"); got != c.want {
					t.Errorf("%d journeys, want %d", got, c.want)
				}
			}
		})
	}
}

// Distances are those of the sphere, near enough beside whole degrees.
func TestTravel_distance(t *testing.T) {
	radians := func(d int32) float64 { return float64(d) * math.Pi / 180 }
	for _, p := range [][4]int32{{52, 13, 49, 2}, {52, 13, 41, -74}, {35, 140, -34, 151}, {64, -22, 60, 25}, {0, 179, 0, -179}, {-55, -68, 1, 104}} {
		a, b := sighting{latitude: p[0], longitude: p[1]}, sighting{latitude: p[2], longitude: p[3]}
		haversine := math.Pow(math.Sin((radians(p[2])-radians(p[0]))/2), 2) +
			math.Cos(radians(p[0]))*math.Cos(radians(p[2]))*math.Pow(math.Sin((radians(p[3])-radians(p[1]))/2), 2)
		want := 2 * 6371 * math.Asin(math.Sqrt(haversine))
		got := math.Sqrt(float64(distanceSquared(a, b)))
		if got < want*0.95 || got > want*1.45 {
			t.Errorf("%v: %.0f km, want %.0f", p, got, want)
		}
	}
}
