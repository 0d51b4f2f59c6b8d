package vault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/riskpipe/riskpipe/schemas"
)

// ErrUnknownReveal means that there is no request of that id.
var ErrUnknownReveal = errors.New("there is no such reveal request")

// RevealLog is the audit log that reveals live in: an AuditChain.
type RevealLog interface {
	AuditLog
	// Records returns at most limit records, in order, from the one behind the
	// sequence after.
	Records(after int64, limit int) ([]schemas.Audit, error)
}

// RevealStore holds all reveal requests. They are nowhere but in the audit log,
// of which it is a fold: what is not on record has not happened.
//
// A RevealStore is safe for concurrent use. No two may write one log.
type RevealStore struct {
	log    RevealLog
	grants Grants

	mu      sync.Mutex
	reveals map[schemas.UUID]Reveal
	order   []schemas.UUID // in which they were requested
}

// NewRevealStore reads the requests from the log; there is no store without one.
func NewRevealStore(log RevealLog, grants Grants) (*RevealStore, error) {
	if log == nil {
		return nil, errors.New("a reveal store needs an audit log: it cannot be switched off")
	}
	if err := grants.Validate(); err != nil {
		return nil, err
	}
	s := &RevealStore{log: log, grants: grants, reveals: map[schemas.UUID]Reveal{}}
	records, err := log.Records(0, int(^uint(0)>>1))
	if err != nil {
		return nil, fmt.Errorf("reading reveals from the audit log: %w", err)
	}
	for i := range records {
		id, e, is, err := decodeReveal(&records[i])
		if err != nil {
			return nil, fmt.Errorf("reading reveals from the audit log, record %d: %w", records[i].Sequence, err)
		}
		if is {
			s.keep(id, s.grants.apply(s.reveals[id], e))
		}
	}
	return s, nil
}

func (s *RevealStore) keep(id schemas.UUID, r Reveal) {
	if _, known := s.reveals[id]; !known {
		s.order = append(s.order, id)
	}
	s.reveals[id] = r
}

// Request makes a request, or a grant at once with break-glass. The action needs
// no id. Errors are those of Do.
func (s *RevealStore) Request(ctx context.Context, actor Actor, action RevealAction, at schemas.Time) (Reveal, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	action.ID = schemas.NewUUID("reveal", actor.Name, action.User.String(), action.Case, at.String(), fmt.Sprint(len(s.order)))
	return s.do(ctx, action.ID, actor, action, at)
}

// Do decides on an action, and does it by recording it. A refusal is recorded,
// too. Errors wrap ErrUnknownReveal, ErrForbidden, ErrConflict or ErrInvalid, or
// say that the audit log did not take the record; then nothing was done.
func (s *RevealStore) Do(ctx context.Context, id schemas.UUID, actor Actor, action RevealAction, at schemas.Time) (Reveal, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.reveals[id]; !known {
		return Reveal{}, ErrUnknownReveal
	}
	return s.do(ctx, id, actor, action, at)
}

func (s *RevealStore) do(ctx context.Context, id schemas.UUID, actor Actor, action RevealAction, at schemas.Time) (Reveal, error) {
	before := s.reveals[id]
	after, err := s.grants.Decide(before, actor, action, at)
	if err != nil {
		return Reveal{}, errors.Join(err, s.log.Append(ctx, refusal(before, id, actor, action, at, err)))
	}
	entry, err := encodeReveal(after, actor, action)
	if err == nil {
		err = s.log.Append(ctx, entry)
	}
	if err != nil {
		return Reveal{}, fmt.Errorf("%s: %w", action.Kind, err)
	}
	s.keep(id, after)
	return after, nil
}

// Open opens the identity of a granted reveal and returns the fields that were
// granted. That it is opened is on record before it is.
func (s *RevealStore) Open(ctx context.Context, id schemas.UUID, actor Actor, at schemas.Time, identities IdentityOpener) (Reveal, Revealed, error) {
	r, err := s.Do(ctx, id, actor, RevealAction{Kind: ActionOpen}, at)
	if err != nil {
		return Reveal{}, nil, err
	}
	identity, err := identities.OpenIdentity(ctx, r.User)
	if err != nil {
		failed := AuditEntry{Time: at, Actor: actor.Name, Action: "reveal.not_opened", Subject: r.User.String(), Case: r.Case, Detail: detailOf(revealDetail{Reveal: id})}
		return Reveal{}, nil, errors.Join(fmt.Errorf("opening: %w", err), s.log.Append(ctx, failed))
	}
	return r, identity.only(r.Fields), nil
}

// Get returns a request as it is at a time.
func (s *RevealStore) Get(id schemas.UUID, at schemas.Time) (Reveal, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, known := s.reveals[id]
	if !known {
		return Reveal{}, ErrUnknownReveal
	}
	return r.At(at), nil
}

// List returns all requests as they are at a time, the newest first.
func (s *RevealStore) List(at schemas.Time) []Reveal {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Reveal, 0, len(s.order))
	for _, id := range slices.Backward(s.order) {
		list = append(list, s.reveals[id].At(at))
	}
	return list
}

