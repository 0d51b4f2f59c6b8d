package vault

import (
	"fmt"
	"slices"

	"github.com/riskpipe/riskpipe/schemas"
)

// The longest texts of a request, in bytes.
const (
	maxReason = 2000
	maxCase   = 100
)

// Decide returns the reveal after an actor's action at a time, or the reveal as
// it was with an error that wraps ErrForbidden, ErrConflict or ErrInvalid. A
// clock that was set back does not: no action happens before the one before it.
//
// It is pure: it asks nobody and changes nothing that it was given.
func (g Grants) Decide(r Reveal, actor Actor, action RevealAction, at schemas.Time) (Reveal, error) {
	at = max(at, r.UpdatedAt)
	now := r.At(at)
	as, err := permit(now, actor, action)
	if err != nil {
		return r, fmt.Errorf("%s: %w", action.Kind, err)
	}
	return g.apply(now, revealEvent{actor: actor.Name, user: actor.User, as: as, at: at, action: action}), nil
}

// permit checks everything, and returns the role in which the actor acts.
func permit(r Reveal, actor Actor, action RevealAction) (Role, error) {
	if actor.Name == "" {
		return "", fmt.Errorf("%w: nobody is signed in", ErrForbidden)
	}
	switch action.Kind {
	case ActionRequest, ActionBreakGlass:
		return RoleInvestigator, permitRequest(r, actor, action)
	case ActionWithdraw, ActionOpen:
		return RoleInvestigator, permitOwn(r, actor, action)
	case ActionApprove, ActionDeny, ActionReview:
		return permitVote(r, actor, action)
	default:
		return "", fmt.Errorf("%w: %.20q is no action", ErrInvalid, action.Kind)
	}
}

// permitRole checks that the actor has the role, and none that goes ill with it.
func permitRole(actor Actor, role Role) error {
	if !actor.Has(role) {
		return fmt.Errorf("%w: this needs the role %s", ErrForbidden, role)
	}
	if pair, found := actor.conflict(role); found {
		return fmt.Errorf("%w: an account that is both %s and %s is neither here", ErrForbidden, pair[0], pair[1])
	}
	return nil
}

// errUnknownPerson refuses accounts that could belong to anybody: to the user, or
// to the same person as another account that takes part.
var errUnknownPerson = fmt.Errorf("%w: it is not known whose account this is", ErrForbidden)

func permitRequest(r Reveal, actor Actor, action RevealAction) error {
	if err := permitRole(actor, RoleInvestigator); err != nil {
		return err
	}
	if r.Status != RevealNone {
		return fmt.Errorf("%w: it was requested before", ErrConflict)
	}
	nobody := schemas.Pseudonym{}
	switch {
	case action.ID == (schemas.UUID{}):
		return fmt.Errorf("%w: it has no id", ErrInvalid)
	case action.User == nobody:
		return fmt.Errorf("%w: name the user by pseudonym", ErrInvalid)
	case actor.User == nobody:
		return errUnknownPerson
	case actor.User == action.User:
		return fmt.Errorf("%w: nobody asks about themself here", ErrForbidden)
	case blank(action.Case) || len(action.Case) > maxCase:
		return fmt.Errorf("%w: name a case, in at most %d bytes", ErrInvalid, maxCase)
	case blank(action.Reason) || len(action.Reason) > maxReason:
		return fmt.Errorf("%w: give a reason, in at most %d bytes", ErrInvalid, maxReason)
	case !slices.Contains(Purposes(), action.Purpose):
		return fmt.Errorf("%w: the purpose is %.40q: want one of %s", ErrInvalid, action.Purpose, Purposes())
	case len(action.Fields) == 0:
		return fmt.Errorf("%w: name the fields that are needed, of %s", ErrInvalid, RevealFields())
	}
	for i, field := range action.Fields {
		if !slices.Contains(RevealFields(), field) || slices.Contains(action.Fields[:i], field) {
			return fmt.Errorf("%w: field %.40q: want some of %s, each once", ErrInvalid, field, RevealFields())
		}
	}
	return nil
}

