package vault

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/riskpipe/riskpipe/schemas"
)

// RevealStatus is how far a reveal request has come.
type RevealStatus string

// The statuses. Denied, withdrawn, reviewed and, without break-glass, expired
// are final.
const (
	RevealNone      RevealStatus = ""          // there is no request yet
	RevealRequested RevealStatus = "requested" // HR and Legal have not both decided
	RevealGranted   RevealStatus = "granted"   // may be opened, by the requester, until it expires
	RevealExpired   RevealStatus = "expired"   // was granted and its time is over
	RevealDenied    RevealStatus = "denied"    // HR or Legal said no
	RevealWithdrawn RevealStatus = "withdrawn" // the requester gave it up
	RevealReviewed  RevealStatus = "reviewed"  // break-glass that HR and Legal have judged
)

// Purpose is what a name may be revealed for.
type Purpose string

// The purposes; there are no others.
const (
	PurposeInvestigation Purpose = "investigation"  // of a case of insider risk
	PurposeIncident      Purpose = "incident"       // response to a running security incident
	PurposeLegal         Purpose = "legal"          // an obligation or claim at law
	PurposeSafety        Purpose = "safety"         // danger to somebody's life or health
	PurposeSubject       Purpose = "subject_access" // the person's own request for their data
)

// Purposes returns all purposes.
func Purposes() []Purpose {
	return []Purpose{PurposeInvestigation, PurposeIncident, PurposeLegal, PurposeSafety, PurposeSubject}
}

// RevealFields returns the names of what an identity may be asked for, as in the
// JSON of Identity.
func RevealFields() []string {
	return []string{"upn", "display_name", "object_id", "employee_id", "aliases", "department", "manager", "title"}
}

// Reveal is one request to see whose a pseudonym is. Everything in it comes from
// the audit log. Its zero value is the request that nobody has made yet.
type Reveal struct {
	ID      schemas.UUID      `json:"id"`
	Status  RevealStatus      `json:"status"`
	User    schemas.Pseudonym `json:"user"`
	Case    string            `json:"case"`
	Purpose Purpose           `json:"purpose"`
	Fields  []string          `json:"fields"`
	Reason  string            `json:"reason"`
	// Requester is the account that asked, and the only one that may open.
	Requester     string            `json:"requester"`
	RequesterUser schemas.Pseudonym `json:"-"`
	// Manager is the user's manager where known, who may not decide.
	Manager     schemas.Pseudonym `json:"-"`
	RequestedAt schemas.Time      `json:"requested_at"`
	UpdatedAt   schemas.Time      `json:"updated_at"` // of the last action
	GrantedAt   schemas.Time      `json:"granted_at,omitempty"`
	ExpiresAt   schemas.Time      `json:"expires_at,omitempty"`
	// BreakGlass is whether the requester took the grant without asking, so that
	// HR and Legal have to review it.
	BreakGlass bool `json:"break_glass,omitempty"`
	// Votes are the decisions, in order: approvals, at most one denial, reviews.
	Votes []RevealVote `json:"votes,omitempty"`
	// Justified is what the reviews came to, once both are in: yes if both say so.
	Justified *bool `json:"justified,omitempty"`
	// Openings counts how often it was opened, OpenedAt is the last time.
	Openings int          `json:"openings,omitempty"`
	OpenedAt schemas.Time `json:"opened_at,omitempty"`
}

// RevealVote is what one approver said.
type RevealVote struct {
	Action RevealActionKind  `json:"action"` // approve, deny or review
	As     Role              `json:"as"`     // hr_approver or legal_approver
	Actor  string            `json:"actor"`
	User   schemas.Pseudonym `json:"-"`
	At     schemas.Time      `json:"at"`
	Reason string            `json:"reason,omitempty"`
	// Justified is the verdict of a review.
	Justified bool `json:"justified,omitempty"`
}

// RevealActionKind is what somebody wants to do with a reveal.
type RevealActionKind string

// The actions.
const (
	ActionRequest    RevealActionKind = "request"
	ActionBreakGlass RevealActionKind = "break_glass"
	ActionApprove    RevealActionKind = "approve"
	ActionDeny       RevealActionKind = "deny"
	ActionWithdraw   RevealActionKind = "withdraw"
	ActionOpen       RevealActionKind = "open"
	ActionReview     RevealActionKind = "review"
)

