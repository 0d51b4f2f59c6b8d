package operators

import "github.com/riskpipe/riskpipe/schemas"

// subject is what a selection speaks of: an event, and what is known of the
// person it is about.
type subject struct {
	event  *schemas.Event
	person *person
}

// person is what is known of somebody beside their activity, as of the newest
// event that says it.
type person struct {
	groups   []string // the organisation's groups, sorted
	grouped  schemas.Time
	profile  profile
	profiled schemas.Time
}

// profile holds the keyed hashes of the HR profile, to be compared with those
// of patients.
type profile struct{ familyName, address, street schemas.Hash }

// condition is one compiled line of a selection.
type condition func(*subject) bool
