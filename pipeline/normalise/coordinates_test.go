package normalise

import (
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

// Places are whole degrees, to the nearest; what is no place is none.
func TestLocate(t *testing.T) {
	for _, test := range []struct {
		coordinates         string
		latitude, longitude int32
	}{
		{`{"latitude":59.6,"longitude":-18.4}`, 60, -18},
		{`{"latitude":-33.5,"longitude":151.49}`, -34, 151},
		{`{"latitude":0,"longitude":0}`, 0, 0},
		{`{"latitude":0.2,"longitude":32.6}`, 0, 33},
		{`{"latitude":91,"longitude":1}`, 0, 0},
		{`{"latitude":1}`, 0, 0},
		{`{"latitude":null,"longitude":"x"}`, 0, 0},
		{`{}`, 0, 0},
	} {
		signIn := mapBytes(newTestMapper(), schemas.SourceSignIn, `{`+adaGraph+`,"status":{"errorCode":0},"location":{"countryOrRegion":"SE","geoCoordinates":`+test.coordinates+`}}`)
		risk := mapBytes(newTestMapper(), schemas.SourceSignIn, `{"id":"r1","riskEventType":"x","riskLevel":"low","activityDateTime":"2026-03-02T08:15:30Z","detectedDateTime":"2026-03-02T08:15:30Z",
			"userPrincipalName":"ada@contoso.com","location":{"geoCoordinates":`+test.coordinates+`}}`)
		for _, e := range append(signIn.Events, risk.Events...) {
			place := schemas.SourceIP{}
			if e.SourceIP != nil {
				place = *e.SourceIP
			}
			sees(t, e.Activity+" latitude of "+test.coordinates, place.Latitude, test.latitude)
			sees(t, e.Activity+" longitude of "+test.coordinates, place.Longitude, test.longitude)
		}
		sees(t, "events", len(signIn.Events)+len(risk.Events), 2)
	}
}
