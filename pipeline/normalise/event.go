package normalise

import (
	"encoding/json"

	"github.com/riskpipe/riskpipe/schemas"
)

// Event is a fact in clear: the wire event whose user is not yet a pseudonym,
// with the identity and the personal evidence beside it. It never leaves the
// process that made it but through riskpipe check, whose user holds the input.
type Event struct {
	schemas.Event
	Actor Actor
	Clear schemas.Evidence
	// Finding is the upstream id of the alert that this is evidence of, and
	// asks for the alert's own facts if those came in a record of their own
	// (Defender's AlertInfo); empty when the record is complete.
	Finding string
}

// MarshalJSON writes the event as riskpipe check prints it: the wire fields,
// with the clear user instead of the pseudonym and the clear evidence instead
// of the sealed one.
func (e Event) MarshalJSON() ([]byte, error) {
	type wire schemas.Event
	return json.Marshal(struct {
		wire
		User     string           `json:"user"`
		Aliases  []string         `json:"aliases,omitempty"`
		Profile  *Profile         `json:"profile,omitempty"`
		Evidence schemas.Evidence `json:"evidence"`
	}{wire(e.Event), e.Actor.User(), e.Actor.Aliases(), e.Actor.Profile, e.Clear})
}

// Result is what one Kafka record came to.
type Result struct {
	Events  []*Event
	Rejects []Reject
	Skips   []Skip
	// Findings are alerts without a user (Defender's AlertInfo), to be joined
	// with the events that name them.
	Findings []Finding
	// Links are names of one person, or what a directory says of them, that a
	// record taught without being an event of its own (IdentityInfo, directory
	// rows).
	Links []Actor
	// Records is how many records the envelope held, nulls and heartbeats
	// included.
	Records int
}

func (r *Result) reset() {
	clear(r.Events)
	*r = Result{Events: r.Events[:0], Rejects: r.Rejects[:0], Skips: r.Skips[:0], Findings: r.Findings[:0], Links: r.Links[:0]}
}

// Reject says why a record could not be normalised. It goes to the dead-letter
// topic with the original bytes.
type Reject struct {
	Index  int    `json:"index"`  // position in the envelope, from 0
	Reason string `json:"reason"` // a code below, or of a source
	Detail string `json:"detail,omitempty"`
}

// Skip says why a sound record gave no event.
type Skip struct {
	Index  int    `json:"index"`
	Reason string `json:"reason"`
}

// Finding is what an alert says of itself, apart from its users.
type Finding struct {
	ID        string
	Time      schemas.Time
	Detection schemas.Detection
	Title     string
	Index     int
}

// The codes of Reject.Reason.
const (
	ReasonEmpty         = "empty"
	ReasonTooLarge      = "too_large"
	ReasonTooDeep       = "too_deep"
	ReasonTooManyFields = "too_many_fields"
	ReasonTooManyItems  = "too_many_items"
	ReasonNotUTF8       = "not_utf8"
	ReasonNotJSON       = "not_json"
	ReasonNotARecord    = "not_a_record"
	ReasonMissingTime   = "missing_time"
	ReasonBadTime       = "bad_time"
	ReasonBadValue      = "bad_value"
	ReasonMissing       = "missing_field"
	ReasonPanic         = "panic"
)

// The codes of Skip.Reason that belong to no single source; a source adds its
// own beside its mapper.
const (
	SkipNull      = "null_record"
	SkipHeartbeat = "heartbeat"
	SkipUnknown   = "unknown_record"          // nothing tells what it is
	SkipCategory  = "unsupported_category"    // known to belong to none of the five feeds
	SkipAwaiting  = "awaiting_alert_evidence" // an alert without a user: joined with its evidence
	SkipDirectory = "directory_record"        // taught names, no event
)
