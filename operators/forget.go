package operators

import "github.com/riskpipe/riskpipe/schemas"

// Forget erases a person: it appends a last, closing version of each alert that
// is open, and leaves the state of a person never seen, so that nothing which
// was folded before counts any more. The alerts of what comes later begin with
// their first episode and version again, and changes of risk with the first of the
// sequence. Observed is when the erasure was ordered; it stands in the closing
// versions.
//
// Like Score it is pure and total. To forget twice is to forget once.
func (e *Engine) Forget(s *State, user schemas.Pseudonym, observed schemas.Time, out *Output) {
	by := arrival{event: &schemas.Event{User: user, ObservedTime: observed}}
	for i := range e.policies {
		e.policies[i].withdraw(e, s, &by, out)
	}
	*s = State{changed: true}
}
