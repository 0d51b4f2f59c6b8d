package server

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/riskpipe/riskpipe/vault"
)

// Problem is a problem detail of RFC 9457. Its type is about:blank: the status
// says what kind of problem it is.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
}

// problemOf tells an error to the caller. What is not the caller's doing is told
// in the log alone.
func problemOf(err error) Problem {
	problem := func(status int, detail string) Problem {
		return Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail}
	}
	var wrong *requestError
	switch {
	case errors.As(err, &wrong):
		return problem(wrong.status, wrong.detail)
	// First: a decision that is not on record is none.
	case errors.Is(err, vault.ErrAuditBroken), errors.Is(err, vault.ErrAuditClosed):
		return problem(http.StatusServiceUnavailable, "the audit log takes no entries, so nothing is done")
	case errors.Is(err, vault.ErrUnknownReveal):
		return problem(http.StatusNotFound, err.Error())
	case errors.Is(err, vault.ErrForbidden):
		return problem(http.StatusForbidden, err.Error())
	case errors.Is(err, vault.ErrConflict):
		return problem(http.StatusConflict, err.Error())
	case errors.Is(err, vault.ErrInvalid):
		return problem(http.StatusUnprocessableEntity, err.Error())
	case errors.Is(err, vault.ErrNoIdentity):
		return problem(http.StatusNotFound, vault.ErrNoIdentity.Error())
	default:
		return problem(http.StatusInternalServerError, "the vault's log says why")
	}
}

// requestError is what is wrong with a request itself.
type requestError struct {
	status int
	detail string
}

func (e *requestError) Error() string { return e.detail }

func writeProblem(w http.ResponseWriter, p Problem) {
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="riskpipe vault"`)
	}
	writeBody(w, "application/problem+json", p.Status, p)
}

func writeBody(w http.ResponseWriter, contentType string, status int, body any) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	// The only error left is that the caller has gone.
	_ = json.NewEncoder(w).Encode(body)
}
