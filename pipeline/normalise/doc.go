// Package normalise maps raw upstream records to events: a pure function from
// bytes to facts, with one file a source.
//
// It guarantees that any input whatever yields events, rejects or skips and
// never a panic; that one bad record never costs its neighbours in the same
// envelope; that records are routed by what they are and not by the topic that
// carried them; and that the same fact has the same event id whichever feed,
// envelope or delivery brings it.
//
// It holds no clock and does no I/O. It imports schemas alone.
//
// The way of a record: Mapper.Map splits the envelope (envelope.go), asks what
// each record is (route.go) and hands it to the mapper of its source
// (signin.go, email.go, file.go, health.go, defender.go, hr.go), which fills an
// Event from an object (object.go) with the readers of clock.go, actor.go,
// address.go, household.go and domain.go. The marks of content rules
// (content_rule.go) come last.
package normalise
