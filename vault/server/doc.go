// Package server is the vault's HTTP interface: reveals are requested, decided
// on and opened through it, and the audit log is read.
//
//	POST /v1/reveals                 request, or break-glass
//	POST /v1/reveals/{id}/approve    and deny, withdraw, open, review
//	GET  /v1/reveals                 the requester's own; all of them for who decides
//	GET  /v1/audit                   the audit log
//
// Bodies are JSON, problems are those of RFC 9457. Who calls is told by a bearer
// token, of a file or of an OpenID Connect issuer. Package vault decides; this
// one adds who may read what. Every decision and every read is on record before
// it is answered. Calls without a valid token are in the process's log alone,
// since anybody could fill the audit log with them.
package server
