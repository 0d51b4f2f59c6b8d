package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"

	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

// maxBody bounds the body of a request, in bytes.
const maxBody = 16 << 10

// Deps are what a server works with.
type Deps struct {
	Authenticator Authenticator
	Reveals       *vault.RevealStore
	// Audit is the log that the reveals are in.
	Audit      vault.RevealLog
	Identities vault.IdentityOpener
	// Managers are the managers of users, where known: who may not decide about
	// them. It may be nil.
	Managers map[schemas.Pseudonym]schemas.Pseudonym
	// Now is the clock.
	Now func() schemas.Time
	Log *slog.Logger
}

// Server answers requests to the vault.
type Server struct {
	deps Deps
	mux  *http.ServeMux
}

// New returns a server, or what is missing. There is none without an audit log.
func New(deps Deps) (*Server, error) {
	var problems []error
	for name, missing := range map[string]bool{
		"Authenticator": deps.Authenticator == nil, "Reveals": deps.Reveals == nil, "Audit": deps.Audit == nil,
		"Identities": deps.Identities == nil, "Now": deps.Now == nil, "Log": deps.Log == nil,
	} {
		if missing {
			problems = append(problems, fmt.Errorf("setting up the vault's server: it needs %s", name))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	s := &Server{deps: deps, mux: http.NewServeMux()}
	s.handle("POST /v1/reveals", s.request)
	s.handle("GET /v1/reveals", s.list)
	s.handle("GET /v1/audit", s.audit)
	s.handle("POST /v1/reveals/{id}/open", s.open)
	for path, kind := range map[string]vault.RevealActionKind{
		"approve": vault.ActionApprove, "deny": vault.ActionDeny, "withdraw": vault.ActionWithdraw, "review": vault.ActionReview,
	} {
		s.handle("POST /v1/reveals/{id}/"+path, func(r *http.Request, actor vault.Actor) (answer, error) { return s.act(r, actor, kind) })
	}
	return s, nil
}

// answer is a response with a body of JSON.
type answer struct {
	status   int
	location string
	body     any
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if _, pattern := s.mux.Handler(r); pattern == "" {
		s.unrouted(w, r)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// unrouted answers what has no handler, which the mux would do in plain text.
func (s *Server) unrouted(w http.ResponseWriter, r *http.Request) {
	status := http.StatusNotFound
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := s.mux.Handler(other); pattern != "" {
			w.Header().Set("Allow", method)
			status = http.StatusMethodNotAllowed
		}
	}
	writeProblem(w, problemOf(&requestError{status, "see the documentation for what there is"}))
}

// handle adds a route for who has a valid token.
func (s *Server) handle(pattern string, serve func(*http.Request, vault.Actor) (answer, error)) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		actor, err := s.deps.Authenticator.Authenticate(r.Context(), bearer(r))
		var a answer
		switch {
		case errors.Is(err, ErrUnauthenticated):
			err = &requestError{http.StatusUnauthorized, "give a valid token in the header Authorization: Bearer …"}
		case err == nil:
			a, err = serve(r, actor)
		}
		if err != nil {
			problem := problemOf(err)
			s.report(r, actor, pattern, problem, err)
			writeProblem(w, problem)
			return
		}
		s.deps.Log.Info("answered", "route", pattern, "actor", actor.Name, "status", a.status)
		if a.location != "" {
			w.Header().Set("Location", a.location)
		}
		writeBody(w, "application/json", a.status, a.body)
	})
}

// report logs a problem; what lies with the vault, with its cause.
func (s *Server) report(r *http.Request, actor vault.Actor, pattern string, p Problem, err error) {
	if p.Status >= http.StatusInternalServerError {
		s.deps.Log.Error("could not answer", "route", pattern, "actor", actor.Name, "status", p.Status, "error", err)
		return
	}
	s.deps.Log.Warn("refused", "route", pattern, "actor", actor.Name, "status", p.Status, "remote", r.RemoteAddr)
}

// record puts a read on record.
func (s *Server) record(ctx context.Context, actor vault.Actor, action, detail string) error {
	return s.deps.Audit.Append(ctx, vault.AuditEntry{Time: s.deps.Now(), Actor: actor.Name, Action: action, Detail: detail})
}

// decode reads the body, which must be one JSON object without unknown fields.
// An empty body is an empty object.
func decode(r *http.Request, into any) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); r.ContentLength != 0 && (err != nil || kind != "application/json") {
		return &requestError{http.StatusUnsupportedMediaType, "want Content-Type: application/json"}
	}
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err == nil && !errors.Is(decoder.Decode(new(struct{})), io.EOF) {
		err = errors.New("more than one value")
	}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return &requestError{http.StatusRequestEntityTooLarge, fmt.Sprintf("the body has more than %d bytes", maxBody)}
	case err != nil:
		// JSON errors quote what was sent.
		return &requestError{http.StatusBadRequest, "the body is not a JSON object with the fields that are documented"}
	default:
		return nil
	}
}