// permitOwn is for what the requester alone does.
func permitOwn(r Reveal, actor Actor, action RevealAction) error {
	if err := permitRole(actor, RoleInvestigator); err != nil {
		return err
	}
	if r.Status == RevealNone {
		return fmt.Errorf("%w: nobody has requested it", ErrConflict)
	}
	if actor.Name != r.Requester {
		return fmt.Errorf("%w: only the account that requested it may", ErrForbidden)
	}
	if action.Kind == ActionWithdraw {
		switch {
		case r.BreakGlass:
			return fmt.Errorf("%w: a break-glass cannot be withdrawn, it will be reviewed", ErrConflict)
		case r.Status != RevealRequested && r.Status != RevealGranted:
			return fmt.Errorf("%w: it is %s", ErrConflict, r.Status)
		}
		return nil
	}
	switch {
	case r.Status != RevealGranted:
		return fmt.Errorf("%w: it is %s, not granted", ErrConflict, r.Status)
	case r.refuted():
		return fmt.Errorf("%w: a review found the break-glass unjustified", ErrConflict)
	}
	return nil
}

// permitVote is for what HR and Legal do.
func permitVote(r Reveal, actor Actor, action RevealAction) (Role, error) {
	as, err := voteAs(actor, action.As)
	if err != nil {
		return "", err
	}
	if err := permitRole(actor, as); err != nil {
		return "", err
	}
	if r.Status == RevealNone {
		return "", fmt.Errorf("%w: nobody has requested it", ErrConflict)
	}
	if err := permitVoter(r, actor); err != nil {
		return "", err
	}
	switch {
	case action.Kind == ActionReview && (!r.NeedsReview() || (r.Status != RevealGranted && r.Status != RevealExpired)):
		return "", fmt.Errorf("%w: it does not wait for a review", ErrConflict)
	case action.Kind != ActionReview && r.Status != RevealRequested:
		return "", fmt.Errorf("%w: it is %s, not requested", ErrConflict, r.Status)
	}
	if before, voted := r.vote(action.Kind, as); voted {
		return "", fmt.Errorf("%w: %s has said so as %s", ErrConflict, before.Actor, as)
	}
	if action.Kind != ActionApprove && blank(action.Reason) {
		return "", fmt.Errorf("%w: give a reason", ErrInvalid)
	}
	if len(action.Reason) > maxReason {
		return "", fmt.Errorf("%w: give a reason in at most %d bytes", ErrInvalid, maxReason)
	}
	return as, nil
}

// voteAs is the role in which the actor votes.
func voteAs(actor Actor, as Role) (Role, error) {
	hr, legal := actor.Has(RoleHRApprover), actor.Has(RoleLegalApprover)
	switch {
	case as == RoleHRApprover || as == RoleLegalApprover:
		return as, nil
	case as != "":
		return "", fmt.Errorf("%w: this is done as %s or %s", ErrInvalid, RoleHRApprover, RoleLegalApprover)
	case hr && legal:
		return "", fmt.Errorf("%w: say whether as %s or as %s", ErrInvalid, RoleHRApprover, RoleLegalApprover)
	case hr:
		return RoleHRApprover, nil
	case legal:
		return RoleLegalApprover, nil
	default:
		return "", fmt.Errorf("%w: this needs the role %s or %s", ErrForbidden, RoleHRApprover, RoleLegalApprover)
	}
}

// permitVoter keeps people from deciding about what is their own.
func permitVoter(r Reveal, actor Actor) error {
	switch {
	case actor.same(r.Requester, r.RequesterUser):
		return fmt.Errorf("%w: the requester does not decide", ErrForbidden)
	case actor.User == (schemas.Pseudonym{}):
		return errUnknownPerson
	case actor.User == r.User:
		return fmt.Errorf("%w: the user does not decide", ErrForbidden)
	case actor.User == r.Manager:
		return fmt.Errorf("%w: the user's manager does not decide", ErrForbidden)
	}
	for _, vote := range r.Votes {
		if actor.same(vote.Actor, vote.User) {
			return fmt.Errorf("%w: one person does not decide twice", ErrForbidden)
		}
	}
	return nil
}
