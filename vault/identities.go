package vault

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"

	"github.com/riskpipe/riskpipe/schemas"
)

// ErrNoIdentity means that nothing is known about whose a pseudonym is.
var ErrNoIdentity = errors.New("no identity is known for the pseudonym")

// IdentitySource holds sealed identities by pseudonym.
type IdentitySource interface {
	// Identities returns all records of a pseudonym, in any order. None, or an
	// error that wraps ErrNoIdentity, says that there is none.
	Identities(ctx context.Context, user schemas.Pseudonym) ([]schemas.Identity, error)
}

// IdentityOpener tells whose a pseudonym is. Only RevealStore.Open may ask it.
type IdentityOpener interface {
	OpenIdentity(ctx context.Context, user schemas.Pseudonym) (Identity, error)
}

// SealedIdentities opens the identities of a source.
type SealedIdentities struct {
	source IdentitySource
	opener Opener
}

// NewSealedIdentities returns the IdentityOpener of a source and the vault's keys.
func NewSealedIdentities(source IdentitySource, opener Opener) *SealedIdentities {
	return &SealedIdentities{source: source, opener: opener}
}

// OpenIdentity implements IdentityOpener. Each record says a part of an identity;
// of each field the newest record that says something of it counts, and all
// aliases do.
func (s *SealedIdentities) OpenIdentity(ctx context.Context, user schemas.Pseudonym) (Identity, error) {
	sealed, err := s.source.Identities(ctx, user)
	if err != nil {
		return Identity{}, fmt.Errorf("looking the identity of %s up: %w", user.Short(), err)
	}
	sealed = slices.Clone(sealed)
	slices.SortFunc(sealed, func(a, b schemas.Identity) int {
		return cmp.Or(cmp.Compare(b.UpdatedTime, a.UpdatedTime), bytes.Compare(a.Sealed, b.Sealed)) // the same whatever their order was
	})
	var whole Identity
	for i := range sealed {
		if sealed[i].User != user {
			return Identity{}, fmt.Errorf("opening the identity of %s: a record of another user was found", user.Short())
		}
		identity, err := OpenIdentity(ctx, s.opener, &sealed[i])
		if err != nil {
			return Identity{}, err
		}
		whole = whole.with(identity)
	}
	if len(sealed) == 0 {
		return Identity{}, fmt.Errorf("looking the identity of %s up: %w", user.Short(), ErrNoIdentity)
	}
	return whole, nil
}

// with fills what i does not say from an older record.
func (i Identity) with(older Identity) Identity {
	i.UPN, i.DisplayName = cmp.Or(i.UPN, older.UPN), cmp.Or(i.DisplayName, older.DisplayName)
	i.ObjectID, i.EmployeeID = cmp.Or(i.ObjectID, older.ObjectID), cmp.Or(i.EmployeeID, older.EmployeeID)
	i.Department, i.Manager, i.Title = cmp.Or(i.Department, older.Department), cmp.Or(i.Manager, older.Manager), cmp.Or(i.Title, older.Title)
	for _, alias := range older.Aliases {
		if !slices.Contains(i.Aliases, alias) {
			i.Aliases = append(slices.Clip(i.Aliases), alias)
		}
	}
	for _, link := range older.Previous {
		if !slices.Contains(i.Previous, link) {
			i.Previous = append(slices.Clip(i.Previous), link)
		}
	}
	return i
}

// Revealed is what was granted of an identity: values by field, of RevealFields.
// What is not known is left out. It prints as nothing; only JSON shows it.
type Revealed map[string][]string

// only returns the fields.
func (i Identity) only(fields []string) Revealed {
	all := map[string][]string{
		"upn": {i.UPN}, "display_name": {i.DisplayName}, "object_id": {i.ObjectID}, "employee_id": {i.EmployeeID},
		"aliases": i.Aliases, "department": {i.Department}, "manager": {i.Manager}, "title": {i.Title},
	}
	revealed := Revealed{}
	for _, field := range fields {
		if values := all[field]; len(values) > 0 && values[0] != "" {
			revealed[field] = values
		}
	}
	return revealed
}

func (Revealed) String() string { return "identity (withheld)" }

// Format keeps every verb from printing the identity.
func (r Revealed) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, r.String()) }

// LogValue logs String.
func (r Revealed) LogValue() slog.Value { return slog.StringValue(r.String()) }
