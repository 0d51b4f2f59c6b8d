// Package operators is the pure core: the deterministic fold
//
//	state', alerts, risks = Score(state, event)
//
// over one person's events, and the policies that say how it scores.
//
// It guarantees that the same events in the same order give the same bytes of
// state and output on any machine, whatever the batching; that arithmetic is in
// integers, in thousandths of a point; that a score's ledger sums to it
// exactly; and that scoring is total: no event makes it fail.
//
// It has no clock (the event's own time is the only one), no I/O, no goroutine,
// and iterates no map on a path to output. It imports schemas alone.
package operators
