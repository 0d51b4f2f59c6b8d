package normalise

import (
	"math"
	"strconv"

	"github.com/riskpipe/riskpipe/schemas"
)

// locate fills in where on Earth it was done from, in whole degrees. Upstream's
// coordinates are those of a town at best; finer ones would only tell people
// apart.
func locate(e *Event, coordinates object) {
	latitude, north := coordinates.get("latitude").degrees(90)
	longitude, east := coordinates.get("longitude").degrees(180)
	if !north || !east || latitude == 0 && longitude == 0 {
		return
	}
	if e.SourceIP == nil {
		e.SourceIP = &schemas.SourceIP{}
	}
	e.SourceIP.Latitude, e.SourceIP.Longitude = latitude, longitude
}

// degrees returns an angle rounded to whole degrees, and whether there was one
// of no more than the limit.
func (o object) degrees(limit float64) (int32, bool) {
	if o.kind() != kindNumber {
		return 0, false
	}
	angle, err := strconv.ParseFloat(o.span(), 64)
	if err != nil || !(math.Abs(angle) <= limit) {
		return 0, false
	}
	return int32(math.Round(angle)), true
}