// RevealActions returns all actions.
func RevealActions() []RevealActionKind {
	return []RevealActionKind{ActionRequest, ActionBreakGlass, ActionApprove, ActionDeny, ActionWithdraw, ActionOpen, ActionReview}
}

// RevealAction is one step. Which of its fields count depends on its kind.
type RevealAction struct {
	Kind RevealActionKind
	// Of request and break_glass.
	ID      schemas.UUID
	User    schemas.Pseudonym
	Manager schemas.Pseudonym // of the user, zero when not known
	Case    string
	Purpose Purpose
	Fields  []string // of RevealFields
	// Reason is needed for request, break_glass, deny and review.
	Reason string
	// As is the role in which to approve, deny or review; it may be empty for
	// an actor who has one such role.
	As Role
	// Justified is the verdict of a review.
	Justified bool
}

// The time boxes of grants.
const (
	GrantTime      = 72 * time.Hour
	BreakGlassTime = 4 * time.Hour
)

// Grants say for how long a grant holds; zero values stand for GrantTime and
// BreakGlassTime.
type Grants struct {
	Time           time.Duration
	BreakGlassTime time.Duration
}

// box returns how long a grant holds, in milliseconds.
func (g Grants) box(breakGlass bool) schemas.Time {
	d := orDuration(g.Time, GrantTime)
	if breakGlass {
		d = orDuration(g.BreakGlassTime, BreakGlassTime)
	}
	return schemas.Time(d.Milliseconds())
}

func orDuration(d, fallback time.Duration) time.Duration {
	if d == 0 {
		return fallback
	}
	return d
}

// Validate reports what is wrong with g, joined.
func (g Grants) Validate() error {
	var problems []error
	if t := orDuration(g.Time, GrantTime); t < time.Minute || t > 30*24*time.Hour {
		problems = append(problems, fmt.Errorf("a grant of %s: want 1m to 720h", t))
	}
	if t := orDuration(g.BreakGlassTime, BreakGlassTime); t < time.Minute || t > 24*time.Hour {
		problems = append(problems, fmt.Errorf("a break-glass grant of %s: want 1m to 24h", t))
	}
	return errors.Join(problems...)
}

// The kinds of refusal; every error of Decide wraps one.
var (
	ErrForbidden = errors.New("not allowed")            // this actor may not do that
	ErrConflict  = errors.New("not possible now")       // the request is not in a state for it
	ErrInvalid   = errors.New("the request is invalid") // it lacks something, or something in it is wrong
)

// At returns the reveal as it is at a time, which may be past the last action:
// a grant whose time is over has expired, for good: a clock that was set back
// does not bring it back.
func (r Reveal) At(at schemas.Time) Reveal {
	if r.Status == RevealGranted && max(at, r.UpdatedAt) >= r.ExpiresAt {
		r.Status = RevealExpired
	}
	return r
}

// Final says whether nothing can happen to the reveal any more.
func (r Reveal) Final() bool {
	switch r.Status {
	case RevealDenied, RevealWithdrawn, RevealReviewed:
		return true
	case RevealExpired:
		return !r.BreakGlass
	default:
		return false
	}
}

// NeedsReview says whether the reveal waits for the review of a break-glass.
func (r Reveal) NeedsReview() bool { return r.BreakGlass && r.Status != RevealReviewed }

// vote finds the vote of a kind that was given in a role.
func (r Reveal) vote(kind RevealActionKind, as Role) (RevealVote, bool) {
	i := slices.IndexFunc(r.Votes, func(v RevealVote) bool { return v.Action == kind && v.As == as })
	if i < 0 {
		return RevealVote{}, false
	}
	return r.Votes[i], true
}

// refuted says whether a review found the break-glass unjustified.
func (r Reveal) refuted() bool {
	return slices.ContainsFunc(r.Votes, func(v RevealVote) bool { return v.Action == ActionReview && !v.Justified })
}

// blank says whether a text says nothing.
func blank(text string) bool { return strings.TrimSpace(text) == "" }
