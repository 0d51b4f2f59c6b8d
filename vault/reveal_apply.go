package vault

import (
	"slices"

	"github.com/riskpipe/riskpipe/schemas"
)

// revealEvent is an action that was permitted: what the audit log keeps, and all that
// a reveal is made of.
type revealEvent struct {
	actor  string
	user   schemas.Pseudonym // whose account that is
	as     Role
	at     schemas.Time
	action RevealAction
	// expires is when a grant ends, if the event is one of a log: the time boxes
	// may have been others then.
	expires schemas.Time
}

// apply returns the reveal after the event. It checks nothing, so that what was
// permitted once stays so when the rules change.
func (g Grants) apply(r Reveal, e revealEvent) Reveal {
	r.UpdatedAt = e.at
	switch e.action.Kind {
	case ActionRequest, ActionBreakGlass:
		a := e.action
		r.ID, r.User, r.Manager, r.Case, r.Purpose, r.Reason = a.ID, a.User, a.Manager, a.Case, a.Purpose, a.Reason
		r.Fields = slices.Clone(a.Fields)
		r.Requester, r.RequesterUser, r.RequestedAt = e.actor, e.user, e.at
		r.Status = RevealRequested
		if a.Kind == ActionBreakGlass {
			r.BreakGlass = true
			r = g.grant(r, e)
		}
	case ActionApprove:
		r.Votes = withVote(r.Votes, e)
		if r.has(ActionApprove, RoleHRApprover) && r.has(ActionApprove, RoleLegalApprover) {
			r = g.grant(r, e)
		}
	case ActionDeny:
		r.Votes = withVote(r.Votes, e)
		r.Status = RevealDenied
	case ActionWithdraw:
		r.Status = RevealWithdrawn
	case ActionOpen:
		r.Openings++
		r.OpenedAt = e.at
	case ActionReview:
		r.Votes = withVote(r.Votes, e)
		if r.has(ActionReview, RoleHRApprover) && r.has(ActionReview, RoleLegalApprover) {
			r.Status, r.Justified = RevealReviewed, new(!r.refuted())
		}
	}
	return r
}

func (g Grants) grant(r Reveal, e revealEvent) Reveal {
	r.Status, r.GrantedAt, r.ExpiresAt = RevealGranted, e.at, e.at+g.box(r.BreakGlass)
	if e.expires != 0 {
		r.ExpiresAt = e.expires
	}
	return r
}

func (r Reveal) has(kind RevealActionKind, as Role) bool {
	_, found := r.vote(kind, as)
	return found
}

// withVote copies: the votes of the reveal before stay as they are.
func withVote(votes []RevealVote, e revealEvent) []RevealVote {
	return append(slices.Clone(votes), RevealVote{
		Action: e.action.Kind, As: e.as, Actor: e.actor, User: e.user, At: e.at, Reason: e.action.Reason,
		Justified: e.action.Kind == ActionReview && e.action.Justified,
	})
}