// revealDetail is what a record says beside who, what, whose and when.
type revealDetail struct {
	Reveal    schemas.UUID       `json:"reveal"`
	ActorUser *schemas.Pseudonym `json:"actor_user,omitempty"`
	As        Role               `json:"as,omitempty"`
	Manager   *schemas.Pseudonym `json:"manager,omitempty"`
	Purpose   Purpose            `json:"purpose,omitempty"`
	Fields    []string           `json:"fields,omitempty"`
	Reason    string             `json:"reason,omitempty"`
	Justified *bool              `json:"justified,omitempty"`
	Expires   schemas.Time       `json:"expires,omitempty"`
	// Of a refusal.
	Wanted  RevealActionKind `json:"wanted,omitempty"`
	Refused string           `json:"refused,omitempty"`
}

// detailOf writes plain data, which never fails.
func detailOf(d revealDetail) string {
	text, err := json.Marshal(d)
	if err != nil {
		return ""
	}
	return string(text)
}

// recorded maps actions to how the log names them.
func recorded() map[RevealActionKind]string {
	return map[RevealActionKind]string{
		ActionRequest: "reveal.requested", ActionBreakGlass: "reveal.glass_broken", ActionApprove: "reveal.approved", ActionDeny: "reveal.denied",
		ActionWithdraw: "reveal.withdrawn", ActionOpen: "reveal.opened", ActionReview: "reveal.reviewed",
	}
}

// encodeReveal is the record of an action that led to r.
func encodeReveal(r Reveal, actor Actor, action RevealAction) (AuditEntry, error) {
	detail := revealDetail{Reveal: r.ID, ActorUser: known(actor.User)}
	switch action.Kind {
	case ActionRequest, ActionBreakGlass:
		detail.Manager, detail.Purpose, detail.Fields, detail.Reason = known(r.Manager), r.Purpose, r.Fields, r.Reason
	case ActionApprove, ActionDeny, ActionReview:
		vote := r.Votes[len(r.Votes)-1]
		detail.As, detail.Reason = vote.As, vote.Reason
		if action.Kind == ActionReview {
			detail.Justified = &vote.Justified
		}
	default:
	}
	if r.GrantedAt == r.UpdatedAt {
		detail.Expires = r.ExpiresAt
	}
	text, err := json.Marshal(detail)
	if err != nil {
		return AuditEntry{}, fmt.Errorf("encoding the record: %w", err)
	}
	return AuditEntry{
		Time: r.UpdatedAt, Actor: actor.Name, Action: recorded()[action.Kind], Subject: r.User.String(), Case: r.Case, Detail: string(text),
	}, nil
}

// decodeReveal reads what encodeReveal wrote; other records are none of it.
func decodeReveal(record *schemas.Audit) (id schemas.UUID, e revealEvent, is bool, err error) {
	kind := RevealActionKind("")
	for action, name := range recorded() {
		if name == record.Action {
			kind = action
		}
	}
	if kind == "" {
		return id, e, false, nil
	}
	var detail revealDetail
	var user schemas.Pseudonym
	if err := errors.Join(json.Unmarshal([]byte(record.Detail), &detail), user.UnmarshalText([]byte(record.Subject))); err != nil {
		return id, e, false, fmt.Errorf("decoding %s: %w", record.Action, err)
	}
	return detail.Reveal, revealEvent{
		actor: record.Actor, user: unknown(detail.ActorUser), as: detail.As, at: record.Time, expires: detail.Expires,
		action: RevealAction{
			Kind: kind, ID: detail.Reveal, User: user, Manager: unknown(detail.Manager), Case: record.Case, Purpose: detail.Purpose,
			Fields: detail.Fields, Reason: detail.Reason, Justified: detail.Justified != nil && *detail.Justified,
		},
	}, true, nil
}

// known is nil for nobody, which JSON then leaves out.
func known(user schemas.Pseudonym) *schemas.Pseudonym {
	if user == (schemas.Pseudonym{}) {
		return nil
	}
	return &user
}

func unknown(user *schemas.Pseudonym) schemas.Pseudonym {
	if user == nil {
		return schemas.Pseudonym{}
	}
	return *user
}

// refusal is the record of what somebody wanted and may not. It quotes nothing
// of what they wrote.
func refusal(r Reveal, id schemas.UUID, actor Actor, action RevealAction, at schemas.Time, why error) AuditEntry {
	entry := AuditEntry{Time: at, Actor: actor.Name, Action: "reveal.refused", Subject: r.User.String(), Case: r.Case}
	detail := revealDetail{Reveal: id, ActorUser: known(actor.User), Wanted: action.Kind}
	if r.Status == RevealNone {
		entry.Subject = action.User.String()
	}
	for _, kind := range []error{ErrForbidden, ErrConflict, ErrInvalid} {
		if errors.Is(why, kind) {
			detail.Refused = kind.Error()
		}
	}
	entry.Detail = detailOf(detail)
	return entry
}
