// Package pipeline is the shell around the pure parts: it takes records from
// Kafka, runs the mapping (normalise) and the fold (operators) over them, and
// keeps what must be kept in Redis.
//
// It guarantees that every record of a raw topic ends as events, as a counted
// skip, as a counted event out of scope or as a dead letter; that every event is folded into its user's state
// exactly once, whatever crashes, rebalances or fails over; and that alerts are
// on Kafka before the state that made them is stored. DESIGN.md says why that
// holds and what may repeat.
//
// Run(ctx) is the only lifecycle: it returns nil when ctx ends and an error when
// going on would be wrong. Everything transient is retried inside.
//
// It imports schemas, operators, normalise and vault, and alone imports
// go-redis.
package pipeline
