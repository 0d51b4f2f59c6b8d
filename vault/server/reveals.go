package server

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

// Request is the body of POST /v1/reveals.
type Request struct {
	User    schemas.Pseudonym `json:"user"`
	Case    string            `json:"case"`
	Purpose vault.Purpose     `json:"purpose"`
	Fields  []string          `json:"fields"`
	Reason  string            `json:"reason"`
	// BreakGlass takes the grant at once; HR and Legal review it afterwards.
	BreakGlass bool `json:"break_glass,omitempty"`
}

// Decision is the body of POST /v1/reveals/{id}/approve, deny, withdraw and
// review; which of its fields count depends on that.
type Decision struct {
	// As is hr_approver or legal_approver, for who is both.
	As     vault.Role `json:"as,omitempty"`
	Reason string     `json:"reason,omitempty"`
	// Justified is the verdict of a review; it must be given there.
	Justified *bool `json:"justified,omitempty"`
}

// Opened is the answer to POST /v1/reveals/{id}/open.
type Opened struct {
	Reveal   vault.Reveal   `json:"reveal"`
	Identity vault.Revealed `json:"identity"`
}

// Reveals is the answer to GET /v1/reveals, the newest first.
type Reveals struct {
	Reveals []vault.Reveal `json:"reveals"`
}

// AuditPage is the answer to GET /v1/audit?after=N&limit=N.
type AuditPage struct {
	Records []schemas.Audit `json:"records"`
	// Next is the after of the next page, 0 when there are no more records.
	Next int64 `json:"next"`
}

func (s *Server) request(r *http.Request, actor vault.Actor) (answer, error) {
	var body Request
	if err := decode(r, &body); err != nil {
		return answer{}, err
	}
	kind := vault.ActionRequest
	if body.BreakGlass {
		kind = vault.ActionBreakGlass
	}
	reveal, err := s.deps.Reveals.Request(r.Context(), actor, vault.RevealAction{
		Kind: kind, User: body.User, Manager: s.deps.Managers[body.User], Case: body.Case, Purpose: body.Purpose,
		Fields: body.Fields, Reason: body.Reason,
	}, s.deps.Now())
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusCreated, "/v1/reveals/" + reveal.ID.String(), reveal}, nil
}

func (s *Server) act(r *http.Request, actor vault.Actor, kind vault.RevealActionKind) (answer, error) {
	id, err := idOf(r)
	if err != nil {
		return answer{}, err
	}
	var body Decision
	if err := decode(r, &body); err != nil {
		return answer{}, err
	}
	if kind == vault.ActionReview && body.Justified == nil {
		return answer{}, &requestError{http.StatusUnprocessableEntity, "a review says whether it was justified: true or false"}
	}
	reveal, err := s.deps.Reveals.Do(r.Context(), id, actor, vault.RevealAction{
		Kind: kind, As: body.As, Reason: body.Reason, Justified: body.Justified != nil && *body.Justified,
	}, s.deps.Now())
	return answer{status: http.StatusOK, body: reveal}, err
}

func (s *Server) open(r *http.Request, actor vault.Actor) (answer, error) {
	id, err := idOf(r)
	if err != nil {
		return answer{}, err
	}
	if err := decode(r, new(struct{})); err != nil {
		return answer{}, err
	}
	reveal, identity, err := s.deps.Reveals.Open(r.Context(), id, actor, s.deps.Now(), s.deps.Identities)
	return answer{status: http.StatusOK, body: Opened{reveal, identity}}, err
}

// list shows investigators their own requests, and all to those who decide or
// watch.
func (s *Server) list(r *http.Request, actor vault.Actor) (answer, error) {
	everything := actor.HasAny(vault.RoleHRApprover, vault.RoleLegalApprover, vault.RolePrivacyOfficer)
	if !everything && !actor.Has(vault.RoleInvestigator) {
		return answer{}, s.refuse(r, actor, "reveal.list_refused")
	}
	shown := Reveals{Reveals: []vault.Reveal{}}
	for _, reveal := range s.deps.Reveals.List(s.deps.Now()) {
		if everything || reveal.Requester == actor.Name {
			shown.Reveals = append(shown.Reveals, reveal)
		}
	}
	err := s.record(r.Context(), actor, "reveal.listed", fmt.Sprintf(`{"count":%d}`, len(shown.Reveals)))
	return answer{status: http.StatusOK, body: shown}, err
}

// The number of records on a page of the audit log.
const (
	defaultPage = 100
	maxPage     = 1000
)

func (s *Server) audit(r *http.Request, actor vault.Actor) (answer, error) {
	if !actor.HasAny(vault.RoleAuditor, vault.RolePrivacyOfficer) {
		return answer{}, s.refuse(r, actor, "audit.read_refused")
	}
	after, err := numberOf(r, "after", 0, 1<<62)
	if err != nil {
		return answer{}, err
	}
	limit, err := numberOf(r, "limit", defaultPage, maxPage)
	if err != nil {
		return answer{}, err
	}
	if err := s.record(r.Context(), actor, "audit.read", fmt.Sprintf(`{"after":%d,"limit":%d}`, after, limit)); err != nil {
		return answer{}, err
	}
	records, err := s.deps.Audit.Records(after, int(limit))
	if err != nil {
		return answer{}, err
	}
	page := AuditPage{Records: records}
	if len(records) > 0 && int64(len(records)) == limit {
		page.Next = records[len(records)-1].Sequence
	}
	return answer{status: http.StatusOK, body: page}, nil
}

// refuse puts on record that somebody wanted to read what is not for them.
func (s *Server) refuse(r *http.Request, actor vault.Actor, action string) error {
	if err := s.record(r.Context(), actor, action, ""); err != nil {
		return err
	}
	return fmt.Errorf("%w: no role of the account may read this", vault.ErrForbidden)
}

func idOf(r *http.Request) (schemas.UUID, error) {
	var id schemas.UUID
	if err := id.UnmarshalText([]byte(r.PathValue("id"))); err != nil {
		return id, vault.ErrUnknownReveal
	}
	return id, nil
}

// numberOf reads a query parameter from 0 to most.
func numberOf(r *http.Request, name string, fallback, most int64) (int64, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return fallback, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > most {
		return 0, &requestError{http.StatusBadRequest, fmt.Sprintf("%s: want a number from 0 to %d", name, most)}
	}
	return n, nil
}
